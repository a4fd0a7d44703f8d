"""The fast engine: a temperature basis, and one Gaussian process over transitions for each coefficient.

Every transition has the same temperatures, so log10 k(x, T) = mean(x, T) + sum_c z_c(x) u_c(T) + rest, with
the orthonormal u_c from a singular value decomposition of what the mean leaves over. The coefficients z_c
are independent Gaussian processes over transitions only (the orthogonal linear mixing model, Bruinsma et
al. 2020): for n transitions and m temperatures one likelihood costs n^3 instead of (n m)^3.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.levels import Levels, Transitions
from ratedb.models.engine import (
    WORTHLESS_SHARE,
    Arrays,
    Curves,
    FittedModel,
    Reference,
    Specification,
    TrainingData,
    explained_share,
    rms,
)
from ratedb.models.features import Standardiser, feature_map
from ratedb.models.means import fitted_numbers
from ratedb.models.process import LEARN_FROM, Process, fit_process
from ratedb.models.sparse import SparseProcess, fit_sparse_process

# A basis vector whose singular value is below this share of the first carries, on real rates, less than
# the scatter between neighbouring transitions.
_BASIS_CUTOFF = 0.01
_PREDICT_AT_ONCE = 4000


@dataclass(frozen=True, eq=False)
class TemperatureBasis:
    """Orthonormal temperature curves: `centre` (m,), `vectors` (c, m), and the variance (m,) of the rest."""

    centre: FloatArray
    vectors: FloatArray
    rest_variance: FloatArray

    @staticmethod
    def of(curves: FloatArray) -> TemperatureBasis:
        """Return the basis of curves, shape (n, m)."""
        centre = curves.mean(axis=0)
        _, singular, vectors = np.linalg.svd(curves - centre, full_matrices=False)
        count = max(1, int((singular > _BASIS_CUTOFF * singular[0]).sum()))
        kept = vectors[:count]
        rest = (curves - centre) - (curves - centre) @ kept.T @ kept
        return TemperatureBasis(centre, kept, (rest**2).mean(axis=0))

    def coefficients(self, curves: FloatArray) -> FloatArray:
        """Return the coefficients of curves, shape (n, c)."""
        return (curves - self.centre) @ self.vectors.T


@dataclass(frozen=True, eq=False)
class BasisModel(FittedModel):
    """A fitted model: mean, basis, and a process over standardised features for each coefficient.

    `scale` (c,) is the spread of each coefficient, in dex; the processes' outputs have unit spread.
    """

    basis: TemperatureBasis
    scale: FloatArray
    processes: tuple[Process | SparseProcess, ...]

    @property
    def log_likelihood(self) -> float:
        """The log marginal likelihood of log10 k: of the coefficients, and of the rest as white noise."""
        likelihood = sum(process.log_marginal_likelihood for process in self.processes)
        count = self.processes[0].learnt_from
        likelihood -= count * float(np.log(self.scale).sum())
        left = len(self.basis.centre) - len(self.scale)
        if left:
            variance = max(float(self.basis.rest_variance.sum()) / left, 1e-12)
            likelihood -= 0.5 * count * left * (np.log(2.0 * np.pi * variance) + 1.0)
        return float(likelihood)

    @property
    def parameters(self) -> int:
        """How many numbers were fitted: kernels, noise, and the mean's."""
        return fitted_numbers(self.mean) + sum(len(process.parameters) for process in self.processes)

    @property
    def likelihood_values(self) -> int:
        """How many values the likelihood is of."""
        return self.processes[0].learnt_from * len(self.basis.centre)

    def without_caches(self) -> BasisModel:
        """Return the model without the processes' factorised covariances."""
        return replace(self, processes=tuple(copy(process) for process in self.processes))

    def curves(self, transitions: Transitions) -> Curves:
        """Return the posterior mean and variance, noise included, of log10 k."""
        curves = self._of_coefficients(self.basis, *self._outputs(transitions))
        return Curves(self.mean(transitions) + curves.mean, curves.variance)

    def covariance(self, transitions: Transitions) -> FloatArray:
        """Return the posterior covariance of log10 k between temperatures, shape (n, m, m)."""
        _, variance = self._outputs(transitions)
        vectors = self.scale[:, None] * self.basis.vectors
        explained: FloatArray = np.einsum("nc,cs,ct->nst", variance, vectors, vectors)
        return explained + np.diag(self.basis.rest_variance)

    def sample(self, transitions: Transitions, count: int, draw: np.random.Generator) -> FloatArray:
        """Return joint samples, shape (count, n, m), of the posterior of log10 k, noise included.

        Transitions are correlated by the processes, temperatures by the basis; the rest is white noise.
        Raises RatedbError for sparse processes.
        """
        inputs = self.standardiser(feature_map(self.specification.features)(transitions))
        drawn = np.empty((count, len(inputs), len(self.processes)))
        for number, process in enumerate(self.processes):
            mean, covariance = process.joint(inputs)
            drawn[:, :, number] = mean + _correlated(covariance, count, draw)
        rest = np.sqrt(self.basis.rest_variance) * draw.standard_normal(
            (count, len(inputs), len(self.basis.centre))
        )
        curves: FloatArray = self.basis.centre + (drawn * self.scale) @ self.basis.vectors + rest
        return self.mean(transitions) + curves

    def leave_out(self, data: TrainingData) -> Curves:
        """Return the curves of the transitions it was trained on, each predicted without its fold.

        The mean and the basis' centre are fitted anew without the fold; hyperparameters and basis vectors
        stay.
        """
        result = Curves(np.empty_like(data.log10_k), np.empty_like(data.log10_k))
        for rows, of_mean, rest in data.left_out_folds(self.specification.mean):
            basis = replace(self.basis, centre=rest.mean(axis=0))
            others = (basis.coefficients(rest) / self.scale).T
            each = [process.without(rows, one) for process, one in zip(self.processes, others, strict=True)]
            mean, variance = (np.stack(part, axis=1) for part in zip(*each, strict=True))
            curves = self._of_coefficients(basis, mean, variance)
            result.mean[rows], result.variance[rows] = of_mean + curves.mean, curves.variance
        return result

    def conditioned(self, data: TrainingData) -> BasisModel:
        """Return the model with the same kernels and basis vectors, given other curves."""
        mean, of_mean = data.mean(self.specification.mean)
        left = data.log10_k - of_mean
        centre = left.mean(axis=0)
        rest = (left - centre) - (left - centre) @ self.basis.vectors.T @ self.basis.vectors
        basis = TemperatureBasis(centre, self.basis.vectors, (rest**2).mean(axis=0))
        inputs = self.standardiser(feature_map(self.specification.features)(data.transitions))
        outputs = (basis.coefficients(left) / self.scale).T
        processes = tuple(
            replace(process, inputs=inputs, outputs=one)
            for process, one in zip(self.processes, outputs, strict=True)
        )
        return replace(self, mean=mean, training=data.transitions, basis=basis, processes=processes)

    def _of_coefficients(self, basis: TemperatureBasis, mean: FloatArray, variance: FloatArray) -> Curves:
        """Return what the mean leaves over for the processes' outputs, shape (n, c) each."""
        return Curves(
            basis.centre + (mean * self.scale) @ basis.vectors,
            (variance * self.scale**2) @ basis.vectors**2 + basis.rest_variance,
        )

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""
        first = self.processes[0]
        state, arrays = self.stored_parts()
        state |= {
            "log_marginal_likelihoods": [process.log_marginal_likelihood for process in self.processes],
            "learnt_from": first.learnt_from,
        }
        return state, arrays | first.own_arrays() | {
            "basis_centre": self.basis.centre,
            "basis_vectors": self.basis.vectors,
            "basis_rest_variance": self.basis.rest_variance,
            "scale": self.scale,
            "inputs": first.inputs,
            "outputs": np.column_stack([process.outputs for process in self.processes]),
            "parameters": np.stack([process.parameters for process in self.processes]),
        }

    def _outputs(self, transitions: Transitions) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of the processes' outputs, shape (n, c) each."""
        inputs = self.standardiser(feature_map(self.specification.features)(transitions))
        # In blocks: the covariances of all training with all wanted transitions need not fit into memory.
        blocks = np.array_split(inputs, max(1, -(-len(inputs) // _PREDICT_AT_ONCE)))
        each = [[process.posterior(block) for block in blocks] for process in self.processes]
        mean = np.column_stack([np.concatenate([one for one, _ in parts]) for parts in each])
        variance = np.column_stack([np.concatenate([one for _, one in parts]) for parts in each])
        return mean, variance


def _correlated(covariance: FloatArray, count: int, draw: np.random.Generator) -> FloatArray:
    """Return normal samples, shape (count, n), of a covariance (n, n) that may be singular."""
    variance, vectors = np.linalg.eigh(covariance)
    normal = draw.standard_normal((count, len(variance)))
    return np.asarray((normal * np.sqrt(np.maximum(variance, 0.0))) @ vectors.T)


def fit(
    data: TrainingData,
    specification: Specification,
    *,
    seed: int = 0,
    optimiser: str = "lbfgs",
    learn_from: int = LEARN_FROM,
) -> BasisModel:
    """Fit mean, basis and processes; `engine` decides whether these are exact or sparse.

    Raises FitError where the fit does not explain half the variance of its own training curves.
    """
    mean, of_mean = data.mean(specification.mean)
    left = data.log10_k - of_mean
    basis = TemperatureBasis.of(left)
    coefficients = basis.coefficients(left)
    scale = np.sqrt((coefficients**2).mean(axis=0))
    scale = np.where(scale > 1e-9, scale, 1.0)
    raw = feature_map(specification.features)(data.transitions)
    standardiser = Standardiser.of(raw)
    inputs = standardiser(raw)
    fit_one = fit_sparse_process if specification.engine == "sparse" else fit_process
    processes: list[Process | SparseProcess] = [
        fit_one(specification.kernel, inputs, output, seed=seed, optimiser=optimiser, learn_from=learn_from)
        for output in (coefficients / scale).T
    ]
    fitted = np.column_stack([process.posterior(inputs)[0] for process in processes]) * scale
    error = of_mean + basis.centre + fitted @ basis.vectors - data.log10_k
    share = explained_share(data.log10_k, data.log10_k + error)
    if not share > WORTHLESS_SHARE:
        raise FitError(
            f"{specification} does not explain its own training data",
            expected=f"an explained share above {WORTHLESS_SHARE}",
            got=f"{share:.2f} at the best optimum of several starts",
            todo="choose another kernel, or check the training rates",
        )
    return BasisModel(
        specification, mean, standardiser, data.transitions, rms(error), basis, scale, tuple(processes)
    )


def from_stored(
    state: dict[str, Any], arrays: Arrays, levels: Levels, reference: Reference | None
) -> BasisModel:
    """Return the model that `stored()` wrote; `levels` are the molecule's."""
    parts = FittedModel.read_parts(state, arrays, levels, reference)
    each = zip(arrays["outputs"].T, arrays["parameters"], state["log_marginal_likelihoods"], strict=True)
    common = [(state["kernel"], arrays["inputs"], *own) for own in each]
    processes: tuple[Process | SparseProcess, ...] = (
        tuple(SparseProcess(*one, arrays["inducing"]) for one in common)
        if "inducing" in arrays
        else tuple(Process(*one, state["learnt_from"]) for one in common)
    )
    return BasisModel(
        **vars(parts),
        basis=TemperatureBasis(
            arrays["basis_centre"], arrays["basis_vectors"], arrays["basis_rest_variance"]
        ),
        scale=arrays["scale"],
        processes=processes,
    )
