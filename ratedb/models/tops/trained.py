"""What training a model of tops gives: the model, how it was chosen, and its errors on unseen states."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ratedb.models.metrics import Metrics, metrics
from ratedb.models.tops.predictor import TopPredictor, fit, fit_and_test
from ratedb.models.tops.training import UnitSets, rates_of_units
from ratedb.models.training_set import at_temperatures
from ratedb.options import Progress
from ratedb.rates import Rates
from ratedb.results import Result

_log = logging.getLogger(__name__)

ENGINE, KERNEL, FEATURES = "tops", "linear + Matern 5/2 + groups", "energies, quantum numbers, strengths"


@dataclass(frozen=True)
class TriedTop:
    """One candidate: its errors on initial states that were left out, and its share of what is kept."""

    name: str
    leave_out_dex_rms: float
    leave_out_factor_p95: float
    weight: float


@dataclass(frozen=True, repr=False)
class UnitTrainResult(Result):
    """A stored model of a top or a pair and how it was chosen; `model_id` is None after a dry run.

    `validation` are its errors on the validation units, predicted without them; without any, on the training
    units, each left out in turn.
    """

    model_id: int | None
    system: str
    kernel: str
    features: str
    mean: str
    engine: str
    train_units: tuple[str, ...]
    validate_units: tuple[str, ...]
    training_transitions: int
    validation: Metrics
    seconds: float
    tried: tuple[TriedTop, ...]
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """Return the model, its system, and its error on units that it did not see."""
        return f"model {self.model_id} of {self.system}, validation {self.validation.dex_rms:.3f} dex rms"


def fitted_and_tested(
    training: Rates, sets: UnitSets, seed: int, progress: Progress
) -> tuple[TopPredictor, Metrics]:
    """Return the model of all units given to it, and its errors on units that it has not seen."""
    if not len(sets.validate):
        return fit_and_test(training, seed=seed)
    seen = rates_of_units(training, sets.units, sets.train, "training")
    tests = rates_of_units(training, sets.units, sets.validate, "validation")
    tested = fit(seen, seed=seed)
    tests = tests.select(tested.supports(tests.transitions))
    predicted = tested.predict(tests.transitions)
    truth = at_temperatures(tests, tested.temperature_k).rate_cm3_s
    found = metrics(truth, predicted.log10_rate, predicted.log10_half_width_68)
    progress("fitting with the validation units")
    return fit(training, seed=seed), found


def train_result(
    predictor: TopPredictor,
    sets: UnitSets,
    training: Rates,
    validation: Metrics,
    seconds: float,
    warnings: tuple[str, ...],
) -> UnitTrainResult:
    """Return what training found, before it is stored."""
    _log.info("%s: chose %s", training.system, predictor.kept)
    weight_of = {one.name: weight for one, weight in zip(predictor.members, predictor.weights, strict=True)}
    tried = tuple(
        TriedTop(one.name, one.dex_rms, one.factor_p95, weight_of.get(one.name, 0.0))
        for one in predictor.scores[:-1]
    )
    return UnitTrainResult(
        model_id=None,
        system=training.system,
        kernel=KERNEL,
        features=FEATURES,
        mean=predictor.kept,
        engine=ENGINE,
        train_units=sets.units.named(sets.train),
        validate_units=sets.units.named(sets.validate),
        training_transitions=len(training),
        validation=validation,
        seconds=seconds,
        tried=tried,
        warnings=warnings,
    )
