"""Which j is next, or whether to stop: the rules, given what each j is expected to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.options import NextOptions
from ratedb.planning.state import State
from ratedb.planning.tested_j import HeldOutJ, error_where_unknown

# One more j that lowers the error by less than this share is not worth its hours.
_WORTHWHILE = 0.1
# Of the j with at least this share of the greatest error reduction, the one with most for its cost is next.
_NEARLY_BEST = 0.5
# Before a model can be trained, errors up to this many times the least count as nearly the least.
_NEARLY_LEAST = 1.3
# It does not stop while tested j were off by more than this many times the target.
_TESTS_OF_TARGET = 1.5


@dataclass(frozen=True)
class NextJ:
    """What one more j is expected to do: the error in percent of a rate after it, and its cost.

    `gain` is the expected error reduction in percentage points: None where no model can be trained yet,
    negative where the j that remain are worse than this one. `planned` j are in the plan that is followed.
    """

    j: int
    hours: float | None
    cost_percent: float
    expected_error: float | None
    gain: float | None
    planned: bool

    @staticmethod
    def of(state: State, j: int, expected_error: float | None, gain: float | None) -> NextJ:
        """Return the effect of one more j with its cost."""
        costs = state.request.costs
        return NextJ(
            j, costs.hours((j,)), 100.0 * costs.share((j,)), expected_error, gain, j in state.planned
        )


def decide(
    candidates: Sequence[NextJ],
    now: float,
    state: State,
    options: NextOptions,
    tested: Sequence[HeldOutJ] = (),
) -> tuple[int | None, str]:
    """Return the next j of candidates, the best first, or None to stop, and why.

    `now` is the error in percent of a rate, or of a flux where lines are the target.
    """
    budget, wanted = options.budget_hours, options.target_error

    def within_budget(j: int) -> bool:
        return budget is None or state.hours(j) <= budget

    if not candidates:
        return None, "every j of the target is computed"
    missing = state.missing_validation if options.for_lines is None else ()
    if missing and within_budget(missing[0]):
        return missing[0], f"it validates: without j = {missing[0]} no model can be judged"
    beyond = _extrapolated(state) if options.for_lines is None else None
    if wanted is not None and now <= wanted:
        if beyond is not None and within_budget(beyond):
            return beyond, f"the expected error is met, but j = {beyond}, the highest, is extrapolated"
        doubted, why = (None, "") if options.for_lines is not None else _doubted(state, tested, wanted)
        if doubted is not None and within_budget(doubted):
            return doubted, f"the expected error is met, but {why}"
        return None, f"the expected error is {now:.3g} %, the target {wanted:g} %"
    if beyond is not None and wanted is not None and not state.planned and within_budget(beyond):
        return beyond, f"the highest: without j = {beyond} what lies above the computed j is extrapolated"
    within = [one for one in candidates if budget is None or (one.hours or 0.0) <= budget]
    if not within:
        return None, f"no j that is left costs {budget:g} h or less"
    if wanted is not None:
        enough = [one for one in within if error_after(one) <= wanted]
        if enough:
            best = min(enough, key=lambda one: one.cost_percent)
            return best.j, f"the cheapest that is expected to reach {wanted:g} %"
    return _most_for_its_cost(within, now, wanted)


def _extrapolated(state: State) -> int | None:
    """Return the highest j of the target where it is above all that is computed, else None."""
    last = state.request.target[-1]
    return last if last in state.unknown_j else None


def _doubted(state: State, tested: Sequence[HeldOutJ], wanted: float) -> tuple[int | None, str]:
    """Return the middle of the widest gap between computed j where the expected error is in doubt, and why.

    In a gap of more than half of the target nothing tests what the model expects. Where tested j were off by
    much more than the target, other j can be unlike their neighbours too.
    """
    gap = max(_gaps(state), key=len, default=[])
    if not gap:
        return None, ""
    middle = gap[len(gap) // 2]
    if len(gap) > len(state.request.target) / 2:
        return middle, f"nothing near j = {middle} tests it"
    error = error_where_unknown(tested, state.unknown_j) if tested else 0.0
    if error > _TESTS_OF_TARGET * wanted:
        return middle, f"computed j are predicted from the others within {error:.3g} % only"
    return None, ""


def _gaps(state: State) -> list[list[int]]:
    """Return the unknown j of the target, those that no computed j parts together."""
    gaps: list[list[int]] = [[]]
    for j in state.request.target:
        if j in state.unknown_j:
            gaps[-1].append(j)
        elif gaps[-1]:
            gaps.append([])
    return [gap for gap in gaps if gap]


def _most_for_its_cost(within: Sequence[NextJ], now: float, wanted: float | None) -> tuple[int | None, str]:
    """Return the j with the greatest expected error reduction for its cost, or None to stop, and why."""
    if any(one.gain is None for one in within):
        least = min(map(error_after, within))
        pool, whose = _planned_first([one for one in within if error_after(one) <= _NEARLY_LEAST * least])
        best = min(pool, key=lambda one: one.cost_percent)
        return best.j, f"{whose}the least cost for nearly the least expected error"
    gains = {one.j: one.gain or 0.0 for one in within}
    greatest = max(gains.values())
    if wanted is None and greatest < _WORTHWHILE * now:
        return None, f"no j is expected to reduce the error by more than {100 * _WORTHWHILE:.0f} %"
    pool, whose = _planned_first([one for one in within if gains[one.j] >= _NEARLY_BEST * greatest])
    best = max(pool, key=lambda one: gains[one.j] / max(one.cost_percent, 1e-12))
    short = "" if wanted is None else f"; no single j is expected to reach {wanted:g} %"
    what = "the greatest error reduction for its cost, among the j with at least half the largest"
    return best.j, f"{whose}{what}{short}"


def _planned_first(good: list[NextJ]) -> tuple[list[NextJ], str]:
    """Return those in the plan, which looks further ahead than one j, or all where none is."""
    planned = [one for one in good if one.planned]
    return (planned, "of the plan's j the one with ") if planned else (good, "")


def error_after(one: NextJ) -> float:
    """Return the expected error in percent after one more j, infinite where it is unknown."""
    return np.inf if one.expected_error is None else one.expected_error
