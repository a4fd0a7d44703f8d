"""Take what an export writes out of a store: only sources whose unit is not in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.io.mixed_sources import from_predictions
from ratedb.io.rendering import kinds_of
from ratedb.io.writer_rules import ALL_READERS, WriterWarning
from ratedb.levels import Lines
from ratedb.options import ExportOptions
from ratedb.rates import Rates
from ratedb.store.selection import Selection
from ratedb.store.store import Store
from ratedb.verbs.select import selected


def take(
    db: Path, systems: Sequence[str], options: ExportOptions
) -> tuple[list[Rates], Lines, list[WriterWarning]]:
    """Return the rates that options select of each system, the lines of their molecule, and what is left out.

    Sources with a finding about their unit that nobody accepted are left out. Raises UsageError for systems
    of different molecules, RatedbError where nothing of one is selected.
    """
    wanted = Selection(kinds_of(options), options.min_quality, options.j_max)
    wanted.check()
    with Store(db) as store:
        molecules = {store.system(name).molecule for name in systems}
        if len(molecules) != 1 or len(set(systems)) != len(systems):
            raise UsageError(
                "one file holds one molecule, each collider once",
                expected="systems such as CO+p-H2 CO+o-H2",
                got=" ".join(systems),
            )
        taken = [_trusted(store, selected(store, name, wanted)) for name in systems]
        if options.computed_only:
            taken = [(_without_predictions(rates), said) for rates, said in taken]
        lines = store.levels(molecules.pop()).lines
    return [rates for rates, _ in taken], lines, [one for _, said in taken for one in said]


def _without_predictions(rates: Rates) -> Rates:
    """Return rates without those derived from predictions; raises RatedbError where none are left."""
    kept = rates.where((rates.kind_code >= 0) & ~from_predictions(rates))
    if not len(kept):
        raise RatedbError(
            f"all rates of {rates.system} are derived from predictions",
            expected="rates without predictions, for --computed-only",
            todo="export without --computed-only",
        )
    return kept


def _trusted(store: Store, rates: Rates) -> tuple[Rates, list[WriterWarning]]:
    """Return rates without the sources whose unit is in doubt; raises RatedbError where none are left."""
    doubted = store.doubted_sources(rates.system)
    wrong = np.isin(rates.source_id, list(doubted))
    said = [f"source {number} ({rule})" for number, rule in doubted.items()]
    todo = f"`ratedb check {rates.system} --accept RULE --because TEXT` accepts it if the unit is right"
    if wrong.any() and not (np.isfinite(rates.rate_cm3_s) & ~wrong).any():
        raise RatedbError(
            f"the rates of {rates.system} may be in another unit than cm3 s-1",
            expected="a source without a finding about its unit",
            got=", ".join(said),
            todo=todo,
        )
    if not doubted:
        return rates, []
    detail = (
        f"{rates.system}: {', '.join(said)} may be in another unit than cm3 s-1 and is left out, with"
        f" {int(wrong.any(axis=1).sum())} transitions that no other source has; {todo}"
    )
    return rates.where(np.isfinite(rates.rate_cm3_s) & ~wrong), [WriterWarning("unit", ALL_READERS, detail)]
