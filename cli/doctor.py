"""`ratedb doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.doctor import DoctorReport


def _show(console: Console, result: DoctorReport, options: Mapping[str, Any]) -> None:
    rows = [[one.name, one.status, one.detail] for one in result.checks]
    console.print(table("", ["check", "status", "detail"], rows, text=(0, 1, 2)))


doctor_command = command(
    Database.doctor, _show, example="ratedb doctor", code=lambda result: 1 if result.problems else 0
)
