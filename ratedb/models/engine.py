"""What the engines have in common: what they are given, and what a fitted one can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ratedb.models.features import Transitions
from ratedb.tables import FloatArray, IntArray

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


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Complete training curves: log10 k, shape (n, m), of transitions, at m temperatures."""

    transitions: Transitions
    temperature_k: FloatArray
    log10_k: FloatArray
    reference: Reference | None = None

    def select(self, rows: IntArray) -> TrainingData:
        """Return some of the transitions."""
        return TrainingData(
            self.transitions.select(rows), self.temperature_k, self.log10_k[rows], self.reference
        )

    def initial_j(self) -> IntArray:
        """Return the initial j of each transition, shape (n,)."""
        _, j = self.transitions.levels.need_vj()
        initial: IntArray = j[self.transitions.upper]
        return initial


class Curves(NamedTuple):
    """Predicted log10 k: mean and variance, shape (n, m) each."""

    mean: FloatArray
    variance: FloatArray


class Fitted(Protocol):
    """One fitted model: it predicts curves, and is plain data.

    `log_likelihood` is the marginal likelihood of log10 k; `parameters` the number of numbers that were
    fitted; both for the information criterion. `training_dex_rms` is the error on its own training data.
    """

    @property
    def specification(self) -> Specification:
        """What was fitted."""
        ...

    @property
    def training(self) -> Transitions:
        """The training transitions."""
        ...

    @property
    def log_likelihood(self) -> float:
        """The log marginal likelihood of the curves the parameters were learnt from."""
        ...

    @property
    def likelihood_values(self) -> int:
        """How many values the likelihood is of."""
        ...

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        ...

    @property
    def training_dex_rms(self) -> float:
        """The root mean square error on the training curves, in dex."""
        ...

    def curves(self, transitions: Transitions) -> Curves:
        """Return the posterior mean and variance, noise included, of log10 k."""
        ...

    def covariance(self, transitions: Transitions) -> FloatArray:
        """Return the posterior covariance of log10 k between temperatures, shape (n, m, m)."""
        ...

    def leave_out(self, groups: IntArray) -> Curves:
        """Return the curves of the training transitions, each predicted without its group."""
        ...

    def without_caches(self) -> Fitted:
        """Return the model without what can be computed again: it is smaller to keep and to send."""
        ...

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""
        ...


def explained_share(log10_k: FloatArray, fitted: FloatArray) -> float:
    """Return which share of the training curves' variance about their mean curve a fit explains."""
    total = float(((log10_k - log10_k.mean(axis=0)) ** 2).sum())
    return 1.0 - float(((log10_k - fitted) ** 2).sum()) / total if total > 0 else 1.0


def rms(error: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt((error**2).mean()))
