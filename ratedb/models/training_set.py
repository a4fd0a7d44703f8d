"""The part of a system's rates that a model can learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.numbers import format_integers
from ratedb.physics.temperatures import rates_at
from ratedb.rates import Rates

_MOSTLY = 0.9
_PLACEHOLDER_BELOW = 1e-30
_BRIDGE_NEEDS = 3
_LIKENESS_NEEDS = 10
_NAMED = 3


@dataclass(frozen=True)
class Sets:
    """The initial j that a model is trained on, chosen by (validation), and meant for (target)."""

    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    target_j: tuple[int, ...]


def rates_of_j(rates: Rates, j_values: tuple[int, ...], role: str) -> Rates:
    """Return the transitions out of these initial j; raises RatedbError for a j without any."""
    initial_j = rates.initial_j()
    missing = sorted(set(j_values) - set(initial_j.tolist()))
    if missing:
        known = sorted(set(initial_j.tolist()))
        raise RatedbError(
            f"the store has no rates out of some j of the {role} set",
            where=rates.system,
            expected=f"j among {format_integers(known)}" if known else "computed rates",
            got=f"j = {', '.join(map(str, missing))}",
            todo="import their explicit calculations, or choose other j",
        )
    return rates.select(np.isin(initial_j, j_values))


def need_known_j(levels: Levels, wanted_j: Iterable[int]) -> None:
    """Raise RatedbError where some j are not among the levels."""
    known = levels.need_vj()[1].tolist()
    if outside := sorted(set(wanted_j) - set(known)):
        raise RatedbError(
            "some j are not among the levels",
            where=levels.molecule,
            expected=f"j in {min(known)}..{max(known)}",
            got=", ".join(map(str, outside)),
        )


def training_and_validation(known: Rates, sets: Sets) -> tuple[Rates, Rates, list[str]]:
    """Return complete training rates, validation rates at the same temperatures, and warnings.

    Raises RatedbError where rates out of some j are missing.
    """
    training, warnings = complete_curves(rates_of_j(known, sets.train_j, "training"))
    validation = rates_of_j(known, sets.validate_j, "validation")
    incomplete = sorted(set(sets.train_j) - set(training.initial_j().tolist()))
    if incomplete:
        names = ", ".join(map(str, incomplete))
        warnings.append(f"j = {names}: no complete temperature curve, not trained on")
    return training, at_temperatures(validation, training.temperature_k), warnings


def complete_curves(rates: Rates) -> tuple[Rates, list[str]]:
    """Return the rates as complete, positive temperature curves, and what was filled or left out.

    Zeros and placeholders count as missing. Gaps between three or more known temperatures are interpolated.
    Temperatures that fewer than nine in ten transitions then have are left out. A transition without values
    at its ends gets them from its likeness to the complete ones, if it has half of its values; other
    incomplete ones are left out. Raises RatedbError where nothing is left.
    """
    rates, warnings = usable_rates(rates)
    bridged = _bridge_gaps(rates)
    columns = np.isfinite(bridged).mean(axis=0) >= _MOSTLY if len(rates) else np.zeros(0, dtype=np.bool_)
    if not columns.any():
        raise RatedbError(
            "no temperature is common to the training set" if len(rates) else "the training set is empty",
            where=rates.system,
            expected="transitions with positive rates at the same temperatures",
            got=f"{len(rates)} transitions",
        )
    values = _complete_ends(bridged[:, columns])
    rows = np.isfinite(values).all(axis=1)
    if not rows.any():
        raise RatedbError("no transition of the training set has all temperatures", where=rates.system)
    for count, what in (
        (_added(bridged, rates.rate_cm3_s), "values between known temperatures are interpolated"),
        (
            _added(values, bridged[:, columns]),
            "values at the ends of incomplete curves are estimated from the complete ones",
        ),
        (int((~columns).sum()), "temperatures that too few transitions have are left out"),
    ):
        if count:
            warnings.append(f"{count} {what}")
    if not rows.all():
        names = ", ".join(rates.transition_name(row) for row in np.flatnonzero(~rows)[:_NAMED])
        what = f"transitions without enough positive rates are left out: {names}"
        warnings.append(f"{int((~rows).sum())} {what}")
    complete = rates.select(rows).select_temperatures(columns)
    return replace(complete, rate_cm3_s=values[rows], layers={}), warnings


def _added(after: FloatArray, before: FloatArray) -> int:
    return int(np.isfinite(after).sum() - np.isfinite(before).sum())


def usable_rates(rates: Rates) -> tuple[Rates, list[str]]:
    """Return the rates with NaN for zeros and placeholders, and warnings that count them.

    A placeholder is a tiny number that occurs several times: it stands for "no value". Pass the whole
    system, since a part of it may contain the number only once.
    """
    values = rates.rate_cm3_s
    warnings = []
    zero = values == 0
    if zero.any():
        warnings.append(f"{int(zero.sum())} rates of zero count as missing: they have no logarithm")
    tiny, counts = np.unique(values[(values > 0) & (values < _PLACEHOLDER_BELOW)], return_counts=True)
    marks = tiny[counts > 1]
    placeholder = np.isin(values, marks)
    if placeholder.any():
        listed = ", ".join(f"{mark:g}" for mark in marks[:_NAMED])
        warnings.append(f"{int(placeholder.sum())} placeholders ({listed}) count as missing")
    if not warnings:
        return rates, []
    return replace(rates, rate_cm3_s=np.where(zero | placeholder, np.nan, values)), warnings


def _bridge_gaps(rates: Rates) -> FloatArray:
    """Return rates (n, m) with gaps interpolated in rows that have enough values."""
    enough = np.isfinite(rates.rate_cm3_s).sum(axis=1) >= _BRIDGE_NEEDS
    values = rates.rate_cm3_s.copy()
    values[enough] = rates_at(rates.select(enough), rates.temperature_k).rate_cm3_s
    return values


def _complete_ends(rate: FloatArray) -> FloatArray:
    """Estimate the ends of incomplete curves from the mean and covariance of the complete ones."""
    complete = np.isfinite(rate).all(axis=1)
    result = rate.copy()
    if complete.sum() < _LIKENESS_NEEDS:
        return result
    log10_k = np.log10(rate)
    centre = log10_k[complete].mean(axis=0)
    covariance = np.cov(log10_k[complete].T).reshape(len(centre), len(centre))
    covariance += 1e-6 * np.trace(covariance) / len(centre) * np.eye(len(centre))
    for row in np.flatnonzero(~complete):
        known = np.isfinite(rate[row])
        if known.mean() >= 0.5:
            weights = np.linalg.solve(covariance[np.ix_(known, known)], log10_k[row, known] - centre[known])
            result[row, ~known] = 10.0 ** (centre[~known] + covariance[np.ix_(~known, known)] @ weights)
    return result


def at_temperatures(rates: Rates, temperature_k: FloatArray) -> Rates:
    """Return the rates at these temperatures, shape (m,), NaN where they have none."""
    values = np.full((len(rates), len(temperature_k)), np.nan)
    for column, temperature in enumerate(temperature_k):
        match = np.flatnonzero(np.isclose(rates.temperature_k, temperature, rtol=1e-9, atol=0.0))
        if len(match):
            values[:, column] = rates.rate_cm3_s[:, match[0]]
    return Rates(rates.levels, rates.collider, rates.upper, rates.lower, temperature_k, values)


def remarks(stored: Rates, sets: Sets, *, use_marked: bool) -> list[str]:
    """Return warnings of training and validation values that are flagged, scaled, extrapolated or derived."""
    found = []
    rows = np.isin(stored.initial_j(), (*sets.train_j, *sets.validate_j))
    if flagged := int(stored.marked[rows].sum()):
        done = "used all the same" if use_marked else "left out"
        found.append(f"{flagged} values flagged by quality control are {done}; `ratedb check` says why")
    kinds = stored.kind_code[np.isin(stored.initial_j(), sets.train_j)]
    for kind in (Kind.SCALED, Kind.EXTRAPOLATED, Kind.DERIVED):
        if count := int((kinds == kind).sum()):
            found.append(f"{count} of the training values are {kind.text}")
    return found


def training_sources(stored: Rates, train_j: tuple[int, ...], temperature_k: FloatArray) -> list[int]:
    """Return the ids of the sources that training values at these temperatures come from."""
    known = stored.known(with_marked=True)
    used = known.select(np.isin(known.initial_j(), train_j))
    used = used.select_temperatures(np.isin(used.temperature_k, temperature_k))
    return sorted(set(used.source_id.ravel().tolist()) - {-1})
