"""Predict each temperature of a set from the temperatures beside it, so that single wrong values show.

At every temperature ln k of all transitions is regressed, robustly, on ln k at the nearest temperatures: the
set itself says how curves run on its grid, however uneven, and how closely they keep to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.quality.neighbours import robust_scale
from ratedb.tables import BoolArray, FloatArray, IntArray

_SIDE = 2
_HUBER_ROUNDS, _TUKEY_ROUNDS = 8, 7
_TUKEY = 4.685
_ROWS_PER_TERM = 6
_ROUNDING = 1e-9
_GROSS_SIGMAS, _GROSS = 10.0, 0.7


@dataclass(frozen=True, eq=False)
class Columns:
    """For each of m temperatures: which columns predict it, with which weights, and the scatter (ln k)."""

    beside: tuple[IntArray, ...]
    weight: tuple[FloatArray, ...]
    constant: FloatArray
    scale: FloatArray

    def residuals(self, log_rate: FloatArray) -> FloatArray:
        """Return ln k minus its prediction from the temperatures beside, shape (n, m)."""
        predicted = [
            log_rate[:, beside] @ weight + constant
            for beside, weight, constant in zip(self.beside, self.weight, self.constant, strict=True)
        ]
        return log_rate - np.stack(predicted, axis=1)


def fit_columns(log_rate: FloatArray, temperature_k: FloatArray) -> Columns | None:
    """Return the regressions for ln k (n, m) without NaN; None for fewer than 4 temperatures or no row.

    With too few transitions for a regression, the weights are those of a parabola in ln T.
    """
    n, m = log_rate.shape
    if m < 4 or n == 0:
        return None
    beside = tuple(_beside(m, column) for column in range(m))
    sound = _sound(log_rate, np.log(temperature_k), beside)
    fits = [_fit(log_rate, column, beside[column], np.log(temperature_k), sound) for column in range(m)]
    weights, constants = zip(*fits, strict=True)
    columns = Columns(beside, tuple(weights), np.array(constants), np.zeros(m))
    residual = columns.residuals(log_rate)
    scale = np.array([robust_scale(residual[:, column]) for column in range(m)])
    return Columns(beside, columns.weight, columns.constant, np.maximum(scale, _ROUNDING))


def _beside(m: int, column: int) -> IntArray:
    """Return the columns that predict one: two on each side, at the ends the three that are nearest."""
    inside = [k for k in range(column - _SIDE, column + _SIDE + 1) if 0 <= k < m and k != column]
    if len(inside) < 3:
        inside = sorted((k for k in range(m) if k != column), key=lambda k: (abs(k - column), k))[:3]
    return np.array(inside, dtype=np.int64)


def _sound(log_rate: FloatArray, log_t: FloatArray, beside: tuple[IntArray, ...]) -> BoolArray:
    """Return which values, shape (n, m), are not grossly off a parabola in ln T through those beside them."""
    residual = np.stack(
        [
            log_rate[:, column] - log_rate[:, near] @ _parabola(log_t, column, near)
            for column, near in enumerate(beside)
        ],
        axis=1,
    )
    scale = np.array([robust_scale(column - np.median(column)) for column in residual.T])
    return np.abs(residual - np.median(residual, axis=0)) <= np.maximum(_GROSS, _GROSS_SIGMAS * scale)


def _fit(
    log_rate: FloatArray, column: int, beside: IntArray, log_t: FloatArray, sound: BoolArray
) -> tuple[FloatArray, float]:
    """Return the weights of the columns beside and a constant.

    Wrong values beside a column bend a robust fit too, as they lie far out, so it is made with and without
    the rows that are grossly off, and the one that most rows keep to better is taken.
    """
    enough = _ROWS_PER_TERM * (len(beside) + 1)
    if len(log_rate) < enough:
        return _parabola(log_t, column, beside), 0.0
    base = log_rate[:, beside[0]]
    # the weights sum to almost one, so differences to one column keep the numbers small
    middle = float(np.median(base))
    design = np.column_stack(
        [np.ones(len(base)), base - middle, *(log_rate[:, k] - base for k in beside[1:])]
    )
    target = log_rate[:, column] - base
    clean = sound[:, [column, *beside]].all(axis=1)
    candidates = [_robust(design, target)]
    if not clean.all() and clean.sum() >= enough:
        candidates.append(_robust(design[clean], target[clean]))
    best = min(candidates, key=lambda c: robust_scale(target - design @ c))
    weight = np.concatenate([[1.0 + best[1] - best[2:].sum()], best[2:]])
    return weight, float(best[0] - best[1] * middle)


def _robust(design: FloatArray, target: FloatArray) -> FloatArray:
    """Return the coefficients of an iteratively reweighted fit: Huber first, then Tukey's biweight."""
    weight = np.ones(len(target))
    coefficients = np.zeros(design.shape[1])
    for step in range(_HUBER_ROUNDS + _TUKEY_ROUNDS):
        root = np.sqrt(weight)
        coefficients = np.linalg.lstsq(design * root[:, None], target * root, rcond=1e-8)[0]
        residual = target - design @ coefficients
        relative = np.abs(residual) / max(robust_scale(residual), _ROUNDING)
        if step < _HUBER_ROUNDS:
            weight = 1.0 / np.maximum(1.0, relative)
        else:
            weight = np.where(relative < _TUKEY, (1.0 - (relative / _TUKEY) ** 2) ** 2, 0.0)
    return np.asarray(coefficients)


def _parabola(log_t: FloatArray, column: int, beside: IntArray) -> FloatArray:
    """Return the weights that give a parabola in ln T through the columns beside, by least squares."""
    x = log_t[beside] - log_t[column]
    powers = x[:, None] ** np.arange(min(3, len(beside)))
    return np.asarray(np.linalg.pinv(powers)[0])
