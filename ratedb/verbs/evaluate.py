"""Test a stored model on held-out rates of the store or of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.own_exports import as_exported
from ratedb.io.registry import read_rates
from ratedb.models.evaluation import Evaluation, given_to, held_out, training_again
from ratedb.models.evaluation import evaluate as compare
from ratedb.models.record import Model
from ratedb.models.storage import from_stored
from ratedb.models.training_set import Sets
from ratedb.options import EvaluateOptions, Progress, silent
from ratedb.planning.costs import CostModel
from ratedb.rates import Rates
from ratedb.store.store import Store


def evaluate(db: Path, model_id: int, options: EvaluateOptions, progress: Progress = silent) -> Evaluation:
    """Test a model on all j of its target that neither trained nor chose it.

    The truth is what is computed in the store, or a file's rates of the same system, at its own temperatures
    within the model's. Raises RatedbError where nothing is held out, or there are too many points for the
    dense model.
    """
    with Store(db) as store:
        record = store.model(model_id)
        system = store.system_name(record.system_id)
        stored = store.known_rates(system)
    model = from_stored(record.state, record.arrays)
    sets = Sets(tuple(record.train_j), tuple(record.validate_j), tuple(record.target_j))
    training, warnings = training_again(stored.known(), sets, model, record.training_sha256)
    if options.truth is None:
        computed = stored.of_kinds(["computed"])
        if flagged := int(computed.marked.sum()):
            warnings.append(f"{flagged} values flagged by quality control are left out of the truth")
        truth = computed.known()
    else:
        truth = _truth_from(options.truth, system)
    test, left_out = held_out(truth, sets, model)
    progress("predicting")
    if options.dense:
        progress(f"training the dense model on {training.rate_cm3_s.size} points")
    given = given_to(model, training, stored.known())
    found = compare(model, given, test, dense_on=training if options.dense else None)
    paper = _paper_columns(record, training, test)
    return replace(found, model_id=model_id, paper=paper, warnings=(*warnings, *left_out))


def _truth_from(path: Path, system: str) -> Rates:
    source = InputFile.read(path)
    partners = as_exported(read_rates(source), source).partners
    for partner in partners:
        if partner.rates.system == system:
            return partner.rates
    raise RatedbError(
        f"the file has no rates of {system}",
        where=str(path),
        expected=system,
        got=", ".join(partner.rates.system for partner in partners) or "no partner",
    )


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
