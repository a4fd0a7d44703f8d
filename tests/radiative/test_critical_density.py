"""Critical densities: by hand for two and three levels, and those of Shirley (2015) from LAMDA files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lamda_text import spectralradex_files

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.io.lamda import read_lamda
from ratedb.levels import Levels, Lines
from ratedb.radiative.critical_density import critical_densities
from ratedb.radiative.line_list import TEMPERATURES_K
from ratedb.rates import Rates

HC_OVER_K = 1.438776877


def levels(count: int) -> Levels:
    j = np.arange(count, dtype=float)
    return Levels("XY", tuple(f"{n:g}" for n in j), 2.0 * j * (j + 1), 2 * j + 1, {"v": 0 * j, "j": j})


def rates(upper: list[int], lower: list[int], k: list[list[float]], count: int, **more: Any) -> Rates:
    kelvin = np.array([10.0, 40.0])
    return Rates(
        levels(count),
        "He",
        np.array(upper),
        np.array(lower),
        kelvin,
        np.array(k),
        **more,
    )


LINE = Lines(np.array([1]), np.array([0]), np.array([6e-8]), np.array([119.9]))


def test_with_two_levels_it_is_a_over_k_by_either_definition() -> None:
    found = critical_densities(rates([1], [0], [[3e-11, 4e-11]], 2), LINE)
    np.testing.assert_allclose(found.two_level_cm3, [[2000.0, 1500.0]], rtol=1e-12)
    np.testing.assert_allclose(found.all_levels_cm3, found.two_level_cm3, rtol=1e-12)
    assert found.missing.tolist() == [0]


def test_collisions_up_count_by_detailed_balance() -> None:
    # Out of j = 1: down 3e-11 to 0; up to 2 the reverse of 6e-11, with g = 5 over 3 and a gap of 8 cm-1.
    three = rates([1, 2, 2], [0, 0, 1], [[3e-11, 4e-11], [1e-11, 1e-11], [6e-11, 7e-11]], 3)
    found = critical_densities(three, LINE)
    for column, (down, back, kelvin) in enumerate(((3e-11, 6e-11, 10.0), (4e-11, 7e-11, 40.0))):
        up = back * 5.0 / 3.0 * math.exp(-HC_OVER_K * 8.0 / kelvin)
        assert found.all_levels_cm3[0, column] == pytest.approx(6e-8 / (down + up), rel=1e-9)
    np.testing.assert_allclose(found.two_level_cm3, [[2000.0, 1500.0]])


def test_a_rate_that_is_unknown_is_counted_and_none_at_all_gives_no_density() -> None:
    some = critical_densities(rates([1, 2], [0, 0], [[3e-11, 4e-11], [1e-11, 1e-11]], 3), LINE)
    assert some.missing.tolist() == [1]
    np.testing.assert_allclose(some.all_levels_cm3, [[2000.0, 1500.0]])
    none = critical_densities(rates([2], [0], [[1e-11, 1e-11]], 3), LINE)
    assert np.isnan(none.all_levels_cm3).all()
    assert np.isnan(none.two_level_cm3).all()
    assert none.missing.tolist() == [2]


def test_half_widths_of_predicted_rates_add_linearly() -> None:
    width = {"log10_half_width_68": np.array([[0.1, 0.1], [np.nan, np.nan]])}
    two = rates([1, 2], [0, 1], [[3e-11, 3e-11], [0.0, 0.0]], 3, layers=width)
    np.testing.assert_allclose(critical_densities(two, LINE).log10_half_width_68, 0.1)


# Table 1 of Shirley (2015), PASP 127, 299, as it is quoted; the paper was not at hand when this was written.
SHIRLEY = [
    ("hcn.dat", 1, 10.0, 4.7e5),
    ("hcn.dat", 1, 20.0, 3.0e5),
    ("hco+.dat", 1, 10.0, 6.8e4),
    ("hco+.dat", 1, 20.0, 4.5e4),
]


@pytest.mark.parametrize(("name", "upper", "kelvin", "printed"), SHIRLEY)
def test_the_densities_of_shirley_come_out_to_two_digits(
    name: str, upper: int, kelvin: float, printed: float
) -> None:
    [path] = [one for one in spectralradex_files() if one.name == name]
    file = read_lamda(path)
    [h2] = [one.rates for one in file.partners if one.rates.collider == "H2"]
    line = file.lines.select((file.lines.upper == upper) & (file.lines.lower == upper - 1))
    found = critical_densities(h2.at([kelvin]), line).all_levels_cm3[0, 0]
    assert float(f"{found:.1e}") == printed


@pytest.mark.parametrize(("name", "collider", "upper"), [("co.dat", "p-H2", 1), ("cs@lique.dat", "H2", 2)])
def test_a_line_by_a_plain_sum_over_its_file(name: str, collider: str, upper: int) -> None:
    [path] = [one for one in spectralradex_files() if one.name == name]
    file = read_lamda(path)
    [h2] = [one.rates for one in file.partners if one.rates.collider == collider]
    at = h2.temperature_k.tolist().index(20.0)
    total = 0.0
    energy, weight = h2.levels.energy_cm1, h2.levels.weight
    for up, low, k in zip(h2.upper.tolist(), h2.lower.tolist(), h2.rate_cm3_s[:, at].tolist(), strict=True):
        if up == upper:
            total += k
        elif low == upper:
            boltzmann = math.exp(-HC_OVER_K * (energy[up] - energy[low]) / 20.0)
            total += k * weight[up] / weight[low] * boltzmann
    line = file.lines.select((file.lines.upper == upper) & (file.lines.lower == upper - 1))
    found = critical_densities(h2.at([20.0]), line)
    assert found.all_levels_cm3[0, 0] == pytest.approx(line.einstein_a_s1[0] / total, rel=1e-9)


# -- of a store ---------------------------------------------------------------------------------


def test_the_lines_of_a_system_have_densities_and_those_of_a_molecule_are_as_stored(small_co: Path) -> None:
    db: Any = ratedb.open(small_co)
    found = db.lines("CO+p-H2")
    assert found.temperatures_k == tuple(t for t in TEMPERATURES_K if 10 <= t <= 200)
    stored = db.lines("CO").dicts()
    assert [one.frequency_ghz for one in found.lines] == [row["frequency_ghz"] for row in stored]
    assert found.lines[2].name == "CO(3-2)"
    assert set(found.definitions) == {"critical_density_cm3", "two_level_density_cm3"}
    one = db.lines("CO+p-H2", lines="CO(3-2)", temperatures="50")
    assert [line.critical_density_cm3 for line in one.lines] == [found.lines[2].critical_density_cm3[2:3]]
    predicted = db.lines("CO+p-H2", lines="7-6", temperatures="50").lines[0]
    assert predicted.log10_half_width_68[0] > 0
    with pytest.raises(UsageError, match="need a collider"):
        db.lines("CO", temperatures="50")
    with pytest.raises(RatedbError, match="do not reach"):
        db.lines("CO+p-H2", temperatures="5000")
