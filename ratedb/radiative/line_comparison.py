"""How RADEX's values for one line in two files are compared, under the same conditions.

- `emission`: both fluxes are positive and the larger is at least `FLUX_FLOOR` of the strongest line of that
  condition in either file. Only these have a flux ratio, max(a/b, b/a), and enter its maximum, median and
  95th percentile.
- `below_floor`: both fluxes are smaller than that, in magnitude. Such a line is invisible next to the strong
  ones. They are counted.
- `absorption`: the rest; a flux is negative (absorption against the background) or zero. Near the change of
  sign a ratio has no meaning. They are counted.

Every line, of any kind, has a flux difference, relative to the strongest line of its condition, and a
difference of optical depth, |a - b| / max(1, |a|, |b|): absolute for thin lines, relative for thick ones.

Excitation temperatures are compared for emission that is inverted (Tex < 0, a maser) in neither file:
|1/a - 1/b| / max(1/a, 1/b, 1/T), with the kinetic temperature T. Up to T that is |a - b| over the larger of
the two. Above T a level pair approaches inversion, where Tex runs through infinity while the populations
hardly change, as 1/Tex does. Inverted lines are counted, `lines_inverted`, and again where only one file
inverts them, `lines_inverted_in_one_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.line_matching import LineMatch
from ratedb.radiative.radex_lines import RadexLines

BRIGHT = 0.01
"""A line is bright from this share of the strongest flux of its condition."""
FLUX_FLOOR = 1.0e-6
"""Lines weaker than this share of the strongest line of their condition have no flux ratio."""
POPULATION_FLOOR = 1.0e-4
"""Levels with a smaller population in the reference file have no relative difference."""


@dataclass(frozen=True)
class LineComparison:
    """One line under one set of conditions: `..._against` is the value from the reference file.

    `condition` is an index into `Verification.conditions`; `kind` is `emission`, `absorption` or
    `below_floor`, and `flux_ratio` is None except for `emission`. `flux_difference` is relative to the
    strongest line of the condition, as is `relative_flux`, the larger of the two fluxes;
    `population_difference` is the larger one of the line's two levels. The differences of excitation
    temperature (None where undefined) and optical depth are defined at the top of this module.
    `upper_energy_k` is above the lowest level of the file.
    """

    condition: int
    temperature_k: float
    density_cm3: Mapping[str, float]
    upper: str
    lower: str
    frequency_ghz: float
    excitation_temperature_k: float
    excitation_temperature_against_k: float
    optical_depth: float
    optical_depth_against: float
    flux_k_km_s: float
    flux_against_k_km_s: float
    kind: str
    flux_ratio: float | None
    flux_difference: float
    population_upper: float
    population_upper_against: float
    population_difference: float
    upper_energy_k: float
    relative_flux: float
    excitation_temperature_difference: float | None
    optical_depth_difference: float


def compare_condition(
    index: int, conditions: Conditions, ours: RadexLines, against: RadexLines, match: LineMatch
) -> list[LineComparison]:
    """Return the comparison of each pair of matched lines under one set of conditions."""
    strongest = max(np.abs(ours.flux_k_km_s).max(), np.abs(against.flux_k_km_s).max())
    differences = np.abs(_populations(ours, match, 0) - _populations(against, match, 1)).max(axis=0)
    return [
        _compare_line(index, conditions, ours, against, pair, float(strongest), float(difference))
        for pair, difference in zip(match.pairs, differences, strict=True)
    ]


def relative_population_difference(ours: RadexLines, against: RadexLines, match: LineMatch) -> float:
    """Return the largest relative difference of a population of at least `POPULATION_FLOOR`."""
    reference = _populations(against, match, 1)
    difference = np.abs(_populations(ours, match, 0) - reference)
    counted = reference >= POPULATION_FLOOR
    return float((difference[counted] / reference[counted]).max(initial=0.0))


def _populations(lines: RadexLines, match: LineMatch, file: int) -> FloatArray:
    """Return the populations of the upper and lower level of each matched line, shape (2, n)."""
    rows = [pair[file] for pair in match.pairs]
    return np.array([lines.population_upper[rows], lines.population_lower[rows]], dtype=np.float64)


def _compare_line(
    index: int,
    conditions: Conditions,
    ours: RadexLines,
    against: RadexLines,
    pair: tuple[int, int],
    strongest: float,
    population_difference: float,
) -> LineComparison:
    i, j = pair
    a, b = float(ours.flux_k_km_s[i]), float(against.flux_k_km_s[j])
    kind = _kind(a, b, FLUX_FLOOR * strongest)
    tex, tex_against = float(ours.excitation_temperature_k[i]), float(against.excitation_temperature_k[j])
    tau, tau_against = float(ours.optical_depth[i]), float(against.optical_depth[j])
    return LineComparison(
        condition=index,
        temperature_k=conditions.temperature_k,
        density_cm3=conditions.density_cm3,
        upper=ours.upper[i],
        lower=ours.lower[i],
        frequency_ghz=float(ours.frequency_ghz[i]),
        excitation_temperature_k=tex,
        excitation_temperature_against_k=tex_against,
        optical_depth=tau,
        optical_depth_against=tau_against,
        flux_k_km_s=a,
        flux_against_k_km_s=b,
        kind=kind,
        flux_ratio=max(a / b, b / a) if kind == "emission" else None,
        flux_difference=abs(a - b) / strongest if strongest > 0.0 else 0.0,
        population_upper=float(ours.population_upper[i]),
        population_upper_against=float(against.population_upper[j]),
        population_difference=population_difference,
        upper_energy_k=float(ours.upper_energy_k[i]),
        relative_flux=max(abs(a), abs(b)) / strongest if strongest > 0.0 else 0.0,
        excitation_temperature_difference=(
            _tex_difference(tex, tex_against, conditions.temperature_k) if kind == "emission" else None
        ),
        optical_depth_difference=abs(tau - tau_against) / max(1.0, abs(tau), abs(tau_against)),
    )


def _kind(a: float, b: float, floor: float) -> str:
    if max(abs(a), abs(b)) < floor or a == b == 0.0:
        return "below_floor"
    return "emission" if a > 0.0 and b > 0.0 else "absorption"


def _tex_difference(a: float, b: float, temperature_k: float) -> float | None:
    """Return how far two excitation temperatures differ, 0 to 1; None where one is of an inverted line."""
    if not (a > 0.0 and b > 0.0):
        return None
    return abs(1.0 / a - 1.0 / b) / max(1.0 / a, 1.0 / b, 1.0 / temperature_k)
