"""From one temperature grid to another: exact where it can be, refused outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from ratedb.errors import RatedbError
from ratedb.models.temperatures import interpolation

GRID = np.array([10.0, 20.0, 50.0, 100.0, 200.0, 500.0])


@settings(deadline=None)
@given(
    powers=st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
    wanted=st.lists(st.floats(10.0, 500.0), min_size=1, max_size=6),
    count=st.integers(4, 6),
)
def test_it_is_exact_for_a_cubic_in_ln_t(powers: list[float], wanted: list[float], count: int) -> None:
    grid, kelvin = GRID[:count], np.clip(np.array(wanted), None, GRID[count - 1])
    curve = np.polyval(powers, np.log(grid / 70.0))
    assert interpolation(grid, kelvin) @ curve == pytest.approx(
        np.polyval(powers, np.log(kelvin / 70.0)), abs=1e-9
    )


def test_it_equals_a_spline_through_the_values_themselves() -> None:
    curve = np.random.default_rng(61).normal(-11.0, 0.3, 6)
    wanted = np.array([11.0, 73.0, 480.0])
    slow = CubicSpline(np.log(GRID), curve)(np.log(wanted))
    assert interpolation(GRID, wanted) @ curve == pytest.approx(slow, abs=1e-10)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_a_temperature_of_the_grid_keeps_its_value_bit_for_bit(count: int) -> None:
    curve = np.random.default_rng(62).normal(-11.0, 0.3, count)
    assert np.array_equal(interpolation(GRID[:count], GRID[:count]) @ np.eye(count) @ curve, curve)
    assert np.array_equal(interpolation(GRID[:count], GRID[:count]), np.eye(count))


def test_below_four_temperatures_it_is_a_straight_line_in_ln_t() -> None:
    found = interpolation(GRID[:3], np.array([np.sqrt(10.0 * 20.0)]))
    assert found == pytest.approx(np.array([[0.5, 0.5, 0.0]]))


@given(wanted=st.floats(10.0, 500.0))
def test_a_constant_curve_stays_constant(wanted: float) -> None:
    assert interpolation(GRID, np.array([wanted])).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("outside", [9.99, 500.1, 1e4])
def test_a_temperature_outside_is_refused_and_named(outside: float) -> None:
    with pytest.raises(RatedbError, match="outside the model's") as caught:
        interpolation(GRID, np.array([100.0, outside]))
    assert caught.value.got == f"{outside:g}"
