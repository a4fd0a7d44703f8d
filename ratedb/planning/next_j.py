"""After each computed j: which j is next, how much it is expected to lower the error, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError, WorkersError
from ratedb.layers import RATIO_95_68
from ratedb.levels import Transitions
from ratedb.models.engine import TrainingData, rms
from ratedb.models.predictor import Predictor, average
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.options import NextOptions, Progress, silent
from ratedb.planning.design import Design
from ratedb.planning.exhaustive import part_of_target
from ratedb.planning.knowledge import KnownRates, learn_for
from ratedb.planning.limits import check_limits
from ratedb.planning.savings import dex_of_percent, percent
from ratedb.planning.state import State
from ratedb.planning.variance import NO_MODEL_DEX, quick_model
from ratedb.rates import Rates
from ratedb.results import Result

# One more j that lowers the error by less than this share is not worth its hours.
_WORTHWHILE = 0.1
# Of the j with at least this share of the greatest error reduction, the one with most for its cost is next.
_NEARLY_BEST = 0.5
# Half widths of 68 % are those of a Student-t distribution: its tails make errors larger in the mean square.
_RMS_OF_HALF_WIDTH = RATIO_95_68 / 1.96
# Before a model can be trained, errors up to this many times the least count as nearly the least.
_NEARLY_LEAST = 1.3


@dataclass(frozen=True)
class NextJ:
    """What one more j is expected to do: the error in percent of a rate after it, and its cost.

    `gain` is the expected error reduction in percentage points: None where no model can be trained yet,
    negative where the j that remain are worse than this one. `planned` j are in the plan that is followed.
    """

    j: int
    hours: float | None
    cost_percent: float
    expected_error: float | None
    gain: float | None
    planned: bool

    @staticmethod
    def of(state: State, j: int, expected_error: float | None, gain: float | None) -> NextJ:
        """Return the effect of one more j with its cost."""
        costs = state.request.costs
        return NextJ(
            j, costs.hours((j,)), 100.0 * costs.share((j,)), expected_error, gain, j in state.planned
        )


@dataclass(frozen=True)
class TestedJ:
    """A computed j, predicted from the other computed j: expected and real error in percent of a rate."""

    j: int
    expected_error: float
    error: float


class _Measured(NamedTuple):
    """The error a model expects of what is not computed, in dex, its tests, and why there is no model."""

    dex: float | None
    tested: tuple[TestedJ, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class NextResult(Result):
    """What to do next: `next_j` is the j to compute, None where `stop`, and `reason` says why.

    `expected_error` is the error expected now of all that is not computed, in percent of a rate, None where
    too little is known; `measured` says whether a model was trained for it, and `tested` how good such
    predictions have been: `expected_error` has been corrected by these. `target` is `rates`, or `lines`
    where errors are the 95th percentile over lines and conditions, in percent of a flux.
    """

    system: str
    plan_id: int | None
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    unknown_j: tuple[int, ...]
    expected_error: float | None
    expected_dex: float | None
    measured: bool
    candidates: list[NextJ]
    next_j: int | None
    stop: bool
    reason: str
    warnings: tuple[str, ...] = ()
    target: str = "rates"
    tested: tuple[TestedJ, ...] = ()

    def summary(self) -> str:
        """Return in a few words what to do."""
        return f"{self.system}, {'stop' if self.stop else f'j = {self.next_j}'}: {self.reason}"

    @staticmethod
    def of(
        state: State, options: NextOptions, candidates: list[NextJ], now: float, **more: Any
    ) -> NextResult:
        """Decide with candidates, the best first, and the error expected now in percent."""
        next_one, reason = decide(candidates, now, state, options)
        return NextResult(
            system=state.request.system,
            plan_id=state.plan_id,
            train_j=state.train_j,
            validate_j=state.validate_j,
            unknown_j=state.unknown_j,
            candidates=candidates,
            next_j=next_one,
            stop=next_one is None,
            reason=reason,
            **more,
        )


def next_j(state: State, options: NextOptions, known: KnownRates, progress: Progress = silent) -> NextResult:
    """Choose which j to compute next, or to stop.

    The expected error is the half width of a model trained on the known rates, times how much larger the
    errors of computed j are, each predicted from the others. Where no model can be trained it is that of the
    planner's process, with hyperparameters from the known rates. It does not stop while the highest target j
    is extrapolated. Raises RatedbError where too little is known even for the process.
    """
    request = state.request
    check_limits(request, options)
    progress("learning from the known rates")
    with threadpool_limits(limits=1):  # thousands of small matrices
        knowledge = learn_for(known, replace(request, given=state.known_j))
    design = knowledge.design(request)
    measured = _Measured(None, (), ())
    if not state.missing_validation:
        unknown = np.isin(design.initial_j, state.unknown_j)
        wanted = knowledge.transitions.select(unknown)
        measured = _measured(known.own, state, wanted, options, progress)
    with threadpool_limits(limits=1):
        candidates, now_dex = _candidates(design, state, measured.dex)
    is_known = now_dex > 0.0 and (measured.dex is not None or now_dex < NO_MODEL_DEX)
    return NextResult.of(
        state,
        options,
        candidates,
        # Where no model can be trained the error is only known to be large.
        percent(min(now_dex, NO_MODEL_DEX)),
        expected_error=percent(now_dex) if is_known else None,
        expected_dex=now_dex if is_known else None,
        measured=measured.dex is not None,
        warnings=measured.warnings,
        tested=measured.tested,
    )


def _measured(
    own: Rates | None, state: State, wanted: Transitions, options: NextOptions, progress: Progress
) -> _Measured:
    """Return what a model of the known rates expects, corrected by its tests, or why there is none."""
    if len(state.train_j) < 2 or not len(wanted):
        return _Measured(None, (), ())
    failed = "no model of the known rates"
    if own is None:
        return _Measured(None, (), (f"{failed}: the store has no {state.request.system}",))
    progress("training a model on the known rates")
    rates = part_of_target(own, state.request)
    given = tuple(set(state.request.given) & set(rates.initial_j().tolist()) - set(state.validate_j))
    complete, _ = complete_curves(rates.out_of((*state.computed_j, *given)))
    complete_j = set(complete.initial_j().tolist())
    missing = sorted(set(state.computed_j) - complete_j)
    if missing:
        lacking = f"the store has no complete rates out of j = {format_integers(missing)}"
        return _Measured(None, (), (f"{failed}: {lacking}",))
    try:
        train_j = tuple(sorted({*state.train_j, *(complete_j & {*given})}))
        predictor = quick_model(complete, train_j, state.validate_j, options)
        supported = predictor.supports(wanted)
        if not supported.all():
            what = f"it could not predict {int((~supported).sum())} transitions"
            return _Measured(None, (), (f"{failed}: {what}",))
        tested = _tests(predictor, complete, train_j, state.validate_j)
    except WorkersError:
        raise
    except RatedbError as error:
        return _Measured(None, (), (f"{failed}: {error.what}",))
    dex = _RMS_OF_HALF_WIDTH * rms(predictor.predict(wanted).log10_half_width_68)
    return _Measured(dex * _correction(tested), tested, ())


def _tests(
    predictor: Predictor, complete: Rates, train_j: tuple[int, ...], validate_j: tuple[int, ...]
) -> tuple[TestedJ, ...]:
    """Return how well each computed j is predicted from the others by the model's own members."""
    data = TrainingData.of(complete.out_of(train_j)).joined(complete.out_of(validate_j))
    curves = average([member.leave_out(data) for member in predictor.members], predictor.weights)
    half_width = predictor.stretch(data.transitions) * np.sqrt(curves.variance)
    initial_j = data.initial_j()
    each = []
    for j in np.unique(initial_j).tolist():
        rows = initial_j == j
        expected = _RMS_OF_HALF_WIDTH * rms(half_width[rows])
        real = rms(curves.mean[rows] - data.log10_k[rows])
        each.append(TestedJ(j, percent(min(expected, NO_MODEL_DEX)), percent(min(real, NO_MODEL_DEX))))
    return tuple(each)


def _correction(tested: Sequence[TestedJ]) -> float:
    """Return by how much the errors of tested j are larger than expected, from 1 to 3.

    The lowest and the highest are left out where others are left: they were extrapolated. Low j lie close
    together and are easy to predict, so that the tests say little of how small errors elsewhere are.
    """
    inner = tested[1:-1] or tested
    real, expected = (
        rms(np.array([dex_of_percent(getattr(one, name)) for one in inner]))
        for name in ("error", "expected_error")
    )
    return float(np.clip(real / max(expected, 1e-9), 1.0, 3.0))


def _candidates(design: Design, state: State, measured: float | None) -> tuple[list[NextJ], float]:
    """Return what each unknown j is expected to do, the best first, and the error expected now, in dex."""
    if not state.unknown_j:
        return [], 0.0
    covariance = design.given_all(state.train_j)
    now = design.expected(np.diag(covariance), state.computed_j)
    # The process of the design is rough; what it says of one more j is relative to what a model expects now.
    scale = measured / now if measured is not None and now else 1.0
    found = []
    for j in state.unknown_j:
        variance = design.variance_given(covariance, j)
        is_last = len(state.unknown_j) == 1
        after = 0.0 if is_last else scale * design.expected(variance, (*state.computed_j, j))
        error = percent(after) if after < NO_MODEL_DEX else None
        gain = None if scale * now >= NO_MODEL_DEX else percent(scale * now) - percent(after)
        found.append(NextJ.of(state, j, error, gain))
    return sorted(found, key=_error_after), scale * now


def _error_after(one: NextJ) -> float:
    return np.inf if one.expected_error is None else one.expected_error


def decide(
    candidates: Sequence[NextJ], now: float, state: State, options: NextOptions
) -> tuple[int | None, str]:
    """Return the next j of candidates, the best first, or None to stop, and why.

    `now` is the error in percent of a rate, or of a flux where lines are the target.
    """
    budget, wanted = options.budget_hours, options.target_error

    def within_budget(j: int) -> bool:
        return budget is None or state.hours(j) <= budget

    if not candidates:
        return None, "every j of the target is computed"
    missing = state.missing_validation if options.for_lines is None else ()
    if missing and within_budget(missing[0]):
        return missing[0], f"it validates: without j = {missing[0]} no model can be judged"
    beyond = _extrapolated(state) if options.for_lines is None else None
    if wanted is not None and now <= wanted:
        if beyond is not None and within_budget(beyond):
            return beyond, f"the expected error is met, but j = {beyond}, the highest, is extrapolated"
        return None, f"the expected error is {now:.3g} %, the target {wanted:g} %"
    if beyond is not None and wanted is not None and not state.planned and within_budget(beyond):
        return beyond, f"the highest: without j = {beyond} what lies above the computed j is extrapolated"
    within = [one for one in candidates if budget is None or (one.hours or 0.0) <= budget]
    if not within:
        return None, f"no j that is left costs {budget:g} h or less"
    if wanted is not None:
        enough = [one for one in within if _error_after(one) <= wanted]
        if enough:
            best = min(enough, key=lambda one: one.cost_percent)
            return best.j, f"the cheapest that is expected to reach {wanted:g} %"
    return _most_for_its_cost(within, now, wanted)


def _extrapolated(state: State) -> int | None:
    """Return the highest j of the target where it is above all that is computed, else None."""
    last = state.request.target[-1]
    return last if last in state.unknown_j else None


def _most_for_its_cost(within: Sequence[NextJ], now: float, wanted: float | None) -> tuple[int | None, str]:
    """Return the j with the greatest expected error reduction for its cost, or None to stop, and why."""
    if any(one.gain is None for one in within):
        least = min(map(_error_after, within))
        pool, whose = _planned_first([one for one in within if _error_after(one) <= _NEARLY_LEAST * least])
        best = min(pool, key=lambda one: one.cost_percent)
        return best.j, f"{whose}the least cost for nearly the least expected error"
    gains = {one.j: one.gain or 0.0 for one in within}
    greatest = max(gains.values())
    if wanted is None and greatest < _WORTHWHILE * now:
        return None, f"no j is expected to reduce the error by more than {100 * _WORTHWHILE:.0f} %"
    pool, whose = _planned_first([one for one in within if gains[one.j] >= _NEARLY_BEST * greatest])
    best = max(pool, key=lambda one: gains[one.j] / max(one.cost_percent, 1e-12))
    short = "" if wanted is None else f"; no single j is expected to reach {wanted:g} %"
    what = "the greatest error reduction for its cost, among the j with at least half the largest"
    return best.j, f"{whose}{what}{short}"


def _planned_first(good: list[NextJ]) -> tuple[list[NextJ], str]:
    """Return those in the plan, which looks further ahead than one j, or all where none is."""
    planned = [one for one in good if one.planned]
    return (planned, "of the plan's j the one with ") if planned else (good, "")
