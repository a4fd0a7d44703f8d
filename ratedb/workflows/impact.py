"""What the uncertainty of predicted rates does to lines: RADEX on joint samples of the rates."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.formats.lamda import render_lamda
from ratedb.models.features import Transitions
from ratedb.models.sampling import sampled_deviations
from ratedb.models.temperatures import interpolation
from ratedb.radiative.grid import GridAxes, default_grid
from ratedb.radiative.radex import Conditions, RadexLines, run_radex
from ratedb.radiative.verify import FLUX_FLOOR
from ratedb.store.rates import KINDS, StoredRates
from ratedb.tables import FloatArray
from ratedb.workflows.exporting import ExportOptions, Taken, complete, molecule_file, take
from ratedb.workflows.training import load_model

AXES = GridAxes((10.0, 20.0, 40.0, 70.0, 100.0, 200.0, 300.0), (1e2, 1e3, 1e4, 1e5, 1e6, 1e7))
"""The default grid: cold cores to hot ones, from hardly any collisions to thermal equilibrium."""

_FEWEST_SAMPLES = 20
_NAMED = 10


@dataclass(frozen=True)
class ImpactOptions:
    """How to ask: how many samples, and the grid of conditions that RADEX runs under."""

    samples: int = 200
    axes: GridAxes = AXES
    j_max: int | None = None
    seed: int = 0

    def check(self) -> None:
        """Raise UsageError for too few samples."""
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
    the median flux. `upper_energy_k` is above the lowest level."""

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


@dataclass(frozen=True)
class Driver:
    """A transition, or an initial j, and its share of the variance of the logarithm of all line fluxes.

    Shares of transitions that are uncertain together overlap: they need not add up to one.
    """

    system: str
    name: str
    share: float


@dataclass(frozen=True)
class Impact:
    """What predicted rates do to lines; those weaker than 1e-6 of the strongest are left out."""

    systems: tuple[str, ...]
    samples: int
    conditions: tuple[Conditions, ...]
    lines: tuple[LineImpact, ...]
    drivers: tuple[Driver, ...]
    next_j: tuple[Driver, ...]
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
    deviations = [_deviations(table, taken, options) for table in tables]
    if not any(one.any() for one in deviations):
        raise RatedbError(
            "nothing of these systems is predicted",
            where=" ".join(systems),
            expected="rates of `ratedb fill`, whose uncertainty could change lines",
            todo="computed rates have no interval here; `ratedb verify` compares two files",
        )
    grid = _grid(tables, options)
    with tempfile.TemporaryDirectory(prefix="ratedb-impact-") as name:
        folder = Path(name)
        exported = _run(folder / "exported.dat", tables, taken, export, grid)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            running = [
                pool.submit(
                    _sample, folder / f"{number}.dat", tables, deviations, number, taken, export, grid
                )
                for number in range(options.samples)
            ]
            runs = []
            try:
                for number, one in enumerate(running, start=1):
                    runs.append(one.result())
                    report(f"running RADEX: sample {number} of {options.samples}")
            except BaseException:  # Ctrl-C too: what has not begun need not
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    good = [number for number, lines in enumerate(runs) if lines is not None]
    if len(good) < _FEWEST_SAMPLES:
        raise RatedbError(
            "RADEX failed for nearly all samples",
            expected=f"{_FEWEST_SAMPLES} samples that converge",
            got=f"{len(good)} of {options.samples}",
            todo="choose conditions with lower columns",
        )
    flux, tex = _stacked([lines for lines in runs if lines is not None])
    lines, bright = _line_impacts(exported, flux, tex)
    deviations = [one[good] for one in deviations]
    drivers, next_j = _drivers(tables, deviations, flux, bright)
    return Impact(
        tuple(systems),
        len(good),
        grid,
        lines,
        drivers,
        next_j,
        options.samples - len(good),
        tuple(warning["detail"] for warning in warnings),
    )


def _grid(tables: list[StoredRates], options: ImpactOptions) -> tuple[Conditions, ...]:
    limits = {
        table.rates.collider: (float(table.rates.temperature_k[0]), float(table.rates.temperature_k[-1]))
        for table in tables
    }
    return default_grid([table.rates.collider for table in tables], limits, options.axes)


def _deviations(stored: StoredRates, taken: Taken, options: ImpactOptions) -> FloatArray:
    """Return how far samples lie from the rates of a table, (samples, n, m), in dex; 0 if not predicted."""
    rates = stored.rates
    result = np.zeros((options.samples, len(rates), len(rates.temperature_k)))
    predicted = stored.kind == KINDS.index("predicted")
    model_of = {number: row["model_id"] for number, row in taken.sources.items()}
    model_id = np.vectorize(lambda source: model_of.get(int(source)) or 0)(stored.source_id)
    draw = np.random.default_rng(options.seed)
    for number in np.unique(model_id[predicted]).tolist():
        mine = predicted & (model_id == number)
        rows = np.flatnonzero(mine.any(axis=1))
        predictor = load_model(taken.models[number])
        wanted = Transitions(rates.levels, rates.upper[rows], rates.lower[rows])
        onto = interpolation(
            predictor.temperature_k,
            np.clip(rates.temperature_k, predictor.temperature_k[0], predictor.temperature_k[-1]),
        )
        drawn = sampled_deviations(predictor, wanted, options.samples, draw) @ onto.T
        result[:, rows] = np.where(mine[rows], drawn, result[:, rows])
    return result


def _sample(
    path: Path,
    tables: list[StoredRates],
    deviations: list[FloatArray],
    number: int,
    taken: Taken,
    export: ExportOptions,
    grid: tuple[Conditions, ...],
) -> list[RadexLines] | None:
    """Return RADEX on one sample, None where it does not converge."""
    shifted = [
        replace(
            table,
            rates=replace(table.rates, rate_cm3_s=table.rates.rate_cm3_s * 10.0 ** deviation[number]),
        )
        for table, deviation in zip(tables, deviations, strict=True)
    ]
    try:
        return _run(path, shifted, taken, export, grid)
    except RatedbError as error:
        if "RADEX failed for" in error.what:
            return None
        raise
    finally:
        path.unlink(missing_ok=True)


def _run(
    path: Path,
    tables: list[StoredRates],
    taken: Taken,
    export: ExportOptions,
    grid: tuple[Conditions, ...],
) -> list[RadexLines]:
    file = molecule_file(tables, taken.lines, taken.sources, taken.models, export)
    path.write_text(render_lamda(file).text, encoding="ascii")
    return run_radex(path, grid)


def _stacked(runs: list[list[RadexLines]]) -> tuple[FloatArray, FloatArray]:
    """Return fluxes and excitation temperatures, shape (samples, conditions, lines) each."""
    flux = np.array([[lines.flux_k_km_s for lines in run] for run in runs])
    tex = np.array([[lines.excitation_temperature_k for lines in run] for run in runs])
    return flux, tex


def _line_impacts(
    exported: list[RadexLines], flux: FloatArray, tex: FloatArray
) -> tuple[tuple[LineImpact, ...], list[tuple[int, int]]]:
    """Return the lines that shine as exported and in the median, and where they stand in `flux`."""
    found, places = [], []
    for condition, lines in enumerate(exported):
        floor = FLUX_FLOOR * np.abs(lines.flux_k_km_s).max()
        for at in np.flatnonzero(lines.flux_k_km_s > floor):
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
                )
            )
    return tuple(found), places


_QUANTILES = (0.025, 0.15865, 0.5, 0.84135, 0.975)


def _drivers(
    tables: list[StoredRates],
    deviations: list[FloatArray],
    flux: FloatArray,
    bright: list[tuple[int, int]],
) -> tuple[tuple[Driver, ...], tuple[Driver, ...]]:
    """Return the transitions and the initial j that explain most of the variance of the lines' ln flux."""
    places = np.array(bright, dtype=np.int64).reshape(-1, 2).T
    response = _tamed(np.log(np.maximum(flux[:, places[0], places[1]], np.finfo(float).tiny)))
    drivers, next_j = [], []
    for table, deviation in zip(tables, deviations, strict=True):
        rates = table.rates
        _, j = rates.levels.need_vj()
        uncertain = np.flatnonzero(deviation.any(axis=(0, 2)))
        if not len(uncertain):
            continue
        of_row = _tamed(deviation[:, uncertain].mean(axis=2))
        for row, share in zip(uncertain, _shares(of_row, response), strict=True):
            drivers.append(Driver(rates.system, rates.transition_name(int(row)), float(share)))
        initial = j[rates.upper[uncertain]]
        each = np.unique(initial)
        for one in each:
            share = _share_together(of_row[:, initial == one], response)
            next_j.append(Driver(rates.system, str(int(one)), share))
    return _ranked(drivers)[:_NAMED], _ranked(next_j)


def _tamed(values: FloatArray) -> FloatArray:
    """Return samples (s, n) without their far tails, which a few draws of Student's t would rule by."""
    centre = np.median(values, axis=0)
    reach = 3.0 * 1.4826 * np.median(np.abs(values - centre), axis=0)
    return np.asarray(np.clip(values, centre - reach, centre + reach))


def _shares(causes: FloatArray, response: FloatArray) -> FloatArray:
    """Return the share of the variance of all responses (s, l) that each cause (s, n) explains alone, (n,).

    The square of the correlation, less what chance gives, weighted by the variance of each response.
    """
    count = len(causes)
    x = causes - causes.mean(axis=0)
    y = response - response.mean(axis=0)
    size = np.sqrt((x**2).sum(axis=0))[:, None] * np.sqrt((y**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.where(size > 0, (x.T @ y / size) ** 2, 0.0)
    adjusted = np.maximum(square - (1.0 - square) / (count - 2), 0.0)
    weight = y.var(axis=0)
    total = weight.sum()
    return np.asarray(adjusted @ weight / total if total > 0 else np.zeros(x.shape[1]))


def _share_together(causes: FloatArray, response: FloatArray) -> float:
    """Return the share of the variance of all responses (s, l) that causes (s, n) explain together.

    The adjusted R^2 of a regression on their principal components, a fifth as many as samples at most.
    """
    count = len(causes)
    vectors, size, _ = np.linalg.svd(causes - causes.mean(axis=0), full_matrices=False)
    used = int(min((size > 1e-6 * max(size[0], 1e-300)).sum(), count // 5))
    y = response - response.mean(axis=0)
    weight = y.var(axis=0)
    if not weight.sum() > 0:
        return 0.0
    explained = (vectors[:, :used].T @ y) ** 2
    part = explained.sum() / (y**2).sum()
    return float(max(1.0 - (1.0 - part) * (count - 1) / (count - used - 1), 0.0))


def _ranked(found: list[Driver]) -> tuple[Driver, ...]:
    return tuple(sorted(found, key=lambda one: -one.share))
