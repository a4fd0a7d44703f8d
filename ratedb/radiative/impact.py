"""What the uncertainty of predicted rates does to lines: a solver on joint samples of the rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError, UsageError
from ratedb.io.rendering import complete
from ratedb.levels import Lines
from ratedb.options import ImpactOptions, Progress, silent
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.drivers import Driver, JImpact, find_drivers, p95
from ratedb.radiative.grid import grid_of, temperatures_left_out
from ratedb.radiative.line_comparison import FLUX_FLOOR
from ratedb.radiative.line_names import NamedLines, check_ghz
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.sampled_lines import SampledFiles, draw_deviations
from ratedb.radiative.solving import chosen_solver
from ratedb.rates import Rates
from ratedb.results import Result
from ratedb.temporary import temporary_folder

TEMPERATURES_K = (10.0, 20.0, 40.0, 70.0, 100.0, 200.0, 300.0)
"""The default temperatures, from cold cores to hot ones."""

_FEWEST_SAMPLES = 20
_QUANTILES = (0.025, 0.15865, 0.5, 0.84135, 0.975)


@dataclass(frozen=True)
class LineImpact:
    """One line under one set of conditions: its flux (K km/s) and excitation temperature (K) as exported, and
    the median and the 68 and 95 % intervals over the samples. `uncertainty` is half the 95 % interval over
    the median flux. `upper_energy_k` is above the lowest level; `relative_flux` is over the strongest of all
    lines of the condition."""

    condition: int
    upper: str
    lower: str
    frequency_ghz: float
    flux: float
    flux_median: float
    flux_68: tuple[float, float]
    flux_95: tuple[float, float]
    tex_k: float
    tex_median_k: float
    tex_68_k: tuple[float, float]
    tex_95_k: tuple[float, float]
    uncertainty: float
    upper_energy_k: float
    relative_flux: float


@dataclass(frozen=True, repr=False)
class Impact(Result):
    """The effect of predicted rates on lines; those weaker than 1e-6 of the strongest are left out.

    Half of the lines and conditions are uncertain by less than `uncertainty_median`, 95 of 100 by less than
    `uncertainty_p95` (half the 95 % interval over the median flux). `next_j` begins with the j that explains
    most of it; `model_ids` made the predictions.
    """

    systems: tuple[str, ...]
    samples: int
    conditions: tuple[Conditions, ...]
    lines: tuple[LineImpact, ...]
    uncertainty_median: float
    uncertainty_p95: float
    drivers: tuple[Driver, ...]
    next_j: tuple[JImpact, ...]
    model_ids: tuple[int, ...]
    failed_samples: int
    solver: str = "radex"
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return in a few words what was found."""
        return (
            f"{' '.join(self.systems)}, {len(self.lines)} lines and conditions, half within"
            f" {self.uncertainty_median:.2%}, 95 % within {self.uncertainty_p95:.2%}"
        )


def check_options(options: ImpactOptions) -> None:
    """Raise UsageError for too few samples, an invalid seed or band."""
    check_ghz(options.ghz)
    if options.seed < 0:
        raise UsageError("invalid seed", expected="0 or more", got=str(options.seed))
    if options.samples < _FEWEST_SAMPLES:
        raise UsageError(
            "too few samples for a 95 % interval",
            expected=f"{_FEWEST_SAMPLES} or more",
            got=str(options.samples),
        )


def impact_of(
    tables: Sequence[Rates],
    lines: Lines,
    options: ImpactOptions,
    progress: Progress = silent,
) -> Impact:
    """Draw joint samples of the predicted rates of one molecule and solve for the lines of each.

    Raises UsageError for too few samples, RatedbError where the molecule has no lines, nothing is predicted,
    a model gives no joint samples, or the solver is not installed or fails.
    """
    check_options(options)
    solver = chosen_solver(options.solver)
    _need_lines(tables, lines)
    tables, incomplete = complete(tables)
    progress("drawing samples")
    deviations = _drawn(tables, options)
    grid, left_out = _grid(tables, options)
    with temporary_folder() as folder:
        files = SampledFiles(folder, tables, lines, deviations, options.j_max, solver)
        exported = files.exported(grid)
        names = _named(tables[0], exported[0])
        wanted = names.chosen(options.lines, options.ghz)
        runs = files.sampled(grid, progress)
    good = _converged(runs)
    flux = np.array([[one.flux_k_km_s for one in runs[number]] for number in good])
    tex = np.array([[one.excitation_temperature_k for one in runs[number]] for number in good])
    found, places = _line_impacts(exported, flux, tex, wanted)
    uncertainty = np.array([line.uncertainty for line in found])
    of_lines = flux[:, *np.array(places, dtype=np.int64).T]
    drivers, next_j = find_drivers(tables, [one[good] for one in deviations], of_lines, uncertainty)
    return Impact(
        systems=tuple(table.system for table in tables),
        samples=len(good),
        conditions=grid,
        lines=found,
        uncertainty_median=float(np.median(uncertainty)),
        uncertainty_p95=p95(uncertainty),
        drivers=drivers,
        next_j=next_j,
        model_ids=tuple(sorted({number for table in tables for number in table.models})),
        failed_samples=options.samples - len(good),
        solver=solver,
        warnings=(
            *(warning.detail for warning in incomplete),
            *left_out,
            *_cut(tables, options),
            *_too_faint(names, options, found, len(grid)),
        ),
    )


def _need_lines(tables: Sequence[Rates], lines: Lines) -> None:
    if not len(lines):
        molecule = tables[0].levels.molecule
        raise RatedbError(
            f"the store has no lines of {molecule}",
            where=" ".join(table.system for table in tables),
            expected="radiative lines, whose fluxes the rates could change",
            todo=f"import a LAMDA file of {molecule}, or its rates with a list of Einstein A as --levels too",
        )


def _drawn(tables: Sequence[Rates], options: ImpactOptions) -> list[FloatArray]:
    """Return the deviations of the samples of each table; raises RatedbError where nothing is predicted."""
    draw = np.random.default_rng(options.seed)  # one for all: equal streams would correlate the systems
    deviations = [draw_deviations(table, options.samples, draw) for table in tables]
    if not any(one.any() for one in deviations):
        raise RatedbError(
            "nothing of these systems is predicted",
            where=" ".join(table.system for table in tables),
            expected="rates of `ratedb fill`, whose uncertainty could change lines",
            todo="computed rates have no interval here; `ratedb verify` compares two files",
        )
    return deviations


def _converged(runs: Sequence[list[RadexLines]]) -> list[int]:
    """Return the samples for which the solver converged; raises RatedbError where they are too few."""
    good = [number for number, run in enumerate(runs) if run]
    if len(good) < _FEWEST_SAMPLES:
        raise RatedbError(
            "the solver failed for nearly all samples",
            expected=f"{_FEWEST_SAMPLES} samples that converge",
            got=f"{len(good)} of {len(runs)}",
            todo="choose conditions with lower columns",
        )
    return good


def _grid(tables: Sequence[Rates], options: ImpactOptions) -> tuple[tuple[Conditions, ...], list[str]]:
    """Return the conditions, and a sentence for each temperature that was chosen and is not among them."""
    limits = {
        table.collider: (float(table.temperature_k[0]), float(table.temperature_k[-1])) for table in tables
    }
    grid = grid_of(options, limits, limits, TEMPERATURES_K)
    return grid, temperatures_left_out(options, grid, limits)


def _cut(tables: Sequence[Rates], options: ImpactOptions) -> list[str]:
    """Return a sentence where levels are cut off, which changes lines by itself."""
    if options.j_max is None or options.j_max >= tables[0].levels.need_j().max():
        return []
    return [
        f"levels above j = {options.j_max} are cut off: this alone changes lines of the highest levels left,"
        " where it is hot, and no interval here covers it"
    ]


def _too_faint(
    names: NamedLines, options: ImpactOptions, lines: Sequence[LineImpact], conditions: int
) -> list[str]:
    """Return a sentence for each chosen line that is too faint under some conditions."""
    bright = [f"{line.upper}-{line.lower}" for line in lines]
    chosen = [names.names()[names.row_of(name)] for name in options.lines]
    return [
        f"{name} is too faint under {conditions - bright.count(name)} of {conditions} conditions"
        for name in chosen
        if bright.count(name) < conditions
    ]


def _named(rates: Rates, lines: RadexLines) -> NamedLines:
    return NamedLines(rates.levels.molecule, lines.upper, lines.lower, lines.frequency_ghz)


def _line_impacts(
    exported: Sequence[RadexLines], flux: FloatArray, tex: FloatArray, wanted: BoolArray
) -> tuple[tuple[LineImpact, ...], list[tuple[int, int]]]:
    """Return the wanted lines that are bright enough as exported and in the median, and their places.

    Raises RatedbError where there is none.
    """
    found, places = [], []
    for condition, lines in enumerate(exported):
        strongest = float(np.abs(lines.flux_k_km_s).max())
        floor = FLUX_FLOOR * strongest
        for at in np.flatnonzero(wanted & (lines.flux_k_km_s > floor)).tolist():
            samples = flux[:, condition, at], tex[:, condition, at]
            if np.median(samples[0]) > floor:
                places.append((condition, at))
                found.append(_line_impact(condition, lines, at, *samples, strongest))
    if not found:
        raise RatedbError(
            "none of the lines is bright enough under any of the conditions",
            expected=f"a line above {FLUX_FLOOR:g} of the strongest",
            todo="choose other conditions or lines",
        )
    return tuple(found), places


def _line_impact(
    condition: int, lines: RadexLines, at: int, flux: FloatArray, tex: FloatArray, strongest: float
) -> LineImpact:
    low95, low68, middle, high68, high95 = np.quantile(flux, _QUANTILES).tolist()
    tex_low95, tex_low68, tex_middle, tex_high68, tex_high95 = np.quantile(tex, _QUANTILES).tolist()
    return LineImpact(
        condition=condition,
        upper=lines.upper[at],
        lower=lines.lower[at],
        frequency_ghz=float(lines.frequency_ghz[at]),
        flux=float(lines.flux_k_km_s[at]),
        flux_median=middle,
        flux_68=(low68, high68),
        flux_95=(low95, high95),
        tex_k=float(lines.excitation_temperature_k[at]),
        tex_median_k=tex_middle,
        tex_68_k=(tex_low68, tex_high68),
        tex_95_k=(tex_low95, tex_high95),
        uncertainty=0.5 * (high95 - low95) / middle,
        upper_energy_k=float(lines.upper_energy_k[at]),
        relative_flux=float(lines.flux_k_km_s[at]) / strongest,
    )
