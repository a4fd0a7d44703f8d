"""Rates that are made from other rates by sums and factors: their half widths, and the table they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.rates import Rates


@dataclass(frozen=True, eq=False)
class Derived:
    """Derived rates, warnings, and details for JSON; `elastic_in_j`, shape (n,), are rows within one j."""

    rates: Rates
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    elastic_in_j: BoolArray | None = None


def half_widths(rates: Rates) -> FloatArray:
    """Return half the 68 % intervals of log10 k in dex, shape (n, m), 0 for values without one."""
    return np.nan_to_num(rates.log10_half_width_68, nan=0.0)


def summed(
    group: IntArray, count: int, terms: FloatArray, half_width: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return sums of terms (n, m) by their group (n,) of `count`, and their half widths, (count, m) each.

    The errors of terms are fully correlated: the sum's half width is log10(sum k 10^w / sum k), the wider
    side, which is the most that the terms' own half widths w (dex) allow. NaN terms count as nothing.
    """
    shape = (count, terms.shape[1])
    known = np.where(np.isfinite(terms), terms, 0.0)
    total, upper = np.zeros(shape), np.zeros(shape)
    np.add.at(total, group, known)
    np.add.at(upper, group, known * 10.0**half_width)
    return total, np.log10(np.divide(upper, total, out=np.ones(shape), where=total > 0))


def downward(
    levels: Levels,
    collider: str,
    ends: tuple[IntArray, IntArray],
    temperature_k: FloatArray,
    rate_cm3_s: FloatArray,
    half_width: FloatArray,
) -> Rates:
    """Return derived rates out of the first to the second `ends`, (n,) each, as a table downward in energy.

    Rows that go up in energy are reversed by detailed balance; rows and temperatures without a value are
    left out. Raises RatedbError where nothing is left.
    """
    initial, final = ends
    energy, weight = levels.energy_cm1, levels.weight
    up = energy[initial] < energy[final]
    reverse = reverse_rate(
        rate_cm3_s,
        weight[initial][:, None],
        weight[final][:, None],
        energy[initial][:, None],
        energy[final][:, None],
        temperature_k,
    )
    values = np.where(up[:, None], reverse, rate_cm3_s)
    known = np.isfinite(values)
    rates = Rates(
        levels,
        collider,
        np.where(up, final, initial),
        np.where(up, initial, final),
        temperature_k,
        np.where(known, values, np.nan),
        {
            "kind_code": np.where(known, Kind.DERIVED, -1),
            "log10_half_width_68": np.where(known & (half_width > 0), half_width, np.nan),
        },
    )
    if not known.any():
        raise RatedbError(
            f"no rate of {rates.system} can be derived",
            expected="rates of every transition that a sum needs",
            got="at least one is missing in each",
            todo="import the missing rates, or take what is there with other options",
        )
    return rates.where(known)


def number_label(numbers: Mapping[str, FloatArray], place: int) -> str:
    """Return the label of a level by its quantum numbers, such as `1_0_1`; v = 0 and tau are left out."""
    shown = {
        name: values[place]
        for name, values in numbers.items()
        if name != "tau" and np.isfinite(values[place]) and not (name == "v" and not np.nansum(values))
    }
    return "_".join(f"{value:g}" for value in shown.values())


def distinct_states(levels: Levels, names: list[str]) -> tuple[IntArray, IntArray]:
    """Return where each state of these quantum numbers is first, (k,), and that of each level, (n,)."""
    table = np.stack([np.nan_to_num(levels.quantum_numbers[name], nan=-999.0) for name in names], axis=1)
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return first.astype(np.int64), np.ravel(place).astype(np.int64)
