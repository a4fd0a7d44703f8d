"""`ratedb repair`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.repair import RepairResult


def _show(console: Console, result: RepairResult, options: Mapping[str, Any]) -> None:
    rows = [
        [one.molecule, one.kept, one.merged, f"{one.energy_cm1:.6f}", f"{one.weight:g}"]
        for one in result.merged
    ]
    if rows:
        names = ["molecule", "level kept", "merged into it", "energy (cm-1)", "weight"]
        console.print(table(result.summary(), names, rows, text=(0, 1, 2)))
    else:
        console.print("no level is stored twice")


repair_command = command(
    Database.repair,
    _show,
    arguments={"molecule": "Such as C2H (default: all)."},
    example="ratedb repair C2H --dry-run",
)
