"""Select rates of a system by kind, quality and j."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.rates import Rates
from ratedb.store.selection import Selection, select_rates
from ratedb.store.store import Store


def select(db: Path, system: str, kinds: tuple[str, ...], min_quality: str, j_max: int | None) -> Rates:
    """Return the best rates of a system: `kinds` where given, of `min_quality`, up to `j_max`.

    Raises UsageError for an unknown kind or quality, RatedbError for an unknown system or where nothing is
    left.
    """
    chosen = Selection(kinds, min_quality, j_max)
    chosen.check()
    with Store(db) as store:
        rates = select_rates(store, system, chosen)
    if not len(rates):
        raise RatedbError(
            f"there are no such rates of {system}",
            where=str(db),
            expected="rates in the store that match the selection",
            got=f"kinds {', '.join(kinds) or 'all'}, min_quality {min_quality}, j_max {j_max}",
            todo="select less strictly",
        )
    return rates
