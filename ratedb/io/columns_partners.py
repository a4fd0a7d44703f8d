"""Make the rates of each collider of the rows of a table, whose levels are known."""

from __future__ import annotations

from itertools import product

import numpy as np

from ratedb.arrays import FloatArray, IntArray, distinct
from ratedb.errors import RatedbError
from ratedb.io.columns_rows import TableRows
from ratedb.io.contents import PartnerRates
from ratedb.io.rate_rows import partner_of_rates
from ratedb.levels import Levels
from ratedb.rates import Rates
from ratedb.store.long_tables import LongTable
from ratedb.systems import COLLIDER_NAMES, is_collider

_LARGEST_MATRIX = 20_000_000


def partners_of(
    rows: TableRows, collider: str | None
) -> list[tuple[str, str | None, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    """Return each (collider, kind) of the table and which rows are of it.

    A collider that is given selects one, or names that of a table which names none.
    """
    colliders, kinds = rows.texts["collider"], rows.texts["kind"]
    names = set(colliders.tolist())
    if None in names and (len(names) > 1 or collider is None):
        todo = "name it with --collider"
        raise rows.refuse("the table does not say its collider", COLLIDER_NAMES, "none", todo)
    if None not in names:
        wrong = sorted(name for name in names if not is_collider(name))
        if wrong:
            todo = "correct the column collider"
            raise rows.refuse("not the name of a collider", COLLIDER_NAMES, wrong[0], todo)
        if collider is not None and collider not in names:
            todo = "give one of these as --collider, or none"
            what, listed = f"the table has no rates for {collider}", ", ".join(sorted(names))
            raise rows.refuse(what, listed, collider, todo)
    parts = [
        (name, kind, (colliders == name) & (kinds == kind))
        for name, kind in sorted(product(names, set(kinds.tolist())), key=str)
        if collider is None or name in (None, collider)
    ]
    return [(name or collider or "", kind, chosen) for name, kind, chosen in parts if chosen.any()]


def partner_of(
    rows: TableRows,
    levels: Levels,
    ends: tuple[IntArray, IntArray],
    collider: str,
    kind: str | None,
    notes: list[str],
    below: LongTable | None,
) -> PartnerRates:
    """Return the rates of rows of one collider and kind; `ends` are the two levels of each, shape (n,).

    With `below` the rows are the heads of that table. Raises RatedbError where rows contradict each other.
    """
    pairs, row = distinct(ends[0] * len(levels) + ends[1])
    if below is None:
        temperature_k, column = distinct(rows.numbers["temperature_k"])
        count = len(rows)
    else:
        temperature_k, count = below.temperatures(rows.row), int(below.known[rows.row].sum())
    shape = (len(pairs), len(temperature_k))
    if shape[0] * shape[1] > max(_LARGEST_MATRIX, 100 * count):
        raise rows.refuse(
            "the transitions do not share their temperatures",
            "rates on a common grid of temperatures",
            f"{shape[0]} transitions and {shape[1]} temperatures, but {count} values",
            "interpolate the rates to one grid, or look whether two columns are exchanged",
        )
    if below is None:
        matrix = _matrix(rows, row, column, shape)
    else:
        matrix = below.matrix(rows.row, row, len(pairs), temperature_k)
    again = count - int(np.isfinite(matrix).sum())
    if again:
        notes.append(f"{collider}: {again} duplicate row(s) with equal rates are read once")
    rates = Rates(levels, collider, pairs // len(levels), pairs % len(levels), temperature_k, matrix)
    return partner_of_rates(rates, "", notes, kind)


def _matrix(rows: TableRows, row: IntArray, column: IntArray, shape: tuple[int, int]) -> FloatArray:
    """Return the rates of rows at their places in a matrix; raises RatedbError where two of one differ."""
    value = rows.numbers["rate_cm3_s"]
    matrix = np.full(shape, np.nan)
    matrix[row, column] = value
    other = np.flatnonzero(matrix[row, column] != value)
    if len(other):
        raise _contradiction(rows, np.flatnonzero((row == row[other[0]]) & (column == column[other[0]])))
    return matrix


def _contradiction(rows: TableRows, same: IntArray) -> RatedbError:
    """Return the error for rows of one initial and final level and temperature that differ."""
    places = [rows.place(int(rows.row[at])) for at in same]
    rates = rows.numbers["rate_cm3_s"][same]
    return RatedbError(
        "duplicate rows of a transition at one temperature have different rates",
        where=f"{rows.where}{places[-1]}",
        expected="each transition once at each temperature",
        got=", ".join(f"{rate:g} in {place}" for rate, place in zip(rates, places, strict=True)),
        todo="remove one of the rows",
    )
