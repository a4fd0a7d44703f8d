from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from quality_sets import changed, named, row_of, smooth_rates

from ratedb.errors import RatedbError
from ratedb.quality.sources import check_sources, check_title
from ratedb.rates import Rates

RATES = smooth_rates()
GRID = np.array([10.0, 20.0, 390.0])


def other_calculation(scatter: float = 0.2) -> Rates:
    rng = np.random.default_rng(4)
    return changed(RATES, RATES.rate_cm3_s * np.exp(rng.normal(0.1, scatter, (len(RATES), 1))))


def two_digits(rates: Rates) -> Rates:
    return changed(rates, [[float(f"{value:.1e}") for value in row] for row in rates.rate_cm3_s])


def moved(rates: Rates) -> Rates:
    return Rates(
        rates.levels,
        rates.collider,
        rates.upper,
        rates.lower,
        rates.temperature_k[:-1],
        rates.rate_cm3_s[:, 1:],
    )


def test_two_calculations_that_differ_evenly_get_a_note_with_their_ratio():
    findings = check_sources(other_calculation(), RATES)
    assert [(f.rule, f.severity) for f in findings] == [("sources", "note")]
    assert findings[0].value == pytest.approx(np.exp(0.1), rel=0.1)


def test_a_transition_that_differs_far_more_than_the_others_is_named():
    other = other_calculation()
    rate = other.rate_cm3_s.copy()
    rate[row_of(RATES, "9 -> 4")] *= 30.0
    findings = check_sources(changed(other, rate), RATES)
    assert named(findings, "warning") == {"9 -> 4"}


@pytest.mark.parametrize("rounded", [two_digits, lambda rates: rates], ids=["two digits", "all digits"])
def test_a_shifted_row_of_temperatures_is_found_from_either_side(rounded):
    first, second = moved(rounded(RATES)), RATES
    for one, other in ((first, second), (second, first)):
        rules = [f.rule for f in check_sources(one, other)]
        assert "shifted-temperatures" in rules


def test_another_calculation_is_not_called_shifted():
    tilted = RATES.rate_cm3_s * (RATES.temperature_k / 50.0) ** 0.2
    assert [f.rule for f in check_sources(changed(RATES, tilted), RATES)] == ["sources"]


def test_a_source_in_cubic_metres_is_found():
    other = other_calculation()
    findings = check_sources(changed(other, other.rate_cm3_s * 1e-6), RATES)
    assert [f.rule for f in findings if f.severity == "warning"] == ["unit-of-sources"]


def test_sources_are_joined_by_label_and_interpolated_in_temperature():
    order = np.random.default_rng(3).permutation(len(RATES.levels))
    shuffled = Rates(
        RATES.levels.select(order),
        "He",
        np.argsort(order)[RATES.upper],
        np.argsort(order)[RATES.lower],
        RATES.temperature_k[::2],
        RATES.rate_cm3_s[:, ::2],
    ).select(np.arange(100))
    findings = check_sources(RATES, shuffled)
    assert [f.rule for f in findings] == ["sources"]
    assert findings[0].detail.startswith("100 transitions")
    assert findings[0].value == pytest.approx(1.0, abs=0.02)


def test_sources_of_different_systems_are_refused():
    with pytest.raises(RatedbError, match="different systems"):
        check_sources(RATES, replace(RATES, collider="H"))


@pytest.mark.parametrize(
    "title",
    [
        "by para-H$_2$, 10K < T < 400K (Flower, 1999)",
        "10-400 K",
        "for T from 10 to 400 K",
        "10 K to 400 K",
        "temperatures 10.0 - 400.0 K",
        "10<T<400 K",
    ],
)
def test_temperatures_outside_the_range_of_the_title_are_found(title):
    low, high = check_title(title, np.array([5.0, 390.0])), check_title(title, np.array([10.0, 800.0]))
    assert low is not None
    assert (low.rule, low.value, low.expected) == ("title-range", 5.0, 10.0)
    assert high is not None
    assert (high.value, high.expected) == (800.0, 400.0)
    assert check_title(title, np.array([10.0, 400.0])) is None
    assert check_title(title, np.array([20.0, 300.0])) is None


@pytest.mark.parametrize(
    "title", ["Rotational excitation of CO by H, 568443--447 (2002)", "up to 300 K", "", "J = 0-20"]
)
def test_a_title_without_a_range_says_nothing(title):
    assert check_title(title, GRID) is None
