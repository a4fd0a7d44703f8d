"""What a model has to beat: interpolation in the initial j, and a physical law alone."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.models.features import is_homonuclear
from ratedb.models.means import fit_mean
from ratedb.rates import Rates


def physical_law(training: Rates, wanted: Transitions, law: str = "ios") -> FloatArray:
    """Return log10 k, shape (n, m), of a law that is fitted to complete, positive training rates.

    `law` is a mean's name: `ios` (infinite-order sudden with an energy-gap factor) or `gap`.
    """
    transitions = training.transitions
    return fit_mean(law, transitions, np.log10(training.rate_cm3_s))(wanted)


def interpolate_in_j(training: Rates, wanted: Transitions) -> FloatArray:
    """Return log10 k, shape (n, m), by linear interpolation in the initial j at fixed (v, v', dj).

    Past the ends the nearest value is taken; where a dj was never computed, the nearest smaller |dj| of
    the same parity; for a homonuclear molecule only j of the same nuclear-spin symmetry. Where even
    that is missing, the nearest dj of any kind, then the mean of all training values. `training` must
    be complete and positive.
    """
    known = training.transitions.vj()
    spin = is_homonuclear(training.levels.molecule)
    return interpolate_curves(known, np.log10(training.rate_cm3_s), wanted.vj(), spin)


def interpolate_curves(known: IntArray, log10_k: FloatArray, wanted: IntArray, spin: bool) -> FloatArray:
    """Return the curves of `wanted` (p, 4) from `log10_k` (n, m) of `known` (n, 4), as above.

    `spin` keeps initial j of different parity apart.
    """
    series: dict[tuple[int, ...], dict[int, list[tuple[int, int]]]] = {}
    for row, (v, j, v_final, j_final) in enumerate(known.tolist()):
        channel = (v, v_final, j % 2 if spin else 0)
        series.setdefault(channel, {}).setdefault(j_final - j, []).append((j, row))
    result = np.empty((len(wanted), log10_k.shape[1]))
    for row, (v, j, v_final, j_final) in enumerate(wanted.tolist()):
        channel = (v, v_final, j % 2 if spin else 0)
        points = sorted(_nearest_dj(series.get(channel, {}), j_final - j))
        if not points:
            result[row] = log10_k.mean(axis=0)
            continue
        known_j = np.array([point[0] for point in points], dtype=np.float64)
        rows: IntArray = np.array([point[1] for point in points], dtype=np.int64)
        result[row] = [np.interp(float(j), known_j, column) for column in log10_k[rows].T]
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
