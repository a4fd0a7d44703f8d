"""The corpus candidate: the sudden law with a prior from other molecules, and a process with their kernel.

Nothing is searched for. The law's numbers at each temperature and the variances of the kernel's parts are the
most probable ones; the spread of the law's numbers is a part of the predicted variance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_solve

from ratedb.arrays import BoolArray, FloatArray
from ratedb.levels import Levels, Transitions
from ratedb.models.corpus.fit import LawFit, covariances, fit_law, fit_log_variances
from ratedb.models.corpus.kernel import KernelShape, scaled_temperature
from ratedb.models.corpus.law import SuddenLaw, rotational_constant
from ratedb.models.corpus.table import Corpus, Prior
from ratedb.models.engine import Arrays, Curves, Specification, TrainingData, rms
from ratedb.models.process import random_rows

CORPUS = Specification("corpus", "corpus", "corpus", "sudden")
"""What the candidate is called among others."""

_LEARN_FROM = 200
_LEARN_TEMPERATURES = 5
# Errors at two temperatures are correlated over about this distance in ln T.
_CORRELATION_LENGTH = 1.5
_LEAST_VARIANCE = 1e-10
_AT_ONCE = 1000


def applies(transitions: Transitions) -> bool:
    """Return whether the corpus knows such transitions: those of a rotor within one vibrational state."""
    v, _, v_final, _ = transitions.vj().T
    if len(np.unique(np.concatenate([v, v_final]))) != 1:
        return False
    return rotational_constant(transitions.levels) > 0


@dataclass(frozen=True, eq=False)
class CorpusModel:
    """A fitted model: what it is conditioned on, the prior of its law, and the variances of its kernel.

    `log10_k` (n, m) are the training curves at `temperature_k` (m,), `log_variance` (5,) those of the parts.
    """

    training: Transitions
    temperature_k: FloatArray
    log10_k: FloatArray
    prior: Prior
    kernel: KernelShape
    log_variance: FloatArray

    specification = CORPUS
    log_likelihood = float("-inf")  # not comparable with models without a prior of their law
    parameters = 0

    @property
    def likelihood_values(self) -> int:
        """The number of values it was fitted to."""
        return int(self.log10_k.size)

    @cached_property
    def training_dex_rms(self) -> float:
        """The root mean square error on the training curves, in dex."""
        return rms(self.curves(self.training).mean - self.log10_k)

    @cached_property
    def _constant(self) -> float:
        return rotational_constant(self.training.levels)

    @cached_property
    def _amplitudes(self) -> FloatArray:
        return self.kernel.amplitudes(
            self.log_variance, scaled_temperature(self.temperature_k, self._constant)
        )

    def _law(self, transitions: Transitions) -> SuddenLaw:
        return SuddenLaw(transitions, self._constant)

    @cached_property
    def _fit(self) -> LawFit:
        covariance = covariances(self.kernel.parts(self.training), self._amplitudes)
        return fit_law(self._law(self.training), self.log10_k, self.prior, covariance)

    def curves(self, transitions: Transitions) -> Curves:
        """Return the posterior mean and variance, noise included, of log10 k."""
        # In blocks: the covariances of all training with all wanted transitions need not fit into memory.
        blocks = np.array_split(np.arange(len(transitions)), max(1, -(-len(transitions) // _AT_ONCE)))
        each = [self._block(transitions.select(rows)) for rows in blocks]
        return Curves(*(np.concatenate(part) for part in zip(*each, strict=True)))

    def _block(self, transitions: Transitions) -> Curves:
        mean, variance = np.empty((2, len(transitions), len(self.temperature_k)))
        prior = self.kernel.variances(transitions)
        for k, (value, cross, solved, slopes) in enumerate(self._each(transitions)):
            mean[:, k] = value + solved.T @ self._fit.residual[:, k]
            of_law = np.einsum("ia,ab,ib->i", slopes, self._fit.covariance[k], slopes)
            rest = self._amplitudes[k] @ prior - (cross.T * solved.T).sum(axis=1)
            variance[:, k] = np.maximum(rest, _LEAST_VARIANCE) + of_law
        return Curves(mean, variance)

    def _each(self, transitions: Transitions) -> Any:
        """Yield at each temperature the law, covariances with the training (n, p), these solved, and slopes.

        Slopes are by the law numbers, of what is left after conditioning on the training transitions.
        """
        law = self._law(transitions)
        cross = covariances(self.kernel.parts(self.training, transitions), self._amplitudes)
        for k, each in enumerate(cross):
            value, slopes = law.value_and_slopes(self._fit.numbers[k])
            solved = cho_solve(self._fit.factors[k], each, check_finite=False)
            yield value, each, solved, slopes - solved.T @ self._fit.slopes[k]

    def covariance(self, transitions: Transitions) -> FloatArray:
        """Return the covariance of log10 k between temperatures, shape (n, m, m)."""
        deviation = np.sqrt(self.curves(transitions).variance)
        return np.asarray(deviation[:, :, None] * deviation[:, None, :] * self._correlation)

    @cached_property
    def _correlation(self) -> FloatArray:
        log_t = np.log(self.temperature_k)
        return np.asarray(np.exp(-np.abs(log_t[:, None] - log_t[None, :]) / _CORRELATION_LENGTH))

    def sample(self, transitions: Transitions, count: int, draw: np.random.Generator) -> FloatArray:
        """Return joint samples, shape (count, n, m), of the posterior of log10 k, noise included."""
        n, m = len(transitions), len(self.temperature_k)
        root = np.linalg.cholesky(self._correlation + 1e-9 * np.eye(m))
        normal = draw.standard_normal((count, n, m)) @ root.T
        own = covariances(self.kernel.parts(transitions), self._amplitudes)
        result = np.empty((count, n, m))
        for k, (value, cross, solved, slopes) in enumerate(self._each(transitions)):
            left = own[k] - cross.T @ solved + slopes @ self._fit.covariance[k] @ slopes.T
            spread, vectors = np.linalg.eigh(0.5 * (left + left.T))
            mean = value + solved.T @ self._fit.residual[:, k]
            result[:, :, k] = mean + (normal[:, :, k] * np.sqrt(np.maximum(spread, 0.0))) @ vectors.T
        return result

    def conditioned(self, data: TrainingData) -> CorpusModel:
        """Return the model with the same prior and variances, given other curves."""
        return replace(self, training=data.transitions, log10_k=data.log10_k)

    def leave_out(self, data: TrainingData) -> Curves:
        """Return the training curves, each predicted without its fold; the variances stay."""
        result = Curves(np.empty_like(data.log10_k), np.empty_like(data.log10_k))
        folds = data.folds()
        for fold in np.unique(folds):
            rows = folds == fold
            part = self._without(rows, data)
            result.mean[rows], result.variance[rows] = part.mean, part.variance
        return result

    def _without(self, rows: BoolArray, data: TrainingData) -> Curves:
        wanted = data.transitions.select(np.flatnonzero(rows))
        if not rows.all():
            return self.conditioned(data.select(np.flatnonzero(~rows))).curves(wanted)
        law, k = self._law(wanted), len(self.temperature_k)
        each = [law.value_and_slopes(self.prior.numbers[column]) for column in range(k)]
        of_law = [np.einsum("ia,ab,ib->i", slopes, self.prior.covariance, slopes) for _, slopes in each]
        own = self._amplitudes @ self.kernel.variances(wanted)
        return Curves(np.stack([value for value, _ in each], axis=1), np.stack(of_law, axis=1) + own.T)

    def without_caches(self) -> CorpusModel:
        """Return the model without what can be computed again."""
        return replace(self)

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""
        arrays: Arrays = {
            "upper": self.training.upper,
            "lower": self.training.lower,
            "temperature_k": self.temperature_k,
            "log10_k": self.log10_k,
            "log_variance": self.log_variance,
        }
        arrays |= {f"prior_{name}": array for name, array in vars(self.prior).items()}
        return {**vars(CORPUS), "kernel_shape": asdict(self.kernel)}, arrays


def fit(data: TrainingData, corpus: Corpus, *, seed: int = 0) -> CorpusModel:
    """Fit law numbers and variances to training curves; raises RatedbError where the corpus is too small."""
    constant = rotational_constant(data.transitions.levels)
    prior = corpus.prior(data.temperature_k, constant)
    rows = random_rows(len(data.transitions), seed, _LEARN_FROM)
    some, m = data.transitions.select(rows), len(data.temperature_k)
    columns = np.unique(np.linspace(0, m - 1, _LEARN_TEMPERATURES).round().astype(int))
    scaled = scaled_temperature(data.temperature_k[columns], constant)
    log_variance, _ = fit_log_variances(
        SuddenLaw(some, constant),
        data.log10_k[np.ix_(rows, columns)],
        replace(prior, numbers=prior.numbers[columns]),
        corpus.kernel.parts(some),
        lambda at: corpus.kernel.amplitudes(at, scaled),
    )
    return CorpusModel(data.transitions, data.temperature_k, data.log10_k, prior, corpus.kernel, log_variance)


def from_stored(state: dict[str, Any], arrays: Arrays, levels: Levels) -> CorpusModel:
    """Return the model that `stored()` wrote; `levels` are the molecule's."""
    shape = state["kernel_shape"]
    prior = {name.removeprefix("prior_"): arrays[name] for name in arrays if name.startswith("prior_")}
    return CorpusModel(
        Transitions(levels, arrays["upper"].astype(np.int64), arrays["lower"].astype(np.int64)),
        arrays["temperature_k"],
        arrays["log10_k"],
        Prior(**prior),
        KernelShape(**{**shape, "slopes": tuple(shape["slopes"])}),
        arrays["log_variance"],
    )
