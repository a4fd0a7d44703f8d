"""What an explicit calculation costs: a power of its initial j, or measured hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ratedb.errors import UsageError
from ratedb.numbers import format_integers

HoursByJ = tuple[tuple[int, float], ...]
"""Measured hours: pairs of initial j and hours."""


@dataclass(frozen=True)
class CostModel:
    """The cost of each initial j of a target, as a share of the total.

    One j costs j**exponent (Mihalik et al. 2025, eq. 1: 4 for coupled states, 6 for close coupling), or its
    `measured` hours. The `given` j are already computed and cost nothing. `hours_total` is for all j that are
    not given; without it and `measured`, costs are shares only.

    Raises UsageError where every j is given, a number is out of range, or measured hours are missing.
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
                expected="a range --j with values that are not in --given-j",
                got=f"--given-j {format_integers(self.given)}",
            )
        if not 0 < self.exponent <= 20:
            raise UsageError(
                "invalid cost exponent", expected="a number above 0, up to 20", got=str(self.exponent)
            )
        if self.hours_total is not None and not 0 < self.hours_total < 1e9:
            raise UsageError("invalid total hours", expected="a number > 0", got=str(self.hours_total))
        if self.measured is not None:
            self._check_measured(dict(self.measured))

    def _check_measured(self, hours: dict[int, float]) -> None:
        if self.hours_total is not None:
            raise UsageError(
                "--hours-total has no effect with --hours-file",
                expected="either --hours-total or --hours-file",
                got="both",
            )
        missing = [j for j in self.payable if j not in hours]
        if missing:
            raise UsageError(
                "the measured hours have gaps",
                expected=f"hours of every j that is not given: {format_integers(self.payable)}",
                got=f"none for j = {', '.join(map(str, missing))}",
            )

    @property
    def payable(self) -> tuple[int, ...]:
        """The j of the target that are not given."""
        return tuple(j for j in self.target if j not in self.given)

    @property
    def total_hours(self) -> float | None:
        """Hours of all j that are not given, or None where they are unknown."""
        if self.measured is None:
            return self.hours_total
        return sum(self._weight(j) for j in self.payable)

    def share(self, j_values: Iterable[int]) -> float:
        """Return the part (0..1) of the total cost of these j; given ones are free."""
        total = sum(self._weight(j) for j in self.payable)
        cost = sum(self._weight(j) for j in set(j_values) if j in self.payable)
        return cost / total if total else 0.0

    def hours(self, j_values: Iterable[int]) -> float | None:
        """Return the hours of these j, or None where the total is unknown."""
        total = self.total_hours
        return None if total is None else total * self.share(j_values)

    def _weight(self, j: int) -> float:
        return float(j) ** self.exponent if self.measured is None else dict(self.measured)[j]
