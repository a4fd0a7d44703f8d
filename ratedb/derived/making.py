"""Derive rates as options ask, on the levels that the result is to have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.derived.naming import Wanted
from ratedb.errors import RatedbError
from ratedb.levels import Levels
from ratedb.options import DeriveOptions
from ratedb.physics.derived import Derived, downward, half_widths
from ratedb.physics.hyperfine import hyperfine_rates
from ratedb.physics.level_matching import match_levels
from ratedb.physics.partner_sums import effective_rates, thermal_rates
from ratedb.physics.structure_sums import rotational_rates
from ratedb.rates import Rates

_SHOWN = 4


def make(rates: Rates, asked: Wanted, options: DeriveOptions, levels: Levels | None) -> Derived:
    """Return what is asked for, on `levels` where they are given, which hyperfine rates need.

    Raises RatedbError where it cannot be derived, or where levels do not match.
    """
    if options.to == "hyperfine":
        if levels is None:
            raise RatedbError("hyperfine rates need a list of levels", todo="name it with --levels or --like")
        return hyperfine_rates(rates, levels, options.method)
    if options.to == "rotational":
        found = rotational_rates(rates, asked.molecule)
    elif asked.pair is None:
        raise RatedbError("sums over a partner's states need a pair of molecules")
    elif asked.state is not None:
        found = effective_rates(
            rates, asked.pair, asked.state, asked.collider, complete_only=options.complete_only
        )
    else:
        found = thermal_rates(rates, asked.pair, asked.collider, complete_only=options.complete_only)
    return found if levels is None else replace(found, rates=on_levels(found.rates, levels))


def on_levels(rates: Rates, levels: Levels) -> Rates:
    """Return rates on other levels of the same molecule; RatedbError where these lack one of theirs."""
    place = match_levels(rates.levels, levels).place
    used = np.unique(np.concatenate([rates.upper, rates.lower]))
    if (missing := used[place[used] < 0]).size:
        raise RatedbError(
            f"the list lacks levels of {levels.molecule} that the rates have",
            expected="all levels of the derived rates, by quantum numbers or energy and weight",
            got=f"none for {', '.join(rates.levels.label[one] for one in missing[:_SHOWN])}"
            f" ({len(missing)} of {len(used)})",
            todo="name a longer list of levels, or none",
        )
    ends = place[rates.upper], place[rates.lower]
    return downward(levels, rates.collider, ends, rates.temperature_k, rates.rate_cm3_s, half_widths(rates))


def within_one_j(rates: Rates) -> BoolArray:
    """Return which transitions of hyperfine levels stay within one j, shape (n,)."""
    j = rates.levels.quantum_numbers.get("j")
    if j is None or "F" not in rates.levels.quantum_numbers:
        return np.zeros(len(rates), dtype=np.bool_)
    return np.asarray(j[rates.upper] == j[rates.lower])
