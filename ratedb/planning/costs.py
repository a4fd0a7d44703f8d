"""What an explicit calculation costs: a power of its initial j."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ratedb.errors import UsageError


@dataclass(frozen=True)
class CostModel:
    """The cost of each initial j of a target range, as shares of its total.

    One j costs j**exponent (Mihalik et al. 2025, eq. 1: 4 for coupled states, 6 for close coupling); the
    `given` j are there already and cost nothing. `hours_total` is for all j that are not given; where it
    is None costs are known only as shares.
    """

    target: tuple[int, ...]
    given: tuple[int, ...]
    exponent: float = 4.0
    hours_total: float | None = None

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

    @property
    def payable(self) -> tuple[int, ...]:
        """The j of the target that would have to be computed."""
        return tuple(j for j in self.target if j not in self.given)

    def share(self, j_values: Iterable[int]) -> float:
        """Return the part (0..1) of the total cost that these j take; given ones are free."""
        total = sum(float(j) ** self.exponent for j in self.payable)
        cost = sum(float(j) ** self.exponent for j in set(j_values) if j in self.payable)
        return cost / total if total else 0.0

    def hours(self, j_values: Iterable[int]) -> float | None:
        """Return the hours that these j take, or None where the total is not known."""
        return None if self.hours_total is None else self.hours_total * self.share(j_values)
