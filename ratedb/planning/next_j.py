"""After each computed j: which j next, what it is expected to bring for how many hours, and when to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError, UsageError, WorkersError
from ratedb.files import refuse_database, write_atomically
from ratedb.levels import Transitions
from ratedb.models.engine import rms
from ratedb.models.search import search
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.planning.design import Design
from ratedb.planning.exhaustive import part_of_target
from ratedb.planning.plan import PlanRequest, percent
from ratedb.planning.sets import validation_set
from ratedb.planning.variance import NO_MODEL_DEX, VarianceOptions, learn_for, quick_search
from ratedb.planning.worklist import jobs_out_of, render_worklist
from ratedb.store.plans import get_plan, known_j, newest_plan, opened
from ratedb.store.store import Store
from ratedb.systems import split_system

# One more j that takes away less than this share of the error is not worth its hours.
_WORTHWHILE = 0.1
# Of the j that bring at least this share of the greatest gain, the one with most gain for its cost is next.
_NEARLY_BEST = 0.5
# Before a model can be trained there are no gains: then all j after which the error is so near the least.
_NEARLY_LEAST = 1.3


@dataclass(frozen=True)
class NextJ:
    """What one more j is expected to bring: error in percent of a rate before and after, and its cost.

    `gain` is the expected error that it takes away, in percentage points; None where no model can be trained
    yet, below zero where the j that are then left are worse than it. `planned` says whether the plan that is
    followed has it.
    """

    j: int
    hours: float | None
    cost_percent: float
    expected_error: float | None
    gain: float | None
    planned: bool


@dataclass(frozen=True)
class NextResult:
    """What to do next: `next_j` is the j to compute, None where `stop`, and `reason` says why.

    `expected_error` is the error expected now of all that is not computed, in percent of a rate, None where
    too little is there to tell; `measured` says whether a model was trained for it. `target` is `rates`, or
    `lines` where errors are what 95 of 100 lines and conditions stay below, in percent of a flux.
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

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class State:
    """Which j of the target are computed and what they are for; `request.given` were there before.

    `known_j` are all that the store has, those outside the target too; `planned` those of the plan.
    """

    request: PlanRequest
    plan_id: int | None
    planned: tuple[int, ...]
    known_j: tuple[int, ...]
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]

    @property
    def unknown_j(self) -> tuple[int, ...]:
        """The j of the target that are not computed."""
        known = (*self.train_j, *self.validate_j, *self.request.given, *([] if self.request.v_max else [0]))
        return tuple(j for j in self.request.target if j not in known)


def plan_next(
    db: Path,
    system: str,
    request: PlanRequest | None,
    plan_id: int | None,
    options: VarianceOptions,
    worklist: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> NextResult:
    """Say which j to compute next, after a stored plan or for `request`; its job goes to `worklist`.

    Raises UsageError where there is neither plan nor request, RatedbError where the worklist would overwrite
    a database.
    """
    split_system(system)
    if worklist is not None:
        refuse_database(worklist)
    state = state_of(db, system, request, plan_id)
    result = next_j(db, state, options, report)
    if worklist is not None:
        write_next_job(worklist, state, result)
    return result


def write_next_job(worklist: Path, state: State, result: NextResult) -> None:
    """Write the job of the next j, none where it is time to stop, as .csv or .json."""
    use = "validate" if result.next_j in (state.request.validate_j or ()) else "train"
    uses = {} if result.next_j is None else {result.next_j: use}
    write_atomically({worklist: render_worklist(worklist, jobs_out_of(state.request, uses))})


def next_j(
    db: Path,
    state: State,
    options: VarianceOptions,
    report: Callable[[str], None] = lambda text: None,
) -> NextResult:
    """Say which j to compute next, or that it is time to stop.

    The expected error is what the process of the planner expects, with hyperparameters from all that is
    there, or the calibrated spread of a model trained on it, where that is possible and less. Raises
    RatedbError where too little is known even for the first.
    """
    request = state.request
    options.check(request)
    missing = _missing_validation(state)
    with threadpool_limits(limits=1):  # thousands of small matrices
        knowledge = learn_for(db, replace(request, given=state.known_j), options.like, report)
    design = Design(knowledge.transitions, knowledge.hyperparameters, request.target, request.given)
    measured: float | None = None
    warnings: list[str] = []
    if not missing:
        unknown = np.isin(design.initial_j, state.unknown_j)
        measured, warnings = _measured(db, state, knowledge.transitions.select(unknown), options, report)
    with threadpool_limits(limits=1):
        candidates, now_dex = _candidates(design, state, measured)
    # Where no model can be trained the error is only known to be large.
    now = percent(min(now_dex, NO_MODEL_DEX))
    next_one, stop, reason = decide(candidates, now, state, options, missing)
    return NextResult(
        system=request.system,
        plan_id=state.plan_id,
        train_j=state.train_j,
        validate_j=state.validate_j,
        unknown_j=state.unknown_j,
        expected_error=percent(now_dex) if 0.0 < now_dex < NO_MODEL_DEX else None,
        expected_dex=now_dex if 0.0 < now_dex < NO_MODEL_DEX else None,
        measured=measured is not None,
        candidates=candidates,
        next_j=next_one,
        stop=stop,
        reason=reason,
        warnings=tuple(warnings),
    )


def state_of(db: Path, system: str, request: PlanRequest | None, plan_id: int | None) -> State:
    """Return how far a plan has come: the one of this number, the newest of the system, or `request`.

    Raises UsageError where there is neither plan nor request, RatedbError for an unknown system.
    """
    with opened(db) as connection:
        plan = newest_plan(connection, system) if plan_id is None else get_plan(connection, plan_id)
        v_max = request.v_max if request is not None else 0 if plan is None else plan.request["v_max"]
        known = known_j(connection, system, v_max)
    if plan is not None and plan.system_name != system:
        raise UsageError(f"plan {plan_id} is for another system", expected=system, got=plan.system_name)
    if request is None:
        if plan is None:
            raise UsageError(
                f"there is no plan for {system} to go on with",
                expected="a stored plan, or --j with the initial j of interest",
                todo=f"`ratedb plan {system} --j 5:20 --sizes 4` makes one",
            )
        request = PlanRequest.from_json(plan.request)
    elif plan_id is None:
        plan = None
    chosen = {} if plan is None or plan.chosen is None else plan.chosen
    planned = (*chosen.get("train_j", ()), *chosen.get("validate_j", ()))
    wanted = request.validate_j or tuple(chosen.get("validate_j", ()))
    if not wanted:
        wanted = validation_set(request.target, request.given, ())
    there = {*known, *request.given} | ({0} if v_max == 0 else set())  # nothing leaves j = 0
    computed = tuple(j for j in request.target if j in there)
    return State(
        replace(request, validate_j=tuple(wanted), train_j=None),
        None if plan is None else plan.plan_id,
        tuple(planned),
        known,
        tuple(j for j in computed if j not in wanted and (j in known or j in request.given)),
        tuple(j for j in computed if j in wanted),
    )


def _missing_validation(state: State) -> tuple[int, ...]:
    return tuple(j for j in state.request.validate_j or () if j not in state.validate_j)


def _measured(
    db: Path,
    state: State,
    wanted: Transitions,
    options: VarianceOptions,
    report: Callable[[str], None],
) -> tuple[float | None, list[str]]:
    """Return the calibrated spread, in dex, of a model of what is there, None where it cannot be trained."""
    if len(state.train_j) < 2 or not len(wanted):
        return None, []
    with Store(db) as store:
        if not store.has_system(state.request.system):
            return None, [f"no model of what is there: the store has no {state.request.system}"]
        rates = part_of_target(store.known_rates(state.request.system).known(), state.request)
    report("training a model of what is there")
    known = np.isin(rates.initial_j(), (*state.train_j, *state.validate_j))
    complete, _ = complete_curves(rates.select(known))
    initial = complete.initial_j()
    lacking = sorted({*state.train_j, *state.validate_j} - set(initial.tolist()))
    if lacking:
        listed = format_integers(lacking)
        return None, [f"no model of what is there: the store has no complete rates out of j = {listed}"]
    training, validation = (complete.select(np.isin(initial, j)) for j in (state.train_j, state.validate_j))
    try:
        predictor = search(training, validation, quick_search(rates.levels.molecule, options)).predictor
        supported = predictor.supports(wanted)
        if not supported.all():
            return None, [f"a model of what is there cannot predict {int((~supported).sum())} transitions"]
        predicted = predictor.predict(wanted)
    except WorkersError:
        raise
    except RatedbError as error:
        return None, [f"no model of what is there: {error.what}"]
    return rms(predicted.log10_half_width_68), []


def _candidates(design: Design, state: State, measured: float | None) -> tuple[list[NextJ], float]:
    """Return what each unknown j would bring, the best first, and the error expected now, in dex."""
    known = (*state.train_j, *state.validate_j)
    covariance = design.given_all(state.train_j)
    now = design.expected(np.diag(covariance), known) if state.unknown_j else 0.0
    # A model of N j is judged with one of them left out, and the process of the design is rough: on smooth
    # rates both are too large, so the smaller one counts. Structure that no j has shown is in neither.
    scale = min(1.0, measured / now) if measured is not None and now else 1.0
    costs = state.request.costs if state.unknown_j else None
    found = []
    for j in state.unknown_j:
        variance = design.variance_given(covariance, j)
        left = [other for other in state.unknown_j if other != j]
        after = scale * design.expected(variance, (*known, j)) if left else 0.0
        found.append(
            NextJ(
                j=j,
                hours=costs.hours((j,)) if costs else None,
                cost_percent=100.0 * costs.share((j,)) if costs else 0.0,
                expected_error=_percent(after),
                gain=None if scale * now >= NO_MODEL_DEX else percent(scale * now) - percent(after),
                planned=j in state.planned,
            )
        )
    return sorted(
        found, key=lambda one: np.inf if one.expected_error is None else one.expected_error
    ), scale * now


def _percent(dex: float) -> float | None:
    return percent(dex) if dex < NO_MODEL_DEX else None


def decide(
    candidates: Sequence[NextJ],
    now: float,
    state: State,
    options: VarianceOptions,
    missing: tuple[int, ...],
) -> tuple[int | None, bool, str]:
    """Return the next j of candidates, the best first, whether to stop, and why.

    `now` is the error in percent, `missing` are validation j without which no model can be judged.
    """
    if not candidates:
        return None, True, "every j of the target is computed"
    if missing and (options.budget_hours is None or _hours(state, missing[0]) <= options.budget_hours):
        return missing[0], False, f"it validates: without j = {missing[0]} no model can be judged"
    wanted = options.target_error
    if wanted is not None and now <= wanted:
        return None, True, f"the expected error is {now:.3g} %, the target {wanted:g} %"
    within = [
        one
        for one in candidates
        if options.budget_hours is None or (one.hours or 0.0) <= options.budget_hours
    ]
    if not within:
        return None, True, f"no j that is left costs {options.budget_hours:g} h or less"
    enough = [
        one
        for one in within
        if wanted is not None and one.expected_error is not None and one.expected_error <= wanted
    ]
    if enough:
        best = min(enough, key=lambda one: one.cost_percent)
        return best.j, False, f"the cheapest that is expected to reach {wanted:g} %"
    if any(one.gain is None for one in within):
        pool, whose = _planned_first(_nearly_least(within))
        best = min(pool, key=lambda one: one.cost_percent)
        return (
            best.j,
            False,
            f"{whose}the least cost after which nearly the least error is expected",
        )
    short = "" if wanted is None else f"; no single j is expected to reach {wanted:g} %"
    gains = {one.j: one.gain or 0.0 for one in within}
    greatest = max(gains.values())
    if wanted is None and greatest < _WORTHWHILE * now:
        return None, True, f"no j is expected to take away more than {100 * _WORTHWHILE:.0f} % of the error"
    pool, whose = _planned_first([one for one in within if gains[one.j] >= _NEARLY_BEST * greatest])
    best = max(pool, key=lambda one: gains[one.j] / max(one.cost_percent, 1e-12))
    return best.j, False, f"{whose}most error taken away for its cost, of those that take away much{short}"


def _planned_first(good: list[NextJ]) -> tuple[list[NextJ], str]:
    """Return those that the plan has, which looks further ahead than one j, or all where it has none."""
    planned = [one for one in good if one.planned]
    return (planned, "of the plan's j the one with ") if planned else (good, "")


def _nearly_least(pool: Sequence[NextJ]) -> list[NextJ]:
    errors = {one.j: np.inf if one.expected_error is None else one.expected_error for one in pool}
    least = min(errors.values())
    return [one for one in pool if errors[one.j] <= _NEARLY_LEAST * least]


def _hours(state: State, j: int) -> float:
    return state.request.costs.hours((j,)) or 0.0
