"""Statistical weights of HIBRIDON levels, held to what the cross sections of both directions say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.io.text import Line
from ratedb.levels import Levels

_AGREES = 0.01
_SMALLEST = 1e-6
"""Cross sections below this share of the largest are too coarse as printed to tell weights apart."""
_INTEGER = 3e-4
_LARGEST_WEIGHT = 30
_SHOWN = 6


def levels_by_reversibility(
    at: Line,
    tables: Sequence[Levels],
    levels_listed: Sequence[int],
    sigma: FloatArray,
    total_cm1: float,
) -> tuple[Levels, list[str]]:
    """Return the first of several readings of a list of levels whose weights obey reversibility, and notes.

    `sigma`[i, f], shape (n, n), are cross sections from level i to level f of `levels_listed`. Microscopic
    reversibility, g_i E_i sigma(i -> f) = g_f E_f sigma(f -> i) at one total energy (cm-1), holds in quantum
    calculations to the printed digits. Raises RatedbError where other weights obey it, but no reading's.
    """
    place = np.array(levels_listed, dtype=np.int64)
    first, second, log_ratio = _log_ratios(total_cm1 - tables[0].energy_cm1[place], sigma)
    if not len(first):
        return tables[0], []
    for number, levels in enumerate(tables):
        weight = levels.weight[place]
        if _misfit(np.log(weight[second] / weight[first]), log_ratio) <= _AGREES:
            return levels, [] if number == 0 else [_note(tables[0], levels)]
    wanted = _wanted(first, second, log_ratio, len(place))
    if wanted is None:
        return tables[0], []
    names = [f"{tables[0].label[k]}: {g:.6g}" for k, g in zip(place, wanted, strict=True)]
    raise at.refuse(
        "the statistical weights of the levels contradict the cross sections of both directions",
        "weights with which reversibility holds, in proportion to " + ", ".join(names[:_SHOWN]),
        "read the .ics file of the same run; if this is that file, its basis is not supported",
    )


def _log_ratios(kinetic_cm1: FloatArray, sigma: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs of levels (a, b) and ln(g_b / g_a) as their two cross sections give it."""
    enough = sigma > _SMALLEST * sigma.max(initial=0.0)
    first, second = np.nonzero(np.triu(enough & enough.T, 1))
    ratio = kinetic_cm1[first] * sigma[first, second] / (kinetic_cm1[second] * sigma[second, first])
    return first, second, np.log(ratio)


def _misfit(log_weights: FloatArray, log_ratio: FloatArray) -> float:
    return float(np.median(np.abs(log_weights - log_ratio)))


def _wanted(first: IntArray, second: IntArray, log_ratio: FloatArray, count: int) -> FloatArray | None:
    """Return weights, shape (n,), the smallest a whole number, that obey reversibility; None without any."""
    design = np.zeros((len(first), count))
    rows = np.arange(len(first))
    design[rows, second], design[rows, first] = 1.0, -1.0
    log_weight = np.linalg.lstsq(design, log_ratio, rcond=None)[0]
    if _misfit(design @ log_weight, log_ratio) > _AGREES:
        return None
    weight = np.exp(log_weight - log_weight.min())
    for scale in range(1, _LARGEST_WEIGHT):
        scaled = scale * weight
        if scaled.max() <= _LARGEST_WEIGHT and np.all(np.abs(scaled - np.round(scaled)) <= _INTEGER * scaled):
            return np.asarray(np.round(scaled))
    # Of two levels any ratio fits: only one of small whole numbers speaks against the weights.
    return weight if len(first) >= count else None


def _note(listed: Levels, taken: Levels) -> str:
    how = (
        f"labelled as two molecules, as `{listed.label[-1]}` -> `{taken.label[-1]}`"
        if listed.label != taken.label
        else "given the weights of j and of the index"
    )
    return f"the levels are {how}: with these weights the cross sections of both directions agree"
