"""One Gaussian process with one output: the exact likelihood, its optimum, and what it predicts.

The model is GPflow's GPR: y ~ N(0, K + noise I). Inputs are standardised, outputs have unit variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_solve, lapack
from scipy.optimize import minimize

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import FitError
from ratedb.models.covariance import Covariance

OPTIMISERS = ("lbfgs", "rmsprop")

# The least noise variance, in units of the output's (0.1 % of its standard deviation): rates are printed with
# about three digits, and nearly equal transitions need it for a Cholesky factor (GPflow's jitter).
NOISE_FLOOR = 1e-6
NOISE_START = 1e-3
# In units of the features' standard deviation. One start often ends where everything is noise; several cost
# little, since only the best after a few steps continues.
_START_LENGTH_SCALES = (0.7, 2.0, 5.0)
_FIRST_STEPS, _ALL_STEPS = 12, 100
_LOG_BOUND = (-12.0, 8.0)
LEARN_FROM = 300
"""Hyperparameters are learnt from at most this many transitions; the prediction uses all."""


class Optimum(NamedTuple):
    """Parameters at the best point found and the negative log marginal likelihood there."""

    parameters: FloatArray
    loss: float


@dataclass(frozen=True, eq=False)
class CoefficientProcess:
    """What exact and sparse processes of one coefficient share.

    `inputs` (n, d) are standardised, `outputs` (n,) have unit spread, `parameters` are the logarithms of the
    kernel's parameters and, last, of the noise variance.
    """

    kernel: str
    inputs: FloatArray
    outputs: FloatArray
    parameters: FloatArray
    log_marginal_likelihood: float

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed on demand, so that copies and messages between processes are small."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _covariance(self) -> Covariance:
        return Covariance(self.kernel, self.inputs.shape[1])

    @property
    def noise(self) -> float:
        """The noise variance, in units of the outputs' variance."""
        return noise_variance(self.parameters)

    def own_arrays(self) -> dict[str, FloatArray]:
        """Return what only this kind of process keeps in a stored model."""
        return {}


def noise_variance(parameters: FloatArray) -> float:
    """Return the noise variance of parameters, the logarithm of its part above the floor last."""
    return float(np.exp(parameters[-1])) + NOISE_FLOOR


@dataclass(frozen=True, eq=False)
class Process(CoefficientProcess):
    """An exact process; `log_marginal_likelihood` is that of `learnt_from` rows."""

    learnt_from: int

    def matrix(self) -> FloatArray:
        """Return the covariance of the outputs, noise included, shape (n, n)."""
        matrix = self._covariance.matrix(self.parameters[:-1], self.inputs)
        matrix[np.diag_indices_from(matrix)] += self.noise
        return matrix

    @cached_property
    def _cholesky(self) -> FloatArray:
        factor, failed = lapack.dpotrf(self.matrix(), lower=1, overwrite_a=1)
        if failed:
            raise FitError(
                f"kernel {self.kernel}: the covariance of the training transitions has no Cholesky factor",
                todo="choose another kernel",
            )
        return np.asarray(factor)

    @cached_property
    def _weights(self) -> FloatArray:
        return np.asarray(cho_solve((self._cholesky, True), self.outputs))

    @cached_property
    def _inverse(self) -> FloatArray:
        return _inverse(self._cholesky)

    def posterior(self, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance, noise included, at inputs of shape (m, d)."""
        cross = self._covariance.matrix(self.parameters[:-1], self.inputs, wanted)
        prior = self._covariance.diagonal(self.parameters[:-1], wanted)
        explained = (cross * cho_solve((self._cholesky, True), cross)).sum(axis=0)
        return cross.T @ self._weights, np.maximum(prior - explained, 0.0) + self.noise

    def joint(self, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean, shape (m,), and covariance, (m, m), noise included, at inputs of shape (m, d)."""
        cross = self._covariance.matrix(self.parameters[:-1], self.inputs, wanted)
        covariance = self._covariance.matrix(self.parameters[:-1], wanted)
        covariance -= cross.T @ cho_solve((self._cholesky, True), cross)
        covariance[np.diag_indices_from(covariance)] += self.noise
        return cross.T @ self._weights, covariance

    def without(self, rows: BoolArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of some training rows, predicted from `others`, outputs of the other rows.

        The hyperparameters stay; a block of the inverse covariance gives the rest exactly (Rasmussen &
        Williams 2006, eqs. 5.10-5.12, for blocks).
        """
        return predict_block(self._inverse, rows, others)


def fit_process(
    kernel: str,
    inputs: FloatArray,
    outputs: FloatArray,
    *,
    seed: int = 0,
    optimiser: str = "lbfgs",
    learn_from: int = LEARN_FROM,
) -> Process:
    """Maximise the marginal likelihood from several starts and return the process on all rows.

    `inputs` (n, d) are standardised, `outputs` (n,) have unit spread. Above `learn_from` rows the
    hyperparameters come from a random part of them, the same for the same seed. Raises FitError where no
    start leads anywhere.
    """
    rows = random_rows(len(inputs), seed, learn_from)
    best = optimum(kernel, inputs[rows], outputs[rows], optimiser=optimiser)
    return Process(kernel, inputs, outputs, best.parameters, -best.loss, len(rows))


def predict_block(inverse: FloatArray, rows: BoolArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of `rows` given the outputs of the others, by the inverse covariance."""
    block = np.linalg.inv(inverse[np.ix_(rows, rows)])
    mean = -block @ (inverse[np.ix_(rows, ~rows)] @ others)
    return mean, np.maximum(np.diag(block), NOISE_FLOOR)


def random_rows(count: int, seed: int, most: int) -> IntArray:
    """Return at most `most` of `count` rows, in order; the same for the same seed."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    chosen = np.random.default_rng(seed).permutation(count)[:most]
    return np.sort(chosen).astype(np.int64)


def optimum(kernel: str, inputs: FloatArray, outputs: FloatArray, *, optimiser: str = "lbfgs") -> Optimum:
    """Return the best of several maximisations of the marginal likelihood.

    All starts make a few steps, the best goes on. Raises FitError where none has a finite likelihood.
    """
    covariance = Covariance(kernel, inputs.shape[1])

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        return negative_log_likelihood(covariance, inputs, outputs, parameters)

    descend = _lbfgs if optimiser == "lbfgs" else rmsprop
    starts = [np.append(covariance.start(scale), np.log(NOISE_START)) for scale in _START_LENGTH_SCALES]
    if kernel == "LIN":
        starts = starts[:1]  # it has no length scale
    begun = [descend(loss, start, _FIRST_STEPS) for start in starts]
    best = min(begun, key=lambda end: end.loss)
    best = descend(loss, best.parameters, _ALL_STEPS)
    if not best.loss < _FAILED:
        raise FitError(
            f"kernel {kernel} has no finite marginal likelihood",
            expected="a covariance with a Cholesky factor from one of the starts",
            got=f"none of {len(starts)}",
            todo="choose another kernel, or check the training rates",
        )
    return best


_FAILED = 1e25


def negative_log_likelihood(
    covariance: Covariance, inputs: FloatArray, outputs: FloatArray, parameters: FloatArray
) -> tuple[float, FloatArray]:
    """Return -log p(outputs) and its gradient, (size + 1,), by the kernel's parameters and log noise.

    -log p = y' A^-1 y / 2 + log det A / 2 + n log(2 pi) / 2 with A = K + noise I. Where A has no Cholesky
    factor, a large number and a zero gradient, so that a line search steps back.
    """
    matrix, gradient = covariance.matrix_and_gradient(parameters[:-1], inputs)
    matrix[np.diag_indices_from(matrix)] += noise_variance(parameters)
    cholesky, failed = lapack.dpotrf(matrix, lower=1)
    if failed or not np.isfinite(cholesky[-1, -1]):
        return _FAILED, np.zeros_like(parameters)
    weights = cho_solve((cholesky, True), outputs, check_finite=False)
    loss = 0.5 * float(outputs @ weights) + float(np.log(np.diag(cholesky)).sum())
    loss += 0.5 * len(outputs) * np.log(2.0 * np.pi)
    by_matrix = 0.5 * (_inverse(cholesky) - np.outer(weights, weights))
    return loss, np.append(gradient(by_matrix), np.exp(parameters[-1]) * np.trace(by_matrix))


def _inverse(cholesky: FloatArray) -> FloatArray:
    lower, _ = lapack.dpotri(cholesky, lower=1)  # zeros above the diagonal
    inverse: FloatArray = lower + lower.T
    inverse[np.diag_indices_from(inverse)] *= 0.5
    return inverse


_Loss = Callable[[FloatArray], tuple[float, FloatArray]]


def _lbfgs(loss: _Loss, start: FloatArray, steps: int) -> Optimum:
    bounds = [_LOG_BOUND] * len(start)
    end = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    return Optimum(np.asarray(end.x), float(end.fun))


def rmsprop(loss: _Loss, start: FloatArray, steps: int, bounds: tuple[float, float] = _LOG_BOUND) -> Optimum:
    """Minimise by the paper's optimiser, RMSProp (decay 0.9), with a learning rate of 1 at first.

    With a constant rate it circles around the optimum, so that the rate falls as 1/sqrt(step); the best point
    that was evaluated is returned.
    """
    parameters, square = start.copy(), np.zeros_like(start)
    best = Optimum(start, np.inf)
    for step in range(1, steps + 1):
        value, gradient = loss(parameters)
        if value < best.loss:
            best = Optimum(parameters.copy(), value)
        square = gradient**2 if step == 1 else 0.9 * square + 0.1 * gradient**2
        parameters = np.clip(parameters - gradient / (np.sqrt(square) + 1e-8) / np.sqrt(step), *bounds)
    return best
