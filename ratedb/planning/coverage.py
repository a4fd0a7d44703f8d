"""Which transitions are computed, predicted and missing: by initial j, or by initial state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratedb.arrays import IntArray
from ratedb.kinds.species import kind_of
from ratedb.kinds.units import units_of
from ratedb.layers import Kind
from ratedb.levels import Transitions
from ratedb.physics.orientation import units_out_of


def coverage(transitions: Transitions, best: IntArray) -> list[dict[str, Any]]:
    """Return counts for each initial j, or each initial state (`unit`); none for an unknown kind.

    `best` (n,) is the best kind of each transition.
    """
    levels = transitions.levels
    if levels.has_vj:
        possible = levels.downward_pairs().initial_j()
        every = np.unique(possible)
        return _counts("j", every.tolist(), every, transitions.initial_j(), possible, best)
    if kind_of(levels) is None:
        return []
    from ratedb.models.tops.wanted import possible_transitions  # brings SciPy

    units = units_of(levels)
    possible = units_out_of(possible_transitions(levels), units)
    every = np.unique(possible)
    of_row = units_out_of(transitions, units)
    return _counts("unit", list(units.named(every)), every, of_row, possible, best)


def _counts(
    key: str, names: list[Any], every: IntArray, of_row: IntArray, possible: IntArray, best: IntArray
) -> list[dict[str, Any]]:
    size = int(every[-1]) + 1 if len(every) else 0
    known, all_pairs = (np.bincount(rows, minlength=size) for rows in (of_row, possible))
    predicted = np.bincount(of_row[best == Kind.PREDICTED], minlength=size)
    return [
        {
            key: name,
            "computed": int(known[one] - predicted[one]),
            "predicted": int(predicted[one]),
            "missing": max(int(all_pairs[one] - known[one]), 0),
        }
        for name, one in zip(names, every.tolist(), strict=True)
    ]
