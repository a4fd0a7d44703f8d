"""Floors that stand for missing values: found wherever they lie, and never in real sets of few digits."""

from __future__ import annotations

import numpy as np
import pytest
from quality_sets import changed, lamda_rates, row_of, smooth_rates

from ratedb.levels import Levels
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.quality.check import check_rates
from ratedb.quality.floors import placeholders
from ratedb.rates import Rates

RATES = smooth_rates()


def to_digits(rate: np.ndarray, digits: int) -> np.ndarray:
    """Return values as printed with so many digits."""
    return np.array([float(f"{value:.{digits - 1}e}") for value in rate.ravel()]).reshape(rate.shape)


def symmetric_top(j_max: int, floor: float) -> tuple[Rates, np.ndarray]:
    """Return rates of a symmetric top like CH3CN, and which rows are forbidden (dK no multiple of 3)."""
    j, k = np.array([(j, k) for j in range(j_max + 1) for k in range(min(j, 9) + 1)]).T
    energy = 0.307 * j * (j + 1) + 4.97 * k**2
    order = np.argsort(energy, kind="stable")
    j, k, energy = j[order], k[order], energy[order]
    label = tuple(f"{a}_{b}" for a, b in zip(j, k, strict=True))
    levels = Levels("CH3CN", label, energy, (2.0 - (k == 0)) * (2.0 * j + 1.0))
    upper, lower = np.nonzero(energy[:, None] > energy[None, :])
    dj, dk = np.abs(j[upper] - j[lower]), np.abs(k[upper] - k[lower])
    kelvin = np.array([20.0, 40.0, 60.0, 80.0, 100.0, 140.0])
    # rates that fall to far below the floor, each of its own shape
    random = np.random.default_rng(4)
    level = -23.0 - 0.6 * dj - 0.2 * dk + 0.1 * random.normal(size=len(upper))
    rise = (0.5 + 0.05 * dj + 0.05 * random.normal(size=len(upper)))[:, None] * np.log(kelvin / 50.0)
    rate = to_digits(np.exp(level[:, None] + rise), 4)
    forbidden = dk % 3 != 0
    rate[forbidden] = floor
    return Rates(levels, "H2", upper, lower, kelvin, rate), forbidden


def found(rates: Rates, rule: str) -> set[str | None]:
    return {one.transition for one in check_rates(rates) if one.rule == rule}


@pytest.mark.parametrize("floor", [1e-30, 1e-20, 1e-14, 1e-12, 2e-11, 1e-9])
def test_a_floor_in_two_thirds_of_the_rows_is_found_wherever_it_lies(floor):
    rates, forbidden = symmetric_top(20, floor)
    assert (placeholders(rates) == forbidden[:, None]).all()
    errors = {one.transition for one in check_rates(rates) if one.severity == "error"}
    assert errors == {rates.transition_name(row) for row in np.flatnonzero(forbidden)}


def test_a_real_value_below_the_floor_does_not_hide_it():
    rates, forbidden = symmetric_top(12, 1e-20)
    rate = rates.rate_cm3_s.copy()
    rate[np.flatnonzero(~forbidden)[5]] *= 1e-12
    assert (placeholders(changed(rates, rate)) == forbidden[:, None]).all()


def test_no_detail_speaks_of_millions_of_standard_deviations():
    rates, forbidden = symmetric_top(12, 1e-20)
    rate = rates.rate_cm3_s.copy()
    rate[np.flatnonzero(~forbidden)[5], 2] *= 100.0
    sigmas = [one.detail for one in check_rates(changed(rates, rate)) if one.rule == "off-curve"]
    assert len(sigmas) == 1
    assert int(sigmas[0].split("(")[1].split(" standard")[0]) < 1e5


def test_a_floor_in_part_of_the_rows_is_found():
    rate = to_digits(RATES.rate_cm3_s, 4)
    low = rate < np.quantile(rate, 0.2)
    clipped = changed(RATES, np.where(low, 1e-14 if rate[low].max() > 1e-14 else rate[low].max(), rate))
    floor = clipped.rate_cm3_s[low][0]
    assert (placeholders(clipped) == (clipped.rate_cm3_s == floor)).all()


def test_another_floor_at_each_temperature_is_found():
    rates, forbidden = symmetric_top(12, 1e-20)
    rate = rates.rate_cm3_s.copy()
    rate[forbidden] = 1e-13 * np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0])
    assert (placeholders(changed(rates, rate)) == forbidden[:, None]).all()


def test_a_floor_of_upward_rows_is_found_after_detailed_balance():
    rates, forbidden = symmetric_top(12, 1e-20)
    levels, rate = rates.levels, rates.rate_cm3_s.copy()
    gap_k = HC_OVER_KB_CM_K * (levels.energy_cm1[rates.upper] - levels.energy_cm1[rates.lower])
    ratio = levels.weight[rates.lower] / levels.weight[rates.upper]
    turned = 1e-20 * ratio[:, None] * np.exp(gap_k[:, None] / rates.temperature_k)
    rate[forbidden] = turned[forbidden]
    assert (placeholders(changed(rates, rate)) == forbidden[:, None]).all()


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_few_printed_digits_are_no_floor(digits):
    rates, forbidden = symmetric_top(14, 1e-20)
    real = rates.select(~forbidden)
    assert not placeholders(changed(real, to_digits(real.rate_cm3_s, digits))).any()
    assert not placeholders(changed(RATES, to_digits(RATES.rate_cm3_s, digits))).any()


def test_constant_rates_of_a_whole_set_are_no_floor():
    rate = np.repeat(np.array([1e-10, 1e-10, 1e-10, 2e-11])[np.arange(len(RATES)) % 4][:, None], 12, axis=1)
    assert not placeholders(changed(RATES, rate)).any()


def test_one_flat_row_is_no_floor():
    rate = RATES.rate_cm3_s.copy()
    rate[row_of(RATES, "9 -> 4")] = 3e-12
    assert not placeholders(changed(RATES, rate)).any()


@pytest.mark.parametrize(
    ("path", "collider"), [("nacl-h2-rovib-ios/nacl.dat", "H2"), ("co-h2-rot-yang2010/co.dat", "p-H2")]
)
def test_published_sets_have_no_floor(path, collider):
    rates = lamda_rates(path, collider)
    assert not (placeholders(rates) & (rates.rate_cm3_s > 1e-40)).any()
