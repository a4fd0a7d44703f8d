"""How far a plan has come: which j are computed, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ratedb.errors import UsageError
from ratedb.planning.request import PlanRequest
from ratedb.planning.sets import validation_set

if TYPE_CHECKING:
    from ratedb.store.plans import Plan


@dataclass(frozen=True)
class State:
    """Which j of the target are computed and what they are for; `request.given` were computed before.

    `known_j` are all initial j in the store, also outside the target; `planned` are those of the plan.
    """

    request: PlanRequest
    plan_id: int | None
    planned: tuple[int, ...]
    known_j: tuple[int, ...]
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]

    @property
    def computed_j(self) -> tuple[int, ...]:
        """The computed j of the target, those that train first."""
        return (*self.train_j, *self.validate_j)

    @property
    def unknown_j(self) -> tuple[int, ...]:
        """The j of the target that are not computed."""
        known = (*self.computed_j, *self.request.given, *([] if self.request.v_max else [0]))
        return tuple(j for j in self.request.target if j not in known)

    @property
    def missing_validation(self) -> tuple[int, ...]:
        """The validation j that are not computed."""
        return tuple(j for j in self.request.validate_j or () if j not in self.validate_j)

    def hours(self, j: int) -> float:
        """Return the hours of one j, 0 where they are unknown."""
        return self.request.costs.hours((j,)) or 0.0


def state_of(request: PlanRequest, plan: Plan | None, known_j: tuple[int, ...]) -> State:
    """Return how far a request has come, with the sets of a plan where one is followed."""
    chosen = plan.chosen if plan is not None and plan.chosen is not None else {}
    planned = (*chosen.get("train_j", ()), *chosen.get("validate_j", ()))
    wanted = request.validate_j or tuple(chosen.get("validate_j", ()))
    wanted = wanted or validation_set(request.target, request.given, ())
    known = {*known_j, *request.given}
    at_bottom = {0} if request.v_max == 0 else set()  # no transition leaves j = 0
    return State(
        replace(request, validate_j=wanted, train_j=None),
        None if plan is None else plan.plan_id,
        planned,
        known_j,
        tuple(j for j in request.target if j in known and j not in wanted),
        tuple(j for j in request.target if j in known | at_bottom and j in wanted),
    )


def followed(system: str, request: PlanRequest | None, plan: Plan | None) -> PlanRequest:
    """Return what to follow: a request takes precedence over a plan.

    Raises UsageError where there is neither, or the plan is of another system.
    """
    if plan is not None and plan.system_name != system:
        raise UsageError(f"plan {plan.plan_id} is for another system", expected=system, got=plan.system_name)
    if request is not None:
        return request
    if plan is None:
        raise UsageError(
            f"there is no plan for {system} to follow",
            expected="a stored plan, or --j with the initial j of interest",
            todo=f"`ratedb plan {system} --j 5:20 --sizes 4` makes one",
        )
    return PlanRequest.from_json(plan.request)
