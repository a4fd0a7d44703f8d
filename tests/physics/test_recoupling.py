"""Hyperfine rates from rotational ones: closed forms, sums, balance, limits, and the way back."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import factorial

import numpy as np
import pytest
from derived_sets import as_predicted, split_levels
from synthetic import rotor_levels, rotor_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Levels
from ratedb.physics.derived import Derived
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.physics.hyperfine import METHODS, hyperfine_rates
from ratedb.physics.structure_sums import rotational_rates
from ratedb.physics.tensor_strengths import fitted_strengths, fundamental_strengths, ios_weights
from ratedb.physics.wigner import squared_6j
from ratedb.rates import Rates

J_MAX = 4


def rotor(b_cm1: float = 1.5, j_max: int = J_MAX) -> Rates:
    levels = rotor_levels(j_max, molecule="XYZ")
    j = levels.need_vj()[1]
    return rotor_rates(replace(levels, energy_cm1=b_cm1 * j * (j + 1.0)), "p-H2", (10.0, 50.0))


def sudden(j_max: int = 6) -> tuple[Rates, np.ndarray]:
    """Return rates that are exactly sudden for given strengths, with levels that are all but degenerate."""
    strength = 1e-10 * 0.5 ** np.arange(2 * j_max)[:, None] * np.array([1.0, 2.0])
    rates = rotor(1e-3, j_max)
    j, j_final = rates.j, rates.j_final
    values = ios_weights(j, j_final, 2 * j_max) @ strength
    return replace(rates, rate_cm3_s=values, temperature_k=np.array([10.0, 50.0])), strength


def sums_over_f(found: Derived, levels: Levels) -> dict[tuple[int, int, int], np.ndarray]:
    """Return the sum over F' of the rates out of each hyperfine level into each j', by plain loops."""
    j = levels.quantum_numbers["j"].astype(int)
    total: dict[tuple[int, int, int], np.ndarray] = {}
    rates = found.rates
    for u, w, k in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True):
        key = int(u), int(j[u]), int(j[w])
        total[key] = total.get(key, 0.0) + k
    return total


def exact_6j(a: int, b: int, c: int, d: int, e: int, f: int) -> Fraction:
    """Return the square of a 6j symbol of doubled momenta with whole numbers, by Racah's formula."""
    triads = [(a, b, c), (a, e, f), (d, b, f), (d, e, c)]
    if any((x + y + z) % 2 or z < abs(x - y) or z > x + y for x, y, z in triads):
        return Fraction(0)
    square = Fraction(1)
    for x, y, z in triads:
        half = [(x + y - z) // 2, (x - y + z) // 2, (y + z - x) // 2]
        square *= Fraction(
            np.prod([factorial(n) for n in half], dtype=object), factorial((x + y + z) // 2 + 1)
        )
    tops = [(a + b + d + e) // 2, (b + c + e + f) // 2, (c + a + f + d) // 2]
    total = Fraction(0)
    for t in range(max(sum(one) // 2 for one in triads), min(tops) + 1):
        below = [factorial(t - sum(one) // 2) for one in triads] + [factorial(top - t) for top in tops]
        total += Fraction((-1) ** t * factorial(t + 1), int(np.prod(below, dtype=object)))
    return square * total**2


def test_6j_symbols_agree_with_whole_numbers_for_all_small_momenta() -> None:
    every = np.array(list(product(range(5), repeat=6)), dtype=np.int64)
    found = squared_6j(*every.T)
    expected = [float(exact_6j(*row)) for row in every.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("twice", [(2, 4, 3, 5), (10, 12, 3, 9), (30, 28, 2, 30)])
def test_6j_symbols_are_orthogonal(twice: tuple[int, int, int, int]) -> None:
    a, b, d, e = twice
    c = np.arange(0, 100)
    f = np.arange(0, 100)
    table = squared_6j(a, b, c[:, None], d, e, f[None, :])
    total = ((c[:, None] + 1) * (f[None, :] + 1) * table).sum(axis=0)
    allowed = table.any(axis=0)
    assert allowed.any()
    np.testing.assert_allclose(total[allowed], 1.0, rtol=1e-9)


def test_strengths_of_sudden_rates_are_found_again() -> None:
    rates, strength = sudden()
    found = fitted_strengths(rates.j, rates.j_final, rates.rate_cm3_s)
    np.testing.assert_allclose(found[:6], strength[:6], rtol=1e-3)
    own = fundamental_strengths(rates.j, rates.j_final, rates.rate_cm3_s, 6)
    np.testing.assert_allclose(own, strength[:6], rtol=1e-10)


def test_strengths_are_unknown_where_no_rate_is() -> None:
    rates, _ = sudden()
    values = rates.rate_cm3_s.copy()
    values[:, 1] = 0.0
    found = fitted_strengths(rates.j, rates.j_final, values)
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spins", [(1.0,), (1.5,), (0.5,), (1.0, 1.0)])
def test_the_sum_over_final_f_is_the_rotational_rate(method: str, spins: Sequence[float]) -> None:
    rates, levels = rotor(), split_levels(J_MAX, spins)
    found = hyperfine_rates(rates, levels, method)
    sums = sums_over_f(found, levels)
    between = {key: k for key, k in sums.items() if key[1] != key[2]}
    assert len(between) == sum(int((levels.quantum_numbers["j"] == j).sum()) * j for j in range(1, J_MAX + 1))
    for (_, j, j_final), k in between.items():
        np.testing.assert_allclose(k, rates.curve_of(j=j, j_final=j_final).rate_cm3_s[0], rtol=1e-9)


@pytest.mark.parametrize("spins", [(1.0,), (1.5,), (1.0, 0.5)])
def test_sudden_rates_obey_detailed_balance_of_degenerate_levels(spins: Sequence[float]) -> None:
    # With all levels at one energy, (2F+1) k(F -> F') is symmetric: so are the factors of each tensor.
    from ratedb.physics.hyperfine import _Spins

    chain = _Spins.of(split_levels(3, spins))
    initial, final = np.nonzero(np.ones((len(chain.j),) * 2))
    there, back = chain.recoupled(initial, final, 6), chain.recoupled(final, initial, 6)
    np.testing.assert_allclose(
        chain.weight[initial][:, None] * there, chain.weight[final][:, None] * back, rtol=1e-9, atol=1e-12
    )


def test_rates_out_of_j_0_are_shared_by_2f_plus_1() -> None:
    # From j' = 0 only one tensor acts, and 6j with a zero gives (2F'+1) / ((2I+1) (2j'+1)).
    rates, levels = rotor(), split_levels(J_MAX, (1.0,))
    found = hyperfine_rates(rates, levels).rates
    into = found.lower == 0
    up = reverse_rate(
        found.rate_cm3_s[into],
        found.upper_weight[into][:, None],
        3.0,
        found.upper_energy_cm1[into][:, None],
        0.0,
        found.temperature_k,
    )
    j, weight = levels.quantum_numbers["j"][found.upper[into]], found.upper_weight[into]
    for each in range(1, J_MAX + 1):
        ratio = up[j == each] / weight[j == each][:, None]
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-3)


def test_the_statistical_limit_shares_by_2f_plus_1_and_has_nothing_within_j() -> None:
    rates, levels = rotor(), split_levels(J_MAX, (1.0,))
    found = hyperfine_rates(rates, levels, "statistical").rates
    j, weight = levels.quantum_numbers["j"].astype(int), levels.weight
    for row in range(len(found)):
        u, w = found.upper[row], found.lower[row]
        k = rates.curve_of(j=int(j[u]), j_final=int(j[w])).rate_cm3_s[0]
        np.testing.assert_allclose(found.rate_cm3_s[row], k * weight[w] / (3.0 * (2 * j[w] + 1)), rtol=1e-12)
    assert (j[found.upper] != j[found.lower]).all()


def test_many_tensors_of_equal_strength_come_close_to_the_statistical_limit() -> None:
    levels = split_levels(6, (1.0,), 1e-3)
    rates, _ = sudden()
    flat = ios_weights(rates.j, rates.j_final, 12) @ np.full((12, 2), 1e-10)
    first = hyperfine_rates(replace(rates, rate_cm3_s=flat), levels)
    second = hyperfine_rates(replace(rates, rate_cm3_s=flat), levels, "statistical")
    own = hyperfine_rates(rates, levels)

    def distance(found: Derived) -> float:
        between = ~found.elastic_in_j
        return float(np.abs(found.rates.rate_cm3_s[between] / second.rates.rate_cm3_s - 1.0).mean())

    assert distance(first) < distance(own)


def test_a_spin_of_zero_leaves_the_rates_as_they_are() -> None:
    rates = rotor()
    levels = split_levels(J_MAX, (0.0,))
    found = hyperfine_rates(rates, levels)
    np.testing.assert_allclose(
        found.rates.rate_cm3_s[np.lexsort([found.rates.lower, found.rates.upper])],
        rates.rate_cm3_s[np.lexsort([rates.lower, rates.upper])],
        rtol=1e-12,
    )


def test_transitions_within_one_j_are_there_and_counted() -> None:
    found = hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,)))
    assert found.details["within_j"] == 3 * J_MAX
    assert found.elastic_in_j.sum() == 3 * J_MAX
    assert (found.rates.rate_cm3_s[found.elastic_in_j] >= 0).all()
    assert found.details["nuclear_spins"] == [1.0]


def test_sudden_rates_within_one_j_are_those_of_the_closed_form() -> None:
    rates, strength = sudden()
    levels = split_levels(6, (1.0,), 1e-3)
    found = hyperfine_rates(rates, levels)
    # j = 1, F = 2 -> 1 with L = 2 only: 9 * 3 * (1 2 1; 000)^2 * {1 1 2; 1 2 1}^2 Q_2.
    expected = 27.0 * (2.0 / 15.0) * float(exact_6j(2, 2, 4, 2, 4, 2)) * strength[1]
    numbers = levels.quantum_numbers
    place = {(j, f): n for n, (j, f) in enumerate(zip(numbers["j"], numbers["F"], strict=True))}
    ends = place[1.0, 2.0], place[1.0, 1.0]
    row = np.flatnonzero((found.rates.upper == ends[0]) & (found.rates.lower == ends[1]))
    np.testing.assert_allclose(found.rates.rate_cm3_s[row[0]], expected, rtol=2e-3)


def test_the_way_back_gives_the_rotational_rates() -> None:
    rates = rotor()
    for spins in ((1.0,), (1.5, 1.0)):
        back = rotational_rates(hyperfine_rates(rates, split_levels(J_MAX, spins)).rates, "XYZ").rates
        assert back.levels.has_vj
        for row in range(len(back)):
            k = rates.curve_of(j=int(back.j[row]), j_final=int(back.j_final[row])).rate_cm3_s[0]
            np.testing.assert_allclose(back.rate_cm3_s[row], k, rtol=1e-9)
        np.testing.assert_allclose(back.levels.energy_cm1, rates.levels.energy_cm1, atol=0.02)


def test_the_way_back_leaves_out_what_lacks_a_hyperfine_rate() -> None:
    split = hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,))).rates
    row = [split.transition_name(n) == "2_1 -> 1_1" for n in range(len(split))].index(True)
    found = rotational_rates(split.select(np.arange(len(split)) != row), "XYZ")
    assert found.details["left_out"] == ["2 -> 1"]
    assert len(found.rates) == 9
    assert "1 transitions are left out, as 2 -> 1" in found.warnings[0]


def test_levels_without_f_have_no_way_back() -> None:
    with pytest.raises(RatedbError, match="no hyperfine structure"):
        rotational_rates(rotor(), "XYZ")


def test_half_widths_are_those_of_the_rotational_rates_and_of_the_strengths() -> None:
    levels = split_levels(J_MAX, (1.0,))
    shared = hyperfine_rates(as_predicted(rotor(), 0.1), levels, "statistical").rates
    np.testing.assert_allclose(shared.log10_half_width_68, 0.1, rtol=1e-12)
    recoupled = hyperfine_rates(as_predicted(rotor(), 0.1), levels)
    width = recoupled.rates.log10_half_width_68
    assert np.nanmin(width[~recoupled.elastic_in_j]) >= 0.1 - 1e-12
    assert np.nanmax(width) <= 0.3 + 1e-9
    assert np.isnan(hyperfine_rates(rotor(), levels).rates.log10_half_width_68).all()


def test_half_widths_within_one_j_are_those_of_the_strengths() -> None:
    found = hyperfine_rates(as_predicted(rotor(), 0.1), split_levels(J_MAX, (1.0,)))
    positive = found.rates.rate_cm3_s[found.elastic_in_j] > 0
    width = found.rates.log10_half_width_68[found.elastic_in_j]
    np.testing.assert_allclose(width[positive], 0.1, rtol=1e-6)


def test_a_j_without_rotational_rates_and_a_list_that_lacks_levels_are_named() -> None:
    levels = split_levels(J_MAX + 1, (1.0,))
    whole = hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,)))
    assert "lacks hyperfine levels" not in " ".join(whole.warnings)
    cut = hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,)).select(range(12)))
    assert "lacks hyperfine levels of j = 4" in " ".join(cut.warnings)
    longer = hyperfine_rates(rotor(), levels)
    assert "have no rotational rate" in " ".join(longer.warnings)


def test_levels_of_another_molecule_are_refused() -> None:
    with pytest.raises(RatedbError, match="not those of XYZ"):
        hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,), 4.0))


def test_rotational_levels_are_no_hyperfine_levels() -> None:
    with pytest.raises(RatedbError, match="not hyperfine levels of a linear molecule"):
        hyperfine_rates(rotor(), rotor_levels(3))


def test_only_linear_molecules_are_recoupled() -> None:
    levels = split_levels(J_MAX, (1.0,))
    with pytest.raises(RatedbError, match="not rotational levels"):
        hyperfine_rates(hyperfine_rates(rotor(), levels).rates, levels)


def test_an_unknown_method_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown method"):
        hyperfine_rates(rotor(), split_levels(), "exact")


def test_what_the_sudden_limit_forbids_is_zero_and_warned_of() -> None:
    found = hyperfine_rates(rotor(), split_levels(J_MAX, (1.0,)))
    # j = 1 -> 1 needs L = 2, which does not couple F = 0 with F = 1.
    names = found.rates.transitions.names()
    assert found.rates.rate_cm3_s[names.index(("1_1", "1_0"))].tolist() == [0.0, 0.0]
    count = int((found.rates.rate_cm3_s == 0).all(axis=1).sum())
    assert found.details["forbidden"] == count > 0
    assert f"{count} transitions are zero" in " ".join(found.warnings)


def test_a_partner_that_rotates_is_warned_of() -> None:
    found = hyperfine_rates(replace(rotor(), collider="o-H2"), split_levels())
    assert "a partner without rotation" in found.warnings[0]
