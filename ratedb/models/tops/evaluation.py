"""A held-out test of a model of tops: next to the nearest initial state and to group means."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.kinds.units import Units, units_of
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.tops.baselines import group_means, nearest_unit
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.training_set import usable_rates
from ratedb.physics.orientation import turned_rates, units_out_of
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates
from ratedb.results import Result


@dataclass(frozen=True)
class UnitSlice:
    """The test for one initial state or one temperature: `value` says which."""

    value: str | float
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


@dataclass(frozen=True, eq=False, repr=False)
class UnitEvaluation(Result):
    """A held-out test by initial states: metrics of the model and of the baselines.

    `truth` has n transitions and m temperatures; `prediction` and
    `interpolation_log10` (log10 k, shape (n, m)) belong to its rows. `baselines` has
    `interpolation` (the nearest computed initial state) and `group_means`.
    """

    system: str
    model: Metrics
    baselines: dict[str, Metrics]
    by_unit: tuple[UnitSlice, ...]
    by_temperature: tuple[UnitSlice, ...]
    truth: Rates
    prediction: Rates
    interpolation_log10: FloatArray
    train_units: tuple[str, ...]
    validate_units: tuple[str, ...]
    model_id: int | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model_id": self.model_id,
            "system": self.system,
            "model": self.model.to_json(),
            "baselines": {name: found.to_json() for name, found in self.baselines.items()},
            "by_unit": [entry.to_json("unit") for entry in self.by_unit],
            "by_temperature": [entry.to_json("temperature_k") for entry in self.by_temperature],
            "train_units": list(self.train_units),
            "validate_units": list(self.validate_units),
            "test_transitions": len(self.truth),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the system and the model's error."""
        return f"{self.system}, {len(self.truth)} held-out transitions, {self.model.dex_rms:.3f} dex rms"


def with_levels_of(truth: Rates, model: TopPredictor) -> tuple[Rates, list[str]]:
    """Return rates with the levels of a model, found by label, and a warning of those that it lacks."""
    places = model.levels.places
    place = np.array([places.get(label, -1) for label in truth.levels.label], dtype=np.int64)
    there = (place[truth.upper] >= 0) & (place[truth.lower] >= 0)
    rows = truth.select(there)
    upper, lower = place[rows.upper], place[rows.lower]
    same = Rates(model.levels, model.collider, upper, lower, truth.temperature_k, rows.rate_cm3_s)
    energy = model.levels.energy_cm1
    same = turned_rates(same, energy[upper] < energy[lower])
    left_out = int((~there).sum())
    return same, [f"{left_out} transitions of levels that the model does not have"] if left_out else []


def held_out_units(truth: Rates, model: TopPredictor, validate_units: IntArray) -> tuple[Rates, list[str]]:
    """Return the transitions out of initial states that the model has not seen, and warnings.

    Raises RatedbError where none is left.
    """
    truth, warnings = usable_rates(truth)
    units = units_of(model.levels)
    seen = np.union1d(model.train_units, validate_units)
    test = truth.select(~np.isin(units_out_of(truth.transitions, units), seen))
    supported = model.supports(test.transitions)
    if not supported.all():
        what = "held-out transitions that the model does not predict are left out"
        warnings.append(f"{int((~supported).sum())} {what}")
        test = test.select(supported)
    low, high = model.temperature_k[0] * (1 - 1e-9), model.temperature_k[-1] * (1 + 1e-9)
    test = test.select_temperatures((test.temperature_k >= low) & (test.temperature_k <= high))
    usable = (test.rate_cm3_s > 0).any(axis=1)
    if not usable.any():
        raise RatedbError(
            "nothing is held out from the model",
            where=truth.system,
            expected="computed rates out of initial states that it was not trained on",
            got="none",
            todo="import explicit calculations of such states, or name a file that has them with --truth",
        )
    return test.select(usable), warnings


def evaluate_units(
    model: TopPredictor, given: Rates, truth: Rates, validate_units: IntArray
) -> UnitEvaluation:
    """Compare a model and baselines, which have the rates it was given, with truth at its temperatures."""
    wanted = truth.transitions
    prediction = model.predict(wanted, truth.temperature_k)

    def at_truth(log10_k: FloatArray) -> FloatArray:
        return np.log10(interpolated(given.temperature_k, 10.0**log10_k, truth.temperature_k))

    naive, groups = at_truth(nearest_unit(given, wanted)), at_truth(group_means(given, wanted))
    units = units_of(model.levels)
    by_unit, by_temperature = _slices(truth, prediction, naive, units)
    return UnitEvaluation(
        truth.system,
        metrics(truth.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68),
        {
            "interpolation": metrics(truth.rate_cm3_s, naive),
            "group_means": metrics(truth.rate_cm3_s, groups),
        },
        by_unit,
        by_temperature,
        truth,
        prediction,
        naive,
        units.named(model.train_units),
        units.named(validate_units),
    )


def _slices(
    truth: Rates, prediction: Rates, naive: FloatArray, units: Units
) -> tuple[tuple[UnitSlice, ...], tuple[UnitSlice, ...]]:
    """Return the test of each initial state and of each temperature that has a positive truth."""
    of_row = units_out_of(truth.transitions, units)
    rows, columns = np.arange(len(truth)), np.arange(len(truth.temperature_k))

    def part(rows: IntArray, columns: IntArray, value: str | float) -> list[UnitSlice]:
        here = np.ix_(rows, columns)
        rates = truth.rate_cm3_s[here]
        if not (rates > 0).any():
            return []
        found = metrics(rates, prediction.log10_rate[here], prediction.log10_half_width_68[here])
        return [UnitSlice(value, len(rates), found, metrics(rates, naive[here]))]

    by_unit = (part(rows[of_row == one], columns, units.label[one]) for one in np.unique(of_row))
    by_temperature = (part(rows, columns[[at]], one) for at, one in enumerate(truth.temperature_k.tolist()))
    return tuple(chain.from_iterable(by_unit)), tuple(chain.from_iterable(by_temperature))
