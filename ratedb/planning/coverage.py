"""Which transitions are computed, predicted and missing: by initial j, or by initial state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratedb.arrays import IntArray
from ratedb.kinds.species import kind_of
from ratedb.kinds.units import units_of
from ratedb.layers import Kind
from ratedb.physics.orientation import units_out_of
from ratedb.rates import Rates


def coverage(rates: Rates, best: IntArray) -> list[dict[str, Any]]:
    """Return counts for each initial j, or each initial state (`unit`); none for an unknown kind.

    `best` (n,) is the best kind of each transition.
    """
    if rates.levels.has_vj:
        possible = rates.levels.downward_pairs().initial_j()
        every = np.unique(possible)
        return _counts("j", every.tolist(), every, rates.initial_j(), possible, best)
    if kind_of(rates.levels) is None:
        return []
    from ratedb.models.tops.wanted import possible_transitions  # brings SciPy

    units = units_of(rates.levels)
    possible = units_out_of(possible_transitions(rates.levels), units)
    every = np.unique(possible)
    of_row = units_out_of(rates.transitions, units)
    return _counts("unit", list(units.named(every)), every, of_row, possible, best)


def _counts(
    key: str, names: list[Any], every: IntArray, of_row: IntArray, possible: IntArray, best: IntArray
) -> list[dict[str, Any]]:
    result = []
    for name, one in zip(names, every.tolist(), strict=True):
        known = int((of_row == one).sum())
        predicted = int((best[of_row == one] == Kind.PREDICTED).sum())
        missing = max(int((possible == one).sum()) - known, 0)
        result.append({key: name, "computed": known - predicted, "predicted": predicted, "missing": missing})
    return result
