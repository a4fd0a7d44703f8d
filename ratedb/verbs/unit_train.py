"""Train a model of a top or a pair on computed initial states and store it."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ratedb.declared import flag_of
from ratedb.errors import UsageError
from ratedb.models.record import Model
from ratedb.models.storage import to_stored
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.trained import UnitTrainResult, fitted_and_tested, train_result
from ratedb.models.tops.training import few_rows, few_units, sets_of, training_rates
from ratedb.models.tops.wanted import possible_transitions
from ratedb.options import Progress, TrainOptions, silent
from ratedb.rates import Rates
from ratedb.store.plans import Plan
from ratedb.store.store import Store

_TAKEN = ("plan", "train_units", "validate_units", "use_marked", "seed", "dry_run")


def is_by_unit(db: Path, system: str, options: TrainOptions) -> bool:
    """Return whether a system is trained on initial states; UsageError for such with a linear molecule."""
    with Store(db) as store:
        linear = store.levels(store.system(system).molecule).levels.has_vj
    if linear and (options.train_units or options.validate_units):
        raise UsageError(
            f"{system} is of a linear molecule, trained on j", expected="--train-j", got="--train-units"
        )
    return not linear


def train_by_unit(
    db: Path, system: str, options: TrainOptions, progress: Progress = silent
) -> UnitTrainResult:
    """Fit every candidate to the training units, choose by leaving out whole units, and store the model.

    Raises UsageError for options of training by j or unknown labels, RatedbError for missing rates.
    """
    _refuse_options(options)
    with Store(db) as store:
        stored = store.known_rates(system)
        system_id = store.system(system).system_id or 0
        planned = None if options.plan is None else _planned(store.plan(options.plan), system)
    known = stored.known(with_marked=options.use_marked)
    named = (options.train_units or (), options.validate_units or ())
    train, validate = (one or of_plan for one, of_plan in zip(named, planned or ((), ()), strict=True))
    sets = sets_of(known, train, validate)
    if both := sets.units.named(np.intersect1d(sets.train, sets.validate)):
        raise UsageError("an initial state both trains and validates", got=", ".join(both))
    start = perf_counter()
    training, warnings = training_rates(known, sets)
    progress(f"fitting {len(training)} transitions")
    predictor, validation = fitted_and_tested(training, sets, options.seed, progress)
    possible = possible_transitions(stored.levels, predictor.structure)
    count = np.bincount(predictor.structure.unit_of[possible.upper], minlength=len(sets.units))
    warnings += [*few_units(len(predictor.train_units)), *few_rows(training, count, sets.units)]
    if predictor.is_group_means:
        warnings.append("no model beats the group means on left-out initial states: these are kept")
    result = train_result(predictor, sets, training, validation, perf_counter() - start, tuple(warnings))
    if options.dry_run:
        return result
    progress("storing")
    record = _record(result, predictor, system_id, options, training, stored)
    with Store(db, write=True) as store:
        model_id, notes = store.put_model_once(record)
    return replace(result, model_id=model_id, warnings=(*result.warnings, *notes))


def _planned(plan: Plan, system: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen = plan.chosen or {}
    if plan.system_name != system:
        raise UsageError(f"plan {plan.plan_id} is for another system", expected=system, got=plan.system_name)
    if "train_units" not in chosen:
        raise UsageError(
            f"plan {plan.plan_id} has no initial states", expected="a plan of a top or a pair", got="one by j"
        )
    return tuple(chosen["train_units"]), tuple(chosen["validate_units"])


def _refuse_options(options: TrainOptions) -> None:
    for one in fields(options):
        if one.name not in _TAKEN and getattr(options, one.name) != one.default:
            raise UsageError(
                f"{flag_of(one.name)} has no effect where a model is trained on initial states",
                expected=", ".join(map(flag_of, _TAKEN)),
                got=flag_of(one.name),
            )


def _record(
    result: UnitTrainResult,
    predictor: TopPredictor,
    system_id: int,
    options: TrainOptions,
    training: Rates,
    stored: Rates,
) -> Model:
    state, arrays = to_stored(predictor)
    rows = np.isin(stored.transitions.keys(), training.transitions.keys())
    none: dict[str, Any] = {"train_j": [], "validate_j": [], "target_j": []}
    return Model(
        system_id=system_id,
        engine=result.engine,
        kernel=result.kernel,
        features=result.features,
        **none,
        training_sha256=training.sha256(),
        training_source_ids=sorted(set(stored.source_id[rows].ravel().tolist()) - {-1}),
        criterion="left-out initial states",
        seed=options.seed,
        validation=result.validation.to_json(),
        tried=[asdict(one) for one in result.tried],
        seconds=result.seconds,
        state=state,
        arrays=arrays,
        train_units=list(result.train_units),
        validate_units=list(result.validate_units),
    )
