"""Which transitions a level list allows: those by which the target loses energy, within one spin species."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import IntArray
from ratedb.kinds.species import spin_species
from ratedb.kinds.units import units_of
from ratedb.levels import Levels, Transitions
from ratedb.models.tops.structure import Structure
from ratedb.physics.orientation import target_rises, turned
from ratedb.rates import Rates


def possible_transitions(levels: Levels, structure: Structure | None = None) -> Transitions:
    """Return all transitions by which the target loses energy.

    Nuclear spins forbid those between species of the target or of the partner.
    """
    structure = Structure.of(levels) if structure is None else structure
    energy = structure.target.energy_cm1[structure.target_of]
    allowed = energy[:, None] > energy[None, :]
    of_partner = None if structure.partner is None else structure.partner.numbers.get("ortho")
    species = [spin_species(levels).value]
    species += [] if of_partner is None else [of_partner[structure.partner_of]]
    for one in species:
        allowed &= one[:, None] == one[None, :]
    upper, lower = np.nonzero(allowed)
    return Transitions(levels, upper.astype(np.int64), lower.astype(np.int64))


def computed_units(rates: Rates) -> tuple[str, ...]:
    """Return the labels of the initial states whose rates are there, at least half of them.

    Half of the transitions to lower states of the target by those jumps of the partner that the rates have
    out of its state at all.
    """
    structure, units = Structure.of(rates.levels), units_of(rates.levels)
    possible = possible_transitions(rates.levels, structure)
    known = turned(rates.transitions, target_rises(rates.transitions))
    of = structure.partner_of
    jumps = [of[one.upper] * (int(of.max()) + 1) + of[one.lower] for one in (known, possible)]
    possible = possible.select(np.isin(jumps[1], jumps[0]))
    there, most = (np.bincount(units.of_level[one.upper], minlength=len(units)) for one in (known, possible))
    return units.named(np.flatnonzero((there > 0) & (2 * there >= most)).astype(np.int64))


def units_with_transitions(wanted: Transitions, structure: Structure) -> IntArray:
    """Return the units out of which some of these transitions go, sorted."""
    return np.asarray(np.unique(structure.unit_of[wanted.upper]), dtype=np.int64)
