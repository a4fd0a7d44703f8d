"""Test a stored model on held-out rates of the store or of a file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels
from ratedb.models.evaluation import Evaluation, given_to, held_out, training_again
from ratedb.models.evaluation import evaluate as compare
from ratedb.models.record import Model
from ratedb.models.storage import any_of_record
from ratedb.models.tops.evaluation import UnitEvaluation
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.training_set import Sets
from ratedb.options import EvaluateOptions, ImportOptions, Progress, silent
from ratedb.planning.costs import CostModel
from ratedb.rates import Rates
from ratedb.store.store import Incoming, Store
from ratedb.verbs.incoming import read_incoming, read_incoming_cross_sections
from ratedb.verbs.unit_evaluate import evaluate_by_unit


def evaluate(
    db: Path, model_id: int, options: EvaluateOptions, progress: Progress = silent
) -> Evaluation | UnitEvaluation:
    """Test a model on all j of its target, or initial states, that neither trained nor chose it.

    The truth is what is computed in the store, or a file's rates of the same system, at its own temperatures
    within the model's. Raises RatedbError where nothing is held out, or there are too many points for the
    dense model.
    """
    with Store(db) as store:
        record = store.model(model_id)
        system = store.system_name(record.system_id)
        stored = store.known_rates(system)
    return evaluate_on(record, stored, options, progress)


def evaluate_on(
    record: Model, stored: Rates, options: EvaluateOptions, progress: Progress = silent
) -> Evaluation | UnitEvaluation:
    """Test a model as `evaluate` does, on the rates of its system from files that a store has."""
    model = any_of_record(record, stored.system)
    if isinstance(model, TopPredictor):
        kelvin = model.temperature_k
        given = None if options.truth is None else _truth_from(options.truth, options, kelvin, stored)
        return evaluate_by_unit(record, model, stored, given, options, progress)
    sets = Sets(tuple(record.train_j), tuple(record.validate_j), tuple(record.target_j))
    training, warnings = training_again(stored.known(), sets, model, record.training_sha256)
    if options.truth is None:
        computed = stored.of_kinds(["computed"])
        if flagged := int(computed.marked.sum()):
            warnings.append(f"{flagged} values flagged by quality control are left out of the truth")
        truth = computed.known()
    else:
        truth = _truth_from(options.truth, options, model.temperature_k, stored)
    test, left_out = held_out(truth, sets, model)
    progress("predicting")
    if options.dense:
        progress(f"training the dense model on {training.rate_cm3_s.size} points")
    given = given_to(model, training, stored.known())
    found = compare(model, given, test, dense_on=training if options.dense else None)
    paper = _paper_columns(record, training, test)
    return replace(found, model_id=record.model_id, paper=paper, warnings=(*warnings, *left_out))


def _truth_from(path: Path, options: EvaluateOptions, temperature_k: FloatArray, stored: Rates) -> Rates:
    """Return the rates of the model's system in a file, which it is taken to be of where it names none."""
    reading = ImportOptions(
        levels=options.levels,
        collider_levels=options.collider_levels,
        cross_sections=options.cross_sections,
        temperatures=tuple(temperature_k.tolist()) if options.cross_sections else (),
        quality="off",
    )
    found = _read(path, reading, stored)
    for rates, _ in found.sources:
        if rates.system == stored.system:
            return rates
    raise RatedbError(
        f"the file has no rates of {stored.system}",
        where=str(path),
        expected=stored.system,
        got=", ".join(rates.system for rates, _ in found.sources) or "no partner",
    )


def _read(path: Path, plain: ImportOptions, stored: Rates) -> Incoming:
    """Return what a file brings; it gets no molecule or collider unless it cannot be read without."""

    def known_levels(name: str) -> Levels | None:
        return stored.levels if name == stored.levels.molecule else None

    def read(options: ImportOptions) -> Incoming:
        if options.cross_sections:
            return read_incoming_cross_sections([path], options, known_levels, silent)
        return read_incoming(path, options, known_levels)

    with_collider = replace(plain, collider=stored.collider)
    for options in (plain, with_collider):
        with suppress(RatedbError):
            return read(options)
    molecule = stored.levels.molecule.removesuffix(f"({stored.collider})")  # readers add it to pairs
    return read(replace(with_collider, molecule=molecule))


def _paper_columns(record: Model, training: Rates, truth: Rates) -> dict[str, Any]:
    """Return the columns of the paper's tables I-IV besides errors and counts.

    Costs are shares of all j of the target above the first training j, which is given and free.
    """
    columns: dict[str, Any] = {
        "n": len(record.train_j),
        "train_j": list(record.train_j),
        "validate_j": list(record.validate_j),
        "training_transitions": len(training),
        "predicted_transitions": len(truth),
        "model_hours": record.seconds / 3600.0,
    }
    first = min(record.train_j)
    target = tuple(j for j in record.target_j if j >= first)
    if len(target) > 1:
        explicit = 100.0 * CostModel(target, (first,)).share((*record.train_j, *record.validate_j))
        columns |= {"explicit_percent": explicit, "avoided_percent": 100.0 - explicit}
    return columns
