"""What scripts rely on: JSON fields, one object on standard output, exit codes, light start."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from commands import METRIC_KEYS, TRAIN, Run

from ratedb.database import Database
from ratedb.store.migrations import available

COMMANDS = [
    "import",
    "systems",
    "show",
    "plan",
    "next",
    "train",
    "evaluate",
    "fill",
    "export",
    "verify",
    "sql",
]
COMMANDS += ["demo", "doctor", "sources", "compare", "check", "reproduce", "cite", "impact", "derive"]


def test_import_says_what_each_system_got(run: Run, rotor_file: Path, tmp_path: Path) -> None:
    answer = run("--db", tmp_path / "x.duckdb", "--json", "import", rotor_file)
    assert answer.code == 0
    assert [entry["system"] for entry in answer.json["systems"]] == ["AB+p-H2", "AB+He"]
    first = answer.json["systems"][0]
    assert ["no method is stated" in said for said in first.pop("warnings")] == [True]
    assert first.pop("source_id") == 1
    # All curves of the made-up rotor have one shape, as those of a formula.
    assert [one["rule"] for one in first.pop("findings") if one["severity"] != "note"] == ["few-shapes"]
    assert first == {
        "system": "AB+p-H2",
        "levels": 15,
        "transitions": 105,
        "temperatures": 4,
        "rates": 420,
        "new": 420,
        "unchanged": 0,
        "plan": None,
    }


def test_systems_and_show_say_what_is_there_by_j_and_kind(run: Run, filled: Path) -> None:
    systems = run("--db", filled, "--json", "systems").json["systems"]
    assert [entry["system"] for entry in systems] == ["AB+He", "AB+p-H2"]
    coverage = {e["j"]: e for e in run("--db", filled, "--json", "show", "AB+He").json["coverage"]}
    assert coverage[6] == {"j": 6, "computed": 6, "predicted": 0, "missing": 0}
    assert coverage[8] == {"j": 8, "computed": 0, "predicted": 8, "missing": 0}
    coverage = {e["j"]: e for e in run("--db", filled, "--json", "show", "AB+p-H2").json["coverage"]}
    assert coverage[8] == {"j": 8, "computed": 0, "predicted": 0, "missing": 8}


def test_train_reports_its_choice_and_everything_tried(run: Run, filled: Path) -> None:
    answer = run("--db", filled, "--json", "train", "AB+p-H2", *TRAIN, "--kernels", "M32,RBF")
    assert answer.code == 0
    found = answer.json
    assert set(found) >= {"model_id", "kernel", "features", "engine", "train_j", "validate_j", "seconds"}
    assert (found["train_j"], found["validate_j"], found["engine"]) == ([3, 6, 9, 12], [4, 7], "basis")
    assert set(found["validation"]) >= METRIC_KEYS
    tried = {(t["kernel"], t["features"]): t["validation_dex_rms"] for t in found["tried"]}
    assert len(tried) == 4
    assert tried[(found["kernel"], found["features"])] == min(tried.values())


def test_evaluate_sets_the_model_beside_interpolation_by_j(run: Run, filled: Path, rotor_file: Path) -> None:
    answer = run("--db", filled, "--json", "evaluate", "1", "--truth", rotor_file)
    assert answer.code == 0
    found = answer.json
    assert set(found["model"]) >= METRIC_KEYS
    assert set(found["baselines"]["interpolation"]) >= METRIC_KEYS
    assert [entry["j"] for entry in found["by_j"]] == [1, 2, 5, 8, 10, 11, 13, 14]
    assert found["test_transitions"] == sum(entry["j"] for entry in found["by_j"])


def test_plan_fields_are_those_that_scripts_read(run: Run, tmp_path: Path) -> None:
    found = run(
        "--db", tmp_path / "x.duckdb", "--json", "plan", "CO+He", "--j", "5:20", "--given-j", "5"
    ).json
    assert set(found) >= {"plan_id", "strategy", "candidates", "chosen"}
    fields = {
        "n", "train_j", "validate_j", "training_transitions", "validation_transitions",
        "predicted_transitions", "explicit_hours", "avoided_hours", "time_saved_percent", "expected_error",
    }  # fmt: skip
    assert [set(entry) >= fields for entry in found["candidates"]] == [True] * 5


def test_the_papers_plan_comes_out_of_an_empty_store(run: Run, tmp_path: Path) -> None:
    words = ["plan", "SiO+p-H2", "--j", "5:20", "--v-max", "2", "--given-j", "5"]
    words += ["--train-j", "5,9,14,19", "--hours-total", "338"]
    chosen = run("--db", tmp_path / "x.duckdb", "--json", *words).json["chosen"]
    assert chosen["validate_j"] == [6, 10]
    counts = ("training_transitions", "validation_transitions", "predicted_transitions")
    assert [chosen[name] for name in counts] == [393, 174, 1041]
    assert round(chosen["explicit_hours"], 1) == 87.4
    assert round(chosen["avoided_hours"], 1) == 250.6
    assert round(chosen["time_saved_percent"], 1) == 72.9
    assert chosen["paper"]["time_saved_percent"] == 76.05
    printed = run("--db", tmp_path / "x.duckdb", *words).out
    for figure in ("393", "174", "1041", "87.4", "250.6", "72.86", "76.05", "179"):
        assert figure in printed


def test_options_for_all_commands_may_also_follow_the_command(run: Run, filled: Path) -> None:
    assert run("systems", "--json", "--db", filled).json == run("--db", filled, "--json", "systems").json
    assert run("systems", f"--db={filled}", "--json").code == 0


def test_quiet_prints_nothing(run: Run, filled: Path) -> None:
    answer = run("--quiet", "--db", filled, "systems")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_no_colour_reaches_what_is_no_terminal(run: Run, filled: Path) -> None:
    assert "\x1b[" not in run("--db", filled, "show", "AB+He").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    answer = run(command, "--help")
    assert answer.code == 0
    assert f"Example: ratedb {command}" in answer.out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_summary_of_a_command_is_that_of_its_method(run: Run, command: str) -> None:
    method = getattr(Database, "import_" if command == "import" else command)
    summary = " ".join((method.__doc__ or "").splitlines()[0].split())
    assert f" {command} {summary} " in f"{' '.join(run('--help').out.split())} "


def test_help_loads_no_heavy_library() -> None:
    code = """
        import sys
        from ratedb_cli.app import main
        main(["--help"])
        heavy = {"tensorflow", "gpflow", "numpy", "duckdb", "sqlalchemy", "scipy", "matplotlib"}
        print(sorted(heavy & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", [("systems",), ("fill", "AB+He"), ("train", "AB+He")])
def test_an_error_with_json_is_one_json_object_too(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    answer = run("--db", tmp_path / "none.duckdb", "--json", *command)
    assert answer.code in (1, 2)
    assert answer.json["error"]["exit_code"] == answer.code
    assert answer.json["error"]["what"] in answer.err


def test_a_command_line_that_is_not_understood_is_one_json_object_too(run: Run) -> None:
    answer = run("--json", "fill")
    assert (answer.code, answer.json["error"]["exit_code"]) == (2, 2)
    assert "Usage: ratedb fill" in answer.err


@pytest.mark.slow
def test_tensorflow_says_nothing_on_the_terminal(filled: Path) -> None:
    words = ["--db", str(filled), "--json", "--quiet", "fill", "AB+He", "--j", "14"]
    run = [sys.executable, "-m", "ratedb_cli", *words]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["unchanged"] == 14
    assert done.stderr == ""


def test_doctor_looks_at_the_database_and_the_optional_parts(run: Run, filled: Path) -> None:
    answer = run("--db", filled, "--json", "doctor")
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert answer.code == 0
    assert set(checks) >= {"ratedb", "tensorflow", "database", "disk", "RADEX", "plots", "report"}
    assert f"schema {available()[-1].version}" in checks["database"]["detail"]


def test_doctor_reports_a_broken_database_with_code_1(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database" * 1000)
    answer = run("--db", broken, "--json", "doctor")
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert (answer.code, checks["database"]["status"]) == (1, "problem")
