"""Find rates between levels of different nuclear spin species."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, IntArray
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.kinds.species import spin_species
from ratedb.levels import Levels
from ratedb.physics.pairs import is_pair, taken_apart
from ratedb.quality.rules import SPIN_SPECIES
from ratedb.rates import Rates

_EXCHANGE = ("H", "H+")


def species_findings(rates: Rates) -> list[Finding]:
    """Return one finding where rates (cm3 s-1) connect species that collisions do not mix; else none."""
    if rates.collider in _EXCHANGE:
        return []
    found: list[Finding] = []
    for molecule, words, value, of in _species(rates.levels, rates.collider):
        wrong = (value[of[rates.upper]] != value[of[rates.lower]]) & _positive(rates)
        if wrong.any():
            at = int(np.argmax(wrong))
            largest = float(np.nanmax(rates.rate_cm3_s[wrong]))
            detail = (
                f"{int(wrong.sum())} of {len(rates)} transitions, such as {rates.transition_name(at)},"
                f" connect nuclear spin species of {molecule} that collisions do not mix ({words}), with"
                f" rates of up to {largest:.3g} cm3 s-1"
            )
            found.append(SPIN_SPECIES.finding(rates.system, detail, value=largest, expected=0.0))
    return found


def _positive(rates: Rates) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray((rates.rate_cm3_s > SPIN_SPECIES.threshold).any(axis=1))


def _species(levels: Levels, collider: str) -> list[tuple[str, str, IntArray, IntArray]]:
    """Return name, words and species (k,) of each molecule's levels, and which of these a level has, (n,)."""
    if not is_pair(levels):
        own = spin_species(levels)
        return [(levels.molecule, own.words, own.value, np.arange(len(levels)))]
    try:
        both = taken_apart(levels, collider)
    except RatedbError:  # energies are no sums: other rules say so
        return []
    parts = ((both.first, both.first_of), (both.second, both.second_of))
    found = [(one.molecule, spin_species(one), place) for one, place in parts]
    return [(molecule, one.words, one.value, place) for molecule, one, place in found]
