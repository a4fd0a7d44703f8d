"""How curves of two sources meet where they are joined in temperature."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.findings import Finding
from ratedb.quality import rules
from ratedb.rates import Rates


def joined_finding(first: Rates, second: Rates, names: tuple[str, str]) -> Finding | None:
    """Return how the second source continues the first beyond its range; None where it does not.

    Each curve of the first is continued with the slope of its last two values in ln k over ln T to the next
    temperature of the second, which is compared. `names` are those of the two sources.
    """
    _, of_first, of_second = np.intersect1d(
        first.transitions.keys(), second.transitions.keys(), return_indices=True
    )
    jumps = [
        jump
        for one, other in zip(of_first.tolist(), of_second.tolist(), strict=True)
        for jump in _jumps(*_curve(first, one), *_curve(second, other), second.transition_name(other))
    ]
    if not jumps:
        return None
    factor, kelvin, name = max(jumps)
    limit = rules.JOINED_SOURCES.threshold
    joined = len({name for *_, name in jumps})
    beyond = len({name for factor, _, name in jumps if factor > limit})
    detail = (
        f"{names[1]} continues {names[0]} in {joined} transitions; the largest jump"
        f" is a factor {factor:.3g} beyond the slope of the curve, {name} at {kelvin:g} K;"
        f" {beyond} transitions jump by more than {limit:g}"
    )
    return rules.JOINED_SOURCES.finding(first.system, detail, value=factor, expected=limit)


def _curve(rates: Rates, row: int) -> tuple[FloatArray, FloatArray]:
    """Return ln T and ln k of a transition where it is known and not zero."""
    value = rates.rate_cm3_s[row]
    known = value > 0
    return np.log(rates.temperature_k[known]), np.log(value[known])


def _jumps(
    log_t: FloatArray, log_k: FloatArray, other_t: FloatArray, other_k: FloatArray, name: str
) -> list[tuple[float, float, str]]:
    """Return factor, temperature in K and name for the two ends of a curve that another one continues."""
    found = []
    for ends, beyond in (
        ((-1, -2), other_t > log_t.max(initial=-np.inf)),
        ((0, 1), other_t < log_t.min(initial=np.inf)),
    ):
        if len(log_t) < 2 or not beyond.any():
            continue
        at = np.flatnonzero(beyond)[0 if ends[0] else -1]
        end, before = ends
        slope = (log_k[end] - log_k[before]) / (log_t[end] - log_t[before])
        miss = other_k[at] - log_k[end] - slope * (other_t[at] - log_t[end])
        found.append((float(np.exp(abs(miss))), float(np.exp(other_t[at])), name))
    return found
