"""A LAMDA file comes out of a store as it went in, and `check` names what contradicts itself in it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from lamda_text import spectralradex_files
from round_trip import COUNTED, differences, plain, through_a_store

import ratedb
from ratedb.io.lamda import read_lamda

FREQUENCIES = (41.9709441, 83.9418882, 125.9128324, 167.8837765, 209.8547206)


def lamda(
    energy_cm1: list[str],
    labels: list[str],
    lines: list[str],
    rates: list[str] | None = None,
    weights: list[float] | None = None,
) -> str:
    n = len(labels)
    rates = rates or [f"{i} {k} 1.0e-11 2.0e-11" for i in range(2, n + 1) for k in range(1, i)]
    weights = weights or [2.0 * j + 1.0 for j in range(n)]
    levels = [
        f"{i} {e} {g} {name}"
        for i, (e, g, name) in enumerate(zip(energy_cm1, weights, labels, strict=True), 1)
    ]
    parts = [
        "!MOLECULE\nXY\n!MOLECULAR WEIGHT\n30.0\n!NUMBER OF ENERGY LEVELS",
        str(n),
        "!LEVEL + ENERGIES(cm^-1) + WEIGHT + J",
        *levels,
        "!NUMBER OF RADIATIVE TRANSITIONS",
        str(len(lines)),
        "!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)",
        *(f"{i} {line}" for i, line in enumerate(lines, 1)),
        "!NUMBER OF COLL PARTNERS\n1\n!COLLISIONS BETWEEN\n2 XY + p-H2 made up\n!NUMBER OF COLL TRANS",
        str(len(rates)),
        "!NUMBER OF COLL TEMPS\n2\n!COLL TEMPS\n10.0 50.0\n!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)",
        *(f"{i} {row}" for i, row in enumerate(rates, 1)),
    ]
    return "\n".join(parts) + "\n"


def rotor(energy_of_3: str = "8.400000", upper_k: bool = True) -> str:
    energies = ["0.000000", "1.400000", "4.200000", energy_of_3, "14.000000", "21.000000"]
    kelvin = ("2.01", "6.04", "12.09", "20.14", "30.21") if upper_k else ("",) * 5
    lines = [f"{j + 1} {j} 1.0e-06 {FREQUENCIES[j - 1]} {kelvin[j - 1]}" for j in range(1, 6)]
    return lamda(energies, [str(j) for j in range(6)], lines)


def checked(folder: Path, text: str) -> list[dict[str, object]]:
    """Return the findings about levels and lines that `check` lists of an imported file."""
    source = folder / "xy.dat"
    source.write_text(text)
    with ratedb.open(folder / "check.duckdb", create=True) as db:
        [imported] = db.import_(source).systems
        found = [row for row in db.check().to_json()["findings"] if row["rule"] in RULES]
        listed = {row["rule"] for row in imported.findings if row["rule"] in RULES}
    assert listed == {row["rule"] for row in found}
    return found


RULES = ("level-energy", "frequency", "upper-energy", "energy-order")


def test_a_mistyped_energy_is_named_by_check_and_the_frequencies_stay(tmp_path: Path) -> None:
    [found] = checked(tmp_path, rotor("8.422400"))
    assert found["rule"] == "level-energy"
    assert (found["value"], found["expected"]) == (8.4224, pytest.approx(8.4, abs=1e-5))
    assert "level 3" in str(found["detail"])
    assert "2 lines" in str(found["detail"])
    target = through_a_store(tmp_path / "xy.dat", tmp_path)
    assert [line[1] for line in plain(target).lines.values()] == list(FREQUENCIES)
    assert plain(target).levels[3][0] == 8.4224


def test_a_file_that_agrees_with_itself_has_no_such_finding(tmp_path: Path) -> None:
    assert checked(tmp_path, rotor()) == []


def test_a_wrong_frequency_and_a_wrong_upper_energy_are_named_by_check(tmp_path: Path) -> None:
    text = rotor().replace("125.9128324", "126.9128324").replace(" 20.14", " 28.14")
    found = checked(tmp_path, text)
    assert {(row["rule"], row["transition"]) for row in found} == {
        ("frequency", "3 -> 2"),
        ("upper-energy", "4 -> 3"),
    }


def test_measured_hyperfine_frequencies_come_out_as_they_went_in(tmp_path: Path) -> None:
    ghz = (93.1711234, 93.1734567, 93.1762345)
    source = tmp_path / "hfs.dat"
    lines = [f"{i} 1 3.600e-05 {one} 4.47" for i, one in enumerate(ghz, start=2)]
    energies, labels = ["0.000000", "3.107200", "3.107300", "3.107400"], ["0_1", "1_0", "1_2", "1_1"]
    source.write_text(lamda(energies, labels, lines, weights=[3.0, 1.0, 5.0, 3.0]))
    target = through_a_store(source, tmp_path)
    assert [line[1:] for line in plain(target).lines.values()] == [[one, 4.47] for one in ghz]


def test_a_frequency_that_no_source_has_is_listed_as_computed_and_stays_so(tmp_path: Path) -> None:
    source = tmp_path / "xy.dat"
    source.write_text(rotor(upper_k=False).replace("125.9128324", "0.0"))
    first = through_a_store(source, tmp_path, "first")
    provenance = json.loads((tmp_path / "first.dat.provenance.json").read_text())
    assert provenance["computed_lines"] == [{"upper": "3", "lower": "2"}]
    assert any("1 of 5 frequencies are computed" in one["detail"] for one in provenance["warnings"])
    through_a_store(first, tmp_path, "second")
    assert json.loads((tmp_path / "second.dat.provenance.json").read_text())["computed_lines"]


def test_labels_that_a_reader_needs_otherwise_are_the_original_ones_after_reading_back(
    tmp_path: Path,
) -> None:
    names = ["X 0 1/2", "X 1 3/2", "X 1 1/2"]
    source = tmp_path / "xy.dat"
    lines = ["2 1 1.0e-06 41.9709441 2.01", "3 1 1.0e-06 125.9128324 6.04"]
    source.write_text(lamda(["0.000000", "1.400000", "4.200000"], names, lines))
    first = through_a_store(source, tmp_path, "first")
    with ratedb.open(tmp_path / "back.duckdb", create=True) as db:
        db.import_(first, quality="off")
        assert db.levels("XY").column("label") == names
    second = through_a_store(first, tmp_path, "second")
    assert first.read_bytes() == second.read_bytes()


def test_an_import_of_the_same_file_brings_what_it_prints_into_a_store_that_had_overwritten_it(
    tmp_path: Path,
) -> None:
    source, wrong = tmp_path / "xy.dat", tmp_path / "wrong.dat"
    source.write_text(rotor())
    wrong.write_text(rotor(upper_k=False).replace("125.9128324", "125.9500000"))
    with ratedb.open(tmp_path / "old.duckdb", create=True) as db:
        db.import_(wrong, quality="off")
        db.import_(source, quality="off")
        assert db.lines("XY").column("frequency_ghz") == list(FREQUENCIES)
        assert db.lines("XY").column("upper_energy_k") == [2.01, 6.04, 12.09, 20.14, 30.21]


def test_a_printed_frequency_comes_before_a_computed_one_of_a_more_complete_list(tmp_path: Path) -> None:
    few, more = tmp_path / "few.dat", tmp_path / "more.dat"
    last = f"5 6 5 1.0e-06 {FREQUENCIES[4]} 30.21\n"
    few.write_text(rotor().replace("RADIATIVE TRANSITIONS\n5", "RADIATIVE TRANSITIONS\n4").replace(last, ""))
    more.write_text(re.sub("|".join(map(str, FREQUENCIES)), "0.0", rotor(upper_k=False)))
    with ratedb.open(tmp_path / "two.duckdb", create=True) as db:
        db.import_(few, quality="off")
        db.import_(more, quality="off")
        lines = db.lines("XY")
        assert lines.column("frequency_ghz")[:4] == list(FREQUENCIES[:4])
        assert lines.column("frequency_computed") == [False] * 4 + [True]


def test_many_upward_rows_out_of_one_level_name_it_and_no_row_is_lost(tmp_path: Path) -> None:
    source = tmp_path / "xy.dat"
    source.write_text(rotor().replace("6 21.000000", "6 2.000000"))
    [partner] = read_lamda(source).partners
    assert len(partner.rates) == 15
    assert np.isfinite(partner.rates.rate_cm3_s).all()
    [found] = [one for one in partner.findings if one.rule == "upward-rows"]
    assert (found.value, found.expected) == (2.0, 14.0)
    assert "3 rows out of level 5" in found.detail
    with ratedb.open(tmp_path / "s.duckdb", create=True) as db:
        [imported] = db.import_(source).systems
    assert "upward-rows" in {row["rule"] for row in imported.findings}


def test_files_of_excitation_or_of_both_directions_suspect_no_level(tmp_path: Path) -> None:
    source = tmp_path / "xy.dat"
    down = [f"{i} {k} 1.0e-11 2.0e-11" for i in range(2, 7) for k in range(1, i)]
    up = [f"{k} {i} 1.0e-13 1.0e-12" for i in range(2, 7) for k in range(1, i)]
    for rows in (up, down + up):
        text = rotor().replace("TRANS\n15", f"TRANS\n{len(rows)}")
        head = text[: text.index("1 2 1 1.0e-11")]
        source.write_text(head + "\n".join(f"{i} {row}" for i, row in enumerate(rows, 1)) + "\n")
        [partner] = read_lamda(source).partners
        assert "upward-rows" not in {one.rule for one in partner.findings}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, tuple[Path, Path]]:
    """Give what each spectralradex file is after one store, and after a second; the stores lie next to it."""
    folder, made = tmp_path_factory.mktemp("twice"), {}
    for path in spectralradex_files():
        first = through_a_store(path, folder, f"first-{path.stem}")
        made[path] = first, through_a_store(first, folder, f"second-{path.stem}")
    return made


@pytest.mark.slow
def test_nothing_of_the_spectralradex_files_changes_on_the_way_through_a_store(
    twice: dict[Path, tuple[Path, Path]],
) -> None:
    for path, (first, second) in twice.items():
        colliders = [one.rates.collider for one in read_lamda(path).partners]
        assert differences(path, first, colliders) == dict.fromkeys(COUNTED, 0), path.name
        assert first.read_bytes() == second.read_bytes(), path.name


@pytest.mark.slow
def test_no_export_of_the_spectralradex_files_brings_something_new_or_loses_quantum_numbers(
    twice: dict[Path, tuple[Path, Path]], tmp_path: Path
) -> None:
    query = "SELECT label, quantum_numbers, molecule_kind FROM levels ORDER BY label"
    for path, (first, second) in twice.items():
        db = ratedb.open(shutil.copy(first.with_suffix(".duckdb"), tmp_path))
        levels = db.sql(query).rows
        assert {one.new for one in db.import_(first, quality="off").systems} == {0}, path.name
        assert db.sql(query).rows == levels, path.name
        other = ratedb.open(second.with_suffix(".duckdb"))
        assert other.sql(query).rows == levels, path.name
