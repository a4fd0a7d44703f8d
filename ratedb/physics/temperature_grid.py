"""What it costs that readers interpolate rates linearly in T, and the temperatures that keep it small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from ratedb.tables import FloatArray

_INSIDE = np.array([0.15, 0.3, 0.5, 0.7, 0.85])
"""Where in ln T between two temperatures the cost is looked at."""


def interpolated(temperature_k: FloatArray, rate: FloatArray, wanted_k: npt.ArrayLike) -> FloatArray:
    """Return rates (n, k) at wanted temperatures (k,) inside the range of those known, (m,), of rates (n, m).

    Monotone cubics in ln k over ln T (Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17, 238); straight lines
    in k over T for a row that has a zero. A temperature that is known keeps its value to the last bit.
    """
    wanted = np.asarray(wanted_k, dtype=np.float64)
    result = np.empty((len(rate), len(wanted)))
    positive = (rate > 0).all(axis=1)
    if positive.any() and len(temperature_k) > 1:
        curves = PchipInterpolator(np.log(temperature_k), np.log(rate[positive]), axis=1)
        result[positive] = np.exp(curves(np.log(wanted)))
    for row in np.flatnonzero(~positive):
        result[row] = np.interp(wanted, temperature_k, rate[row])
    known = np.searchsorted(temperature_k, wanted).clip(0, len(temperature_k) - 1)
    same = temperature_k[known] == wanted
    result[:, same] = rate[:, known[same]]
    return result


def linear_cost(temperature_k: FloatArray, rate: FloatArray, chosen_k: FloatArray) -> FloatArray:
    """Return how far, relatively, straight lines between chosen temperatures (c,) are off, shape (n, c - 1).

    The largest between each two of them, for each transition. Rates that are zero say nothing.
    """
    values = interpolated(temperature_k, rate, chosen_k)
    step = np.diff(np.log(chosen_k))
    at = np.exp(np.log(chosen_k[:-1])[:, None] + step[:, None] * _INSIDE)
    truth = interpolated(temperature_k, rate, at.reshape(-1)).reshape(len(rate), *at.shape)
    part = (at - chosen_k[:-1, None]) / np.diff(chosen_k)[:, None]
    line = values[:, :-1, None] * (1.0 - part) + values[:, 1:, None] * part
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(truth > 0, np.abs(line / truth - 1.0), 0.0)
    return np.asarray(off.max(axis=2, initial=0.0))


def economic_temperatures(
    temperature_k: FloatArray, rate: FloatArray, tolerance: float, most: int
) -> FloatArray:
    """Return at most so many temperatures that keep the cost of straight lines within a tolerance, if any do.

    From the two ends, a temperature is put into the interval that costs most until none costs more than the
    tolerance: a known one near the middle in ln T, else a whole number of kelvin.
    """
    chosen = np.array([temperature_k[0], temperature_k[-1]])
    if len(temperature_k) < 3:
        return np.array(temperature_k)
    stuck: set[float] = set()
    while len(chosen) < most:
        cost = linear_cost(temperature_k, rate, chosen).max(axis=0)
        cost[[float(low) in stuck for low in chosen[:-1]]] = 0.0
        worst = int(np.argmax(cost))
        if cost[worst] <= tolerance:
            break
        low, high = chosen[worst], chosen[worst + 1]
        new = _between(temperature_k, low, high)
        if new is None:
            stuck.add(float(low))
            continue
        chosen = np.sort(np.append(chosen, new))
    return chosen


def _between(temperature_k: FloatArray, low: float, high: float) -> float | None:
    middle = np.sqrt(low * high)
    known = temperature_k[(temperature_k > low) & (temperature_k < high)]
    whole = np.array([np.floor(middle), np.ceil(middle)])
    whole = whole[(whole > low) & (whole < high)]
    options = known if len(known) else whole
    return float(options[np.argmin(np.abs(np.log(options / middle)))]) if len(options) else None
