"""The lines and words of text files: their encoding, numbers in C and Fortran style, and clear errors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError

# Fortran drops the letter of an exponent of three digits: 6.070-102.
_NO_LETTER = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))([+-]\d{1,3})", re.ASCII)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d{1,4})?", re.ASCII)
DAMAGED = "get the file again from its source, or run the calculation again"
"""What to do with a file whose end or middle is missing."""
_SHOWN = 90


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, counted from 1, its text, and the file."""

    number: int
    text: str
    path: Path

    def fields(self) -> list[str]:
        """Return the words of the line before any `!`."""
        return self.text.partition("!")[0].split()

    def refuse(self, what: str, expected: str, todo: str | None = None) -> RatedbError:
        """Return the error that names the line, its text, what was expected and what to do."""
        return RatedbError(
            what,
            where=f"{self.path}:{self.number}",
            expected=expected,
            got=f"`{self.text}`" if len(self.text) <= _SHOWN else f"`{self.text[:_SHOWN]}...`",
            todo=todo or "correct the line, or get the file again from its source",
        )


def numbered_lines(content: bytes, path: Path) -> list[Line]:
    """Return the lines of a file, counted from 1; raises RatedbError where it is not plain text."""
    return [Line(number, text, path) for number, text in enumerate(text_lines(content, path), start=1)]


def text_lines(content: bytes, path: Path) -> list[str]:
    """Return the texts of the lines of a file; raises RatedbError where it is not plain text."""
    return decode(content, path).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def declared_rows(what: str, declared: int, found: int) -> str:
    """Return the words that say how many rows a file declares and how many were before a line."""
    return f"{declared} {what} as declared; {found} were found before this line"


def decode(content: bytes, path: Path) -> str:
    """Return the text of a file in UTF-8 (with or without BOM), Windows-1252 or Latin-1.

    Raises RatedbError for UTF-16 and for binary content.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4096]:
        raise RatedbError(
            "the file is not plain text",
            where=f"{path}:1",
            expected="text in ASCII, UTF-8 or Latin-1",
            got="UTF-16 or binary content",
            todo="unpack it or save it as plain text",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode(
            "cp1252"
        )  # Latin-1 where that has letters; its dashes and quotes are no controls
    except UnicodeDecodeError:
        return content.decode("latin-1")


def need_whole_lines(content: bytes, lines: Sequence[Line]) -> None:
    """Raise RatedbError where the last line of a program's output is not complete.

    A number that is cut there may still read as a number.
    """
    if content.rstrip(b" \t\x1a")[-1:] not in (b"\n", b"\r"):
        raise lines[-1].refuse(
            "the last line has no line end",
            "a line end after the last number",
            "compare the last line with the source; if nothing is missing, end it",
        )


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
