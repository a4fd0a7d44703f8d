"""Counting transitions, and lists of integers as people write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratedb.errors import UsageError
from ratedb.levels import Levels
from ratedb.numbers import format_integers, parse_integers
from ratedb.physics.transitions import transitions_from


def test_one_j_of_the_papers_sio_has_3j_plus_63_transitions() -> None:
    counts = [transitions_from(j, v_max=2, j_max=20) for j in range(5, 21)]
    assert counts == [3 * j + 63 for j in range(5, 21)]
    assert sum(counts) == 1608


@pytest.mark.parametrize(("v_max", "j_max"), [(0, 7), (1, 4), (3, 6)])
def test_the_count_equals_a_slow_enumeration(v_max: int, j_max: int) -> None:
    for j in range(j_max + 1):
        slow = sum(
            1
            for v in range(v_max + 1)
            for v_final in range(v + 1)
            for j_final in range(j_max + 1)
            if v_final < v or j_final < j
        )
        assert transitions_from(j, v_max=v_max, j_max=j_max) == slow


def test_downward_pairs_leave_out_pairs_of_equal_energy() -> None:
    levels = Levels("X", ("a", "b", "c"), np.array([0.0, 5.0, 5.0]), np.ones(3))
    assert levels.downward_pairs().names() == [("b", "a"), ("c", "a")]


@pytest.mark.parametrize(
    ("text", "numbers"), [("5,9,14,19", (5, 9, 14, 19)), ("6:8", (6, 7, 8)), ("9, 2,5:6,5", (2, 5, 6, 9))]
)
def test_lists_of_integers_are_read_as_scripts_write_them(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_integers(text) == numbers


@pytest.mark.parametrize("text", ["", "a", "5,,6", "8:5", "-1", "1:99999999", "5.0", "1:2:3"])
def test_what_is_no_list_of_integers_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a list of integers"):
        parse_integers(text)


@given(st.sets(st.integers(0, 60), min_size=1, max_size=12))
def test_formatted_integers_read_back_the_same(numbers: set[int]) -> None:
    assert parse_integers(format_integers(sorted(numbers))) == tuple(sorted(numbers))
