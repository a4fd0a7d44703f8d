"""`sql`, `verify`, `evaluate` from the store, and `train --plan`: the rest of the commands."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import duckdb
import pytest
from commands import FAST, TRAIN, Run
from real import co_file

from ratedb.plots import figures
from ratedb.plots.figures import plots_available
from ratedb.radiative import sampled_lines, verify
from ratedb.radiative.radex import radex_available

QUERY = "SELECT j, count(*) AS n FROM rates WHERE system = 'AB+He' GROUP BY j ORDER BY j; -- by j; all"


def test_sql_prints_the_same_rows_in_every_format(run: Run, filled: Path, tmp_path: Path) -> None:
    expected = [{"j": j, "n": 4 * j} for j in range(1, 15)]
    assert run("--db", filled, "--json", "sql", QUERY).json["rows"] == expected
    lines = run("--db", filled, "sql", QUERY, "--format", "json").out.splitlines()
    assert [json.loads(line) for line in lines] == expected
    text = run("--db", filled, "sql", QUERY, "--format", "csv").out
    assert [{k: int(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))] == expected
    table = run("--db", filled, "sql", QUERY).out
    assert all(str(entry["n"]) in table for entry in expected)
    for name in ("rows.parquet", "rows.csv", "rows.json"):
        answer = run("--db", filled, "--json", "sql", QUERY, "-o", tmp_path / name)
        assert answer.json["row_count"] == len(expected)
        rows = duckdb.sql(f"SELECT * FROM '{tmp_path / name}'").fetchall()
        assert rows == [(entry["j"], entry["n"]) for entry in expected]


def test_a_semicolon_in_a_string_is_part_of_the_query(run: Run, filled: Path, tmp_path: Path) -> None:
    run("--db", filled, "--quiet", "sql", "SELECT ';' AS mark;", "-o", tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "mark\n;\n"


def test_only_a_select_goes_into_a_file(run: Run, filled: Path, tmp_path: Path) -> None:
    answer = run("--db", filled, "sql", "SHOW TABLES", "-o", tmp_path / "x.csv")
    assert (answer.code, "refused" in answer.err, "Traceback" in answer.err) == (1, True, False)


def test_a_long_result_says_how_much_the_table_leaves_out(run: Run, filled: Path) -> None:
    answer = run("--db", filled, "sql", "SELECT * FROM rates")
    assert "396 more rows are not shown" in answer.err
    assert len(run("--db", filled, "sql", "SELECT * FROM rates", "--format", "csv").out.splitlines()) == 597


def test_a_model_is_trained_from_a_plan_and_tested_on_what_the_store_knows(run: Run, imported: Path) -> None:
    words = ("plan", "AB+He", "--j", "3:14", "--given-j", "3", "--sizes", "4")
    plan = run("--db", imported, "--json", *words).json
    trained = run("--db", imported, "--json", "train", "AB+He", "--plan", plan["plan_id"], *FAST).json
    assert trained["train_j"] == plan["chosen"]["train_j"]
    assert trained["validate_j"] == plan["chosen"]["validate_j"]
    assert trained["target_j"] == list(range(3, 15))
    found = run("--db", imported, "--json", "evaluate", trained["model_id"]).json
    seen = {*trained["train_j"], *trained["validate_j"]}
    assert [entry["j"] for entry in found["by_j"]] == [j for j in range(3, 15) if j not in seen]
    assert found["model"]["dex_rms"] < found["baselines"]["interpolation"]["dex_rms"]


def test_a_plan_of_another_system_or_without_a_choice_is_refused(run: Run, imported: Path) -> None:
    run("--db", imported, "plan", "AB+p-H2", "--j", "3:14", "--given-j", "3")
    assert "another system" in run("--db", imported, "train", "AB+He", "--plan", 1).err
    assert "no chosen set" in run("--db", imported, "train", "AB+p-H2", "--plan", 1).err
    assert "no plan 9" in run("--db", imported, "train", "AB+p-H2", "--plan", 9).err


def test_evaluating_where_nothing_is_held_out_says_what_to_import(run: Run, filled: Path) -> None:
    run("--db", filled, "--quiet", "train", "AB+p-H2", *TRAIN, *FAST, "--j", "3,4,6,7,9,12")
    answer = run("--db", filled, "evaluate", "2")
    assert (answer.code, "nothing is held out" in answer.err, "--truth" in answer.err) == (1, True, True)


def test_verify_of_a_file_against_itself_finds_no_difference(run: Run) -> None:
    answer = run("--json", "verify", co_file(), "--against", co_file(), "--tolerance", "1.000001")
    assert answer.code == 0
    found = answer.json
    assert set(found) >= {"max_population_difference", "max_flux_ratio", "lines"}
    assert (found["max_population_difference"], found["max_flux_ratio"]) == (0.0, 1.0)


def test_verify_runs_under_the_conditions_that_are_asked_for(run: Run) -> None:
    words = (
        "verify",
        co_file(),
        "--against",
        co_file(),
        "--temperatures",
        "20,50",
        "--densities",
        "1e3,1e4,1e5",
    )
    words += ("--columns", "1e14,1e16", "--line-widths", "0.5,2")
    conditions = run("--json", *words).json["conditions"]
    assert len(conditions) == 2 * 3 * 2 * 2
    assert {one["line_width_km_s"] for one in conditions} == {0.5, 2.0}
    assert {one["column_density_cm2"] for one in conditions} == {1e14, 1e16}
    assert {round(sum(one["density_cm3"].values())) for one in conditions} == {1000, 10_000, 100_000}
    answer = run("verify", co_file(), "--against", co_file(), "--columns", "thick")
    assert (answer.code, "not a list of column densities" in answer.err) == (2, True)


@pytest.mark.slow
def test_verify_above_its_tolerance_ends_with_code_4(run: Run, tmp_path: Path) -> None:
    db, target = tmp_path / "co.duckdb", tmp_path / "few.dat"
    run("--db", db, "--quiet", "import", co_file())
    run("--db", db, "--quiet", "export", "CO+p-H2", "CO+o-H2", "-o", target, "--j-max", "6")
    out, picture = tmp_path / "v.json", tmp_path / "v.svg"
    words = ("verify", target, "--against", co_file(), "--tolerance", "1.01", "-o", out)
    words += ("--picture", picture) if plots_available() else ()
    answer = run(*words)
    assert answer.code == 4
    assert "largest factor between two fluxes" in answer.out
    kept = json.loads(out.read_text())
    worst = kept["worst_flux"]
    assert (
        kept["max_flux_ratio"] == worst["flux_ratio"] == max(one["flux_ratio"] or 0 for one in kept["lines"])
    )
    above = sum((one["flux_ratio"] or 0) > 1.01 for one in kept["lines"])
    for said in (
        f"{above} of {kept['lines_compared']} compared lines change by more than the tolerance",
        f"{worst['upper']}-{worst['lower']} ({worst['frequency_ghz']:.3f} GHz)",
        f"T = {worst['temperature_k']:g} K, n(p-H2)",
        f"n(p-H2) = {worst['density_cm3']['p-H2']:.4g} cm-3",
        "within a factor 1.01",
        f"a factor {worst['flux_ratio']:.6g}",
    ):
        assert said in answer.err
    assert f"{kept['max_excitation_temperature_difference']:.4g} (" in answer.out
    assert f"{kept['max_optical_depth_difference']:.4g} (" in answer.out
    if plots_available():
        drawn = picture.read_text()
        assert "few.dat against co.dat" in drawn
        assert f"{worst['upper']}-{worst['lower']}" in drawn


UNWRITABLE = [
    (("--picture", "v.gif"), "not the name of a picture", 2),
    (("--picture", "no/v.png"), "cannot write the file", 1),
    (("--picture", "folder.png"), "a directory", 1),
    (("--picture", "store.png"), "overwrite a database", 1),
    (("-o", "store.png"), "overwrite a database", 1),
    (("-o", "no/v.json"), "cannot write the file", 1),
    (("-o", "a.dat"), "named twice", 2),
    (("-o", "v.png", "--picture", "v.png"), "named twice", 2),
]


def test_a_target_that_cannot_be_written_is_refused_before_radex_runs(
    run: Run, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(verify, "solve", lambda *_, **__: pytest.fail("the solver ran"))
    monkeypatch.setattr(figures, "plots_available", lambda: True)
    shutil.copy(co_file(), "a.dat")
    shutil.copy(filled, "store.png")
    Path("folder.png").mkdir()
    before = {path: path.stat().st_size for path in tmp_path.iterdir()}
    for words, says, code in UNWRITABLE:
        answer = run("verify", "a.dat", "--against", co_file(), *words)
        assert (answer.code, says in answer.err, answer.out) == (code, True, ""), (words, answer.err)
        assert {path: path.stat().st_size for path in tmp_path.iterdir()} == before


def test_a_picture_without_matplotlib_is_refused_before_radex_runs(
    run: Run, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "solve", lambda *_, **__: pytest.fail("the solver ran"))
    monkeypatch.setattr(sampled_lines, "solve", lambda *_, **__: pytest.fail("the solver ran"))
    monkeypatch.setattr(figures, "plots_available", lambda: False)
    for words in (("verify", co_file(), "--against", co_file()), ("--db", filled, "impact", "AB+He")):
        answer = run(*words, "--picture", tmp_path / "v.png")
        assert (answer.code, "pip install 'ratedb[plots]'" in answer.err) == (1, True)
        assert not (tmp_path / "v.png").exists()


@pytest.mark.parametrize("name", ["missing.dat", "."])
def test_verify_of_what_is_no_file_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    answer = run("verify", tmp_path / name, "--against", tmp_path / name)
    assert answer.code == 1
    assert "Traceback" not in answer.err


@pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")
def test_a_temperature_that_was_asked_for_is_never_replaced_and_its_loss_is_said(
    run: Run, rotor_file: Path
) -> None:
    verify = ("--json", "verify", rotor_file, "--against", rotor_file, "--densities", "1e4", "--temperatures")
    some = run(*verify, "50,5000")
    assert {one["temperature_k"] for one in some.json["conditions"]} == {50.0}
    assert some.err.count("5000 K left out") == 2  # for He and for p-H2
    none = run(*verify, "5000")
    assert (none.code, "no rates reach any of the temperatures" in none.err) == (1, True)
