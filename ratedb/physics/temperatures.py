"""The one interpolation of rates between temperatures, its cost as straight lines, and economic grids.

A curve of log10 k is a cubic spline (not-a-knot) in ln T. With every second temperature of published grids
removed it has smaller errors than a monotone cubic and Akima's, and on most grids than a spline in T^(1/4)
(docs/benchmarks.md, `make bench-temperatures`). It is linear in log10 k: samples and covariances follow by
the same operator. A curve with a step, such as one with a placeholder, makes a spline swing far beyond its
values: `interpolated` takes a monotone cubic (Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17, 238) where
a spline would leave the range of two neighbours by more than 0.1 dex.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray, IntArray, gap_patterns
from ratedb.errors import RatedbError, UsageError
from ratedb.rates import Rates

_SAME = 1e-9
"""Temperatures that differ by less, relatively, are the same."""
_INSIDE = np.array([0.15, 0.3, 0.5, 0.7, 0.85])
"""Where in ln T between two temperatures the cost is evaluated, and whether a spline swings."""
_MOST_SWING_DEX = 0.1
"""How far a spline may leave the range of two neighbours; on smooth published curves it stays below."""


def interpolation(known_k: FloatArray, wanted_k: FloatArray) -> FloatArray:
    """Return the operator, shape (p, m), from log10 k at m known temperatures to p wanted ones.

    The values of a known temperature pass through it to the last bit. Two known temperatures give a straight
    line in ln T. Raises RatedbError for a temperature outside those known.
    """
    outside = _outside(known_k, wanted_k)
    if outside.any():
        raise RatedbError(
            "a temperature lies outside those known",
            expected=f"{known_k[0]:g} to {known_k[-1]:g} K",
            got=", ".join(f"{kelvin:g}" for kelvin in wanted_k[outside]),
            todo="choose other temperatures: rates are not extrapolated",
        )
    unit = np.eye(len(known_k))
    nearest, same = _same_temperature(known_k, wanted_k)
    result: FloatArray = unit[nearest]
    if not same.all():
        from scipy.interpolate import CubicSpline  # here, as its import takes half a second

        result[~same] = CubicSpline(np.log(known_k), unit)(np.log(wanted_k[~same]))
    return result


def _outside(known_k: FloatArray, wanted_k: FloatArray) -> BoolArray:
    outside: BoolArray = (wanted_k < known_k[0] * (1 - _SAME)) | (wanted_k > known_k[-1] * (1 + _SAME))
    return outside


def _same_temperature(known_k: FloatArray, wanted_k: FloatArray) -> tuple[IntArray, BoolArray]:
    """Return which known temperature is nearest in ln T to each wanted one, and whether it is the same."""
    nearest = np.argmin(np.abs(np.log(known_k) - np.log(wanted_k)[:, None]), axis=1)
    return nearest, np.isclose(known_k[nearest], wanted_k, rtol=_SAME, atol=0.0)


def interpolated(known_k: FloatArray, rate: FloatArray, wanted_k: npt.ArrayLike) -> FloatArray:
    """Return rates (n, p) at wanted temperatures (p,) of rates (n, m) at those known, (m,).

    A row that contains a zero has no logarithm: straight lines in k over T. A row whose spline swings is a
    monotone cubic. The rate at a known temperature stays to the last bit. Raises RatedbError for a
    temperature outside those known.
    """
    wanted_k = np.asarray(wanted_k, dtype=np.float64)
    onto = interpolation(known_k, wanted_k)
    result = np.empty((len(rate), len(wanted_k)))
    positive = (rate > 0).all(axis=1)
    log10_k = np.log10(rate[positive])
    nearest, same = _same_temperature(known_k, wanted_k)
    if same.all():
        return np.asarray(rate[:, nearest])
    curves = log10_k @ onto.T
    swings = _swings(known_k, log10_k)
    if swings.any():
        from scipy.interpolate import PchipInterpolator  # here, as its import takes half a second

        inside = np.clip(np.log(wanted_k), *np.log(known_k[[0, -1]]))
        curves[swings] = PchipInterpolator(np.log(known_k), log10_k[swings], axis=1)(inside)
    result[positive] = 10.0**curves
    for row in np.flatnonzero(~positive):
        result[row] = np.interp(wanted_k, known_k, rate[row])
    result[:, same] = rate[:, nearest[same]]
    return result


def _swings(known_k: FloatArray, log10_k: FloatArray) -> BoolArray:
    """Return which splines through log10 k (n, m) leave the range of two neighbours by too much."""
    x = np.log(known_k)
    between = np.exp(x[:-1, None] + np.diff(x)[:, None] * _INSIDE)
    spline = log10_k @ interpolation(known_k, between.reshape(-1)).T
    spline = spline.reshape(len(log10_k), *between.shape)
    low = np.minimum(log10_k[:, 1:], log10_k[:, :-1])[:, :, None]
    high = np.maximum(log10_k[:, 1:], log10_k[:, :-1])[:, :, None]
    far = (spline > high + _MOST_SWING_DEX) | (spline < low - _MOST_SWING_DEX)
    return np.asarray(far.any(axis=(1, 2)))


def kelvins(temperature_k: npt.ArrayLike) -> FloatArray:
    """Return requested temperatures as an array (p,); raises UsageError unless they increase."""
    try:
        wanted_k = np.atleast_1d(np.asarray(temperature_k, dtype=np.float64))
    except (TypeError, ValueError):
        wanted_k = np.empty(0)
    good = wanted_k.ndim == 1 and wanted_k.size and np.isfinite(wanted_k).all() and wanted_k[0] > 0
    if not good or (np.diff(wanted_k) <= 0).any():
        raise UsageError(
            "not a list of temperatures",
            expected="one or more temperatures in K, each higher than the one before, such as [20, 50]",
            got=str(temperature_k),
        )
    return wanted_k


def rates_at(rates: Rates, temperature_k: npt.ArrayLike) -> Rates:
    """Return rates at other temperatures (p,), each interpolated between those where it is known.

    A half width is interpolated between its two neighbours by straight lines of its logarithm in ln T.
    Kind and source are those of the nearest temperature in ln T; a value is extrapolated or flagged where one
    of its neighbours is. A transition without values on both sides of a temperature has NaN there. Raises
    UsageError where these are not temperatures, RatedbError outside the range of all.
    """
    wanted_k, known_k = kelvins(temperature_k), rates.temperature_k
    if not len(known_k) or _outside(known_k, wanted_k).any():
        raise RatedbError(
            f"the rates of {rates.system} do not reach all temperatures",
            expected=f"{known_k[0]:g} to {known_k[-1]:g} K" if len(known_k) else "rates",
            got=f"{wanted_k[0]:g} to {wanted_k[-1]:g} K",
            todo="choose other temperatures: rates are not extrapolated",
        )
    patterns, group = gap_patterns(np.isfinite(rates.rate_cm3_s))
    rows = [np.flatnonzero(group == number) for number in range(len(patterns))]
    if not rows:
        return _part_at(rates, np.ones(len(known_k), dtype=np.bool_), wanted_k)
    parts = [
        _part_at(rates.select(one), pattern, wanted_k) for one, pattern in zip(rows, patterns, strict=True)
    ]
    result = Rates.join(parts).select(np.argsort(np.concatenate(rows)))
    return replace(result, interpolated_k=_between(rates, result))


def _part_at(part: Rates, known: BoolArray, wanted_k: FloatArray) -> Rates:
    """Return rates that are all known at the same temperatures, `known` of shape (m,), at others."""
    values = np.full((len(part), len(wanted_k)), np.nan)
    if known.any():
        part = part.select_temperatures(known)
        inside = ~_outside(part.temperature_k, wanted_k)
        values[:, inside] = interpolated(part.temperature_k, part.rate_cm3_s, wanted_k[inside])
    layers = _layers_at(part, wanted_k)
    return replace(part, temperature_k=wanted_k, rate_cm3_s=values, layers=layers).blanked(np.isnan(values))


def _layers_at(part: Rates, wanted_k: FloatArray) -> dict[str, npt.NDArray[Any]]:
    known_k = part.temperature_k
    nearest, same = _same_temperature(known_k, wanted_k)
    above = np.where(same, nearest, np.clip(np.searchsorted(known_k, wanted_k), 0, len(known_k) - 1))
    below = np.where(same, nearest, np.maximum(above - 1, 0))
    x, wanted = np.log(known_k), np.log(wanted_k)
    share = np.where(same, 0.0, (wanted - x[below]) / np.where(above > below, x[above] - x[below], 1.0))
    layers: dict[str, npt.NDArray[Any]] = {}
    for name, values in part.layers.items():
        layers[name] = values[:, nearest]
        if values.dtype == np.bool_:
            layers[name] = values[:, above] | values[:, below]
        elif name == "log10_half_width_68":
            between = values[:, below] ** (1.0 - share) * values[:, above] ** share
            layers[name] = np.where(np.isnan(between), layers[name], between)
    return layers


def _between(before: Rates, after: Rates) -> tuple[float, ...]:
    """Return the temperatures at which some values are not those of the source but interpolated."""
    known = {
        kelvin: np.isfinite(before.rate_cm3_s[:, column])
        for column, kelvin in enumerate(before.temperature_k.tolist())
        if kelvin not in before.interpolated_k
    }
    there = np.isfinite(after.rate_cm3_s)
    return tuple(
        kelvin
        for column, kelvin in enumerate(after.temperature_k.tolist())
        if kelvin not in known or (there[:, column] & ~known[kelvin]).any()
    )


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
        new = _middle(temperature_k, low, high)
        if new is None:
            stuck.add(float(low))
            continue
        chosen = np.sort(np.append(chosen, new))
    return chosen


def _middle(temperature_k: FloatArray, low: float, high: float) -> float | None:
    middle = np.sqrt(low * high)
    known = temperature_k[(temperature_k > low) & (temperature_k < high)]
    whole = np.array([np.floor(middle), np.ceil(middle)])
    whole = whole[(whole > low) & (whole < high)]
    options = known if len(known) else whole
    return float(options[np.argmin(np.abs(np.log(options / middle)))]) if len(options) else None
