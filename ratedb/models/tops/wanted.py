"""Which transitions a level list allows: those by which the target loses energy, within one spin species."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import IntArray
from ratedb.kinds.species import spin_species
from ratedb.levels import Levels, Transitions
from ratedb.models.tops.structure import Structure


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


def units_with_transitions(wanted: Transitions, structure: Structure) -> IntArray:
    """Return the units out of which some of these transitions go, sorted."""
    return np.asarray(np.unique(structure.unit_of[wanted.upper]), dtype=np.int64)
