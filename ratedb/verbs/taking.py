"""What an export is asked for, and what it takes out of a store for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ratedb.errors import RatedbError, UsageError
from ratedb.io.columns_write import TABLE_FORMATS
from ratedb.levels import Lines
from ratedb.physics.temperatures import kelvins
from ratedb.rates import Rates
from ratedb.store.selection import Selection, select_rates
from ratedb.store.store import Store

EXPORT_FORMATS = ("lamda", *TABLE_FORMATS, "basecol")


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
        if self.file_format not in EXPORT_FORMATS:
            raise UsageError(f"unknown format {self.file_format!r}", expected=" or ".join(EXPORT_FORMATS))
        self.selection.check()
        if not 0.0 < self.tolerance < 1.0:
            raise UsageError(
                "not a tolerance", expected="a part between 0 and 1, such as 0.01", got=f"{self.tolerance:g}"
            )
        if self.temperature_k not in (None, "auto"):
            kelvins(self.temperature_k)
        if self.file_format in TABLE_FORMATS and self.temperature_k is not None:
            raise UsageError(
                "a table has the temperatures of its rates",
                expected="--temperatures with --format lamda or basecol",
                got=f"--format {self.file_format}",
            )

    @property
    def selection(self) -> Selection:
        """Which of the values in the store are exported."""
        return Selection(self.kinds, self.min_quality, self.j_max)


@dataclass(frozen=True, eq=False)
class Taken:
    """What an export takes from the store."""

    tables: list[Rates]
    lines: Lines


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
        tables = [_selected(store, name, options) for name in systems]
        return Taken(tables, store.levels(molecules.pop()).lines)


def _selected(store: Store, system: str, options: ExportOptions) -> Rates:
    stored = select_rates(store, system, options.selection)
    if not len(stored):
        raise RatedbError(
            f"there are no rates of {system} to export",
            expected="rates in the store that the options leave in",
            todo="check --kind, --min-quality and --j-max; `ratedb show` tells what is there",
        )
    return stored
