"""What the library logs, and how much of it the command line says."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from commands import FAST, TRAIN, Run

import ratedb

ROOT = Path(__file__).parents[2]


def test_verbose_says_what_is_done_on_standard_error(run: Run, imported: Path) -> None:
    words = ("--db", imported, "--json", "train", "AB+He", *TRAIN, *FAST)
    answer = run(*words, "-v")
    assert answer.json["model_id"] == 1
    assert "ratedb: AB+He: chose " in answer.err
    assert "ratedb: train took " in answer.err
    assert "opened" not in answer.err
    more = run(*words, "-vv").err
    assert f"ratedb: opened {imported} for reading" in more
    assert "dex on the validation j" in more


def test_without_verbose_and_when_quiet_nothing_of_it_is_said(run: Run, imported: Path) -> None:
    assert run("--db", imported, "-v", "systems").err != ""
    assert run("--db", imported, "systems").err == ""
    assert run("--db", imported, "-v", "--quiet", "systems").err == ""


def test_a_file_says_its_format_and_hidden_characters_are_escapes(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    named = tmp_path / "a\x1b[31mb.dat"
    named.write_bytes(rotor_file.read_bytes())
    answer = run("--db", tmp_path / "new.duckdb", "import", named, "-v")
    assert answer.code == 0
    assert "\\x1b[31mb.dat as lamda" in answer.err
    assert "\x1b" not in answer.err


def test_python_hears_it_by_its_own_logging(imported: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="ratedb"):
        ratedb.open(imported).systems()
    assert any(one.name == "ratedb.store.opening" for one in caplog.records)
    assert any("systems took" in one.getMessage() for one in caplog.records)


def test_a_program_without_logging_hears_nothing(imported: Path) -> None:
    code = f"import ratedb, logging; ratedb.open({str(imported)!r}).systems()\n"
    code += "logging.getLogger('ratedb.models').warning('not to be seen')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_library_prints_nothing() -> None:
    own_process = ROOT / "ratedb" / "radiative" / "radex_worker.py"  # prints its answers, as JSON
    found = [
        f"{path}:{node.lineno}"
        for path in (ROOT / "ratedb").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "print" and path != own_process
    ]
    assert found == []
