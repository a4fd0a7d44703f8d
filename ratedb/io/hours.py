"""Measured hours of explicit calculations: a CSV file with the columns j and hours."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from ratedb.errors import RatedbError

_COLUMNS = ["j", "hours"]


def read_hours(path: Path) -> tuple[tuple[int, float], ...]:
    """Return pairs of initial j and measured hours, sorted by j.

    Raises RatedbError, with the row, where a value is invalid or a j is a duplicate.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if any(word.strip() for word in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RatedbError("the file with hours cannot be read", where=str(path), got=str(error)) from error
    if not rows or [word.strip().lower() for word in rows[0]] != _COLUMNS:
        raise RatedbError(
            "the file with hours has other columns",
            where=str(path),
            expected="a first line `j,hours`",
            got=",".join(rows[0]) if rows else "an empty file",
        )
    found: dict[int, float] = {}
    for number, row in enumerate(rows[1:], 2):
        where, got = f"{path}, row {number}", ",".join(row)
        try:
            j, hours = map(float, row)
        except ValueError:
            j = hours = math.nan
        if not (j.is_integer() and j >= 0 and 0 <= hours < 1e9):
            expected = "a j and hours >= 0, such as `12,6.5`"
            raise RatedbError("invalid row in the file with hours", where=where, expected=expected, got=got)
        if int(j) in found:
            raise RatedbError(f"duplicate j = {j:g}", where=where, got=got)
        found[int(j)] = hours
    return tuple(sorted(found.items()))
