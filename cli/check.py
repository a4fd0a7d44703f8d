"""`ratedb check`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.check import CheckResult


def _show(console: Console, result: CheckResult, options: Mapping[str, Any]) -> None:
    if result.accepted is not None:
        console.print(f"{result.summary()}.")
        return
    found = [one for one in result.sources if one.findings]
    for one in found:
        rows = [[row["severity"], row["rule"], row["findings"], row["example"]] for row in one.counts()]
        columns = ["severity", "rule", "findings", "the first"]
        console.print(table(f"{one.system}, source {one.source_id}", columns, rows, text=(0, 1, 3)))
    if found:
        console.print("--json lists every finding; docs/quality.md explains the rules.")
    else:
        console.print(f"{len(result.sources)} sources: no findings.")


check_command = command(
    Database.check,
    _show,
    arguments={"system": "Such as CO+p-H2; default: all."},
    example="ratedb check CO+H",
)
