"""Predict the curve of each transition from those of its neighbours in j, so that outliers show.

Neighbours have the same v and v' and differ by even steps of j - j', because propensity rules and nuclear
spin separate even from odd ones. Each predictor adds up a few neighbouring curves of ln k with weights that
sum to one (interpolation, extrapolation, or a plane in j and j'). A transition is compared with their
weighted median; their spread is its uncertainty. One wrong neighbour is part of a few predictors only and
changes neither much.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

from ratedb.arrays import STD_OVER_MAD, BoolArray, FloatArray, IntArray, row_medians
from ratedb.rates import Rates

Term = tuple[float, int, int]
"""A neighbour in a predictor: its weight, and how far its j and j' are."""

REACH = 4
"""The largest step in j or j' of any predictor."""

_CHUNK_VALUES = 500_000
_FEWEST_RESIDUALS = 5
_PLACE_BITS = 63
"""Bits that hold the number of a predictor: enough for 64."""


def _along(a: int, b: int) -> list[list[Term]]:
    """Return the predictors on the line through a transition with the step (a, b) in (j, j')."""
    return [
        [(0.5, -a, -b), (0.5, a, b)],
        [(2.0, a, b), (-1.0, 2 * a, 2 * b)],
        [(2.0, -a, -b), (-1.0, -2 * a, -2 * b)],
    ]


def _cubic(step: int) -> list[Term]:
    near, far = step, 2 * step
    return [(4 / 6, -near, -near), (4 / 6, near, near), (-1 / 6, -far, -far), (-1 / 6, far, far)]


def _planes() -> list[list[Term]]:
    planes: list[list[Term]] = []
    for a in (-2, -1, 1, 2):
        for b in (-2, 2):
            planes.append([(1.0, a, a), (1.0, 0, b), (-1.0, a, a + b)])
            planes.append([(1.0, a, a), (1.0, b, 0), (-1.0, a + b, a)])
    planes += [[(1.0, a, 0), (1.0, 0, b), (-1.0, a, b)] for a in (-2, 2) for b in (-2, 2)]
    return planes


PREDICTORS: tuple[list[Term], ...] = (
    *_along(1, 1),
    *_along(2, 2),
    _cubic(1),
    _cubic(2),
    *_along(0, 2),
    *_along(2, 0),
    *_planes(),
)


@dataclass(frozen=True, eq=False)
class Residuals:
    """How far transitions are from their neighbours, in ln k; NaN without a predictor.

    `offset` and `offset_spread`, shape (n,), are of the whole curve; `shape` and `shape_spread`, shape
    (n, m), are of the rest at each temperature. `predictors`, shape (n,), counts the predictors.
    """

    offset: FloatArray
    offset_spread: FloatArray
    shape: FloatArray
    shape_spread: FloatArray
    predictors: IntArray

    def put(self, rows: slice | IntArray, part: Residuals) -> None:
        """Put what was found of some rows in its place."""
        for one in fields(self):
            getattr(self, one.name)[rows] = getattr(part, one.name)


def _nothing(n: int, m: int) -> Residuals:
    """Return residuals of n rows and m temperatures that are yet to be found."""
    whole, half = np.empty((2, n)), np.empty((2, n, m), dtype=np.float32)
    return Residuals(whole[0], whole[1], half[0], half[1], np.empty(n, dtype=np.int64))


class Neighbourhood:
    """Where the neighbours of each transition of a table are; needs levels with v and j."""

    def __init__(self, rates: Rates) -> None:
        v, j = rates.levels.need_vj()
        self.v_pair = np.unique(
            np.stack([v[rates.upper], v[rates.lower]], axis=1), axis=0, return_inverse=True
        )[1].reshape(-1)
        self.j_upper, self.j_lower = j[rates.upper], j[rates.lower]
        self._width = int(max(self.j_upper.max(), self.j_lower.max())) + 2 * REACH + 1
        keys = self._key(np.arange(len(rates)), 0, 0)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        self._weight = np.ones(len(PREDICTORS))
        self._places: dict[tuple[int, int], IntArray] = {}

    def _key(self, rows: IntArray, dj_upper: int, dj_lower: int) -> IntArray:
        upper = self.j_upper[rows] + dj_upper + REACH
        lower = self.j_lower[rows] + dj_lower + REACH
        return np.asarray((self.v_pair[rows] * self._width + upper) * self._width + lower)

    def at(self, rows: IntArray, dj_upper: int, dj_lower: int) -> IntArray:
        """Return the row of each transition's neighbour at a step in (j, j'), -1 where there is none."""
        if (dj_upper, dj_lower) not in self._places:
            keys = self._key(np.arange(len(self._sorted)), dj_upper, dj_lower)
            found = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
            places = np.where(self._sorted[found] == keys, self._order[found], -1)
            self._places[dj_upper, dj_lower] = places
        return self._places[dj_upper, dj_lower][rows]

    def weigh(self, log_rate: FloatArray) -> None:
        """Weigh each predictor by its median residual over the whole set."""
        rows = np.arange(len(log_rate))
        if len(rows) < _FEWEST_RESIDUALS:
            return
        level = row_medians(log_rate)[:, None]
        known = np.isfinite(level[:, 0])
        scale = np.full(len(PREDICTORS), np.nan)
        nothing = np.zeros(len(rows), dtype=np.bool_)
        for number, residual in enumerate(self._residuals(level, rows, nothing)[:, :, 0]):
            there = np.isfinite(residual) & known
            if there.sum() >= _FEWEST_RESIDUALS:
                scale[number] = np.median(np.abs(residual[there]))
        if np.isfinite(scale).any():
            # no predictor may dominate the others, however small its residual
            floor = max(float(np.nanquantile(scale, 0.25)), 1e-9)
            self._weight = 1.0 / np.maximum(np.nan_to_num(scale, nan=np.nanmax(scale)), floor)

    def residuals(self, log_rate: FloatArray, rows: IntArray, hidden: BoolArray) -> Residuals:
        """Return how far rows (k,) of ln k (n, m) are from their neighbours, without `hidden` ones (n,)."""
        size = max(1, _CHUNK_VALUES // (len(PREDICTORS) * log_rate.shape[1]))
        chunks = [rows[i : i + size] for i in range(0, max(len(rows), 1), size)]
        if len(chunks) == 1:  # starting threads takes longer than a small set
            return self._chunk(log_rate, chunks[0], hidden)
        found = _nothing(len(rows), log_rate.shape[1])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = pool.map(lambda chunk: self._chunk(log_rate, chunk, hidden), chunks)
            for start, part in zip(range(0, len(rows), size), parts, strict=True):
                found.put(slice(start, start + size), part)
        return found

    def _residuals(self, log_rate: FloatArray, rows: IntArray, hidden: BoolArray) -> FloatArray:
        """Return value minus prediction of each predictor, shape (p, k, m); NaN without its neighbours."""
        result = np.full((len(PREDICTORS), len(rows), log_rate.shape[1]), np.nan)
        for number, terms in enumerate(PREDICTORS):
            found = [(weight, self.at(rows, a, b)) for weight, a, b in terms]
            there = np.all([(index >= 0) & ~hidden[index] for _, index in found], axis=0)
            if there.any():
                predicted = sum(weight * log_rate[index[there]] for weight, index in found)
                result[number, there] = log_rate[rows[there]] - predicted
        return result

    def _chunk(self, log_rate: FloatArray, rows: IntArray, hidden: BoolArray) -> Residuals:
        residual = self._residuals(log_rate, rows, hidden)
        offset = _median(residual)
        middle, spread = _middle(offset.T, self._weight)
        residual -= offset[..., None]
        shape, shape_spread = _middle(
            np.moveaxis(residual, 0, -1).astype(np.float32, order="C"), self._weight
        )
        count = np.isfinite(offset).sum(axis=0)
        return Residuals(middle, spread, shape, shape_spread, count)


def _median(values: FloatArray) -> FloatArray:
    """Return the median over the last axis, NaN where one of the values is."""
    ordered, size = np.sort(values, axis=-1), values.shape[-1]
    middle = 0.5 * (ordered[..., (size - 1) // 2] + ordered[..., size // 2])
    return np.where(np.isnan(ordered[..., -1]), np.nan, middle)


def _middle(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weighted median over the last axis, NaN left out, and the spread around it."""
    centre = _weighted_median(values, weight)
    distance = values - centre[..., None]
    return centre, STD_OVER_MAD * _weighted_median(np.abs(distance, out=distance), weight)


def _weighted_median(values: FloatArray, weight: FloatArray) -> FloatArray:
    # Each value carries its place in its last bits through the sort, which is far quicker than argsort; what
    # is left of a value, 5 digits, is enough to put it in order.
    numbered = values.astype(np.float32).view(np.int32)
    numbered &= ~_PLACE_BITS
    numbered |= np.arange(values.shape[-1], dtype=np.int32)
    ordered = numbered.view(np.float32)
    ordered.sort(axis=-1)  # NaN go last
    missing = np.isnan(ordered)
    numbered &= _PLACE_BITS
    heap = weight.astype(np.float32).take(numbered)
    heap[missing] = 0.0
    np.cumsum(heap, axis=-1, out=heap)
    at = np.count_nonzero(heap < 0.5 * heap[..., -1:], axis=-1, keepdims=True)
    middle = np.take_along_axis(numbered, np.minimum(at, values.shape[-1] - 1), axis=-1)
    return np.asarray(np.take_along_axis(values, middle.astype(np.int64), axis=-1)[..., 0])


def near(neighbourhood: Neighbourhood, row: int, rows: IntArray) -> BoolArray:
    """Return which of `rows` (k,) can be part of a predictor of `row`, shape (k,)."""
    return np.asarray(
        (neighbourhood.v_pair[rows] == neighbourhood.v_pair[row])
        & (np.abs(neighbourhood.j_upper[rows] - neighbourhood.j_upper[row]) <= REACH)
        & (np.abs(neighbourhood.j_lower[rows] - neighbourhood.j_lower[row]) <= REACH)
    )
