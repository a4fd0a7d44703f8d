"""Choose rates out of a store, bring them to other temperatures, and lay them out as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.errors import UsageError
from ratedb.layers import KINDS
from ratedb.rates import Rates
from ratedb.store.store import Store

QUALITIES = ("any", "unmarked", "unsuspected")


@dataclass(frozen=True)
class Selection:
    """Which values to take.

    `kinds` are the kinds of values, all where empty; `min_quality` is any, unmarked (no value with an error
    of quality control) or unsuspected (no warning either); `j_max` cuts the levels.
    """

    kinds: tuple[str, ...] = ()
    min_quality: str = "any"
    j_max: int | None = None

    def check(self) -> None:
        """Raise UsageError for an unknown kind or quality, or a j that is no number."""
        if self.j_max is not None and not isinstance(self.j_max, int | np.integer):
            raise UsageError("the highest j is no number", expected="an integer", got=repr(self.j_max))
        for what, given, known in (
            ("kind", self.kinds, KINDS),
            ("quality", [self.min_quality], QUALITIES),
        ):
            for one in given:
                if one not in known:
                    raise UsageError(f"unknown {what} {one!r}", expected=" or ".join(known))


def select_rates(store: Store, system: str, selection: Selection) -> Rates:
    """Return the best rates of a system that are selected, perhaps none.

    Raises RatedbError for an unknown system, or for a `j_max` where levels have no j.
    """
    with_predictions = "predicted" in (selection.kinds or KINDS)
    rates = store.rates(system) if with_predictions else store.known_rates(system)
    if selection.kinds:
        rates = rates.of_kinds(selection.kinds)
    if selection.min_quality != "any":
        rates = rates.where((rates.kind_code >= 0) & ~rates.marked)
    if selection.min_quality == "unsuspected":
        rates = rates.where((rates.kind_code >= 0) & ~_suspected(store, rates))
    if selection.j_max is not None:
        _, j = rates.levels.need_vj()
        rates = rates.select((j[rates.upper] <= selection.j_max) & (j[rates.lower] <= selection.j_max))
    return rates


def _suspected(store: Store, rates: Rates) -> BoolArray:
    """Return which values have a warning of quality control about their transition, shape (n, m)."""
    rows = store.query(
        "SELECT source_id, upper_label, lower_label, temperature_k FROM findings WHERE system = ?"
        " AND severity IN ('error', 'warning') AND upper_label IS NOT NULL AND accepted_because IS NULL",
        [rates.system],
    )
    label = rates.levels.label
    ends = zip(rates.upper, rates.lower, strict=True)
    place = {(label[up], label[low]): row for row, (up, low) in enumerate(ends)}
    upper = np.array(label)[rates.upper]
    found = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
    for one in rows:
        at = np.ones(len(rates.temperature_k), dtype=np.bool_)
        if one["temperature_k"] is not None:
            at = rates.temperature_k == one["temperature_k"]
        row = place.get((one["upper_label"], one["lower_label"]))
        if one["lower_label"] is None:  # about all transitions out of a level
            out = (upper == one["upper_label"])[:, None]
            found |= out & at & (rates.source_id == one["source_id"])
        elif row is not None:
            found[row] |= at & (rates.source_id[row] == one["source_id"])
    return found
