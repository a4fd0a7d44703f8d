import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratedb.physics.temperatures import economic_temperatures, interpolated, linear_cost

KELVIN = np.array([10.0, 20.0, 30.0, 50.0, 80.0, 100.0, 150.0, 200.0, 300.0])


def law(kelvin: np.ndarray, power: float, gap_k: float) -> np.ndarray:
    return np.asarray(1e-11 * kelvin**power * np.exp(-gap_k / kelvin))[None, :]


@given(power=st.floats(-1.5, 1.5))
def test_a_power_law_is_interpolated_exactly_and_known_values_stay_as_they_are(power: float) -> None:
    rate = law(KELVIN, power, 0.0)
    at = np.array([10.0, 17.0, 50.0, 99.0, 299.0])
    found = interpolated(KELVIN, rate, at)
    np.testing.assert_allclose(found, law(at, power, 0.0), rtol=1e-9)
    assert found[0, 0] == rate[0, 0]
    assert found[0, 2] == rate[0, 3]


def test_a_row_with_a_zero_is_interpolated_by_straight_lines() -> None:
    rate = np.array([[0.0, 2e-11, 4e-11]])
    found = interpolated(np.array([10.0, 20.0, 30.0]), rate, [15.0, 25.0])
    np.testing.assert_allclose(found, [[1e-11, 3e-11]])


def test_straight_lines_cost_nothing_for_a_line_and_what_a_curve_bends() -> None:
    line = 1e-11 * KELVIN[None, :]
    assert linear_cost(KELVIN, line, KELVIN).max() < 1e-9
    bent = law(KELVIN, 1.0, 100.0)
    ends = np.array([10.0, 300.0])
    at = np.exp(np.log(10.0) + np.log(30.0) * np.array([0.15, 0.3, 0.5, 0.7, 0.85]))
    truth = interpolated(KELVIN, bent, at)[0]
    straight = np.interp(at, ends, bent[0, [0, -1]])
    assert linear_cost(KELVIN, bent, ends)[0, 0] == pytest.approx(np.max(np.abs(straight / truth - 1)))


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.003])
def test_chosen_temperatures_keep_the_cost_within_the_tolerance_and_are_few(tolerance: float) -> None:
    rate = np.vstack([law(KELVIN, 0.5, 20.0), law(KELVIN, -0.3, 0.0)])
    chosen = economic_temperatures(KELVIN, rate, tolerance, 61)
    assert linear_cost(KELVIN, rate, chosen).max() <= tolerance
    assert (np.diff(chosen) > 0).all()
    assert (chosen[[0, -1]] == KELVIN[[0, -1]]).all()
    looser = economic_temperatures(KELVIN, rate, 3 * tolerance, 61)
    assert len(looser) < len(chosen)


def test_no_more_temperatures_are_chosen_than_a_reader_takes() -> None:
    rate = law(KELVIN, 0.5, 200.0)
    assert len(economic_temperatures(KELVIN, rate, 1e-9, 20)) == 20
    narrow = np.array([1.0, 1.5, 2.0])
    assert economic_temperatures(narrow, law(narrow, 9.0, 0.0), 1e-12, 61).tolist() == [1.0, 1.5, 2.0]
