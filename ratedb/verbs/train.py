"""Train a model on the explicit j of a system and store it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

from ratedb.errors import UsageError
from ratedb.models.choosing import worse_than_before
from ratedb.models.record import Model
from ratedb.models.reference import reference_for
from ratedb.models.search import SearchResult, search
from ratedb.models.search_space import SearchRequest
from ratedb.models.storage import to_stored
from ratedb.models.tops.trained import UnitTrainResult
from ratedb.models.trained import TrainResult
from ratedb.models.training_set import Sets, remarks, training_and_validation, training_sources, usable_rates
from ratedb.options import Progress, TrainOptions, silent
from ratedb.planning.choose_sets import choose_sets
from ratedb.rates import Rates
from ratedb.store.plans import Plan
from ratedb.store.store import Store
from ratedb.verbs.unit_train import is_by_unit, train_by_unit


def train(
    db: Path, system: str, options: TrainOptions, progress: Progress = silent
) -> TrainResult | UnitTrainResult:
    """Fit every candidate to the training j, or initial states, choose one, and store it.

    Raises UsageError for sets not given or overlapping, RatedbError for missing rates or no fit.
    """
    if is_by_unit(db, system, options):
        return train_by_unit(db, system, options, progress)
    request = SearchRequest.of(options)
    if options.prior == system:
        raise UsageError("a system cannot be its own prior", expected="another one", got=system)
    with Store(db) as store:
        stored = store.known_rates(system)
        system_id, earlier = store.system(system).system_id or 0, store.recent_models(system)
        known, warnings = usable_rates(stored.known(with_marked=options.use_marked))
        corpus = store.corpus() if request.asks_corpus else None
        planned = None if options.plan is None else _planned(store.plan(options.plan), system)
        prior = None
        if options.prior is not None:
            prior = store.known_rates(options.prior).known(), tuple(store.references(options.prior))
    sets = choose_sets(options, known, planned)
    training, validation, notes = training_and_validation(known, sets)
    warnings += notes
    reference = None
    if prior is not None:
        reference, notes = reference_for(training, *prior)
        warnings += notes
    start = perf_counter()
    found = search(training, validation, request, reference, progress, corpus)
    warnings += [*found.notes, *remarks(stored, sets, use_marked=options.use_marked)]
    warnings += worse_than_before(found.predictor, training, sets, earlier, stored)
    result = _result(found, sets, training, perf_counter() - start, warnings)
    if options.dry_run:
        return result
    progress("storing")
    used = training_sources(stored, found.predictor.train_j, training.temperature_k)
    record = replace(_record(result, found, system_id, options, training.sha256()), training_source_ids=used)
    return _stored(db, result, record)


def _stored(db: Path, result: TrainResult, record: Model) -> TrainResult:
    with Store(db, write=True) as store:
        model_id, notes = store.put_model_once(record)
    return replace(result, model_id=model_id, warnings=(*result.warnings, *notes))


def _planned(plan: Plan, system: str) -> Sets:
    if plan.system_name != system:
        raise UsageError(f"plan {plan.plan_id} is for another system", expected=system, got=plan.system_name)
    if plan.chosen is None:
        raise UsageError(
            f"plan {plan.plan_id} has no chosen set",
            expected="a plan with one candidate, or --train-j",
            todo="plan again with --sizes and one number",
        )
    return Sets(*map(tuple, (plan.chosen["train_j"], plan.chosen["validate_j"], plan.request["target"])))


def _result(
    found: SearchResult, sets: Sets, training: Rates, seconds: float, warnings: list[str]
) -> TrainResult:
    predictor = found.predictor
    failures = dict.fromkeys(one.failure for one in found.tried if one.failure)
    return TrainResult(
        model_id=None,
        system=training.system,
        kernel=predictor.names("kernel"),
        features=predictor.names("features"),
        mean=predictor.names("mean"),
        engine=predictor.names("engine"),
        prior=None if predictor.reference is None else predictor.reference.system,
        **vars(sets),
        training_transitions=len(training),
        validation=found.validation,
        seconds=seconds,
        tried=found.tried,
        warnings=(*warnings, *(f"left out: {reason}" for reason in failures)),
    )


def _record(
    result: TrainResult, found: SearchResult, system_id: int, options: TrainOptions, sha256: str
) -> Model:
    state, arrays = to_stored(found.predictor)
    return Model(
        system_id=system_id,
        engine=result.engine,
        kernel=result.kernel,
        features=result.features,
        train_j=list(result.train_j),
        validate_j=list(result.validate_j),
        target_j=list(result.target_j),
        training_sha256=sha256,
        training_source_ids=[],
        criterion=options.criterion,
        seed=options.seed,
        validation=result.validation.to_json(),
        tried=[asdict(tried) for tried in result.tried],
        seconds=result.seconds,
        state=state,
        arrays=arrays,
    )
