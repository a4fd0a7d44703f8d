"""Claims about the direction of transitions: that of stores, and that in which the target loses energy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from top_store import PARTNER_CM1, levels, out_of, rates

from ratedb.kinds.units import units_of
from ratedb.levels import Transitions
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.orientation import (
    downward,
    split_energies,
    target_energy_cm1,
    target_rises,
    turned,
    turned_rates,
    units_out_of,
    units_with_rates,
    with_target_falling,
)
from ratedb.rates import Rates

PAIR = levels(2, PARTNER_CM1)
WARM = np.array([100.0, 300.0])  # cold ones underflow on the way up


def some_rates(rows: list[bool], seed: int) -> Rates:
    """Return random rates of the first downward pairs, as many as `rows`."""
    pairs = PAIR.downward_pairs().select(np.arange(len(rows)))
    values = 10.0 ** np.random.default_rng(seed).uniform(-13.0, -10.0, (len(rows), len(WARM)))
    return Rates(PAIR, "He", pairs.upper, pairs.lower, WARM, values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=len(PAIR.downward_pairs())), st.integers(0, 1000))
def test_turning_there_and_back_changes_nothing(rows: list[bool], seed: int) -> None:
    made, mask = some_rates(rows, seed), np.array(rows)
    there = turned_rates(made, mask)
    back = turned_rates(there, mask)
    np.testing.assert_array_equal(there.upper, np.where(mask, made.lower, made.upper))
    np.testing.assert_array_equal((back.upper, back.lower), (made.upper, made.lower))
    np.testing.assert_allclose(back.rate_cm3_s, made.rate_cm3_s, rtol=1e-12)
    np.testing.assert_array_equal(there.rate_cm3_s[~mask], made.rate_cm3_s[~mask])


def test_turned_rates_obey_detailed_balance() -> None:
    made = some_rates([True] * 20, 5)
    found = turned_rates(made, np.ones(20, dtype=bool))
    energy, weight = PAIR.energy_cm1, PAIR.weight
    for row in range(20):
        upper, lower = int(made.upper[row]), int(made.lower[row])
        assert (found.upper[row], found.lower[row]) == (lower, upper)
        for column, kelvin in enumerate(WARM.tolist()):
            boltzmann = math.exp(-(energy[upper] - energy[lower]) * HC_OVER_KB_CM_K / kelvin)
            slow = made.rate_cm3_s[row, column] * weight[upper] / weight[lower] * boltzmann
            assert found.rate_cm3_s[row, column] == pytest.approx(slow, rel=1e-12)


def row_between(initial: str, final: str) -> Transitions:
    ends = ([PAIR.places[one]] for one in (initial, final))
    return Transitions(PAIR, *(np.array(one) for one in ends))


def test_a_target_that_falls_while_its_partner_takes_up_more_is_an_upward_row_of_stores() -> None:
    falls = row_between("2_1_1_0", "1_1_1_2")  # the target loses some 10 cm-1, the partner gains 354
    assert PAIR.energy_cm1[falls.upper] < PAIR.energy_cm1[falls.lower]
    assert not target_rises(falls).any()
    stored = downward(falls)
    assert (stored.upper[0], stored.lower[0]) == (falls.lower[0], falls.upper[0])
    assert target_rises(stored).all()
    units = units_of(PAIR)
    for one in (falls, stored):
        assert units.named(units_out_of(one, units)) == ("2_1_1_0",)


def test_a_row_down_in_both_molecules_stays_as_it_is() -> None:
    falls = row_between("2_1_1_2", "1_1_1_0")
    assert not target_rises(falls).any()
    stored = downward(falls)
    assert (stored.upper[0], stored.lower[0]) == (falls.upper[0], falls.lower[0])


def test_energies_of_pairs_are_split_into_those_of_both_molecules() -> None:
    target = np.repeat(np.arange(3), 2)
    partner = np.tile(np.arange(2), 3)
    own, other = np.array([0.0, 4.0, 11.0]), np.array([0.0, 354.0])
    found = split_energies(50.0 + own[target] + other[partner], target, partner)
    np.testing.assert_allclose(found[0], own, atol=1e-9)
    np.testing.assert_allclose(found[1], other, atol=1e-9)
    assert len(np.unique(np.round(target_energy_cm1(PAIR), 6))) == len(PAIR) // 2


def test_without_a_partner_the_energy_is_that_of_the_level() -> None:
    made = levels(3)
    np.testing.assert_array_equal(target_energy_cm1(made), made.energy_cm1)


def test_rates_of_the_store_are_learnt_in_the_direction_of_the_target() -> None:
    made = rates(3, PARTNER_CM1).select_temperatures(np.array([False, False, True, True]))
    energy = made.levels.energy_cm1
    stored = turned_rates(made, energy[made.upper] < energy[made.lower])
    assert target_rises(stored.transitions).any()
    found = with_target_falling(stored)
    np.testing.assert_array_equal((found.upper, found.lower), (made.upper, made.lower))
    np.testing.assert_allclose(found.rate_cm3_s, made.rate_cm3_s, rtol=1e-12)


def test_where_both_directions_are_there_that_of_the_falling_target_counts() -> None:
    made = some_rates([True] * 6, 1)
    falling = turned_rates(made, target_rises(made.transitions))
    other = turned(falling.transitions, np.ones(6, dtype=bool))
    wrong = Rates(PAIR, "He", other.upper, other.lower, WARM, np.full((6, 2), 1e-20))
    found = with_target_falling(Rates.join([wrong, falling]))
    assert sorted(found.rate_cm3_s[:, 0].tolist()) == sorted(falling.rate_cm3_s[:, 0].tolist())


def test_initial_states_with_rates_are_those_that_were_computed() -> None:
    made = rates(3, PARTNER_CM1)
    some = ("2_1_1_0", "3_1_3_0", "2_1_2_2")
    found = units_with_rates(out_of(made, some))
    assert set(found) == set(some)
    order = [units_of(made.levels).label.index(one) for one in found]
    assert order == sorted(order)


def test_levels_of_a_pair_are_in_the_direction_of_total_energy_in_stores() -> None:
    every = PAIR.downward_pairs()
    assert (PAIR.energy_cm1[every.upper] > PAIR.energy_cm1[every.lower]).all()
    np.testing.assert_array_equal(downward(every).upper, every.upper)
