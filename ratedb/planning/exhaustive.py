"""Search all training sets of a system that is fully known, and keep the scores as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np

from ratedb.errors import FitError, RatedbError
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.features import feature_map, is_homonuclear
from ratedb.models.kernels import DISTINCT_KERNELS, check_kernel
from ratedb.models.means import check_mean
from ratedb.models.training_set import complete_curves, rates_of_j
from ratedb.models.workers import Workers, workers
from ratedb.planning.plan import Candidate, PlanRequest, candidate, percent
from ratedb.planning.screening import Screen, SetScore, TrialSet, refit_best, screen_sets, trial_sets
from ratedb.rates import Rates
from ratedb.store.store import Store, StoredScore

# Changes where the same question would get other scores.
_METHOD = "screening 1"


@dataclass(frozen=True)
class SearchOptions:
    """What is tried on each set: kernels, the feature map and the mean; `auto` features add nuclear spin."""

    kernels: tuple[str, ...] = DISTINCT_KERNELS
    features: str = "auto"
    mean: str = "linear"
    jobs: int = 1
    scheduler: str | None = None

    def specifications(self, molecule: str) -> list[Specification]:
        """Return what is fitted, one for each kernel; raises UsageError for an unknown name."""
        features = self.features
        if features == "auto":
            features = "physics+spin" if is_homonuclear(molecule) else "physics"
        feature_map(features)
        kernels = dict.fromkeys(check_kernel(kernel) for kernel in self.kernels)
        return [Specification("basis", kernel, features, check_mean(self.mean)) for kernel in kernels]


@dataclass(frozen=True)
class ExhaustiveResult:
    """The best set of each size, what was scored, and what it took.

    `scores` are those of every set and kernel; `scored_now` of them were not in the store before.
    """

    candidates: list[Candidate]
    scores: list[SetScore]
    scored_now: int
    seconds: float
    warnings: tuple[str, ...]


def search_sets(
    db: Path,
    request: PlanRequest,
    sizes: Sequence[int],
    options: SearchOptions | None = None,
    *,
    keep: bool = True,
    report: Callable[[str], None] = lambda text: None,
) -> ExhaustiveResult:
    """Score every set of these sizes with every kernel, train the best anew, and return the best by size.

    Scores are stored as they come: a search that was interrupted goes on where it stopped. Raises RatedbError
    where the system is not known for every j of the target.
    """
    options = options or SearchOptions()
    start = perf_counter()
    with Store(db) as store:
        rates = store.known_rates(request.system).known()
    rates = part_of_target(rates, request)
    data, warnings = known_system(rates, request.target)
    specifications = options.specifications(rates.levels.molecule)
    trials = trial_sets(request.target, request.given, sizes)
    scores: list[SetScore] = []
    scored_now = 0
    with workers(options.jobs, options.scheduler) as pool:
        for specification in specifications:
            kept = _Kept(db, request.system, _search_name(rates, request, specification), keep)
            known = kept.scores()
            missing = [trial for trial in trials if trial not in known]
            done = len(trials) - len(missing)
            try:
                for new in _score(data, specification, missing, pool):
                    kept.save(new)
                    known |= {score.trial: score for score in new}
                    done += len(new)
                    scored_now += len(new)
                    report(f"{specification.kernel}: {done} of {len(trials)} sets scored")
            except FitError as error:
                warnings.append(f"left out: {error.what}")
                continue
            scores += [known[trial] for trial in trials]
        if not scores:
            raise RatedbError("no kernel explains the rates", where=request.system, got="; ".join(warnings))
        report("training the best sets anew")
        best = refit_best(data, specifications, scores, pool)
    untrained = sorted({len(trial.train_j) for trial in trials} - set(best))
    warnings += [f"N = {size}: none of the best sets could be trained anew" for size in untrained]
    return ExhaustiveResult(
        [_candidate(request, found[0]) for found in best.values()],
        scores,
        scored_now,
        perf_counter() - start,
        tuple(warnings),
    )


def part_of_target(rates: Rates, request: PlanRequest) -> Rates:
    """Return the transitions with v and j' of a target, whatever their initial j; none beyond its last."""
    v, j = rates.levels.need_vj()
    last = request.target[-1]
    return rates.select(
        (v[rates.upper] <= request.v_max) & (j[rates.upper] <= last) & (j[rates.lower] <= last)
    )


def known_system(rates: Rates, target: tuple[int, ...]) -> tuple[TrainingData, list[str]]:
    """Return all transitions out of the target's j as complete curves; raises RatedbError where a j lacks."""
    complete, warnings = complete_curves(rates_of_j(rates, target, "target"))
    left = sorted(set(target) - set(complete.initial_j().tolist()))
    if left:
        raise RatedbError(
            "some j of the target have no complete temperature curve",
            where=rates.system,
            expected="a system that is known for every j of --j",
            got=f"none for j = {', '.join(map(str, left))}",
            todo="narrow --j, or plan with --strategy spread",
        )
    return TrainingData.of(complete), warnings


def _score(
    data: TrainingData, specification: Specification, trials: Sequence[TrialSet], pool: Workers
) -> Iterator[list[SetScore]]:
    if trials:
        # In a worker, on one thread: the same hyperparameters with any number of processes.
        (screen,) = pool.run(partial(Screen.of, data), [specification])
        yield from screen_sets(screen, trials, pool)


@dataclass(frozen=True)
class _Kept:
    """The scores of one search in the store; without `keep` nothing is added."""

    db: Path
    system: str
    search: str
    keep: bool

    def scores(self) -> dict[TrialSet, SetScore]:
        with Store(self.db) as store:
            stored = store.set_scores(self.search)
        trials = [TrialSet(_numbers(row.train_j), _numbers(row.validate_j)) for row in stored]
        return {
            trial: SetScore(trial, row.kernel, row.dex_rms, row.log10_percent_error)
            for trial, row in zip(trials, stored, strict=True)
        }

    def save(self, new: Sequence[SetScore]) -> None:
        if self.keep:
            with Store(self.db, write=True) as store:
                store.put_set_scores(self.search, self.system, [_as_stored(score) for score in new])


def _search_name(rates: Rates, request: PlanRequest, specification: Specification) -> str:
    """Return the hash of the rates and of what is asked of them."""
    own = rates.select(np.isin(rates.initial_j(), request.target))
    words = (_METHOD, own.sha256(), str(specification), str(request.target), str(request.given))
    return sha256("\n".join(words).encode()).hexdigest()


def _as_stored(score: SetScore) -> StoredScore:
    train_j, validate_j = (",".join(map(str, numbers)) for numbers in score.trial)
    return StoredScore(score.kernel, train_j, validate_j, score.dex_rms, score.log10_percent_error)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _candidate(request: PlanRequest, score: SetScore) -> Candidate:
    own = candidate(replace(request, validate_j=score.trial.validate_j), score.trial.train_j)
    return replace(
        own,
        kernel=score.kernel,
        expected_dex=score.dex_rms,
        expected_error=percent(score.dex_rms),
        test_dex_rms=score.dex_rms,
        test_log10_percent_error=score.log10_percent_error,
    )
