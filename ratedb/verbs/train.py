"""Train a model on the explicit j of a system and keep it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.layers import KINDS
from ratedb.models.features import feature_map
from ratedb.models.kernels import DISTINCT_KERNELS, check_kernel
from ratedb.models.means import REFERENCE, check_mean
from ratedb.models.metrics import Metrics
from ratedb.models.predictor import Predictor, from_stored, to_stored
from ratedb.models.process import OPTIMISERS
from ratedb.models.reference import ReferenceRates, reference_rates
from ratedb.models.search import CRITERIA, ENGINES, SearchRequest, Tried, search
from ratedb.models.training_set import at_temperatures, complete_curves, rates_of_j, usable_rates
from ratedb.planning.sets import validation_set
from ratedb.rates import Rates
from ratedb.store.plans import get_plan
from ratedb.store.records import Model
from ratedb.store.store import Store


@dataclass(frozen=True)
class TrainOptions:
    """What to train on and what to try; None leaves the choice to ratedb.

    `target_j` are the initial j that the model is for (default: all of the molecule's levels). `prior` names
    another system of the store whose rates are the prior mean. `use_marked` learns also from values that
    quality control marked. The rest is as in SearchRequest.
    """

    train_j: tuple[int, ...] | None = None
    validate_j: tuple[int, ...] | None = None
    target_j: tuple[int, ...] | None = None
    plan_id: int | None = None
    kernels: tuple[str, ...] = DISTINCT_KERNELS
    features: str = "auto"
    mean: str = "auto"
    prior: str | None = None
    search: str = "single"
    criterion: str = "validation"
    engine: str = "auto"
    optimiser: str = "lbfgs"
    seed: int = 0
    jobs: int = 1
    scheduler: str | None = None
    use_marked: bool = False


@dataclass(frozen=True)
class TrainResult:
    """A stored model with how it was chosen."""

    model_id: int | None
    system: str
    kernel: str
    features: str
    mean: str
    prior: str | None
    engine: str
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    target_j: tuple[int, ...]
    training_transitions: int
    validation: Metrics
    seconds: float
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Sets:
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    target_j: tuple[int, ...]


def train_model(
    db: Path,
    system: str,
    options: TrainOptions,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> TrainResult:
    """Fit every candidate on the training j, choose on the validation j, and store the best model.

    Raises UsageError where the sets are not given or overlap, RatedbError where the store does not have
    their rates or no candidate fits.
    """
    request = _request(options)
    with Store(db) as store:
        stored = store.known_rates(system)
        system_id = store.system(system).system_id or 0
        known = stored.known(with_marked=options.use_marked)
        sets = _choose_sets(store, system, options, known)
        prior = None if options.prior is None else _prior_of(store, system, options.prior)
    known, marks = usable_rates(known)
    training, warnings = complete_curves(rates_of_j(known, sets.train_j, "training"))
    warnings = [*marks, *warnings]
    validation = at_temperatures(rates_of_j(known, sets.validate_j, "validation"), training.temperature_k)
    reference = None
    if prior is not None:
        reference, of_prior = _reference(prior, training)
        warnings += of_prior
    start = perf_counter()
    found = search(training, validation, request, reference, report)
    predictor = found.predictor
    result = TrainResult(
        model_id=None,
        system=system,
        kernel=predictor.kernel,
        features=predictor.features,
        mean=predictor.mean,
        prior=None if predictor.reference is None else predictor.reference.system,
        engine=predictor.engine,
        train_j=sets.train_j,
        validate_j=sets.validate_j,
        target_j=sets.target_j,
        training_transitions=len(training),
        validation=found.validation,
        seconds=perf_counter() - start,
        tried=found.tried,
        warnings=(
            *warnings,
            *_about_marks(stored, sets, options.use_marked),
            *_without_rates(sets, predictor),
            *_not_computed(stored, sets.train_j),
            *_not_fitted(found.tried),
        ),
    )
    if dry_run:
        return result
    report("storing")
    record = _record(result, predictor, system_id, options)
    record.training_sha256 = training.sha256()
    record.training_source_ids = _sources_of(stored, sets.train_j, training)
    with Store(db, write=True) as store:
        return replace(result, model_id=store.put_model(record))


def _request(options: TrainOptions) -> SearchRequest:
    """Return the checked request; raises UsageError for a name or number that makes no sense."""
    for what, value, known in (
        ("--search", options.search, ("single", "composite")),
        ("--criterion", options.criterion, CRITERIA),
        ("--engine", options.engine, ENGINES),
        ("--optimiser", options.optimiser, OPTIMISERS),
    ):
        if value not in known:
            raise UsageError(f"unknown {what}", expected=" or ".join(known), got=value)
    if not 0 <= options.seed < 2**31:
        raise UsageError("the seed makes no sense", expected="0..2147483647", got=str(options.seed))
    if options.jobs < 1:
        raise UsageError("the number of jobs makes no sense", expected="1 or more", got=str(options.jobs))
    if options.features != "auto":
        feature_map(options.features)
    if options.mean.startswith(REFERENCE):
        raise UsageError(
            "a mean over another data set is asked for in two parts",
            expected=f"--prior SYSTEM --mean {options.mean.removeprefix(REFERENCE)}",
            got=f"--mean {options.mean}",
        )
    if options.mean != "auto":
        check_mean(options.mean)
    return SearchRequest(
        kernels=tuple(dict.fromkeys(check_kernel(kernel) for kernel in options.kernels)),
        features=None if options.features == "auto" else (options.features,),
        means=None if options.mean == "auto" else (options.mean,),
        composite=options.search == "composite",
        criterion="bic" if options.criterion == "bic" else "validation",
        engine=options.engine,
        optimiser="rmsprop" if options.optimiser == "rmsprop" else "lbfgs",
        seed=options.seed,
        jobs=options.jobs,
        scheduler=options.scheduler,
    )


@dataclass(frozen=True, eq=False)
class _Prior:
    """Another data set of the store, and whose it is."""

    rates: Rates
    citations: tuple[str, ...]


def _prior_of(store: Store, system: str, prior: str) -> _Prior:
    if prior == system:
        raise UsageError("a system cannot be its own prior", expected="another system", got=prior)
    rows = store.query(
        "SELECT DISTINCT reference FROM sources WHERE system = ? AND kind <> 'predicted' ORDER BY reference",
        [prior],
    )
    return _Prior(store.known_rates(prior).known(), tuple(row["reference"] for row in rows))


def _reference(data_set: _Prior, training: Rates) -> tuple[ReferenceRates, list[str]]:
    """Return the prior data set at the training temperatures, with a word on what it lacks."""
    prior = data_set.rates
    prior.levels.need_vj()
    reference, warnings = reference_rates(prior, training.temperature_k)
    reference = replace(reference, citations=data_set.citations)
    transitions = training.transitions
    own, there = transitions.vj(), reference.has(transitions)
    if not there:
        raise RatedbError(
            f"{prior.system} has none of the training transitions",
            where=training.system,
            expected="a data set with the same v, j -> v', j'",
            got=f"{len(reference.known)} other transitions",
            todo="choose another --prior",
        )
    if prior.levels.molecule != training.levels.molecule:
        warnings.append(f"{prior.system} is another molecule than {training.levels.molecule}")
    wanted = {(v, v_final) for v, _, v_final, _ in own.tolist()}
    missing = wanted - {(v, v_final) for v, _, v_final, _ in reference.known.tolist()}
    if missing:
        raise RatedbError(
            f"{prior.system} has nothing between some vibrational states",
            where=training.system,
            expected="a data set with every v -> v' of the training set",
            got=", ".join(f"no {v} -> {v_final}" for v, v_final in sorted(missing)),
            todo="choose another --prior",
        )
    if there < len(training):
        warnings.append(
            f"{prior.system} lacks {len(training) - there} of {len(training)} training transitions:"
            " interpolated in j"
        )
    return reference, warnings


def _record(result: TrainResult, predictor: Predictor, system_id: int, options: TrainOptions) -> Model:
    state, arrays = to_stored(predictor)
    return Model(
        system_id=system_id,
        engine=result.engine,
        kernel=result.kernel,
        features=result.features,
        train_j=list(result.train_j),
        validate_j=list(result.validate_j),
        target_j=list(result.target_j),
        training_sha256="",
        training_source_ids=[],
        criterion=options.criterion,
        seed=options.seed,
        validation=result.validation.to_json(),
        tried=[asdict(tried) for tried in result.tried],
        seconds=result.seconds,
        state=state,
        arrays=arrays,
    )


def _sources_of(stored: Rates, train_j: tuple[int, ...], training: Rates) -> list[int]:
    """Return the ids of the sources that the training values come from."""
    known = stored.of_kinds(KINDS[:-1])
    used = known.select(np.isin(known.initial_j(), train_j)).select_temperatures(
        np.isin(known.temperature_k, training.temperature_k)
    )
    return sorted(set(used.source_id.ravel().tolist()) - {-1})


def _not_computed(stored: Rates, train_j: tuple[int, ...]) -> list[str]:
    rows = np.isin(stored.initial_j(), train_j)
    found = []
    for kind in ("scaled", "extrapolated"):
        count = int((stored.kind[rows] == kind).sum())
        if count:
            found.append(f"{count} of the training values are {kind}")
    return found


def _about_marks(stored: Rates, sets: _Sets, use_marked: bool) -> list[str]:
    """Warn of values of the training or validation j that quality control marked."""
    rows = np.isin(stored.initial_j(), (*sets.train_j, *sets.validate_j))
    count = int(stored.marked[rows].sum())
    if not count:
        return []
    done = "used all the same" if use_marked else "left out"
    return [f"{count} values that quality control marked are {done}; `ratedb check` says why"]


def _without_rates(sets: _Sets, predictor: Predictor) -> list[str]:
    missing = sorted(set(sets.train_j) - set(predictor.train_j))
    return (
        [f"j = {', '.join(map(str, missing))}: no complete temperature curve, not trained on"]
        if missing
        else []
    )


def _not_fitted(tried: tuple[Tried, ...]) -> list[str]:
    return [f"left out: {reason}" for reason in dict.fromkeys(entry.failure for entry in tried) if reason]


def load_model(record: Model) -> Predictor:
    """Return the predictor of a stored model; raises RatedbError where it cannot be read."""
    return from_stored(record.state, record.arrays)


def _choose_sets(store: Store, system: str, options: TrainOptions, known: Rates) -> _Sets:
    train_j, validate_j, target_j = options.train_j, options.validate_j, options.target_j
    if options.plan_id is not None:
        plan = get_plan(store.connection, options.plan_id)
        if plan.system_name != system:
            raise UsageError(
                f"plan {options.plan_id} is for another system", expected=system, got=plan.system_name
            )
        if plan.chosen is None:
            raise UsageError(
                f"plan {options.plan_id} has no chosen set",
                expected="a plan with one candidate, or --train-j",
                todo="plan again with --sizes and one number",
            )
        train_j = train_j or tuple(plan.chosen["train_j"])
        validate_j = validate_j or tuple(plan.chosen["validate_j"])
        target_j = target_j or tuple(plan.request["target"])
    if not train_j:
        raise UsageError(
            "there is no training set", expected="--train-j such as 5,9,14,19, or --plan ID", got="neither"
        )
    if len(train_j) < 2:
        raise RatedbError(
            "the training set is too small",
            where=system,
            expected="two or more initial j",
            got=f"j = {train_j[0]}",
            todo="add a second j to --train-j; `ratedb plan` says which",
        )
    _, j = known.levels.need_vj()
    target_j = target_j or tuple(sorted(set(j.tolist())))
    outside = sorted(set(target_j) - set(j.tolist()))
    if outside:
        raise RatedbError(
            "some j of the target are not among the levels",
            where=system,
            expected=f"j in {min(j)}..{max(j)}",
            got=", ".join(map(str, outside)),
        )
    # The paper's rule among the j that are there, from the lowest training j on.
    there = sorted({*known.initial_j().tolist(), *train_j})
    at_hand = tuple(number for number in there if number >= min(train_j))
    validate_j = validate_j or validation_set(at_hand, (min(train_j),), train_j)
    both = sorted(set(train_j) & set(validate_j))
    if both:
        raise UsageError(
            "a j cannot both train and validate", expected="disjoint sets", got=", ".join(map(str, both))
        )
    return _Sets(tuple(sorted(train_j)), tuple(sorted(validate_j)), tuple(sorted(target_j)))
