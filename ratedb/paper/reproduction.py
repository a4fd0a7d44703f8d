"""The paper's tables I-V and figures 3 and 4, for any system that is known for every j.

Mihalik et al. (2025), J. Chem. Phys. 162, 024116: the best set of each size, its best single and composite
kernel by validation error, what they predict, and what they save.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError, UsageError
from ratedb.files import write_atomically
from ratedb.models import basis
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.search import SearchRequest, search
from ratedb.models.training_set import complete_curves
from ratedb.paper.printed import COLUMNS, EXPONENT, GIVEN, HOURS_SHARED, SYSTEM, TARGET, V_MAX, PrintedColumn
from ratedb.planning.exhaustive import SearchOptions, known_system, part_of_target, search_sets
from ratedb.planning.plan import DEFAULT_SIZES, Candidate, PlanRequest, candidate
from ratedb.planning.screening import SetScore, TrialSet, refit
from ratedb.plots.figures import need_plots
from ratedb.plots.paper import draw_by_j, draw_by_size
from ratedb.rates import Rates
from ratedb.store.store import Store

_NEIGHBOURS = 7  # rows of table II
_TABLE_II_SIZE = 5
FIGURE_FORMATS = ("png", "svg")


@dataclass(frozen=True, eq=False)
class KernelResult:
    """What one kernel predicts of all that a set leaves out.

    `seconds` is what choosing and training it took. By initial j: `j` (g,), the mean error of log10 k in
    percent `percent` (g,), and that of the worst transition `worst_percent` (g,).
    """

    kernel: str
    test: Metrics
    seconds: float
    j: IntArray
    percent: FloatArray
    worst_percent: FloatArray

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "kernel": self.kernel,
            "test": self.test.to_json(),
            "seconds": self.seconds,
            "by_j": [
                {"j": j, "percent": percent, "worst_percent": worst}
                for j, percent, worst in zip(
                    self.j.tolist(), self.percent.tolist(), self.worst_percent.tolist(), strict=True
                )
            ],
        }


@dataclass(frozen=True, eq=False)
class SizeResult:
    """The best set of one size: what it takes, and its kernels of least validation error."""

    plan: Candidate
    single: KernelResult
    optimal: KernelResult

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "plan": self.plan.to_json(),
            "single": self.single.to_json(),
            "optimal": self.optimal.to_json(),
        }


@dataclass(frozen=True)
class PaperRow:
    """A column of the paper's tables: what its formulas give here, beside what is printed."""

    computed: Candidate
    printed: PrintedColumn


@dataclass(frozen=True, eq=False)
class Reproduction:
    """The tables: `sizes` for I and III-V, `neighbours` for II, `paper` for the paper's own SiO columns."""

    system: str | None
    sizes: tuple[SizeResult, ...]
    neighbours: tuple[SetScore, ...]
    paper: tuple[PaperRow, ...]
    figures: tuple[Path, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "system": self.system,
            "sizes": [size.to_json() for size in self.sizes],
            "neighbours": [
                {
                    "train_j": score.trial.train_j,
                    "kernel": score.kernel,
                    "dex_rms": score.dex_rms,
                    "log10_percent_error": score.log10_percent_error,
                }
                for score in self.neighbours
            ],
            "paper": [asdict(row) for row in self.paper],
            "figures": [str(path) for path in self.figures],
        }


def paper_rows() -> tuple[PaperRow, ...]:
    """Return the paper's own columns, recomputed from its formulas: they need no data."""
    request = PlanRequest(SYSTEM, TARGET, GIVEN, V_MAX, cost_exponent=EXPONENT, hours_total=HOURS_SHARED)
    return tuple(PaperRow(candidate(request, column.train_j), column) for column in COLUMNS)


def reproduce(
    db: Path,
    request: PlanRequest,
    options: SearchOptions | None = None,
    *,
    folder: Path | None = None,
    figure_format: str = "png",
    report: Callable[[str], None] = lambda text: None,
) -> Reproduction:
    """Search the best set of each size, choose its kernels by validation, and test them.

    Figures go to `folder`. Raises RatedbError where the system is not known for every j of the target.
    """
    options = options or SearchOptions()
    if figure_format not in FIGURE_FORMATS:
        raise UsageError("unknown format", expected=" or ".join(FIGURE_FORMATS), got=figure_format)
    if folder is not None:  # before the long work, not after it
        need_plots()
        if folder.exists() and not folder.is_dir():
            raise RatedbError(
                "figures need a folder", expected="a folder, or a name that is free", got=str(folder)
            )
    with Store(db) as store:
        rates = part_of_target(store.known_rates(request.system).known(), request)
    data, warnings = known_system(rates, request.target)
    complete, _ = complete_curves(rates.select(np.isin(rates.initial_j(), request.target)))
    found = search_sets(db, request, request.sizes or DEFAULT_SIZES, options, report=report)
    if not found.candidates:
        raise RatedbError("no set could be trained anew", where=request.system, got="; ".join(found.warnings))
    sizes = []
    for plan in found.candidates:
        report(f"N = {plan.n}: kernels")
        sizes.append(_size_result(complete, data, request, plan, options))
    figures = {}
    if folder is not None:
        figures = {
            folder / f"figure3.{figure_format}": draw_by_size(request.system, sizes, figure_format),
            folder / f"figure4.{figure_format}": draw_by_j(request.system, sizes, figure_format),
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(figures)
    return Reproduction(
        request.system,
        tuple(sizes),
        tuple(_neighbours(data, found.scores, sizes, options, rates.levels.molecule)),
        paper_rows(),
        tuple(figures),
        (*warnings, *found.warnings),
    )


def _size_result(
    complete: Rates, data: TrainingData, request: PlanRequest, plan: Candidate, options: SearchOptions
) -> SizeResult:
    start = perf_counter()
    initial = complete.initial_j()
    specifications = options.specifications(complete.levels.molecule)
    features, names = specifications[0].features, [one.kernel for one in specifications]
    tried = search(
        complete.select(np.isin(initial, plan.train_j)),
        complete.select(np.isin(initial, plan.validate_j)),
        SearchRequest(
            kernels=tuple(names),
            features=(features,),
            means=(options.mean,),
            composite=True,
            jobs=options.jobs,
            scheduler=options.scheduler,
        ),
    ).tried
    seconds = perf_counter() - start
    fitted = {
        entry.kernel: entry.validation_dex_rms for entry in tried if entry.validation_dex_rms is not None
    }
    single = min((kernel for kernel in fitted if kernel in names), key=lambda kernel: fitted[kernel])
    optimal = min(fitted, key=lambda kernel: fitted[kernel])
    of_single = sum(entry.seconds for entry in tried if entry.kernel in names)
    results = [
        _test(data, Specification("basis", kernel, features, options.mean), plan, request, spent)
        for kernel, spent in ((single, min(of_single, seconds)), (optimal, seconds))
    ]
    with_hours = replace(request, model_hours=seconds / 3600.0, validate_j=plan.validate_j)
    own = candidate(with_hours, plan.train_j)
    spent = replace(plan, model_hours=own.model_hours, time_saved_percent=own.time_saved_percent)
    return SizeResult(spent, *results)


def _test(
    data: TrainingData, specification: Specification, plan: Candidate, request: PlanRequest, seconds: float
) -> KernelResult:
    initial = data.initial_j()
    training = np.isin(initial, plan.train_j)
    held_out = data.select(np.flatnonzero(~training & ~np.isin(initial, plan.validate_j)))
    curves = basis.fit(data.select(np.flatnonzero(training)), specification).curves(held_out.transitions)
    percent = 100.0 * np.abs((curves.mean - held_out.log10_k) / held_out.log10_k).mean(axis=1)
    of_j = held_out.initial_j()
    values = np.unique(of_j)
    return KernelResult(
        specification.kernel,
        metrics(10.0**held_out.log10_k, curves.mean, np.sqrt(curves.variance)),
        seconds,
        values,
        np.array([percent[of_j == j].mean() for j in values]),
        np.array([percent[of_j == j].max() for j in values]),
    )


def _neighbours(
    data: TrainingData,
    scores: Sequence[SetScore],
    sizes: Sequence[SizeResult],
    options: SearchOptions,
    molecule: str,
) -> list[SetScore]:
    """Return the best set of five j, or of the largest size below, and its nearest rivals, trained anew."""
    if not sizes:
        return []
    fitting = [one for one in sizes if one.plan.n <= _TABLE_II_SIZE] or list(sizes)
    best = fitting[-1].plan
    of_kernel = {one.kernel: one for one in options.specifications(molecule)}
    rivals = [
        score for score in scores if len(score.trial.train_j) == best.n and score.kernel == best.kernel
    ] or [score for score in scores if len(score.trial.train_j) == best.n]
    rivals.sort(key=lambda score: (score.dex_rms, score.trial.train_j))
    trials = dict.fromkeys([TrialSet(best.train_j, best.validate_j), *(score.trial for score in rivals)])
    specification = of_kernel[best.kernel or rivals[0].kernel]
    again = [refit(data, specification, trial) for trial in list(trials)[:_NEIGHBOURS]]
    usable = [score for score in again if np.isfinite(score.dex_rms)]
    return sorted(usable, key=lambda score: score.log10_percent_error)
