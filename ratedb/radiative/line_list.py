"""The lines of a system: frequencies, Einstein A, and critical densities at a few temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels, Lines
from ratedb.options import LinesOptions
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.radiative.critical_density import DEFINITION, TWO_LEVELS, critical_densities
from ratedb.radiative.effective_density import DEFINITION as EFFECTIVE
from ratedb.radiative.effective_density import FLUX_K_KM_S, effective_densities
from ratedb.radiative.line_names import NamedLines
from ratedb.rates import Rates
from ratedb.results import Result

TEMPERATURES_K = (10.0, 20.0, 50.0, 100.0, 300.0)
"""The temperatures of critical densities, of which those within the range of the rates are taken."""


@dataclass(frozen=True)
class LineDensity:
    """One line: frequency in GHz, energy of its upper level in K, Einstein A in s-1, and critical densities.

    Densities are in cm-3, one for each temperature of the list, as `critical_density.CriticalDensities`
    defines them; NaN where rates are unknown. `log10_half_width_68` (dex) is that of
    `critical_density_cm3`, 0 where no rate is predicted. `missing_rates` counts the levels to which no rate
    is known: the density is an upper limit then. `effective_density_cm3`, where asked for, is as
    effective_density.py defines it. A computed frequency is the difference of level energies.
    """

    name: str
    upper: str
    lower: str
    frequency_ghz: float
    frequency_computed: bool
    upper_energy_k: float
    einstein_a_s1: float
    critical_density_cm3: tuple[float, ...]
    two_level_density_cm3: tuple[float, ...]
    log10_half_width_68: tuple[float, ...]
    missing_rates: int
    effective_density_cm3: tuple[float, ...] = ()


@dataclass(frozen=True, repr=False)
class LineList(Result):
    """The lines of a system by frequency, with critical densities; `definitions` says what these are."""

    system: str
    temperatures_k: tuple[float, ...]
    definitions: dict[str, str]
    lines: tuple[LineDensity, ...]
    references: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return how many lines there are."""
        kelvin = ", ".join(f"{one:g}" for one in self.temperatures_k)
        return f"{len(self.lines)} lines of {self.system}, critical densities at {kelvin} K"


def lines_at(rates: Rates, lines: Lines, options: LinesOptions) -> LineList:
    """Return the chosen lines of a molecule with critical densities for collisions with one partner.

    Raises RatedbError where the molecule has no lines, or no such line, or outside the temperatures of the
    rates.
    """
    levels = rates.levels
    if not len(lines):
        raise RatedbError(
            f"the store has no lines of {levels.molecule}",
            expected="radiative lines with Einstein A",
            todo=f"import a LAMDA file of {levels.molecule}, or a list of Einstein A with --levels",
        )
    lines = lines.select(np.argsort(lines.frequency_ghz, kind="stable"))
    named = NamedLines(
        levels.molecule,
        [levels.label[place] for place in lines.upper],
        [levels.label[place] for place in lines.lower],
        lines.frequency_ghz,
    )
    keep = named.chosen(options.lines, options.ghz)
    rates = rates.at(_temperatures(rates.temperature_k, options.temperatures))
    found = _listed(rates, lines.select(keep), [named.full_name(row) for row in np.flatnonzero(keep)])
    unsolved: tuple[str, ...] = ()
    definitions = {"critical_density_cm3": DEFINITION, "two_level_density_cm3": TWO_LEVELS}
    if options.effective:
        densities, unsolved = effective_densities(rates, lines, options.column, options.line_width)
        found = tuple(
            replace(one, effective_density_cm3=tuple(row.tolist()))
            for one, row in zip(found, densities[keep], strict=True)
        )
        definitions["effective_density_cm3"] = EFFECTIVE.format(
            flux=FLUX_K_KM_S, column=options.column, width=options.line_width
        )
    return LineList(
        system=rates.system,
        temperatures_k=tuple(rates.temperature_k.tolist()),
        definitions=definitions,
        lines=found,
        references=rates.references,
        warnings=(*_incomplete(found), *(f"no effective densities at {one}" for one in unsolved)),
    )


def _temperatures(known_k: FloatArray, wanted_k: Sequence[float] | None) -> FloatArray:
    if wanted_k is not None:
        return np.array(wanted_k, dtype=np.float64)
    inside = [one for one in TEMPERATURES_K if known_k[0] <= one <= known_k[-1]]
    return np.array(inside or sorted({known_k[0], known_k[-1]}), dtype=np.float64)


def _listed(rates: Rates, lines: Lines, names: Sequence[str]) -> tuple[LineDensity, ...]:
    levels, densities = rates.levels, critical_densities(rates, lines)
    energy_k = _upper_energy_k(levels, lines)
    return tuple(
        LineDensity(
            name=name,
            upper=levels.label[lines.upper[row]],
            lower=levels.label[lines.lower[row]],
            frequency_ghz=float(lines.frequency_ghz[row]),
            frequency_computed=bool(lines.frequency_computed[row]),
            upper_energy_k=float(energy_k[row]),
            einstein_a_s1=float(lines.einstein_a_s1[row]),
            critical_density_cm3=tuple(densities.all_levels_cm3[row].tolist()),
            two_level_density_cm3=tuple(densities.two_level_cm3[row].tolist()),
            log10_half_width_68=tuple(densities.log10_half_width_68[row].tolist()),
            missing_rates=int(densities.missing[row]),
        )
        for row, name in enumerate(names)
    )


def _upper_energy_k(levels: Levels, lines: Lines) -> FloatArray:
    """Return the energies of upper levels in K as the source prints them, else above the lowest level."""
    above_cm1 = levels.energy_cm1[lines.upper] - levels.energy_cm1.min()
    printed = np.isfinite(lines.upper_energy_k)
    return np.where(printed, lines.upper_energy_k, HC_OVER_KB_CM_K * above_cm1)


def _incomplete(lines: Sequence[LineDensity]) -> list[str]:
    """Return a sentence where sums of rates lack some."""
    lacking = [one for one in lines if one.missing_rates]
    if not lacking:
        return []
    most = max(lacking, key=lambda one: one.missing_rates)
    return [
        f"{len(lacking)} of {len(lines)} lines: rates out of the upper level are unknown to some levels (to"
        f" {most.missing_rates} for {most.name}), so that the critical densities are upper limits"
    ]
