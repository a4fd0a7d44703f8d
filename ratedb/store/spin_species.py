"""Keep the nuclear spin species of a molecule apart: one name, one species."""

from __future__ import annotations

import numpy as np

from ratedb.errors import RatedbError
from ratedb.kinds.species import named_species, spin_species
from ratedb.levels import Levels


def need_same_species(levels: Levels, stored: Levels) -> list[str]:
    """Return a warning where new levels are of another nuclear spin species than all that are stored.

    Raises RatedbError where the name of the molecule is that of one species, as p-H2CO.
    """
    new, old = spin_species(levels), spin_species(stored)
    one_each = all(one.words and len(np.unique(one.value)) == 1 for one in (new, old))
    if not one_each or new.of != old.of or new.value[0] == old.value[0] or {*levels.label} & {*stored.label}:
        return []
    what = f"the levels of {levels.molecule} are of another nuclear spin species than those in the store"
    if not named_species(levels.molecule)[0]:
        return [f"{what} ({new.words}); both are now levels of {levels.molecule}"]
    raise RatedbError(
        what,
        where=f"levels such as {', '.join(levels.label[:3])}",
        expected=f"levels such as {', '.join(stored.label[:3])}",
        got=new.words,
        todo="name the species of these levels with --molecule",
    )
