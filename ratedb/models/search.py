"""Choose kernels, features and means: fit many candidates, judge them on unseen rates, average the good.

Two tests judge a candidate. The validation j are computed and neither trained on nor tested; they are few
and low. So each training j is also predicted from the others, with a mean fitted to these.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError, RatedbError
from ratedb.models.basis import fit as fit_basis
from ratedb.models.calibration import Calibration
from ratedb.models.candidates import Candidate, Outcome, Task, Tried
from ratedb.models.corpus.model import CORPUS
from ratedb.models.corpus.model import fit as fit_corpus
from ratedb.models.corpus.table import Corpus
from ratedb.models.engine import Curves, Fitted, Specification, TrainingData
from ratedb.models.kernels import canonical, extensions
from ratedb.models.means import REFERENCE
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.predictor import Predictor, average
from ratedb.models.process import LEARN_FROM, random_rows
from ratedb.models.reference import ReferenceRates
from ratedb.models.search_space import SearchRequest as SearchRequest
from ratedb.models.with_corpus import corpus_for, with_intervals
from ratedb.models.workers import Workers, workers
from ratedb.options import Progress, silent
from ratedb.rates import Rates

_log = logging.getLogger(__name__)

# Candidates are compared on at most so many transitions, with hyperparameters from at most so many; the
# chosen ones are then fitted to all.
COMPARE_ON, COMPARE_LEARN_FROM = 1000, 200
# Above this an exact process is slower and larger than one on inducing points.
_MOST_EXACT = 3000
_MOST_BASIS = 8000
_MOST_SPARSE_MEMBERS = 3
# What the corpus' candidate has to compete with; on molecules left out of the corpus it was the best of all
# candidates even where a few held-out j showed up to 1.8 times the error of another. Far behind these, it
# competes with all.
_RIVALS = (
    Specification("basis", "M52", "physics", "ios"),
    Specification("basis", "M32", "paper", "ios"),
    Specification("basis", "RQ", "physics", "linear"),
    Specification("basis", "M32", "physics", "constant"),
)
_MOST_WORSE = 2.0
# Without a validation j, each training j is predicted from the others: so many have to be left.
_LEAST_TRAINING_J = 4
_MOST_ROUNDS = 5  # of the composite search; real data stop it after two or three


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The calibrated predictor, its validation metrics, and all that was tried."""

    predictor: Predictor
    validation: Metrics
    tried: tuple[Tried, ...]
    notes: tuple[str, ...] = ()


def search(
    training: Rates,
    validation: Rates,
    request: SearchRequest | None = None,
    reference: ReferenceRates | None = None,
    progress: Progress = silent,
    corpus: Corpus | None = None,
) -> SearchResult:
    """Fit all candidates of a request and return the best, or the average of good ones, calibrated.

    `training` must be complete and positive; `validation` has the same temperatures, NaN where unknown.
    `reference` is another data set, at these temperatures, as prior mean; `corpus` is what is known of other
    molecules, which takes part where no reference and no kind of candidate is asked for. The candidates are
    judged by predictions from the training j; then those chosen are fitted to the validation j too (the dense
    engine, the paper's, is not). Raises RatedbError where the training set is too small or no candidate can
    be fitted.
    """
    request = request or SearchRequest()
    asked = request.asks_corpus and reference is None
    corpus, notes = corpus_for(training, validation, corpus if asked else None)
    engine = _engine(request.engine, len(training))
    averaged = request.averages(engine) and not request.composite
    _check_sets(training, validation, alone=corpus is None, averaged=averaged)
    data = TrainingData.of(training, reference)
    with workers(request.jobs, request.scheduler) as pool:
        few = random_rows(len(training), request.seed, COMPARE_ON)
        compare = data if engine == "dense" else data.select(few)
        task = Task(compare, validation, request.seed, request.optimiser, COMPARE_LEARN_FROM, corpus)
        outcomes = _try_all(task, request, engine, pool, progress)
        members, weights = _choose(_fitted(outcomes), task, request, engine)
        final = replace(task, data=data, learn_from=LEARN_FROM)
        if engine == "sparse" or (len(training) > COMPARE_ON and engine == "basis"):
            progress(f"fitting the {len(members)} chosen to all {len(training)} transitions")
            members, weights, failed = _fit_again(members, weights, final, engine, pool)
            outcomes = outcomes + failed
        predictor = _predictor(training, members, weights, reference)
        predictor, judged = _finished(predictor, members, final, request)
    names = [str(one.fitted.specification) for one in members]
    _log.info("%s: chose %s of %d candidates", training.system, ", ".join(names), len(outcomes))
    return SearchResult(predictor, judged, _with_weights(outcomes, members, weights), notes)


def _finished(
    predictor: Predictor, members: Sequence[Candidate], task: Task, request: SearchRequest
) -> tuple[Predictor, Metrics]:
    """Return the predictor with intervals, given all that was computed, and its metrics before that."""
    corpus, weights = task.corpus, np.array(predictor.weights)
    by_corpus = corpus is not None and predictor.members[0].specification == CORPUS and len(members) == 1
    if corpus is not None and by_corpus:
        predictor = with_intervals(predictor, corpus)
    else:
        averaged = request.averages(members[0].fitted.specification.engine)
        predictor = replace(predictor, calibration=_calibrate(members, weights, task, averaged))
    judged = _judged(predictor, members, task)
    if members[0].fitted.specification.engine == "dense":
        return predictor, judged
    everything = task.data.joined(task.validation)
    predictor = predictor.given(_given(predictor, everything, corpus, request), everything)
    if corpus is not None and by_corpus:
        predictor = with_intervals(predictor, corpus)
    return predictor, judged


def _given(
    predictor: Predictor, data: TrainingData, corpus: Corpus | None, request: SearchRequest
) -> list[Fitted]:
    """Return the members fitted to all computed curves; what cannot be fitted again keeps its kernel."""
    return [fitted_to(member, data, corpus, request) for member in predictor.members]


def fitted_to(member: Fitted, data: TrainingData, corpus: Corpus | None, request: SearchRequest) -> Fitted:
    """Return a chosen model fitted to all computed curves."""
    if member.specification == CORPUS and corpus is not None:
        return fit_corpus(data, corpus, seed=request.seed)
    if member.specification.engine != "basis":
        return member.conditioned(data)
    try:
        return fit_basis(data, member.specification, seed=request.seed, optimiser=request.optimiser)
    except FitError:
        return member.conditioned(data)


def _judged(predictor: Predictor, members: Sequence[Candidate], task: Task) -> Metrics:
    """Return the metrics of the validation j; without these, of each training j predicted from the others."""
    validation, data = task.validation, task.data
    if (validation.rate_cm3_s > 0).any():
        prediction = predictor.predict(validation.transitions)
        return metrics(validation.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68)
    curves = average([one.leave_out for one in members], predictor.weights)
    half_width = predictor.half_width(data.transitions, curves.variance)
    return metrics(10.0**data.log10_k, curves.mean, half_width)


def _check_sets(training: Rates, validation: Rates, *, alone: bool, averaged: bool) -> None:
    """Refuse sets that are too small; `alone` is without a corpus.

    Candidates that are `averaged` are also judged on each training j predicted from the others.
    """
    if not alone:
        return
    train_j = np.unique(training.initial_j()).tolist()
    if len(train_j) < 2 or len(training) < 4:
        raise RatedbError(
            "the training set is too small",
            where=training.system,
            expected="two or more initial j with four or more transitions",
            got=f"j = {train_j}, {len(training)} transitions",
        )
    if not (validation.rate_cm3_s > 0).any() and not (averaged and len(train_j) >= _LEAST_TRAINING_J):
        raise RatedbError(
            "the validation set has no usable rate",
            where=validation.system,
            expected=f"positive rates at the training temperatures, or {_LEAST_TRAINING_J} training j",
            got=f"{len(validation)} transitions without any",
            todo="choose other --validate-j",
        )


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


def _try_all(
    task: Task, request: SearchRequest, engine: str, pool: Workers, progress: Progress
) -> list[Outcome]:
    """Try the candidates of the first round and, where requested, those of the composite search."""
    molecule = task.validation.levels.molecule
    v, _, v_final, _ = task.data.transitions.vj().T
    vibrating = bool((v != v_final).any())
    wanted = request.specifications(molecule, engine, task.data.reference is not None, vibrating)
    known: list[Outcome] = []
    if task.corpus is not None:
        rivals = [] if len(np.unique(task.data.initial_j())) < 2 else list(_RIVALS)
        known = task.with_means(rivals, pool).try_each([CORPUS, *rivals], pool, progress)
        if not rivals or _corpus_is_good(known, task):
            return known
        wanted = [one for one in wanted if one not in rivals]
    progress(f"fitting the means of {len(wanted)} candidates")
    task = task.with_means(wanted, pool)
    outcomes = known + task.try_each(wanted, pool, progress)
    if not _fitted(outcomes):
        raise RatedbError(
            "no candidate could be fitted",
            where=task.validation.system,
            expected="at least one kernel that explains the training data",
            got="; ".join(dict.fromkeys(str(one.tried.failure) for one in outcomes)),
            todo="check the training rates, or train on more j",
        )
    return outcomes + (_composite(task, request, outcomes, pool, progress) if request.composite else [])


def _corpus_is_good(outcomes: Sequence[Outcome], task: Task) -> bool:
    """Return whether the tests do not show that other candidates are far better than the corpus'."""
    candidates = _fitted(outcomes)
    names = [one.fitted.specification for one in candidates]
    if CORPUS not in names:
        return False
    scores = task.unseen(candidates).scores()
    return bool(scores[names.index(CORPUS)] <= _MOST_WORSE * scores.min())


def _composite(
    task: Task, request: SearchRequest, outcomes: Sequence[Outcome], pool: Workers, progress: Progress
) -> list[Outcome]:
    """Extend the best candidate's kernel by sums and products until its criterion no longer improves."""
    found: list[Outcome] = []
    seen = {canonical(kernel) for kernel in request.kernels}
    best = _best([one for one in _fitted(outcomes) if one.fitted.specification != CORPUS], request)
    for _ in range(_MOST_ROUNDS):
        start = best.fitted.specification
        new = [one for one in extensions(start.kernel, request.kernels) if canonical(one) not in seen]
        seen |= {canonical(kernel) for kernel in new}
        more = task.try_each([replace(start, kernel=kernel) for kernel in new], pool, progress)
        found += more
        best_of_round = _best([best, *_fitted(more)], request)
        if best_of_round is best:
            break
        best = best_of_round
    return found


def _fitted(outcomes: Sequence[Outcome]) -> list[Candidate]:
    return [one.candidate for one in outcomes if one.candidate is not None]


def _best(candidates: Sequence[Candidate], request: SearchRequest) -> Candidate:
    return min(candidates, key=lambda one: one.tried.score(request.criterion))


def _fit_again(
    members: Sequence[Candidate], weights: FloatArray, task: Task, engine: str, pool: Workers
) -> tuple[list[Candidate], FloatArray, list[Outcome]]:
    """Fit chosen candidates to all training transitions; the third are the outcomes that failed."""
    own = [member.fitted.specification for member in members]
    wanted = [one if one == CORPUS else replace(one, engine=engine) for one in own]
    outcomes = task.with_means(wanted, pool).try_each(wanted, pool, silent)
    failed = [one for one in outcomes if one.candidate is None]
    if len(failed) == len(outcomes):
        raise RatedbError(
            "none of the chosen candidates could be fitted to all transitions",
            where=task.validation.system,
            got="; ".join(str(one.tried.failure) for one in failed),
            todo="choose other --kernels",
        )
    left = weights[[one.candidate is not None for one in outcomes]]
    return _fitted(outcomes), left / left.sum(), failed


def _choose(
    candidates: Sequence[Candidate], task: Task, request: SearchRequest, engine: str
) -> tuple[list[Candidate], FloatArray]:
    """Return the candidates that make the prediction and their weights, the heaviest first."""
    if not request.averages(engine):
        return [_best(candidates, request)], np.ones(1)
    if task.corpus is not None and _corpus_is_good([Outcome(one.tried, one) for one in candidates], task):
        return [one for one in candidates if one.fitted.specification == CORPUS], np.ones(1)
    weights = task.unseen(candidates).weights()
    chosen = [index for index in np.argsort(-weights, kind="stable") if weights[index] > 0]
    if engine == "sparse":
        chosen = chosen[:_MOST_SPARSE_MEMBERS]
    return [candidates[index] for index in chosen], weights[chosen] / weights[chosen].sum()


def _calibrate(members: Sequence[Candidate], weights: FloatArray, task: Task, averaged: bool) -> Calibration:
    """Calibrate on the validation j and on each training j predicted from the others.

    Where the weights were chosen by these very rates, those of each j come from the other j.
    """
    unseen = task.unseen(members)
    variances = np.stack([np.concatenate([m.validation.variance, m.leave_out.variance]) for m in members])
    error = np.empty(unseen.errors.shape[1:])
    variance = np.empty_like(error)
    for group in np.unique(unseen.group):
        rows = unseen.group == group
        own = unseen.weights(~rows) if averaged and len(members) > 1 and not rows.all() else weights
        curves = [Curves(unseen.errors[c][rows], variances[c][rows]) for c in range(len(members))]
        error[rows], variance[rows] = average(curves, own.tolist())
    return Calibration.fit(error, np.where(np.isfinite(variance), variance, 1.0), unseen.group)


def _predictor(
    training: Rates,
    members: Sequence[Candidate],
    weights: FloatArray,
    reference: ReferenceRates | None,
) -> Predictor:
    fitted = tuple(member.fitted for member in members)
    return Predictor(
        levels=training.levels,
        collider=training.collider,
        train_j=tuple(np.unique(training.initial_j()).tolist()),
        max_abs_dj=int(np.abs(training.j_final - training.j).max()),
        temperature_k=training.temperature_k,
        members=fitted,
        weights=tuple(weights.tolist()),
        calibration=Calibration.none(len(training.temperature_k)),
        reference=reference if any(REFERENCE in one.specification.mean for one in fitted) else None,
    )


def _with_weights(
    outcomes: Sequence[Outcome], members: Sequence[Candidate], weights: FloatArray
) -> tuple[Tried, ...]:
    of = {
        (m.tried.kernel, m.tried.features, m.tried.mean): float(weight)
        for m, weight in zip(members, weights, strict=True)
    }
    tried = [one.tried for one in outcomes]
    return tuple(replace(one, weight=of.get((one.kernel, one.features, one.mean), 0.0)) for one in tried)
