"""Claims about files that ratedb exported itself: what it predicted is no calculation when read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import COMPUTED, Run

from ratedb.numbers import parse_integers

KINDS = "SELECT kind, count(*) AS n FROM rates WHERE system = 'AB+He' GROUP BY kind ORDER BY kind"


def exported(run: Run, filled: Path, folder: Path, file_format: str) -> tuple[Path, dict[str, int]]:
    target = folder / "own.dat"
    answer = run("--db", filled, "--json", "export", "AB+He", "-o", target, "--format", file_format)
    assert answer.code == 0, answer.err
    rows = run("--db", filled, "--json", "sql", KINDS).json["rows"]
    return target, {row["kind"]: row["n"] for row in rows}


def imported(
    run: Run, folder: Path, target: Path, file_format: str, *more: str
) -> tuple[int, str, dict[str, int]]:
    db = folder / "new.duckdb"
    levels = (
        ()
        if file_format != "basecol"
        else ("--levels", folder / "own.molecule", "--molecule", "AB", "--collider", "He")
    )
    answer = run("--db", db, "import", target, *levels, *more)
    rows = run("--db", db, "--json", "sql", KINDS).json["rows"] if answer.code == 0 else []
    return answer.code, answer.err, {row["kind"]: row["n"] for row in rows}


@pytest.mark.parametrize("file_format", ["lamda", "basecol", "csv"])
def test_rates_keep_their_kind_and_what_was_interpolated_is_left_out(
    run: Run, rotor_file: Path, tmp_path: Path, file_format: str
) -> None:
    db, target = tmp_path / "scaled.duckdb", tmp_path / "own.dat"
    assert run("--db", db, "import", rotor_file, "--kind", "scaled").code == 0
    more = () if file_format == "csv" else ("--temperatures", "20,35,50")
    words = ("AB+He", "-o", target, "--format", file_format, *more)
    assert run("--db", db, "export", *words).code == 0
    code, said, found = imported(run, tmp_path, target, file_format)
    assert (code, list(found)) == (0, ["scaled"])
    assert ("35 K are left out, where ratedb interpolated" in said) == bool(more)
    grid = run(
        "--db", tmp_path / "new.duckdb", "--json", "sql", "SELECT DISTINCT temperature_k AS t FROM rates"
    )
    assert {row["t"] for row in grid.json["rows"]} == ({20.0, 50.0} if more else {10.0, 20.0, 50.0, 100.0})


@pytest.mark.parametrize("file_format", ["lamda", "basecol", "csv"])
def test_predictions_are_left_out_when_an_export_is_imported(
    run: Run, filled: Path, tmp_path: Path, file_format: str
) -> None:
    target, kinds = exported(run, filled, tmp_path, file_format)
    assert kinds["predicted"] > 0
    code, said, found = imported(run, tmp_path, target, file_format)
    assert (code, "predicted" in said) == (0, True)
    assert found == {"computed": kinds["computed"]}


def test_without_its_provenance_such_a_file_is_refused(run: Run, filled: Path, tmp_path: Path) -> None:
    target, kinds = exported(run, filled, tmp_path, "lamda")
    sidecar = Path(f"{target}.provenance.json")
    content = sidecar.read_text()
    for broken in (
        content.replace('"predicted": [', '"predicted": ["'),
        content.replace("sha256", "md5"),
        None,
    ):
        sidecar.unlink() if broken is None else sidecar.write_text(broken)
        code, said, _ = imported(run, tmp_path, target, "lamda")
        assert (code, "nothing says which part" in said) == (1, True)
    for wrong in (content.replace('"predicted": [', '"predicted": [3,'), content.replace("AB+He", "XY+He")):
        sidecar.write_text(wrong)
        code, said, _ = imported(run, tmp_path, target, "lamda")
        assert (code, "nothing says which part" in said) == (1, True)
    sidecar.unlink()
    code, _, found = imported(run, tmp_path, target, "lamda", "--kind", "extrapolated")
    assert (code, found) == (0, {"extrapolated": sum(kinds.values())})


def test_predictions_are_no_truth_to_judge_a_model_by(run: Run, filled: Path, tmp_path: Path) -> None:
    target, _ = exported(run, filled, tmp_path, "lamda")
    judged = run("--db", filled, "--json", "evaluate", 1, "--truth", target).json["by_j"]
    assert {row["j"] for row in judged} <= set(parse_integers(COMPUTED))
