"""Sums over a partner's final states, and averages over its initial ones, next to plain loops."""

import numpy as np
import pytest
from derived_sets import (
    KELVIN,
    PARTNER_CM1,
    TARGET_CM1,
    as_predicted,
    pair_levels,
    pair_rates,
    slow_effective,
)
from synthetic import rotor_levels

from ratedb.errors import RatedbError, UsageError
from ratedb.layers import Kind
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.pairs import Pair, split_pair, state_called
from ratedb.physics.partner_sums import effective_rates, thermal_rates
from ratedb.physics.populations import share_listed
from ratedb.rates import Rates

JUMPS = [(1, 0), (2, 0), (2, 1)]


def pair() -> Pair:
    return split_pair(pair_levels(), "AB", "o-H2")


def without(rates: Rates, *names: str) -> Rates:
    return rates.select([row for row in range(len(rates)) if rates.transition_name(row) not in names])


def row_of(rates: Rates, j: int, j_final: int) -> int:
    names = [(str(j), str(j_final))]
    return next(row for row, name in enumerate(rates.transitions.names()) if name == names[0])


def test_a_pair_is_taken_apart_into_energies_and_weights_of_both_molecules() -> None:
    parts = pair()
    assert (parts.target.molecule, parts.partner.molecule) == ("AB", "o-H2")
    np.testing.assert_allclose(parts.target.energy_cm1, TARGET_CM1, atol=1e-9)
    np.testing.assert_allclose(parts.partner.energy_cm1, list(PARTNER_CM1.values()), atol=1e-9)
    np.testing.assert_allclose(parts.target.weight, [3.0, 9.0, 15.0], rtol=1e-9)
    np.testing.assert_allclose(parts.partner.weight, [3.0, 7.0], rtol=1e-9)
    assert parts.target.has_vj
    assert parts.partner.label == ("1", "3")


def test_levels_of_one_molecule_are_no_pair() -> None:
    with pytest.raises(RatedbError, match="not those of a pair"):
        split_pair(rotor_levels(3), "AB", "He")


def test_energies_that_are_no_sums_are_refused() -> None:
    levels = pair_levels()
    from dataclasses import replace

    energy = levels.energy_cm1 + np.arange(len(levels)) ** 2
    with pytest.raises(RatedbError, match="no pairs"):
        split_pair(replace(levels, energy_cm1=energy), "AB", "o-H2")


@pytest.mark.parametrize("j2", [1, 3])
def test_effective_rates_are_the_plain_sum_with_detailed_balance_for_what_goes_up(j2: int) -> None:
    rates, parts = pair_rates(), pair()
    found = effective_rates(rates, parts, state_called(parts.partner, f"j={j2}"), "o-H2")
    assert not found.warnings
    assert len(found.rates) == len(JUMPS)
    for j, j_final in JUMPS:
        expected = slow_effective(rates, j, j_final, j2)
        np.testing.assert_allclose(
            found.rates.rate_cm3_s[row_of(found.rates, j, j_final)], expected, rtol=1e-10
        )


def test_effective_rates_are_derived_and_without_half_widths_where_their_terms_are_computed() -> None:
    found = effective_rates(pair_rates(), pair(), 0, "o-H2").rates
    assert (found.kind_code == Kind.DERIVED).all()
    assert np.isnan(found.log10_half_width_68).all()


def test_the_half_width_of_a_sum_is_that_of_its_terms_where_they_are_alike() -> None:
    found = effective_rates(as_predicted(pair_rates(), 0.2), pair(), 0, "o-H2").rates
    np.testing.assert_allclose(found.log10_half_width_68, 0.2, rtol=1e-9)


def test_a_sum_without_one_jump_of_the_partner_is_warned_of_or_left_out() -> None:
    rates = without(pair_rates(), "2_1 -> 0_3")
    kept = effective_rates(rates, pair(), 0, "o-H2")
    assert kept.details["incomplete"] == [{"transition": "2 -> 0", "partner": "1", "missing": ["3"]}]
    assert "1 of 3 sums are incomplete" in kept.warnings[0]
    assert len(kept.rates) == 3
    left_out = effective_rates(rates, pair(), 0, "o-H2", complete_only=True)
    assert [left_out.rates.transition_name(row) for row in range(2)] == ["1 -> 0", "2 -> 1"]
    assert left_out.details["left_out"] == ["2 -> 0"]


def test_a_sum_without_its_elastic_term_is_left_out() -> None:
    found = effective_rates(without(pair_rates(), "2_1 -> 0_1"), pair(), 0, "o-H2")
    assert len(found.rates) == 2
    assert "the rate that leaves the partner in its state is missing" in found.warnings[0]


def test_a_missing_temperature_is_missing_in_the_sum_only_there() -> None:
    rates = pair_rates()
    elastic = [rates.transition_name(row) == "2_1 -> 0_1" for row in range(len(rates))]
    holes = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
    holes[elastic, 1] = True
    found = effective_rates(rates.blanked(holes), pair(), 0, "o-H2").rates
    row = found.rate_cm3_s[row_of(found, 2, 0)]
    assert np.isfinite(row).tolist() == [True, False, True]


def test_thermal_rates_weigh_the_partner_by_its_populations() -> None:
    rates, parts = pair_rates(), pair()
    found = thermal_rates(rates, parts, "o-H2").rates
    energy, weight = np.array([0.0, 40.0])[:, None], np.array([3.0, 7.0])[:, None]
    share = weight * np.exp(-HC_OVER_KB_CM_K * energy / np.array(KELVIN))
    share /= share.sum(axis=0)
    for j, j_final in JUMPS:
        terms = [slow_effective(rates, j, j_final, j2) for j2 in PARTNER_CM1]
        expected = (share * terms).sum(axis=0)
        row = row_of(found, j, j_final)
        known = np.isfinite(found.rate_cm3_s[row])
        assert known[:2].all()
        np.testing.assert_allclose(found.rate_cm3_s[row][known], expected[known], rtol=1e-10)


def test_thermal_rates_of_the_lowest_state_alone_are_the_effective_ones_where_it_holds_all() -> None:
    rates, parts = pair_rates(), pair()
    cold = Rates(
        rates.levels,
        "o-H2",
        rates.upper,
        rates.lower,
        np.array([0.5, 1.0, 2.0]),
        rates.rate_cm3_s,
        rates.layers,
    )
    first = effective_rates(cold, parts, 0, "o-H2").rates
    second = thermal_rates(cold, parts, "o-H2")
    np.testing.assert_allclose(second.rates.rate_cm3_s, first.rate_cm3_s, rtol=1e-6)
    assert not second.warnings


def test_coverage_of_less_than_95_percent_is_warned_of_and_less_than_half_is_left_out() -> None:
    rates = pair_rates()
    excited = [name[0].endswith("_3") or name[1].endswith("_3") for name in rates.transitions.names()]
    found = thermal_rates(rates.select(~np.array(excited)), pair(), "o-H2")
    assert "cover less than 95%" in found.warnings[0]
    coverage = {one["temperature_k"]: one["least"] for one in found.details["coverage"]}
    assert coverage[10.0] == pytest.approx(1 / (1 + 7 / 3 * np.exp(-HC_OVER_KB_CM_K * 40 / 10)), rel=1e-6)
    assert 200.0 not in coverage
    assert any("less than half" in text for text in found.warnings)


def test_hydrogen_of_both_species_cannot_be_averaged() -> None:
    levels = pair_levels()
    from dataclasses import replace

    numbers = {**levels.quantum_numbers, "j2": np.where(levels.quantum_numbers["j2"] == 3, 2.0, 1.0)}
    mixed = replace(levels, quantum_numbers=numbers, molecule="AB(H2)")
    rates = pair_rates(levels)
    rates = replace(rates, levels=mixed, collider="H2")
    with pytest.raises(RatedbError, match="two nuclear spin species"):
        thermal_rates(rates, split_pair(mixed, "AB", "H2"), "H2")


@pytest.mark.parametrize("text", ["5", "j=9", "k=1", "j=x", ""])
def test_a_state_that_the_partner_has_not_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="of the partner"):
        state_called(pair().partner, text)


def test_a_state_without_rates_is_refused() -> None:
    rates = pair_rates()
    out_of = [name[0].endswith("_3") or name[1].endswith("_3") for name in rates.transitions.names()]
    with pytest.raises(RatedbError, match="no rates out of the partner's state 3"):
        effective_rates(rates.select(~np.array(out_of)), pair(), 1, "o-H2")


def test_half_of_ortho_hydrogen_is_above_its_lowest_level_near_room_temperature_not_below_100_k() -> None:
    share, words = share_listed(pair().partner.select([0]), "o-H2", np.array([20.0, 100.0, 300.0, 1000.0]))
    assert words == "of all levels of its species"
    assert share[:2] == pytest.approx([1.0, 1.0], abs=1e-3)
    assert share[2] == pytest.approx(0.88, abs=0.02)
    assert share[3] < 0.5


def test_a_long_list_holds_all_of_the_population() -> None:
    share, _ = share_listed(rotor_levels(40), "CO", np.array([10.0, 100.0]))
    np.testing.assert_allclose(share, 1.0, rtol=1e-6)
