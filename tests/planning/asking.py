"""Options that ask for a request, for tests that go through the verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.knowledge import Knowledge, learn_for
from ratedb.planning.request import PlanRequest
from ratedb.planning.variance import VarianceResult, plan_by_variance
from ratedb.verbs.known_rates import rates_to_plan

VARIANCE = PlanOptions(strategy="variance")


def _shared(request: PlanRequest) -> dict[str, Any]:
    names = ("v_max", "validate_j", "cost_exponent", "hours_total")
    return {name: getattr(request, name) for name in names} | {"j": request.target, "given_j": request.given}


def options_of(request: PlanRequest, **more: Any) -> PlanOptions:
    """Return the options of `plan` that ask for a request without measured hours."""
    own = {name: getattr(request, name) for name in ("sizes", "train_j", "model_hours")}
    return PlanOptions(**(_shared(request) | own | more))


def next_options_of(request: PlanRequest | None = None, **more: Any) -> NextOptions:
    """Return the options of `next` that ask for a request, or follow a plan."""
    return NextOptions(**(({} if request is None else _shared(request)) | more))


def learnt(db: Path, request: PlanRequest, like: str | None = None) -> Knowledge:
    """Return what is learnt from a store."""
    return learn_for(rates_to_plan(db, request.system, like), request)


def by_variance(db: Path, request: PlanRequest, options: PlanOptions = VARIANCE) -> VarianceResult:
    """Return the plan by variance with what a store knows."""
    return plan_by_variance(rates_to_plan(db, request.system, options.like), request, options)
