"""The one interpolation between temperatures: exact where it can be, refused outside, and what lines cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.physics.temperatures import economic_temperatures, interpolated, interpolation, linear_cost
from ratedb.rates import Rates

KELVIN = np.array([10.0, 20.0, 30.0, 50.0, 80.0, 100.0, 150.0, 200.0, 300.0])


def law(kelvin: np.ndarray, power: float, gap_k: float) -> np.ndarray:
    return np.asarray(1e-11 * kelvin**power * np.exp(-gap_k / kelvin))[None, :]


@settings(deadline=None)
@given(
    powers=st.tuples(*(st.floats(-most, most) for most in (0.05, 0.05, 2.0, 2.0))),
    wanted=st.lists(st.floats(10.0, 300.0), min_size=1, max_size=6),
    count=st.integers(4, 9),
)
def test_a_cubic_of_log_k_in_ln_t_is_exact(
    powers: tuple[float, ...], wanted: list[float], count: int
) -> None:
    known, kelvin = KELVIN[:count], np.clip(np.array(wanted), None, KELVIN[count - 1])

    def log10_k(at: np.ndarray) -> np.ndarray:
        return np.polyval(powers, np.log(at / 50.0)) - 11.0

    found = interpolated(known, 10.0 ** log10_k(known)[None, :], kelvin)
    np.testing.assert_allclose(np.log10(found[0]), log10_k(kelvin), atol=1e-9)


def test_the_operator_is_a_spline_through_the_values() -> None:
    curve = np.random.default_rng(61).normal(-11.0, 0.3, len(KELVIN))
    wanted = np.array([11.0, 73.0, 280.0])
    spline = CubicSpline(np.log(KELVIN), curve)(np.log(wanted))
    assert interpolation(KELVIN, wanted) @ curve == pytest.approx(spline, abs=1e-10)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_a_known_temperature_keeps_its_value_bit_for_bit(count: int) -> None:
    known, rate = KELVIN[:count], 10.0 ** np.random.default_rng(62).normal(-11.0, 0.3, (2, count))
    assert np.array_equal(interpolation(known, known), np.eye(count))
    mixed = np.sort(np.append(known, np.sqrt(known[:-1] * known[1:])))
    assert np.array_equal(interpolated(known, rate, mixed)[:, ::2], rate)
    assert np.array_equal(interpolated(known, rate, known * (1 + 1e-12)), rate)


@pytest.mark.parametrize(
    "curve",
    [
        [1e-60, 1e-60, 1e-10, 2e-10, 3e-10, 3e-10, 4e-10, 4e-10, 5e-10],
        [1e-10, 1e-10, 1e-10, 2e-10, 1e-60, 3e-10, 4e-10, 4e-10, 5e-10],
        [4.93e-13, 8.70e-10, 5.06e-13, 2.65e-11, 2.64e-11, 2.63e-11, 2e-10, 2.31e-09, 2.57e-09],
    ],
)
def test_a_curve_with_a_step_does_not_swing_beyond_its_values(curve: list[float]) -> None:
    rate, between = np.array([curve]), np.sqrt(KELVIN[:-1] * KELVIN[1:])
    found = interpolated(KELVIN, np.vstack([rate, law(KELVIN, 0.3, 9.0)]), between)
    assert (found[0] <= 1.3 * np.maximum(rate[0, 1:], rate[0, :-1])).all()
    assert (found[0] >= np.minimum(rate[0, 1:], rate[0, :-1]) / 1.3).all()
    smooth = np.log10(law(KELVIN, 0.3, 9.0)) @ interpolation(KELVIN, between).T
    assert np.log10(found[1]) == pytest.approx(smooth[0], abs=1e-12)  # other curves stay splines


def test_two_temperatures_give_a_straight_line_in_ln_t() -> None:
    found = interpolation(np.array([10.0, 1000.0]), np.array([100.0]))
    assert found == pytest.approx(np.array([[0.5, 0.5]]))


@given(wanted=st.floats(10.0, 300.0))
def test_a_constant_curve_stays_constant(wanted: float) -> None:
    assert interpolation(KELVIN, np.array([wanted])).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("outside", [9.99, 300.1, 1e4])
def test_a_temperature_outside_is_refused_and_named(outside: float) -> None:
    with pytest.raises(RatedbError, match="outside") as caught:
        interpolation(KELVIN, np.array([100.0, outside]))
    assert caught.value.got == f"{outside:g}"


def test_a_row_with_a_zero_is_interpolated_by_straight_lines() -> None:
    rate = np.array([[0.0, 2e-11, 4e-11]])
    found = interpolated(np.array([10.0, 20.0, 30.0]), rate, [15.0, 25.0])
    np.testing.assert_allclose(found, [[1e-11, 3e-11]])


def test_straight_lines_cost_nothing_for_a_line_and_what_a_curve_bends() -> None:
    line = 1e-11 * KELVIN[None, :]
    assert linear_cost(KELVIN, line, KELVIN).max() < 0.01
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


def test_half_widths_lie_between_their_neighbours_and_only_at_predicted_values() -> None:
    levels = Levels("AB", ("0", "1"), np.array([0.0, 2.0]), np.array([1.0, 3.0]))
    kelvin = np.array([16.0, 81.0, 256.0])
    layers = {
        "kind_code": [[Kind.COMPUTED, Kind.PREDICTED, Kind.PREDICTED]],
        "log10_half_width_68": [[np.nan, 0.1, 0.4]],
    }
    rates = Rates(levels, "He", [1], [0], kelvin, [[1e-11, 2e-11, 3e-11]], layers)
    found = rates.at([20.0, 75.0, 81.0, 144.0, 256.0])
    assert found.kind[0].tolist() == ["computed", *["predicted"] * 4]
    np.testing.assert_allclose(found.log10_half_width_68[0], [np.nan, 0.1, 0.1, 0.2, 0.4], rtol=1e-12)
