"""How far derived rates are from computed ones of the same system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.derived.making import within_one_j
from ratedb.models.metrics import metrics
from ratedb.physics.level_matching import match_levels
from ratedb.rates import Rates
from ratedb.results import Result


@dataclass(frozen=True)
class Agreement(Result):
    """Errors of some derived rates; r = max(k/truth, truth/k), and `wmef` is sum(truth r) / sum(truth)."""

    of: str
    transitions: int
    values: int
    factor_median: float
    factor_p95: float
    factor_max: float
    wmef: float


@dataclass(frozen=True)
class Comparison(Result):
    """Derived rates next to computed ones: by kind of transition, and at each temperature."""

    system: str
    source_ids: tuple[int, ...]
    groups: tuple[Agreement, ...]
    by_temperature: tuple[Agreement, ...]


def compare_with(truth: Rates, derived: Rates) -> Comparison | None:
    """Return how far derived rates are from the truth, at temperatures within its range; None for nothing.

    Rates of zero have no factor and are left out. Levels are matched by quantum numbers, else by energy and
    weight.
    """
    kelvin = derived.temperature_k
    inside = (kelvin >= truth.temperature_k[0]) & (kelvin <= truth.temperature_k[-1])
    if not inside.any():
        return None
    derived = derived.select_temperatures(inside)
    place = match_levels(derived.levels, truth.levels).place
    own = place[derived.upper] * len(truth.levels) + place[derived.lower]
    own[(place[derived.upper] < 0) | (place[derived.lower] < 0)] = -1
    _, rows, true_rows = np.intersect1d(own, truth.transitions.keys(), return_indices=True)
    if not len(rows):
        return None
    there = truth.select(true_rows).at(derived.temperature_k)
    k, true_k = derived.rate_cm3_s[rows], there.rate_cm3_s
    usable = np.isfinite(k) & (k > 0) & np.isfinite(true_k) & (true_k > 0)
    if not usable.any():
        return None
    within = within_one_j(derived.select(rows))
    choices = {"all": np.ones(len(rows), dtype=np.bool_)}
    if within.any():
        choices |= {"change of j": ~within, "within one j": within}
    groups = [_agreement(name, k, true_k, usable & rows_of[:, None]) for name, rows_of in choices.items()]
    columns = np.eye(k.shape[1], dtype=np.bool_)
    by_temperature = [
        _agreement(f"{t:g} K", k, true_k, usable & column)
        for t, column in zip(derived.temperature_k, columns, strict=True)
    ]
    used = np.unique(there.source_id[usable])
    return Comparison(
        truth.system,
        tuple(int(number) for number in used if number >= 0),
        tuple(one for one in groups if one is not None),
        tuple(one for one in by_temperature if one is not None),
    )


def _agreement(name: str, k: FloatArray, truth: FloatArray, usable: BoolArray) -> Agreement | None:
    if not usable.any():
        return None
    found = metrics(np.where(usable, truth, np.nan), np.log10(np.where(usable, k, 1.0)))
    return Agreement(
        name,
        found.transitions,
        found.values,
        found.factor_median,
        found.factor_p95,
        found.factor_max,
        found.wmef,
    )
