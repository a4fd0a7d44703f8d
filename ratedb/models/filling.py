"""What a fill predicts and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.predictor import Predictor
from ratedb.models.training_set import at_temperatures
from ratedb.rates import Rates


def beyond_prior(predictor: Predictor, wanted: Transitions) -> tuple[str, ...]:
    """Return a warning where the prior data set does not contain all predicted transitions."""
    if predictor.reference is None:
        return ()
    missing = len(wanted) - predictor.reference.has(wanted)
    if not missing:
        return ()
    system = predictor.reference.system
    return (
        f"{system} lacks {missing} of the {len(wanted)} transitions it is the prior of: interpolated in j",
    )


def wanted_pairs(levels: Levels, wanted_j: Sequence[int]) -> Transitions:
    """Return all downward pairs out of these j; raises RatedbError for a j that is not among the levels."""
    _, j = levels.need_vj()
    outside = sorted(set(wanted_j) - set(j.tolist()))
    if outside:
        raise RatedbError(
            "some j are not among the levels",
            where=levels.molecule,
            expected=f"j in {min(j)}..{max(j)}",
            got=", ".join(map(str, outside)),
        )
    pairs = levels.downward_pairs()
    return pairs.select(np.isin(pairs.initial_j(), wanted_j))


def known_values(stored: Rates, prediction: Rates, mine: Sequence[int]) -> tuple[BoolArray, BoolArray]:
    """Return what is known and unflagged, and what sources `mine` predicted, shape (n, m) each."""
    place = {key: row for row, key in enumerate(stored.transitions.keys().tolist())}
    rows = np.array([place.get(key, -1) for key in prediction.transitions.keys().tolist()], dtype=np.int64)
    predicted = stored.kind_code == Kind.PREDICTED

    def aligned(mask: BoolArray) -> BoolArray:
        table = replace(stored, rate_cm3_s=np.where(mask, 1.0, np.nan), layers={})
        there = np.isfinite(at_temperatures(table, prediction.temperature_k).rate_cm3_s)
        there = np.vstack([there, np.zeros((1, there.shape[1]), dtype=np.bool_)])
        result: BoolArray = there[rows]
        return result

    known = aligned((stored.kind_code >= 0) & ~predicted & ~stored.marked)
    own = aligned(predicted & np.isin(stored.source_id, mine))
    return known, own
