"""What a store knows of a system that is planned: rates that are neither predicted nor flagged."""

from __future__ import annotations

from pathlib import Path

from ratedb.planning.knowledge import KnownRates
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.systems import split_system


def known_rates(db: Path, system: str) -> Rates:
    """Return the known rates of a system; raises RatedbError for an unknown system."""
    with Store(db) as store:
        return store.known_rates(system).known()


def rates_to_plan(db: Path, system: str, like: str | None) -> KnownRates:
    """Return what is known of a system, of its molecule and of a similar system.

    Raises RatedbError for an unknown similar system.
    """
    molecule, _ = split_system(system)
    with Store(db) as store:
        return KnownRates(
            own=store.known_rates(system).known() if store.has_system(system) else None,
            levels=store.levels(molecule).levels if store.has_molecule(molecule) else None,
            like=None if like is None else store.known_rates(like).known(),
        )
