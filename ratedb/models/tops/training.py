"""Which initial states train and test a model of tops, and their rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import RatedbError
from ratedb.kinds.units import Units, units_of
from ratedb.models.training_set import complete_curves, usable_rates
from ratedb.physics.orientation import units_out_of
from ratedb.rates import Rates

_FEW = 0.5
_FEW_UNITS = 6
_NAMED = 6


@dataclass(frozen=True, eq=False)
class UnitSets:
    """The units that a model is trained on and, apart from these, those it is tested on."""

    units: Units
    train: IntArray
    validate: IntArray


def rates_of_units(rates: Rates, units: Units, wanted: IntArray, role: str) -> Rates:
    """Return the transitions out of these units; raises RatedbError for one without any."""
    of_row = units_out_of(rates.transitions, units)
    if missing := units.named(np.setdiff1d(wanted, of_row)):
        known = units.named_once(of_row)
        raise RatedbError(
            f"the store has no rates out of some initial states of the {role} set",
            where=rates.system,
            expected=f"some of {len(known)} computed ones, such as {', '.join(known[:_NAMED])}",
            got=", ".join(missing[:_NAMED]),
            todo="import their explicit calculations, or choose other initial states",
        )
    return rates.select(np.isin(of_row, wanted))


def training_rates(known: Rates, sets: UnitSets) -> tuple[Rates, list[str]]:
    """Return complete, positive curves out of the training and validation units, and warnings."""
    usable, warnings = usable_rates(known)
    rates = rates_of_units(usable, sets.units, np.union1d(sets.train, sets.validate), "training")
    complete, more = complete_curves(rates)
    return complete, [*warnings, *more]


def training_again(known: Rates, sets: UnitSets, sha256: str) -> tuple[Rates, list[str]]:
    """Return the rates that a model was trained on, and a warning where they changed since."""
    training, _ = training_rates(known, sets)
    if training.sha256() == sha256:
        return training, []
    return training, [
        "the rates of the training set have changed since the model was trained; train again to use them"
    ]


def few_rows(training: Rates, possible: IntArray, units: Units) -> list[str]:
    """Return a warning that names units with less than half of the transitions that are `possible`, (u,)."""
    count = np.bincount(units_out_of(training.transitions, units), minlength=len(units))
    few = units.named(np.flatnonzero((count > 0) & (count < _FEW * possible)).astype(np.int64))
    if not few:
        return []
    shown = ", ".join(few[:_NAMED])
    return [f"{len(few)} initial states have less than half of their transitions: {shown}"]


def few_units(count: int) -> list[str]:
    """Return a warning where a model has so few initial states that nothing can be said of others."""
    if count >= _FEW_UNITS:
        return []
    return [f"the model has {count} initial states only: errors on left-out ones say little of other states"]


def sets_of(rates: Rates, train: tuple[str, ...], validate: tuple[str, ...]) -> UnitSets:
    """Return the sets that labels name, every computed unit to train on where none are.

    Raises UsageError for unknown labels.
    """
    units = units_of(rates.levels)
    tests = units.places(validate, "--validate-units")
    if train:
        return UnitSets(units, units.places(train, "--train-units"), tests)
    known = np.unique(units_out_of(rates.transitions, units)).astype(np.int64)
    return UnitSets(units, np.setdiff1d(known, tests).astype(np.int64), tests)
