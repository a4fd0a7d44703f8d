"""The paper's tables I-V for any system that is known for every j.

Mihalik et al. (2025), J. Chem. Phys. 162, 024116: the best set of each size, its best single and composite
kernel by validation error, their test errors, and the computing time they save.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.models import basis
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.search import search
from ratedb.models.search_space import SearchRequest
from ratedb.options import Progress, ReproduceOptions, silent
from ratedb.paper.printed import PaperRow, paper_rows, with_printed
from ratedb.planning.exhaustive import ScoreBook, known_system, part_of_target, search_sets, specifications
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate, candidate
from ratedb.planning.screening import SetScore, TrialSet, refit
from ratedb.rates import Rates
from ratedb.results import Result

_NEIGHBOURS = 7  # rows of table II
_TABLE_II_SIZE = 5


@dataclass(frozen=True)
class ErrorOfJ:
    """The error of log10 k in percent out of one initial j: the mean, and that of the worst transition."""

    j: int
    percent: float
    worst_percent: float


@dataclass(frozen=True)
class KernelResult:
    """The errors of one kernel on the held-out j of a set; `seconds` is for choosing and training it."""

    kernel: str
    test: Metrics
    seconds: float
    by_j: tuple[ErrorOfJ, ...]


@dataclass(frozen=True)
class SizeResult:
    """The best set of one size: its costs, and its kernels with the least validation error."""

    plan: Candidate
    single: KernelResult
    optimal: KernelResult


@dataclass(frozen=True)
class Neighbour:
    """A set of table II, trained by itself, and its test error."""

    train_j: tuple[int, ...]
    kernel: str
    dex_rms: float
    log10_percent_error: float


@dataclass(frozen=True, repr=False)
class Reproduction(Result):
    """The tables: `sizes` for I and III-V, `neighbours` for II, `paper` for the paper's own SiO columns."""

    system: str | None
    sizes: tuple[SizeResult, ...]
    neighbours: tuple[Neighbour, ...]
    paper: tuple[PaperRow, ...]
    figures: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return super().to_json() | {"figures": [str(path) for path in self.figures]}

    def summary(self) -> str:
        """Return in a few words what was reproduced."""
        return f"{self.system}, {len(self.sizes)} sizes" if self.system else "the paper's own columns"


def make_tables(
    rates: Rates,
    request: PlanRequest,
    options: ReproduceOptions,
    book: ScoreBook | None = None,
    progress: Progress = silent,
) -> Reproduction:
    """Search the best set of each size, choose its kernels by validation, and test them.

    `rates` are all known rates of the system; `book` keeps the scores of the search. Raises RatedbError where
    a j of the target is not known.
    """
    rates = part_of_target(rates, request)
    complete, warnings = known_system(rates, request.target)
    found = search_sets(rates, request, options, book, progress)
    if not found.candidates:
        raise RatedbError(
            "no set could be trained by itself", where=request.system, got="; ".join(found.warnings)
        )
    kernels = specifications(rates.levels.molecule, options)
    sizes = []
    for plan in found.candidates:
        progress(f"N = {plan.n}: kernels")
        sizes.append(_size_result(complete, request, plan, kernels, options))
    neighbours = _neighbours(TrainingData.of(complete), found.scores, found.candidates, kernels)
    warned = (*warnings, *found.warnings)
    return Reproduction(request.system, tuple(sizes), neighbours, paper_rows(), warnings=warned)


def _size_result(
    complete: Rates,
    request: PlanRequest,
    plan: Candidate,
    kernels: Sequence[Specification],
    options: ReproduceOptions,
) -> SizeResult:
    start = perf_counter()
    names = [one.kernel for one in kernels]
    tried = search(
        complete.out_of(plan.train_j),
        complete.out_of(plan.validate_j),
        SearchRequest(
            kernels=tuple(names),
            features=(kernels[0].features,),
            means=(options.mean,),
            composite=True,
            jobs=options.jobs,
            scheduler=options.scheduler,
        ),
    ).tried
    seconds = perf_counter() - start
    fitted = {one.kernel: one.validation_dex_rms for one in tried if one.validation_dex_rms is not None}
    single = min((kernel for kernel in fitted if kernel in names), key=lambda kernel: fitted[kernel])
    optimal = min(fitted, key=lambda kernel: fitted[kernel])
    of_single = min(sum(one.seconds for one in tried if one.kernel in names), seconds)
    data = TrainingData.of(complete)
    results = [
        _test(data, replace(kernels[0], kernel=kernel), plan, spent)
        for kernel, spent in ((single, of_single), (optimal, seconds))
    ]
    with_hours = replace(request, model_hours=seconds / 3600.0)
    own = candidate(with_hours, plan.train_j, plan.validate_j)
    plan = replace(plan, model_hours=own.model_hours, time_saved_percent=own.time_saved_percent)
    return SizeResult(with_printed(with_hours, plan), *results)


def _test(data: TrainingData, specification: Specification, plan: Candidate, seconds: float) -> KernelResult:
    trial = TrialSet(plan.train_j, plan.validate_j)
    held_out = trial.held_out(data)
    curves = basis.fit(trial.training(data), specification).curves(held_out.transitions)
    percent = 100.0 * np.abs((curves.mean - held_out.log10_k) / held_out.log10_k).mean(axis=1)
    of_j = held_out.initial_j()
    return KernelResult(
        specification.kernel,
        metrics(10.0**held_out.log10_k, curves.mean, np.sqrt(curves.variance)),
        seconds,
        tuple(
            ErrorOfJ(j, float(percent[of_j == j].mean()), float(percent[of_j == j].max()))
            for j in np.unique(of_j).tolist()
        ),
    )


def _neighbours(
    data: TrainingData,
    scores: Sequence[SetScore],
    plans: Sequence[Candidate],
    kernels: Sequence[Specification],
) -> tuple[Neighbour, ...]:
    """Return the best set of five j, or of the largest size below, and the sets that score nearly as well."""
    best = ([one for one in plans if one.n <= _TABLE_II_SIZE] or list(plans))[-1]
    specification = next(one for one in kernels if one.kernel == best.kernel)
    rivals = [
        one for one in scores if len(one.trial.train_j) == best.n and one.kernel == specification.kernel
    ]
    rivals.sort(key=lambda score: (score.dex_rms, score.trial.train_j))
    trials = dict.fromkeys([TrialSet(best.train_j, best.validate_j), *(score.trial for score in rivals)])
    again = [refit(data, specification, trial) for trial in list(trials)[:_NEIGHBOURS]]
    return tuple(
        Neighbour(one.trial.train_j, one.kernel, one.dex_rms, one.log10_percent_error)
        for one in sorted(again, key=lambda score: score.log10_percent_error)
        if np.isfinite(one.dex_rms)
    )
