"""What the uncertainty of predicted rates does to lines: RADEX on joint samples of the rates."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError, UsageError
from ratedb.io.lamda import render_lamda
from ratedb.layers import Kind
from ratedb.levels import Transitions
from ratedb.models.sampling import sampled_deviations
from ratedb.physics.temperatures import interpolation
from ratedb.radiative.drivers import Responses, tamed
from ratedb.radiative.grid import GridAxes, default_grid, temperatures_left_out
from ratedb.radiative.radex import Conditions, RadexLines, run_radex, run_radex_each
from ratedb.radiative.verify import FLUX_FLOOR
from ratedb.rates import Rates
from ratedb.verbs.rendering import complete, molecule_file
from ratedb.verbs.taking import ExportOptions, Taken, take
from ratedb.models.storage import from_stored

AXES = GridAxes((10.0, 20.0, 40.0, 70.0, 100.0, 200.0, 300.0), (1e2, 1e3, 1e4, 1e5, 1e6, 1e7))
"""The default grid: cold cores to hot ones, from hardly any collisions to thermal equilibrium."""

_FEWEST_SAMPLES = 20
_NAMED = 10
_AT_ONCE = 10  # samples in one process, whose start takes as long as some fifty conditions


@dataclass(frozen=True)
class ImpactOptions:
    """How to ask: how many samples, the grid of conditions that RADEX runs under, and which lines.

    `lines` are names such as `1-0`, all where empty, between two frequencies in GHz.
    """

    samples: int = 200
    axes: GridAxes = AXES
    j_max: int | None = None
    seed: int = 0
    lines: tuple[str, ...] = ()
    frequency_ghz: tuple[float, float] = (0.0, float("inf"))

    def check(self) -> None:
        """Raise UsageError for too few samples or an impossible seed."""
        if self.seed < 0:
            raise UsageError("the seed makes no sense", expected="0 or more", got=str(self.seed))
        if self.samples < _FEWEST_SAMPLES:
            raise UsageError(
                "too few samples for a 95 % interval",
                expected=f"{_FEWEST_SAMPLES} or more",
                got=str(self.samples),
            )


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


@dataclass(frozen=True)
class Driver:
    """A transition and its share of the variance of the logarithm of all line fluxes.

    Shares of transitions that are uncertain together overlap: they need not add up to one.
    """

    system: str
    name: str
    share: float


@dataclass(frozen=True)
class JImpact:
    """An initial j, the share of the lines' variance that all its transitions explain, and what it brings.

    `uncertainty_after` is what 95 of 100 lines and conditions would stay below if this j were computed.
    """

    system: str
    j: int
    share: float
    uncertainty_after: float


@dataclass(frozen=True)
class Impact:
    """What predicted rates do to lines; those weaker than 1e-6 of the strongest are left out.

    Half of the lines and conditions are certain to `uncertainty_median`, 95 of 100 to `uncertainty_p95`
    (half the 95 % interval over the median flux). `next_j` begins with the j that explains most of it;
    `model_ids` made the predictions.
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
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        conditions = [asdict(one) | {"density_cm3": dict(one.density_cm3)} for one in self.conditions]
        return asdict(replace(self, conditions=())) | {"conditions": conditions}


def impact_of(
    db: Path,
    systems: Sequence[str],
    options: ImpactOptions | None = None,
    *,
    report: Callable[[str], None] = lambda text: None,
) -> Impact:
    """Draw joint samples of the predicted rates and run RADEX on each, through the same writer as an export.

    Raises UsageError for too few samples, RatedbError where nothing is predicted, a model gives no joint
    samples, RADEX is not there, or it fails for the rates as exported.
    """
    options = options or ImpactOptions()
    options.check()
    export = ExportOptions(j_max=options.j_max)
    report("reading the store")
    taken = take(db, systems, export)
    tables, warnings = complete(taken.tables)
    report("drawing samples")
    draw = np.random.default_rng(options.seed)  # one for all: equal streams would make systems go together
    deviations = [_deviations(table, options.samples, draw) for table in tables]
    if not any(one.any() for one in deviations):
        raise RatedbError(
            "nothing of these systems is predicted",
            where=" ".join(systems),
            expected="rates of `ratedb fill`, whose uncertainty could change lines",
            todo="computed rates have no interval here; `ratedb verify` compares two files",
        )
    grid, left_out = _grid(tables, options.axes)
    with tempfile.TemporaryDirectory(prefix="ratedb-impact-") as name:
        folder = Path(name)
        _write(folder / "exported.dat", tables, taken, export)
        exported = run_radex(folder / "exported.dat", grid)
        wanted = _wanted_lines(exported[0], options)
        run = partial(_samples, folder, tables, deviations, taken, export, grid)
        runs = _all_samples(run, options.samples, report)
    good = [number for number, lines in enumerate(runs) if lines is not None]
    if len(good) < _FEWEST_SAMPLES:
        raise RatedbError(
            "RADEX failed for nearly all samples",
            expected=f"{_FEWEST_SAMPLES} samples that converge",
            got=f"{len(good)} of {options.samples}",
            todo="choose conditions with lower columns",
        )
    flux, tex = _stacked([lines for lines in runs if lines is not None])
    lines, bright = _line_impacts(exported, flux, tex, wanted)
    uncertainty = np.array([line.uncertainty for line in lines])
    at_condition, at_line = np.array(bright, dtype=np.int64).T
    drivers, next_j = _drivers(
        tables, [one[good] for one in deviations], flux[:, at_condition, at_line], uncertainty
    )
    return Impact(
        tuple(systems),
        len(good),
        grid,
        lines,
        float(np.median(uncertainty)),
        _p95(uncertainty),
        drivers,
        next_j,
        _models_in(tables),
        options.samples - len(good),
        (
            *(warning["detail"] for warning in warnings),
            *left_out,
            *_cut(tables, options),
            *_too_faint(options, lines, len(grid)),
        ),
    )


def _models_in(tables: list[Rates]) -> tuple[int, ...]:
    return tuple(sorted({number for table in tables for number in table.models}))


def _cut(tables: list[Rates], options: ImpactOptions) -> list[str]:
    """Return a sentence where levels are cut off, which changes lines by itself."""
    _, j = tables[0].levels.need_vj()
    if options.j_max is None or options.j_max >= j.max():
        return []
    return [
        f"levels above j = {options.j_max} are cut off: lines of the highest levels that are left change for"
        " that alone where it is hot, which no interval here covers"
    ]


def _too_faint(options: ImpactOptions, lines: tuple[LineImpact, ...], conditions: int) -> list[str]:
    """Return a sentence for each line asked for that is too faint under some conditions."""
    shining = [f"{line.upper}-{line.lower}" for line in lines]
    return [
        f"{name} is too faint under {conditions - shining.count(name)} of {conditions} conditions"
        for name in options.lines
        if shining.count(name) < conditions
    ]


def _grid(tables: list[Rates], axes: GridAxes) -> tuple[tuple[Conditions, ...], list[str]]:
    """Return the conditions, and a sentence for each temperature that was asked for and is not in them."""
    limits = {
        table.collider: (float(table.temperature_k[0]), float(table.temperature_k[-1])) for table in tables
    }
    grid = default_grid(list(limits), limits, axes)
    return grid, temperatures_left_out(grid, axes, limits)


def _deviations(stored: Rates, samples: int, draw: np.random.Generator) -> FloatArray:
    """Return how far samples lie from the rates of a table, (samples, n, m), in dex; 0 if not predicted."""
    rates = stored
    result = np.zeros((samples, len(rates), len(rates.temperature_k)))
    predicted = stored.kind_code == Kind.PREDICTED
    model_of = {number: row["model_id"] for number, row in stored.sources.items()}
    model_id = np.vectorize(lambda source: model_of.get(int(source)) or 0)(stored.source_id)
    for number in np.unique(model_id[predicted]).tolist():
        mine = predicted & (model_id == number)
        rows = np.flatnonzero(mine.any(axis=1))
        predictor = from_stored(stored.models[number].state, stored.models[number].arrays)
        wanted = Transitions(rates.levels, rates.upper[rows], rates.lower[rows])
        onto = interpolation(
            predictor.temperature_k,
            np.clip(rates.temperature_k, predictor.temperature_k[0], predictor.temperature_k[-1]),
        )
        drawn = sampled_deviations(predictor, wanted, samples, draw) @ onto.T
        result[:, rows] = np.where(mine[rows], drawn, result[:, rows])
    return result


def _all_samples(
    run: Callable[[range], list[list[RadexLines] | None]], count: int, report: Callable[[str], None]
) -> list[list[RadexLines] | None]:
    """Return what `run` gives for each number, on all cores."""
    runs: list[list[RadexLines] | None] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [
            pool.submit(run, range(first, min(first + _AT_ONCE, count)))
            for first in range(0, count, _AT_ONCE)
        ]
        try:
            for one in running:
                runs += one.result()
                report(f"running RADEX: sample {len(runs)} of {count}")
        except BaseException:  # Ctrl-C too: what has not begun need not
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return runs


def _samples(
    folder: Path,
    tables: list[Rates],
    deviations: list[FloatArray],
    taken: Taken,
    export: ExportOptions,
    grid: tuple[Conditions, ...],
    numbers: range,
) -> list[list[RadexLines] | None]:
    """Return RADEX on samples, None for one that does not converge."""
    paths = [folder / f"{number}.dat" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        _write(path, _shifted(tables, deviations, number), taken, export)
    outcomes = run_radex_each(paths, grid)
    for path in paths:
        path.unlink()
    return [None if isinstance(outcome, RatedbError) else outcome for outcome in outcomes]


def _shifted(tables: list[Rates], deviations: list[FloatArray], number: int) -> list[Rates]:
    return [
        replace(table, rate_cm3_s=table.rate_cm3_s * 10.0 ** deviation[number])
        for table, deviation in zip(tables, deviations, strict=True)
    ]


def _write(path: Path, tables: list[Rates], taken: Taken, export: ExportOptions) -> None:
    file = molecule_file(tables, taken.lines, export)
    path.write_text(render_lamda(file).text, encoding="ascii")


def _stacked(runs: list[list[RadexLines]]) -> tuple[FloatArray, FloatArray]:
    """Return fluxes and excitation temperatures, shape (samples, conditions, lines) each."""
    flux = np.array([[lines.flux_k_km_s for lines in run] for run in runs])
    tex = np.array([[lines.excitation_temperature_k for lines in run] for run in runs])
    return flux, tex


def _line_impacts(
    exported: list[RadexLines], flux: FloatArray, tex: FloatArray, wanted: BoolArray
) -> tuple[tuple[LineImpact, ...], list[tuple[int, int]]]:
    """Return the lines asked for that shine as exported and in the median, and where they stand in `flux`.

    Raises RatedbError where there is none.
    """
    found, places = [], []
    for condition, lines in enumerate(exported):
        strongest = np.abs(lines.flux_k_km_s).max()
        floor = FLUX_FLOOR * strongest
        for at in np.flatnonzero(wanted & (lines.flux_k_km_s > floor)):
            values, temperatures = flux[:, condition, at], tex[:, condition, at]
            low95, low68, middle, high68, high95 = np.quantile(values, _QUANTILES)
            tex_95, tex_68, tex_middle, tex_68_high, tex_95_high = np.quantile(temperatures, _QUANTILES)
            if middle <= floor:
                continue
            places.append((condition, int(at)))
            found.append(
                LineImpact(
                    condition,
                    lines.upper[at],
                    lines.lower[at],
                    float(lines.frequency_ghz[at]),
                    float(lines.flux_k_km_s[at]),
                    float(middle),
                    (float(low68), float(high68)),
                    (float(low95), float(high95)),
                    float(lines.excitation_temperature_k[at]),
                    float(tex_middle),
                    (float(tex_68), float(tex_68_high)),
                    (float(tex_95), float(tex_95_high)),
                    float(0.5 * (high95 - low95) / middle),
                    float(lines.upper_energy_k[at]),
                    float(lines.flux_k_km_s[at] / strongest),
                )
            )
    if not found:
        raise RatedbError(
            "none of the lines shines under any of the conditions",
            expected=f"a line above {FLUX_FLOOR:g} of the strongest",
            todo="name other conditions or lines",
        )
    return tuple(found), places


def _wanted_lines(lines: RadexLines, options: ImpactOptions) -> BoolArray:
    names = [f"{upper}-{lower}" for upper, lower in zip(lines.upper, lines.lower, strict=True)]
    absent = [name for name in options.lines if name not in names]
    if absent:
        raise RatedbError(
            "there is no such line",
            expected=f"names such as {', '.join(names[:3])}",
            got=", ".join(absent),
            todo="name levels as the exported file labels them; --j-max may have cut them",
        )
    low, high = options.frequency_ghz
    band = (lines.frequency_ghz >= low) & (lines.frequency_ghz <= high)
    if not band.any():
        span = f"{lines.frequency_ghz.min():g} to {lines.frequency_ghz.max():g} GHz"
        raise RatedbError("no line in this band", expected=f"lines from {span}", got=f"{low:g}:{high:g} GHz")
    wanted = band & np.array([not options.lines or name in options.lines for name in names], dtype=np.bool_)
    if not wanted.any():
        raise RatedbError(
            "none of the lines asked for is in this band",
            expected=f"lines between {low:g} and {high:g} GHz",
            got=", ".join(options.lines),
        )
    return wanted


_QUANTILES = (0.025, 0.15865, 0.5, 0.84135, 0.975)


def _drivers(
    tables: list[Rates], deviations: list[FloatArray], flux: FloatArray, uncertainty: FloatArray
) -> tuple[tuple[Driver, ...], tuple[JImpact, ...]]:
    """Return the transitions and the initial j that explain most of the variance of the lines' ln flux.

    `flux`, shape (samples, lines), and `uncertainty`, shape (lines,), are of the lines that were asked for.
    """
    responses = Responses.of(flux)
    drivers, each_j = [], []
    for table, deviation in zip(tables, deviations, strict=True):
        rates = table
        _, j = rates.levels.need_vj()
        uncertain = np.flatnonzero(deviation.any(axis=(0, 2)))
        if not len(uncertain):
            continue
        of_row = tamed(deviation[:, uncertain].mean(axis=2))
        for row, share in zip(uncertain, responses.share_of_each(of_row), strict=True):
            drivers.append(Driver(rates.system, rates.transition_name(int(row)), float(share)))
        initial = j[rates.upper[uncertain]]
        for one in np.unique(initial).tolist():
            explained = responses.explained_together(of_row[:, initial == one])
            left = _p95(uncertainty * np.sqrt(1.0 - explained))
            each_j.append(JImpact(rates.system, int(one), responses.mean_share(explained), left))
    return (
        tuple(sorted(drivers, key=lambda one: -one.share)[:_NAMED]),
        tuple(sorted(each_j, key=lambda one: -one.share)),
    )


def _p95(values: FloatArray) -> float:
    return float(np.quantile(values, 0.95))
