"""Choose which initial states of a top or a pair to compute, and store the plan."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from ratedb.declared import flag_of
from ratedb.errors import RatedbError, UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.io.hours import read_unit_hours
from ratedb.io.level_lists import read_levels_of
from ratedb.levels import Levels
from ratedb.models.tops.wanted import computed_units
from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.unit_plan import (
    DEFAULT_SHARE_PERCENT,
    UnitCandidate,
    UnitRequest,
    plan_units,
    with_known,
)
from ratedb.planning.worklist import UnitJob, render_worklist, unit_jobs
from ratedb.results import Result
from ratedb.store.plans import Plan
from ratedb.store.store import Store, store_exists
from ratedb.systems import split_system

_ONLY_J = (
    "j", "v_max", "given_j", "sizes", "like", "target_error", "budget_hours", "optimiser", "train_j",
    "validate_j", "kernels", "mean", "jobs", "scheduler",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class UnitPlanResult(Result):
    """A plan by initial states: what was asked, and the chosen set with its costs."""

    plan_id: int | None
    system: str
    strategy: str
    request: UnitRequest
    candidates: list[UnitCandidate]
    chosen: UnitCandidate
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return in a few words what was chosen."""
        return f"{self.system}, {self.strategy}, train on {', '.join(self.chosen.train_units)}"


def plan_by_unit(db: Path, system: str, options: PlanOptions) -> UnitPlanResult:
    """Plan by initial states and store the plan; a worklist is written with it.

    Raises UsageError for options of plans by j or unknown labels, RatedbError where levels are not known.
    """
    refuse_options(options, _ONLY_J)
    if options.worklist is not None:
        refuse_database(options.worklist)
        render_worklist(str(options.worklist), [])  # its name is checked before the work
    asked = request_of(system, options)
    levels, known = levels_and_units(db, system, options.levels)
    given = known if options.given_units is None else options.given_units
    landscape, warnings = with_known(levels, asked, given)
    chosen = plan_units(landscape)
    if set(chosen.train_units) | set(chosen.validate_units) <= set(landscape.request.given_units):
        share = 100.0 * len(chosen.train_units) / len(landscape.of_interest)
        warnings += (f"nothing to compute: {share:.0f} % of the initial states are computed already",)
    strategy = "own" if asked.train_units else asked.strategy
    found = UnitPlanResult(None, system, strategy, landscape.request, [chosen], chosen, warnings)
    worklist: dict[Path, bytes] = {}
    if options.worklist is not None:
        uses = dict.fromkeys(chosen.train_units, "train") | dict.fromkeys(chosen.validate_units, "validate")
        worklist[options.worklist] = render_worklist(
            str(options.worklist), unit_jobs(landscape, uses), UnitJob
        )
    if options.dry_run:
        write_atomically(worklist)
        return found
    values = asdict(found)
    stored = Plan(system, strategy, values["request"], values["candidates"], values["chosen"])
    with Store(db, write=True, create=True) as store:
        write_atomically(worklist)
        return replace(found, plan_id=store.put_plan(stored))


def request_of(system: str, options: PlanOptions) -> UnitRequest:
    """Return what options of a plan ask for; raises UsageError for invalid ones."""
    hours = None if options.hours_file is None else read_unit_hours(options.hours_file)
    if options.share is not None and options.train_units:
        raise UsageError("--share has no effect with --train-units", expected="one of them", got="both")
    return UnitRequest(
        system,
        DEFAULT_SHARE_PERCENT if options.share is None else options.share,
        options.strategy,
        options.seed,
        train_units=options.train_units or (),
        validate_units=options.validate_units or (),
        cost_by=options.cost_by,
        cost_exponent=options.cost_exponent,
        hours_total=options.hours_total,
        model_hours=options.model_hours,
        hours_by_unit=hours,
    )


def levels_and_units(db: Path, system: str, path: Path | None = None) -> tuple[Levels, tuple[str, ...]]:
    """Return the levels of a system, and which of its initial states are computed in the store.

    Raises RatedbError where neither the store nor a file has the levels.
    """
    molecule, collider = split_system(system)
    if path is not None and molecule.endswith(f"({collider})"):
        raise UsageError(
            f"--levels has the states of one molecule, and {system} is a pair",
            expected="rates of the pair in the store, imported with --levels and --collider-levels",
            got=str(path),
        )
    listed = None if path is None else read_levels_of((path,), molecule).levels
    if store_exists(db):
        with Store(db) as store:
            if store.has_system(system):
                known = store.known_rates(system).known()
                if listed is not None:
                    said = f"the store has the levels of {molecule}"
                    raise UsageError(f"--levels has no effect: {said}", expected="no --levels", got=str(path))
                return known.levels, computed_units(known)
            if listed is None and store.has_molecule(molecule):
                return store.levels(molecule).levels, ()
    if listed is None:
        raise RatedbError(
            f"the levels of {molecule} are not known",
            where=str(db),
            expected="a store with rates of it, or --levels FILE",
            got="neither",
            todo="name a list of its levels with --levels: LAMDA, BASECOL, molpop or CSV",
        )
    return listed, ()


def refuse_options(options: PlanOptions | NextOptions, names: tuple[str, ...]) -> None:
    """Raise UsageError for options of plans by j, which `names` are."""
    for one in fields(options):
        if one.name in names and getattr(options, one.name) != one.default:
            taken = [flag_of(other.name) for other in fields(options) if other.name not in names]
            raise UsageError(
                f"{flag_of(one.name)} has no effect where initial states are planned",
                expected=", ".join(taken),
                got=flag_of(one.name),
            )
