"""What a server shows: functions that read a store. The server itself knows no store and cannot write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratedb.rates import Rates
from ratedb.store.selection import Selection

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Served:
    """A store as a server sees it.

    `state` is a text that changes when the store does. `systems` are the rows of `ratedb systems`. `rates`
    takes the name of a system and a selection, `table` the name of an endpoint and of a system, `report` that
    of a system, and `export` those of a system, a format and the file; it returns the bytes of the file and
    of its provenance, by their names. `hidden` is the address of the store, which no answer may have.
    """

    title: str
    state: Callable[[], str]
    systems: Callable[[], Rows]
    rates: Callable[[str, Selection], Rates]
    table: Callable[[str, str], Mapping[str, Any]]
    report: Callable[[str], bytes]
    export: Callable[[str, str, str], Mapping[str, bytes]]
    hidden: str


@dataclass(frozen=True)
class Limits:
    """How much one answer may be, and how long it may take.

    `rows` are values in one JSON answer, `values` those of a system that is sent, or shown on a page, as a
    whole; `seconds` an answer may take; `waiting` answers may be in the making.
    """

    rows: int = 100_000
    values: int = 2_000_000
    seconds: float = 30.0
    waiting: int = 64
    kept_bytes: int = 256_000_000


FILES = {".dat": "lamda", ".csv": "csv", ".parquet": "parquet"}
"""The endings of the files that a server has of each system, with their formats."""

_OF_USERS = ("user_name", "comment")


def without_names(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a source without who imported it and what they noted, as `publish` does."""
    return {name: value for name, value in source.items() if name not in _OF_USERS}
