"""Predict each temperature of a set from adjacent ones, so that single wrong values stand out.

At each temperature ln k of all transitions is regressed, robustly, on ln k at the nearest temperatures: the
shape of curves on any grid, and their scatter, are taken from the set itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, robust_scale
from ratedb.quality import rules

_SIDE = 2
_HUBER_ROUNDS, _TUKEY_ROUNDS = 8, 7
_TUKEY = 4.685
_ROWS_PER_TERM = 6
_ROUNDING = 1e-9
_REMOTEST = 5.0
_FAR_OUT = 30.0
_CLEARLY_BETTER = 0.8
_GROSS_SIGMAS, _GROSS = 10.0, 0.7


@dataclass(frozen=True, eq=False)
class _Fit:
    """The regression of one column on the columns `near` it, p of them.

    `centre` and `spread`, shapes (p,) and (p, p), whiten ln k at these columns.
    """

    near: IntArray
    weight: FloatArray
    constant: float
    centre: FloatArray
    spread: FloatArray

    def residual(self, log_rate: FloatArray, column: int) -> FloatArray:
        """Return ln k of a column minus its prediction, shape (n,)."""
        predicted = sum(w * log_rate[:, k] for w, k in zip(self.weight, self.near, strict=True))
        return np.asarray(log_rate[:, column] - predicted - self.constant)

    def remoteness(self, log_rate: FloatArray) -> FloatArray:
        """Return the distance of each curve from the others, 1 for an ordinary one, shape (n,)."""
        white = (log_rate[:, self.near] - self.centre) @ self.spread
        return np.asarray(np.sqrt(np.clip((white**2).mean(axis=1), 1.0, _REMOTEST**2)))


@dataclass(frozen=True, eq=False)
class Columns:
    """The regressions of all m temperatures, and their robust scatter (ln k), shape (m,)."""

    fits: tuple[_Fit, ...]
    scale: FloatArray

    def residuals(self, log_rate: FloatArray) -> FloatArray:
        """Return ln k minus its prediction from adjacent temperatures, shape (n, m)."""
        by_column = np.asfortranarray(log_rate)  # far quicker: each column is used six times
        return np.stack([fit.residual(by_column, k) for k, fit in enumerate(self.fits)], axis=1)

    def sigmas(self, log_rate: FloatArray, residual: FloatArray) -> FloatArray:
        """Return the size of residuals of ln k in standard deviations, shape (n, m).

        For a curve far from all others, such as one near threshold, the standard deviation is up to five
        times larger.
        """
        remoteness = np.stack([fit.remoteness(log_rate) for fit in self.fits], axis=1)
        return np.asarray(np.abs(residual) / (self.scale * remoteness))


def fit_columns(log_rate: FloatArray, known: BoolArray, temperature_k: FloatArray) -> Columns | None:
    """Return the regressions for ln k (n, m) without NaN; None for fewer than 4 temperatures or no row.

    Rows with a filled gap at a temperature or those near it, where `known` (n, m) is false, are left out of
    its regression and scatter. With too few transitions for a regression, the weights are those of a parabola
    in ln T; of very many transitions, evenly spaced ones are used.
    """
    n, m = log_rate.shape
    if m < 4 or n == 0:
        return None
    nearest = tuple(_nearest(m, column) for column in range(m))
    log_t, step = np.log(temperature_k), -(-n // rules.ENOUGH_ROWS)
    parabolas = [_parabola(log_t, column, near) for column, near in enumerate(nearest)]
    some = log_rate[::step]
    sound = _sound(some, nearest, parabolas)
    fits, scale = [], []
    for column, near in enumerate(nearest):
        whole = known[:, [column, *near]].all(axis=1)
        used = whole[::step]
        rows = slice(None) if used.all() else np.flatnonzero(used)
        fits.append(_fit(some[rows], column, near, parabolas[column], sound[rows]))
        scale.append(robust_scale(fits[-1].residual(log_rate, column)[whole]))
    return Columns(tuple(fits), np.maximum(scale, rules.LEAST_SCATTER))


def next_to_gap(known: BoolArray) -> BoolArray:
    """Return which values, shape (n, m), are predicted from a filled gap."""
    m = known.shape[1]
    return np.stack([~known[:, _nearest(m, column)].all(axis=1) for column in range(m)], axis=1)


def _nearest(m: int, column: int) -> IntArray:
    """Return the columns that predict one: two on each side, at the ends the nearest three."""
    inside = [k for k in range(column - _SIDE, column + _SIDE + 1) if 0 <= k < m and k != column]
    if len(inside) < 3:
        inside = sorted((k for k in range(m) if k != column), key=lambda k: (abs(k - column), k))[:3]
    return np.array(inside, dtype=np.int64)


def _sound(log_rate: FloatArray, nearest: Sequence[IntArray], parabolas: Sequence[FloatArray]) -> BoolArray:
    """Return which values, shape (n, m), are close to a parabola in ln T through adjacent ones."""
    residual = np.stack(
        [
            log_rate[:, column] - log_rate[:, near] @ parabola
            for column, (near, parabola) in enumerate(zip(nearest, parabolas, strict=True))
        ],
        axis=1,
    )
    scale = np.array([robust_scale(column - np.median(column)) for column in residual.T])
    off = np.abs(residual - np.median(residual, axis=0))
    return np.asarray(off <= np.maximum(_GROSS, _GROSS_SIGMAS * scale))


def _fit(log_rate: FloatArray, column: int, near: IntArray, parabola: FloatArray, sound: BoolArray) -> _Fit:
    """Return the regression of a column on those near it.

    Wrong values in the near columns distort even a robust fit, so rows with outliers are left out of it,
    unless most rows then agree with it clearly less.
    """
    enough = _ROWS_PER_TERM * (len(near) + 1)
    clean = sound[:, [column, *near]].all(axis=1)
    centre, spread = _whitening(log_rate[clean][:, near])
    if len(log_rate) < enough:
        return _Fit(near, parabola, 0.0, centre, spread)
    base = log_rate[:, near[0]]
    # the weights sum to almost one, so differences to one column keep the numbers small
    middle = float(np.median(base))
    design = np.column_stack([np.ones(len(base)), base - middle, *(log_rate[:, k] - base for k in near[1:])])
    target = log_rate[:, column] - base
    best = _robust(design, target)
    inner = clean & _inner(log_rate[:, near])
    if not inner.all() and inner.sum() >= enough:
        cautious = _robust(design[inner], target[inner])
        scale = robust_scale(target - design @ best)
        if scale > _CLEARLY_BETTER * robust_scale(target - design @ cautious) - _ROUNDING:
            best = cautious
    weight = np.concatenate([[1.0 + best[1] - best[2:].sum()], best[2:]])
    return _Fit(near, weight, float(best[0] - best[1] * middle), centre, spread)


def _inner(values: FloatArray) -> BoolArray:
    """Return which points (n, p) are no outliers in any direction, by the scatter of their middle half."""
    centred = values - np.median(values, axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    along = centred @ vectors
    scale = np.array([max(robust_scale(column), _ROUNDING) for column in along.T])
    return np.asarray((np.abs(along) <= _FAR_OUT * scale).all(axis=1))


def _whitening(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the centre of points (n, p) and the matrix that whitens their scatter."""
    count, p = values.shape
    if count < 2 * p:
        return np.zeros(p), np.zeros((p, p))
    centre = np.median(values, axis=0)
    eigenvalue, vectors = np.linalg.eigh((values - centre).T @ (values - centre) / count)
    return centre, vectors / np.sqrt(np.maximum(eigenvalue, _ROUNDING))


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


def _parabola(log_t: FloatArray, column: int, near: IntArray) -> FloatArray:
    """Return the weights that give a parabola in ln T through the near columns, by least squares."""
    x = log_t[near] - log_t[column]
    powers = x[:, None] ** np.arange(min(3, len(near)))
    return np.asarray(np.linalg.pinv(powers)[0])
