"""How far a plan has come: which of its jobs have their rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ratedb.store.plans import Plan


@dataclass(frozen=True)
class PlanProgress:
    """How far the newest plan of a system has come: the initial j of its jobs that are done, and the rest."""

    plan_id: int
    done_j: tuple[int, ...]
    left_j: tuple[int, ...]


@dataclass(frozen=True)
class UnitPlanProgress:
    """How far a plan by initial states has come: those with rates, and the rest."""

    plan_id: int
    done_units: tuple[str, ...]
    left_units: tuple[str, ...]


def progress_by_j(plan: Plan, known_j: Iterable[int]) -> PlanProgress:
    """Return how far a plan by j has come, where rates out of these j are known."""
    done, left = _parted(plan, "j", known_j)
    return PlanProgress(plan.plan_id or 0, done, left)


def unit_progress(plan: Plan, known_units: Iterable[str]) -> UnitPlanProgress:
    """Return how far a plan by initial states has come, where rates out of these are known."""
    done, left = _parted(plan, "units", known_units)
    return UnitPlanProgress(plan.plan_id or 0, done, left)


def _parted(plan: Plan, what: str, known: Iterable[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the jobs of a plan that are done, and those that are left."""
    chosen, given = plan.chosen or {}, plan.request["given" if what == "j" else "given_units"]
    there = {*known, *given}
    jobs = sorted({*chosen[f"train_{what}"], *chosen[f"validate_{what}"]} - {*given})
    return tuple(one for one in jobs if one in there), tuple(one for one in jobs if one not in there)
