"""Which transitions a fill predicts, and which values it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ratedb.arrays import BoolArray, positions
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.predictor import Predictor
from ratedb.models.training_set import at_temperatures, need_known_j
from ratedb.rates import Rates


def beyond_prior(predictor: Predictor, wanted: Transitions) -> tuple[str, ...]:
    """Return a warning where the prior data set does not contain all predicted transitions."""
    if predictor.reference is None:
        return ()
    missing = len(wanted) - predictor.reference.has(wanted)
    what = f"{predictor.reference.system} does not contain {missing} of {len(wanted)} predicted transitions"
    return (f"{what}: interpolated in j",) if missing else ()


def wanted_pairs(levels: Levels, wanted_j: Sequence[int]) -> Transitions:
    """Return all downward pairs out of these j; raises RatedbError for a j that is not among the levels."""
    need_known_j(levels, wanted_j)
    pairs = levels.downward_pairs()
    return pairs.select(np.isin(pairs.initial_j(), wanted_j))


def known_values(stored: Rates, prediction: Rates, mine: Sequence[int]) -> tuple[BoolArray, BoolArray]:
    """Return what is known and unflagged, and what sources `mine` predicted, shape (n, m) each."""
    rows = positions(stored.transitions.keys(), prediction.transitions.keys())
    predicted = stored.kind_code == Kind.PREDICTED

    def aligned(mask: BoolArray) -> BoolArray:
        table = replace(stored, rate_cm3_s=np.where(mask, 1.0, np.nan), layers={})
        there = np.isfinite(at_temperatures(table, prediction.temperature_k).rate_cm3_s)
        return np.asarray((rows >= 0)[:, None] & there[rows])

    known = aligned((stored.kind_code >= 0) & ~predicted & ~stored.marked)
    own = aligned(predicted & np.isin(stored.source_id, mine))
    return known, own
