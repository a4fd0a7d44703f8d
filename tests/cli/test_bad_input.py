"""Each mistake: one clear message, its exit code, and a store as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from commands import COMPUTED, FAST, TRAIN, Run

from ratedb.files import read_bytes, sha256


def refused(run: Run, db: Path, *words: object) -> tuple[int, str]:
    """Run a command that must fail without changing the store; return its code and its message."""
    before = sha256(read_bytes(db)) if db.is_file() else None
    answer = run("--db", db, *words)
    after = sha256(read_bytes(db)) if db.is_file() else None
    assert answer.code in (1, 2, 3)
    assert "Traceback" not in answer.err
    assert answer.out == ""
    assert after == before
    return answer.code, answer.err


def test_a_file_that_is_not_lamda_is_refused(run: Run, filled: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("these are not rates\n")
    code, message = refused(run, filled, "import", other)
    assert code == 1
    assert "not a file of rate coefficients" in message
    assert "these are not rates" in message


def test_an_empty_file_is_refused(run: Run, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.dat").touch()
    assert "an empty file" in refused(run, filled, "import", tmp_path / "empty.dat")[1]


@pytest.mark.parametrize("share", [0.15, 0.4, 0.7, 0.97])
def test_a_truncated_file_is_refused_with_the_line(
    run: Run, filled: Path, rotor_file: Path, tmp_path: Path, share: float
) -> None:
    whole = rotor_file.read_bytes()
    cut = tmp_path / "cut.dat"
    cut.write_bytes(whole[: int(share * len(whole))])
    code, message = refused(run, filled, "import", cut)
    assert code == 1
    assert "cut.dat:" in message


def test_a_bad_file_among_good_ones_keeps_all_of_them_out(
    run: Run, filled: Path, rotor_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.dat").write_text("!MOLECULE\nX\n")
    refused(run, filled, "import", rotor_file, tmp_path / "bad.dat")


def test_a_failed_first_import_leaves_no_database_behind(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.dat").write_text("!MOLECULE\nX\n")
    refused(run, tmp_path / "new.duckdb", "import", tmp_path / "bad.dat")
    assert not (tmp_path / "new.duckdb").exists()


def test_a_missing_file_and_a_directory_are_refused(run: Run, filled: Path, tmp_path: Path) -> None:
    assert "cannot read" in refused(run, filled, "import", tmp_path / "nowhere.dat")[1]
    assert "directory" in refused(run, filled, "import", tmp_path)[1]
    assert "directory" in refused(run, filled, "export", "AB+He", "-o", tmp_path)[1]
    assert "directory" in refused(run, tmp_path, "systems")[1]
    assert "cannot write" in refused(run, filled, "export", "AB+He", "-o", tmp_path / "no" / "x.dat")[1]


def test_an_unknown_system_or_model_names_those_there_are(run: Run, filled: Path) -> None:
    for words in (("show", "CO+He"), ("train", "CO+He", *TRAIN), ("fill", "CO+He")):
        code, message = refused(run, filled, *words)
        assert code == 1
        assert "AB+He, AB+p-H2" in message
    code, message = refused(run, filled, "evaluate", "77")
    assert (code, "no model 77" in message, "one of 1" in message) == (1, True, True)
    assert "of another system" in refused(run, filled, "fill", "AB+p-H2", "--model", "1")[1]
    assert "has no model" in refused(run, filled, "fill", "AB+p-H2")[1]


def test_a_name_that_is_no_system_is_explained(run: Run, tmp_path: Path) -> None:
    code, message = refused(run, tmp_path / "x.duckdb", "plan", "SiO", "--j", "5:20")
    assert (code, "CO+p-H2" in message) == (1, True)


def test_j_that_the_store_or_the_file_does_not_have_are_refused(
    run: Run, filled: Path, rotor_file: Path
) -> None:
    code, message = refused(run, filled, "train", "AB+He", "--train-j", "3,6,8", "--validate-j", "4")
    assert (code, "j = 8" in message) == (1, True)
    code, message = refused(run, filled, "train", "AB+He", "--train-j", "3,6", "--validate-j", "13")
    assert (code, "validation set" in message) == (1, True)
    code, message = refused(run, filled, "fill", "AB+He", "--j", "40")
    assert (code, "0..14" in message) == (1, True)
    code, message = refused(run, filled, "import", rotor_file, "--j", "5,99")
    assert (code, "99" in message) == (1, True)


def test_a_training_set_that_is_empty_or_has_one_j_is_refused(run: Run, filled: Path) -> None:
    code, message = refused(run, filled, "train", "AB+He")
    assert (code, "no training set" in message) == (2, True)
    code, message = refused(run, filled, "train", "AB+He", "--train-j", "6", "--corpus", "off")
    assert (code, "too small" in message) == (1, True)
    code, message = refused(run, filled, "train", "AB+He", "--train-j", "6,9", "--validate-j", "9")
    assert (code, "both train and validate" in message) == (2, True)


def test_impossible_requests_are_usage_errors(run: Run, filled: Path, rotor_file: Path) -> None:
    wrong = [
        ("train", "AB+He", *TRAIN, "--kernels", "M99"),
        ("train", "AB+He", "--train-j", "3;6"),
        ("train", "AB+He", "--plan", "x"),
        ("plan", "AB+He", "--j", "5:20", "--sizes", "40"),
        ("plan", "AB+He", "--j", "5:20", "--strategy", "magic"),
        ("plan", "AB+He"),
        ("import", rotor_file, "--kind", "predicted"),
        ("import", rotor_file, "--format", "xml"),
        ("export", "AB+He", "-o", "x.dat", "--format", "xml"),
        ("export", "AB+He", "AB+He", "-o", "x.dat"),
        ("sql", "SELECT 1; SELECT 2"),
        ("nonsense",),
    ]
    assert [refused(run, filled, *words)[0] for words in wrong] == [2] * len(wrong)


def test_a_database_of_a_newer_schema_is_refused(run: Run, filled: Path) -> None:
    import duckdb

    with duckdb.connect(str(filled)) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (999, 'future', now()::TIMESTAMP, '99.0')")
    for words in (("systems",), ("fill", "AB+He"), ("sql", "SELECT 1")):
        code, message = refused(run, filled, *words)
        assert (code, "newer ratedb" in message) == (1, True)


def test_a_locked_database_gives_code_3_and_the_pid(run: Run, filled: Path) -> None:
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(filled)!r}); print('up', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        for words in (("systems",), ("fill", "AB+He"), ("sql", "SELECT 1")):
            answer = run("--db", filled, "--wait", "0", *words)
            assert answer.code == 3
            assert str(holder.pid) in answer.err
    finally:
        holder.communicate("")
    assert run("--db", filled, "systems").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.0, 1.3, 4.0])
def test_ctrl_c_during_training_leaves_the_store_as_it_was(filled: Path, seconds: float) -> None:
    """Pressed while DuckDB imports pandas or while TensorFlow is imported, which would swallow it.

    The dense engine needs TensorFlow and takes minutes, so that the training is never over by then.
    """
    before = sha256(read_bytes(filled))
    words = ["--db", str(filled), "train", "AB+He", *TRAIN, "--engine", "dense"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ratedb_cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.strip().endswith("interrupted; the database is as it was")
    assert process.returncode == 130
    assert sha256(read_bytes(filled)) == before


@pytest.mark.slow
def test_the_workers_of_a_training_that_is_killed_end_too(filled: Path) -> None:
    words = ["--db", str(filled), "train", "AB+He", *TRAIN, "--engine", "dense", "--jobs", "2"]
    process = subprocess.Popen([sys.executable, "-m", "ratedb_cli", *words], start_new_session=True)
    _wait_for(lambda: len(_members(process.pid)) >= 4)  # with two workers, and what keeps track of memory
    process.kill()
    process.wait()
    _wait_for(lambda: _members(process.pid) == [])


def _members(group: int) -> list[str]:
    """Return the processes of a group."""
    found = subprocess.run(["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True)
    return found.stdout.split()


def _wait_for(holds: Callable[[], bool]) -> None:
    """Return once something holds, and fail after a minute."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_training_and_its_workers(
    filled: Path, tmp_path: Path, number: signal.Signals
) -> None:
    before = sha256(read_bytes(filled))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    words = ["--db", str(filled), "train", "AB+He", *TRAIN, "--engine", "dense", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ratedb_cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
        start_new_session=True,
    )

    _wait_for(lambda: len(_members(process.pid)) >= 4)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert err.strip().endswith("interrupted; the database is as it was")
    assert process.returncode == 128 + number
    assert sha256(read_bytes(filled)) == before
    _wait_for(lambda: _members(process.pid) == [])
    assert list(temporary.iterdir()) == []


def test_ctrl_c_that_breaks_an_import_is_one_message(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def broken(*_: object, **__: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise ImportError("a library that swallows the signal")

    monkeypatch.setattr("ratedb_cli.app._command", lambda: broken)
    assert run("systems").code == 130


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGINT)", "exec('raise KeyboardInterrupt')"])
def test_ctrl_c_during_the_first_imports_is_one_message(how: str) -> None:
    """Within an exec() Python would kill itself with the signal at its end, whatever the exit code."""
    code = f"""
import os, signal, sys
from ratedb_cli.entry import run

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            {how}

sys.meta_path.insert(0, Press())
run()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "ratedb: interrupted; the database is as it was\n")


def test_a_dry_run_of_every_writing_command_changes_nothing(
    run: Run, filled: Path, rotor_file: Path, tmp_path: Path
) -> None:
    before = sha256(read_bytes(filled))
    target = tmp_path / "x.dat"
    for words in (
        ("import", rotor_file),
        ("plan", "AB+He", "--j", "1:14"),
        ("train", "AB+He", *TRAIN, *FAST),
        ("fill", "AB+He", "--j", "1:14"),
        ("export", "AB+He", "-o", target),
    ):
        assert run("--db", filled, *words, "--dry-run").code == 0, words
    assert run("--db", tmp_path / "new.duckdb", "import", rotor_file, "--dry-run").code == 0
    assert not target.exists()
    assert not (tmp_path / "new.duckdb").exists()
    assert sha256(read_bytes(filled)) == before


def test_a_subset_and_then_the_whole_file_brings_only_the_rest(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    first = run("--db", db, "--json", "import", rotor_file, "--j", COMPUTED).json["systems"][0]
    second = run("--db", db, "--json", "import", rotor_file).json["systems"][0]
    third = run("--db", db, "--json", "import", rotor_file).json["systems"][0]
    assert second["unchanged"] == first["new"]
    assert (second["new"] + second["unchanged"], third["new"], third["unchanged"]) == (420, 0, 420)
