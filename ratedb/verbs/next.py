"""Choose which initial j to compute next, or to stop."""

from __future__ import annotations

from pathlib import Path

from ratedb.files import LARGEST_JSON_BYTES, read_bytes, refuse_database, write_atomically
from ratedb.io.hours import read_hours
from ratedb.levels import LINEAR, UNKNOWN_KIND
from ratedb.options import NextOptions, Progress, silent
from ratedb.planning.limits import check_next
from ratedb.planning.next_for_lines import next_for_lines, parse_impact
from ratedb.planning.next_j import NextResult, next_j
from ratedb.planning.next_unit import NextUnitResult
from ratedb.planning.request import PlanRequest
from ratedb.planning.state import State, followed, state_of
from ratedb.planning.worklist import jobs_out_of, render_worklist
from ratedb.store.store import Store, store_exists
from ratedb.systems import split_system
from ratedb.verbs.known_rates import rates_to_plan
from ratedb.verbs.unit_next import next_by_unit


def next_(
    db: Path, system: str, options: NextOptions, progress: Progress = silent
) -> NextResult | NextUnitResult:
    """Choose the next j after a stored plan or for `options.j`; its job goes to a worklist.

    Of tops and pairs it is the next initial state.

    With `for_lines` errors are those of line fluxes. Raises UsageError where there is neither plan nor `j`,
    RatedbError where too little is known, or the file of lines does not match the store.
    """
    molecule, _ = split_system(system)
    if _is_by_unit(db, system, molecule, options):
        return next_by_unit(db, system, options, progress)
    check_next(options)
    if options.worklist is not None:
        refuse_database(options.worklist)
        render_worklist(str(options.worklist), [])  # its name is checked before the work
    if options.for_lines is not None:
        lines = parse_impact(
            read_bytes(options.for_lines, largest=LARGEST_JSON_BYTES), str(options.for_lines)
        )
        state = _state(db, system, options)
        with Store(db) as store:
            predicted_j, model_ids = store.predicted_by(system)
        result = next_for_lines(state, options, lines, predicted_j, model_ids)
    else:
        state = _state(db, system, options)
        result = next_j(state, options, rates_to_plan(db, system, options.like), progress)
    if options.worklist is not None:
        use = "validate" if result.next_j in (state.request.validate_j or ()) else "train"
        jobs = jobs_out_of(state.request, {} if result.next_j is None else {result.next_j: use})
        write_atomically({options.worklist: render_worklist(str(options.worklist), jobs)})
    return result


def _is_by_unit(db: Path, system: str, molecule: str, options: NextOptions) -> bool:
    """Return whether initial states are chosen: by the molecule's kind, else by the plan that is followed."""
    if not store_exists(db):
        return False
    with Store(db) as store:
        kind = store.molecule_kind(molecule)
        if kind:
            return kind not in (LINEAR, UNKNOWN_KIND)
        plan = store.newest_plan(system) if options.plan is None else store.plan(options.plan)
    return options.j is None and plan is not None and "share_percent" in plan.request


def _state(db: Path, system: str, options: NextOptions) -> State:
    """Return how far the plan has come that is followed: the one named, the newest, or what `j` asks for."""
    hours = None if options.hours_file is None else read_hours(options.hours_file)
    own = None if options.j is None else PlanRequest.of(system, options, hours)
    with Store(db) as store:
        plan = None
        if options.plan is not None:
            plan = store.plan(options.plan)
        elif own is None:
            plan = store.newest_plan(system)
        request = followed(system, own, plan)
        return state_of(request, plan, store.known_j(system, request.v_max))
