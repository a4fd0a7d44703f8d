"""`ratedb import`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import cell, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.import_ import ImportResult

_COLUMNS = ("system", "source_id", "levels", "transitions", "temperatures", "rates", "new", "unchanged")


def _show(console: Console, result: ImportResult, options: Mapping[str, Any]) -> None:
    title = "Would import" if result.dry_run else "Imported"
    rows = [[getattr(system, column) for column in _COLUMNS] for system in result.systems]
    console.print(table(title, ["system", "source", *_COLUMNS[2:]], rows))
    rows = [
        [system.system, one["severity"], one["rule"], one["findings"], one["example"]]
        for system in result.systems
        for one in system.findings
        if one["severity"] != "note"
    ]
    if rows:
        heads = ["system", "severity", "rule", "findings", "the first"]
        console.print(table("Quality control", heads, rows, text=(0, 1, 2, 4)))
        flagged = "would be" if result.dry_run else "are"
        errors = f"Values with errors {flagged} flagged. " if any(row[1] == "error" for row in rows) else ""
        console.print(f"{errors}`ratedb check --json` lists all findings, docs/quality.md the rules.")
    for system in result.systems:
        if system.plan is not None and system.plan.done_j:
            left = cell(system.plan.left_j) if system.plan.left_j else "nothing"
            console.print(
                f"Plan {system.plan.plan_id}: the rates out of j = {cell(system.plan.done_j)} are imported,"
                f" {left} left. `ratedb next {system.system}` chooses the next."
            )


import_command = command(
    Database.import_,
    _show,
    arguments={"files": "Files of rate coefficients."},
    example='ratedb import co.dat --method CC --reference "Yang et al. 2010"',
)
