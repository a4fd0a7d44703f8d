"""Choose which initial state of a top or a pair to compute next, or to stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratedb.errors import UsageError
from ratedb.files import LARGEST_JSON_BYTES, read_bytes, refuse_database, write_atomically
from ratedb.io.hours import read_unit_hours
from ratedb.options import NextOptions, Progress
from ratedb.planning.next_for_lines import parse_impact
from ratedb.planning.next_unit import NextUnitResult, UnitState, next_unit, next_unit_for_lines
from ratedb.planning.unit_plan import Landscape, UnitRequest
from ratedb.planning.worklist import UnitJob, render_worklist, unit_jobs
from ratedb.store.plans import Plan
from ratedb.store.store import Store
from ratedb.verbs.unit_plan import levels_and_units, refuse_options

_ONLY_J = ("like", "j", "v_max", "given_j", "validate_j", "jobs", "scheduler")


def next_by_unit(db: Path, system: str, options: NextOptions, progress: Progress) -> NextUnitResult:
    """Choose the next initial state after a stored plan, or of all states; its job goes to a worklist.

    Raises UsageError for options of plans by j, RatedbError where levels are not known.
    """
    refuse_options(options, _ONLY_J)
    if options.worklist is not None:
        refuse_database(options.worklist)
        render_worklist(str(options.worklist), [])  # its name is checked before the work
    levels, known = levels_and_units(db, system, options.levels)
    with Store(db) as store:
        plan = store.newest_plan(system) if options.plan is None else store.plan(options.plan)
        rates = store.known_rates(system).known() if store.has_system(system) else None
        models = frozenset(store.models_that_predict(system)) if rates is not None else frozenset()
    request = _request(system, plan, options, known)
    landscape = Landscape(levels, request)
    chosen = (plan.chosen or {}) if plan is not None else {}
    labels = (*chosen.get("train_units", ()), *chosen.get("validate_units", ()))
    computed = np.intersect1d(landscape.units.places(known, "the store"), landscape.of_interest)
    planned = landscape.units.places(labels, f"plan {plan.plan_id}" if plan else "the plan")
    if len(computed) < len(landscape.of_interest) and options.budget_hours is not None:
        _need_hours(landscape)
    progress("training a model on the known rates")
    state = UnitState(landscape, None if plan is None else plan.plan_id, computed, planned)
    if options.for_lines is None:
        result = next_unit(state, options, rates)
    else:
        lines = parse_impact(
            read_bytes(options.for_lines, largest=LARGEST_JSON_BYTES), str(options.for_lines)
        )
        result = next_unit_for_lines(state, options, lines, models)
    if options.worklist is not None:
        uses = {} if result.next_unit is None else {result.next_unit: "train"}
        write_atomically(
            {options.worklist: render_worklist(str(options.worklist), unit_jobs(landscape, uses), UnitJob)}
        )
    return result


def _need_hours(landscape: Landscape) -> None:
    if landscape.costs.total_hours is None:
        raise UsageError(
            "a budget needs hours", expected="--hours-total or --hours-file", got="relative costs only"
        )


def _request(system: str, plan: Plan | None, options: NextOptions, known: tuple[str, ...]) -> UnitRequest:
    """Return the request of the plan that is followed, else one of all states, with options' costs."""
    if plan is not None and plan.system_name != system:
        raise UsageError(f"plan {plan.plan_id} is for another system", expected=system, got=plan.system_name)
    if plan is not None and "share_percent" in plan.request:
        kept = UnitRequest.from_json(plan.request)
        costs = kept.cost_by, kept.cost_exponent, kept.hours_total, 0.0, kept.hours_by_unit
        return UnitRequest(system, kept.share_percent, kept.strategy, kept.seed, known, (), (), *costs)
    hours = None if options.hours_file is None else read_unit_hours(options.hours_file)
    return UnitRequest(
        system,
        given_units=known,
        cost_exponent=options.cost_exponent,
        hours_total=options.hours_total,
        hours_by_unit=hours,
    )
