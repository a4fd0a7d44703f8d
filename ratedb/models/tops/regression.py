"""One candidate: a mean of log10 k, alone or with processes of the temperature coefficients of the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import FitError
from ratedb.models.basis import TemperatureBasis
from ratedb.models.engine import Curves
from ratedb.models.process import predict_block, random_rows
from ratedb.models.tops.features import FeatureMap, categories
from ratedb.models.tops.kernel import Points, TopKernel, inverse_of, learn
from ratedb.models.tops.means import GROUPS, SUDDEN, TopMean, fit_mean
from ratedb.models.tops.structure import Jumps

_COEFFICIENTS = 3
_LEARN_FROM = 800
_STEPS = 15
_PREDICT_AT_ONCE = 2000
_LEAST_VARIANCE = 1e-4  # dex^2: published rates have few digits


@dataclass(frozen=True, eq=False)
class Residual:
    """Processes of the residual: the temperature basis and, for each coefficient, parameters and outputs.

    `scale` (c,) is the spread of each coefficient in dex; `outputs` (n, c) have unit spread; `inverses` are
    those of the outputs' covariances.
    """

    features: FeatureMap
    points: Points
    kernel: TopKernel
    basis: TemperatureBasis
    scale: FloatArray
    outputs: FloatArray
    parameters: tuple[FloatArray, ...]
    inverses: tuple[FloatArray, ...]

    @property
    def rest_variance(self) -> FloatArray:
        """The variance of what the temperature curves do not describe, shape (m,), in dex^2."""
        return self.basis.rest_variance + _LEAST_VARIANCE

    def curves(self, jumps: Jumps, mean: FloatArray) -> Curves:
        """Return mean and variance, noise included, of the residual of jumps with this mean, (n, m) each."""
        centre, spread = np.empty((len(jumps), len(self.scale))), np.empty((len(jumps), len(self.scale)))
        points = Points(self.features(jumps, mean), categories(jumps))
        for rows in np.array_split(np.arange(len(jumps)), max(1, -(-len(jumps) // _PREDICT_AT_ONCE))):
            block = points.select(rows)
            same = self.kernel.same(block, self.points)
            for c, (parameters, inverse) in enumerate(zip(self.parameters, self.inverses, strict=True)):
                cross = self.kernel.matrix(parameters, block, self.points, same)
                solved = cross @ inverse
                left = self.kernel.diagonal(parameters, block) - (solved * cross).sum(axis=1)
                centre[rows, c] = solved @ self.outputs[:, c]
                spread[rows, c] = np.maximum(left, 0.0) + self.kernel.noise(parameters)
        return self._of_coefficients(self.basis.centre, centre, spread)

    def without(self, rows: BoolArray, rest: FloatArray) -> Curves:
        """Return the residual of some training rows from that of the others, shape (k, m), another mean's.

        Hyperparameters and basis vectors stay.
        """
        centre = rest.mean(axis=0)
        others = (rest - centre) @ self.basis.vectors.T / self.scale
        each = [predict_block(one, rows, others[:, c]) for c, one in enumerate(self.inverses)]
        mean, variance = (np.stack(part, axis=1) for part in zip(*each, strict=True))
        return self._of_coefficients(centre, mean, variance)

    def _of_coefficients(self, centre: FloatArray, mean: FloatArray, variance: FloatArray) -> Curves:
        return Curves(
            centre + (mean * self.scale) @ self.basis.vectors,
            (variance * self.scale**2) @ self.basis.vectors**2 + self.rest_variance,
        )


def fit_residual(jumps: Jumps, of_mean: FloatArray, left: FloatArray, with_mean: bool, seed: int) -> Residual:
    """Return the processes of the residual `left`, (n, m), of a mean whose values are `of_mean`, (n, m).

    Hyperparameters are learnt from at most 800 rows, the same for the same seed. Raises FitError where a
    covariance has no Cholesky factor.
    """
    features = FeatureMap.of(jumps, of_mean if with_mean else None)
    points = Points(features(jumps, of_mean), categories(jumps))
    kernel = TopKernel(tuple(points.categories), points.features.shape[1])
    full = TemperatureBasis.of(left)
    kept = full.vectors[:_COEFFICIENTS]
    off = left - full.centre
    basis = TemperatureBasis(full.centre, kept, ((off - off @ kept.T @ kept) ** 2).mean(axis=0))
    coefficients = basis.coefficients(left)
    scale = np.maximum(np.sqrt((coefficients**2).mean(axis=0)), 1e-6)
    outputs = coefficients / scale
    rows = random_rows(len(jumps), seed, _LEARN_FROM)
    parameters, inverses = [], []
    for output in outputs.T:
        found = learn(kernel, points.select(rows), output[rows], _STEPS)
        inverse = inverse_of(kernel.with_noise(found, points))
        if inverse is None:
            raise FitError("the covariance of the training transitions has no Cholesky factor")
        parameters.append(found)
        inverses.append(inverse[0])
    return Residual(features, points, kernel, basis, scale, outputs, tuple(parameters), tuple(inverses))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted mean, and the processes of what it leaves over, None where the mean is all."""

    mean_name: str
    mean: TopMean
    residual: Residual | None
    spread: FloatArray

    @property
    def name(self) -> str:
        """What it is called, such as `sudden law + process`."""
        return self.mean_name if self.residual is None else f"{self.mean_name} + process"

    def curves(self, jumps: Jumps) -> Curves:
        """Return mean and variance of log10 k, shape (n, m) each."""
        of_mean = self.mean(jumps)
        if self.residual is None:
            return Curves(of_mean, np.broadcast_to(self.spread**2, of_mean.shape))
        rest = self.residual.curves(jumps, of_mean)
        return Curves(of_mean + rest.mean, rest.variance)


@dataclass(frozen=True, eq=False)
class LeftOutMean:
    """A mean, fitted to all rows and to the rows outside each fold: (fold mask, its values of all rows)."""

    name: str
    mean: TopMean
    values: FloatArray
    folds: tuple[tuple[BoolArray, FloatArray], ...]

    @staticmethod
    def fit(name: str, jumps: Jumps, log10_k: FloatArray, folds: tuple[BoolArray, ...]) -> LeftOutMean:
        """Fit the named mean to all rows and without each fold."""
        mean = fit_mean(name, jumps, log10_k)
        each = []
        for fold in folds:
            rest = np.flatnonzero(~fold)
            each.append((fold, fit_mean(name, jumps.select(rest), log10_k[rest], mean)(jumps)))
        return LeftOutMean(name, mean, mean(jumps), tuple(each))

    def residual(self, log10_k: FloatArray) -> FloatArray:
        """Return what the mean leaves over, shape (n, m): for group means, of groups without the own fold.

        A group of few rows fits these exactly, which says nothing of other rows.
        """
        if self.name != GROUPS:
            return log10_k - self.values
        left = np.empty_like(log10_k)
        for fold, values in self.folds:
            left[fold] = (log10_k - values)[fold]
        return left


def fit_candidates(
    jumps: Jumps, log10_k: FloatArray, mean: LeftOutMean, seed: int
) -> list[tuple[Candidate, Curves]]:
    """Return the mean alone and with processes, each with training curves predicted without their fold."""
    alone, with_process = (Curves(np.empty_like(log10_k), np.empty_like(log10_k)) for _ in range(2))
    left = mean.residual(log10_k)
    residual = fit_residual(jumps, mean.values, left, mean.name == SUDDEN, seed)
    for fold, values in mean.folds:
        alone.mean[fold] = values[fold]
        of_others = left if mean.name == GROUPS else log10_k - values
        rest = residual.without(fold, of_others[~fold])
        with_process.mean[fold], with_process.variance[fold] = values[fold] + rest.mean, rest.variance
    spread = np.sqrt(((alone.mean - log10_k) ** 2).mean(axis=0) + _LEAST_VARIANCE)
    alone.variance[:] = spread**2
    return [
        (Candidate(mean.name, mean.mean, None, spread), alone),
        (Candidate(mean.name, mean.mean, residual, spread), with_process),
    ]
