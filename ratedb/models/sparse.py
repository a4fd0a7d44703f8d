"""A Gaussian process on inducing points, for more transitions than an exact one can hold.

GPflow's SGPR (Titsias 2009) maximises its bound on the likelihood; n transitions and m inducing points cost
n m^2. It starts from the exact optimum on a part of the transitions, so few steps are left. The inducing
points are transitions. Predictions are in NumPy, so that each j can be left out at little cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from ratedb.arrays import BoolArray, FloatArray
from ratedb.models.engine import no_joint_samples
from ratedb.models.gpflow.regression import improve_sparse
from ratedb.models.process import LEARN_FROM, CoefficientProcess, optimum, random_rows

INDUCING = 500
_JITTER = 1e-6  # GPflow's own, on the inducing points


@dataclass(frozen=True, eq=False)
class SparseProcess(CoefficientProcess):
    """A process on inducing points (m, d); `log_marginal_likelihood` is a lower bound."""

    inducing: FloatArray

    @property
    def learnt_from(self) -> int:
        """How many rows the likelihood is of."""
        return len(self.outputs)

    def own_arrays(self) -> dict[str, FloatArray]:
        """Return the inducing points, for a stored model."""
        return {"inducing": self.inducing}

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

    def joint(self, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Raise RatedbError: processes on inducing points give no joint samples."""
        raise no_joint_samples("sparse")

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
    parameters, bound = improve_sparse(kernel, inputs, outputs, inducing, start.parameters)
    return SparseProcess(kernel, inputs, outputs, parameters, bound, inducing)
