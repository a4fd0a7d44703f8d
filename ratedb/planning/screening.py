"""Score training sets of a fully known system, after the search of Mihalik et al. (2025, section II).

The paper trains every set with every kernel. Here the hyperparameters of a kernel are fitted once, to all
transitions; each set then fits its mean, conditions the processes on its own transitions and predicts the
others. The sets with the best scores are trained again, with hyperparameters of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ratedb.arrays import FloatArray
from ratedb.errors import FitError, UsageError
from ratedb.models import basis
from ratedb.models.basis import BasisModel, TemperatureBasis
from ratedb.models.engine import Specification, TrainingData, rms
from ratedb.models.process import Process
from ratedb.models.workers import Workers
from ratedb.planning.sets import anchors, validation_set

_AT_ONCE = 100
_REFITTED = 3  # of each size and kernel


class TrialSet(NamedTuple):
    """A training set with its validation set; all other j are held out."""

    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]

    def training(self, data: TrainingData) -> TrainingData:
        """Return the transitions out of the training j."""
        return data.select(np.flatnonzero(np.isin(data.initial_j(), self.train_j)))

    def held_out(self, data: TrainingData) -> TrainingData:
        """Return the transitions out of the held-out j."""
        known = np.isin(data.initial_j(), (*self.train_j, *self.validate_j))
        return data.select(np.flatnonzero(~known))


class SetScore(NamedTuple):
    """The test error of a set with one kernel: root mean square in dex, and the paper's percentage."""

    trial: TrialSet
    kernel: str
    dex_rms: float
    log10_percent_error: float


def trial_sets(target: tuple[int, ...], given: tuple[int, ...], sizes: Sequence[int]) -> list[TrialSet]:
    """Return every training set of these sizes that contains the given j, with its validation set.

    Sets without room for a validation set are left out. Raises UsageError where none is left.
    """
    fixed = anchors(target, given)
    free = [j for j in target if j not in fixed]
    least = max(len(fixed), 2)  # one j alone does not train
    found = []
    for size in sizes:
        for more in combinations(free, size - len(fixed)) if size >= least else ():
            train_j = tuple(sorted((*fixed, *more)))
            try:
                validate_j = validation_set(target, given, train_j)
            except UsageError:
                continue
            if len(train_j) + len(validate_j) < len(target):
                found.append(TrialSet(train_j, validate_j))
    if not found:
        raise UsageError(
            "no training set of these sizes fits",
            expected=f"sizes of at least {least} that leave some of {len(target)} j to predict",
            got=", ".join(map(str, sizes)),
        )
    return found


@dataclass(frozen=True, eq=False)
class Screen:
    """One kernel with hyperparameters from all transitions of a system, to score sets of its j."""

    data: TrainingData
    model: BasisModel

    @staticmethod
    def of(data: TrainingData, specification: Specification) -> Screen:
        """Return the screen of a kernel; raises FitError where it cannot be fitted."""
        return Screen(data, basis.fit(data, specification))

    @cached_property
    def _covariances(self) -> list[FloatArray]:
        return [process.matrix() for process in self.model.processes if isinstance(process, Process)]

    def score(self, trial: TrialSet) -> SetScore:
        """Return the test error of a set, with a mean and coefficients of its own."""
        initial = self.data.initial_j()
        training = np.isin(initial, trial.train_j)
        held_out = ~np.isin(initial, (*trial.train_j, *trial.validate_j))
        own = self.data.select(np.flatnonzero(training))
        specification = self.model.specification
        mean = own.mean(specification.mean)
        left = own.log10_k - mean.values
        curves = TemperatureBasis(left.mean(axis=0), self.model.basis.vectors, self.model.basis.rest_variance)
        outputs = curves.coefficients(left)
        across, within = np.ix_(held_out, training), np.ix_(training, training)
        predicted = np.column_stack(
            [
                matrix[across] @ cho_solve(cho_factor(matrix[within], lower=True), output)
                for matrix, output in zip(self._covariances, outputs.T, strict=True)
            ]
        )
        wanted = self.data.transitions.select(held_out)
        log10_k = mean.mean(wanted) + curves.centre + predicted @ curves.vectors
        return _score(trial, specification.kernel, log10_k, self.data.log10_k[held_out])


def refit(data: TrainingData, specification: Specification, trial: TrialSet) -> SetScore:
    """Return the test error of a set that is trained by itself, NaN where it cannot be."""
    held_out = trial.held_out(data)
    try:
        log10_k = basis.fit(trial.training(data), specification).curves(held_out.transitions).mean
    except (FitError, np.linalg.LinAlgError):
        return SetScore(trial, specification.kernel, float("nan"), float("nan"))
    return _score(trial, specification.kernel, log10_k, held_out.log10_k)


def _score(trial: TrialSet, kernel: str, predicted: FloatArray, truth: FloatArray) -> SetScore:
    error = predicted - truth
    percent = 100.0 * float((np.abs(error) / np.abs(truth)).mean())
    return SetScore(trial, kernel, rms(error), percent)


def screen_sets(screen: Screen, trials: Sequence[TrialSet], pool: Workers) -> Iterator[list[SetScore]]:
    """Yield the scores of sets, many at a time, in order."""
    parts = [trials[first : first + _AT_ONCE] for first in range(0, len(trials), _AT_ONCE)]
    yield from pool.run(partial(_score_all, screen), parts)


def _score_all(screen: Screen, trials: Sequence[TrialSet]) -> list[SetScore]:
    return [screen.score(trial) for trial in trials]


def refit_best(
    data: TrainingData, specifications: Sequence[Specification], scores: Sequence[SetScore], pool: Workers
) -> dict[int, list[SetScore]]:
    """Train the sets that scored best with each kernel by themselves; return them by size, the best first.

    Some of each kernel are trained, since pooled hyperparameters favour some kernels.
    """
    of_kernel = {specification.kernel: specification for specification in specifications}
    groups: dict[tuple[int, str], list[SetScore]] = {}
    for score in scores:
        groups.setdefault((len(score.trial.train_j), score.kernel), []).append(score)
    chosen = [score for group in sorted(groups) for score in sorted(groups[group], key=_by_error)[:_REFITTED]]
    again = pool.run(partial(_refit, data), [(of_kernel[score.kernel], score.trial) for score in chosen])
    found: dict[int, list[SetScore]] = {}
    for score in again:
        if np.isfinite(score.dex_rms):
            found.setdefault(len(score.trial.train_j), []).append(score)
    return {size: sorted(of_size, key=_by_error) for size, of_size in found.items()}


def _refit(data: TrainingData, what: tuple[Specification, TrialSet]) -> SetScore:
    return refit(data, *what)


def _by_error(score: SetScore) -> tuple[float, tuple[int, ...]]:
    return score.dex_rms, score.trial.train_j
