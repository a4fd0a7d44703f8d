"""Progress: what a person at a terminal sees of a long step."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from ratedb_cli.output import Context


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, text: str, *, quiet: bool = False) -> str:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", terminal)
    with Context(Path("x.duckdb"), False, quiet).progress() as report:
        report(text)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())


def test_a_step_that_counts_gets_a_bar_as_long_as_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    seen = shown(monkeypatch, "M32: 300 of 400 sets scored")
    (last,) = [line for line in seen.splitlines() if "M32: 300 of 400 sets scored" in line][-1:]
    assert last.count("━") == 30  # of 40: without colour only what is done is drawn


def test_a_step_that_does_not_count_is_only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[storing]" in shown(monkeypatch, "[storing]")


def test_nothing_is_shown_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, "3 of 4", quiet=True) == ""
