"""Numbers are matched wherever they are, and robust scatter is that of most values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratedb.arrays import positions, robust_scale
from ratedb.errors import UsageError, one_of

NUMBERS = st.integers(-20, 20)


@given(st.lists(NUMBERS, unique=True), st.lists(NUMBERS))
def test_positions_are_those_of_a_search_one_by_one(numbers: list[int], wanted: list[int]) -> None:
    found = positions(np.array(numbers, dtype=np.int64), wanted)
    assert found.tolist() == [numbers.index(one) if one in numbers else -1 for one in wanted]


def test_robust_scale_is_the_standard_deviation_of_normal_values_and_ignores_outliers() -> None:
    values = np.random.default_rng(1).normal(scale=3.0, size=20_001)
    values[:100] = 1e9
    assert robust_scale(np.append(values, np.nan)) == pytest.approx(3.0, rel=0.03)
    assert robust_scale(np.array([np.nan])) == 0.0


def test_an_unknown_choice_is_refused_with_those_that_are_known() -> None:
    assert one_of("format", "csv", ("csv", "lamda")) == "csv"
    with pytest.raises(UsageError, match="unknown format 'xml'") as caught:
        one_of("format", "xml", ("csv", "lamda"))
    assert (caught.value.expected, caught.value.got) == ("csv, lamda", "xml")
