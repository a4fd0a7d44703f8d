"""Progress: what a person sees of a long step, at a terminal and in a log."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import pytest
from ratedb_cli.output import Context
from ratedb_cli.progress import Lines, Pace, words_of


@pytest.fixture(autouse=True)
def _with_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what other tests are run without: lines on work of more than two seconds."""
    monkeypatch.setattr("ratedb_cli.progress._FIRST_LINE_S", 2.0)


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


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def test_the_end_is_estimated_by_the_pace_since_the_first_count() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.left_s("M32: 2000 of 4000 sets scored") is None  # kept ones, at no cost
    clock.wait(10)
    assert pace.left_s("M32: 2100 of 4000 sets scored") == pytest.approx(10 / 100 * 1900)
    clock.wait(30)
    assert pace.left_s("M32: 2200 of 4000 sets scored") == pytest.approx(40 / 200 * 1800)
    assert pace.left_s("M32: 4000 of 4000 sets scored") is None


def test_another_step_has_an_estimate_of_its_own() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.left_s("1 of 4: M32")
    clock.wait(100)
    assert pace.left_s("2 of 4: M52") == pytest.approx(200)
    assert pace.left_s("1 of 4: again from the start") is None
    clock.wait(1)
    assert pace.left_s("2 of 4: M52") == pytest.approx(2)
    assert pace.left_s("storing") is None
    clock.wait(1)
    assert pace.left_s("3 of 4: M52") is None


@pytest.mark.parametrize(
    ("left_s", "words"),
    [
        (None, ""),
        (0.1, ", about 5 s left"),
        (41, ", about 45 s left"),
        (61, ", about 2 min left"),
        (3500, ", about 59 min left"),
        (5400, ", about 1.5 h left"),
    ],
)
def test_the_time_that_is_left_is_said_in_round_numbers(left_s: float | None, words: str) -> None:
    assert words_of(left_s) == words


def test_work_of_two_seconds_says_nothing_and_longer_work_a_line_every_ten() -> None:
    clock, said = Clock(), list[str]()
    lines = Lines(said.append, clock)
    lines.show("1 of 101 sets scored")
    for number in range(2, 21):
        clock.wait(0.1)
        lines.show(f"{number} of 101 sets scored")
    assert said == []  # 1.9 s
    clock.wait(0.1)
    lines.show("21 of 101 sets scored")
    assert said == ["21 of 101 sets scored, about 10 s left"]
    for number in range(22, 100):
        clock.wait(0.1)
        lines.show(f"{number} of 101 sets scored")
    assert len(said) == 1
    clock.wait(5)
    lines.show("100 of 101 sets scored")
    assert len(said) == 2


def test_a_step_that_says_nothing_for_long_still_has_lines() -> None:
    clock, said = Clock(), list[str]()
    lines = Lines(said.append, clock)
    clock.wait(1)
    lines.show("reading the store")
    for _ in range(30):
        clock.wait(0.5)
        lines.tick()
    assert said == ["reading the store", "reading the store, for 11 s so far"]


def test_hours_of_work_have_some_hundred_lines() -> None:
    clock, said = Clock(), list[str]()
    lines = Lines(said.append, clock)
    for _ in range(2 * 10 * 3600):
        clock.wait(0.5)
        lines.tick()
    assert 500 < len(said) < 800


def test_lines_go_to_standard_error_with_escapes_and_not_when_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ratedb_cli.progress._FIRST_LINE_S", 0.0)
    for quiet in (True, False):
        with Context(Path("x.duckdb"), True, quiet).progress() as report:
            report("reading \x1b[31m.dat")
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.startswith("ratedb: reading \\x1b[31m.dat")


def test_a_thread_says_the_lines_of_a_step_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = threading.Event()
    monkeypatch.setattr("ratedb_cli.progress._FIRST_LINE_S", 0.0)
    monkeypatch.setattr("ratedb_cli.progress._TICK_S", 0.001)
    monkeypatch.setattr(Context, "say", lambda self, text: said.set())
    with Context(Path("x.duckdb"), True, False).progress():
        assert said.wait(60)


def test_a_closed_standard_error_does_not_stop_the_work() -> None:
    def fail(text: str) -> None:
        raise BrokenPipeError

    clock = Clock()
    lines = Lines(fail, clock)
    clock.wait(60)
    lines.show("storing")
