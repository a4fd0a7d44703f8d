"""Another data set as prior mean: what it has, what it interpolates, and where it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from rotor import TEMPERATURE_K, all_of, rotor_rates, with_values

from ratedb.errors import RatedbError
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.reference import reference_rates
from ratedb.rates import Rates

OTHER = rotor_rates((3, 6, 9, 12), seed=8)


def test_a_transition_that_it_has_keeps_its_value_and_another_is_interpolated_in_j() -> None:
    reference, warnings = reference_rates(OTHER, TEMPERATURE_K)
    assert warnings == []
    assert reference(all_of(OTHER)) == pytest.approx(np.log10(OTHER.rate_cm3_s), abs=1e-12)
    wanted = all_of(rotor_rates((6, 7)))
    expected = interpolate_in_j(OTHER, wanted)
    own = wanted.upper == 6
    expected[own] = np.log10(OTHER.rate_cm3_s[OTHER.upper == 6])
    assert reference(wanted) == pytest.approx(expected, abs=1e-12)
    assert (reference.has(wanted), reference.has(all_of(OTHER))) == (6, len(OTHER))


def test_beyond_its_temperatures_the_nearest_value_is_taken_and_said() -> None:
    reference, warnings = reference_rates(OTHER, np.array([5.0, 100.0, 300.0, 900.0]))
    assert warnings == ["2 temperatures lie outside AB+He: its nearest value is used"]
    curves = reference(all_of(OTHER))
    assert curves[:, 0] == pytest.approx(np.log10(OTHER.rate_cm3_s[:, 0]))
    assert np.array_equal(curves[:, 2], curves[:, 3])


def test_between_its_temperatures_it_is_near_the_truth() -> None:
    smooth = rotor_rates(scatter=0.0)
    half = Rates(
        smooth.levels,
        "He",
        smooth.upper,
        smooth.lower,
        TEMPERATURE_K[[0, 1, 2, 4, 5]],
        smooth.rate_cm3_s[:, [0, 1, 2, 4, 5]],
    )
    reference, _ = reference_rates(half, TEMPERATURE_K)
    assert reference(all_of(smooth)) == pytest.approx(np.log10(smooth.rate_cm3_s), abs=1e-6)


def test_a_data_set_without_any_of_the_temperatures_or_curves_is_refused() -> None:
    with pytest.raises(RatedbError, match="has none of the temperatures"):
        reference_rates(OTHER, np.array([1000.0, 2000.0]))
    with pytest.raises(RatedbError, match="no temperature is common"):
        reference_rates(with_values(OTHER, np.zeros_like(OTHER.rate_cm3_s)), TEMPERATURE_K)


def test_what_was_filled_in_it_is_said() -> None:
    values = OTHER.rate_cm3_s.copy()
    values[2, 3] = np.nan
    _, warnings = reference_rates(with_values(OTHER, values), TEMPERATURE_K)
    assert warnings == ["1 values between known temperatures are interpolated"]
