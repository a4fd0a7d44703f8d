from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_sets import (
    EVEN_GRID,
    UNEVEN_GRID,
    changed,
    named,
    row_of,
    smooth_rates,
    without_vj,
)
from synthetic import rotor_levels, rotor_lines

from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.levels import Lines
from ratedb.quality import rules
from ratedb.quality.check import check_levels, check_rates
from ratedb.rates import Rates

RATES = smooth_rates()


def rules_of(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def with_value(row: int, column: int, factor: float, rates: Rates = RATES) -> Rates:
    rate = rates.rate_cm3_s.copy()
    rate[row, column] *= factor
    return changed(rates, rate)


def with_row(row: int, factor: float, rates: Rates = RATES) -> Rates:
    rate = rates.rate_cm3_s.copy()
    rate[row] *= factor
    return changed(rates, rate)


@pytest.mark.parametrize(
    "rates",
    [
        RATES,
        smooth_rates(temperature_k=EVEN_GRID),
        smooth_rates(odd_dj=0.01),
        smooth_rates(odd_dj=3.0, odd_j=3.0),
        smooth_rates(8, v_max=2),
        smooth_rates(12, noise=0.05),
        without_vj(RATES),
        smooth_rates(4),
        smooth_rates(8, (10.0, 30.0, 100.0)),
    ],
    ids=["uneven", "even", "propensity", "parity", "vibration", "rough", "labels", "small", "three T"],
)
def test_a_smooth_set_has_no_finding(rates):
    assert check_rates(rates) == []


@pytest.mark.parametrize("column", range(len(UNEVEN_GRID)))
@pytest.mark.parametrize("factor", [10.0, 0.1, 2.0])
def test_one_wrong_value_is_found_at_its_temperature_and_nothing_else(column, factor):
    row = row_of(RATES, "9 -> 4")
    findings = check_rates(with_value(row, column, factor))
    assert [(f.transition, f.temperature_k) for f in findings] == [("9 -> 4", UNEVEN_GRID[column])]
    assert findings[0].severity == ("warning" if factor == 2.0 else "error")
    assert findings[0].value == RATES.rate_cm3_s[row, column] * factor
    assert findings[0].expected == pytest.approx(RATES.rate_cm3_s[row, column], rel=0.1)


def test_one_wrong_value_is_found_without_v_and_j():
    rates = without_vj(RATES)
    findings = check_rates(with_value(40, 3, 10.0, rates))
    assert [(f.transition, f.temperature_k) for f in findings] == [(rates.transition_name(40), 30.0)]


@pytest.mark.parametrize("name", ["9 -> 4", "1 -> 0", "16 -> 0", "16 -> 15", "2 -> 0", "15 -> 1"])
@pytest.mark.parametrize("factor", [300.0, 1 / 300.0])
def test_a_row_far_off_is_an_error_and_its_neighbours_are_not(name, factor):
    findings = check_rates(with_row(row_of(RATES, name), factor))
    assert name in named(findings)
    assert named(findings, "error") <= {name}


def test_an_inner_row_far_off_is_named_alone():
    findings = check_rates(with_row(row_of(RATES, "9 -> 4"), 1e-3))
    assert [(f.rule, f.transition) for f in findings] == [("off-neighbours", "9 -> 4")]
    assert findings[0].value == pytest.approx(1e-3 * findings[0].expected, rel=0.05)


def test_a_row_in_cubic_metres_is_called_a_slip_of_units():
    findings = check_rates(with_row(row_of(RATES, "9 -> 4"), 1e-6))
    assert [(f.rule, f.transition) for f in findings] == [("unit-of-row", "9 -> 4")]


def test_a_row_in_cubic_metres_is_found_without_v_and_j():
    rates = without_vj(RATES)
    findings = check_rates(with_row(40, 1e-6, rates))
    assert named(findings) == {rates.transition_name(40)}


def test_two_wrong_rows_side_by_side_are_both_found():
    rate = RATES.rate_cm3_s.copy()
    rows = [row_of(RATES, "9 -> 4"), row_of(RATES, "10 -> 5")]
    rate[rows] *= 1e-2
    assert named(check_rates(changed(RATES, rate)), "error") == {"9 -> 4", "10 -> 5"}


def test_exchanged_rows_are_both_named():
    rate = RATES.rate_cm3_s.copy()
    rows = [row_of(RATES, "9 -> 4"), row_of(RATES, "12 -> 10")]
    rate[rows] = rate[rows[::-1]]
    assert named(check_rates(changed(RATES, rate))) == {"9 -> 4", "12 -> 10"}


@pytest.mark.parametrize("grid", [EVEN_GRID, UNEVEN_GRID], ids=["even", "uneven"])
@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_row_moved_by_one_temperature_is_found(grid, by, labelled):
    rates = smooth_rates(temperature_k=grid)
    rates = rates if labelled else without_vj(rates)
    rate = rates.rate_cm3_s.copy()
    row = row_of(RATES, "9 -> 4")
    rate[row] = np.roll(rate[row], by)
    rate[row, 0 if by > 0 else -1] = rate[row, 1 if by > 0 else -2]
    findings = check_rates(changed(rates, rate))
    assert named(findings) == {rates.transition_name(row)}
    if labelled:
        moved = next(f for f in findings if f.rule == "shifted-row")
        assert ("lower" if by > 0 else "higher") in moved.detail


def test_rows_of_mixed_columns_are_errors_as_a_whole():
    rate = RATES.rate_cm3_s.copy()
    one, other = row_of(RATES, "9 -> 4"), row_of(RATES, "16 -> 2")
    columns = [2, 5, 9]
    rate[one, columns], rate[other, columns] = rate[other, columns], rate[one, columns]
    findings = check_rates(changed(without_vj(RATES), rate))
    assert [(f.rule, f.temperature_k) for f in findings] == [("scrambled-row", None)] * 2


def test_a_kink_that_the_neighbours_share_is_none():
    kinked = RATES.rate_cm3_s.copy()
    rows = [row for row in range(len(RATES)) if RATES.upper[row] - RATES.lower[row] == 6]
    kinked[rows, 4] *= 2.0
    assert check_rates(changed(RATES, kinked)) == []


def test_a_row_of_zeros_is_one_error():
    findings = check_rates(with_row(7, 0.0))
    assert [(f.rule, f.transition, f.temperature_k) for f in findings] == [
        ("non-positive", RATES.transition_name(7), None)
    ]


def test_a_single_zero_is_an_error_at_its_temperature():
    findings = check_rates(with_value(7, 3, 0.0))
    assert [(f.rule, f.temperature_k, f.value) for f in findings] == [("non-positive", 30.0, 0.0)]


@pytest.mark.parametrize("floor", [1e-60, 1e-30])
def test_a_floor_that_repeats_is_a_placeholder_at_each_of_its_places(floor):
    rate = RATES.rate_cm3_s.copy()
    rate[[3, 8, 20], 0] = floor
    findings = check_rates(changed(RATES, rate))
    assert {f.rule for f in findings} == {"placeholder"}
    assert [f.transition for f in findings] == [RATES.transition_name(row) for row in (3, 8, 20)]


def test_tiny_values_that_differ_and_fall_smoothly_are_no_placeholders():
    rate = RATES.rate_cm3_s * 10.0 ** (-2.0 * (RATES.upper - RATES.lower))[:, None]
    assert rate.min() < 1e-40
    assert "placeholder" not in rules_of(check_rates(changed(RATES, rate)))


def test_gaps_are_noted_and_do_not_hide_an_error_beside_them():
    rates = with_value(row_of(RATES, "9 -> 4"), 6, 10.0)
    rate = rates.rate_cm3_s.copy()
    rate[row_of(RATES, "9 -> 4"), 0] = np.nan
    rate[5] = np.nan
    findings = check_rates(changed(rates, rate))
    assert [(f.rule, f.severity, f.value) for f in findings if f.severity == "note"] == [
        ("missing", "note", 1.0 + len(UNEVEN_GRID))
    ]
    assert named(findings) == {"9 -> 4"}


def test_values_no_collision_reaches_are_errors_for_neutrals_and_fine_for_electrons():
    scaled = changed(RATES, RATES.rate_cm3_s / RATES.rate_cm3_s.max() * 2e-7)
    assert {f.severity for f in check_rates(scaled) if f.rule == "implausible"} == {"error"}
    assert check_rates(replace(scaled, collider="e")) == []


def test_a_set_in_cubic_metres_gets_one_warning():
    findings = check_rates(changed(RATES, RATES.rate_cm3_s * 1e-6))
    assert [(f.rule, f.upper) for f in findings] == [("unit-of-set", None)]
    assert findings[0].expected == pytest.approx(1e6 * findings[0].value)


def two_shapes(digits: int) -> Rates:
    shape = np.where((RATES.upper - RATES.lower)[:, None] % 2, 0.3, 0.5) * np.log(RATES.temperature_k)
    rate = RATES.rate_cm3_s[:, :1] * np.exp(shape)
    return changed(RATES, [[float(f"{value:.{digits - 1}e}") for value in row] for row in rate])


@pytest.mark.parametrize("digits", [3, 4, 7])
def test_a_set_of_two_shapes_gets_one_warning(digits):
    findings = [f for f in check_rates(two_shapes(digits)) if f.rule == "few-shapes"]
    assert [(f.upper, f.value) for f in findings] == [(None, 2.0)]


def test_a_set_of_two_digits_is_not_called_one_of_few_shapes():
    assert "few-shapes" not in rules_of(check_rates(two_shapes(2)))


def test_a_repeated_value_is_named_where_the_set_says_that_the_next_differs():
    rate = RATES.rate_cm3_s.copy()
    rate[30, 0] = rate[30, 1]
    assert (rules_of(check_rates(changed(RATES, rate)))) <= {"repeated-value", "kink"}
    assert named(check_rates(changed(RATES, rate))) == {RATES.transition_name(30)}


def test_a_negative_rate_is_refused_with_its_transition():
    with pytest.raises(RatedbError, match="9 -> 4"):
        with_value(row_of(RATES, "9 -> 4"), 3, -1.0)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_findings_do_not_depend_on_the_order_of_rows(seed):
    rng = np.random.default_rng(seed)
    rate = RATES.rate_cm3_s.copy()
    rate[rng.choice(len(RATES), 3, replace=False)] *= 50.0
    rate[rng.integers(len(RATES)), rng.integers(rate.shape[1])] *= 10.0
    rates = changed(RATES, rate)
    assert check_rates(rates.select(rng.permutation(len(rates)))) == check_rates(rates)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_twice_all_rates_have_the_same_findings(seed):
    rng = np.random.default_rng(seed)
    rate = RATES.rate_cm3_s.copy()
    rate[rng.choice(len(RATES), 3, replace=False)] *= 50.0
    rate[rng.integers(len(RATES)), rng.integers(rate.shape[1])] *= 10.0

    def named_values(factor: float) -> list[tuple[str, str | None, float | None]]:
        return [(f.rule, f.transition, f.temperature_k) for f in check_rates(changed(RATES, rate * factor))]

    assert named_values(0.02) == named_values(0.01)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(1, 12), st.integers(0, 10_000), st.booleans())
def test_any_table_of_rates_can_be_checked(n, m, seed, labelled):
    rng = np.random.default_rng(seed)
    levels = rotor_levels(4, v_max=1)
    upper, lower = np.nonzero(np.tri(len(levels), k=-1))
    rate = 10.0 ** rng.uniform(-70, -8, (len(upper), m))
    rate[rng.random(rate.shape) < 0.2] = np.nan
    rate[rng.random(rate.shape) < 0.1] = 0.0
    rates = Rates(levels, "He", upper, lower, np.geomspace(5, 500, m), rate).select(
        rng.choice(len(upper), n, replace=False)
    )
    findings = check_rates(rates if labelled else without_vj(rates))
    assert {f.rule for f in findings} <= {rule.name for rule in rules.RULES}


def test_good_levels_and_lines_have_no_finding():
    levels = rotor_levels(6, v_max=1)
    assert check_levels(levels, rotor_lines(levels), "XY+He") == []
    odd_spin = replace(levels, weight=levels.weight * np.where(np.array(levels.j) % 2, 3.0, 1.0))
    assert check_levels(odd_spin, None, "XY+He") == []


def test_levels_out_of_order_wrong_weights_and_wrong_frequencies_are_found():
    levels = rotor_levels(6)
    energy, weight = levels.energy_cm1.copy(), levels.weight.copy()
    energy[5] = 10.0
    weight[3] = 8.0
    wrong = replace(levels, energy_cm1=energy, weight=weight)
    lines = rotor_lines(levels)
    frequency = lines.frequency_ghz.copy()
    frequency[0] *= 1.02
    lines = Lines(lines.upper, lines.lower, lines.einstein_a_s1, frequency)
    findings = check_levels(wrong, lines, "XY+He")
    assert [(f.rule, f.value, f.expected) for f in findings[:2]] == [
        ("energy-order", 10.0, energy[4]),
        ("weight", 8.0, 7.0),
    ]
    [level] = [f for f in findings if f.rule == "level-energy"]
    assert (level.value, level.expected) == (10.0, pytest.approx(levels.energy_cm1[5]))
    assert "level 5" in level.detail
    assert {f.transition for f in findings if f.rule == "frequency"} == {"1 -> 0"}
    assert {f.severity for f in findings} == {"warning"}


def test_each_rule_has_a_name_of_its_own_and_says_what_it_means():
    assert len({rule.name for rule in rules.RULES}) == len(rules.RULES)
    for rule in rules.RULES:
        assert rule.severity in ("error", "warning", "note")
        assert rule.meaning.endswith(".")
