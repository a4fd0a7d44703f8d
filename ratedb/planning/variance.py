"""Choose training sets of a system that is not known, by the posterior variance of a Gaussian process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError, UsageError
from ratedb.models.corpus.model import applies
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import rms
from ratedb.models.predictor import Predictor
from ratedb.models.search import search
from ratedb.models.search_space import SearchRequest
from ratedb.numbers import format_integers
from ratedb.options import NextOptions, PlanOptions, Progress, silent
from ratedb.planning.best_sets import best_sets
from ratedb.planning.design import Design, DesignSet
from ratedb.planning.exhaustive import features_of
from ratedb.planning.knowledge import Knowledge, KnownRates, learn_for
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate, candidate, dex_of_percent, only, percent
from ratedb.planning.sets import anchors
from ratedb.rates import Rates

CURVE = tuple(range(1, 9))
"""The sizes of training set on the curve of cost against error."""
NO_MODEL_DEX = 1.0
"""An expected error above this says that the mean is not determined, as with a single j."""
_QUICK_KERNELS, _QUICK_MEANS = ("M32", "RBF"), ("linear", "ios")


@dataclass(frozen=True)
class VarianceResult:
    """The curve of cost against expected error, one candidate for each size, and the chosen one."""

    candidates: list[Candidate]
    chosen: Candidate | None
    warnings: tuple[str, ...]


def plan_by_variance(
    known: KnownRates, request: PlanRequest, options: PlanOptions, progress: Progress = silent
) -> VarianceResult:
    """Return the sets with the least expected error, for each size of the request or 1..8.

    With a reference system the expected error is scaled by the ratio of real to expected error there;
    without it is the process's own, with a warning. Raises RatedbError where too little is known, or the
    budget or the target error cannot be met.
    """
    progress("learning from the known rates")
    with threadpool_limits(limits=1):  # thousands of small matrices
        knowledge = learn_for(known, request)
        curve = _curve(knowledge, request, options, progress)
        factors = _on_reference(knowledge, request, curve, options, progress)
    candidates = [
        _candidate(request, one, one.expected_dex * factors[size]) for size, one in sorted(curve.items())
    ]
    return VarianceResult(candidates, _pick(candidates, options), _warnings(knowledge, request, options))


def _warnings(knowledge: Knowledge, request: PlanRequest, options: PlanOptions) -> tuple[str, ...]:
    """Return what limits the expected errors."""
    if knowledge.reference is None:
        return (
            f"expected errors come from j = {format_integers(request.given)} alone: an order of magnitude;"
            " a similar known system (--like) or, later, `ratedb next` gives better ones",
        )
    missing = sorted(set(request.target) - set(knowledge.reference.target))
    return (
        (f"{options.like} has no j = {format_integers(missing)}: judged on its other j",) if missing else ()
    )


def _curve(
    knowledge: Knowledge, request: PlanRequest, options: PlanOptions, progress: Progress
) -> dict[int, DesignSet]:
    """Return the best affordable set of each size; raises UsageError where none can be trained."""
    design, costs, budget = knowledge.design(request), request.costs, options.budget_hours

    def affordable(train_j: tuple[int, ...]) -> bool:
        hours = costs.hours((*train_j, *(design.validation(train_j) or ())))
        return budget is None or hours is None or hours <= budget

    sizes = request.sizes or CURVE
    curve = best_sets(design, sizes, affordable, options.optimiser, progress)
    if any(size > 1 and one.expected_dex < NO_MODEL_DEX for size, one in curve.items()):
        return curve
    if budget is None:
        least = max(2, len(anchors(request.target, request.given)))
        raise UsageError(
            "no training set of these sizes fits",
            expected=f"at least {least} j that leave some of {len(request.target)} j to predict",
            got=format_integers(sizes),
        )
    first = costs.payable[:3]
    raise UsageError(
        "the budget is too small for any training set",
        expected="hours for one training j and two validation j:"
        f" j = {format_integers(first)} alone take {costs.hours(first):.3g} h",
        got=f"{budget:g} h",
        todo="raise --budget-hours",
    )


def quick_model(
    complete: Rates, train_j: tuple[int, ...], validate_j: tuple[int, ...], options: PlanOptions | NextOptions
) -> Predictor:
    """Return a model of complete curves as `train` makes it, or one of fewer candidates with vibration."""
    request = SearchRequest(jobs=options.jobs, scheduler=options.scheduler)
    if not applies(complete.transitions):
        features = (features_of(complete.levels.molecule),)
        request = replace(request, kernels=_QUICK_KERNELS, features=features, means=_QUICK_MEANS)
    training, validation = complete.out_of(train_j), complete.out_of(validate_j)
    return search(training, validation, request, corpus=shipped_corpus()).predictor


def _on_reference(
    knowledge: Knowledge,
    request: PlanRequest,
    curve: Mapping[int, DesignSet],
    options: PlanOptions,
    progress: Progress,
) -> dict[int, float]:
    """Return by size the ratio of real to expected error on the reference, 1 without one."""
    reference = knowledge.reference
    if reference is None:
        return dict.fromkeys(curve, 1.0)
    there = Design(reference.transitions, knowledge.hyperparameters, reference.target, request.given)
    left = tuple(j for j in reference.target if j not in request.given)
    factors: dict[int, float] = {}
    for size, one in sorted(curve.items()):
        if size < 2:
            continue
        same = set(one.train_j) <= set(reference.target)
        own = there.judge(one.train_j) if same else best_sets(there, [size], optimiser="greedy").get(size)
        if own is not None:
            progress(f"training {reference.rates.system} with {size} j")
            factors[size] = error_of_set(reference.rates, left, own, options) / own.expected_dex
    if not factors:
        raise RatedbError(
            "no set can be trained on the reference",
            where=reference.rates.system,
            expected="j to train, to validate and to test",
            got=f"j = {format_integers(reference.target)}",
            todo="name another --like",
        )
    least = factors[min(factors)]
    return {size: factors.get(size, least) for size in curve}


def error_of_set(complete: Rates, j_values: tuple[int, ...], one: DesignSet, options: PlanOptions) -> float:
    """Return the real error of a set, in dex, on these j of complete curves except its own."""
    held_out = complete.out_of(sorted({*j_values} - {*one.train_j, *one.validate_j}))
    predictor = quick_model(complete, one.train_j, one.validate_j, options)
    return rms(predictor.predict(held_out.transitions).log10_rate - held_out.log10_rate)


def _candidate(request: PlanRequest, one: DesignSet, expected_dex: float) -> Candidate:
    own = candidate(request, one.train_j, one.validate_j)
    if len(one.train_j) < 2 or one.expected_dex >= NO_MODEL_DEX:
        return own
    return replace(own, expected_dex=expected_dex, expected_error=percent(expected_dex))


def _pick(candidates: list[Candidate], options: PlanOptions) -> Candidate | None:
    """Return the cheapest set that meets the target, or the best within the budget, or the only one."""
    trainable = [one for one in candidates if one.expected_dex is not None]
    if options.target_error is None and options.budget_hours is None:
        return only(candidates)
    best = min(trainable, key=_expected_dex)
    if options.target_error is None:
        return best
    wanted = dex_of_percent(options.target_error)
    meeting = [one for one in trainable if _expected_dex(one) <= wanted]
    if not meeting:
        raise RatedbError(
            "no set is expected to meet the target error",
            expected=f"an error of {options.target_error:g} %",
            got=f"{best.expected_error:.3g} % with j = {format_integers(best.train_j)}",
            todo="raise --target-error or --budget-hours, or add larger --sizes",
        )
    return min(meeting, key=lambda one: one.explicit_percent)


def _expected_dex(one: Candidate) -> float:
    return one.expected_dex or 0.0
