"""Choose which initial j to compute, and store the plan."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratedb.declared import flag_of
from ratedb.errors import UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.io.hours import read_hours
from ratedb.options import PlanOptions, Progress, silent
from ratedb.paper.printed import with_printed
from ratedb.planning.limits import check_plan, no_single_set
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import PlanResult, only, plan_candidates
from ratedb.planning.worklist import jobs_of, render_worklist
from ratedb.store.opening import store_exists
from ratedb.store.plans import Plan, PlanStore
from ratedb.systems import split_system

if TYPE_CHECKING:  # brings NumPy, which a plan by j without data does not need
    from ratedb.verbs.unit_plan import UnitPlanResult

LINEAR, UNKNOWN = "linear", "unknown"  # as ratedb.levels has them, which brings NumPy


_BY_UNIT = ("share", "train_units", "validate_units", "given_units", "levels")


def plan(
    db: Path, system: str, options: PlanOptions, progress: Progress = silent
) -> PlanResult | UnitPlanResult:
    """Plan for a system and store the plan; a worklist is written with it.

    Where the molecule is no linear one, initial states are planned.

    With `train_j` the strategy is `own`, which shows the costs of that set. A single candidate is the chosen
    one. Raises UsageError where no set fits.
    """
    molecule, _ = split_system(system)
    if _is_by_unit(db, molecule, options):
        from ratedb.verbs.unit_plan import plan_by_unit

        return plan_by_unit(db, system, options)
    hours = None if options.hours_file is None else read_hours(options.hours_file)
    request = PlanRequest.of(system, options, hours)
    check_plan(request, options)
    if options.worklist is not None:
        render_worklist(str(options.worklist), [])  # its name is checked before the work
    request, warnings = _with_stored_j(db, request, options)
    found = _planned(db, request, options, progress)
    found = replace(
        found,
        candidates=[with_printed(request, one) for one in found.candidates],
        chosen=None if found.chosen is None else with_printed(request, found.chosen),
        warnings=(*warnings, *found.warnings),
    )
    worklist = _worklist(found, options.worklist)
    if options.dry_run:
        return found
    values = asdict(found)
    stored = Plan(system, found.strategy, values["request"], values["candidates"], values["chosen"])
    # The table alone: the whole store loads NumPy, which a plan without data does not need.
    with PlanStore(db, write=True, create=True) as store:
        write_atomically(worklist)
        return replace(found, plan_id=store.put_plan(stored))


def _is_by_unit(db: Path, molecule: str, options: PlanOptions) -> bool:
    """Return whether initial states are planned; raises UsageError for their options with a linear molecule.

    The store says so where it has the molecule, else the options.
    """
    kind = ""
    if store_exists(db):
        with PlanStore(db) as store:
            kind = store.molecule_kind(molecule)
    asked = [name for name in _BY_UNIT if getattr(options, name) is not None]
    if kind == LINEAR and asked:
        flag = flag_of(asked[0])
        raise UsageError(
            f"{flag} has no effect: {molecule} is a linear molecule, planned by j",
            expected="--j with --sizes, or --train-j",
            got=flag,
        )
    if kind in ("", UNKNOWN):
        return bool(asked) or options.strategy == "random" or (kind == UNKNOWN and options.j is None)
    return kind != LINEAR


def _planned(db: Path, request: PlanRequest, options: PlanOptions, progress: Progress) -> PlanResult:
    system, strategy = request.system, options.strategy
    if strategy == "spread":
        sets = plan_candidates(request)
        name = "spread" if request.train_j is None else "own"
        return PlanResult(None, system, name, request, sets, only(sets))
    # Models are slow to import, and a plan without data needs none.
    from ratedb.verbs.known_rates import StoredScores, known_rates, rates_to_plan

    if strategy == "variance":
        from ratedb.planning.variance import plan_by_variance

        curve = plan_by_variance(rates_to_plan(db, system, options.like), request, options, progress)
        return PlanResult(
            None, system, strategy, request, curve.candidates, curve.chosen, warnings=curve.warnings
        )
    from ratedb.planning.exhaustive import search_sets

    book = StoredScores(db, system, options.dry_run)
    found = search_sets(known_rates(db, system), request, options, book, progress)
    scored = len({score.trial for score in found.scores})
    sets = found.candidates
    return PlanResult(None, system, strategy, request, sets, only(sets), scored, found.warnings)


def _with_stored_j(
    db: Path, request: PlanRequest, options: PlanOptions
) -> tuple[PlanRequest, tuple[str, ...]]:
    """Return the request with the j of the store as given, unless others are named."""
    if options.given_j is not None or options.strategy == "exhaustive" or not store_exists(db):
        return request, ()
    with PlanStore(db) as store:
        known = store.known_j(request.system, request.v_max)
    if known and request.v_max == 0:
        known = tuple(sorted({0, *known}))  # no transition leaves j = 0
    if set(request.target) <= set(known):
        return request, ("every j is in the store: planned without given j; --given-j names some",)
    return replace(request, given=known), ()


def _worklist(found: PlanResult, path: Path | None) -> dict[Path, bytes]:
    """Return the worklist as it will be written, nothing where none is asked for."""
    if path is None:
        return {}
    refuse_database(path)
    if found.chosen is None:
        raise no_single_set(f"{len(found.candidates)} candidates")
    return {path: render_worklist(str(path), jobs_of(found.request, found.chosen))}
