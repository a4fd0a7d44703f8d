"""Candidates of a search: fitted in parallel, and tested on rates they have not seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.models import basis, dense
from ratedb.models.averaging import UnseenErrors
from ratedb.models.corpus import model as corpus_model
from ratedb.models.corpus.model import CORPUS
from ratedb.models.corpus.table import Corpus
from ratedb.models.engine import Curves, Fitted, Specification, TrainingData, rms
from ratedb.models.workers import Workers
from ratedb.options import Progress
from ratedb.rates import Rates

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tried:
    """One candidate of a search and its errors.

    `validation_dex_rms` is its error on the validation j, `leave_out_dex_rms` on each training j predicted
    from the others. `weight` is its share of the average, 0 for a candidate that was not chosen.
    """

    kernel: str
    features: str
    mean: str
    validation_dex_rms: float | None = None
    leave_out_dex_rms: float | None = None
    bic: float | None = None
    training_dex_rms: float | None = None
    seconds: float = 0.0
    weight: float = 0.0
    failure: str | None = None

    def score(self, criterion: str) -> float:
        """Return what the criterion judges by: the lower, the better."""
        value = self.bic if criterion == "bic" else self.validation_dex_rms
        return float("inf") if value is None else value


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted model with its predictions of the validation j and of each training j from the others."""

    fitted: Fitted
    validation: Curves
    leave_out: Curves
    tried: Tried


class Outcome(NamedTuple):
    """What was tried, and the candidate unless the fit failed."""

    tried: Tried
    candidate: Candidate | None


@dataclass(frozen=True, eq=False)
class Task:
    """What all fits of a search have in common; hyperparameters are learnt from `learn_from` transitions."""

    data: TrainingData
    validation: Rates
    seed: int
    optimiser: str
    learn_from: int
    corpus: Corpus | None = None

    def validation_log10_k(self) -> FloatArray:
        """Return the truth on the validation j, NaN where there is none."""
        k = self.validation.rate_cm3_s
        log10_k: FloatArray = np.log10(np.where(k > 0, k, np.nan))
        return log10_k

    def with_means(self, wanted: Sequence[Specification], pool: Workers) -> Task:
        """Return the task with the candidates' means, each fitted to all data and without each fold."""
        data = replace(self.data, means={}, left_out={})
        names = list(dict.fromkeys(one.mean for one in wanted if one != CORPUS))
        keys = [(name, fold) for name in names for fold in np.unique(data.folds()).tolist()]
        means = dict(zip(names, pool.run(data.mean, names), strict=True))
        left_out = dict(zip(keys, pool.run(partial(_mean_without, data), keys), strict=True))
        return replace(self, data=replace(data, means=means, left_out=left_out))

    def try_each(self, wanted: Sequence[Specification], pool: Workers, progress: Progress) -> list[Outcome]:
        """Fit every candidate and predict what it has not seen."""
        outcomes = []
        for number, outcome in enumerate(pool.run(partial(try_candidate, self), wanted), 1):
            progress(f"{number} of {len(wanted)}: {wanted[number - 1]}")
            outcomes.append(outcome)
            tried = outcome.tried
            score = tried.failure or f"{tried.validation_dex_rms or np.nan:.4f} dex on the validation j"
            _log.debug("%s: %s, %.2f s", wanted[number - 1], score, tried.seconds)
        return outcomes

    def unseen(self, candidates: Sequence[Candidate]) -> UnseenErrors:
        """Return the candidates' errors on the validation j and on each training j left out."""
        truth = self.validation_log10_k()
        errors = [
            np.concatenate([one.validation.mean - truth, one.leave_out.mean - self.data.log10_k])
            for one in candidates
        ]
        group = np.concatenate([self.validation.initial_j(), self.data.initial_j()])
        return UnseenErrors(np.stack(errors), group, np.arange(len(group)) < len(truth))


def _mean_without(data: TrainingData, key: tuple[str, int]) -> FloatArray:
    return data.mean_without(*key)


def _fit(task: Task, specification: Specification) -> Fitted:
    if specification == CORPUS and task.corpus is not None:
        return corpus_model.fit(task.data, task.corpus, seed=task.seed)
    fit = dense.fit if specification.engine == "dense" else basis.fit
    return fit(task.data, specification, seed=task.seed, optimiser=task.optimiser, learn_from=task.learn_from)


def try_candidate(task: Task, specification: Specification) -> Outcome:
    """Fit a candidate and predict what it has not seen; a failed fit is an outcome with its reason."""
    start = perf_counter()
    names = (specification.kernel, specification.features, specification.mean)
    try:
        fitted = _fit(task, specification)
        validation = fitted.curves(task.validation.transitions)
        leave_out = fitted.leave_out(task.data)
    except FitError as error:
        return Outcome(Tried(*names, seconds=perf_counter() - start, failure=error.what), None)
    except np.linalg.LinAlgError as error:
        reason = f"no Cholesky factor: {error}"
        return Outcome(Tried(*names, seconds=perf_counter() - start, failure=reason), None)
    off = validation.mean - task.validation_log10_k()
    known = np.isfinite(off)
    tried = Tried(
        *names,
        validation_dex_rms=rms(off[known]) if known.any() else None,
        leave_out_dex_rms=rms(leave_out.mean - task.data.log10_k),
        bic=None if specification == CORPUS else _bic(fitted),
        training_dex_rms=fitted.training_dex_rms,
        seconds=perf_counter() - start,
    )
    return Outcome(tried, Candidate(fitted.without_caches(), validation, leave_out, tried))


def _bic(fitted: Fitted) -> float:
    return -2.0 * fitted.log_likelihood + fitted.parameters * float(np.log(fitted.likelihood_values))
