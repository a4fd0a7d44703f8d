"""The part of a system's rates that a model can learn from."""

from __future__ import annotations

import numpy as np

from ratedb.errors import RatedbError
from ratedb.physics.transitions import format_integers
from ratedb.tables import BoolArray, FloatArray, RateTable

_MOSTLY = 0.9


def rates_of_j(rates: RateTable, j_values: tuple[int, ...], role: str) -> RateTable:
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


def complete_block(rates: RateTable) -> tuple[RateTable, list[str]]:
    """Return the rates on the temperatures that nearly all transitions have, and what was left out.

    A model of this engine learns whole temperature curves: temperatures that fewer than nine in ten
    transitions have are left out, then transitions with a gap or a zero. Raises RatedbError where
    nothing is left.
    """
    positive = np.isfinite(rates.rate_cm3_s) & (rates.rate_cm3_s > 0)
    columns = positive.mean(axis=0) >= _MOSTLY if len(rates) else np.zeros(0, dtype=np.bool_)
    if not columns.any():
        raise RatedbError(
            "the training set is empty" if not len(rates) else "no temperature is common to the training set",
            where=rates.system,
            expected="transitions with positive rates at the same temperatures",
            got=f"{len(rates)} transitions",
        )
    rows = positive[:, columns].all(axis=1)
    if not rows.any():
        raise RatedbError("no transition of the training set has all temperatures", where=rates.system)
    warnings = []
    if not columns.all():
        warnings.append(f"{int((~columns).sum())} temperatures that too few transitions have are left out")
    if not rows.all():
        warnings.append(
            f"{int((~rows).sum())} transitions with a zero or missing rate are left out of training"
        )
    block = RateTable(
        rates.levels,
        rates.collider,
        rates.upper[rows],
        rates.lower[rows],
        rates.temperature_k[columns],
        rates.rate_cm3_s[np.ix_(rows, columns)],
    )
    return block, warnings


def at_temperatures(rates: RateTable, temperature_k: FloatArray) -> RateTable:
    """Return the rates at these temperatures, shape (m,), NaN where they have none."""
    values = np.full((len(rates), len(temperature_k)), np.nan)
    for column, temperature in enumerate(temperature_k):
        match = np.flatnonzero(np.isclose(rates.temperature_k, temperature, rtol=1e-9, atol=0.0))
        if len(match):
            values[:, column] = rates.rate_cm3_s[:, match[0]]
    return RateTable(rates.levels, rates.collider, rates.upper, rates.lower, temperature_k, values)


def positive_rows(rates: RateTable) -> BoolArray:
    """Return which transitions have a positive rate at every temperature, shape (n,)."""
    rows: BoolArray = (np.isfinite(rates.rate_cm3_s) & (rates.rate_cm3_s > 0)).all(axis=1)
    return rows
