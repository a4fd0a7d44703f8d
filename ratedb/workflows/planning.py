"""Plan which initial j to compute, and keep the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ratedb.errors import UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.planning.plan import DEFAULT_SIZES, Candidate, PlanRequest, plan_candidates
from ratedb.planning.worklist import render_worklist
from ratedb.store.records import Plan
from ratedb.store.store import Store, split_system

STRATEGIES = ("spread", "exhaustive")


@dataclass(frozen=True)
class PlanOptions:
    """How to choose the sets: `spread` needs no data, `exhaustive` a system that is fully known.

    `kernels` (None: the paper's seven), `features`, `mean` and `jobs` are those of the exhaustive search.
    """

    strategy: str = "spread"
    kernels: tuple[str, ...] | None = None
    features: str = "auto"
    mean: str = "linear"
    jobs: int = 1
    worklist: Path | None = None


@dataclass(frozen=True)
class PlanResult:
    """A plan: every candidate set with its figures, and the chosen one where there is one.

    `scored_sets` is how many sets the exhaustive search compared, each with every kernel.
    """

    plan_id: int | None
    system: str
    strategy: str
    candidates: list[Candidate]
    chosen: Candidate | None
    scored_sets: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def make_plan(
    db: Path,
    system: str,
    request: PlanRequest,
    options: PlanOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> PlanResult:
    """Plan for a system and keep the plan; only the strategy `exhaustive` needs its rates.

    With `request.train_j` the strategy is `own`: what that set costs. A single candidate is the chosen one;
    its jobs go to `options.worklist`. Raises UsageError where no set can be placed.
    """
    options = options or PlanOptions()
    split_system(system)
    result = _plan(db, system, request, options, dry_run, report)
    worklist = _worklist(request, options, result)
    if dry_run:
        return result
    with Store(db, write=True, create=True) as store:
        write_atomically(worklist)
        plan_id = store.put_plan(
            Plan(
                system_name=system,
                strategy=result.strategy,
                request=asdict(request),
                candidates=[candidate.to_json() for candidate in result.candidates],
                chosen=None if result.chosen is None else result.chosen.to_json(),
            )
        )
    return replace(result, plan_id=plan_id)


def _worklist(request: PlanRequest, options: PlanOptions, result: PlanResult) -> dict[Path, bytes]:
    """Return the worklist as it will be written, nothing where none is asked for."""
    if options.worklist is None:
        return {}
    refuse_database(options.worklist)
    if result.chosen is None:
        raise UsageError(
            "a worklist needs one chosen set",
            expected="--sizes with one number, or --train-j",
            got=f"{len(result.candidates)} candidates",
        )
    return {options.worklist: render_worklist(options.worklist, request, result.chosen)}


def _plan(
    db: Path,
    system: str,
    request: PlanRequest,
    options: PlanOptions,
    dry_run: bool,
    report: Callable[[str], None],
) -> PlanResult:
    if options.strategy not in STRATEGIES:
        raise UsageError(
            f"unknown strategy {options.strategy!r}",
            expected=f"{', '.join(STRATEGIES)}, or --train-j with a set of your own",
        )
    if options.jobs < 1:
        raise UsageError("the number of jobs makes no sense", expected="1 or more", got=str(options.jobs))
    if request.train_j is not None and options.strategy != "spread":
        raise UsageError(
            "a set of one's own is not searched for",
            expected=f"either --train-j or --strategy {options.strategy}",
            got="both",
        )
    if request.train_j is not None or options.strategy == "spread":
        candidates = plan_candidates(request)
        strategy = "spread" if request.train_j is None else "own"
        return PlanResult(None, system, strategy, candidates, _only(candidates))
    if request.validate_j is not None:
        raise UsageError(
            "the exhaustive search places a validation set beside every training set",
            expected="--validate-j together with --train-j only",
            got=f"--validate-j {', '.join(map(str, request.validate_j))}",
        )
    # Here, since models are slow to import and a plan without data needs none.
    from ratedb.models.kernels import DISTINCT_KERNELS
    from ratedb.workflows.exhaustive import SearchOptions, search_sets

    search = SearchOptions(options.kernels or DISTINCT_KERNELS, options.features, options.mean, options.jobs)
    found = search_sets(db, request, request.sizes or DEFAULT_SIZES, search, keep=not dry_run, report=report)
    return PlanResult(
        None,
        system,
        options.strategy,
        found.candidates,
        _only(found.candidates),
        len({score.trial for score in found.scores}),
        found.warnings,
    )


def _only(candidates: list[Candidate]) -> Candidate | None:
    return candidates[0] if len(candidates) == 1 else None
