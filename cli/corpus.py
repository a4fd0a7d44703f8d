"""`ratedb corpus`."""

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
    "where": "where",
    "source": "source",
    "transitions": "transitions",
    "rotational_constant_cm1": "B (cm-1)",
    "temperature_min_k": "T min (K)",
    "temperature_max_k": "T max (K)",
}


def _show(console: Console, result: QueryResult, options: Mapping[str, Any]) -> None:
    if result.about:
        done = {"added": "added to the", "replaced": "replaced in the", "removed": "removed from the"}
        console.print(f"{result.about['system']}: {done[result.about['changed']]} corpus of this store")
    for note in result.about.get("notes", ()):
        console.print(f"note: {note}")
    rows = [[row[name] for name in _HEADS] for row in result.dicts()]
    console.print(table("What the corpus was learnt from", [*_HEADS.values()], rows, text=(0, 1, 2)))


corpus_command = command(Database.corpus, _show, example="ratedb corpus --add CO+p-H2")
