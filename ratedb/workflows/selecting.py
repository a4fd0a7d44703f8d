"""Take out of a store what an export writes: the rates that its options leave in, and where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.formats.columns_write import TABLE_FORMATS
from ratedb.store.rates import KINDS, StoredRates
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.tables import BoolArray, LineTable

EXPORT_FORMATS = ("lamda", *TABLE_FORMATS, "basecol")
EXPORT_QUALITIES = ("any", "unmarked", "unsuspected")


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and as what.

    `j_max` cuts the levels; `kinds` are the kinds of values to take, all where empty; `min_quality` is any,
    unmarked (no value with an error of quality control) or unsuspected (no warning either); `strict` refuses
    a file for which the writer has any warning. `temperature_k` are the temperatures to write, `auto` those
    that keep what straight lines between them cost below `tolerance`, None those of the rates.
    """

    file_format: str = "lamda"
    kinds: tuple[str, ...] = ()
    min_quality: str = "any"
    strict: bool = False
    j_max: int | None = None
    temperature_k: tuple[float, ...] | Literal["auto"] | None = None
    tolerance: float = 0.01

    def check(self) -> None:
        """Raise UsageError for an unknown format, kind or quality, or an impossible tolerance."""
        for what, given, known in (
            ("format", [self.file_format], EXPORT_FORMATS),
            ("kind", self.kinds, KINDS),
            ("quality", [self.min_quality], EXPORT_QUALITIES),
        ):
            for one in given:
                if one not in known:
                    raise UsageError(f"unknown {what} {one!r}", expected=" or ".join(known))
        if not 0.0 < self.tolerance < 1.0:
            raise UsageError(
                "not a tolerance", expected="a part between 0 and 1, such as 0.01", got=f"{self.tolerance:g}"
            )
        if self.file_format in TABLE_FORMATS and self.temperature_k is not None:
            raise UsageError(
                "a table has the temperatures of its rates",
                expected="--temperatures with --format lamda or basecol",
                got=f"--format {self.file_format}",
            )


@dataclass(frozen=True, eq=False)
class Taken:
    """What an export takes from the store."""

    tables: list[StoredRates]
    lines: LineTable
    sources: dict[int, dict[str, Any]]
    models: dict[int, Model]


def take(db: Path, systems: Sequence[str], options: ExportOptions) -> Taken:
    """Return what an export takes from the store; raises UsageError for systems of different molecules."""
    with Store(db) as store:
        molecules = {store.system(name).molecule for name in systems}
        if len(molecules) != 1 or len(set(systems)) != len(systems):
            raise UsageError(
                "one file holds one molecule, each collider once",
                expected="systems such as CO+p-H2 CO+o-H2",
                got=" ".join(systems),
            )
        with_predictions = "predicted" in (options.kinds or KINDS)
        rates = store.rates if with_predictions else store.known_rates
        tables = [_selected(store, rates(name), options) for name in systems]
        sources = {row["source_id"]: row for row in store.query("SELECT * FROM sources ORDER BY source_id")}
        models = {row["model_id"] for row in sources.values() if row["model_id"] is not None}
        return Taken(
            tables,
            store.levels(molecules.pop()).lines,
            sources,
            {model_id: store.model(model_id) for model_id in models},
        )


def _selected(store: Store, stored: StoredRates, options: ExportOptions) -> StoredRates:
    if options.kinds:
        stored = stored.of_kinds(options.kinds)
    if options.min_quality != "any":
        stored = stored.without(stored.marked)
    if options.min_quality == "unsuspected":
        stored = stored.without(_suspected(store, stored))
    if options.j_max is not None:
        _, j = stored.rates.levels.need_vj()
        low = (j[stored.rates.upper] <= options.j_max) & (j[stored.rates.lower] <= options.j_max)
        stored = stored.rows(low)
    if not len(stored.rates):
        raise RatedbError(
            f"there are no rates of {stored.rates.system} to export",
            expected="rates in the store that the options leave in",
            todo="check --kind, --min-quality and --j-max; `ratedb show` tells what is there",
        )
    return stored


def _suspected(store: Store, stored: StoredRates) -> BoolArray:
    """Return which values have a warning of quality control about their transition, shape (n, m)."""
    rows = store.query(
        "SELECT source_id, upper_label, lower_label, temperature_k FROM findings WHERE system = ?"
        " AND severity IN ('error', 'warning') AND upper_label IS NOT NULL AND accepted_because IS NULL",
        [stored.rates.system],
    )
    label = stored.rates.levels.label
    ends = zip(stored.rates.upper, stored.rates.lower, strict=True)
    place = {(label[up], label[low]): row for row, (up, low) in enumerate(ends)}
    found = np.zeros(stored.kind.shape, dtype=np.bool_)
    for one in rows:
        row = place.get((one["upper_label"], one["lower_label"]))
        if row is None:
            continue
        at = np.ones(len(stored.rates.temperature_k), dtype=np.bool_)
        if one["temperature_k"] is not None:
            at = stored.rates.temperature_k == one["temperature_k"]
        found[row] |= at & (stored.source_id[row] == one["source_id"])
    return found
