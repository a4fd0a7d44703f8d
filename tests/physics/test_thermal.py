import csv
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.constants
from scipy.integrate import quad
from scipy.special import gamma

from ratedb.arrays import FloatArray
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Levels, vj
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.physics.thermal import Limits, ThermalRates, thermal_rates

sys.path.insert(0, str(Path(__file__).parents[1] / "formats"))

MASS_U = 3.0
TEMPERATURES = np.array([10.0, 30.0, 100.0])
KT = TEMPERATURES * scipy.constants.k / (scipy.constants.h * scipy.constants.c * 100)
SPEED = 100 * np.sqrt(8 * scipy.constants.k * TEMPERATURES / (np.pi * MASS_U * scipy.constants.atomic_mass))
GRID = np.linspace(0.02, 55.0, 2000) ** 2
"""Kinetic energies in cm-1, from 4e-4 to 3025: more than 40 times kT of 100 K."""

FloatFunction = Callable[[FloatArray], FloatArray]


def rotor(n: int = 2, b_cm1: float = 10.0) -> Levels:
    j = np.arange(n)
    return Levels("CO", tuple(str(k) for k in j), b_cm1 * j * (j + 1), 2 * j + 1, vj(0 * j, j))


def table(
    rows: dict[tuple[int, int], tuple[FloatArray, FloatArray]],
    levels: Levels | None = None,
    method: str = "CC",
) -> CrossSections:
    """Return a table from (initial, final): (kinetic energies, cross sections)."""
    width = max(len(energy) for energy, _ in rows.values())
    kinetic, sigma = np.full((2, len(rows), width), np.nan)
    for k, (energy, values) in enumerate(rows.values()):
        kinetic[k, : len(energy)], sigma[k, : len(energy)] = energy, values
    initial, final = np.array(list(rows)).T
    levels = rotor() if levels is None else levels
    return CrossSections(levels, "He", method, MASS_U, initial, final, kinetic, sigma)


def down(sigma: FloatFunction, grid: FloatArray = GRID, limits: Limits | None = None) -> ThermalRates:
    return thermal_rates(table({(1, 0): (grid, sigma(grid))}), TEMPERATURES, limits)


def oracle(sigma: Callable[[float], float], start: float, points: list[float]) -> FloatArray:
    """Return the rates (cm3 s-1) by adaptive quadrature from a threshold to where nothing is left."""
    rates = []
    for kt, speed in zip(KT, SPEED, strict=True):
        edges = [start, *points, start + 60 * kt]
        pieces = [
            quad(lambda e, kt=kt: e * sigma(e) * np.exp(-e / kt), a, b, epsabs=0, epsrel=1e-11, limit=400)[0]
            for a, b in pairwise(edges)
            if b > a
        ]
        rates.append(speed * 1e-16 / kt**2 * sum(pieces))
    return np.array(rates)


def test_a_constant_cross_section_gives_the_mean_speed_times_it() -> None:
    found = down(lambda e: 7.0 + 0 * e)
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], SPEED * 7e-16, rtol=1e-6)
    assert found.warnings == ()


def test_a_constant_cross_section_is_exact_on_a_coarse_grid_too() -> None:
    grid = np.array([0.001, 3.0, 20.0, 90.0, 400.0, 1000.0, 3000.0])
    np.testing.assert_allclose(down(lambda e: 7 + 0 * e, grid).rates.rate_cm3_s[0], SPEED * 7e-16, rtol=1e-6)


@pytest.mark.parametrize("power", [-0.5, 0.3, 1.0, 1.5])
def test_a_power_of_the_energy_gives_a_gamma_function(power: float) -> None:
    found = down(lambda e: 2.0 * e**power)
    expected = SPEED * 2e-16 * KT**power * gamma(power + 2)
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], expected, rtol=1e-6)


def test_below_the_first_energy_the_threshold_law_holds() -> None:
    grid = np.array([30.0, 60.0, 100.0, 400.0, 3000.0])
    found = down(lambda e: 5 / np.sqrt(e), grid, Limits(grid_error=10))
    expected = SPEED * 5e-16 * KT**-0.5 * gamma(1.5)
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], expected, rtol=1e-9)
    # at 10 and 30 K so much of the average rests on the law that it is not called converged
    by_default = down(lambda e: 5 / np.sqrt(e), grid)
    assert np.isnan(by_default.rates.rate_cm3_s[0]).tolist() == [True, True, False]


def test_a_cross_section_with_a_threshold_gives_the_arrhenius_law_upward() -> None:
    gap = 20.0
    energy = gap + GRID
    found = thermal_rates(table({(0, 1): (energy, 4.0 * (1 - gap / energy))}), TEMPERATURES)
    up = SPEED * 4e-16 * np.exp(-gap / KT)
    expected = reverse_rate(up, 1, 3, 0.0, gap, TEMPERATURES)
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], expected, rtol=1e-6)
    assert (found.rates.upper[0], found.rates.lower[0]) == (1, 0)


def lorentzian(energy: FloatArray) -> FloatArray:
    return 1.0 + 50.0 / (1 + ((energy - 40.0) / 0.5) ** 2)


def test_a_resonance_on_a_fine_grid_agrees_with_adaptive_quadrature() -> None:
    grid = np.unique(
        np.concatenate([np.linspace(0.02, 55, 1500) ** 2, 40 + 0.5 * np.sinh(np.linspace(-4.5, 4.5, 1501))])
    )
    found = down(lorentzian, grid[grid > 0])
    expected = oracle(lambda e: float(lorentzian(np.array(e))), 0.0, [38.0, 40.0, 42.0])
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], expected, rtol=1e-6)
    assert (found.grid_error < 1e-3).all()


def test_a_resonance_that_the_grid_does_not_resolve_is_not_converged() -> None:
    found = down(lorentzian, np.arange(4.0, 3000.0, 4.0))
    assert (found.grid_error[0] > 0.1).any()
    np.testing.assert_array_equal(np.isnan(found.rates.rate_cm3_s), found.grid_error > 0.1)
    assert "uncertain by over 10%" in found.warnings[0]
    assert "1 -> 0" in found.warnings[0]


@pytest.mark.parametrize("first", [1.0, 0.3])
def test_the_grid_error_is_the_largest_change_without_every_second_energy(first: float) -> None:
    grid = np.append(first, np.linspace(6.0, 3000.0, 400))
    loose = Limits(grid_error=99)
    whole = down(lorentzian, grid, loose)
    halves = [down(lorentzian, half, loose) for half in (grid[::2], np.append(grid[1::2], grid[-1:]))]
    rate = whole.rates.rate_cm3_s
    change = np.max([np.abs(half.rates.rate_cm3_s / rate - 1) for half in halves], axis=0)
    np.testing.assert_allclose(whole.grid_error, change, rtol=1e-9)


def test_upward_and_downward_give_one_rate() -> None:
    gap = 20.0
    up = 3.0 * GRID * lorentzian(GRID) / (GRID + gap)  # reversibility with weights 3 and 1
    turned = thermal_rates(table({(0, 1): (GRID + gap, up)}), TEMPERATURES)
    np.testing.assert_allclose(turned.rates.rate_cm3_s, down(lorentzian).rates.rate_cm3_s, rtol=1e-9)
    upward = oracle(
        lambda e: float(3 * (e - gap) * lorentzian(np.array(e - gap)) / e), gap, [58.0, 60.0, 62.0]
    )
    np.testing.assert_allclose(
        turned.rates.rate_cm3_s[0], reverse_rate(upward, 1, 3, 0.0, gap, TEMPERATURES), rtol=1e-3
    )


def test_where_both_directions_disagree_the_downward_one_is_used_and_a_finding_says_so() -> None:
    gap = 20.0
    sigma = np.full(len(GRID), 2.0)
    for factor, count in ((1.0, 0), (1.005, 0), (1.2, 1)):
        up = factor * 3.0 * GRID * sigma / (GRID + gap)
        rows = {(1, 0): (GRID, sigma), (0, 1): (GRID + gap, up)}
        found = thermal_rates(table(rows), TEMPERATURES)
        np.testing.assert_allclose(found.rates.rate_cm3_s[0], SPEED * 2e-16, rtol=1e-6)
        assert len(found.findings) == count
        assert thermal_rates(table(rows, method="IOS"), TEMPERATURES).findings == ()
    (finding,) = found.findings
    assert (finding.rule, finding.severity, finding.transition) == ("reversibility", "warning", "1 -> 0")
    assert finding.expected == pytest.approx(1.2 * finding.value, rel=1e-6)


def test_the_tail_is_what_a_constant_cross_section_would_add_and_is_never_added() -> None:
    last = 100.0
    found = down(lambda e: 7.0 + 0 * e, np.linspace(0.05, np.sqrt(last), 400) ** 2, Limits(tail_fraction=1))
    share = (1 + last / KT) * np.exp(-last / KT)
    np.testing.assert_allclose(found.tail_fraction[0], share, rtol=1e-6)
    np.testing.assert_allclose(found.rates.rate_cm3_s[0], SPEED * 7e-16 * (1 - share), rtol=1e-6)


def test_a_rate_whose_tail_is_too_large_is_unknown_counted_and_named() -> None:
    found = down(lambda e: 7.0 + 0 * e, np.linspace(0.05, 10.0, 400) ** 2)
    np.testing.assert_array_equal(np.isnan(found.rates.rate_cm3_s[0]), found.tail_fraction[0] > 0.02)
    assert np.isfinite(found.rates.rate_cm3_s[0]).tolist() == [True, False, False]
    assert found.warnings == ("2 of 3 rates miss over 2% above the last energy and are unknown: 1 -> 0",)


def test_a_transition_with_too_few_energies_is_unknown_and_a_table_of_such_is_refused() -> None:
    few = np.array([1.0, 10.0, 100.0, 1000.0])
    rows = {(1, 0): (GRID, 1 + 0 * GRID), (2, 0): (few, 1 + 0 * few)}
    found = thermal_rates(table(rows, rotor(3)), TEMPERATURES)
    assert np.isnan(found.rates.rate_cm3_s[1]).all()
    assert np.isnan(found.grid_error[1]).all()
    assert found.warnings == ("3 of 6 rates have fewer than 5 energies and are unknown: 2 -> 0",)
    with pytest.raises(RatedbError, match="a thermal average needs a grid of energies"):
        thermal_rates(table({(1, 0): (few, few)}), TEMPERATURES)


def test_elastic_rows_are_left_out_and_a_table_of_such_is_refused() -> None:
    rows = {(0, 0): (GRID, GRID), (1, 0): (GRID, 1 + 0 * GRID), (1, 1): (GRID, GRID)}
    assert len(thermal_rates(table(rows), TEMPERATURES).rates) == 1
    with pytest.raises(RatedbError, match="no transition"):
        thermal_rates(table({(0, 0): (GRID, GRID)}), TEMPERATURES)


def test_zero_cross_sections_give_zero_rates_that_are_converged() -> None:
    found = down(lambda e: 0 * e)
    assert found.rates.rate_cm3_s.tolist() == [[0.0, 0.0, 0.0]]
    assert found.warnings == ()


def test_upward_values_below_their_threshold_are_left_out_and_counted() -> None:
    gap = 20.0
    energy = np.append([5.0, 10.0], gap + GRID)
    found = thermal_rates(table({(0, 1): (energy, 1 - np.minimum(gap / energy, 0.9))}), TEMPERATURES)
    assert any(text.startswith("2 upward cross sections") for text in found.warnings)


def test_below_a_first_energy_from_which_the_cross_section_rises_the_rate_keeps_to_the_sqrt_law() -> None:
    energy = 50.0 + 10.0 * np.arange(200)
    strength = np.minimum(10.0 + 2.0 * (energy - 50.0), 3000.0)
    found = thermal_rates(
        table({(1, 0): (energy, strength / energy)}), TEMPERATURES, Limits(grid_error=9, tail_fraction=9)
    )

    def sigma(e: float) -> float:
        if e < 50.0:
            return 10.0 * np.sqrt(e / 50.0) / e if e > 0 else 0.0
        return float(np.interp(e, energy, strength)) / e

    np.testing.assert_allclose(
        found.rates.rate_cm3_s[0], oracle(sigma, 0.0, [50.0, 60.0, 70.0, 1545.0]), rtol=0.02
    )
    assert (found.grid_error[0, :2] > 0.1).all()  # most of the integral is where nothing was computed
    assert (found.grid_error >= 0).all()


def test_a_downward_row_of_too_few_energies_leaves_the_upward_one_to_speak() -> None:
    gap = 20.0
    rows = {(0, 1): (GRID + gap, GRID / (GRID + gap))}
    alone = thermal_rates(table(rows), TEMPERATURES)
    both = thermal_rates(table({(1, 0): (GRID[:3], GRID[:3]), **rows}), TEMPERATURES)
    assert np.isfinite(alone.rates.rate_cm3_s).all()
    np.testing.assert_array_equal(both.rates.rate_cm3_s, alone.rates.rate_cm3_s)


def test_levels_of_equal_energy_have_no_downward_transition_and_are_counted() -> None:
    levels = Levels("X", ("a", "b", "c"), [0.0, 0.0, 10.0], [1, 1, 3])
    rows = {(0, 1): (GRID, 1 + 0 * GRID), (2, 0): (GRID, 1 + 0 * GRID)}
    found = thermal_rates(table(rows, levels), TEMPERATURES)
    assert len(found.rates) == 1
    assert found.warnings == ("1 transitions between levels of equal energy are left out",)


@pytest.mark.parametrize("temperatures", [[], [0.0, 10.0], [10.0, 10.0], [10.0, np.nan], [[10.0]]])
def test_impossible_temperatures_are_refused(temperatures: list[float]) -> None:
    with pytest.raises(RatedbError, match="temperatures"):
        thermal_rates(table({(1, 0): (GRID, GRID)}), temperatures)


def test_fewer_than_three_energies_can_never_be_asked_for() -> None:
    with pytest.raises(UsageError, match="at least 3"):
        Limits(energies=2)


def test_three_energies_are_enough_where_they_are_allowed() -> None:
    grid = np.array([1.0, 50.0, 3000.0])
    assert down(lambda e: 1 + 0 * e, grid, Limits(energies=3, grid_error=9)).rates.rate_cm3_s.shape == (1, 3)


@pytest.mark.parametrize(("method", "count"), [("CC", 571), ("CS", 1734)])
def test_rates_agree_with_an_independent_average_of_real_cross_sections(method: str, count: int) -> None:
    from cross_section_text import real_folder
    from test_molscat import SIO, sio

    folder = real_folder(SIO)
    with (folder / f"rates_{method}.csv").open() as handle:
        published = list(csv.DictReader(handle))
    with (folder / f"rates_{method}_errors.csv").open() as handle:
        errors = list(csv.DictReader(handle))
    assert len(published) == len(errors) == count
    temperature = np.arange(10.0, 101.0, 10.0)
    found = thermal_rates(sio(method), temperature)
    label = found.rates.levels.label
    place = {
        (label[u], label[w]): k
        for k, (u, w) in enumerate(zip(found.rates.upper, found.rates.lower, strict=True))
    }
    apart, allowed, unknown = [], [], []
    for row, error in zip(published, errors, strict=True):
        assert row["temperature_k"] == error["temperature_k"]
        at = place[row["j_initial"], row["j_final"]], int(float(row["temperature_k"]) / 10) - 1
        rate, stated = found.rates.rate_cm3_s[at], float(row["rate_cm3_s"])
        if np.isnan(rate):
            unknown.append(max(found.tail_fraction[at] / 0.02, found.grid_error[at] / 0.10))
            continue
        apart.append(abs(rate / stated - 1))
        allowed.append(
            (float(error["tail_fraction"]) + float(error["halfgrid_change"]), found.grid_error[at])
        )
    stated_error, own_error = np.array(allowed).T
    # theirs is a straight line between points: some rows differ by more than half the grid does there
    assert (np.array(apart) <= stated_error).mean() > 0.995
    assert (np.array(apart) <= stated_error + own_error).all()
    assert np.median(apart) < 1e-3
    # a few rows stand at the very limits of convergence, which the two averages estimate differently
    assert len(unknown) < 0.02 * count
    assert max(unknown) < 2
    assert found.findings == ()
