"""The escape-probability solver: RADEX where that has converged, closed forms, and equilibrium everywhere."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ratedb.errors import RatedbError, UsageError
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.radiative import solving
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.escape import ESCAPE, distance_from_equilibrium, solve_lines
from ratedb.radiative.radex import lamda_folder, radex_available, run_radex
from ratedb.radiative.radex_file import FileOutline, RateTable, outline_of
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.solving import chosen_solver, solve

needs_radex = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")

FILES = {
    "co.dat": ("p-H2", "o-H2"),
    "hco+.dat": ("H2",),
    "oh.dat": ("p-H2",),
    "p-nh3.dat": ("p-H2",),
    "sio.dat": ("H2",),
}
RADEX_CONVERGED = 5e-5


def outline(name: str) -> FileOutline:
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which has the LAMDA files, is not installed")
    return outline_of((folder / name).read_bytes(), name, with_rates=True)


def grid(colliders: tuple[str, ...]) -> list[Conditions]:
    return [
        Conditions(kelvin, dict.fromkeys(colliders, density), column, width, geometry=geometry)
        for kelvin in (20.0, 100.0)
        for density in (1e3, 1e5, 1e7)
        for column, width in ((1e12, 1.0), (1e15, 2.5))
        for geometry in (1, 2, 3)
    ]


def two_levels(einstein_a: float = 1e-5, rate: float = 1e-10, gap_cm1: float = 4.0) -> FileOutline:
    """Return two levels with weights 1 and 3, one line and one rate."""
    ends = np.array([1]), np.array([0])
    table = RateTable(*ends, np.array([10.0, 100.0]), np.array([[rate, rate]]))
    return FileOutline(
        ("0", "1"),
        (0.0, gap_cm1),
        (1.0, 3.0),
        (1,),
        (0,),
        (einstein_a,),
        (119.9,),
        {"H2": (10.0, 100.0)},
        rates={"H2": table},
    )


def lines_of(answer: RadexLines | str) -> RadexLines:
    assert isinstance(answer, RadexLines)
    return answer


@needs_radex
@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_it_agrees_with_radex_wherever_radex_has_converged(name: str) -> None:
    known, compared = outline(name), 0
    folder = lamda_folder()
    assert folder is not None
    for conditions, answer in zip(grid(FILES[name]), solve_lines(known, grid(FILES[name])), strict=True):
        own = lines_of(answer)
        try:
            (radex,) = run_radex(folder / name, [conditions])
        except RatedbError:
            continue
        if distance_from_equilibrium(known, conditions, radex) > RADEX_CONVERGED:
            continue
        compared += 1
        brightest = np.abs(radex.flux_k_km_s).max()
        assert np.abs(own.flux_k_km_s - radex.flux_k_km_s).max() < 1e-4 * brightest, conditions
        assert np.abs(own.population_upper - radex.population_upper).max() < 1e-4
        bright = radex.flux_k_km_s > 0.01 * brightest
        assert own.optical_depth[bright] == pytest.approx(radex.optical_depth[bright], rel=1e-3)
        tex = own.excitation_temperature_k[bright]
        assert tex == pytest.approx(radex.excitation_temperature_k[bright], rel=1e-3)
        assert own.names() == radex.names()
        assert own.upper_energy_k == pytest.approx(radex.upper_energy_k)
    assert compared >= 10


@pytest.mark.parametrize("name", FILES)
def test_its_answers_are_in_equilibrium(name: str) -> None:
    known = outline(name)
    for conditions, answer in zip(grid(FILES[name]), solve_lines(known, grid(FILES[name])), strict=True):
        if isinstance(answer, RadexLines):
            assert distance_from_equilibrium(known, conditions, answer) < 1e-6, conditions
    assert sum(isinstance(one, str) for one in solve_lines(known, grid(FILES[name]))) <= 2


def test_two_thin_levels_have_the_closed_form() -> None:
    einstein_a, rate, gap, kelvin, density = 1e-5, 1e-10, 4.0, 50.0, 3e4
    [answer] = solve_lines(two_levels(), [Conditions(kelvin, {"H2": density}, 1e5)])
    photons = 1.0 / math.expm1(HC_OVER_KB_CM_K * gap / 2.73)
    down = rate * density + einstein_a * (1.0 + photons)
    up = 3.0 * (rate * density * math.exp(-HC_OVER_KB_CM_K * gap / kelvin) + einstein_a * photons)
    own = lines_of(answer)
    assert own.population_upper[0] == pytest.approx(up / (up + down), rel=1e-9)
    ratio = own.population_lower[0] * 3.0 / own.population_upper[0]
    tex = HC_OVER_KB_CM_K * gap / math.log(ratio)
    assert own.excitation_temperature_k[0] == pytest.approx(tex, rel=1e-9)


def test_many_collisions_give_the_kinetic_temperature_and_a_thick_line_its_blackbody() -> None:
    kelvin, gap = 40.0, 4.0
    [answer] = solve_lines(two_levels(), [Conditions(kelvin, {"H2": 1e12}, 1e19, 2.0)])
    own = lines_of(answer)
    assert own.excitation_temperature_k[0] == pytest.approx(kelvin, rel=1e-5)
    t_line = HC_OVER_KB_CM_K * gap
    seen = t_line / math.expm1(t_line / kelvin) - t_line / math.expm1(t_line / 2.73)
    assert own.flux_k_km_s[0] == pytest.approx(1.0645 * 2.0 * seen, rel=1e-4)


def test_no_collisions_give_the_background() -> None:
    [answer] = solve_lines(two_levels(rate=1e-30), [Conditions(40.0, {"H2": 1e-3}, 1e12)])
    assert lines_of(answer).excitation_temperature_k[0] == pytest.approx(2.73, rel=1e-6)


def test_conditions_one_by_one_have_the_answers_of_all_at_once() -> None:
    known = outline("co.dat")
    several = grid(FILES["co.dat"])[::4]
    for conditions, together in zip(several, solve_lines(known, several), strict=True):
        [alone] = solve_lines(known, [conditions])
        assert lines_of(together).flux_k_km_s == pytest.approx(lines_of(alone).flux_k_km_s, rel=1e-6)
    assert solve_lines(known, []) == []


@pytest.mark.parametrize(
    ("geometry", "beta"),
    [
        # 1.5/t (1 - 2/t^2 + (2/t + 2/t^2) exp(-t)); (1 - exp(-1.17 t))/(1.17 t); (1 - exp(-3 t))/(3 t)
        (1, {0.02: 0.99254, 1.0: 0.70728, 5.0: 0.27697, 300.0: 0.005, -1.0: 1.5}),
        (2, {0.01: 1.0, 2.0: 0.38619, 5.0: 0.17045, 200.0: 0.0024898}),
        (3, {0.01: 0.98485, 1.0: 0.31674, 5.0: 0.066667, 200.0: 0.0016667, -0.5: 2.32113}),
    ],
)
def test_escape_probabilities_are_those_of_the_papers(geometry: int, beta: dict[float, float]) -> None:
    found = ESCAPE[geometry](np.array(list(beta)))
    assert found == pytest.approx(list(beta.values()), rel=2e-4)


def test_two_ladders_that_nothing_connects_are_refused_whatever_their_order() -> None:
    for first, second in (((0.0, 4.0, 12.0), (0.5, 7.3, 15.1)), ((0.5, 7.3, 15.1), (0.0, 4.0, 12.0))):
        upper, lower = np.array([1, 2, 4, 5]), np.array([0, 1, 3, 4])
        table = RateTable(upper, lower, np.array([20.0]), np.full((4, 1), 1e-10))
        both = FileOutline(
            tuple("abcdef"),
            (*first, *second),
            (1.0, 3.0, 5.0) * 2,
            (1, 4),
            (0, 3),
            (1e-6, 1e-6),
            (100.0, 200.0),
            {"H2": (20.0, 20.0)},
            rates={"H2": table},
        )
        [answer] = solve_lines(both, [Conditions(20.0, {"H2": 1e4})])
        assert isinstance(answer, str)
        assert "no lines or collisions lead" in answer


def test_two_levels_that_only_a_far_one_connects_are_refused() -> None:
    """The far level is never reached, so that nothing says how much is in each of the two."""
    upper, lower = np.array([2, 2]), np.array([0, 1])
    table = RateTable(upper, lower, np.array([10.0]), np.full((2, 1), 1e-10))
    apart = FileOutline(
        ("0", "1", "2"),
        (0.0, 4.0, 3000.0),
        (1.0, 3.0, 5.0),
        (2,),
        (0,),
        (1e-3,),
        (9e4,),
        {"H2": (10.0, 10.0)},
        rates={"H2": table},
    )
    [answer] = solve_lines(apart, [Conditions(10.0, {"H2": 1e4})])
    assert isinstance(answer, str)


@pytest.mark.parametrize("geometry", [1, 2, 3])
def test_a_strong_maser_is_a_reason_and_no_flux(geometry: int) -> None:
    upper, lower = np.array([1, 2, 2]), np.array([0, 0, 1])
    table = RateTable(upper, lower, np.array([500.0]), np.array([[1e-13], [1e-10], [1e-10]]))
    inverted = FileOutline(
        ("0", "1", "2"),
        (0.0, 2.0, 300.0),
        (1.0, 1.0, 1.0),
        (1, 2),
        (0, 1),
        (1e-9, 10.0),
        (60.0, 9000.0),
        {"H2": (500.0, 500.0)},
        rates={"H2": table},
    )
    for column in (1e17, 1e18):
        [answer] = solve_lines(inverted, [Conditions(500.0, {"H2": 1e5}, column, geometry=geometry)])
        if isinstance(answer, RadexLines):
            assert answer.optical_depth.min() > -2.0
            assert np.abs(answer.flux_k_km_s).max() < 1e4


def test_levels_that_nothing_connects_are_a_reason_and_no_crash() -> None:
    one = two_levels()
    apart = FileOutline(
        (*one.label, "x"),
        (*one.energy_cm1, 9.0),
        (*one.weight, 5.0),
        one.upper,
        one.lower,
        one.einstein_a_s1,
        one.frequency_ghz,
        one.temperature_range_k,
        rates=one.rates,
    )
    [answer] = solve_lines(apart, [Conditions(40.0, {"H2": 1e4})])
    assert isinstance(answer, str)


@pytest.mark.parametrize("gap_cm1", [4.0, 0.0])
def test_a_rate_counts_in_both_directions_whichever_a_file_lists(gap_cm1: float) -> None:
    """With rates between three levels there is thermal equilibrium if and only if both directions count."""
    energy = np.array([0.0, 10.0, 10.0 + gap_cm1])
    weight, kelvin = np.array([1.0, 3.0, 5.0]), 40.0
    down = {(1, 0): 1e-10, (2, 0): 3e-11, (2, 1): 2e-10}
    for listed in ({}, {(2, 1)}, {(1, 0), (2, 1)}):
        rows = []
        for (u, w), k in down.items():
            up = k * weight[u] / weight[w] * math.exp(-HC_OVER_KB_CM_K * (energy[u] - energy[w]) / kelvin)
            rows.append((w, u, up) if (u, w) in listed else (u, w, k))
        first, second, k_cm3_s = (np.array(one) for one in zip(*rows, strict=True))
        table = RateTable(first, second, np.array([kelvin]), k_cm3_s[:, None])
        three = FileOutline(
            ("0", "1", "2"),
            tuple(energy),
            tuple(weight),
            (1,),
            (0,),
            (1e-30,),
            (300.0,),
            {"H2": (kelvin, kelvin)},
            rates={"H2": table},
        )
        [answer] = solve_lines(three, [Conditions(kelvin, {"H2": 1e4}, 1e6)])
        thermal = weight * np.exp(-HC_OVER_KB_CM_K * energy / kelvin)
        assert lines_of(answer).population_upper[0] == pytest.approx(thermal[1] / thermal.sum(), rel=1e-9)


def test_auto_is_radex_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, name in ((True, "radex"), (False, "escape")):
        monkeypatch.setattr(solving, "radex_available", lambda there=there: there)
        assert chosen_solver("auto") == name
        assert chosen_solver("escape") == "escape"
    with pytest.raises(UsageError, match="unknown solver"):
        chosen_solver("ratran")


def test_what_a_file_lacks_is_refused_as_for_radex(tmp_path: Path) -> None:
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which has the LAMDA files, is not installed")
    for conditions in (Conditions(50.0, {"He": 1e4}), Conditions(9e3, {"p-H2": 1e4})):
        with pytest.raises(RatedbError, match=r"no rates for He|do not reach"):
            solve(folder / "co.dat", [conditions], "escape")
