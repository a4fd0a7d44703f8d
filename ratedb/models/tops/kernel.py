"""The covariance between jumps: a plane, a smooth part, and what jumps of one category have in common.

K = v_lin (1 + x x'/d) + v M(x, x') + sum_c v_c [same c] + v_u [same unit] M(x, x') + v_noise [same jump],
where M is the Matern 5/2 function with a length for each feature, and c is one of features.CATEGORIES.
Parameters are logarithms: variances, noise last of them, then lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from ratedb.arrays import FloatArray, IntArray
from ratedb.models.process import NOISE_FLOOR

# Expected variances in units of the outputs', and lengths in those of the features' spread. They are vague: a
# factor e^1.5 and e.
_VARIANCES = {"linear": 0.03, "smooth": 0.3, "unit smooth": 0.05, "noise": 0.03, "unit": 0.03, "group": 0.1}
_OTHER_VARIANCE, _VARIANCE_SPREAD = 0.03, 1.5
_LENGTH, _LENGTH_SPREAD = 3.0, 1.0
_VARIANCE_BOUNDS, _LENGTH_BOUNDS = (-12.0, 5.0), (-1.5, 5.0)
_FAILED = 1e25


@dataclass(frozen=True, eq=False)
class Points:
    """Jumps as a kernel sees them: features (n, d) and the number of each category, shape (n,)."""

    features: FloatArray
    categories: Mapping[str, IntArray]

    def __len__(self) -> int:
        return len(self.features)

    def select(self, rows: IntArray) -> Points:
        """Return some of the points."""
        return Points(self.features[rows], {name: one[rows] for name, one in self.categories.items()})


Same = dict[str, FloatArray]
"""For each category 1 where two points share it, else 0, shape (n, k) each."""


@dataclass(frozen=True)
class TopKernel:
    """The kernel of points with these categories and so many features."""

    categories: tuple[str, ...]
    dimensions: int

    @property
    def variances(self) -> tuple[str, ...]:
        """The names of the variances, in the order of the parameters."""
        return ("linear", "smooth", "unit smooth", *self.categories, "noise")

    def expected(self) -> tuple[FloatArray, FloatArray]:
        """Return the expected parameters and their spread, shape (p,) each."""
        variances = np.log([_VARIANCES.get(name, _OTHER_VARIANCE) for name in self.variances])
        spread = np.full(len(variances), _VARIANCE_SPREAD)
        lengths = np.full(self.dimensions, np.log(_LENGTH))
        return (
            np.concatenate([variances, lengths]),
            np.concatenate([spread, np.full(self.dimensions, _LENGTH_SPREAD)]),
        )

    def matrix(
        self, parameters: FloatArray, left: Points, right: Points, same: Same | None = None
    ) -> FloatArray:
        """Return the covariance between two lists of points without noise, shape (n, k).

        `same`, what `self.same` returns for them, saves time where they are asked for again.
        """
        variance = np.exp(parameters[: len(self.variances)])
        smooth, _ = self._smooth(parameters, left, right)
        same = self.same(left, right) if same is None else same
        total = variance[0] * (1.0 + left.features @ right.features.T / self.dimensions)
        total += smooth * (variance[1] + variance[2] * same["unit"])
        for place, name in enumerate(self.categories):
            total += variance[3 + place] * same[name]
        return np.asarray(total)

    def diagonal(self, parameters: FloatArray, points: Points) -> FloatArray:
        """Return the variance of each point without noise, shape (n,)."""
        variance = np.exp(parameters[: len(self.variances)])
        plane = 1.0 + (points.features**2).sum(axis=1) / self.dimensions
        return np.asarray(variance[0] * plane + variance[1:-1].sum())

    def noise(self, parameters: FloatArray) -> float:
        """Return the variance of noise."""
        return float(np.exp(parameters[len(self.variances) - 1])) + NOISE_FLOOR

    def with_noise(self, parameters: FloatArray, points: Points, same: Same | None = None) -> FloatArray:
        """Return the covariance of points, noise included, shape (n, n)."""
        matrix = self.matrix(parameters, points, points, same)
        matrix[np.diag_indices_from(matrix)] += self.noise(parameters)
        return matrix

    def slopes(self, parameters: FloatArray, points: Points, by_matrix: FloatArray, same: Same) -> FloatArray:
        """Return sum_ij G_ij dK_ij/dp for each parameter p, for symmetric G, shape (n, n)."""
        count = len(self.variances)
        variance, x = np.exp(parameters[:count]), points.features
        smooth, distance = self._smooth(parameters, points, points)
        slopes = np.empty(len(parameters))
        slopes[0] = by_matrix.sum() + float(((by_matrix @ x) * x).sum()) / self.dimensions
        slopes[1] = float((by_matrix * smooth).sum())
        slopes[2] = float((by_matrix * smooth * same["unit"]).sum())
        for place, name in enumerate(self.categories):
            slopes[3 + place] = float((by_matrix * same[name]).sum())
        slopes[count - 1] = np.trace(by_matrix)
        slopes[:count] *= variance
        by_square = (
            (5.0 / 3.0) * (1.0 + distance) * np.exp(-distance) * (variance[1] + variance[2] * same["unit"])
        )
        by_square *= by_matrix
        scaled = x / np.exp(parameters[count:])
        slopes[count:] = 2.0 * (
            by_square.sum(axis=1)[:, None] * scaled**2 - scaled * (by_square @ scaled)
        ).sum(axis=0)
        return slopes

    def _smooth(self, parameters: FloatArray, left: Points, right: Points) -> tuple[FloatArray, FloatArray]:
        """Return the Matern 5/2 function and sqrt(5) times the scaled distance, shape (n, k) each."""
        lengths = np.exp(parameters[len(self.variances) :])
        a, b = left.features / lengths, right.features / lengths
        square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
        distance = np.sqrt(5.0 * np.maximum(square, 0.0))
        return (1.0 + distance + distance**2 / 3.0) * np.exp(-distance), distance

    def same(self, left: Points, right: Points) -> Same:
        """Return 1 where two points share a category, else 0, shape (n, k) each."""
        return {
            name: (left.categories[name][:, None] == right.categories[name][None, :]).astype(np.float64)
            for name in self.categories
        }


def inverse_of(matrix: FloatArray) -> tuple[FloatArray, float] | None:
    """Return the inverse of a covariance and half the logarithm of its determinant; None without a factor."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        return None
    half = float(np.log(np.diag(factor)).sum())
    inverse, _ = lapack.dpotri(factor, lower=1)
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T), half


def negative_log_posterior(
    kernel: TopKernel, points: Points, outputs: FloatArray, parameters: FloatArray, same: Same
) -> tuple[float, FloatArray]:
    """Return minus the log marginal likelihood and log prior, up to a constant, and the gradient, (p,).

    -log p(y) = y' K^-1 y / 2 + log det K / 2 + constant (Rasmussen & Williams 2006, eq. 2.30).
    """
    found = inverse_of(kernel.with_noise(parameters, points, same))
    if found is None:
        return _FAILED, np.zeros_like(parameters)
    inverse, half = found
    weights = inverse @ outputs
    slopes = kernel.slopes(parameters, points, 0.5 * (inverse - np.outer(weights, weights)), same)
    expected, spread = kernel.expected()
    far = (parameters - expected) / spread
    return 0.5 * float(outputs @ weights) + half + 0.5 * float(far @ far), slopes + far / spread


def learn(
    kernel: TopKernel, points: Points, outputs: FloatArray, steps: int, start: FloatArray | None = None
) -> FloatArray:
    """Return the most probable parameters, shape (p,), for outputs (n,) of unit spread."""
    same = kernel.same(points, points)
    bounds = [_VARIANCE_BOUNDS] * len(kernel.variances) + [_LENGTH_BOUNDS] * kernel.dimensions

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        return negative_log_posterior(kernel, points, outputs, at, same)

    end = minimize(
        loss,
        kernel.expected()[0] if start is None else start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": steps},
    )
    return np.asarray(end.x)
