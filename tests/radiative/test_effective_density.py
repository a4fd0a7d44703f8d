"""Effective densities: at each of them real RADEX gives the line 1 K km/s."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ratedb_cli.app import main

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex import lamda_folder, radex_available, run_radex

needs_radex = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")


@pytest.fixture(scope="module")
def hco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which has the LAMDA files, is not installed")
    path = tmp_path_factory.mktemp("hco") / "hco.duckdb"
    ratedb.open(path, create=True).import_(folder / "hco+.dat", quality="off")
    return path


@needs_radex
def test_at_an_effective_density_radex_gives_the_line_one_k_km_s(hco: Path) -> None:
    folder = lamda_folder()
    assert folder is not None
    found = ratedb.open(hco).lines(
        "HCO++H2", temperatures="20,50", effective=True, column=2e14, line_width=1.5
    )
    checked = 0
    for line in found.lines:
        for kelvin, density in zip(found.temperatures_k, line.effective_density_cm3, strict=True):
            if density == density:
                (lines,) = run_radex(folder / "hco+.dat", [Conditions(kelvin, {"H2": density}, 2e14, 1.5)])
                flux = lines.flux_k_km_s[lines.names().index(f"{line.upper}-{line.lower}")]
                assert flux == pytest.approx(1.0, rel=0.01), (line.name, kelvin)
                checked += 1
    assert checked >= 8


def test_an_effective_density_is_below_the_critical_one_and_falls_with_temperature_and_column(
    hco: Path,
) -> None:
    few, many = (
        ratedb.open(hco).lines("HCO++H2", lines="1-0", temperatures="10,50", effective=True, column=column)
        for column in (1e14, 1e15)
    )
    [first], [second] = few.lines, many.lines
    assert first.effective_density_cm3[0] > first.effective_density_cm3[1]
    assert all(a > b for a, b in zip(first.effective_density_cm3, second.effective_density_cm3, strict=True))
    assert all(a > b for a, b in zip(first.critical_density_cm3, first.effective_density_cm3, strict=True))
    assert "1e+14" in few.definitions["effective_density_cm3"]


def test_a_line_that_no_density_makes_so_bright_has_none(
    hco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ratedb.open(hco).lines("HCO++H2", temperatures="10", effective=True, column=1e8)
    assert all(one.effective_density_cm3[0] != one.effective_density_cm3[0] for one in found.lines)
    words = ["--db", str(hco), "lines", "HCO++H2", "--effective", "--temperatures", "10"]
    assert main([*words, "--lines", "1-0"]) == 0
    assert "Effective density: density at which" in capsys.readouterr().out
    assert main([*words, "--json", "--column", "1e8"]) == 0
    rows = json.loads(capsys.readouterr().out)["lines"]
    assert {one for row in rows for one in row["effective_density_cm3"]} == {None}


def test_without_the_option_there_are_none_and_an_impossible_column_is_refused(hco: Path) -> None:
    assert ratedb.open(hco).lines("HCO++H2", lines="1-0").lines[0].effective_density_cm3 == ()
    for options in (
        {"effective": True, "column": -1.0},
        {"line_width": 2.0},
        {"effective": True, "line_width": 0.0},
    ):
        with pytest.raises(UsageError, match="column"):
            ratedb.open(hco).lines("HCO++H2", **options)
    with pytest.raises(RatedbError, match="column density"):
        ratedb.open(hco).lines("HCO++H2", effective=True, column=1e30)


def test_a_line_that_is_so_bright_in_any_gas_has_the_lowest_density(hco: Path) -> None:
    found = ratedb.open(hco).lines("HCO++H2", lines="1-0", temperatures="100", effective=True, column=1e18)
    assert found.lines[0].effective_density_cm3 == (1.0,)
