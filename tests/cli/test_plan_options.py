"""`plan`: strategies, measured hours and worklists from the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from commands import Run

SEARCH = ("--j", "3:14", "--given-j", "3", "--strategy", "exhaustive", "--kernels", "M32", "--sizes", "3")


def test_an_exhaustive_plan_names_the_best_set_with_its_measured_error(run: Run, imported: Path) -> None:
    found = run("--db", imported, "--json", "plan", "AB+He", *SEARCH).json
    assert (found["strategy"], found["scored_sets"]) == ("exhaustive", 55)
    chosen = found["chosen"]
    assert (chosen["n"], chosen["train_j"][0], chosen["kernel"]) == (3, 3, "M32")
    assert chosen["expected_error"] > 0
    assert chosen["test_dex_rms"] > 0
    query = "SELECT count(*) AS n FROM set_scores WHERE system = 'AB+He'"
    assert run("--db", imported, "--json", "sql", query).json["rows"] == [{"n": 55}]


def test_an_exhaustive_plan_can_be_trained(run: Run, imported: Path) -> None:
    plan = run("--db", imported, "--json", "plan", "AB+He", *SEARCH).json
    options = ("--plan", plan["plan_id"], "--kernels", "M32", "--features", "physics", "--mean", "linear")
    assert (
        run("--db", imported, "--json", "train", "AB+He", *options).json["train_j"]
        == plan["chosen"]["train_j"]
    )


def test_an_exhaustive_plan_prints_kernel_and_error(run: Run, imported: Path) -> None:
    out = run("--db", imported, "plan", "AB+He", *SEARCH).out
    assert "test dex" in out
    assert "55 sets scored" in out


def test_an_exhaustive_plan_of_an_unknown_system_is_one_message(run: Run, imported: Path) -> None:
    answer = run("--db", imported, "plan", "XY+He", *SEARCH)
    assert (answer.code, "XY+He" in answer.err) == (1, True)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--validate-j", "4,8"), "--validate-j has no effect"),
        (("--train-j", "3,9"), "--train-j has no effect"),
        (("--jobs", "0"), "number of jobs"),
        (("--mean", "magic"), "unknown mean"),
        (("--kernels", "M99"), "M99"),
        (("--sizes", "1"), "no training set"),
    ],
)
def test_options_without_effect_on_an_exhaustive_plan_are_refused(
    run: Run, imported: Path, more: tuple[str, ...], word: str
) -> None:
    answer = run("--db", imported, "plan", "AB+He", *SEARCH, *more)
    assert (answer.code, word in answer.err) == (2, True)


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_worklist_has_a_job_for_each_v_and_j_that_is_not_given(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    target = tmp_path / f"jobs.{suffix}"
    words = ("plan", "SiO+p-H2", "--j", "5:20", "--given-j", "5", "--v-max", "2", "--hours-total", "338")
    found = run("--db", tmp_path / "x.duckdb", "--json", *words, "--sizes", "4", "--worklist", target).json
    text = target.read_text()
    rows = json.loads(text) if suffix == "json" else list(csv.DictReader(text.splitlines()))
    assert [int(row["order"]) for row in rows] == list(range(1, len(rows) + 1))
    assert [(int(row["j"]), int(row["v"])) for row in rows] == [
        (j, v) for j in (6, 9, 10, 14, 19) for v in (0, 1, 2)
    ]
    uses = {int(row["j"]): row["use"] for row in rows}
    assert uses == {6: "validate", 9: "train", 10: "validate", 14: "train", 19: "train"}
    total = sum(float(row["expected_hours"]) for row in rows)
    assert total == pytest.approx(found["chosen"]["explicit_hours"])


def test_a_worklist_without_one_chosen_set_or_of_another_kind_stores_no_plan(
    run: Run, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    words = ("--db", db, "plan", "AB+He", "--j", "5:20", "--given-j", "5")
    for more, word in (
        (("--worklist", tmp_path / "jobs.csv"), "one chosen set"),
        (("--sizes", "4", "--worklist", tmp_path / "jobs.txt"), "CSV or JSON"),
    ):
        answer = run(*words, *more)
        assert (answer.code, word in answer.err) == (2, True)
    answer = run(*words, "--sizes", "4", "--worklist", tmp_path / "none" / "jobs.csv")
    assert (answer.code, "cannot write" in answer.err) == (1, True)
    assert list(tmp_path.glob("jobs*")) == []
    if db.exists():
        assert run("--db", db, "--json", "sql", "SELECT count(*) AS n FROM plans").json["rows"] == [{"n": 0}]


def test_measured_hours_come_from_a_file(run: Run, tmp_path: Path) -> None:
    hours = tmp_path / "hours.csv"
    hours.write_text("j,hours\n" + "".join(f"{j},{j / 2}\n" for j in range(6, 21)))
    words = ("plan", "AB+He", "--j", "5:20", "--given-j", "5", "--train-j", "5,9,14,19")
    found = run("--db", tmp_path / "x.duckdb", "--json", *words, "--hours-file", hours).json
    assert found["chosen"]["explicit_hours"] == pytest.approx((9 + 14 + 19 + 6 + 10) / 2)
    hours.write_text("j,hours\n6,1\n")
    answer = run("--db", tmp_path / "x.duckdb", *words, "--hours-file", hours)
    assert (answer.code, "gaps" in answer.err) == (2, True)


def test_a_plan_without_data_loads_no_library_of_numbers(tmp_path: Path) -> None:
    code = """
        import sys
        from ratedb_cli.app import main
        main(["--db", sys.argv[1], "--quiet", "plan", "SiO+p-H2", "--j", "5:20", "--given-j", "5"])
        print(sorted({"tensorflow", "gpflow", "numpy", "scipy", "sqlmodel"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "x.duckdb")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
