"""What a page says of the newest plan of a system: cost and error of its sets, what the chosen one saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ratedb.store.plans import Plan


@dataclass(frozen=True)
class PlanWords:
    """A plan: `words` on the chosen set, a table of all sets, and the points of its curve, both in %.

    `chosen` is the point of the chosen set, None where it has no expected error; `cost` and `error` are empty
    where fewer than two sets have one.
    """

    words: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cost: tuple[float, ...]
    error: tuple[float, ...]
    chosen: tuple[float, float] | None


def words_of_plan(plan: Plan) -> PlanWords:
    """Return what is said of a plan."""
    sets = sorted(plan.candidates, key=lambda one: float(one["explicit_percent"]))
    points = [(one["explicit_percent"], one["expected_error"]) for one in sets if _has_error(one)]
    curve = points if len(points) > 1 else []
    rows = tuple(
        (
            "chosen" if plan.chosen is not None and _sets(one) == _sets(plan.chosen) else "",
            *_sets(one),
            one["explicit_percent"],
            one["explicit_hours"],
            one["avoided_hours"],
            one.get("expected_error"),
        )
        for one in sets
    )
    heads = ("", "train on", "test on", "cost, %", "hours", "hours saved", "expected error, %")
    chosen = None
    if plan.chosen is not None and _has_error(plan.chosen):
        chosen = (plan.chosen["explicit_percent"], plan.chosen["expected_error"])
    cost, error = tuple(x for x, _ in curve), tuple(y for _, y in curve)
    return PlanWords(_words(plan), heads, rows, cost, error, chosen)


def _has_error(one: dict[str, Any]) -> bool:
    return one.get("expected_error") is not None


def _sets(one: dict[str, Any]) -> tuple[str, str]:
    """Return the training and the test set of a candidate in words, j or initial states."""
    train = one.get("train_j") or one.get("train_units") or ()
    validate = one.get("validate_j") or one.get("validate_units") or ()
    return ", ".join(map(str, train)), ", ".join(map(str, validate))


def _words(plan: Plan) -> str:
    begin = f"Plan {plan.plan_id}, strategy {plan.strategy}"
    chosen = plan.chosen
    if chosen is None:
        return f"{begin}: {len(plan.candidates)} sets, none of them chosen."
    saved = f"{chosen['time_saved_percent']:.1f} % of the computing time"
    if chosen["avoided_hours"] is not None:
        saved += f", {chosen['avoided_hours']:.4g} hours"
    error = (
        f" Its expected error is {chosen['expected_error']:.3g} % of a rate." if _has_error(chosen) else ""
    )
    return (
        f"{begin}: the chosen set costs {chosen['explicit_percent']:.1f} % of all explicit calculations and"
        f" saves {saved}.{error}"
    )
