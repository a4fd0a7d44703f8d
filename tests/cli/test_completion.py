"""Shell completion: scripts for the shells, and systems of the store, read without a change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from commands import Run

from ratedb.store.systems import names_of_systems


def completed(*words: str, env: dict[str, str] | None = None) -> list[str]:
    """Return what `ratedb WORDS<tab>` offers in bash, in a process of its own."""
    line = ["ratedb", *words]
    shell = {
        "COMP_WORDS": "\n".join(line),
        "COMP_CWORD": str(len(line) - 1),
        "_RATEDB_COMPLETE": "complete_bash",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ratedb"],
        env=os.environ | shell | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {one.name: (one.stat().st_mtime_ns, one.read_bytes()) for one in folder.iterdir()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(run: Run, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_RATEDB_COMPLETE", f"source_{shell}")
    answer = run()
    assert answer.code == 0
    assert "ratedb" in answer.out
    assert f"_RATEDB_COMPLETE=complete_{shell}" in answer.out
    if shutil.which(shell) is not None:
        check = subprocess.run([shell, "-n"], input=answer.out, text=True, capture_output=True, check=False)
        assert (check.returncode, check.stderr) == (0, "")


def test_help_names_the_options_that_install_it(run: Run) -> None:
    text = run("--help").out
    assert "--install-completion" in text
    assert "--show-completion" in text


def test_systems_of_the_store_are_offered_and_the_store_is_as_it_was(filled: Path) -> None:
    before = contents(filled.parent)
    assert completed("--db", str(filled), "show", "AB") == ["AB+He", "AB+p-H2"]
    assert completed("--db", str(filled), "export", "AB+He", "AB+p") == ["AB+p-H2"]
    assert completed("fill", "", env={"RATEDB_DB": str(filled)}) == ["AB+He", "AB+p-H2"]
    assert contents(filled.parent) == before


def test_the_store_of_the_config_file_is_asked(filled: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'db = "{filled}"')
    assert completed("check", "", env={"RATEDB_CONFIG": str(config)}) == ["AB+He", "AB+p-H2"]
    config.write_text("wiat = 3")
    words = {"RATEDB_CONFIG": str(config), "RATEDB_DB": str(filled)}
    assert completed("check", "", env=words) == ["AB+He", "AB+p-H2"]


def test_nothing_is_offered_or_said_after_an_error(tmp_path: Path, filled: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database" * 1000)
    for path in (broken, tmp_path / "absent.duckdb", tmp_path, Path("ducklake:postgres:host=nowhere")):
        assert completed("--db", str(path), "show", "") == []
    assert not (tmp_path / "absent.duckdb").exists()
    holder = duckdb.connect(str(filled))
    try:
        assert completed("--db", str(filled), "show", "") == []
    finally:
        holder.close()


def test_names_that_a_shell_would_expand_or_run_are_not_offered(filled: Path) -> None:
    with duckdb.connect(str(filled)) as store:
        store.execute("INSERT INTO collision_system VALUES (99, 'AB+$(touch x)', 'AB', '$(touch x)')")
    assert names_of_systems(filled) == ["AB+$(touch x)", "AB+He", "AB+p-H2"]
    assert completed("--db", str(filled), "show", "") == ["AB+He", "AB+p-H2"]


def test_commands_and_options_are_offered() -> None:
    assert completed("tr") == ["train"]
    assert "--jobs" in completed("train", "--j")
