"""After each computed j: which j is next, how much it is expected to lower the error, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError, WorkersError
from ratedb.levels import Transitions
from ratedb.models.engine import rms
from ratedb.models.predictor import average
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.options import NextOptions, Progress, silent
from ratedb.planning.deciding import NextJ, decide, error_after
from ratedb.planning.design import Design
from ratedb.planning.exhaustive import part_of_target
from ratedb.planning.knowledge import KnownRates, learn_for
from ratedb.planning.limits import check_limits
from ratedb.planning.savings import percent
from ratedb.planning.state import State
from ratedb.planning.tested_j import HeldOutJ, correction, expected_errors, left_out_errors
from ratedb.planning.variance import NO_MODEL_DEX, quick_model
from ratedb.rates import Rates
from ratedb.results import Result


class _Measured(NamedTuple):
    """The error a model expects of what is not computed, in dex, its tests, and why there is no model."""

    dex: float | None
    tested: tuple[HeldOutJ, ...]
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
    tested: tuple[HeldOutJ, ...] = ()

    def summary(self) -> str:
        """Return in a few words what to do."""
        return f"{self.system}, {'stop' if self.stop else f'j = {self.next_j}'}: {self.reason}"

    @staticmethod
    def of(
        state: State, options: NextOptions, candidates: list[NextJ], now: float, **more: Any
    ) -> NextResult:
        """Decide with candidates, the best first, and the error expected now in percent."""
        next_one, reason = decide(candidates, now, state, options, more.get("tested", ()))
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

    The expected error is that of a model trained on the known rates, times how much larger the errors of
    computed j are, each predicted from the others. Where no model can be trained it is that of the planner's
    process, with hyperparameters from the known rates. It does not stop while the highest target j is
    extrapolated, or while tests leave the expected error in doubt. Raises RatedbError where too little is
    known even for the process.
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
        tested = left_out_errors(predictor, complete, train_j, state.validate_j)
    except WorkersError:
        raise
    except RatedbError as error:
        return _Measured(None, (), (f"{failed}: {error.what}",))
    curves = average([member.curves(wanted) for member in predictor.members], predictor.weights)
    dex = rms(expected_errors(predictor, wanted, curves))
    return _Measured(dex * correction(tested, state.unknown_j), tested, ())


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
    return sorted(found, key=error_after), scale * now
