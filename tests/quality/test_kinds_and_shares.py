"""What is compared with what, at gaps and for transitions that raise v, and rules that flag too much."""

from __future__ import annotations

import numpy as np
import pytest
from quality_sets import changed, named, row_of, smooth_rates, without_vj

from ratedb.levels import Lines
from ratedb.quality.check import check_rates, check_source
from ratedb.rates import Rates

RATES = smooth_rates()
NO_LINES = Lines([], [], [], [])


def errors(rates: Rates) -> set[str | None]:
    return named(check_rates(rates), "error")


@pytest.mark.parametrize("gaps", [1, 2, 3])
@pytest.mark.parametrize("labelled", [True, False])
def test_right_values_next_to_missing_ends_are_no_errors(gaps, labelled):
    """Most curves lack their ends: a filled gap must not be what their last value is judged with."""
    rate = RATES.rate_cm3_s.copy()
    rate[np.arange(len(rate)) % 20 != 0, :gaps] = np.nan
    rate[np.arange(len(rate)) % 7 != 0, -1] = np.nan
    rates = changed(RATES if labelled else without_vj(RATES), rate)
    assert errors(rates) == set()


def test_a_wrong_value_next_to_a_gap_is_found_where_neighbours_confirm_it():
    rate = RATES.rate_cm3_s.copy()
    row = row_of(RATES, "9 -> 4")
    rate[row, 0] = np.nan
    rate[row, 1] *= 10.0
    assert named(check_rates(changed(RATES, rate))) == {"9 -> 4"}


def test_transitions_that_raise_v_are_not_compared_with_rotational_ones():
    rates = smooth_rates(25, v_max=1)
    v, j = rates.levels.need_vj()
    # those from v = 0, j = 23, 25 into every third j of v = 1 have no neighbours in j
    raising = (v[rates.upper] < v[rates.lower]) & (j[rates.upper] % 2 == 1) & (j[rates.lower] % 3 == 0)
    assert raising.sum() > 4
    few = rates.select(raising | ((v[rates.upper] == 0) & (v[rates.lower] == 0)))
    rate = few.rate_cm3_s.copy()
    rate[v[few.upper] < v[few.lower]] *= 1e-9
    assert named(check_rates(changed(few, rate))) == set()


def half_wrong() -> Rates:
    """Return a set with one wrong value in two of five rows."""
    rate = RATES.rate_cm3_s.copy()
    rate[np.arange(len(rate)) % 5 < 2, 5] *= 100.0
    return changed(without_vj(RATES), rate)


def test_a_rule_that_would_flag_too_much_says_so_and_flags_nothing():
    findings = check_source(half_wrong(), NO_LINES, "", mark=False)
    assert [(f.rule, f.severity, f.transition) for f in findings if f.rule in ("off-curve", "too-many")] == [
        ("too-many", "warning", None)
    ]
    of_set = next(f for f in findings if f.rule == "too-many")
    assert of_set.value > of_set.expected
    assert "off-curve" in of_set.detail


def test_marking_flags_what_too_many_withholds():
    findings = check_source(half_wrong(), NO_LINES, "", mark=True)
    assert len(named([f for f in findings if f.rule == "off-curve"], "error")) > len(RATES) / 3
    assert not [f for f in findings if f.rule == "too-many"]


def test_zeros_in_most_rows_are_flagged_at_once():
    rate = RATES.rate_cm3_s.copy()
    rate[np.arange(len(rate)) % 5 < 4] = 0.0
    findings = check_source(changed(RATES, rate), NO_LINES, "", mark=False)
    assert len(named(findings, "error")) == pytest.approx(0.8 * len(RATES), abs=1)
    assert "too-many" not in {f.rule for f in findings}


def test_few_wrong_rows_of_a_small_set_are_flagged():
    small = smooth_rates(4)
    rate = small.rate_cm3_s.copy()
    rate[3, 5] *= 1e3
    findings = check_source(changed(small, rate), NO_LINES, "", mark=False)
    assert named(findings, "error") == {small.transition_name(3)}
