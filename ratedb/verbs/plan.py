"""Plan which initial j to compute, and keep the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ratedb.errors import UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.planning.plan import DEFAULT_SIZES, Candidate, PlanRequest, plan_candidates
from ratedb.planning.worklist import jobs_of, render_worklist
from ratedb.store.plans import Plan, known_j, opened, put_plan
from ratedb.systems import split_system

STRATEGIES = ("spread", "variance", "exhaustive")


@dataclass(frozen=True)
class PlanOptions:
    """How to choose the sets.

    `spread` needs no data; `variance` needs low j of the system, or another one that is known (`like`);
    `exhaustive` needs the system itself for every j. `kernels` (None: the paper's seven), `features` and
    `mean` are those of the exhaustive search; `target_error` (percent of a rate), `budget_hours` and
    `optimiser` those of `variance`. With `given_from_store` the j that the store has are given.
    """

    strategy: str = "spread"
    kernels: tuple[str, ...] | None = None
    features: str = "auto"
    mean: str = "linear"
    like: str | None = None
    target_error: float | None = None
    budget_hours: float | None = None
    optimiser: str = "auto"
    given_from_store: bool = False
    jobs: int = 1
    scheduler: str | None = None
    worklist: Path | None = None


@dataclass(frozen=True)
class PlanResult:
    """A plan: every candidate set with its figures, and the chosen one where there is one.

    `request` is what was planned for, with the given j of the store; `scored_sets` is how many sets the
    exhaustive search compared, each with every kernel.
    """

    plan_id: int | None
    system: str
    strategy: str
    request: PlanRequest
    candidates: list[Candidate]
    chosen: Candidate | None
    scored_sets: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def make_plan(
    db: Path,
    request: PlanRequest,
    options: PlanOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> PlanResult:
    """Plan for a system and keep the plan.

    With `request.train_j` the strategy is `own`: what that set costs. A single candidate is the chosen one;
    its jobs go to `options.worklist`. Raises UsageError where no set can be placed.
    """
    options = options or PlanOptions()
    split_system(request.system)
    request, of_given = _given(db, request, options)
    result = _plan(db, request, options, dry_run, report)
    result = replace(result, warnings=(*of_given, *result.warnings))
    worklist = _worklist(options.worklist, result)
    if dry_run:
        return result
    with opened(db, write=True) as connection:
        write_atomically(worklist)
        plan_id = put_plan(
            connection,
            Plan(
                system_name=request.system,
                strategy=result.strategy,
                request=asdict(result.request),
                candidates=[candidate.to_json() for candidate in result.candidates],
                chosen=None if result.chosen is None else result.chosen.to_json(),
            ),
        )
    return replace(result, plan_id=plan_id)


def _worklist(path: Path | None, result: PlanResult) -> dict[Path, bytes]:
    """Return the worklist as it will be written, nothing where none is asked for."""
    if path is None:
        return {}
    refuse_database(path)
    if result.chosen is None:
        raise _no_single_set(f"{len(result.candidates)} candidates")
    return {path: render_worklist(path, jobs_of(result.request, result.chosen))}


def _no_single_set(got: str) -> UsageError:
    return UsageError(
        "a worklist needs one chosen set",
        expected="--sizes with one number, --target-error, --budget-hours, or --train-j",
        got=got,
    )


def _plan(
    db: Path,
    request: PlanRequest,
    options: PlanOptions,
    dry_run: bool,
    report: Callable[[str], None],
) -> PlanResult:
    system, strategy = request.system, options.strategy
    _check(request, options)
    if request.train_j is not None or strategy == "spread":
        candidates = plan_candidates(request)
        name = "spread" if request.train_j is None else "own"
        return PlanResult(None, system, name, request, candidates, _only(candidates))
    # Models are slow to import, and a plan without data needs none.
    if strategy == "variance":
        from ratedb.planning.variance import VarianceOptions, plan_by_variance

        variance = VarianceOptions(
            options.like,
            options.target_error,
            options.budget_hours,
            options.optimiser,
            options.jobs,
            options.scheduler,
        )
        curve = plan_by_variance(db, request, variance, report)
        return PlanResult(
            None, system, strategy, request, curve.candidates, curve.chosen, warnings=curve.warnings
        )
    from ratedb.models.kernels import DISTINCT_KERNELS
    from ratedb.planning.exhaustive import SearchOptions, search_sets

    search = SearchOptions(
        options.kernels or DISTINCT_KERNELS, options.features, options.mean, options.jobs, options.scheduler
    )
    found = search_sets(db, request, request.sizes or DEFAULT_SIZES, search, keep=not dry_run, report=report)
    scored_sets = len({score.trial for score in found.scores})
    return PlanResult(
        None,
        system,
        strategy,
        request,
        found.candidates,
        _only(found.candidates),
        scored_sets,
        found.warnings,
    )


def _check(request: PlanRequest, options: PlanOptions) -> None:
    """Raise UsageError for an unknown strategy, or options that the strategy cannot heed."""
    strategy = options.strategy
    if strategy not in STRATEGIES:
        raise UsageError(
            f"unknown strategy {strategy!r}",
            expected=f"{', '.join(STRATEGIES)}, or --train-j with a set of your own",
        )
    if options.jobs < 1:
        raise UsageError("the number of jobs makes no sense", expected="1 or more", got=str(options.jobs))
    if request.train_j is not None and strategy != "spread":
        raise UsageError(
            "a set of one's own is not searched for",
            expected=f"either --train-j or --strategy {strategy}",
            got="both",
        )
    if request.validate_j is not None and strategy != "spread":
        raise UsageError(
            f"the strategy {strategy} places a validation set beside every training set",
            expected="--validate-j together with --train-j only",
            got=f"--validate-j {', '.join(map(str, request.validate_j))}",
        )
    default = PlanOptions()
    for heeded_by, names in (
        (("variance",), ("like", "target_error", "budget_hours", "optimiser")),
        (("exhaustive",), ("kernels", "features", "mean")),
        (("variance", "exhaustive"), ("jobs", "scheduler")),
    ):
        ignored = [name for name in names if getattr(options, name) != getattr(default, name)]
        if ignored and strategy not in heeded_by:
            raise UsageError(
                f"the strategy {strategy} does not heed --{ignored[0].replace('_', '-')}",
                expected=f"it with --strategy {' or '.join(heeded_by)}",
                got=f"{getattr(options, ignored[0])}",
            )
    if options.worklist is not None:
        render_worklist(options.worklist, [])
        picked = request.train_j is not None or len(request.sizes or ()) == 1
        if not picked and options.target_error is None and options.budget_hours is None:
            raise _no_single_set(f"{len(request.sizes or ())} sizes" if request.sizes else "all sizes")


def _given(db: Path, request: PlanRequest, options: PlanOptions) -> tuple[PlanRequest, tuple[str, ...]]:
    """Return the request with what the store has as given j, where that is asked for."""
    if not options.given_from_store or options.strategy == "exhaustive" or not db.exists():
        return request, ()
    with opened(db) as connection:
        known = known_j(connection, request.system, request.v_max)
    if known and request.v_max == 0:
        known = tuple(sorted({0, *known}))  # nothing leaves j = 0
    if set(request.target) <= set(known):
        return request, (
            "every j is in the store: planned as if none were; --given-j names those that count",
        )
    return replace(request, given=known), ()


def _only(candidates: list[Candidate]) -> Candidate | None:
    return candidates[0] if len(candidates) == 1 else None
