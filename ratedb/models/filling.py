"""Which transitions a fill predicts, and which values it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, positions
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.predictor import Predictor
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.training_set import at_temperatures, need_known_j
from ratedb.rates import Rates


def beyond_prior(predictor: Predictor | TopPredictor, wanted: Transitions) -> tuple[str, ...]:
    """Return a warning where the prior data set does not contain all predicted transitions."""
    if isinstance(predictor, TopPredictor) or predictor.reference is None:
        return ()
    missing = len(wanted) - predictor.reference.has(wanted)
    what = f"{predictor.reference.system} does not contain {missing} of {len(wanted)} predicted transitions"
    return (f"{what}: interpolated in j",) if missing else ()


def wanted_pairs(levels: Levels, wanted_j: Sequence[int]) -> Transitions:
    """Return all downward pairs out of these j; raises RatedbError for a j that is not among the levels."""
    need_known_j(levels, wanted_j)
    pairs = levels.downward_pairs()
    return pairs.select(np.isin(pairs.initial_j(), wanted_j))


def known_values(stored: Rates, wanted: Transitions, temperature_k: FloatArray) -> BoolArray:
    """Return what is known and unflagged of transitions at temperatures in K (m,), shape (n, m)."""
    known = (stored.kind_code >= 0) & (stored.kind_code != Kind.PREDICTED) & ~stored.marked
    return _aligned(stored, known, wanted, temperature_k)


def own_values(stored: Rates, prediction: Rates, model_id: int | None) -> BoolArray:
    """Return which values of a prediction the model has filled before, shape (n, m)."""
    mine = [number for number, source in stored.sources.items() if source["model_id"] == model_id]
    own = (stored.kind_code == Kind.PREDICTED) & np.isin(stored.source_id, mine)
    return _aligned(stored, own, prediction.transitions, prediction.temperature_k)


def _aligned(stored: Rates, mask: BoolArray, wanted: Transitions, temperature_k: FloatArray) -> BoolArray:
    rows = positions(stored.transitions.keys(), wanted.keys())
    table = replace(stored, rate_cm3_s=np.where(mask, 1.0, np.nan), layers={})
    there = np.isfinite(at_temperatures(table, temperature_k).rate_cm3_s)
    return np.asarray((rows >= 0)[:, None] & there[rows])
