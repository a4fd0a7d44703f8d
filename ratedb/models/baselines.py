"""What a model has to beat: interpolation in the initial j."""

from __future__ import annotations

import re

import numpy as np

from ratedb.models.features import Transitions
from ratedb.tables import FloatArray, IntArray, RateTable


def is_homonuclear(molecule: str) -> bool:
    """Return whether a molecule's name is that of a homonuclear diatomic, such as H2 or N2."""
    return re.fullmatch(r"(?:[opOP]-)?([A-Z][a-z]?)2[+-]?", molecule) is not None


def interpolate_in_j(training: RateTable, wanted: Transitions) -> FloatArray:
    """Return log10 k, shape (n, m), by linear interpolation in the initial j at fixed (v, v', dj).

    Past the ends the nearest value is taken; where a dj was never computed, the nearest smaller |dj| of
    the same parity; for a homonuclear molecule only j of the same nuclear-spin symmetry. Where even
    that is missing, the nearest dj of any kind, then the mean of all training values. `training` must
    be complete and positive.
    """
    log10_k = np.log10(training.rate_cm3_s)
    v, j = training.levels.need_vj()
    spin = is_homonuclear(training.levels.molecule)
    series: dict[tuple[int, ...], dict[int, list[tuple[int, int]]]] = {}
    for row, (up, low) in enumerate(zip(training.upper, training.lower, strict=True)):
        channel = (int(v[up]), int(v[low]), int(j[up]) % 2 if spin else 0)
        dj = int(j[low] - j[up])
        series.setdefault(channel, {}).setdefault(dj, []).append((int(j[up]), row))
    v, j = wanted.levels.need_vj()
    result = np.empty((len(wanted.upper), len(training.temperature_k)))
    for row, (up, low) in enumerate(zip(wanted.upper, wanted.lower, strict=True)):
        channel = (int(v[up]), int(v[low]), int(j[up]) % 2 if spin else 0)
        points = _nearest_dj(series.get(channel, {}), int(j[low] - j[up]))
        if not points:
            result[row] = log10_k.mean(axis=0)
            continue
        points.sort()
        known_j = np.array([point[0] for point in points], dtype=np.float64)
        rows: IntArray = np.array([point[1] for point in points], dtype=np.int64)
        result[row] = [np.interp(float(j[up]), known_j, column) for column in log10_k[rows].T]
    return result


def _nearest_dj(by_dj: dict[int, list[tuple[int, int]]], dj: int) -> list[tuple[int, int]]:
    if dj in by_dj:
        return list(by_dj[dj])
    if not by_dj:
        return []
    sign = -1 if dj < 0 else 1
    smaller = [d for d in by_dj if 0 <= d * sign < abs(dj) and (d - dj) % 2 == 0]
    nearest = max(smaller, key=abs) if smaller else min(by_dj, key=lambda d: abs(d - dj))
    return list(by_dj[nearest])
