"""`ratedb --version`, `python -m ratedb`, and colours."""

from __future__ import annotations

import io
import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from commands import Run
from ratedb_cli.output import Context

import ratedb


def test_the_version_comes_with_those_of_the_science_stack(run: Run) -> None:
    answer = run("--version")
    assert answer.code == 0
    first, *others = answer.out.splitlines()
    assert first == f"ratedb {ratedb.__version__}"
    found = dict(line.split(" ", 1) for line in others)
    assert found["python"] == platform.python_version()
    for name in ("numpy", "scipy", "duckdb", "gpflow", "tensorflow"):
        assert found[name] == metadata.version(name)


def test_an_extra_that_is_not_installed_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratedb_cli.versions.OPTIONAL_PACKAGES", ("no-such-package", "rich"))
    text = run("--version").out
    assert "no-such-package" not in text
    assert f"rich {metadata.version('rich')}" in text


def test_the_version_is_one_json_object_with_json(run: Run) -> None:
    for words in (("--json", "--version"), ("--version", "--json")):
        assert run(*words).json["versions"]["ratedb"] == ratedb.__version__


def test_the_versions_are_read_without_imports() -> None:
    code = """
import sys
from ratedb_cli.app import main
main(["--version"])
print([one for one in ("tensorflow", "gpflow", "scipy", "pandas", "matplotlib") if one in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("module", ["ratedb", "ratedb_cli"])
def test_python_runs_the_package_as_the_command(module: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", module, "--db", str(tmp_path / "absent.duckdb"), "--json", "systems"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["what"] == "there is no database"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_no_color_turns_colours_off(monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stderr", terminal)
    Context(Path("x.duckdb"), False, False).warn(["of something"])
    assert "warning: of something" in terminal.getvalue()
    assert ("\x1b[33m" in terminal.getvalue()) is not no_color
