"""Choose training j before any of them is computed: by the posterior variance of a Gaussian process.

The variance of what a process predicts depends on where it was trained, not on the rates there. So with
hyperparameters from the j at hand, or from another system, any set of j can be judged in advance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, solve_triangular

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import FitError, RatedbError, UsageError
from ratedb.levels import Levels, Transitions, vj
from ratedb.models.basis import TemperatureBasis
from ratedb.models.covariance import Covariance
from ratedb.models.engine import TrainingData
from ratedb.models.features import Standardiser, feature_map
from ratedb.models.process import fit_process
from ratedb.planning.sets import anchors, validation_set

# Rough enough for real rates: of RBF, Matern 5/2 and 3/2 its choices depended least on where the
# hyperparameters came from.
_KERNEL = "M32"
# Prior variance of the mean's coefficients, in units of the outputs': in effect unknown.
_VAGUE = 1e3
_LEAST_TRANSITIONS = 6
_LEAST_SPREAD_DEX = 1e-9
# Multiplications that the search of all sets may take: some ten seconds.
_MOST_WORK = 1e11
_MOST_SWEEPS = 10


class DesignSet(NamedTuple):
    """A training set, its validation set, and the expected root mean square error of the rest in dex."""

    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    expected_dex: float


@dataclass(frozen=True, eq=False)
class Hyperparameters:
    """What is learnt about rates from a data set: the process over standardised features.

    `parameters` are logarithms, of the kernel and of the noise; `keep` the features that vary; `spread_dex`
    is the root mean square, in dex, of what a linear mean leaves over.
    """

    features: str
    parameters: FloatArray
    keep: IntArray
    spread_dex: float


def learn(data: TrainingData, features: str, target: Transitions) -> Hyperparameters:
    """Return the hyperparameters that explain a data set best, for features in units of the target's spread.

    Raises RatedbError where the data set is too small.
    """
    if len(data.transitions) < _LEAST_TRANSITIONS or len(set(data.initial_j().tolist())) < 2:
        raise RatedbError(
            "too little is known to learn from",
            expected=f"rates out of two or more j, {_LEAST_TRANSITIONS} transitions or more",
            got=f"{len(data.transitions)} transitions",
            todo="import more low j, or name a similar system that is known with --like",
        )
    standardiser = Standardiser.of(feature_map(features)(target))
    inputs = standardiser(feature_map(features)(data.transitions))
    left = data.log10_k - data.mean("linear").values
    coefficients = TemperatureBasis.of(left).coefficients(left)
    spread = float(np.sqrt((coefficients[:, 0] ** 2).mean()))
    if not spread > _LEAST_SPREAD_DEX:
        raise FitError("the rates at hand are all alike", expected="rates that differ", got="no spread")
    # The first coefficient has nearly all of the variance, so its process speaks for all.
    process = fit_process(_KERNEL, inputs, coefficients[:, 0] / spread)
    total = float(np.sqrt((coefficients**2).sum(axis=1).mean() / len(data.temperature_k)))
    return Hyperparameters(features, process.parameters, standardiser.keep, total)


@dataclass(frozen=True, eq=False)
class Design:
    """The transitions to be known and what is assumed of them; `given` j cost nothing.

    Raises RatedbError where hyperparameters are those of a system with other quantum numbers.
    """

    transitions: Transitions
    hyperparameters: Hyperparameters
    target: tuple[int, ...]
    given: tuple[int, ...]

    def __post_init__(self) -> None:
        standardiser = Standardiser.of(feature_map(self.hyperparameters.features)(self.transitions))
        if not np.array_equal(standardiser.keep, self.hyperparameters.keep):
            raise RatedbError(
                "the hyperparameters belong to a system with other quantum numbers",
                where=self.transitions.levels.molecule,
                expected=f"features {standardiser.keep.tolist()} that vary",
                got=str(self.hyperparameters.keep.tolist()),
                todo="name another --like, or another --v-max",
            )

    @cached_property
    def initial_j(self) -> IntArray:
        """The initial j of each transition, shape (n,)."""
        _, j = self.transitions.levels.need_vj()
        initial: IntArray = j[self.transitions.upper]
        return initial

    @cached_property
    def noise(self) -> float:
        """The noise variance of the process with unit spread."""
        return float(np.exp(self.hyperparameters.parameters[-1])) + 1e-6

    @cached_property
    def prior(self) -> FloatArray:
        """The covariance of the transitions, shape (n, n), with a linear mean of unknown coefficients."""
        table = feature_map(self.hyperparameters.features)(self.transitions)
        inputs = Standardiser.of(table)(table)
        kernel = Covariance(_KERNEL, inputs.shape[1])
        plane = np.column_stack([np.ones(len(inputs)), inputs])
        result: FloatArray = kernel.matrix(self.hyperparameters.parameters[:-1], inputs)
        return result + _VAGUE * plane @ plane.T

    def rows(self, j: int) -> IntArray:
        """Return which transitions leave the initial j."""
        return self._rows_of[j]

    @cached_property
    def _rows_of(self) -> dict[int, IntArray]:
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
        rows = self.rows(j)
        own = covariance[np.ix_(rows, rows)]
        own[np.diag_indices_from(own)] += self.noise
        factor, failed = lapack.dpotrf(own, lower=1)
        if failed:
            raise FitError(f"the covariance of j = {j} has no Cholesky factor", todo="choose another --like")
        result: FloatArray = solve_triangular(factor, covariance[rows], lower=True, check_finite=False)
        return result

    def validation(self, train_j: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the validation set of a training set, None where none is left beside it."""
        try:
            found = validation_set(self.target, self.given, train_j)
        except UsageError:
            return None
        left = set(self.target) - {*train_j, *found, *self.given}
        return found if left else None

    def expected(self, variance: FloatArray, known: Sequence[int]) -> float:
        """Return the expected root mean square error, in dex, of all j but these and the given ones."""
        left = variance[self._unknown(known)]
        mean = max(float(left.mean()), 0.0) + self.noise
        return self.hyperparameters.spread_dex * float(np.sqrt(mean))

    def _unknown(self, known: Sequence[int]) -> BoolArray:
        unknown: BoolArray = ~np.isin(self.initial_j, (*known, *self.given))
        return unknown

    def judge(self, train_j: tuple[int, ...]) -> DesignSet | None:
        """Return the expected error of one training set, None where no validation set is left beside it."""
        validate_j = self.validation(train_j)
        if validate_j is None:
            return None
        variance = np.diag(self.given_all(train_j))
        return DesignSet(train_j, validate_j, self.expected(variance, (*train_j, *validate_j)))


Affordable = Callable[[tuple[int, ...]], bool]


def target_transitions(
    levels: Levels | None, target: tuple[int, ...], v_max: int, even_only: bool, molecule: str
) -> Transitions:
    """Return the downward transitions out of the target's j; without levels those of a rigid rotor.

    Features are standardised, so the rotor's constant does not matter. `even_only` leaves out odd j' - j.
    Raises RatedbError where the levels do not reach the target, or vibrational ones are not known.
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


def best_sets(
    design: Design,
    sizes: Sequence[int],
    affordable: Affordable = lambda train_j: True,
    optimiser: str = "auto",
    report: Callable[[str], None] = lambda text: None,
) -> dict[int, DesignSet]:
    """Return the set of each size with the least expected error; a size that cannot be placed is not there.

    `exhaustive` judges every set, `greedy` adds one j after the other and then swaps single ones as long as
    that helps; `auto` takes the first where it is quick.
    """
    fixed = anchors(design.target, design.given)
    if optimiser == "auto":
        optimiser = "exhaustive" if _work(design, fixed, sizes) < _MOST_WORK else "greedy"
    least: dict[int, DesignSet] = {}
    of_given = design.judge(fixed) if fixed and len(fixed) in sizes and affordable(fixed) else None
    if of_given is not None:
        least[len(fixed)] = of_given
    wanted = sorted(size for size in sizes if size > len(fixed))
    if optimiser == "greedy":
        return least | _greedy(design, fixed, wanted, affordable, report)
    for size in wanted:
        report(f"judging all sets of {size} j")
        found = _all_of(design, fixed, size)
        best = min((one for one in found if affordable(one.train_j)), key=_by_error, default=None)
        if best is not None:
            least[size] = best
    return least


def _by_error(one: DesignSet) -> tuple[float, tuple[int, ...]]:
    return one.expected_dex, one.train_j


def _work(design: Design, fixed: tuple[int, ...], sizes: Sequence[int]) -> float:
    """Return how many multiplications the search of all sets takes."""
    free, count = len(design.target) - len(fixed), len(design.transitions)
    nodes = sum(_choose(free, size - 1 - len(fixed)) for size in sizes if size > len(fixed))
    leaves = sum(_choose(free, size - len(fixed)) for size in sizes if size > len(fixed))
    each = count / len(design.target)
    return float(count * each * (nodes * count + leaves * each))


def _choose(total: int, some: int) -> int:
    from math import comb

    return comb(total, some) if some >= 0 else 0


def _all_of(design: Design, fixed: tuple[int, ...], size: int) -> Iterator[DesignSet]:
    """Yield every set of a size that contains the fixed j, sharing what sets with the same first j share."""
    free = [j for j in design.target if j not in fixed]

    def extend(covariance: FloatArray, chosen: tuple[int, ...], first: int) -> Iterator[DesignSet]:
        missing = size - len(chosen)
        for place in range(first, len(free) - missing + 1):
            train_j = (*chosen, free[place])
            if missing > 1:
                yield from extend(design.given_one(covariance, free[place]), train_j, place + 1)
                continue
            train_j = tuple(sorted(train_j))
            validate_j = design.validation(train_j)
            if validate_j is not None:
                variance = design.variance_given(covariance, free[place])
                yield DesignSet(train_j, validate_j, design.expected(variance, (*train_j, *validate_j)))

    yield from extend(design.given_all(fixed), fixed, 0)


def _greedy(
    design: Design,
    fixed: tuple[int, ...],
    sizes: Sequence[int],
    affordable: Affordable,
    report: Callable[[str], None],
) -> dict[int, DesignSet]:
    found: dict[int, DesignSet] = {}
    current = fixed
    for size in range(len(fixed) + 1, max(sizes, default=0) + 1):
        report(f"adding a j to {len(current)}")
        best = _best_with_one_more(design, current, affordable)
        for place in range(_MOST_SWEEPS if best is not None else 0):
            better = _best_swap(design, fixed, best, affordable)
            if better is None:
                break
            report(f"{size} j: swap {place + 1}")
            best = better
        if best is None:
            break
        current = best.train_j
        if size in sizes:
            found[size] = best
    return found


def _best_with_one_more(
    design: Design, train_j: tuple[int, ...], affordable: Affordable, but: tuple[int, ...] = ()
) -> DesignSet | None:
    covariance = design.given_all(train_j)
    found = []
    for j in (j for j in design.target if j not in train_j and j not in but):
        more = tuple(sorted((*train_j, j)))
        validate_j = design.validation(more)
        if validate_j is not None and affordable(more):
            variance = design.variance_given(covariance, j)
            found.append(DesignSet(more, validate_j, design.expected(variance, (*more, *validate_j))))
    return min(found, key=_by_error, default=None)


def _best_swap(
    design: Design, fixed: tuple[int, ...], now: DesignSet | None, affordable: Affordable
) -> DesignSet | None:
    """Return the best set that differs in one j and is better, None where there is none."""
    if now is None:
        return None
    others = [
        _best_with_one_more(design, tuple(j for j in now.train_j if j != out), affordable, (out,))
        for out in now.train_j
        if out not in fixed
    ]
    best = min((one for one in others if one is not None), key=_by_error, default=now)
    return best if best.expected_dex < now.expected_dex * (1 - 1e-9) else None
