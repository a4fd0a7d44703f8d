"""What an explicit calculation costs: a power of its initial j, or measured hours."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError, UsageError

HoursByJ = tuple[tuple[int, float], ...]
_COLUMNS = ["j", "hours"]


@dataclass(frozen=True)
class CostModel:
    """The cost of each initial j of a target range, as shares of its total.

    One j costs j**exponent (Mihalik et al. 2025, eq. 1: 4 for coupled states, 6 for close coupling), or what
    `measured` says: pairs of j and hours. The `given` j are there already and cost nothing. `hours_total` is
    for all j that are not given; where neither it nor `measured` is known costs are shares only.
    """

    target: tuple[int, ...]
    given: tuple[int, ...]
    exponent: float = 4.0
    hours_total: float | None = None
    measured: HoursByJ | None = None

    def __post_init__(self) -> None:
        if not self.payable:
            raise UsageError(
                "every j of the target is given, so there is nothing to plan",
                expected="a range --j with values that --given-j does not have",
                got=f"--given-j {self.given}",
            )
        if not 0 < self.exponent <= 20:
            raise UsageError(
                "the cost exponent makes no sense", expected="a number in (0, 20]", got=str(self.exponent)
            )
        if self.hours_total is not None and not 0 < self.hours_total < 1e9:
            raise UsageError(
                "the total hours make no sense", expected="a number > 0", got=str(self.hours_total)
            )
        if self.measured is not None:
            self._check_measured(dict(self.measured))

    def _check_measured(self, hours: dict[int, float]) -> None:
        if self.hours_total is not None:
            raise UsageError(
                "measured hours have a total of their own",
                expected="either --hours-total or --hours-file",
                got="both",
            )
        missing = [j for j in self.payable if j not in hours]
        if missing:
            raise UsageError(
                "the measured hours have gaps",
                expected=f"hours of every j of the target that is not given: {_ranges(self.payable)}",
                got=f"none for j = {', '.join(map(str, missing))}",
            )

    @property
    def payable(self) -> tuple[int, ...]:
        """The j of the target that would have to be computed."""
        return tuple(j for j in self.target if j not in self.given)

    @property
    def total_hours(self) -> float | None:
        """Hours of all j that are not given, or None where they are not known."""
        if self.measured is None:
            return self.hours_total
        return sum(self._weight(j) for j in self.payable)

    def share(self, j_values: Iterable[int]) -> float:
        """Return the part (0..1) of the total cost that these j take; given ones are free."""
        total = sum(self._weight(j) for j in self.payable)
        cost = sum(self._weight(j) for j in set(j_values) if j in self.payable)
        return cost / total if total else 0.0

    def hours(self, j_values: Iterable[int]) -> float | None:
        """Return the hours that these j take, or None where the total is not known."""
        total = self.total_hours
        return None if total is None else total * self.share(j_values)

    def _weight(self, j: int) -> float:
        return float(j) ** self.exponent if self.measured is None else dict(self.measured)[j]


def read_hours(path: Path) -> HoursByJ:
    """Return measured hours from a CSV file with the columns j and hours.

    Raises RatedbError, with the line, where a value is no number, is below zero, or a j stands twice.
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
        j, hours = _hours_of(path, number, row)
        if j in found:
            raise RatedbError(f"j = {j} stands twice", where=f"{path}, row {number}", got=",".join(row))
        found[j] = hours
    return tuple(sorted(found.items()))


def _hours_of(path: Path, number: int, row: list[str]) -> tuple[int, float]:
    try:
        j, hours = int(row[0]), float(row[1])
    except (ValueError, IndexError):
        j, hours = -1, math.nan
    if j < 0 or not 0 <= hours < 1e9 or len(row) != len(_COLUMNS):
        raise RatedbError(
            "a row of the file with hours makes no sense",
            where=f"{path}, row {number}",
            expected="a j and hours, zero or more, such as `12,6.5`",
            got=",".join(row),
        )
    return j, hours


def _ranges(numbers: tuple[int, ...]) -> str:
    whole = numbers == tuple(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]}:{numbers[-1]}" if whole and len(numbers) > 2 else ",".join(map(str, numbers))
