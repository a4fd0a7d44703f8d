"""Choose kernels, features and means: fit many candidates, judge them on unseen rates, average the good.

Two tests judge a candidate. The validation j are computed and neither trained on nor tested; they are few
and low. So each training j is also predicted from the others, with a mean fitted to these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Literal

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError, RatedbError
from ratedb.levels import Transitions
from ratedb.models import basis, dense
from ratedb.models.averaging import UnseenErrors
from ratedb.models.calibration import Calibration
from ratedb.models.engine import Curves, Fitted, Specification, TrainingData, rms
from ratedb.models.features import is_homonuclear
from ratedb.models.kernels import DISTINCT_KERNELS, canonical, check_kernel, extensions
from ratedb.models.means import REFERENCE
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.predictor import Predictor, average
from ratedb.models.process import LEARN_FROM, Optimiser, random_rows
from ratedb.models.reference import ReferenceRates
from ratedb.models.workers import Workers, workers
from ratedb.rates import Rates

Criterion = Literal["validation", "bic"]
CRITERIA: tuple[Criterion, ...] = ("validation", "bic")
ENGINES = ("auto", "basis", "dense", "sparse")

# Candidates are compared on at most so many transitions, with hyperparameters from at most so many; the
# chosen ones are then fitted to all.
_COMPARE_ON, _COMPARE_LEARN_FROM = 1000, 200
# Above this an exact process is slower and larger than one on inducing points.
_MOST_EXACT = 3000
_MOST_BASIS = 8000
_MOST_SPARSE_MEMBERS = 3
_MOST_ROUNDS = 5  # of the composite search; real data stop it after two or three


@dataclass(frozen=True)
class SearchRequest:
    """What to try. None for features or means leaves the choice to ratedb.

    `composite` adds the paper's greedy search over sums and products. The criterion `validation` judges by
    unseen rates and averages; `bic` takes the one candidate with the lowest Bayesian information criterion.
    `jobs` local processes, or the workers of the dask `scheduler`, fit at the same time.
    """

    kernels: tuple[str, ...] = DISTINCT_KERNELS
    features: tuple[str, ...] | None = None
    means: tuple[str, ...] | None = None
    composite: bool = False
    criterion: Criterion = "validation"
    engine: str = "auto"
    optimiser: Optimiser = "lbfgs"
    seed: int = 0
    jobs: int = 1
    scheduler: str | None = None


@dataclass(frozen=True)
class Tried:
    """One candidate of a search: what it was and how it did.

    `validation_dex_rms` is its error on the validation j, `leave_out_dex_rms` on each training j predicted
    from the others. `weight` is its share of the average, 0 for a candidate that was not chosen.
    """

    kernel: str
    features: str
    mean: str
    validation_dex_rms: float | None
    leave_out_dex_rms: float | None
    bic: float | None
    training_dex_rms: float | None
    seconds: float
    weight: float = 0.0
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The calibrated predictor, its validation metrics, and all that was tried."""

    predictor: Predictor
    validation: Metrics
    tried: tuple[Tried, ...]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A fitted model with its predictions of the validation j and of each training j from the others."""

    fitted: Fitted
    validation: Curves
    leave_out: Curves
    tried: Tried


@dataclass(frozen=True, eq=False)
class _Task:
    """What every fit of a search has in common."""

    data: TrainingData
    validation: Rates
    seed: int
    optimiser: Optimiser
    learn_from: int

    @property
    def wanted(self) -> Transitions:
        return self.validation.transitions

    def validation_log10_k(self) -> FloatArray:
        """Return the truth on the validation j, NaN where there is none."""
        k = self.validation.rate_cm3_s
        usable = np.isfinite(k) & (k > 0)
        return np.where(usable, np.log10(np.where(usable, k, 1.0)), np.nan)


def search(
    training: Rates,
    validation: Rates,
    request: SearchRequest | None = None,
    reference: ReferenceRates | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> SearchResult:
    """Fit all candidates that are asked for and return the best, or the average of good ones, calibrated.

    `training` must be complete and positive; `validation` has the same temperatures, NaN where unknown.
    `reference` is another data set, at these temperatures, as prior mean. `report` is told of each step.
    Raises RatedbError where the training set is too small or no candidate can be fitted.
    """
    request = request or SearchRequest()
    kernels = tuple(dict.fromkeys(check_kernel(kernel) for kernel in request.kernels))
    request = replace(request, kernels=kernels)
    train_j = _check_training(training)
    _check_validation(validation)
    engine = _engine(request.engine, len(training))
    data = TrainingData.of(training, reference)
    with workers(request.jobs, request.scheduler) as pool:
        compare = (
            data if engine == "dense" else data.select(random_rows(len(training), request.seed, _COMPARE_ON))
        )
        task = _Task(compare, validation, request.seed, request.optimiser, _COMPARE_LEARN_FROM)
        candidates, tried = _try_all(task, request, engine, pool, report)
        members, weights = _choose(candidates, task, request, engine)
        final = replace(task, data=data, learn_from=LEARN_FROM)
        if engine == "sparse" or (len(training) > _COMPARE_LEARN_FROM and engine == "basis"):
            report(f"fitting the {len(members)} chosen to all {len(training)} transitions")
            members, weights, failed = _fit_again(members, weights, final, engine, pool)
            tried = tried + failed
    predictor = Predictor(
        levels=training.levels,
        collider=training.collider,
        train_j=train_j,
        max_abs_dj=_max_abs_dj(training),
        temperature_k=training.temperature_k,
        members=tuple(member.fitted for member in members),
        weights=tuple(weights.tolist()),
        calibration=_calibrate(members, weights, final, _is_averaged(request, engine)),
        reference=reference if any(REFERENCE in m.fitted.specification.mean for m in members) else None,
    )
    prediction = predictor.predict(final.wanted)
    return SearchResult(
        predictor,
        metrics(validation.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68),
        tuple(_with_weights(tried, members, weights)),
    )


def _check_training(training: Rates) -> tuple[int, ...]:
    train_j = tuple(sorted(set(training.initial_j().tolist())))
    if len(train_j) < 2 or len(training) < 4:
        raise RatedbError(
            "the training set is too small",
            where=training.system,
            expected="two or more initial j with four or more transitions",
            got=f"j = {list(train_j)}, {len(training)} transitions",
        )
    return train_j


def _check_validation(validation: Rates) -> None:
    if not (validation.rate_cm3_s > 0).any():
        raise RatedbError(
            "the validation set has no usable rate",
            where=validation.system,
            expected="positive rates at the training temperatures",
            got=f"{len(validation)} transitions without any",
            todo="choose other --validate-j",
        )


def _max_abs_dj(training: Rates) -> int:
    _, j = training.levels.need_vj()
    return int(np.abs(j[training.lower] - j[training.upper]).max())


def _engine(name: str, transitions: int) -> str:
    if name == "basis" and transitions > _MOST_BASIS:
        raise RatedbError(
            "the basis engine cannot train on so many transitions",
            expected=f"at most {_MOST_BASIS}: it holds their covariances",
            got=str(transitions),
            todo="use --engine auto",
        )
    if name != "auto":
        return name
    return "basis" if transitions <= _MOST_EXACT else "sparse"


def specifications(
    request: SearchRequest, molecule: str, engine: str, with_reference: bool
) -> list[Specification]:
    """Return the candidates of the first round: every kernel with every feature map and mean.

    Left to ratedb, the dense engine has the paper's features and no mean, as the paper; the others have both
    feature maps, with nuclear spin for a homonuclear molecule, and the means that did well on real data.
    """
    features, means = request.features, request.means
    if features is None:
        features = ("paper",) if engine == "dense" else ("physics", "paper")
        if is_homonuclear(molecule):
            features = tuple(f"{name}+spin" for name in features)
    if means is None:
        means = ("constant",) if engine == "dense" else ("constant", "linear", "ios")
    if with_reference:
        ratios = [mean for mean in means if mean != "ios"] or ["constant"]
        means = (*means, *(f"{REFERENCE}{mean}" for mean in ratios))
    # Candidates are compared with exact processes; the chosen ones get the engine's own.
    name = "dense" if engine == "dense" else "basis"
    return [
        Specification(name, kernel, one, mean)
        for mean in means
        for one in features
        for kernel in request.kernels
    ]


def _with_means(task: _Task, wanted: Sequence[Specification], pool: Workers) -> _Task:
    """Return the task with the candidates' means, each fitted once to all data and once without each fold."""
    data = replace(task.data, means={}, left_out={})
    names = list(dict.fromkeys(specification.mean for specification in wanted))
    keys = [(name, fold) for name in names for fold in np.unique(data.folds()).tolist()]
    means = dict(zip(names, pool.run(data.mean, names), strict=True))
    left_out = dict(zip(keys, pool.run(partial(_mean_without, data), keys), strict=True))
    return replace(task, data=replace(data, means=means, left_out=left_out))


def _mean_without(data: TrainingData, key: tuple[str, int]) -> FloatArray:
    return data.mean_without(*key)


def _try_all(
    task: _Task, request: SearchRequest, engine: str, pool: Workers, report: Callable[[str], None]
) -> tuple[list[_Candidate], list[Tried]]:
    """Fit the candidates of the first round and, where it is asked for, those of the composite search."""
    molecule = task.validation.levels.molecule
    wanted = specifications(request, molecule, engine, task.data.reference is not None)
    report(f"fitting the means of {len(wanted)} candidates")
    task = _with_means(task, wanted, pool)
    candidates, tried = _collect(task, wanted, pool, report)
    if not candidates:
        raise RatedbError(
            "no candidate could be fitted",
            where=task.validation.system,
            expected="at least one kernel that explains the training data",
            got="; ".join(dict.fromkeys(str(t.failure) for t in tried)),
            todo="check the training rates, or train on more j",
        )
    if request.composite:
        more, tried_more = _composite(task, request, candidates, pool, report)
        candidates, tried = candidates + more, tried + tried_more
    return candidates, tried


def _composite(
    task: _Task,
    request: SearchRequest,
    candidates: Sequence[_Candidate],
    pool: Workers,
    report: Callable[[str], None],
) -> tuple[list[_Candidate], list[Tried]]:
    """Extend the best candidate's kernel by sums and products until its criterion no longer improves."""
    found: list[_Candidate] = []
    tried: list[Tried] = []
    seen = {canonical(kernel) for kernel in request.kernels}
    best = min(candidates, key=partial(_score, criterion=request.criterion))
    for _ in range(_MOST_ROUNDS):
        start = best.fitted.specification
        new = [
            kernel for kernel in extensions(start.kernel, request.kernels) if canonical(kernel) not in seen
        ]
        seen |= {canonical(kernel) for kernel in new}
        wanted = [replace(start, kernel=kernel) for kernel in new]
        more, tried_more = _collect(task, wanted, pool, report)
        found += more
        tried += tried_more
        best_of_round = min(more, key=partial(_score, criterion=request.criterion), default=best)
        if _score(best_of_round, request.criterion) >= _score(best, request.criterion):
            break
        best = best_of_round
    return found, tried


def _collect(
    task: _Task, wanted: Sequence[Specification], pool: Workers, report: Callable[[str], None]
) -> tuple[list[_Candidate], list[Tried]]:
    candidates, tried = [], []
    results = pool.run(partial(_evaluate, task), wanted)
    for number, (specification, result) in enumerate(zip(wanted, results, strict=True), 1):
        report(f"{number} of {len(wanted)}: {specification}")
        if isinstance(result, _Candidate):
            candidates.append(result)
        tried.append(result.tried if isinstance(result, _Candidate) else result)
    return candidates, tried


def _score(candidate: _Candidate, criterion: Criterion) -> float:
    value = candidate.tried.bic if criterion == "bic" else candidate.tried.validation_dex_rms
    return float("inf") if value is None else value


def _evaluate(task: _Task, specification: Specification) -> _Candidate | Tried:
    """Fit one candidate and predict what it has not seen; what failed is a Tried with the reason."""
    start = perf_counter()
    fit = dense.fit if specification.engine == "dense" else basis.fit
    try:
        fitted: Fitted = fit(
            task.data,
            specification,
            seed=task.seed,
            optimiser=task.optimiser,
            learn_from=task.learn_from,
        )
        validation = fitted.curves(task.wanted)
        leave_out = fitted.leave_out(task.data)
    except (FitError, np.linalg.LinAlgError) as error:
        names = (specification.kernel, specification.features, specification.mean)
        reason = error.what if isinstance(error, FitError) else f"no Cholesky factor: {error}"
        return Tried(*names, None, None, None, None, perf_counter() - start, failure=reason)
    off = validation.mean - task.validation_log10_k()
    tried = Tried(
        kernel=specification.kernel,
        features=specification.features,
        mean=specification.mean,
        validation_dex_rms=rms(off[np.isfinite(off)]),
        leave_out_dex_rms=rms(leave_out.mean - task.data.log10_k),
        bic=-2.0 * fitted.log_likelihood + fitted.parameters * float(np.log(fitted.likelihood_values)),
        training_dex_rms=fitted.training_dex_rms,
        seconds=perf_counter() - start,
    )
    return _Candidate(fitted.without_caches(), validation, leave_out, tried)


def _fit_again(
    members: Sequence[_Candidate], weights: FloatArray, task: _Task, engine: str, pool: Workers
) -> tuple[list[_Candidate], FloatArray, list[Tried]]:
    """Fit chosen candidates to all training transitions; return those that failed then as the third."""
    wanted = [replace(member.fitted.specification, engine=engine) for member in members]
    again = _with_means(task, wanted, pool)
    results = list(zip(pool.run(partial(_evaluate, again), wanted), weights, strict=True))
    failed = [result for result, _ in results if isinstance(result, Tried)]
    fitted = [(result, weight) for result, weight in results if isinstance(result, _Candidate)]
    if not fitted:
        raise RatedbError(
            "none of the chosen candidates could be fitted to all transitions",
            where=task.validation.system,
            got="; ".join(str(entry.failure) for entry in failed),
            todo="choose other --kernels",
        )
    own = np.array([weight for _, weight in fitted])
    return [candidate for candidate, _ in fitted], own / own.sum(), failed


def _with_weights(tried: Sequence[Tried], members: Sequence[_Candidate], weights: FloatArray) -> list[Tried]:
    of = {
        (m.tried.kernel, m.tried.features, m.tried.mean): float(weight)
        for m, weight in zip(members, weights, strict=True)
    }
    return [replace(entry, weight=of.get((entry.kernel, entry.features, entry.mean), 0.0)) for entry in tried]


def _unseen(candidates: Sequence[_Candidate], task: _Task) -> UnseenErrors:
    truth = task.validation_log10_k()
    errors = [
        np.concatenate([c.validation.mean - truth, c.leave_out.mean - task.data.log10_k]) for c in candidates
    ]
    group = np.concatenate([task.validation.initial_j(), task.data.initial_j()])
    return UnseenErrors(np.stack(errors), group, np.arange(len(group)) < len(truth))


def _is_averaged(request: SearchRequest, engine: str) -> bool:
    return request.criterion == "validation" and engine != "dense"


def _choose(
    candidates: Sequence[_Candidate], task: _Task, request: SearchRequest, engine: str
) -> tuple[list[_Candidate], FloatArray]:
    """Return the candidates that make the prediction and their weights, the heaviest first."""
    if not _is_averaged(request, engine):
        return [min(candidates, key=partial(_score, criterion=request.criterion))], np.ones(1)
    weights = _unseen(candidates, task).weights()
    chosen = [index for index in np.argsort(-weights, kind="stable") if weights[index] > 0]
    if engine == "sparse":
        chosen = chosen[:_MOST_SPARSE_MEMBERS]
    return [candidates[index] for index in chosen], weights[chosen] / weights[chosen].sum()


def _calibrate(
    members: Sequence[_Candidate], weights: FloatArray, task: _Task, averaged: bool
) -> Calibration:
    """Calibrate on the validation j and on each training j predicted from the others.

    Where the weights were chosen by these very rates, those of each j come from the other j.
    """
    unseen = _unseen(members, task)
    variances = np.stack([np.concatenate([m.validation.variance, m.leave_out.variance]) for m in members])
    error = np.empty(unseen.errors.shape[1:])
    variance = np.empty_like(error)
    for group in np.unique(unseen.group):
        rows = unseen.group == group
        own = unseen.weights(~rows) if averaged and len(members) > 1 and not rows.all() else weights
        curves = [Curves(unseen.errors[c][rows], variances[c][rows]) for c in range(len(members))]
        error[rows], variance[rows] = average(curves, own.tolist())
    return Calibration.fit(error, np.where(np.isfinite(variance), variance, 1.0), unseen.group)
