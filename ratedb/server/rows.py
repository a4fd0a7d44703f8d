"""Rates as rows for JSON: the columns of an export as CSV, cut to what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.io.columns_write import column_types, rate_columns
from ratedb.rates import Rates
from ratedb.store.tabular import Coded

_OF_ALL = frozenset({"molecule", "collider", "reference"})


@dataclass(frozen=True)
class Page:
    """Some rows of a table, and how many it has in all."""

    rows: list[dict[str, Any]]
    total: int


def number_of_values(rates: Rates) -> int:
    """Return how many values are known."""
    return int(np.isfinite(rates.rate_cm3_s).sum())


def rows_of(rates: Rates, offset: int, limit: int) -> Page:
    """Return known values as rows, in the order of levels and temperatures, `limit` of them from `offset`."""
    order = np.lexsort([rates.lower, rates.upper])
    counts = np.isfinite(rates.rate_cm3_s[order]).sum(axis=1)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    first = int(np.searchsorted(ends, offset, side="right"))
    last = int(np.searchsorted(ends, offset + limit, side="left"))
    part = rates.select(order[first : last + 1])
    skipped = offset - int(ends[first] - counts[first]) if first < len(ends) else 0
    types = {name: of for name, of in column_types([part]).items() if name not in _OF_ALL}
    columns = rate_columns([part])
    cut = slice(skipped, skipped + limit)
    lists = [_plain(columns[name], of, cut) for name, of in types.items()]
    return Page([dict(zip(types, row, strict=True)) for row in zip(*lists, strict=True)], total)


def _plain(column: npt.NDArray[Any] | Coded, of: str, cut: slice) -> list[Any]:
    """Return a part of a column as JSON has it: None for what is not known."""
    if isinstance(column, Coded):
        return [column.names[place] or None for place in column.code[cut].tolist()]
    values = column[cut]
    if of == "INTEGER":
        return [int(one) if one == one else None for one in values.tolist()]
    if of == "DOUBLE":
        return [one if np.isfinite(one) else None for one in values.tolist()]
    found: list[Any] = values.tolist()
    return found
