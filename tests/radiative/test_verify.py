from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.options import VerifyOptions
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.grid import common_limits, grid_of
from ratedb.radiative.line_matching import match_lines
from ratedb.radiative.radex import lamda_folder, radex_available, run_radex
from ratedb.radiative.radex_file import file_outline
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.verify import compare, compare_lines

needs_radex = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")

GRID = (Conditions(50.0, {"H2": 1e4}),)


def shipped(name: str) -> Path:
    folder = lamda_folder()
    assert folder is not None
    return folder / name


def with_rates_times(factor: float, source: Path, target: Path) -> Path:
    """Write a copy of a LAMDA file whose rates are all multiplied, and nothing else."""
    row = re.compile(r"^(\s*\d+\s+\d+\s+\d+\s+)(.*)$")
    inside = False
    lines = []
    for line in source.read_text().splitlines():
        if line.startswith("!"):
            inside = line.upper().startswith("!TRANS") and "RATE" in line.upper()
        elif inside and (found := row.match(line)):
            values = [f"{factor * float(word):.6E}" for word in found[2].split()]
            line = found[1] + " ".join(values)
        lines.append(line)
    target.write_text("\n".join(lines) + "\n")
    return target


def made(
    flux: Sequence[float],
    frequency_ghz: Sequence[float] = (100.0, 200.0, 300.0),
    upper: Sequence[str] = ("1", "2", "3"),
    lower: Sequence[str] = ("0", "1", "2"),
    population: Sequence[float] = (0.4, 0.3, 0.2, 0.1),
    energy_k: Sequence[float] | None = None,
    tex_k: float | Sequence[float] = 20.0,
    tau: float | Sequence[float] = 0.1,
) -> RadexLines:
    """Return RADEX's answer for a ladder of levels, without RADEX."""
    n = len(flux)
    frequency = np.array(frequency_ghz, dtype=float)
    return RadexLines(
        upper=tuple(upper),
        lower=tuple(lower),
        frequency_ghz=frequency,
        upper_energy_k=0.048 * frequency.cumsum() if energy_k is None else np.array(energy_k),
        excitation_temperature_k=np.broadcast_to(tex_k, n),
        optical_depth=np.broadcast_to(tau, n),
        population_upper=np.array(population[1 : n + 1]),
        population_lower=np.array(population[:n]),
        flux_k_km_s=np.array(flux),
    )


def test_the_same_answer_gives_no_difference() -> None:
    lines = made([1.0, 0.5, 0.2])
    result = compare_lines([lines], [lines], GRID)
    assert result.max_population_difference == 0.0
    assert result.max_relative_population_difference == 0.0
    assert result.max_flux_ratio == 1.0
    assert result.max_flux_difference == 0.0
    assert result.unmatched == ()
    assert result.lines_compared == 3


def test_the_flux_ratio_has_no_direction_and_its_place_is_told() -> None:
    a, b = made([1.0, 0.5, 0.2]), made([1.0, 0.25, 0.3])
    there, back = compare_lines([a], [b], GRID), compare_lines([b], [a], GRID)
    for result in (there, back):
        assert result.max_flux_ratio == pytest.approx(2.0)
        assert result.median_flux_ratio == pytest.approx(1.5)
        assert result.p95_flux_ratio == pytest.approx(1.95)
        assert result.max_flux_difference == pytest.approx(0.25)
        assert result.worst_flux is not None
        assert result.worst_flux.upper == "2"


def test_populations_are_compared_absolutely_and_relative_to_the_reference() -> None:
    a = made([1.0, 0.5, 0.2], population=(0.5, 0.3, 0.2 - 3e-5, 3e-5))
    b = made([1.0, 0.5, 0.2], population=(0.4, 0.4, 0.2 - 2e-5, 2e-5))
    result = compare_lines([a], [b], GRID)
    assert result.max_population_difference == pytest.approx(0.1)
    # The fourth level differs by half, but is below the floor.
    assert result.max_relative_population_difference == pytest.approx(0.25)
    assert result.worst_population.upper in ("1", "2")


def test_weak_lines_have_no_ratio_but_are_counted() -> None:
    a, b = made([1.0, 0.5, 9e-7]), made([1.0, 0.5, 9e-10])
    result = compare_lines([a], [b], GRID)
    assert result.max_flux_ratio == 1.0
    assert result.lines_below_floor == 1
    assert result.lines[2].kind == "below_floor"
    assert result.lines[2].flux_ratio is None


def test_a_line_that_is_above_the_floor_in_one_file_only_has_a_ratio() -> None:
    result = compare_lines([made([1.0, 0.5, 2e-6])], [made([1.0, 0.5, 2e-8])], GRID)
    assert result.max_flux_ratio == pytest.approx(100.0)
    assert result.lines_below_floor == 0


@pytest.mark.parametrize(("a", "b"), [(-0.1, -0.2), (0.1, -0.1), (0.1, 0.0)])
def test_absorption_has_no_ratio_but_a_difference(a: float, b: float) -> None:
    result = compare_lines([made([1.0, 0.5, a])], [made([1.0, 0.5, b])], GRID)
    assert result.max_flux_ratio == 1.0
    assert result.lines_in_absorption == 1
    assert result.max_flux_difference == pytest.approx(abs(a - b))


def test_nothing_but_absorption_gives_no_ratio_rather_than_agreement() -> None:
    result = compare_lines([made([-1.0, -0.5, -0.2])], [made([-0.5, -0.5, -0.2])], GRID)
    assert result.max_flux_ratio is None
    assert result.worst_flux is None
    assert result.to_json()["max_flux_ratio"] is None


def test_excitation_temperatures_up_to_the_kinetic_one_differ_relative_to_the_larger() -> None:
    # T is 50 K; the third line changes most, 20 K against 25 K.
    a = made([1.0, 0.5, 0.2], tex_k=[20.0, 44.0, 20.0])
    b = made([1.0, 0.5, 0.2], tex_k=[20.0, 40.0, 25.0])
    for result in (compare_lines([a], [b], GRID), compare_lines([b], [a], GRID)):
        assert result.max_excitation_temperature_difference == pytest.approx(0.2)
        assert result.worst_excitation_temperature is not None
        assert result.worst_excitation_temperature.upper == "3"
        assert [line.excitation_temperature_difference for line in result.lines] == pytest.approx(
            [0.0, 1 / 11, 0.2]
        )
        assert (result.lines_inverted, result.lines_inverted_in_one_file) == (0, 0)


def test_an_excitation_temperature_on_its_way_to_infinity_hardly_differs() -> None:
    a, b = (
        made([1.0, 0.5, 0.2], tex_k=[2000.0, 20.0, 20.0]),
        made([1.0, 0.5, 0.2], tex_k=[4000.0, 20.0, 20.0]),
    )
    result = compare_lines([a], [b], GRID)
    assert result.max_excitation_temperature_difference == pytest.approx(50.0 * (1 / 2000 - 1 / 4000))


def test_inverted_lines_are_counted_and_have_no_excitation_temperature_difference() -> None:
    a = made([1.0, 0.5, 0.2], tex_k=[-10.0, 3000.0, 20.0])
    b = made([1.0, 0.5, 0.2], tex_k=[-90.0, -3000.0, 19.0])
    result = compare_lines([a], [b], GRID)
    assert (result.lines_inverted, result.lines_inverted_in_one_file) == (2, 1)
    assert result.max_excitation_temperature_difference == pytest.approx(0.05)
    assert [line.excitation_temperature_difference is None for line in result.lines] == [True, True, False]
    masers = compare_lines([made([1.0, 0.5, 0.2], tex_k=-9.0)], [made([1.0, 0.5, 0.2], tex_k=-8.0)], GRID)
    assert masers.max_excitation_temperature_difference is None
    assert masers.to_json()["worst_excitation_temperature"] is None


def test_the_excitation_temperature_of_a_line_that_nobody_sees_is_not_compared() -> None:
    a = made([1.0, 1e-9, -0.2], tex_k=[20.0, 5e3, 1.0])
    b = made([1.0, 1e-9, -0.2], tex_k=[20.0, 4e-26, 2.0])
    result = compare_lines([a], [b], GRID)
    assert result.max_excitation_temperature_difference == 0.0
    assert result.lines_inverted == 0


@pytest.mark.parametrize(
    ("a", "b", "difference"), [(0.01, 0.03, 0.02), (0.5, 1.0, 0.5), (8.0, 10.0, 0.2), (-0.2, 0.1, 0.3)]
)
def test_optical_depths_differ_absolutely_where_thin_and_relatively_where_thick(
    a: float, b: float, difference: float
) -> None:
    ours, theirs = made([1.0, 0.5, -0.2], tau=[0.1, 0.1, a]), made([1.0, 0.5, -0.2], tau=[0.1, 0.1, b])
    for result in (compare_lines([ours], [theirs], GRID), compare_lines([theirs], [ours], GRID)):
        assert result.max_optical_depth_difference == pytest.approx(difference)
        assert result.worst_optical_depth.upper == "3"


def test_a_line_in_one_file_only_is_reported() -> None:
    short = made([1.0, 0.5], frequency_ghz=(100.0, 200.0), upper=("1", "2"), lower=("0", "1"))
    result = compare_lines([short], [made([1.0, 0.5, 0.2])], GRID)
    assert [(line.only_in, line.upper, line.lower) for line in result.unmatched] == [("against", "3", "2")]
    back = compare_lines([made([1.0, 0.5, 0.2])], [short], GRID)
    assert [line.only_in for line in back.unmatched] == ["file"]


def test_rewritten_labels_and_another_order_match_by_frequency() -> None:
    a = made([1.0, 0.5, 0.2])
    energy = a.upper_energy_k[[2, 0, 1]]
    b = made(
        [0.2, 1.0, 0.5],
        frequency_ghz=(300.0, 100.0, 200.0),
        # Numbered from 1: "2 -> 1" is another line here than in the first file.
        upper=("4", "2", "3"),
        lower=("3", "1", "2"),
        energy_k=energy.tolist(),
    )
    assert match_lines(a, b).pairs == ((0, 1), (1, 2), (2, 0))
    assert compare_lines([a], [b], GRID).max_flux_ratio == 1.0


def test_labels_part_lines_that_are_closer_than_the_tolerance() -> None:
    energy = [4.8, 4.8, 14.4]
    a = made([1.0, 0.5, 0.2], (100.0, 100.004, 200.0), ("1a", "1b", "2"), ("0", "0", "1a"), energy_k=energy)
    b = made([0.5, 1.0, 0.2], (100.001, 100.003, 200.0), ("1b", "1a", "2"), ("0", "0", "1a"), energy_k=energy)
    assert match_lines(a, b).pairs == ((0, 1), (1, 0), (2, 2))


def test_the_same_frequency_between_other_levels_is_no_match() -> None:
    a = made([1.0, 0.5, 0.2])
    b = made([1.0, 0.5, 0.2], energy_k=[4.8, 14.4, 500.0], upper=("1", "2", "9"), lower=("0", "1", "8"))
    assert match_lines(a, b).pairs == ((0, 0), (1, 1))


def test_two_molecules_are_an_error() -> None:
    with pytest.raises(RatedbError, match="no line in common"):
        compare_lines([made([1.0, 0.5, 0.2])], [made([1.0, 0.5, 0.2], (111.0, 222.0, 333.0))], GRID)


def test_no_conditions_are_an_error() -> None:
    with pytest.raises(RatedbError, match="nothing to compare"):
        compare_lines([], [], [])


def test_the_grid_splits_h2_thermally() -> None:
    grid = grid_of(VerifyOptions(), ["p-H2", "o-H2"])
    assert len(grid) == 16
    by_temperature = {c.temperature_k: c.density_cm3 for c in grid if sum(c.density_cm3.values()) < 2e3}
    assert set(by_temperature) == {10.0, 30.0, 100.0, 300.0}
    for temperature, expected in ((10.0, 9 * np.exp(-17.06)), (100.0, 9 * np.exp(-1.706)), (300.0, 3.0)):
        density = by_temperature[temperature]
        assert density["o-H2"] / density["p-H2"] == pytest.approx(expected)
        assert sum(density.values()) == pytest.approx(1e3)


def test_every_other_collider_is_alone_in_the_grid() -> None:
    grid = grid_of(VerifyOptions(), ["He", "p-H2", "o-H2", "e"])
    assert {c.colliders for c in grid} == {("p-H2", "o-H2"), ("He",), ("e",)}
    assert max(c.density_cm3["e"] for c in grid if "e" in c.density_cm3) == 1e3
    assert {c.colliders for c in grid_of(VerifyOptions(), ["p-H2"])} == {("p-H2",)}


def test_the_grid_keeps_to_the_temperatures_of_the_rates() -> None:
    assert {c.temperature_k for c in grid_of(VerifyOptions(), ["He"], {"He": (20.0, 200.0)})} == {30.0, 100.0}
    assert {c.temperature_k for c in grid_of(VerifyOptions(), ["He"], {"He": (50.0, 80.0)})} == {50.0, 80.0}
    assert {c.temperature_k for c in grid_of(VerifyOptions(), ["He"], {"He": (50.0, 50.0)})} == {50.0}
    pair = {"p-H2": (5.0, 100.0), "o-H2": (30.0, 300.0)}
    assert {c.temperature_k for c in grid_of(VerifyOptions(), pair, pair)} == {30.0, 100.0}


@pytest.mark.parametrize("colliders", [[], ["water"]])
def test_a_grid_needs_known_colliders(colliders: list[str]) -> None:
    with pytest.raises(RatedbError, match="no grid"):
        grid_of(VerifyOptions(), colliders)


def test_files_without_a_common_collider_are_an_error() -> None:
    assert common_limits({"He": (5.0, 90.0), "H": (1.0, 2.0)}, {"He": (10.0, 100.0)}) == {"He": (10.0, 90.0)}
    with pytest.raises(RatedbError, match="no collider in common"):
        common_limits({"He": (5.0, 10.0)}, {"He": (20.0, 30.0), "H2": (5.0, 10.0)})


def test_the_json_has_the_promised_keys_and_no_strange_numbers() -> None:
    result = compare_lines([made([1.0, 0.5, 0.2])], [made([1.0, 0.25, -0.2])], GRID)
    values = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert values["max_population_difference"] == 0.0
    assert values["max_flux_ratio"] == 2.0
    assert len(values["lines"]) == 3
    assert values["lines"][0]["temperature_k"] == 50.0
    assert values["lines"][0]["density_cm3"] == {"H2": 1e4}
    assert values["worst_flux"]["upper"] == "2"
    assert values["max_excitation_temperature_difference"] == 0.0
    assert values["max_optical_depth_difference"] == 0.0
    assert values["worst_optical_depth"]["temperature_k"] == 50.0
    assert values["lines"][1]["upper_energy_k"] == pytest.approx(0.048 * 300.0)
    assert [line["relative_flux"] for line in values["lines"]] == [1.0, 0.5, 0.2]
    assert values["conditions"][0]["column_density_cm2"] == 1e14


@needs_radex
def test_a_file_agrees_with_itself() -> None:
    result = compare(shipped("co.dat"), shipped("co.dat"))
    assert result.max_population_difference == 0.0
    assert result.max_flux_ratio == 1.0
    assert len(result.conditions) == 16
    assert len(result.lines) == 16 * 40
    assert result.lines_compared + result.lines_below_floor + result.lines_in_absorption == len(result.lines)
    assert result.colliders_left_out == ()


@needs_radex
def test_doubled_rates_change_the_lines_of_a_thin_gas_but_not_of_a_dense_one(tmp_path: Path) -> None:
    original = shipped("co.dat")
    doubled = with_rates_times(2.0, original, tmp_path / "doubled.dat")
    thin = compare(doubled, original, [Conditions(100.0, {"p-H2": 1e3})])
    assert thin.max_flux_ratio is not None
    assert thin.max_flux_ratio > 1.8
    assert thin.max_population_difference > 0.05
    # Between the background and the gas, collisions set the excitation temperature of the thin gas.
    assert thin.max_excitation_temperature_difference is not None
    assert thin.max_excitation_temperature_difference > 0.1
    dense = compare(doubled, original, [Conditions(100.0, {"p-H2": 1e9})])
    assert dense.max_population_difference < 1e-4
    assert dense.max_excitation_temperature_difference is not None
    assert dense.max_excitation_temperature_difference < 1e-3
    assert thin.colliders_left_out == ("o-H2",)


@needs_radex
def test_doubled_rates_are_the_same_as_a_doubled_density(tmp_path: Path) -> None:
    original = shipped("co.dat")
    halved = with_rates_times(0.5, original, tmp_path / "halved.dat")
    (a,) = run_radex(halved, [Conditions(100.0, {"p-H2": 2e3})])
    (b,) = run_radex(original, [Conditions(100.0, {"p-H2": 1e3})])
    result = compare_lines([a], [b], GRID)
    assert result.max_flux_ratio == pytest.approx(1.0, abs=1e-5)
    assert result.max_population_difference < 1e-7


@needs_radex
def test_a_grid_temperature_outside_the_rates_is_refused() -> None:
    with pytest.raises(RatedbError, match="do not reach 5 K"):
        compare(shipped("sio.dat"), shipped("sio.dat"), [Conditions(5.0, {"H2": 1e4})])


@needs_radex
def test_limits_are_those_of_the_file() -> None:
    assert file_outline(shipped("co.dat")).temperature_range_k == {
        "p-H2": (2.0, 3000.0),
        "o-H2": (2.0, 3000.0),
    }
