"""Plan which initial j to compute, and keep the plan."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ratedb.planning.plan import Candidate, PlanRequest, plan_candidates
from ratedb.store.records import Plan
from ratedb.store.store import Store, split_system


@dataclass(frozen=True)
class PlanResult:
    """A plan: every candidate set with its figures, and the chosen one where there is one."""

    plan_id: int | None
    system: str
    strategy: str
    candidates: list[Candidate]
    chosen: Candidate | None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "plan_id": self.plan_id,
            "system": self.system,
            "strategy": self.strategy,
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "chosen": None if self.chosen is None else self.chosen.to_json(),
        }


def make_plan(
    db: Path,
    system: str,
    request: PlanRequest,
    *,
    dry_run: bool = False,
) -> PlanResult:
    """Plan for a system, which need not be in the store, and keep the plan.

    With `request.train_j` the strategy is `own`: what that set costs; else `spread`. A single
    candidate is the chosen one. Raises UsageError where no set can be placed.
    """
    split_system(system)
    candidates = plan_candidates(request)
    strategy = "spread" if request.train_j is None else "own"
    chosen = candidates[0] if len(candidates) == 1 else None
    result = PlanResult(None, system, strategy, candidates, chosen)
    if dry_run:
        return result
    with Store(db, write=True, create=True) as store:
        plan_id = store.put_plan(
            Plan(
                system_name=system,
                strategy=strategy,
                request=asdict(request),
                candidates=[candidate.to_json() for candidate in candidates],
                chosen=None if chosen is None else chosen.to_json(),
            )
        )
    return replace(result, plan_id=plan_id)
