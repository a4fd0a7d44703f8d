"""Select rates of a system by kind, quality and j."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.rates import Rates
from ratedb.store.selection import Selection, select_rates
from ratedb.store.store import Store


def select(db: Path, system: str, wanted: Selection) -> Rates:
    """Return the best rates of a system that are selected.

    Raises UsageError for an unknown kind or quality, RatedbError for an unknown system or where nothing is
    left.
    """
    wanted.check()
    with Store(db) as store:
        return selected(store, system, wanted)


def selected(store: Store, system: str, wanted: Selection) -> Rates:
    """Return the best rates of a system that a selection leaves; raises RatedbError where it leaves none."""
    rates = select_rates(store, system, wanted)
    if not len(rates):
        raise RatedbError(
            f"there are no such rates of {system}",
            where=str(store.path),
            expected="rates in the store that match the selection",
            got=f"kinds {', '.join(wanted.kinds) or 'all'}, min_quality {wanted.min_quality},"
            f" j_max {wanted.j_max}"
            + "".join(f", {end} level {label}" for end, label in wanted.labels().items()),
            todo=f"select less strictly; `ratedb show {system}` lists what is stored",
        )
    return rates
