"""How large a text may be: what is larger is refused before memory is taken for it."""

from __future__ import annotations

import math
from pathlib import Path

from ratedb.errors import RatedbError

LARGEST_TEXT_BYTES = 50_000_000
"""A text that is not a table of one row for each value is refused beyond this size, before it is read."""
LONGEST_LINE_BYTES, MOST_LINES = 1_000_000, 1_000_000
"""A text with a longer line, or with more lines, is refused before memory is taken for it."""
PARQUET = b"PAR1"
"""How a Parquet file begins."""


def is_table_of_rows(head: bytes) -> bool:
    """Return whether bytes begin a Parquet file, or a CSV table of one row for each value, of any size."""
    return head.startswith(PARQUET) or b"rate_cm3_s" in head.split(b"\n", 1)[0]


class Bounds:
    """Counts the lines of a text that comes in pieces; raises RatedbError for too many, or too long ones."""

    def __init__(self, path: Path, largest: float, most_lines: float) -> None:
        self.path, self.largest, self._most_lines = path, largest, most_lines
        self._lines, self._open = 0, 0

    @staticmethod
    def of(head: bytes, path: Path, largest: float) -> Bounds:
        """Return the bounds of a text that begins so: in a table of one row for each value only of lines."""
        if is_table_of_rows(head):
            return Bounds(path, math.inf, math.inf)
        return Bounds(path, largest, MOST_LINES)

    def take_lines(self, chunk: bytes) -> None:
        """Count the line ends of the next piece."""
        # A carriage return ends a line too: files of old systems have no other.
        ends = chunk.replace(b"\r", b"\n") if b"\r" in chunk else chunk
        first, last = ends.find(b"\n"), ends.rfind(b"\n")
        self._lines += ends.count(b"\n")
        longest = max(self._open + (first if first >= 0 else len(ends)), _longest_inside(ends, first, last))
        self._open = len(ends) - last - 1 if last >= 0 else self._open + len(ends)
        if longest > LONGEST_LINE_BYTES or self._lines > self._most_lines:
            what = "a line" if longest > LONGEST_LINE_BYTES else "the number of lines"
            raise RatedbError(
                f"{what} is too large for a text of rate coefficients",
                where=str(self.path),
                expected=f"at most {MOST_LINES} lines of at most {LONGEST_LINE_BYTES / 1e6:g} MB",
                got="more",
                todo="check that this is the right file; a table of one row for each value (CSV or Parquet)"
                " may have any number of lines",
            )


def _longest_inside(ends: bytes, first: int, last: int) -> int:
    """Return the length of the longest line between two line ends, where it may be too long."""
    if last - first <= LONGEST_LINE_BYTES:
        return 0
    return max(map(len, ends[first:last].split(b"\n")))


def too_large(what: str, path: Path, largest: float) -> RatedbError:
    """Return the error for a file of more than `largest` bytes."""
    return RatedbError(
        f"{what} is too large",
        where=str(path),
        expected=f"at most {largest / 1e6:g} MB{' after unpacking' if 'gzip' in what else ''}",
        got="more",
        todo="check that this is the right file; a table of one row for each value (CSV or Parquet) may be of"
        " any size",
    )
