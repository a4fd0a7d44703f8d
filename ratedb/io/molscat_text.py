"""Split a MOLSCAT output into its runs, and search in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.text import Line, to_number

END_OF_RUN = "---- MOLSCAT ------"
_USED = "This run used"
_REDUCED_MASS = re.compile(r"REDUCED MASS FOR INTERACTION = *(\S+)(.*)")
_HEADER_ENDS = ("INITIALIZATION DONE", "IOSDRV ENTERED")


@dataclass(frozen=True)
class Run:
    """One run in an output: a part of its text, and where its settings end."""

    path: Path
    text: str
    start: int
    end: int
    header_end: int

    def has(self, words: str) -> bool:
        """Return whether the settings of the run contain these words."""
        return self.text.find(words, self.start, self.header_end) >= 0

    def find(self, words: str) -> int | None:
        """Return the position of the first such words in the whole run."""
        at = self.text.find(words, self.start, self.end)
        return None if at < 0 else at

    def search(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the first match in the settings of the run."""
        return pattern.search(self.text, self.start, self.header_end)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Return all matches in the whole run."""
        return pattern.finditer(self.text, self.start, self.end)

    def matches_in_header(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Return all matches in the settings of the run."""
        return pattern.finditer(self.text, self.start, self.header_end)

    def line(self, position: int) -> Line:
        """Return the line that contains a position."""
        begin = self.text.rfind("\n", 0, position) + 1
        end = self.text.find("\n", position)
        text = self.text[begin : end if end >= 0 else None]
        return Line(self.text.count("\n", 0, begin) + 1, text, self.path)

    def lines_from(self, position: int) -> Iterator[tuple[int, str]]:
        """Return (position, text) of each line of the run from the one that contains a position."""
        begin = self.text.rfind("\n", 0, position) + 1
        while begin < self.end:
            end = self.text.find("\n", begin, self.end)
            end = self.end if end < 0 else end
            yield begin, self.text[begin:end]
            begin = end + 1

    def refuse(self, position: int, what: str, expected: str, todo: str | None = None) -> RatedbError:
        """Return the error that quotes the line at a position."""
        return self.line(position).refuse(what, expected, todo)

    def reduced_mass_u(self) -> float:
        """Return the reduced mass in u; raises RatedbError where it is not given so."""
        match = self.search(_REDUCED_MASS)
        if match is None:
            expected = "REDUCED MASS FOR INTERACTION = ..."
            raise self.refuse(self.start, "the run gives no reduced mass", expected)
        value = to_number(match[1])
        if value is None or not 0 < value < 1e6 or "(DALTONS)" not in match[2]:
            raise self.refuse(match.start(), "the reduced mass cannot be read", "a number > 0 in DALTONS")
        return value


def _header_end(text: str, start: int, end: int) -> int:
    ends = (text.find(words, start, end) for words in _HEADER_ENDS)
    return next((at for at in ends if at >= 0), end)


def split_runs(path: Path, text: str) -> list[Run]:
    """Return the runs of an output; raises RatedbError where one is not complete."""
    runs: list[Run] = []
    start = 0
    while (used := text.find(_USED, start)) >= 0:
        runs.append(Run(path, text, start, used, _header_end(text, start, used)))
        close = text.find(END_OF_RUN, used)
        start = len(text) if close < 0 else text.find("\n", close) + 1 or len(text)
    rest = Run(path, text, start, len(text), len(text))
    if not runs or text[start:].strip():
        last = rest.line(len(text.rstrip()) - 1 if text.strip() else 0)
        raise last.refuse(
            "the output is cut off: a run is not complete",
            f"`{_USED} ... cpu secs` after the cross sections; {len(runs)} run(s) before it are complete",
            "let the run finish, or get the whole file",
        )
    return runs
