"""Test a stored model of a top or a pair on initial states that it has not seen."""

from __future__ import annotations

from dataclasses import replace

from ratedb.errors import UsageError
from ratedb.models.record import Model
from ratedb.models.tops.evaluation import UnitEvaluation, evaluate_units, held_out_units, with_levels_of
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.training import sets_of, training_again
from ratedb.options import EvaluateOptions, Progress
from ratedb.rates import Rates


def evaluate_by_unit(
    record: Model,
    model: TopPredictor,
    stored: Rates,
    truth: Rates | None,
    options: EvaluateOptions,
    progress: Progress,
) -> UnitEvaluation:
    """Test a model on all initial states that neither trained nor tested it.

    `truth` are rates of a file, those of the store where it is None. Raises RatedbError where nothing is held
    out, UsageError for the dense model.
    """
    if options.dense:
        raise UsageError("--dense has no effect: the paper's model is one of v and j", got="--dense")
    sets = sets_of(stored, tuple(record.train_units or ()), tuple(record.validate_units or ()))
    training, warnings = training_again(stored.known(), sets, record.training_sha256)
    if truth is None:
        computed = stored.of_kinds(["computed"])
        if flagged := int(computed.marked.sum()):
            warnings.append(f"{flagged} values flagged by quality control are left out of the truth")
        truth = computed.known()
    truth, left_out = with_levels_of(truth, model)
    test, more = held_out_units(truth, model, sets.validate)
    progress("predicting")
    found = evaluate_units(model, training, test, sets.validate)
    return replace(found, model_id=record.model_id, warnings=(*warnings, *left_out, *more))
