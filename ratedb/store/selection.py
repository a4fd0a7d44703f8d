"""Choose rates out of a store, bring them to other temperatures, and lay them out as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratedb.errors import UsageError, one_of
from ratedb.layers import KINDS
from ratedb.rates import Rates
from ratedb.store.rates import Part
from ratedb.store.store import Store

QUALITIES = ("any", "unmarked", "unsuspected")


@dataclass(frozen=True)
class Selection:
    """Which values to take.

    `kinds` are the kinds of values, all where empty; `min_quality` is any, unmarked (no value with an error
    of quality control) or unsuspected (no warning either); `j_max` cuts the levels. `upper` and `lower` are
    the labels of one transition.
    """

    kinds: tuple[str, ...] = ()
    min_quality: str = "any"
    j_max: int | None = None
    upper: str | None = None
    lower: str | None = None

    def labels(self) -> dict[str, str]:
        """Return the labels that are selected, by `upper` and `lower`."""
        both = {"upper": self.upper, "lower": self.lower}
        return {end: label for end, label in both.items() if label is not None}

    def check(self) -> None:
        """Raise UsageError for an unknown kind or quality, or a j that is no number."""
        if self.j_max is not None and not isinstance(self.j_max, int | np.integer):
            raise UsageError("invalid highest j", expected="an integer", got=repr(self.j_max))
        for kind in self.kinds:
            one_of("kind", kind, KINDS)
        one_of("quality", self.min_quality, QUALITIES)


def select_rates(store: Store, system: str, selection: Selection) -> Rates:
    """Return the best rates of a system that are selected, perhaps none.

    Raises RatedbError for an unknown system, or for a `j_max` where levels have no j.
    """
    with_predictions = "predicted" in (selection.kinds or KINDS)
    part = Part(selection.upper, selection.lower, kinds=selection.kinds)
    if selection.j_max is not None:
        levels = store.levels(store.system(system).molecule).levels
        if (levels.need_j() % 1 == 0).all():
            part = replace(part, j_max=selection.j_max)
    rates = store.rates(system, part) if with_predictions else store.known_rates(system, part)
    if selection.min_quality != "any":
        rates = rates.where((rates.kind_code >= 0) & ~rates.marked)
    if selection.min_quality == "unsuspected":
        rates = rates.where((rates.kind_code >= 0) & ~store.suspected(rates))
    if selection.j_max is not None:
        j = rates.levels.need_j()
        rates = rates.select((j[rates.upper] <= selection.j_max) & (j[rates.lower] <= selection.j_max))
    return rates
