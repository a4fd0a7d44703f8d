"""Judge training sets before any of them is computed: by the posterior variance of a Gaussian process.

The variance of a prediction depends on which transitions were trained, not on their rates. So with
hyperparameters from the given j, or from another system, any set of j can be judged in advance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, solve_triangular

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import FitError, RatedbError, UsageError
from ratedb.levels import Levels, Transitions, vj
from ratedb.models.basis import TemperatureBasis
from ratedb.models.covariance import Covariance
from ratedb.models.engine import TrainingData
from ratedb.models.features import Standardiser, feature_map
from ratedb.models.process import fit_process, noise_variance
from ratedb.planning.sets import validation_set

# As rough as real rates: of RBF, Matern 5/2 and 3/2 its choices depended least on the origin of the
# hyperparameters.
_KERNEL = "M32"
# Prior variance of the mean's coefficients, in units of the outputs: so large that they are unknown.
_VAGUE = 1e3
_LEAST_TRANSITIONS = 6
_LEAST_SPREAD_DEX = 1e-9


class DesignSet(NamedTuple):
    """A training set, its validation set, and the expected root mean square error of the rest in dex."""

    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    expected_dex: float


@dataclass(frozen=True, eq=False)
class Hyperparameters:
    """The process that describes a data set, over standardised features.

    `parameters` are logarithms, of the kernel and of the noise; `keep` the features that vary; `spread_dex`
    is the root mean square residual of a linear mean, in dex.
    """

    features: str
    parameters: FloatArray
    keep: IntArray
    spread_dex: float


def learn(data: TrainingData, features: str, target: Transitions) -> Hyperparameters:
    """Return the likeliest hyperparameters of a data set, for features standardised over the target.

    Raises RatedbError where the data set is too small, FitError where its rates do not vary.
    """
    if len(data.transitions) < _LEAST_TRANSITIONS or len(set(data.initial_j().tolist())) < 2:
        raise RatedbError(
            "too little is known to learn from",
            expected=f"rates out of two or more j, at least {_LEAST_TRANSITIONS} transitions",
            got=f"{len(data.transitions)} transitions",
            todo="import more low j, or name a similar known system with --like",
        )
    standardiser = Standardiser.of(feature_map(features)(target))
    inputs = standardiser(feature_map(features)(data.transitions))
    left = data.log10_k - data.mean("linear").values
    coefficients = TemperatureBasis.of(left).coefficients(left)
    spread = float(np.sqrt((coefficients[:, 0] ** 2).mean()))
    if not spread > _LEAST_SPREAD_DEX:
        raise FitError("the known rates are all alike", expected="rates that differ", got="no spread")
    # The first coefficient has nearly all of the variance, so its process represents all.
    process = fit_process(_KERNEL, inputs, coefficients[:, 0] / spread)
    total = float(np.sqrt((coefficients**2).sum(axis=1).mean() / len(data.temperature_k)))
    return Hyperparameters(features, process.parameters, standardiser.keep, total)


@dataclass(frozen=True, eq=False)
class Design:
    """The transitions of a target and the process assumed for them; `given` j are already computed.

    Raises RatedbError where the hyperparameters are of a system with other quantum numbers.
    """

    transitions: Transitions
    hyperparameters: Hyperparameters
    target: tuple[int, ...]
    given: tuple[int, ...]

    def __post_init__(self) -> None:
        standardiser = Standardiser.of(feature_map(self.hyperparameters.features)(self.transitions))
        if not np.array_equal(standardiser.keep, self.hyperparameters.keep):
            raise RatedbError(
                "the hyperparameters are of a system with other quantum numbers",
                where=self.transitions.levels.molecule,
                expected=f"features {standardiser.keep.tolist()} that vary",
                got=str(self.hyperparameters.keep.tolist()),
                todo="name another --like, or another --v-max",
            )

    @cached_property
    def initial_j(self) -> IntArray:
        """The initial j of each transition, shape (n,)."""
        return self.transitions.initial_j()

    @cached_property
    def noise(self) -> float:
        """The noise variance of the process with unit spread."""
        return noise_variance(self.hyperparameters.parameters)

    @cached_property
    def prior(self) -> FloatArray:
        """The covariance of the transitions, shape (n, n), with a linear mean of unknown coefficients."""
        table = feature_map(self.hyperparameters.features)(self.transitions)
        inputs = Standardiser.of(table)(table)
        kernel = Covariance(_KERNEL, inputs.shape[1])
        plane = np.column_stack([np.ones(len(inputs)), inputs])
        result: FloatArray = kernel.matrix(self.hyperparameters.parameters[:-1], inputs)
        return result + _VAGUE * plane @ plane.T

    @cached_property
    def _rows(self) -> dict[int, IntArray]:
        return {j: np.flatnonzero(self.initial_j == j) for j in self.target}

    def given_all(self, train_j: Sequence[int]) -> FloatArray:
        """Return the covariance of the transitions when these j are known."""
        covariance = self.prior
        for j in train_j:
            covariance = self.given_one(covariance, j)
        return covariance

    def given_one(self, covariance: FloatArray, j: int) -> FloatArray:
        """Return a covariance when the transitions out of one more j are known."""
        explained = self._explained(covariance, j)
        return covariance - explained.T @ explained

    def variance_given(self, covariance: FloatArray, j: int) -> FloatArray:
        """Return the variances, shape (n,), when the transitions out of one more j are known."""
        left: FloatArray = np.diag(covariance) - (self._explained(covariance, j) ** 2).sum(axis=0)
        return left

    def _explained(self, covariance: FloatArray, j: int) -> FloatArray:
        rows = self._rows[j]
        own = covariance[np.ix_(rows, rows)]
        own[np.diag_indices_from(own)] += self.noise
        factor, failed = lapack.dpotrf(own, lower=1)
        if failed:
            raise FitError(f"the covariance of j = {j} has no Cholesky factor", todo="choose another --like")
        result: FloatArray = solve_triangular(factor, covariance[rows], lower=True, check_finite=False)
        return result

    def validation(self, train_j: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the validation set of a training set, None where there is no room for one."""
        try:
            found = validation_set(self.target, self.given, train_j)
        except UsageError:
            return None
        left = set(self.target) - {*train_j, *found, *self.given}
        return found if left else None

    def expected(self, variance: FloatArray, known: Sequence[int]) -> float:
        """Return the expected root mean square error, in dex, of all j but these and the given ones."""
        left = variance[~np.isin(self.initial_j, (*known, *self.given))]
        mean = max(float(left.mean()), 0.0) + self.noise
        return self.hyperparameters.spread_dex * float(np.sqrt(mean))

    def judge(self, train_j: tuple[int, ...]) -> DesignSet | None:
        """Return the expected error of one training set, None where there is no room for a validation set."""
        *first, last = train_j
        return self.judge_one_more(self.given_all(first), first, last)

    def judge_one_more(self, covariance: FloatArray, train_j: Sequence[int], j: int) -> DesignSet | None:
        """Return the expected error of a set and one more j, from the covariance when the set is known."""
        more = tuple(sorted((*train_j, j)))
        validate_j = self.validation(more)
        if validate_j is None:
            return None
        variance = self.variance_given(covariance, j)
        return DesignSet(more, validate_j, self.expected(variance, (*more, *validate_j)))


def target_transitions(
    levels: Levels | None, target: tuple[int, ...], v_max: int, even_only: bool, molecule: str
) -> Transitions:
    """Return the downward transitions out of the target's j; without levels those of a rigid rotor.

    Features are standardised, so the rotor's constant does not matter. `even_only` leaves out odd j' - j.
    Raises RatedbError where the levels do not reach the target, or `v_max` needs levels.
    """
    if levels is None:
        if v_max:
            raise RatedbError(
                f"the levels of {molecule} are not in the store",
                expected="levels with v and j, for --v-max above 0",
                got="none",
                todo="import a file of this molecule, with any collider",
            )
        j = np.arange(target[-1] + 1)
        energy = (j * (j + 1)).astype(np.float64)
        levels = Levels(molecule, tuple(map(str, j)), energy, 2.0 * j + 1.0, vj(np.zeros_like(j), j))
    v, j = levels.need_vj()
    pairs = levels.downward_pairs()
    upper, lower = pairs.upper, pairs.lower
    wanted = np.isin(j[upper], target) & (v[upper] <= v_max) & (j[lower] <= target[-1])
    if even_only:
        wanted &= (j[upper] - j[lower]) % 2 == 0
    lacking = sorted(set(target) - set(j[upper[wanted]].tolist()) - {0})
    if lacking:
        raise RatedbError(
            f"the levels of {molecule} do not reach the target",
            expected=f"levels with v <= {v_max} and j up to {target[-1]}",
            got=f"no transitions out of j = {', '.join(map(str, lacking))}",
            todo="narrow --j",
        )
    return pairs.select(wanted)
