"""Walk over the numbered lines of a LAMDA file, and turn words into numbers or into clear errors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError

# Headers that some files leave without their `!`. Only lines that start with a letter are tried.
_BARE_HEADER = re.compile(
    r"(?:NUMBER OF\b.*|(?:MOLECULE|ATOM|ION|MASS)\s*|(?:MOLECULAR|ATOMIC) (?:WEIGHT|MASS)\s*"
    r"|(?:LEVELS?|TRANS(?:ITIONS?)?)\s*\+.*|COLLISIONS? (?:BETWEEN|WITH)\s*|(?:COLLISION )?PARTNER\s*\d*\s*"
    r"|(?:COLL(?:ISION(?:AL)?)?\.? )?TEMP(?:ERATURE)?S?\s*)",
    re.IGNORECASE,
)
# Fortran drops the letter of an exponent of three digits: 6.070-102.
_NO_LETTER = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))([+-]\d{1,3})", re.ASCII)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d{1,4})?", re.ASCII)
_SHOWN = 90


@dataclass(frozen=True)
class Line:
    """A line of a file: its number, counted from 1, and its text."""

    number: int
    text: str

    def fields(self) -> list[str]:
        """Return the words of the line before any `!`."""
        return self.text.partition("!")[0].split()


class Cursor:
    """The lines of one file, taken one by one past comments and blank lines.

    `comments` holds the comments passed since the line before, and `bare_headers` counts the headers
    that had no `!`.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.position = 0
        self.comments: list[str] = []
        self.bare_headers = 0

    def next_line(self) -> Line | None:
        """Return the next line that is neither blank nor a comment and step past it; None at the end."""
        self.comments = []
        lines, end = self.lines, len(self.lines)
        while self.position < end:
            text = lines[self.position].strip()
            self.position += 1
            if not text:
                continue
            if text[0] == "!":
                self.comments.append(text)
            elif text[0].isalpha() and _BARE_HEADER.fullmatch(text):
                self.comments.append(text)
                self.bare_headers += 1
            else:
                return Line(self.position, text)
        return None

    def take(self, expected: str) -> Line:
        """Return the next line as `next_line` does; raises RatedbError at the end of the file."""
        line = self.next_line()
        if line is None:
            raise RatedbError(
                "the file ends too early",
                where=f"{self.path}:{len(self.lines)}",
                expected=expected,
                got="the end of the file",
                todo="get the file again from its source: it is cut short or a declared count is wrong",
            )
        return line

    def continuation(self) -> Line | None:
        """Return the next line if it carries on a wrapped row (no comment between), else None."""
        position = self.position
        while position < len(self.lines) and not self.lines[position].strip():
            position += 1
        if position == len(self.lines) or self.lines[position].lstrip()[0] not in "+-.0123456789":
            return None
        self.position = position + 1
        return Line(self.position, self.lines[position].strip())

    def refuse(self, line: Line, what: str, expected: str, todo: str | None = None) -> RatedbError:
        """Return the error that names a line, its text, what was expected and what to do."""
        text = line.text if len(line.text) <= _SHOWN else line.text[:_SHOWN] + "..."
        return RatedbError(
            what,
            where=f"{self.path}:{line.number}",
            expected=expected,
            got=f"`{text}`",
            todo=todo or "correct the line, or get the file again from its source",
        )

    def count(self, name: str) -> int:
        """Take a line with a count alone on it; raises RatedbError where it is none."""
        line = self.take(f"the number of {name}")
        fields = line.fields()
        value = to_number(fields[0]) if fields else None
        if value is None or value < 0 or value != int(value) or any(map(_is_number, fields[1:])):
            raise self.refuse(
                line,
                f"the number of {name} is not a count",
                "one whole number alone on its line",
                "check that the list before it has as many rows as the file declares",
            )
        return int(value)


def declared_rows(what: str, declared: int, found: int) -> str:
    """Return the words that say how many rows a file declares and how many stood before a line."""
    return f"{declared} {what} as declared; {found} were found before this line"


def decode(content: bytes, path: Path) -> str:
    """Return the text of a file in UTF-8 (with or without BOM) or Latin-1.

    Raises RatedbError for UTF-16 and for binary content.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4096]:
        raise RatedbError(
            "the file is not plain text",
            where=f"{path}:1",
            expected="a LAMDA file in ASCII, UTF-8 or Latin-1",
            got="UTF-16 or binary content",
            todo="unpack it or save it as plain text",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def to_number(word: str) -> float | None:
    """Return a finite number written in C or Fortran style (1e-10, 1.0D-10, 6.070-102), else None."""
    if _PLAIN.fullmatch(word):
        value = float(word.replace("D", "E").replace("d", "e"))
    else:
        match = _NO_LETTER.fullmatch(word)
        if match is None:
            return None
        value = float(f"{match[1]}E{match[2]}")
    return value if math.isfinite(value) else None


def to_numbers(words: Sequence[str]) -> list[float] | None:
    """Return all words as numbers, or None where one is not a finite number."""
    values = [to_number(word) for word in words]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def to_index(word: str) -> int | None:
    """Return a word of at most nine digits as an integer, else None."""
    return int(word) if len(word) < 10 and word.isascii() and word.isdigit() else None


def _is_number(word: str) -> bool:
    return to_number(word) is not None
