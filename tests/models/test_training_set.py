"""What a model may learn from: complete curves, and every value that was filled or left out is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rotor import TEMPERATURE_K, rotor_rates, with_values

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.models.training_set import at_temperatures, complete_curves, rates_of_j
from ratedb.rates import Rates

RATES = rotor_rates((3, 6, 9, 12), scatter=0.0)


def changed(*cells: tuple[int, object, float]) -> Rates:
    """Return the rates with a value put at (row, column) for each cell."""
    values = RATES.rate_cm3_s.copy()
    for row, column, value in cells:
        values[row, column] = value
    return with_values(RATES, values)


def log10(rates: Rates) -> FloatArray:
    return np.log10(rates.rate_cm3_s)


def test_complete_rates_stay_as_they_are_without_a_word() -> None:
    found, warnings = complete_curves(RATES)
    assert warnings == []
    assert found.rate_cm3_s == pytest.approx(RATES.rate_cm3_s, rel=1e-12)
    for name in ("upper", "lower", "temperature_k"):
        assert np.array_equal(getattr(found, name), getattr(RATES, name))


def test_a_gap_inside_a_curve_is_bridged_near_the_truth_and_said() -> None:
    found, warnings = complete_curves(changed((4, 2, np.nan), (4, 3, np.nan), (7, 1, np.nan)))
    assert warnings == ["3 values between known temperatures are interpolated"]
    assert log10(found) == pytest.approx(log10(RATES), abs=0.02)
    known = np.ones(RATES.rate_cm3_s.shape, dtype=bool)
    known[4, 2:4] = known[7, 1] = False
    assert found.rate_cm3_s[known] == pytest.approx(RATES.rate_cm3_s[known], rel=1e-12)


def test_a_bridge_does_not_leave_the_range_of_its_neighbours() -> None:
    found, _ = complete_curves(changed((4, 2, np.nan)))
    low, high = sorted(log10(RATES)[4, [1, 3]])
    assert low <= log10(found)[4, 2] <= high


def test_a_missing_end_is_estimated_from_the_likeness_of_other_curves_and_said() -> None:
    found, warnings = complete_curves(changed((4, 0, np.nan), (9, 5, np.nan)))
    assert warnings == ["2 values at the ends of incomplete curves are estimated from the complete ones"]
    assert log10(found) == pytest.approx(log10(RATES), abs=0.02)


def test_a_missing_end_of_few_curves_leaves_the_transition_out() -> None:
    """Nine complete curves and one not: too few for a likeness."""
    few = changed((4, 0, np.nan)).select(np.arange(10))
    found, warnings = complete_curves(few)
    assert len(found) == 9
    assert len(warnings) == 1
    assert warnings[0].startswith("1 transitions without enough positive rates are left out")


def test_zeros_count_as_missing_and_an_all_zero_transition_is_named() -> None:
    found, warnings = complete_curves(changed((4, slice(None), 0.0), (8, 2, 0.0)))
    assert len(found) == len(RATES) - 1
    assert "7 rates of zero count as missing: they have no logarithm" in warnings
    assert any("left out" in text and RATES.transition_name(4) in text for text in warnings)
    kept = list(zip(found.upper, found.lower, strict=True))
    assert (RATES.upper[4], RATES.lower[4]) not in kept
    assert log10(found)[kept.index((RATES.upper[8], RATES.lower[8])), 2] == pytest.approx(
        log10(RATES)[8, 2], abs=0.02
    )


def test_a_tiny_number_that_stands_in_several_places_is_a_placeholder() -> None:
    found, warnings = complete_curves(changed((4, 2, 1e-60), (5, 2, 1e-60), (6, 3, 1e-60)))
    assert warnings[0] == "3 placeholders (1e-60) count as missing"
    assert log10(found) == pytest.approx(log10(RATES), abs=0.02)


def test_a_single_tiny_rate_is_a_rate() -> None:
    found, warnings = complete_curves(changed((4, 2, 1e-60)))
    assert warnings == []
    assert found.rate_cm3_s[4, 2] == pytest.approx(1e-60)


def test_equal_rates_of_ordinary_size_are_no_placeholders() -> None:
    found, warnings = complete_curves(changed((4, 2, 1e-12), (5, 2, 1e-12)))
    assert warnings == []
    assert found.rate_cm3_s[[4, 5], 2] == pytest.approx(1e-12)


def test_a_temperature_that_few_transitions_have_is_left_out_and_said() -> None:
    found, warnings = complete_curves(changed((slice(5, None), 0, np.nan)))
    assert np.array_equal(found.temperature_k, TEMPERATURE_K[1:])
    assert len(found) == len(RATES)
    assert warnings == ["1 temperatures that too few transitions have are left out"]


def test_one_temperature_is_a_curve() -> None:
    one = at_temperatures(changed((4, 0, 0.0)), TEMPERATURE_K[:1])
    found, warnings = complete_curves(one)
    assert found.rate_cm3_s.shape == (len(RATES) - 1, 1)
    assert len(warnings) == 2


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_left_is_an_error(value: float) -> None:
    with pytest.raises(RatedbError, match="no temperature is common"):
        complete_curves(with_values(RATES, np.full_like(RATES.rate_cm3_s, value)))
    with pytest.raises(RatedbError, match="training set is empty"):
        complete_curves(RATES.select(np.zeros(len(RATES), dtype=bool)))


def test_curves_without_a_common_temperature_are_an_error() -> None:
    values = np.full((6, 6), np.nan)
    np.fill_diagonal(values, 1e-11)
    with pytest.raises(RatedbError, match="no temperature is common"):
        complete_curves(with_values(RATES.select(np.arange(6)), values))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.4))
def test_whatever_is_missing_the_rest_is_complete_positive_and_known_values_are_kept(
    seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    values = np.where(random.random(RATES.rate_cm3_s.shape) < share, 0.0, RATES.rate_cm3_s)
    try:
        found, warnings = complete_curves(with_values(RATES, values))
    except RatedbError:
        return
    assert (found.rate_cm3_s > 0).all()
    assert bool(warnings) == bool((values == 0).any())
    columns = np.isin(RATES.temperature_k, found.temperature_k)
    row_of = {pair: row for row, pair in enumerate(zip(RATES.upper, RATES.lower, strict=True))}
    rows = [row_of[pair] for pair in zip(found.upper, found.lower, strict=True)]
    before = values[rows][:, columns]
    assert found.rate_cm3_s[before > 0] == pytest.approx(before[before > 0], rel=1e-12)


def test_rates_out_of_a_j_that_is_missing_are_refused() -> None:
    assert set(rates_of_j(RATES, (3, 12), "training").initial_j()) == {3, 12}
    with pytest.raises(RatedbError, match="no rates out of some j") as caught:
        rates_of_j(RATES, (3, 13), "training")
    assert caught.value.got == "j = 13"


def test_temperatures_are_matched_by_value_and_missing_ones_stay_missing() -> None:
    matched = at_temperatures(RATES, np.array([20.0, 300.0, 999.0]))
    assert np.array_equal(matched.rate_cm3_s[:, :2], RATES.rate_cm3_s[:, [0, -1]])
    assert np.isnan(matched.rate_cm3_s[:, 2]).all()
