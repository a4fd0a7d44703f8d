"""Predict each temperature of a set from the temperatures beside it, so that single wrong values show.

At every temperature ln k of all transitions is regressed, robustly, on ln k at the nearest temperatures: the
set itself says how curves run on its grid, however uneven, and how closely they keep to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.quality.neighbours import robust_scale

_SIDE = 2
_HUBER_ROUNDS, _TUKEY_ROUNDS = 8, 7
_TUKEY = 4.685
_ROWS_PER_TERM = 6
_ENOUGH_ROWS = 10_000
_ROUNDING = 1e-9
_REMOTEST = 5.0
_FAR_OUT = 30.0
_CLEARLY_BETTER = 0.8
_GROSS_SIGMAS, _GROSS = 10.0, 0.7


@dataclass(frozen=True, eq=False)
class _Fit:
    """The regression of one column on those `beside`: their weights, and how far curves lie out there.

    `centre` and `spread`, shapes (p,) and (p, p), whiten ln k at the columns beside.
    """

    beside: IntArray
    weight: FloatArray
    constant: float
    centre: FloatArray
    spread: FloatArray

    def residual(self, log_rate: FloatArray, column: int) -> FloatArray:
        """Return ln k of a column minus its prediction, shape (n,)."""
        return np.asarray(log_rate[:, column] - log_rate[:, self.beside] @ self.weight - self.constant)

    def remoteness(self, log_rate: FloatArray) -> FloatArray:
        """Return how far out each curve lies, 1 for an ordinary one, shape (n,)."""
        white = (log_rate[:, self.beside] - self.centre) @ self.spread
        return np.asarray(np.sqrt(np.clip((white**2).mean(axis=1), 1.0, _REMOTEST**2)))


@dataclass(frozen=True, eq=False)
class Columns:
    """The regressions of all m temperatures on those beside, and their robust scatter (ln k), shape (m,)."""

    fits: tuple[_Fit, ...]
    scale: FloatArray

    def residuals(self, log_rate: FloatArray) -> FloatArray:
        """Return ln k minus its prediction from the temperatures beside, shape (n, m)."""
        return np.stack([fit.residual(log_rate, k) for k, fit in enumerate(self.fits)], axis=1)

    def sigmas(self, log_rate: FloatArray) -> FloatArray:
        """Return the size of the residuals in standard deviations, shape (n, m).

        A curve far from all others, as one near threshold, may stray in proportion, up to five times.
        """
        remoteness = np.stack([fit.remoteness(log_rate) for fit in self.fits], axis=1)
        return np.asarray(np.abs(self.residuals(log_rate)) / (self.scale * remoteness))


def fit_columns(log_rate: FloatArray, temperature_k: FloatArray) -> Columns | None:
    """Return the regressions for ln k (n, m) without NaN; None for fewer than 4 temperatures or no row.

    With too few transitions for a regression, the weights are those of a parabola in ln T; of very many,
    some spread evenly are enough.
    """
    n, m = log_rate.shape
    if m < 4 or n == 0:
        return None
    beside = tuple(_beside(m, column) for column in range(m))
    some = log_rate[:: -(-n // _ENOUGH_ROWS)]
    sound = _sound(some, np.log(temperature_k), beside)
    fits = tuple(_fit(some, k, beside[k], np.log(temperature_k), sound) for k in range(m))
    scale = np.array([robust_scale(fit.residual(log_rate, k)) for k, fit in enumerate(fits)])
    return Columns(fits, np.maximum(scale, _ROUNDING))


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
    off = np.abs(residual - np.median(residual, axis=0))
    return np.asarray(off <= np.maximum(_GROSS, _GROSS_SIGMAS * scale))


def _fit(log_rate: FloatArray, column: int, beside: IntArray, log_t: FloatArray, sound: BoolArray) -> _Fit:
    """Return the regression of a column on those beside it.

    Wrong values beside a column bend a robust fit too, as they lie far out, so rows that are grossly off or
    far out are left out of it, unless most rows then keep to it clearly less.
    """
    enough = _ROWS_PER_TERM * (len(beside) + 1)
    clean = sound[:, [column, *beside]].all(axis=1)
    centre, spread = _whitening(log_rate[clean][:, beside])
    if len(log_rate) < enough:
        return _Fit(beside, _parabola(log_t, column, beside), 0.0, centre, spread)
    base = log_rate[:, beside[0]]
    # the weights sum to almost one, so differences to one column keep the numbers small
    middle = float(np.median(base))
    design = np.column_stack(
        [np.ones(len(base)), base - middle, *(log_rate[:, k] - base for k in beside[1:])]
    )
    target = log_rate[:, column] - base
    best = _robust(design, target)
    inner = clean & _inner(log_rate[:, beside])
    if not inner.all() and inner.sum() >= enough:
        cautious = _robust(design[inner], target[inner])
        scale = robust_scale(target - design @ best)
        if scale > _CLEARLY_BETTER * robust_scale(target - design @ cautious) - _ROUNDING:
            best = cautious
    weight = np.concatenate([[1.0 + best[1] - best[2:].sum()], best[2:]])
    return _Fit(beside, weight, float(best[0] - best[1] * middle), centre, spread)


def _inner(values: FloatArray) -> BoolArray:
    """Return which points (n, p) are in no direction far out by the scatter of the middle half of them."""
    centred = values - np.median(values, axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    along = centred @ vectors
    scale = np.array([max(robust_scale(column), _ROUNDING) for column in along.T])
    return np.asarray((np.abs(along) <= _FAR_OUT * scale).all(axis=1))


def _whitening(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the centre of points (n, p) and the matrix that makes their scatter that of unit normals."""
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


def _parabola(log_t: FloatArray, column: int, beside: IntArray) -> FloatArray:
    """Return the weights that give a parabola in ln T through the columns beside, by least squares."""
    x = log_t[beside] - log_t[column]
    powers = x[:, None] ** np.arange(min(3, len(beside)))
    return np.asarray(np.linalg.pinv(powers)[0])
