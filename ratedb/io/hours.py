"""Measured hours of explicit calculations: a CSV file with the columns j and hours, or unit and hours."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.safe_text import from_cell


def read_hours(path: Path) -> tuple[tuple[int, float], ...]:
    """Return pairs of initial j and measured hours, sorted by j.

    Raises RatedbError, with the row, where a value is invalid or a j is a duplicate.
    """
    found: dict[int, float] = {}
    for where, words in _rows(path, "j"):
        j, hours = _number(words[0]), _hours(words)
        if not (j.is_integer() and j >= 0) or hours is None:
            raise _invalid(where, "a j and hours >= 0, such as `12,6.5`", words)
        if int(j) in found:
            raise RatedbError(f"duplicate j = {j:g}", where=where, got=",".join(words))
        found[int(j)] = hours
    return tuple(sorted(found.items()))


def read_unit_hours(path: Path) -> tuple[tuple[str, float], ...]:
    """Return pairs of the label of an initial state and measured hours, in the order of the file.

    Raises RatedbError, with the row, where a value is invalid or a label is a duplicate.
    """
    found: dict[str, float] = {}
    for where, words in _rows(path, "unit"):
        label, hours = from_cell(words[0].strip()), _hours(words)
        if not label or hours is None:
            raise _invalid(where, "a label and hours >= 0, such as `3_1_2,6.5`", words)
        if label in found:
            raise RatedbError(f"duplicate initial state {label}", where=where, got=",".join(words))
        found[label] = hours
    return tuple(found.items())


def _rows(path: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield where each row below the header `name,hours` is, and its words."""
    text = InputFile.read(path).content
    try:
        lines = StringIO(text.decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(lines) if any(word.strip() for word in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RatedbError("the file with hours cannot be read", where=str(path), got=str(error)) from error
    if not rows or [word.strip().lower() for word in rows[0]] != [name, "hours"]:
        raise RatedbError(
            "the file with hours has other columns",
            where=str(path),
            expected=f"a first line `{name},hours`",
            got=",".join(rows[0]) if rows else "an empty file",
        )
    for number, row in enumerate(rows[1:], 2):
        yield f"{path}, row {number}", row


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _hours(words: list[str]) -> float | None:
    """Return the hours of a row of two words, None where they are none."""
    hours = _number(words[1]) if len(words) == 2 else math.nan
    return hours if 0 <= hours < 1e9 else None


def _invalid(where: str, expected: str, words: list[str]) -> RatedbError:
    return RatedbError(
        "invalid row in the file with hours", where=where, expected=expected, got=",".join(words)
    )
