"""Test a model against rates it has not seen, beside naive interpolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.formats.detect import read_file
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.basis import BasisModel, predict
from ratedb.models.features import Transitions
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.training_set import at_temperatures, positive_rows, rates_of_j
from ratedb.physics.transitions import format_integers
from ratedb.store.rates import StoredRates
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.tables import FloatArray, Prediction, RateTable
from ratedb.workflows.training import load_model


@dataclass(frozen=True)
class ByJ:
    """The test for one initial j."""

    j: int
    transitions: int
    model: Metrics
    interpolation: Metrics

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "j": self.j,
            "transitions": self.transitions,
            "model": self.model.to_json(),
            "interpolation": self.interpolation.to_json(),
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A held-out test: metrics of the model and of the baselines, and the values behind them.

    `truth` has n transitions and the model's m temperatures; `prediction` and `interpolation_log10`
    (log10 k, shape (n, m)) belong to its rows.
    """

    model_id: int | None
    system: str
    model: Metrics
    interpolation: Metrics
    by_j: tuple[ByJ, ...]
    truth: RateTable
    prediction: Prediction
    interpolation_log10: FloatArray
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model_id": self.model_id,
            "system": self.system,
            "model": self.model.to_json(),
            "baselines": {"interpolation": self.interpolation.to_json()},
            "by_j": [entry.to_json() for entry in self.by_j],
            "test_transitions": len(self.truth),
            "warnings": list(self.warnings),
        }


def evaluate_model(
    db: Path,
    model_id: int,
    *,
    truth_file: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Test a model on all j of its target that neither trained nor chose it.

    The truth is what is computed in the store, or a file's rates for the same system. Raises
    RatedbError where nothing is held out.
    """
    with Store(db) as store:
        record = store.model(model_id)
        system = store.system_name(record.system_id)
        stored = store.rates(system)
    model = load_model(record)
    training, warnings = _training_of(stored, record, model)
    computed = stored.of_kinds(["computed"]).rates
    truth = computed if truth_file is None else _truth_from(truth_file, system)
    test, left_out = held_out(truth, record, model)
    report("predicting")
    return replace(evaluate(model, training, test, model_id), warnings=(*warnings, *left_out))


def _training_of(stored: StoredRates, record: Model, model: BasisModel) -> tuple[RateTable, list[str]]:
    """Return what the baseline interpolates: the rates of the training j at the model's temperatures."""
    rates = rates_of_j(stored.known(), tuple(record.train_j), "training")
    rates = at_temperatures(rates, model.temperature_k)
    training = rates.select(positive_rows(rates))
    if training.sha256() == record.training_sha256:
        return training, []
    return training, [
        "the rates of the training j have changed since the model was trained: interpolation uses today's,"
        " train again to use them in the model"
    ]


def held_out(truth: RateTable, record: Model, model: BasisModel) -> tuple[RateTable, list[str]]:
    """Return the transitions of the target j that the model has not seen, at its temperatures, and warnings.

    A transition without a positive truth at any of them is left out. Raises RatedbError where none is left.
    """
    seen = {*record.train_j, *record.validate_j}
    wanted = tuple(j for j in record.target_j if j not in seen)
    test = at_temperatures(truth.select(np.isin(truth.initial_j(), wanted)), model.temperature_k)
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
    warnings = [f"{left_out} held-out transitions without a rate at the model's temperatures are left out"]
    return test.select(usable), warnings if left_out else []


def evaluate(
    model: BasisModel, training: RateTable, truth: RateTable, model_id: int | None = None
) -> Evaluation:
    """Compare a model and the naive baseline with held-out truth at the model's temperatures."""
    wanted = Transitions(truth.levels, truth.upper, truth.lower)
    prediction = predict(model, wanted)
    interpolated = interpolate_in_j(training, wanted)
    initial_j = truth.initial_j()
    by_j = []
    for j in sorted(set(initial_j.tolist())):
        rows = initial_j == j
        by_j.append(
            ByJ(
                j,
                int(rows.sum()),
                metrics(truth.rate_cm3_s[rows], prediction.log10_mean[rows], prediction.log10_std[rows]),
                metrics(truth.rate_cm3_s[rows], interpolated[rows]),
            )
        )
    return Evaluation(
        model_id=model_id,
        system=truth.system,
        model=metrics(truth.rate_cm3_s, prediction.log10_mean, prediction.log10_std),
        interpolation=metrics(truth.rate_cm3_s, interpolated),
        by_j=tuple(by_j),
        truth=truth,
        prediction=prediction,
        interpolation_log10=interpolated,
    )


def _truth_from(path: Path, system: str) -> RateTable:
    file = read_file(path)
    for partner in file.partners:
        if partner.rates.system == system:
            return partner.rates
    raise RatedbError(
        f"the file has no rates of {system}",
        where=str(path),
        expected=system,
        got=", ".join(partner.rates.system for partner in file.partners) or "no partner",
    )
