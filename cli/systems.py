"""`ratedb systems`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.store.query import QueryResult

_HEADS = {
    "system": "system",
    "transitions": "transitions",
    "temperatures": "temperatures",
    "temperature_min_k": "T min (K)",
    "temperature_max_k": "T max (K)",
    "rates": "rates",
    "predicted": "predicted",
    "sources": "sources",
}


def _show(console: Console, result: QueryResult, options: Mapping[str, Any]) -> None:
    rows = [[row[name] for name in _HEADS] for row in result.dicts()]
    console.print(table("Systems in the store", [*_HEADS.values()], rows))


systems_command = command(Database.systems, _show, example="ratedb systems")
