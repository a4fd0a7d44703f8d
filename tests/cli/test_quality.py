"""Quality control, sources and their order, and cross sections, on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import FAST, TRAIN, Run
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

from ratedb.rates import Rates

LEVELS = rotor_levels(14, molecule="AB")
WRONG = (30, 2)  # a transition and a temperature


def rates() -> Rates:
    return rough_rates(LEVELS, "He", (10.0, 20.0, 50.0, 100.0, 200.0, 300.0), seed=1, scatter=0.002)


def lamda_file(folder: Path, name: str, table: Rates) -> Path:
    path = folder / name
    path.write_text(lamda_text([table]))
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return lamda_file(tmp_path, "clean.dat", rates())


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The same with one value a hundred times too large."""
    table = rates()
    values = table.rate_cm3_s.copy()
    values[WRONG] *= 100.0
    return lamda_file(tmp_path, "faulty.dat", replace(table, rate_cm3_s=values))


def name_of_wrong() -> tuple[str, float]:
    return rates().transition_name(WRONG[0]), float(rates().temperature_k[WRONG[1]])


def test_import_marks_the_wrong_value_and_says_which(run: Run, faulty: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    answer = run("--db", db, "--json", "import", faulty)
    assert answer.code == 0
    errors = [one for one in answer.json["systems"][0]["findings"] if one["severity"] == "error"]
    assert sum(one["transitions"] for one in errors) == 1
    assert errors[0]["example"].startswith(name_of_wrong()[0])
    rows = run(
        "--db", db, "--json", "sql", "SELECT upper_label, lower_label, temperature_k FROM rates WHERE marked"
    )
    [row] = rows.json["rows"]
    assert (f"{row['upper_label']} -> {row['lower_label']}", row["temperature_k"]) == name_of_wrong()


def test_strict_refuses_the_file_and_keeps_nothing(
    run: Run, clean: Path, faulty: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    answer = run("--db", db, "import", clean, faulty, "--quality", "strict")
    assert answer.code == 1
    assert "faulty.dat" in answer.err
    assert name_of_wrong()[0] in answer.err
    assert not db.exists()
    assert run("--db", db, "import", clean, "--quality", "strict").code == 0


def test_without_quality_control_nothing_is_found_until_check_marks_it(
    run: Run, faulty: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    assert (
        run("--db", db, "--json", "import", faulty, "--quality", "off").json["systems"][0]["findings"] == []
    )
    marked = ("--db", db, "--json", "sql", "SELECT count(*) AS n FROM rates WHERE marked")
    found = run("--db", db, "--json", "check", "AB+He").json["findings"]
    errors = [one for one in found if one["severity"] == "error"]
    assert [(one["transition"], one["temperature_k"]) for one in errors] == [name_of_wrong()]
    assert {"system", "rule", "severity", "transition", "detail"} <= set(errors[0])
    assert run(*marked).json["rows"] == [{"n": 0}]
    run("--db", db, "check", "--mark")
    run("--db", db, "check", "--mark")
    assert run(*marked).json["rows"] == [{"n": 1}]


def test_an_accepted_rule_marks_nothing_and_needs_a_reason(run: Run, faulty: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    [one] = [
        one
        for one in run("--db", db, "--json", "import", faulty).json["systems"][0]["findings"]
        if one["severity"] == "error"
    ]
    words = ("--db", db, "check", "AB+He", "--accept", one["rule"])
    assert run(*words).code == 2
    assert run("--db", db, "check", "--accept", one["rule"], "--because", "real").code == 2
    assert run("--db", db, "check", "AB+He", "--accept", "no-such-rule", "--because", "real").code == 2
    assert run(*words, "--because", "a resonance").code == 0
    assert run(*words, "--because", "a resonance").code == 1
    rows = run("--db", db, "--json", "sql", "SELECT count(*) AS n FROM rates WHERE marked").json["rows"]
    assert rows == [{"n": 0}]


def test_training_leaves_marked_values_out_unless_asked(run: Run, faulty: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "import", faulty)
    j = int(LEVELS.label[rates().upper[WRONG[0]]])
    train = ("--train-j", f"3,{j},12" if j not in (3, 12) else "3,6,12", "--validate-j", "5,9")
    words = ("--db", db, "--json", "train", "AB+He", *train, *FAST)
    assert any("are left out; `ratedb check`" in text for text in run(*words).json["warnings"])
    assert any("used all the same" in text for text in run(*words, "--use-marked").json["warnings"])


def test_an_export_warns_of_marked_values_and_counts_them(run: Run, faulty: Path, tmp_path: Path) -> None:
    db, target = tmp_path / "x.duckdb", tmp_path / "out.dat"
    run("--db", db, "import", faulty)
    warnings = run("--db", db, "--json", "export", "AB+He", "-o", target).json["warnings"]
    [detail] = [warning["detail"] for warning in warnings if warning["rule"] == "marked values"]
    assert f"1 values in 1 transitions, such as {name_of_wrong()[0]}," in detail
    assert json.loads(Path(f"{target}.provenance.json").read_text())["partners"][0]["marked"] == 1
    assert run("--db", db, "export", "AB+He", "-o", target, "--strict").code == 1


def test_a_filled_store_predicts_in_place_of_what_is_marked(run: Run, faulty: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "import", faulty)
    assert run("--db", db, "train", "AB+He", *TRAIN, *FAST).code == 0
    assert run("--db", db, "fill", "AB+He").code == 0
    name, kelvin = name_of_wrong()
    upper, lower = name.split(" -> ")
    where = f"upper_label = '{upper}' AND lower_label = '{lower}' AND temperature_k = {kelvin}"
    rows = run("--db", db, "--json", "sql", f"SELECT kind, marked FROM rates WHERE {where}").json["rows"]
    assert rows == [{"kind": "predicted", "marked": False}]


def test_sources_are_listed_with_the_winner_first_and_follow_an_order(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    for number in range(3):
        table = rough_rates(LEVELS, "He", seed=number)
        run(
            "--db",
            db,
            "import",
            lamda_file(tmp_path, f"{number}.dat", table),
            "--reference",
            f"number {number}",
        )

    def listed(*words: str) -> list[int]:
        sources = run("--db", db, "--json", "sources", "AB+He", *words).json["sources"]
        assert sources[0]["best"] == sources[0]["rates"]
        assert all(source["best"] == 0 for source in sources[1:])
        return [source["source_id"] for source in sources]

    assert listed() == [3, 2, 1]
    assert listed("--prefer", "2,3", "--because", "it is better") == [2, 3, 1]
    assert listed() == [2, 3, 1]
    [row] = run("--db", db, "--json", "sql", "SELECT source_ids, reason FROM source_orders").json["rows"]
    assert row == {"source_ids": [2, 3], "reason": "it is better"}


@pytest.mark.parametrize(("order", "code"), [("9", 1), ("1,1", 2), ("x", 2), ("", 2)])
def test_an_impossible_order_is_one_message(
    run: Run, clean: Path, tmp_path: Path, order: str, code: int
) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "import", clean)
    answer = run("--db", db, "sources", "AB+He", "--prefer", order)
    assert answer.code == code
    assert "Traceback" not in answer.err


def test_compare_names_the_wrong_value(run: Run, clean: Path, faulty: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "import", clean, faulty)
    found = run("--db", db, "--json", "compare", "AB+He", "1", "2").json
    assert found["outlier_count"] == 1
    [outlier] = found["outliers"]
    assert (outlier["transition"], outlier["temperature_k"]) == name_of_wrong()
    assert outlier["ratio"] == pytest.approx(100.0, rel=1e-3)
    assert found["total"]["median"] == pytest.approx(1.0)
    shown = run("--db", db, "compare", "AB+He", "1", "2")
    assert name_of_wrong()[0] in shown.out


def test_compare_writes_its_result_as_json_and_refuses_what_cannot_be_written(
    run: Run, clean: Path, faulty: Path, tmp_path: Path
) -> None:
    db, target = tmp_path / "x.duckdb", tmp_path / "ratios.json"
    run("--db", db, "import", clean, faulty)
    words = ("--db", db, "--json", "compare", "AB+He", "1", "2")
    assert run(*words, "-o", target).json == json.loads(target.read_text())
    assert run(*words, "--picture", tmp_path / "ratios.gif").code == 2
    assert run(*words, "-o", db).code == 1


def test_temperatures_and_cross_sections_go_together(run: Run, clean: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    names = ("--molecule", "AB", "--collider", "He")
    assert run("--db", db, "import", clean, "--cross-sections").code == 2
    assert run("--db", db, "import", clean, "--temperatures", "10,20").code == 2
    for wrong in ("ten", "10:20", "20:10:5", "0,10", "10:100:0", "-5", "1e12", ""):
        answer = run("--db", db, "import", clean, "--cross-sections", f"--temperatures={wrong}", *names)
        assert answer.code == 2, wrong
    answer = run("--db", db, "import", clean, "--cross-sections", "--temperatures", "10:50:10", *names)
    assert answer.code == 1
    assert "not a file of cross sections" in answer.err
    assert not db.exists()


def test_a_list_of_temperatures_is_read_as_it_is_written() -> None:
    from ratedb.numbers import parse_temperatures

    assert parse_temperatures("10:30:10,5, 7.5") == (5.0, 7.5, 10.0, 20.0, 30.0)
    assert parse_temperatures("10:35:10") == (10.0, 20.0, 30.0)
    assert parse_temperatures("0.1:0.3:0.1") == (0.1, 0.2, 0.3)
    assert np.diff(parse_temperatures("10:1000:10")).tolist() == [10.0] * 99


def test_files_of_one_command_are_compared_with_each_other(run: Run, clean: Path, tmp_path: Path) -> None:
    other = rates()
    factor = np.where(np.arange(len(other)) == WRONG[0], 30.0, 1.0)[:, None]
    file = lamda_file(tmp_path, "other.dat", replace(other, rate_cm3_s=other.rate_cm3_s * factor))

    def found(db: str, *files: Path) -> list[tuple[str, str]]:
        for names in [files] if db == "together" else [(one,) for one in files]:
            run("--db", tmp_path / db, "import", *names)
        rows = run(
            "--db", tmp_path / db, "--json", "sql", "SELECT rule, detail FROM findings WHERE source_id = 2"
        )
        return [(row["rule"], row["detail"].partition(": ")[0]) for row in rows.json["rows"]]

    together, apart = found("together", clean, file), found("apart", clean, file)
    assert [rule for rule, _ in together] == [rule for rule, _ in apart]
    assert "compared with clean.dat" in {words for _, words in together}
    assert found("together", clean, clean) == together
