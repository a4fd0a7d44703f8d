"""Calibrated intervals hold as often as they say, whatever size the model's variance has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from ratedb.arrays import FloatArray
from ratedb.layers import RATIO_95_68
from ratedb.models.calibration import HALF_WIDTH_68, Calibration

SHAPE = (300, 6)
GROUP = np.repeat(np.arange(15), 20)


def drawn(seed: int, scale: float = 1.4, floor: float = 0.05) -> tuple[FloatArray, FloatArray]:
    """Return errors of Student's t(3) and the variances of which their squared scales are a function."""
    random = np.random.default_rng(seed)
    variance = 10.0 ** random.uniform(-4.0, -1.0, SHAPE)
    return np.sqrt(scale**2 * variance + floor**2) * random.standard_t(3.0, SHAPE), variance


def coverage(error: FloatArray, half_width: FloatArray) -> tuple[float, float]:
    size = np.abs(error)
    return float((size <= half_width).mean()), float((size <= RATIO_95_68 * half_width).mean())


def test_the_constants_are_those_of_students_t() -> None:
    assert student.cdf(HALF_WIDTH_68, 3) - student.cdf(-HALF_WIDTH_68, 3) == pytest.approx(0.6827)
    assert student.cdf(RATIO_95_68 * HALF_WIDTH_68, 3) == pytest.approx(0.975)
    assert pytest.approx(2.66, abs=0.01) == RATIO_95_68


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_hold_on_errors_they_were_not_fitted_to(seed: int) -> None:
    found = Calibration.fit(*drawn(seed), GROUP)
    error, variance = drawn(seed + 100)
    inside_68, inside_95 = coverage(error, found.half_width(variance))
    assert inside_68 == pytest.approx(0.683, abs=0.04)
    assert inside_95 == pytest.approx(0.95, abs=0.02)


def test_scale_and_floor_are_found() -> None:
    found = Calibration.fit(*drawn(4), GROUP)
    assert found.scale / HALF_WIDTH_68 == pytest.approx(1.4, rel=0.15)
    assert found.floor.mean() / HALF_WIDTH_68 == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize("factor", [0.01, 25.0, 900.0])
def test_a_constant_factor_in_the_variance_is_undone(factor: float) -> None:
    error, variance = drawn(5)
    one = Calibration.fit(error, variance, GROUP).half_width(variance)
    other = Calibration.fit(error, factor * variance, GROUP).half_width(factor * variance)
    assert other == pytest.approx(one, rel=0.02)


def test_a_variance_that_says_nothing_leaves_the_size_of_the_errors() -> None:
    error = 0.2 * np.random.default_rng(6).standard_t(3.0, SHAPE)
    found = Calibration.fit(error, np.full(SHAPE, 1e-9), GROUP)
    assert coverage(error, found.half_width(np.full(SHAPE, 1e-9)))[0] == pytest.approx(0.683, abs=0.04)


def test_unknown_errors_change_nothing() -> None:
    error, variance = drawn(7)
    more = np.vstack([error, np.full((40, 6), np.nan)])
    of_more = np.vstack([variance, np.full((40, 6), 123.0)])
    group = np.concatenate([GROUP, np.full(40, 99)])
    one, other = Calibration.fit(error, variance, GROUP), Calibration.fit(more, of_more, group)
    assert (one.scale, *one.floor) == pytest.approx((other.scale, *other.floor), rel=1e-6)


def test_a_temperature_without_a_known_error_gets_the_typical_floor() -> None:
    error, variance = drawn(8)
    error[:, 2] = np.nan
    found = Calibration.fit(error, variance, GROUP)
    assert np.isfinite(found.half_width(variance)).all()
    others = np.delete(found.floor, 2)
    assert others.min() <= found.floor[2] <= 1.3 * others.max()


def test_each_j_counts_the_same_however_many_transitions_it_has() -> None:
    """Copies of one j's rows, in its own group, change nothing; at one temperature, so without a shape."""
    error, variance = (array[:, :1] for array in drawn(9))
    rows = np.concatenate([np.arange(300), *[np.flatnonzero(GROUP == 3)] * 5])
    one = Calibration.fit(error, variance, GROUP)
    other = Calibration.fit(error[rows], variance[rows], GROUP[rows])
    assert other.half_width(variance) == pytest.approx(one.half_width(variance), rel=1e-3)


def test_larger_errors_at_one_temperature_give_it_a_larger_floor() -> None:
    random = np.random.default_rng(10)
    sizes = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    found = Calibration.fit(sizes * random.standard_t(3.0, SHAPE), np.full(SHAPE, 1e-6), GROUP)
    assert found.floor[0] > 2 * found.floor[-1]


def test_without_any_error_the_variance_stays_as_it_is() -> None:
    found = Calibration.fit(np.zeros(SHAPE), np.ones(SHAPE), GROUP)
    assert found.half_width(np.full((1, 6), 0.04)) == pytest.approx(0.2)
    assert found.scale == Calibration.none(6).scale


def test_the_ends_are_wider_where_the_lowest_and_the_highest_j_were_badly_predicted() -> None:
    error, variance = drawn(11)
    assert Calibration.fit(0.2 * error, 0.04 * variance, GROUP).below < 1.6
    rough = np.where((GROUP == 0)[:, None], 6.0 * error, error)
    found = Calibration.fit(rough, variance, GROUP)
    assert 2.0 < found.below <= 4.0
    assert found.above < 1.6
    few = GROUP % 3
    alone = Calibration.fit(error, variance, few)
    assert (alone.below, alone.above) == (1.0, 1.0)
