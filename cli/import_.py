"""`ratedb import`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import cell, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.import_ import ImportedSystem, ImportResult

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
        _show_plan(console, system)


def _show_plan(console: Console, system: ImportedSystem) -> None:
    """Print which jobs of the newest plan have their rates."""
    progress = {} if system.plan is None else vars(system.plan)
    what = "j" if "done_j" in progress else "units"
    if done := progress.get(f"done_{what}"):
        left = cell(progress[f"left_{what}"]) if progress[f"left_{what}"] else "nothing"
        name = "j = " if what == "j" else ""
        console.print(
            f"Plan {progress['plan_id']}: the rates out of {name}{cell(done)} are imported, {left} left."
            f" `ratedb next {system.system}` chooses the next.",
            markup=False,
        )


import_command = command(
    Database.import_,
    _show,
    arguments={"files": "Files of rate coefficients."},
    example='ratedb import co.dat --method CC --reference "Yang et al. 2010"',
)
