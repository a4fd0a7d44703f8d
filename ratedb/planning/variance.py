"""Choose training sets of a system that is not known, by the posterior variance of a Gaussian process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Levels, Transitions
from ratedb.models.engine import TrainingData, rms
from ratedb.models.features import is_homonuclear
from ratedb.models.search import SearchRequest, search
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.planning.design import Design, DesignSet, Hyperparameters, best_sets, learn, target_transitions
from ratedb.planning.exhaustive import part_of_target
from ratedb.planning.plan import Candidate, PlanRequest, candidate, dex_of_percent, percent
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.systems import split_system

CURVE = tuple(range(1, 9))
"""The sizes of training set on the curve of cost against error."""
OPTIMISERS = ("auto", "greedy", "exhaustive")
NO_MODEL_DEX = 1.0
"""An expected error above this says that the mean is not determined: from one j alone, say."""
# The share of the target's j that a reference must have.
_LEAST_SHARED = 0.75
_QUICK_KERNELS, _QUICK_MEANS = ("M32", "RBF"), ("linear", "ios")


@dataclass(frozen=True)
class VarianceOptions:
    """Where the hyperparameters come from and how the set is picked.

    `like` names a system of the store that is known for most j of the target; without it the given j of the
    system itself are learnt from. `target_error` is in percent of a rate; `budget_hours` is for training and
    validation j together.
    """

    like: str | None = None
    target_error: float | None = None
    budget_hours: float | None = None
    optimiser: str = "auto"
    jobs: int = 1
    scheduler: str | None = None

    def check(self, request: PlanRequest) -> None:
        """Raise UsageError where a number or name makes no sense."""
        if self.optimiser not in OPTIMISERS:
            raise UsageError(
                "unknown --optimiser", expected=" or ".join(OPTIMISERS), got=repr(self.optimiser)
            )
        if self.jobs < 1:
            raise UsageError("the number of jobs makes no sense", expected="1 or more", got=str(self.jobs))
        for name, value in (("--target-error", self.target_error), ("--budget-hours", self.budget_hours)):
            if value is not None and not 0 < value < 1e9:
                raise UsageError(f"{name} makes no sense", expected="a number > 0", got=str(value))
        if self.budget_hours is not None and request.costs.total_hours is None:
            raise UsageError(
                "a budget needs hours", expected="--hours-total or --hours-file", got="relative costs only"
            )


@dataclass(frozen=True)
class VarianceResult:
    """The curve of cost against expected error, one candidate for each size, and the chosen one."""

    candidates: list[Candidate]
    chosen: Candidate | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ReferenceSystem:
    """A system that is known for most j of a target: complete curves, transitions, and which j these are."""

    rates: Rates
    transitions: Transitions
    target: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known before a plan: hyperparameters, the target's transitions, and the reference if any."""

    hyperparameters: Hyperparameters
    transitions: Transitions
    reference: ReferenceSystem | None = None

    def design(self, request: PlanRequest) -> Design:
        """Return what a set of the target is judged by."""
        return Design(self.transitions, self.hyperparameters, request.target, request.given)


def plan_by_variance(
    db: Path,
    request: PlanRequest,
    options: VarianceOptions,
    report: Callable[[str], None] = lambda text: None,
) -> VarianceResult:
    """Return the sets with the least expected error, for each size of the request or 1..8.

    With `like` the expected error is multiplied by what real and expected error differ by on that system;
    without it it is the process's own, with a warning. Raises RatedbError where too little is known, or
    where neither budget nor target can be met.
    """
    options.check(request)
    with threadpool_limits(limits=1):  # thousands of small matrices
        return _plan(db, request, options, report)


def _plan(
    db: Path, request: PlanRequest, options: VarianceOptions, report: Callable[[str], None]
) -> VarianceResult:
    knowledge = learn_for(db, request, options.like, report)
    costs = request.costs

    def affordable(train_j: tuple[int, ...]) -> bool:
        validate_j = design.validation(train_j)
        hours = costs.hours((*train_j, *(validate_j or ())))
        return options.budget_hours is None or hours is None or hours <= options.budget_hours

    design = knowledge.design(request)
    sizes = request.sizes or CURVE
    curve = best_sets(design, sizes, affordable, options.optimiser, report)
    if not any(size > 1 and one.expected_dex < NO_MODEL_DEX for size, one in curve.items()):
        raise _no_set(request, sizes, options)
    warnings: list[str] = []
    missing = sorted(set(request.target) - set(knowledge.reference.target)) if knowledge.reference else []
    if missing:
        warnings.append(f"{options.like} has no j = {format_integers(missing)}: judged on its other j")
    expected = {size: one.expected_dex for size, one in curve.items()}
    if knowledge.reference is None:
        warnings.append(
            f"expected errors come from j = {format_integers(request.given)} alone: an order of magnitude;"
            " a similar system that is known (--like) or, later, `plan --next` knows better"
        )
    else:
        expected = _on_reference(knowledge.reference, knowledge, request, curve, options, report)
    candidates = [_candidate(request, one, expected[size]) for size, one in sorted(curve.items())]
    return VarianceResult(candidates, _pick(candidates, options), tuple(warnings))


def quick_search(molecule: str, options: VarianceOptions) -> SearchRequest:
    """Return a cut of what `train` tries, with what does most of the work: many sets are trained."""
    return SearchRequest(
        kernels=_QUICK_KERNELS,
        features=(_features(molecule),),
        means=_QUICK_MEANS,
        jobs=options.jobs,
        scheduler=options.scheduler,
    )


def _features(molecule: str) -> str:
    return "physics+spin" if is_homonuclear(molecule) else "physics"


def learn_for(
    db: Path, request: PlanRequest, like: str | None, report: Callable[[str], None] = lambda text: None
) -> Knowledge:
    """Return what is known of the target, from its given j or from the system `like`.

    Raises RatedbError where that is too little.
    """
    molecule, _ = split_system(request.system)
    if like == request.system:
        raise UsageError(
            "a system cannot be its own reference",
            expected="--like another system, or --given-j with what is known of this one",
            got=f"--like {like}",
        )
    report("learning from what is known")
    with Store(db) as store:
        own = store.known_rates(request.system).known() if store.has_system(request.system) else None
        levels = _levels(store, molecule)
        other = None if like is None else store.known_rates(like).known()
    features = _features(molecule)
    if other is not None:
        reference = _reference_system(other, request)
        data = TrainingData.of(reference.rates)
        transitions = _transitions(levels, request, data, molecule)
        return Knowledge(learn(data, features, reference.transitions), transitions, reference)
    if own is None:
        raise RatedbError(
            f"nothing is known of {request.system}",
            expected="some low j in the store, or --like SYSTEM with one that is known",
            got="neither",
            todo="import the j that are there, or plan with --strategy spread",
        )
    own = part_of_target(own, request)
    _need_v(own, request)
    data = TrainingData.of(_complete(own, request.given))
    transitions = _transitions(levels, request, data, molecule)
    return Knowledge(learn(data, features, transitions), transitions)


def _transitions(
    levels: Levels | None, request: PlanRequest, data: TrainingData, molecule: str
) -> Transitions:
    """Return the target's transitions; odd j' - j only where the data have them (H2 may not)."""
    _, j = data.transitions.levels.need_vj()
    even_only = not ((j[data.transitions.upper] - j[data.transitions.lower]) % 2).any()
    return target_transitions(levels, request.target, request.v_max, even_only, molecule)


def _levels(store: Store, molecule: str) -> Levels | None:
    if not any(name.startswith(f"{molecule}+") for name in store.system_names()):
        return None
    return store.levels(molecule).levels


def _reference_system(rates: Rates, request: PlanRequest) -> ReferenceSystem:
    """Return the part of a reference that the target has too; raises RatedbError where much of it lacks."""
    rates = part_of_target(rates, request)
    _need_v(rates, request)
    there = set(rates.initial_j().tolist()) | {0}
    target = tuple(j for j in request.target if j in there)
    missing_j = [j for j in request.target if j not in there]
    if len(target) < _LEAST_SHARED * len(request.target):
        raise RatedbError(
            f"{rates.system} does not have the quantum numbers of the target",
            where=request.system,
            expected=f"rates out of most j of {format_integers(request.target)}, v <= {request.v_max}",
            got=f"none out of j = {', '.join(map(str, missing_j))}",
            todo="name another --like, or narrow --j",
        )
    complete, _ = complete_curves(rates)
    wanted = np.isin(complete.initial_j(), target)
    transitions = Transitions(complete.levels, complete.upper[wanted], complete.lower[wanted])
    return ReferenceSystem(complete, transitions, target)


def _need_v(rates: Rates, request: PlanRequest) -> None:
    """Raise RatedbError where a data set to learn from lacks some v of the target."""
    v, _ = rates.levels.need_vj()
    missing = sorted(set(range(request.v_max + 1)) - set(v[rates.upper].tolist()))
    if missing and len(rates):
        raise RatedbError(
            f"{rates.system} does not have the quantum numbers of the target",
            where=request.system,
            expected=f"rates out of every v <= {request.v_max}",
            got=f"none out of v = {', '.join(map(str, missing))}",
            todo="import more, name another --like, or lower --v-max",
        )


def _complete(rates: Rates, j_values: tuple[int, ...]) -> Rates:
    """Return the complete curves out of these j; raises RatedbError where there are none."""
    known = np.isin(rates.initial_j(), j_values)
    if not known.any():
        raise RatedbError(
            "there are no rates to learn from",
            where=rates.system,
            expected="rates out of the given j, or --like SYSTEM",
            got=f"given j: {format_integers(j_values) or 'none'}",
            todo="import them, name them with --given-j, or plan with --strategy spread",
        )
    return complete_curves(rates.select(known))[0]


def _on_reference(
    reference: ReferenceSystem,
    knowledge: Knowledge,
    request: PlanRequest,
    curve: Mapping[int, DesignSet],
    options: VarianceOptions,
    report: Callable[[str], None],
) -> dict[int, float]:
    """Return the expected errors, each times what real and expected error differ by on the reference."""
    there = Design(reference.transitions, knowledge.hyperparameters, reference.target, request.given)
    factors: dict[int, float] = {}
    for size, one in sorted(curve.items()):
        if size < 2:
            continue
        same = set(one.train_j) <= set(reference.target)
        own = there.judge(one.train_j) if same else best_sets(there, [size], optimiser="greedy").get(size)
        if own is not None:
            report(f"training {reference.rates.system} with {size} j")
            left = tuple(j for j in reference.target if j not in request.given)
            factors[size] = error_of_set(reference.rates, left, own, options) / own.expected_dex
    if not factors:
        raise RatedbError(
            "no set can be trained on the reference",
            where=reference.rates.system,
            expected="j that train, validate and are left to test",
            got=f"j = {format_integers(reference.target)}",
            todo="name another --like",
        )
    least = factors[min(factors)]
    return {size: one.expected_dex * factors.get(size, least) for size, one in curve.items()}


def error_of_set(
    complete: Rates, j_values: tuple[int, ...], one: DesignSet, options: VarianceOptions
) -> float:
    """Return the real error, in dex, of what a set leaves out of these j in a system that is known.

    `complete` are complete curves. A few good candidates are trained, as `train` would, not all of them.
    """
    initial = complete.initial_j()
    training, validation = (complete.select(np.isin(initial, j)) for j in (one.train_j, one.validate_j))
    unknown = np.isin(initial, j_values) & ~np.isin(initial, (*one.train_j, *one.validate_j))
    held_out = complete.select(unknown)
    request = quick_search(complete.levels.molecule, options)
    predictor = search(training, validation, request).predictor
    predicted = predictor.predict(held_out.transitions)
    return rms(predicted.log10_rate - np.log10(held_out.rate_cm3_s))


def _candidate(request: PlanRequest, one: DesignSet, expected_dex: float) -> Candidate:
    own = candidate(replace(request, validate_j=one.validate_j), one.train_j)
    if len(one.train_j) < 2 or one.expected_dex >= NO_MODEL_DEX:
        return own
    return replace(own, expected_dex=expected_dex, expected_error=percent(expected_dex))


def _pick(candidates: Sequence[Candidate], options: VarianceOptions) -> Candidate | None:
    """Return the cheapest set that meets the target, or the best within the budget, or the only one."""
    trainable = [one for one in candidates if one.expected_dex is not None]
    if options.target_error is not None:
        wanted = dex_of_percent(options.target_error)
        meeting = [one for one in trainable if (one.expected_dex or 0.0) <= wanted]
        if not meeting:
            best = min(trainable, key=lambda one: one.expected_dex or 0.0)
            raise RatedbError(
                "no set of the curve is expected to meet the target",
                expected=f"an error of {options.target_error:g} %",
                got=f"{best.expected_error:.3g} % with j = {format_integers(best.train_j)}",
                todo="raise --target-error or --budget-hours, or add larger --sizes",
            )
        return min(meeting, key=lambda one: one.explicit_percent)
    if options.budget_hours is not None:
        return min(trainable, key=lambda one: one.expected_dex or 0.0)
    return candidates[0] if len(candidates) == 1 else None


def _no_set(request: PlanRequest, sizes: Sequence[int], options: VarianceOptions) -> RatedbError:
    if options.budget_hours is None:
        return UsageError(
            "no training set of these sizes can be placed",
            expected=f"sizes from 2 on that leave some of {len(request.target)} j to predict",
            got=", ".join(map(str, sizes)),
        )
    j = request.costs.payable[:3]
    return UsageError(
        "the budget buys no training set",
        expected=f"hours for one training j and two validation j: j = {format_integers(j)}"
        f" alone take {request.costs.hours(j):.3g} h",
        got=f"{options.budget_hours:g} h",
        todo="raise --budget-hours",
    )
