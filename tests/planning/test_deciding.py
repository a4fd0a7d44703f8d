"""Whether to stop once the expected error is met: not where nothing has tested it, or tests deny it."""

from __future__ import annotations

import pytest

from ratedb.options import NextOptions
from ratedb.planning.deciding import NextJ, decide
from ratedb.planning.request import PlanRequest
from ratedb.planning.state import State, state_of
from ratedb.planning.tested_j import HeldOutJ, correction, error_where_unknown

TARGET = tuple(range(5, 21))


def state(*computed: int) -> State:
    return state_of(PlanRequest("X+He", TARGET, tuple(range(6)), hours_total=100.0), None, computed)


def decided(at: State, tested: tuple[HeldOutJ, ...] = (), **options: float) -> tuple[int | None, str]:
    """Return the decision where 4 % is expected now and 5 % is wanted."""
    candidates = [NextJ.of(at, j, 3.0, 1.0) for j in at.unknown_j]
    return decide(candidates, 4.0, at, NextOptions(target_error=5.0, **options), tested)


def test_it_does_not_stop_where_nothing_tests_most_of_the_target() -> None:
    found, reason = decided(state(6, 9, 20))
    assert (found, "tests it" in reason) == (15, True)
    assert decided(state(6, 9, 15, 20))[0] is None


def test_it_does_not_stop_while_computed_j_are_badly_predicted_from_the_others() -> None:
    at = state(6, 9, 15, 20)
    good = tuple(HeldOutJ(j, 4.0, 6.0) for j in (6, 9, 15, 20))
    assert decided(at, good)[0] is None
    bad = (*good[:2], HeldOutJ(15, 4.0, 12.0), good[3])
    found, reason = decided(at, bad)
    error = error_where_unknown(bad, at.unknown_j)
    assert 7.5 < error < 12.0
    assert (found, f"{error:.3g} %" in reason) == (12, True)
    every = state(*TARGET)
    assert decide([], 0.0, every, NextOptions(target_error=5.0), bad)[0] is None


def test_a_test_that_the_budget_does_not_allow_is_not_asked_for() -> None:
    hours = state(6, 9, 20).hours(15)
    assert decided(state(6, 9, 20), budget_hours=hours + 1.0)[0] == 15
    assert decided(state(6, 9, 20), budget_hours=hours - 1.0)[0] is None


def test_a_tested_j_counts_by_the_unknown_j_next_to_it() -> None:
    low, high = HeldOutJ(6, 2.0, 2.0), HeldOutJ(15, 2.0, 4.0)
    assert correction([low, high], [14, 16]) == pytest.approx(1.98, abs=0.01)
    assert correction([low, high], [7, 8]) == 1.0
    assert 1.0 < correction([low, high], [7, 8, 14, 16]) < 1.98
    assert correction([HeldOutJ(15, 2.0, 40.0)], [14]) == 3.0
