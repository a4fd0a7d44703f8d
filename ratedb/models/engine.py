"""What engines share: specification, training data, fitted parts, and the protocol of a fitted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels, Transitions
from ratedb.models.features import Standardiser
from ratedb.models.means import Mean, fit_mean, mean_from_arrays
from ratedb.rates import Rates

Arrays = dict[str, npt.NDArray[Any]]

Reference = Callable[[Transitions], FloatArray]
"""Another data set as prior mean: log10 k of transitions, shape (n, m)."""


@dataclass(frozen=True)
class Specification:
    """What to fit: the engine, the kernel as text, and the names of feature map and mean."""

    engine: str
    kernel: str
    features: str
    mean: str

    def __str__(self) -> str:
        return f"{self.kernel}, {self.features} features, {self.mean} mean"


# With more training j than this, several form a fold.
_MOST_FOLDS = 10


class FittedMean(NamedTuple):
    """A fitted mean and its values of the training transitions, shape (n, m)."""

    mean: Mean
    values: FloatArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Complete training curves: log10 k, shape (n, m), of transitions, at m temperatures.

    `means` are fitted means by name, `left_out` their values, shape (n, m), by name and by the fold they were
    fitted without. Models share them; missing ones are fitted on demand.
    """

    transitions: Transitions
    temperature_k: FloatArray
    log10_k: FloatArray
    reference: Reference | None = None
    means: Mapping[str, FittedMean] = field(default_factory=dict)
    left_out: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)

    @staticmethod
    def of(complete: Rates, reference: Reference | None = None) -> TrainingData:
        """Return rates that have every temperature as training data."""
        transitions = complete.transitions
        return TrainingData(transitions, complete.temperature_k, np.log10(complete.rate_cm3_s), reference)

    def joined(self, more: Rates) -> TrainingData:
        """Return the data with more transitions at the same temperatures, those without gaps or zeros."""
        k = more.rate_cm3_s
        rows = np.flatnonzero((np.isfinite(k) & (k > 0)).all(axis=1))
        own = self.transitions
        both = Transitions(
            own.levels,
            np.concatenate([own.upper, more.upper[rows]]),
            np.concatenate([own.lower, more.lower[rows]]),
        )
        log10_k = np.concatenate([self.log10_k, np.log10(k[rows])])
        return TrainingData(both, self.temperature_k, log10_k, self.reference)

    def select(self, rows: IntArray) -> TrainingData:
        """Return some of the transitions; means have to be fitted again."""
        return TrainingData(
            self.transitions.select(rows), self.temperature_k, self.log10_k[rows], self.reference
        )

    def initial_j(self) -> IntArray:
        """Return the initial j of each transition, shape (n,)."""
        return self.transitions.initial_j()

    def folds(self) -> IntArray:
        """Return the fold of each transition, shape (n,): one for each initial j, every tenth j of many."""
        _, place = np.unique(self.initial_j(), return_inverse=True)
        folds: IntArray = place % _MOST_FOLDS
        return folds

    def mean(self, name: str) -> FittedMean:
        """Return the named mean, fitted to all transitions."""
        if name in self.means:
            return self.means[name]
        mean = fit_mean(name, self.transitions, self.log10_k, self.reference)
        return FittedMean(mean, mean(self.transitions))

    def mean_without(self, name: str, fold: int) -> FloatArray:
        """Return the values, shape (n, m), of the named mean, fitted to the other folds' transitions."""
        if (name, fold) in self.left_out:
            return self.left_out[name, fold]
        others = self.select(np.flatnonzero(self.folds() != fold))
        return others.mean(name).mean(self.transitions)

    def left_out_folds(self, name: str) -> Iterator[LeftOut]:
        """Yield each fold, with the named mean fitted to the other folds."""
        folds = self.folds()
        for fold in np.unique(folds).tolist():
            rows = folds == fold
            mean = self.mean_without(name, fold)
            yield LeftOut(rows, mean[rows], (self.log10_k - mean)[~rows])


class LeftOut(NamedTuple):
    """A fold: its rows, shape (n,), the mean of these rows, and the residual of the others."""

    rows: BoolArray
    mean: FloatArray
    rest: FloatArray


class Curves(NamedTuple):
    """Predicted log10 k: mean and variance, shape (n, m) each."""

    mean: FloatArray
    variance: FloatArray


class Fitted(Protocol):
    """One fitted model of any engine: it predicts curves of log10 k, and is stored as plain values."""

    @property
    def specification(self) -> Specification:
        """What was fitted."""

    @property
    def training(self) -> Transitions:
        """The training transitions."""

    @property
    def log_likelihood(self) -> float:
        """The log marginal likelihood of the curves that the parameters were learnt from."""

    @property
    def likelihood_values(self) -> int:
        """The number of values that the likelihood is of."""

    @property
    def parameters(self) -> int:
        """The number of fitted numbers, for the information criterion."""

    @property
    def training_dex_rms(self) -> float:
        """The root mean square error on the training curves, in dex."""

    def curves(self, transitions: Transitions) -> Curves:
        """Return the posterior mean and variance, noise included."""

    def covariance(self, transitions: Transitions) -> FloatArray:
        """Return the posterior covariance between temperatures, shape (n, m, m)."""

    def sample(self, transitions: Transitions, count: int, draw: np.random.Generator) -> FloatArray:
        """Return joint samples, shape (count, n, m); raises RatedbError where the engine has none."""

    def leave_out(self, data: TrainingData) -> Curves:
        """Return the training curves, each predicted without its fold, to which the mean is fitted anew."""

    def conditioned(self, data: TrainingData) -> Fitted:
        """Return the model with the same hyperparameters, given other curves; the mean is fitted to these."""

    def without_caches(self) -> Fitted:
        """Return the model without what can be computed again: smaller to keep and to send."""

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""


@dataclass(frozen=True, eq=False)
class FittedModel:
    """What models of all engines have: a mean, standardised features, and what they were trained on."""

    specification: Specification
    mean: Mean
    standardiser: Standardiser
    training: Transitions
    training_dex_rms: float

    def stored_parts(self) -> tuple[dict[str, Any], Arrays]:
        """Return these parts as JSON values and arrays."""
        arrays: Arrays = {
            "feature_centre": self.standardiser.mean,
            "feature_spread": self.standardiser.spread,
            "feature_keep": self.standardiser.keep,
            "upper": self.training.upper,
            "lower": self.training.lower,
        }
        arrays |= {f"mean_{name}": array for name, array in self.mean.arrays().items()}
        return {**vars(self.specification), "training_dex_rms": self.training_dex_rms}, arrays

    @staticmethod
    def read_parts(
        state: dict[str, Any], arrays: Arrays, levels: Levels, reference: Reference | None
    ) -> FittedModel:
        """Return the parts that `stored_parts` gave; `levels` are the molecule's."""
        specification = Specification(state["engine"], state["kernel"], state["features"], state["mean"])
        own = {name.removeprefix("mean_"): arrays[name] for name in arrays if name.startswith("mean_")}
        keep = arrays["feature_keep"].astype(np.int64)
        return FittedModel(
            specification,
            mean_from_arrays(specification.mean, own, reference),
            Standardiser(arrays["feature_centre"], arrays["feature_spread"], keep),
            Transitions(levels, arrays["upper"].astype(np.int64), arrays["lower"].astype(np.int64)),
            state["training_dex_rms"],
        )


def no_joint_samples(engine: str) -> RatedbError:
    """Return the error of a model without a joint posterior of transitions."""
    return RatedbError(
        "this model gives no joint samples",
        expected="a model of the engine basis",
        got=engine,
        todo="train one with --engine basis",
    )


WORTHLESS_SHARE = 0.5
"""A fit that explains no more than this share of its own training curves' variance is refused."""


def explained_share(log10_k: FloatArray, fitted: FloatArray) -> float:
    """Return which share of the training curves' variance about their mean curve a fit explains."""
    total = float(((log10_k - log10_k.mean(axis=0)) ** 2).sum())
    return 1.0 - float(((log10_k - fitted) ** 2).sum()) / total if total > 0 else 1.0


def rms(error: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt((error**2).mean()))
