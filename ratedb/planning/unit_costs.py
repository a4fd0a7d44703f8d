"""What the explicit calculation of an initial state costs: by j, by open channels, or measured hours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import UsageError, one_of
from ratedb.kinds.units import Units
from ratedb.levels import Levels

HoursByUnit = tuple[tuple[str, float], ...]
"""Measured hours: pairs of the label of an initial state and hours."""

COSTS = ("j", "channels")
_CHANNELS_TO = 3.0


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """The relative cost of each unit, shape (u,), and the hours of all that are to be paid, if known.

    `payable` (u,) are the units that cost something: of interest and not computed already.
    """

    weight: FloatArray
    payable: frozenset[int]
    total_hours: float | None

    def share(self, units: Iterable[int]) -> float:
        """Return the part (0..1) of the total cost of these units; given ones are free."""
        total = self._sum(self.payable)
        return self._sum(set(units) & self.payable) / total if total else 0.0

    def hours(self, units: Iterable[int]) -> float | None:
        """Return the hours of these units, or None where the total is unknown."""
        if self.total_hours is None:
            return None
        total = self._sum(self.payable)  # of measured hours, which so come out as they went in
        return self._sum(set(units) & self.payable) * (self.total_hours / total) if total else 0.0

    def _sum(self, units: Iterable[int]) -> float:
        return math.fsum(float(self.weight[unit]) for unit in units)


def unit_weights(
    levels: Levels, units: Units, cost_by: str, exponent: float, measured: HoursByUnit | None
) -> FloatArray:
    """Return the relative cost of each unit, shape (u,).

    A power of the target's j (Mihalik et al. 2025, eq. 1), the cube of the number of open channels (the time
    of a close-coupling propagation), or measured hours. Raises UsageError for a number out of range, or hours
    of an unknown unit.
    """
    one_of("--cost-by", cost_by, COSTS)
    if not 0 < exponent <= 20:
        raise UsageError("invalid cost exponent", expected="a number above 0, up to 20", got=str(exponent))
    if measured is not None:
        units.places([label for label, _ in measured], "--hours-file")
        hours = dict(measured)
        return np.array([hours.get(label, np.nan) for label in units.label])
    if cost_by == "channels":
        return open_channels(levels, units) ** _CHANNELS_TO
    return _of_units(units, _momentum(levels, "")) ** exponent


def open_channels(levels: Levels, units: Units) -> FloatArray:
    """Return how many channels are open at the energy of each unit, shape (u,), in a full coupling.

    Every level at or below it counts (2j+1) times, (2j2+1) more for a partner that changes state too.
    """
    each = 2.0 * _momentum(levels, "") + 1.0
    if any(name.endswith("2") for name in levels.quantum_numbers):
        each = each * (2.0 * _momentum(levels, "2") + 1.0)
    below = levels.energy_cm1[None, :] <= units.energy_cm1[:, None]
    return np.asarray((below * each).sum(axis=1))


def _momentum(levels: Levels, ending: str) -> FloatArray:
    """Return the angular momentum of one molecule at each level, shape (n,)."""
    named = (levels.quantum_numbers.get(f"{name}{ending}") for name in ("j", "N"))
    found = next((one for one in named if one is not None), None)
    return np.zeros(len(levels)) if found is None else found


def _of_units(units: Units, of_level: FloatArray) -> FloatArray:
    """Return the largest value among each unit's levels, shape (u,)."""
    result = np.zeros(len(units))
    np.maximum.at(result, units.of_level, of_level)
    return result


def unit_costs(
    weight: FloatArray, units: Units, payable: frozenset[int], hours_total: float | None, *, measured: bool
) -> UnitCosts:
    """Return the costs of units to be paid; `measured` weights are hours.

    Raises UsageError where hours are missing or stated twice.
    """
    if measured and hours_total is not None:
        raise UsageError(
            "--hours-total has no effect with --hours-file",
            expected="either --hours-total or --hours-file",
            got="both",
        )
    if hours_total is not None and not 0 < hours_total < 1e9:
        raise UsageError("invalid total hours", expected="a number > 0", got=str(hours_total))
    if missing := [units.label[unit] for unit in sorted(payable) if not np.isfinite(weight[unit])]:
        raise UsageError(
            "the measured hours have gaps",
            expected="hours of every initial state that is not computed",
            got=f"none for {len(missing)}, such as {', '.join(missing[:6])}",
        )
    total = math.fsum(weight[sorted(payable)].tolist()) if measured else hours_total
    return UnitCosts(weight, payable, total)
