"""Find the values that were written for missing ones: tiny numbers, and a floor wherever it lies."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.plausibility import PLACEHOLDER_CM3_S, REPEATS, repeated_tiny
from ratedb.quality import rules
from ratedb.rates import Rates

_DECIMALS = 8
"""Digits of ln k at which upward rates, computed back from downward ones, count as equal."""

_FEWEST_TEMPERATURES = 2
"""With one temperature an assumed value within the range of the others cannot be told from a result."""


def placeholders(rates: Rates) -> BoolArray:
    """Return which values are placeholders, shape (n, m): tiny ones that repeat or drop, or a floor.

    A floor that a source lists for upward rows is found in the upward rates, as detailed balance turns it
    into a value of each downward row.
    """
    rate = rates.rate_cm3_s
    if not rate.size:
        return np.zeros(rate.shape, dtype=np.bool_)
    found = _cliffs(rate) | repeated_tiny(rate)
    ordinary = np.where((rate >= PLACEHOLDER_CM3_S) & np.isfinite(rate), rate, np.nan)
    counted = _counted(ordinary)
    found = _marked(found, rate, _isolated(ordinary, *counted))
    if len(rates.temperature_k) < _FEWEST_TEMPERATURES or not _depends_on_t(ordinary):
        return found
    rows = _flat_rows(ordinary) | _flat_upward(rates, ordinary) | _copied_rows(ordinary)
    found[rows] = True
    if rows.any():
        ordinary = ordinary[~rows]
        counted = _counted(ordinary)
    return _marked(found, rate, _piles(ordinary, *counted))


def _marked(found: BoolArray, rate: FloatArray, values: FloatArray) -> BoolArray:
    return found | np.isin(rate, values) if len(values) else found


def usable(rates: Rates) -> BoolArray:
    """Return which values are positive numbers and no placeholders, shape (n, m)."""
    rate = rates.rate_cm3_s
    return np.isfinite(rate) & (rate > 0) & ~placeholders(rates)


def _cliffs(rate: FloatArray) -> BoolArray:
    """Return which values are below 1e-40 where an adjacent value in T is an ordinary one."""
    tiny = (rate > 0) & (rate < PLACEHOLDER_CM3_S)
    if not tiny.any():
        return tiny
    adjacent = np.zeros(rate.shape)
    adjacent[:, 1:] = rate[:, :-1]
    adjacent[:, :-1] = np.fmax(adjacent[:, :-1], rate[:, 1:])
    return np.asarray(tiny & (adjacent > rules.CLIFF * rate))


def _flat_upward(rates: Rates, rate: FloatArray) -> BoolArray:
    """Return the rows, shape (n,), whose upward rates by detailed balance are a floor."""
    levels = rates.levels
    gap_k = (levels.energy_cm1[rates.upper] - levels.energy_cm1[rates.lower]) * HC_OVER_KB_CM_K
    weights = np.log(levels.weight[rates.upper] / levels.weight[rates.lower])
    slope = np.log(rate[:, -1] / rate[:, 0]) - gap_k * (
        1 / rates.temperature_k[-1] - 1 / rates.temperature_k[0]
    )
    some = np.flatnonzero(np.abs(slope) < np.log(rules.NEARLY_FLAT))
    upward = np.log(rate[some]) + weights[some, None] - gap_k[some, None] / rates.temperature_k
    found = np.zeros(len(rate), dtype=np.bool_)
    found[some] = _flat_rows(np.exp(np.round(upward, _DECIMALS)))
    return found


def _depends_on_t(rate: FloatArray) -> bool:
    """Return whether three curves vary with T; where none does, constant values say nothing."""
    return int((rate.min(axis=1) < rate.max(axis=1)).sum()) >= REPEATS


def _counted(rate: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the different numbers in order, and how often each is there, shape (k,) each."""
    values = rate[np.isfinite(rate)]
    values.sort()
    size = len(values)
    new = np.ones(size, dtype=np.bool_)
    new[1:] = values[1:] != values[:-1]
    if new.all():
        return values, np.broadcast_to(np.int64(1), values.shape)
    values = values[new]  # of a large set each of these arrays is a gigabyte
    first = np.flatnonzero(new)
    del new
    first[:-1] = np.diff(first)
    first[-1] = size - first[:-1].sum()
    return values, first


def _isolated(rate: FloatArray, values: FloatArray, counts: IntArray) -> FloatArray:
    """Return the values that repeat and have no other within a factor 10, the largest one left out.

    The lowest value may repeat within one row; any other needs three rows, as one real curve may be flat.
    """
    if len(values) < 2:
        return np.empty(0)
    gap = values[1:] >= rules.PLACEHOLDER_GAP * values[:-1]
    alone = np.concatenate([[True], gap]) & np.concatenate([gap, [False]]) & (counts >= REPEATS)
    found = [value for value in values[alone] if value == values[0] or _in_rows(rate, value) >= REPEATS]
    return np.array(found)


def _in_rows(rate: FloatArray, value: float) -> int:
    return int((rate == value).any(axis=1).sum())


def _flat_rows(rate: FloatArray) -> BoolArray:
    """Return the constant rows, shape (n,), whose value has more of them than there are other flat curves."""
    low, high = rate.min(axis=1), rate.max(axis=1)
    flat = low == high
    values, counts = _counted(low[flat])
    found = np.zeros(len(rate), dtype=np.bool_)
    for value, count in zip(values[counts >= REPEATS], counts[counts >= REPEATS], strict=True):
        size = (low < rules.FLOOR_REACH * value) & (high > value / rules.FLOOR_REACH)
        rows = flat & (low == value)
        if count > rules.FLOOR_COPIES * (size & (high < rules.NEARLY_FLAT * low) & ~rows).sum():
            found |= rows
    return found


def _copied_rows(rate: FloatArray) -> BoolArray:
    """Return the rows, shape (n,), that are one curve ten times as often as any other one repeats."""
    _, place, counts = np.unique(rate[:, 0], return_inverse=True, return_counts=True)
    often = np.flatnonzero((counts >= rules.FLOOR_PILE)[place.ravel()] & np.isfinite(rate).all(axis=1))
    found = np.zeros(len(rate), dtype=np.bool_)
    rows, group = _repeated(rate, often)
    if len(rows):
        counts = np.bincount(group)
        usual = max(1.0, float(np.sort(counts)[-2])) if len(counts) > 1 else 1.0
        found[rows] = counts[group] >= rules.FLOOR_PILE * usual
    return found


def _repeated(rate: FloatArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return which of some rows are equal to another of them, and the number of the curve that each is.

    Column by column, so that rows which differ early, which are nearly all, are not copied and sorted.
    """
    group = np.zeros(len(rows), dtype=np.int64)
    for column in rate.T:
        values, code = np.unique(column[rows], return_inverse=True)
        _, group, counts = np.unique(group * len(values) + code, return_inverse=True, return_counts=True)
        more = counts[group] > 1
        rows, group = rows[more], group[more]
        if not len(rows):
            break
    return rows, np.unique(group, return_inverse=True)[1]


def _piles(rate: FloatArray, values: FloatArray, counts: IntArray) -> FloatArray:
    """Return the values ten times as frequent as any of about their size, in three rows and two columns."""
    found = []
    for at in np.flatnonzero(counts >= rules.FLOOR_PILE):
        value = values[at]
        first, end = np.searchsorted(values, [value / rules.FLOOR_REACH, value * rules.FLOOR_REACH])
        others = np.delete(counts[first:end], at - first)
        usual = float(others.max()) if len(others) else 1.0
        if counts[at] < rules.FLOOR_PILE * usual:
            continue
        if _in_rows(rate, value) >= REPEATS and (rate == value).any(axis=0).sum() > 1:
            found.append(value)
    return np.array(found)
