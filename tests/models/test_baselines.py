"""Naive interpolation: its rules one by one, and METHOD's measured figures."""

from __future__ import annotations

import numpy as np
import pytest
from real import NAIVE_N4, co_rates

from ratedb.levels import Levels, Transitions, vj
from ratedb.models.baselines import interpolate_in_j, physical_law
from ratedb.models.features import is_homonuclear
from ratedb.models.metrics import metrics
from ratedb.rates import Rates


def rotor(molecule: str = "AB", n: int = 15) -> Levels:
    j = np.arange(n)
    return Levels(molecule, tuple(map(str, j)), 2.0 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(n), j))


def table(levels: Levels, pairs: list[tuple[int, int]], log10_k: list[float]) -> Rates:
    upper, lower = np.array(pairs).T
    return Rates(levels, "He", upper, lower, [100.0], 10.0 ** np.array(log10_k)[:, None])


def ask(training: Rates, upper: int, lower: int) -> float:
    wanted = Transitions(training.levels, np.array([upper]), np.array([lower]))
    return float(interpolate_in_j(training, wanted)[0, 0])


def test_between_two_j_it_interpolates_linearly_in_log10_k_at_fixed_dj() -> None:
    training = table(rotor(), [(4, 3), (8, 7), (4, 2), (8, 6)], [-10.0, -12.0, -30.0, -30.0])
    assert ask(training, 5, 4) == pytest.approx(-10.5)


def test_past_the_ends_it_takes_the_nearest_value() -> None:
    training = table(rotor(), [(4, 3), (8, 7)], [-10.0, -12.0])
    assert (ask(training, 12, 11), ask(training, 2, 1)) == pytest.approx((-12.0, -10.0))


def test_an_unknown_dj_takes_the_nearest_smaller_one_of_the_same_parity() -> None:
    training = table(rotor(), [(6, 5), (6, 4), (6, 3), (6, 2)], [-1.0, -2.0, -3.0, -4.0])
    assert ask(training, 9, 2) == pytest.approx(-3.0)  # dj = -7 -> -3
    assert ask(training, 9, 3) == pytest.approx(-4.0)  # dj = -6 -> -4


def test_a_homonuclear_molecule_only_learns_from_its_own_nuclear_spin() -> None:
    pairs, values = [(4, 2), (8, 6), (5, 3), (9, 7)], [-10.0, -10.0, -12.0, -12.0]
    assert ask(table(rotor("H2"), pairs, values), 6, 4) == pytest.approx(-10.0)
    assert ask(table(rotor("H2"), pairs, values), 7, 5) == pytest.approx(-12.0)
    assert ask(table(rotor("HD"), pairs, values), 6, 4) == pytest.approx(-11.333, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("H2", True), ("N2", True), ("Cl2", True), ("p-H2", True), ("CO", False), ("HD", False), ("CO2", False)],
)
def test_homonuclear_molecules_are_known_by_name(name: str, expected: bool) -> None:
    assert is_homonuclear(name) is expected


def test_on_co_it_gives_the_figures_measured_for_the_method() -> None:
    rates = co_rates()
    initial_j = rates.initial_j()
    training = rates.select(np.isin(initial_j, (5, 9, 14, 19)))
    test = rates.select((initial_j >= 5) & ~np.isin(initial_j, (5, 9, 14, 19)))
    found = metrics(test.rate_cm3_s, interpolate_in_j(training, test.transitions))
    for name, value in NAIVE_N4.items():
        assert getattr(found, name) == pytest.approx(value, abs=6e-4), name
    assert (found.factor_p95, found.factor_max) == (
        pytest.approx(3.35, abs=0.01),
        pytest.approx(23.8, abs=0.1),
    )


def test_a_physical_law_alone_follows_rates_that_obey_it() -> None:
    """An energy-gap law: log10 k = a - b sqrt(gap) + c ln(2j'+1), trained on four j of fifteen."""
    levels = rotor()
    upper, lower = np.tril_indices(15, -1)
    gap = levels.energy_cm1[upper] - levels.energy_cm1[lower]
    log10_k = -10.0 - 0.05 * np.sqrt(gap) + 0.4 * np.log(2.0 * lower + 1.0)
    rates = Rates(levels, "He", upper, lower, [100.0], 10.0 ** log10_k[:, None])
    training = rates.select(np.isin(upper, (3, 6, 9, 12)))
    found = physical_law(training, Transitions(levels, upper, lower), "gap")
    assert found[:, 0] == pytest.approx(log10_k, abs=1e-4)
    ios = physical_law(training, Transitions(levels, upper, lower))
    assert np.sqrt(np.mean((ios[:, 0] - log10_k) ** 2)) < 0.3
