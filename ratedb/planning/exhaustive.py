"""Search all training sets of a fully known system; scores are kept as they are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from ratedb.errors import FitError, RatedbError
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.features import is_homonuclear
from ratedb.models.kernels import DISTINCT_KERNELS, check_kernel
from ratedb.models.means import check_mean
from ratedb.models.training_set import complete_curves, rates_of_j
from ratedb.models.workers import Workers, workers
from ratedb.options import PlanOptions, Progress, ReproduceOptions, silent
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import DEFAULT_SIZES, Candidate, candidate, percent
from ratedb.planning.screening import Screen, SetScore, TrialSet, refit_best, screen_sets, trial_sets
from ratedb.rates import Rates

# Changes where the same question would get other scores.
_METHOD = "screening 1"
SearchOptions = PlanOptions | ReproduceOptions


class ScoreBook:
    """Where scores are kept, by a hash of rates and settings that names a search; this one keeps none."""

    def scores(self, search: str) -> Sequence[SetScore]:
        """Return the scores of a search."""
        return ()

    def save(self, search: str, new: Sequence[SetScore]) -> None:
        """Keep new scores of a search."""


@dataclass(frozen=True)
class ExhaustiveResult:
    """The best set of each size, and the scores of every set and kernel, `scored_now` of them new."""

    candidates: list[Candidate]
    scores: list[SetScore]
    scored_now: int
    warnings: tuple[str, ...]


def specifications(molecule: str, options: SearchOptions) -> list[Specification]:
    """Return what is fitted, one for each kernel; raises UsageError for an unknown kernel or mean."""
    features = features_of(molecule)
    kernels = dict.fromkeys(check_kernel(kernel) for kernel in options.kernels or DISTINCT_KERNELS)
    return [Specification("basis", kernel, features, check_mean(options.mean)) for kernel in kernels]


def features_of(molecule: str) -> str:
    """Return the feature map for a molecule, with nuclear spin where it is homonuclear."""
    return "physics+spin" if is_homonuclear(molecule) else "physics"


def search_sets(
    rates: Rates,
    request: PlanRequest,
    options: SearchOptions,
    book: ScoreBook | None = None,
    progress: Progress = silent,
) -> ExhaustiveResult:
    """Score every set of the request's sizes with every kernel, train the best again, and rank them by size.

    `rates` are all known rates of the system. Scores are taken from `book` and added to it as they are found,
    so that an interrupted search continues. Raises RatedbError where a j of the target is not known.
    """
    book = book or ScoreBook()
    rates = part_of_target(rates, request)
    complete, warnings = known_system(rates, request.target)
    data = TrainingData.of(complete)
    wanted = specifications(rates.levels.molecule, options)
    trials = trial_sets(request.target, request.given, request.sizes or DEFAULT_SIZES)
    scores: list[SetScore] = []
    scored_now = 0
    with workers(options.jobs, options.scheduler) as pool:
        for specification in wanted:
            search = _search_name(rates, request, specification)
            known = {score.trial: score for score in book.scores(search)}
            missing = [trial for trial in trials if trial not in known]
            try:
                for new in _score(data, specification, missing, pool):
                    book.save(search, new)
                    known |= {score.trial: score for score in new}
                    scored_now += len(new)
                    done = sum(trial in known for trial in trials)
                    progress(f"{specification.kernel}: {done} of {len(trials)} sets scored")
            except FitError as error:
                warnings.append(f"left out: {error.what}")
                continue
            scores += [known[trial] for trial in trials]
        if not scores:
            raise RatedbError("no kernel explains the rates", where=request.system, got="; ".join(warnings))
        progress("training the best sets by themselves")
        best = refit_best(data, wanted, scores, pool)
    untrained = sorted({len(trial.train_j) for trial in trials} - set(best))
    warnings += [f"N = {size}: none of the best sets could be trained by itself" for size in untrained]
    candidates = [_candidate(request, found[0]) for found in best.values()]
    return ExhaustiveResult(candidates, scores, scored_now, tuple(warnings))


def part_of_target(rates: Rates, request: PlanRequest) -> Rates:
    """Return the transitions within the v and j of a target, out of any initial j up to its last."""
    v, j = rates.levels.need_vj()
    last = request.target[-1]
    return rates.select(
        (v[rates.upper] <= request.v_max) & (j[rates.upper] <= last) & (j[rates.lower] <= last)
    )


def known_system(rates: Rates, target: tuple[int, ...]) -> tuple[Rates, list[str]]:
    """Return the complete curves out of the target's j, and warnings; RatedbError for a j without any."""
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
    return complete, warnings


def _score(
    data: TrainingData, specification: Specification, trials: Sequence[TrialSet], pool: Workers
) -> Iterator[list[SetScore]]:
    if trials:
        # In a worker, on one thread: the same hyperparameters with any number of processes.
        (screen,) = pool.run(partial(Screen.of, data), [specification])
        yield from screen_sets(screen, trials, pool)


def _search_name(rates: Rates, request: PlanRequest, specification: Specification) -> str:
    """Return the hash of the rates and the settings."""
    own = rates.out_of(request.target).sha256()
    words = (_METHOD, own, str(specification), str(request.target), str(request.given))
    return sha256("\n".join(words).encode()).hexdigest()


def _candidate(request: PlanRequest, score: SetScore) -> Candidate:
    return replace(
        candidate(request, score.trial.train_j, score.trial.validate_j),
        kernel=score.kernel,
        expected_dex=score.dex_rms,
        expected_error=percent(score.dex_rms),
        test_dex_rms=score.dex_rms,
        test_log10_percent_error=score.log10_percent_error,
    )
