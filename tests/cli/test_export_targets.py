"""Where an export cannot be written: one message, and what stood there stays whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import Run
from synthetic import lamda_text, rotor_levels, rotor_rates

import ratedb
from ratedb.levels import Lines


@pytest.fixture
def db(run: Run, tmp_path: Path) -> Path:
    """Return a store of a molecule without lines."""
    levels = rotor_levels(4, molecule="AB")
    (tmp_path / "ab.dat").write_text(lamda_text([rotor_rates(levels)], Lines.empty()))
    assert run("--db", tmp_path / "x.duckdb", "import", tmp_path / "ab.dat").code == 0
    return tmp_path / "x.duckdb"


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("", "a directory"),
        (".", "a directory"),
        ("folder", "a directory"),
        ("/", "a directory"),
        ("missing/o.dat", "cannot write the file"),
        ("ab.dat/o.dat", "cannot write the file"),
        ("x" * 250 + ".dat", "cannot write the file"),
        ("x.duckdb", "overwrite a database"),
        ("pipe", "a device or pipe"),
        ("old.dat", "a directory"),  # where the sidecar has to go
    ],
)
def test_a_target_that_cannot_be_written_is_one_message_and_all_files_stay(
    run: Run, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.dat").write_text("old")
    (tmp_path / "old.dat.provenance.json").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = content(tmp_path)
    answer = run("--db", db, "export", "AB+He", "-o", target)
    assert (answer.code, says in answer.err, answer.out) == (1, True, ""), answer.err
    assert content(tmp_path) == before
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write into every folder")
def test_a_folder_that_may_not_be_written_leaves_the_old_pair_whole(
    run: Run, db: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("o.dat", "o.dat.provenance.json"):
        (folder / name).write_text("old")
    folder.chmod(0o555)
    answer = run("--db", db, "export", "AB+He", "-o", folder / "o.dat")
    folder.chmod(0o755)
    assert (answer.code, "cannot write the file" in answer.err) == (1, True)
    assert set(content(folder).values()) == {b"old"}


def test_an_export_without_lines_says_what_would_bring_them(run: Run, db: Path, tmp_path: Path) -> None:
    answer = run("--db", db, "export", "AB+He", "-o", tmp_path / "o.dat")
    assert answer.code == 0
    assert "there are no lines" in answer.err
    assert all(word in answer.err for word in ("LAMDA file", ".aij", "--levels"))
    assert run("--db", db, "export", "AB+He", "-o", tmp_path / "o.dat", "--strict").code == 1


def test_an_export_overwrites_no_file_that_its_rates_came_from(db: Path, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "ab.dat"
    before = file.read_bytes()
    system = ratedb.open(db).systems().column("system")[0]
    answer = run("--db", db, "export", system, "--format", "csv", "-o", file)
    assert (answer.code, "overwrite a source" in answer.err) == (1, True)
    assert file.read_bytes() == before
    for _ in range(2):  # an earlier export is replaced as before
        assert run("--db", db, "export", system, "--format", "csv", "-o", tmp_path / "out.csv").code == 0
    assert run("--db", db, "report", system, "-o", file).code == 2
    assert file.read_bytes() == before
