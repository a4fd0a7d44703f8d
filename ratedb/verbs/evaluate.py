"""Test a model against rates it has not seen, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.own_exports import as_exported
from ratedb.io.registry import read_rates
from ratedb.models import dense
from ratedb.models.baselines import interpolate_in_j, physical_law
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.predictor import Predictor
from ratedb.models.training_set import at_temperatures, complete_curves, rates_of_j, usable_rates
from ratedb.numbers import format_integers
from ratedb.physics.temperatures import interpolation
from ratedb.planning.costs import CostModel
from ratedb.rates import Rates
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.verbs.train import load_model

DENSE = Specification("dense", "M52", "paper", "constant")
"""The paper's way as a baseline: one GPR on flattened points, a single kernel."""


@dataclass(frozen=True)
class Slice:
    """The test for one initial j, one |dj| or one temperature: `value` says which."""

    value: float
    transitions: int
    model: Metrics
    interpolation: Metrics

    def to_json(self, key: str) -> dict[str, Any]:
        """Return plain JSON values, `value` under the name `key`."""
        return {
            key: self.value,
            "transitions": self.transitions,
            "model": self.model.to_json(),
            "interpolation": self.interpolation.to_json(),
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A held-out test: metrics of the model and of the baselines, and the values behind them.

    `truth` has n transitions and m temperatures; `prediction` and `interpolation_log10` (log10 k, shape
    (n, m)) belong to its rows. `baselines` has `interpolation`, `ios` (the physical law alone) and, where
    it was asked for, `dense` (the paper's way). `paper` has what else the paper's tables I-IV print of a set.
    """

    model_id: int | None
    system: str
    model: Metrics
    baselines: dict[str, Metrics]
    by_j: tuple[Slice, ...]
    by_abs_dj: tuple[Slice, ...]
    by_temperature: tuple[Slice, ...]
    paper: dict[str, Any]
    truth: Rates
    prediction: Rates
    interpolation_log10: FloatArray
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model_id": self.model_id,
            "system": self.system,
            "model": self.model.to_json(),
            "baselines": {name: found.to_json() for name, found in self.baselines.items()},
            "by_j": [entry.to_json("j") for entry in self.by_j],
            "by_abs_dj": [entry.to_json("abs_dj") for entry in self.by_abs_dj],
            "by_temperature": [entry.to_json("temperature_k") for entry in self.by_temperature],
            "paper": self.paper,
            "test_transitions": len(self.truth),
            "warnings": list(self.warnings),
        }


def evaluate_model(
    db: Path,
    model_id: int,
    *,
    truth_file: Path | None = None,
    with_dense: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Test a model on all j of its target that neither trained nor chose it.

    The truth is what is computed in the store, or a file's rates for the same system, at its own
    temperatures within the model's. `with_dense` trains the paper's dense model on the same rates and sets it
    beside. Raises RatedbError where nothing is held out, or there are too many points for the dense model.
    """
    with Store(db) as store:
        record = store.model(model_id)
        system = store.system_name(record.system_id)
        stored = store.known_rates(system)
    model = load_model(record)
    training, warnings = _training_of(stored, record, model)
    computed = stored.of_kinds(["computed"])
    marked = int(computed.marked.sum())
    if truth_file is None and marked:
        warnings.append(f"{marked} values that quality control marked are no truth to test against: left out")
    truth = computed.known() if truth_file is None else _truth_from(truth_file, system)
    test, left_out = held_out(truth, record, model)
    report("predicting")
    found = evaluate(model, training, test, record)
    if with_dense:
        report(f"training the dense model on {training.rate_cm3_s.size} points")
        found = replace(found, baselines=found.baselines | {"dense": _dense(training, test)})
    return replace(found, warnings=(*warnings, *left_out))


def _training_of(stored: Rates, record: Model, model: Predictor) -> tuple[Rates, list[str]]:
    """Return what the baselines learn from: the rates of the training j at the model's temperatures."""
    rates = rates_of_j(usable_rates(stored.known())[0], tuple(record.train_j), "training")
    training, _ = complete_curves(rates)
    if training.sha256() == record.training_sha256:
        return training, []
    training, _ = complete_curves(at_temperatures(rates, model.temperature_k))
    return training, [
        "the rates of the training j have changed since the model was trained: the baselines use today's,"
        " train again to use them in the model"
    ]


def held_out(truth: Rates, record: Model, model: Predictor) -> tuple[Rates, list[str]]:
    """Return the transitions of the target j that the model has not seen, and warnings.

    They keep the temperatures of the truth that lie within the model's. A transition without a positive
    truth at any of them is left out. Raises RatedbError where none is left.
    """
    seen = {*record.train_j, *record.validate_j}
    wanted = tuple(j for j in record.target_j if j not in seen)
    truth, warnings = usable_rates(truth)
    test = truth.select(np.isin(truth.initial_j(), wanted))
    supported = model.supports(test.transitions)
    if not supported.all():
        count = int((~supported).sum())
        warnings.append(f"{count} held-out transitions of a kind that was not trained are left out")
        test = test.select(supported)
    low, high = model.temperature_k[0] * (1 - 1e-9), model.temperature_k[-1] * (1 + 1e-9)
    within = test.temperature_k[(test.temperature_k >= low) & (test.temperature_k <= high)]
    test = at_temperatures(test, within)
    usable = (test.rate_cm3_s > 0).any(axis=1)
    if not usable.any():
        raise RatedbError(
            f"nothing is held out from model {record.model_id}",
            where=truth.system,
            expected=f"computed rates out of j among {format_integers(wanted)}"
            if wanted
            else "a target with other j",
            got="none",
            todo="import explicit calculations of such j, or name a file that has them with --truth",
        )
    left_out = int((~usable).sum())
    if left_out:
        what = "without a rate at the model's temperatures are left out"
        warnings.append(f"{left_out} held-out transitions {what}")
    return test.select(usable), warnings


def evaluate(model: Predictor, training: Rates, truth: Rates, record: Model | None = None) -> Evaluation:
    """Compare a model, naive interpolation and the physical law with held-out truth at its temperatures."""
    wanted = truth.transitions
    prediction = model.predict(wanted, truth.temperature_k)
    onto = interpolation(training.temperature_k, truth.temperature_k)
    naive = interpolate_in_j(training, wanted) @ onto.T
    law = physical_law(training, wanted) @ onto.T
    every = np.ones(len(truth.temperature_k), dtype=np.bool_)

    def slices(values: IntArray) -> tuple[Slice, ...]:
        return tuple(
            _slice(float(value), truth, prediction, naive, values == value, every)
            for value in np.unique(values)
            if (truth.rate_cm3_s[values == value] > 0).any()
        )

    initial_j = truth.initial_j()
    _, j = truth.levels.need_vj()
    rows = np.ones(len(truth), dtype=np.bool_)
    return Evaluation(
        model_id=None if record is None else record.model_id,
        system=truth.system,
        model=metrics(truth.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68),
        baselines={
            "interpolation": metrics(truth.rate_cm3_s, naive),
            "ios": metrics(truth.rate_cm3_s, law),
        },
        by_j=tuple(replace(entry, value=int(entry.value)) for entry in slices(initial_j)),
        by_abs_dj=tuple(
            replace(entry, value=int(entry.value)) for entry in slices(np.abs(j[truth.lower] - initial_j))
        ),
        by_temperature=tuple(
            _slice(float(temperature), truth, prediction, naive, rows, truth.temperature_k == temperature)
            for column, temperature in enumerate(truth.temperature_k)
            if (truth.rate_cm3_s[:, column] > 0).any()
        ),
        paper={} if record is None else _paper_columns(record, training, truth),
        truth=truth,
        prediction=prediction,
        interpolation_log10=naive,
    )


def _slice(
    value: float,
    truth: Rates,
    prediction: Rates,
    naive: FloatArray,
    rows: BoolArray,
    columns: BoolArray,
) -> Slice:
    part = np.ix_(rows, columns)
    return Slice(
        value,
        int(rows.sum()),
        metrics(truth.rate_cm3_s[part], prediction.log10_rate[part], prediction.log10_half_width_68[part]),
        metrics(truth.rate_cm3_s[part], naive[part]),
    )


def _paper_columns(record: Model, training: Rates, truth: Rates) -> dict[str, Any]:
    """Return what the paper's tables I-IV print of a training set besides errors and counts.

    Costs are shares of all j of the target that lie above the first training j, which is at hand and free.
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
        cost = CostModel(target, (first,))
        explicit = 100.0 * cost.share((*record.train_j, *record.validate_j))
        columns |= {"explicit_percent": explicit, "avoided_percent": 100.0 - explicit}
    return columns


def _dense(training: Rates, truth: Rates) -> Metrics:
    fitted = dense.fit(TrainingData.of(training), DENSE)
    curves = fitted.curves(truth.transitions)
    onto = interpolation(training.temperature_k, truth.temperature_k)
    # What an interval means is the model's own here: nothing calibrates it.
    return metrics(truth.rate_cm3_s, curves.mean @ onto.T)


def _truth_from(path: Path, system: str) -> Rates:
    source = InputFile.read(path)
    file = as_exported(read_rates(source), source)
    for partner in file.partners:
        if partner.rates.system == system:
            return partner.rates
    raise RatedbError(
        f"the file has no rates of {system}",
        where=str(path),
        expected=system,
        got=", ".join(partner.rates.system for partner in file.partners) or "no partner",
    )
