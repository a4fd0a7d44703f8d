"""`ratedb merge`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.merging import MergeResult


def _show(console: Console, result: MergeResult, options: Mapping[str, Any]) -> None:
    rows = [[name.replace("_", " "), one["added"], one["unchanged"]] for name, one in result.records.items()]
    title = f"From {result.other}" + (" (dry run)" if result.dry_run else "")
    console.print(table(title, ["", "added", "unchanged"], rows))
    if result.conflicts:
        heads = ["system", "source", "about", "here", "because", "other", "because", "counts"]
        told = [
            [c.system, c.source_id, c.about, c.here, c.here_because, c.other, c.other_because, c.counts]
            for c in result.conflicts
        ]
        console.print(table("Conflicts", heads, told, text=(0, 2, 3, 4, 5, 6, 7)))


merge_command = command(
    Database.merge,
    _show,
    arguments={"other": "A store, or the folder of a published snapshot."},
    example="ratedb merge other.duckdb --dry-run",
)
