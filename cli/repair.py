"""`ratedb repair`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.store.level_repair import Twin
    from ratedb.verbs.repair import RepairResult


_INCOMPLETE = 4
_NAMES = ["molecule", "level kept", "merged into it", "energy (cm-1)", "weight"]
_UNCLEAR = ["molecule", "level", "perhaps the same", "energy (cm-1)", "weight"]


def _show(console: Console, result: RepairResult, options: Mapping[str, Any]) -> None:
    if result.merged:
        console.print(table(result.summary(), _NAMES, _rows(result.merged), text=(0, 1, 2)))
    if result.unclear:
        console.print(
            table("not merged: several levels fit", _UNCLEAR, _rows(result.unclear), text=(0, 1, 2))
        )
    if not result.merged and not result.unclear:
        console.print("no level is stored twice")


def _rows(twins: Sequence[Twin]) -> list[list[str]]:
    return [[one.molecule, one.kept, one.merged, f"{one.energy_cm1:.6f}", f"{one.weight:g}"] for one in twins]


repair_command = command(
    Database.repair,
    _show,
    arguments={"molecule": "Such as C2H (default: all)."},
    example="ratedb repair C2H --dry-run",
    code=lambda result: _INCOMPLETE if result.unclear else 0,
)
