"""A Gaussian process on inducing points, for more transitions than an exact one can bear.

GPflow's SGPR (Titsias 2009) maximises its bound on the likelihood; n transitions and m inducing points cost
n m^2. It starts from the exact optimum on a part of the transitions, so few steps are left. The inducing
points are transitions themselves. What it predicts is written out in NumPy, so that each j can be left out
at little cost.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import FitError
from ratedb.models.covariance import Covariance
from ratedb.models.kernels import build_kernel, kernel_terms
from ratedb.models.process import LEARN_FROM, NOISE_FLOOR, optimum, random_rows
from ratedb.models.quiet import import_gpflow, unchecked_shapes

INDUCING = 500
_STEPS = 15
_JITTER = 1e-6  # GPflow's own, on the inducing points


@dataclass(frozen=True, eq=False)
class SparseProcess:
    """A fitted sparse process; `inducing` has shape (m, d), the rest is as in an exact one."""

    kernel: str
    inputs: FloatArray
    outputs: FloatArray
    parameters: FloatArray
    inducing: FloatArray
    log_marginal_likelihood: float

    @property
    def learnt_from(self) -> int:
        """How many rows the likelihood is of."""
        return len(self.outputs)

    @property
    def noise(self) -> float:
        """The noise variance, in units of the output's variance."""
        return float(np.exp(self.parameters[-1])) + NOISE_FLOOR

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed on demand, so that copies and messages between processes are small."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _covariance(self) -> Covariance:
        return Covariance(self.kernel, self.inputs.shape[1])

    @cached_property
    def _root(self) -> FloatArray:
        """The Cholesky factor of the inducing points' covariance."""
        matrix = self._covariance.matrix(self.parameters[:-1], self.inducing)
        matrix[np.diag_indices_from(matrix)] += _JITTER
        return np.asarray(np.linalg.cholesky(matrix))

    def _features(self, inputs: FloatArray) -> FloatArray:
        """Return features F, shape (m, n), in which the process is a linear regression: K ~ F' F."""
        cross = self._covariance.matrix(self.parameters[:-1], self.inducing, inputs)
        return np.asarray(solve_triangular(self._root, cross, lower=True))

    @cached_property
    def _own_features(self) -> FloatArray:
        return self._features(self.inputs)

    @cached_property
    def _precision(self) -> FloatArray:
        features = self._own_features
        return np.eye(len(features)) + features @ features.T / self.noise

    @cached_property
    def _moment(self) -> FloatArray:
        return self._own_features @ self.outputs / self.noise

    def posterior(self, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance, noise included, at inputs of shape (p, d)."""
        prior = self._covariance.diagonal(self.parameters[:-1], wanted)
        return self._from(self._precision, self._moment, self._features(wanted), prior)

    def without(self, rows: BoolArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of some training rows, predicted from the outputs of the others."""
        features = self._own_features
        precision = self._precision - features[:, rows] @ features[:, rows].T / self.noise
        moment = features[:, ~rows] @ others / self.noise
        prior = self._covariance.diagonal(self.parameters[:-1], self.inputs[rows])
        return self._from(precision, moment, features[:, rows], prior)

    def _from(
        self, precision: FloatArray, moment: FloatArray, features: FloatArray, prior: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        factor = cho_factor(precision, lower=True)
        mean = features.T @ cho_solve(factor, moment)
        explained = (features * (features - cho_solve(factor, features))).sum(axis=0)
        return mean, np.maximum(prior - explained, 0.0) + self.noise


def fit_sparse_process(
    kernel: str,
    inputs: FloatArray,
    outputs: FloatArray,
    *,
    seed: int = 0,
    optimiser: str = "lbfgs",
    learn_from: int = LEARN_FROM,
) -> SparseProcess:
    """Maximise SGPR's bound, starting from the exact optimum on a part of the rows.

    Inputs and outputs are as for an exact process.
    """
    rows = random_rows(len(inputs), seed, learn_from)
    start = optimum(kernel, inputs[rows], outputs[rows], optimiser=optimiser)
    inducing = inputs[random_rows(len(inputs), seed + 1, INDUCING)]
    parameters, bound = _improve(kernel, inputs, outputs, inducing, start.parameters)
    return SparseProcess(kernel, inputs, outputs, parameters, inducing, bound)


def _improve(
    kernel: str, inputs: FloatArray, outputs: FloatArray, inducing: FloatArray, start: FloatArray
) -> tuple[FloatArray, float]:
    import_gpflow()
    import gpflow
    import tensorflow as tf

    covariance = Covariance(kernel, inputs.shape[1])
    model = gpflow.models.SGPR(
        (inputs, outputs[:, None]),
        build_kernel(kernel, inputs.shape[1], 1.0),
        inducing,
        noise_variance=float(np.exp(start[-1])) + 2.0 * NOISE_FLOOR,
    )
    gpflow.set_trainable(model.inducing_variable, False)
    assign(model.kernel, covariance, start[:-1])
    try:
        with unchecked_shapes():
            gpflow.optimizers.Scipy().minimize(
                model.training_loss,
                model.trainable_variables,
                tf_fun_args={"autograph": False},
                options={"maxiter": _STEPS},
            )
    except tf.errors.InvalidArgumentError as error:
        raise FitError(
            f"kernel {kernel}: the covariance of the inducing points has no Cholesky factor",
            todo="choose another kernel",
        ) from error
    noise = max(float(model.likelihood.variance.numpy()) - NOISE_FLOOR, 1e-12)
    return np.append(read(model.kernel, covariance), np.log(noise)), float(model.elbo().numpy())


def assign(kernel: Any, covariance: Covariance, parameters: FloatArray) -> None:
    """Give a GPflow kernel the parameters of the NumPy one; a product's variance goes to its first factor."""
    for term, factors in zip(covariance.terms, _gpflow_terms(kernel, covariance.kernel), strict=True):
        for index, (factor, part) in enumerate(zip(term.factors, factors, strict=True)):
            values = np.exp(parameters[factor.first : factor.last])
            variance = float(np.exp(parameters[term.variance])) if index == 0 else 1.0
            if factor.name == "LIN":
                part.kernels[0].variance.assign(variance * values[:-1])
                part.kernels[1].variance.assign(variance * values[-1])
                continue
            part.variance.assign(variance)
            part.lengthscales.assign(values[: covariance.dimensions])
            if factor.name == "RQ":
                part.alpha.assign(values[-1])


def read(kernel: Any, covariance: Covariance) -> FloatArray:
    """Return a GPflow kernel's parameters as those of the NumPy one."""
    result = np.zeros(covariance.size)
    for term, factors in zip(covariance.terms, _gpflow_terms(kernel, covariance.kernel), strict=True):
        for factor, part in zip(term.factors, factors, strict=True):
            own = slice(factor.first, factor.last)
            if factor.name == "LIN":
                slopes, constant = part.kernels[0].variance.numpy(), part.kernels[1].variance.numpy()
                result[own] = np.log(np.append(slopes, constant))
                continue
            result[term.variance] += np.log(part.variance.numpy())
            scales = part.lengthscales.numpy()
            result[own] = np.log(np.append(scales, part.alpha.numpy()) if factor.name == "RQ" else scales)
    return result


def _gpflow_terms(kernel: Any, text: str) -> list[list[Any]]:
    """Return the GPflow kernel's base kernels by term and factor, as `build_kernel` nests them."""
    terms = kernel_terms(text)
    # GPflow flattens a sum within a sum, and so the two parts of LIN into the sum they stand in.
    parts = list(kernel.kernels) if len(terms) > 1 else [kernel]
    result = []
    for term in terms:
        if len(term) > 1:
            result.append(list(parts.pop(0).kernels))
        elif term[0] == "LIN" and len(terms) > 1:
            result.append([_Pair([parts.pop(0), parts.pop(0)])])
        else:
            result.append([parts.pop(0)])
    return result


@dataclass(frozen=True)
class _Pair:
    kernels: list[Any]
