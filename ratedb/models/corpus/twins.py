"""Twins: systems whose rates are those of another one times a factor, under another name."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.models.corpus.table import Corpus, CurveShapes
from ratedb.models.engine import TrainingData, rms
from ratedb.physics.temperatures import interpolation

_LEAST_SHARED = 10
_SAME_DEX = 0.02
_OF_NORMAL = 1.4826  # standard deviation over median deviation


def twins(corpus: Corpus, data: TrainingData) -> tuple[str, ...]:
    """Return the own systems of a corpus that are scaled copies of `data`, by one factor at each temperature.

    The ratio may vary by 0.02 dex over ten or more common transitions at common temperatures: rms, or by the
    median, as a copy with some other values is one too, and a spline between temperatures can swing.
    Published sets of different molecules vary by 0.1 dex or more.
    """
    return tuple(name for name, curves in corpus.own.items() if _is_twin(curves, data))


def _is_twin(curves: CurveShapes, data: TrainingData) -> bool:
    _, own, rows = np.intersect1d(
        _keys(curves.j), _keys(data.transitions.vj()[:, [1, 3]]), return_indices=True
    )
    wanted_k = _common(curves.temperature_k, data.temperature_k)
    if len(own) < _LEAST_SHARED or not len(wanted_k):
        return False
    first = curves.log10_k[own] @ interpolation(curves.temperature_k, wanted_k).T
    second = data.log10_k[rows] @ interpolation(data.temperature_k, wanted_k).T
    ratio = second - first
    by_median = _OF_NORMAL * float(np.median(np.abs(ratio - np.median(ratio, axis=0))))
    return min(rms(ratio - ratio.mean(axis=0)), by_median) < _SAME_DEX


def _keys(j: IntArray) -> IntArray:
    return np.asarray(j[:, 0] * 100_000 + j[:, 1])


def _common(first_k: FloatArray, second_k: FloatArray) -> FloatArray:
    """Return the temperatures of the set with fewer that lie within the range of the other."""
    low, high = max(first_k[0], second_k[0]), min(first_k[-1], second_k[-1])
    inside = [each[(each >= low) & (each <= high)] for each in (first_k, second_k)]
    return min((each for each in inside if len(each)), key=len, default=np.empty(0))
