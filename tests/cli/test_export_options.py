"""What is exported, at which temperatures, and as what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from commands import Run
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

from ratedb.io.lamda import read_lamda
from ratedb.io.registry import read_rates
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates

KELVIN = (10.0, 20.0, 50.0, 100.0, 200.0, 300.0)


def rates() -> Rates:
    return rough_rates(rotor_levels(14, molecule="AB"), "He", KELVIN, seed=1, scatter=0.002)


def exported(db: Path, target: Path, run: Run, *words: str) -> Rates:
    answer = run("--db", db, "--json", "export", "AB+He", "-o", target, *words)
    assert answer.code == 0, answer.err
    return read_lamda(target).partners[0].rates


@pytest.fixture
def db(run: Run, tmp_path: Path) -> Path:
    path, file = tmp_path / "x.duckdb", tmp_path / "ab.dat"
    file.write_text(lamda_text([rates()]))
    assert run("--db", path, "import", file).code == 0
    return path


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_table_has_all_values_their_sources_and_the_same_bytes_each_time(
    db: Path, run: Run, tmp_path: Path, file_format: str
) -> None:
    target = tmp_path / f"out.{file_format}"
    answers = []
    for _ in range(2):
        answers.append(run("--db", db, "--json", "export", "AB+He", "-o", target, "--format", file_format))
    assert answers[0].json["sha256"] == answers[1].json["sha256"]
    found = read_rates(target).partners[0]
    source = read_lamda(tmp_path / "ab.dat").partners[0].rates
    np.testing.assert_array_equal(found.rates.rate_cm3_s, source.rate_cm3_s)
    assert (found.rates.levels.label, found.kind) == (source.levels.label, "computed")
    reader = "read_csv" if file_format == "csv" else "read_parquet"
    [row] = duckdb.sql(
        "SELECT count(*), min(reference), max(source_id), count(log10_half_width_68), bool_or(marked)"
        f" FROM {reader}('{target}')"
    ).fetchall()
    assert row == (source.rate_cm3_s.size, source_reference(db, run), 1, 0, False)
    provenance = json.loads(Path(f"{target}.provenance.json").read_text())
    assert provenance["partners"][0]["rates"] == source.rate_cm3_s.size


def source_reference(db: Path, run: Run) -> str:
    return str(run("--db", db, "--json", "sql", "SELECT reference FROM sources").json["rows"][0]["reference"])


def test_temperatures_that_are_asked_for_are_interpolated_and_known_ones_kept(
    db: Path, run: Run, tmp_path: Path
) -> None:
    found = exported(db, tmp_path / "o.dat", run, "--temperatures", "20:100:20")
    assert found.temperature_k.tolist() == [20.0, 40.0, 60.0, 80.0, 100.0]
    source = read_lamda(tmp_path / "ab.dat").partners[0].rates
    expected = interpolated(source.temperature_k, source.rate_cm3_s, found.temperature_k)
    np.testing.assert_allclose(found.rate_cm3_s, expected, rtol=6e-7)
    np.testing.assert_allclose(found.rate_cm3_s[:, 0], source.rate_cm3_s[:, 1], rtol=6e-7)


def test_automatic_temperatures_keep_straight_lines_within_the_tolerance(
    db: Path, run: Run, tmp_path: Path
) -> None:
    words = ("--db", db, "--json", "export", "AB+He", "-o", tmp_path / "o.dat")
    as_they_are = run(*words).json["interpolation_cost"]["AB+He"]
    chosen = run(*words, "--temperatures", "auto", "--tolerance", "0.005").json["interpolation_cost"]["AB+He"]
    assert chosen["p95"] <= chosen["largest"] <= 0.005 < as_they_are["largest"]
    kelvin = read_lamda(tmp_path / "o.dat").partners[0].rates.temperature_k
    assert kelvin[[0, -1]].tolist() == [10.0, 300.0]
    assert set(kelvin) == {float(round(value)) for value in kelvin}


def test_values_of_one_kind_or_of_better_quality_are_chosen(db: Path, run: Run, tmp_path: Path) -> None:
    table = rates()
    values = 1.3 * table.rate_cm3_s
    values[30, 2] *= 100.0
    other = tmp_path / "scaled.dat"
    other.write_text(lamda_text([replace(table, collider="H2", rate_cm3_s=values)]))
    assert run("--db", db, "import", other, "--kind", "scaled").code == 0
    words = ("--db", db, "--json", "export", "AB+H2", "-o", tmp_path / "o.csv", "--format", "csv")
    assert run(*words).json["rates"] == values.size
    assert run(*words, "--min-quality", "unmarked").json["rates"] == values.size - 1
    assert run(*words, "--min-quality", "unsuspected").json["rates"] <= values.size - 1
    assert run(*words, "--kind", "scaled").json["rates"] == values.size
    answer = run(*words, "--kind", "computed")
    assert (answer.code, "no such rates of AB+H2" in answer.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("--format", "xml"), "unknown format 'xml'", 2),
        (("--kind", "guessed"), "unknown kind 'guessed'", 2),
        (("--min-quality", "best"), "unknown quality 'best'", 2),
        (("--tolerance", "1.5"), "not a tolerance", 2),
        (("--temperatures", "warm"), "not a list of temperatures", 2),
        (("--temperatures", "5,20"), "do not reach all temperatures", 1),
        (("--format", "csv", "--temperatures", "auto"), "temperatures of its rates", 2),
    ],
)
def test_what_cannot_be_exported_is_one_message_and_the_old_file_stays(
    db: Path, run: Run, tmp_path: Path, words: tuple[str, ...], says: str, code: int
) -> None:
    target = tmp_path / "o.dat"
    target.write_text("old")
    answer = run("--db", db, "export", "AB+He", "-o", target, *words)
    assert (answer.code, says in answer.err) == (code, True), answer.err
    assert target.read_text() == "old"
