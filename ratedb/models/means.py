"""Prior means of log10 k by name, fitted by least squares at every temperature of the training set.

A process learns the residual of its mean, and returns to the mean far from its data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import least_squares

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import UsageError, did_you_mean
from ratedb.levels import Transitions
from ratedb.models.features import energy_gap_cm1, feature_map
from ratedb.models.process import random_rows
from ratedb.physics.wigner import squared_3j_000

MEANS = ("constant", "linear", "gap", "ios", "balanced")
"""Names of means: one value for each temperature; a plane in the physics features; an energy-gap law; the
infinite-order sudden law; a plane for (2j+1) k, which a transition and its reverse have in common where their
levels are close."""

# Relative to coefficients of standardised features: keeps the solution finite where features repeat each
# other.
_RIDGE = 1e-3
# Transitions that the seven numbers of a law are learnt from for one (v, v').
_LEARN_LAW_FROM = 500


class Mean(Protocol):
    """A fitted mean of log10 k."""

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""

    def arrays(self) -> dict[str, FloatArray]:
        """Return what `mean_from_arrays` makes the mean from."""


@dataclass(frozen=True, eq=False)
class LinearMean:
    """A plane in standardised features: `coefficients` has shape (1 + d, m), the constant first."""

    features: str
    centre: FloatArray
    spread: FloatArray
    coefficients: FloatArray

    @staticmethod
    def fit(features: str, transitions: Transitions, log10_k: FloatArray) -> LinearMean:
        """Fit by least squares with a slight ridge; `features` may be empty: a constant."""
        table = _table(features, transitions)
        centre, spread = table.mean(axis=0), table.std(axis=0)
        spread = np.where(spread > 1e-12, spread, 1.0)
        design = np.column_stack([np.ones(len(table)), (table - centre) / spread])
        ridge = _RIDGE * np.eye(design.shape[1])
        ridge[0, 0] = 0.0
        zeros = np.zeros((len(ridge), log10_k.shape[1]))
        coefficients = np.linalg.lstsq(np.vstack([design, ridge]), np.vstack([log10_k, zeros]), rcond=None)[0]
        return LinearMean(features, centre, spread, coefficients)

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""
        table = (_table(self.features, transitions) - self.centre) / self.spread
        return np.column_stack([np.ones(len(table)), table]) @ self.coefficients

    def arrays(self) -> dict[str, FloatArray]:
        """Return what `mean_from_arrays` makes the mean from."""
        return {"centre": self.centre, "spread": self.spread, "coefficients": self.coefficients}


def _table(features: str, transitions: Transitions) -> FloatArray:
    if not features:
        return np.zeros((len(transitions), 0))
    return feature_map(features)(transitions)


# Numbers of the IOS law: a, b, c for even and for odd L, and d; with the sizes by which they differ.
_LAW_SCALE = np.array([1.0, 1.0, 0.1, 0.1, 1.0, 1.0, 0.05])
_LAW_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class IosMean:
    """The infinite-order sudden law with an energy-gap factor, for each (v, v').

    k(j -> j') = (2j'+1) sum_L (j L j'; 0 0 0)^2 k(L -> 0) 10^(-d sqrt(gap)), with
    log10 k(L -> 0) = a_p + b_p (L-1) + c_p log10 L for L of parity p (Goldflam, Green & Kouri 1977, J. Chem.
    Phys. 67, 4149, for the sum). `channels` (c, 2) are the (v, v'); `laws` (c, m, 7) their numbers.
    """

    channels: IntArray
    laws: FloatArray

    @staticmethod
    def fit(transitions: Transitions, log10_k: FloatArray) -> IosMean:
        """Fit the seven numbers for each (v, v') and temperature, from the highest temperature down."""
        channel = _channels(transitions)
        known = np.unique(channel, axis=0)
        laws = np.empty((len(known), log10_k.shape[1], len(_LAW_SCALE)))
        for index, pair in enumerate(known):
            rows = np.flatnonzero((channel == pair).all(axis=1))
            rows = rows[random_rows(len(rows), 0, _LEARN_LAW_FROM)]
            laws[index] = _fit_laws(_Law(transitions.select(rows)), log10_k[rows])
        return IosMean(known, laws)

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return the mean of log10 k, shape (n, m); a (v, v') that was never fitted has the average law."""
        channel = _channels(transitions)
        result = np.empty((len(channel), self.laws.shape[1]))
        for pair in np.unique(channel, axis=0):
            rows = np.flatnonzero((channel == pair).all(axis=1))
            same = np.flatnonzero((self.channels == pair).all(axis=1))
            laws = self.laws[same[0]] if len(same) else self.laws.mean(axis=0)
            law = _Law(transitions.select(rows))
            for column, numbers in enumerate(laws):
                result[rows, column] = law.value(numbers)[0]
        return result

    def arrays(self) -> dict[str, FloatArray]:
        """Return what `mean_from_arrays` makes the mean from."""
        return {"channels": self.channels.astype(np.float64), "laws": self.laws}


def _channels(transitions: Transitions) -> IntArray:
    v, _ = transitions.levels.need_vj()
    return np.column_stack([v[transitions.upper], v[transitions.lower]])


class _Law:
    """The IOS law on given transitions: weights of each L and terms of log10 k(L -> 0)."""

    def __init__(self, transitions: Transitions) -> None:
        _, j = transitions.levels.need_vj()
        initial, final = j[transitions.upper], j[transitions.lower]
        orders: IntArray = np.arange(int((initial + final).max()) + 1)
        squares = squared_3j_000(initial[:, None], orders[None, :], final[:, None])
        self.weights = (2 * final + 1)[:, None] * squares
        odd = orders % 2 == 1
        logarithm = np.log10(np.maximum(orders, 0.5))  # L = 0 occurs between vibrational states
        columns = [np.ones(len(orders)), orders - 1.0, logarithm]
        self.terms = np.stack([column * side for column in columns for side in (~odd, odd)], axis=1)
        self.root_gap = np.sqrt(energy_gap_cm1(transitions))

    def value(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log10 k, shape (n,), and its derivatives by the seven numbers, shape (n, 7)."""
        rate_of_order = 10.0 ** np.clip(self.terms @ numbers[:6], -60.0, 20.0)
        parts = self.weights * rate_of_order
        total = parts.sum(axis=1) + 1e-300
        derivative = np.column_stack([(parts @ self.terms) / total[:, None], -self.root_gap])
        return np.log10(total) - numbers[6] * self.root_gap, derivative


def _fit_laws(law: _Law, log10_k: FloatArray) -> FloatArray:
    typical = float(log10_k.mean())
    start = np.array([typical, typical, -0.05, -0.05, -0.5, -0.5, 0.0]) / _LAW_SCALE
    # A weak pull to the start keeps numbers without data (one parity only) finite.
    pull = _LAW_TOLERANCE * np.eye(len(start))
    result = np.empty((log10_k.shape[1], len(start)))
    numbers = start
    for column in range(log10_k.shape[1] - 1, -1, -1):
        truth = log10_k[:, column]

        def residual(scaled: FloatArray, truth: FloatArray = truth) -> FloatArray:
            value, _ = law.value(scaled * _LAW_SCALE)
            return np.concatenate([value - truth, _LAW_TOLERANCE * (scaled - start)])

        def jacobian(scaled: FloatArray) -> FloatArray:
            return np.vstack([law.value(scaled * _LAW_SCALE)[1] * _LAW_SCALE, pull])

        numbers = least_squares(residual, numbers, jac=jacobian, max_nfev=60).x
        result[column] = numbers * _LAW_SCALE
    return result


@dataclass(frozen=True, eq=False)
class BalancedMean:
    """A plane for log10 of (2j+1) k, j the initial one: detailed balance makes that of both directions equal.

    Where levels of two vibrational states cross in energy, k itself jumps by the ratio of their weights.
    """

    plane: LinearMean

    @staticmethod
    def fit(features: str, transitions: Transitions, log10_k: FloatArray) -> BalancedMean:
        """Fit the plane by least squares."""
        return BalancedMean(LinearMean.fit(features, transitions, log10_k + _log10_weight(transitions)))

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""
        return self.plane(transitions) - _log10_weight(transitions)

    def arrays(self) -> dict[str, FloatArray]:
        """Return what `mean_from_arrays` makes the mean from."""
        return self.plane.arrays()


def _log10_weight(transitions: Transitions) -> FloatArray:
    """Return log10 of the number of initial states, shape (n, 1)."""
    return np.asarray(np.log10(2.0 * transitions.vj()[:, 1:2] + 1.0))


@dataclass(frozen=True, eq=False)
class ReferenceMean:
    """Another data set as the prior mean, and an ordinary mean of the log ratio to it.

    `reference` returns log10 k of the other data set for transitions, shape (n, m).
    """

    reference: Callable[[Transitions], FloatArray]
    ratio: Mean

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""
        return self.reference(transitions) + self.ratio(transitions)

    def arrays(self) -> dict[str, FloatArray]:
        """Return the arrays of the ratio's mean; the reference is kept once for all members."""
        return self.ratio.arrays()


def fitted_numbers(mean: Mean) -> int:
    """Return how many numbers of a mean were fitted."""
    return sum(array.size for name, array in mean.arrays().items() if name in ("coefficients", "laws"))


REFERENCE = "prior+"
"""What the name of a mean over another data set begins with, as in `prior+linear`."""


def check_mean(name: str) -> str:
    """Return the name of a mean; raises UsageError where there is none of that name."""
    if name.removeprefix(REFERENCE) not in MEANS:
        known = ["auto", *MEANS]
        raise UsageError("unknown mean", expected=", ".join(known), got=name, todo=did_you_mean(name, known))
    return name


def fit_mean(
    name: str,
    transitions: Transitions,
    log10_k: FloatArray,
    reference: Callable[[Transitions], FloatArray] | None = None,
) -> Mean:
    """Return the named mean, fitted to curves of shape (n, m)."""
    if name.startswith(REFERENCE):
        if reference is None:
            raise UsageError(f"the mean {name} needs another data set", expected="--prior SYSTEM", got="none")
        ratio = fit_mean(name.removeprefix(REFERENCE), transitions, log10_k - reference(transitions))
        return ReferenceMean(reference, ratio)
    if check_mean(name) == "ios":
        return IosMean.fit(transitions, log10_k)
    if name == "balanced":
        return BalancedMean.fit(_PLANE[name], transitions, log10_k)
    return LinearMean.fit(_PLANE[name], transitions, log10_k)


_PLANE = {"constant": "", "linear": "physics", "gap": "gap", "balanced": "balance"}


def mean_from_arrays(
    name: str, arrays: dict[str, FloatArray], reference: Callable[[Transitions], FloatArray] | None
) -> Mean:
    """Return the mean that `arrays()` was taken from."""
    if name.startswith(REFERENCE):
        if reference is None:
            raise KeyError("reference")
        return ReferenceMean(reference, mean_from_arrays(name.removeprefix(REFERENCE), arrays, None))
    if name == "ios":
        return IosMean(arrays["channels"].astype(np.int64), arrays["laws"])
    plane = LinearMean(_PLANE[name], arrays["centre"], arrays["spread"], arrays["coefficients"])
    return BalancedMean(plane) if name == "balanced" else plane
