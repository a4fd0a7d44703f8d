"""`ratedb backup`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.sharing import BackupResult


def _show(console: Console, result: BackupResult, options: Mapping[str, Any]) -> None:
    console.print(f"wrote {result.path}, {result.bytes / 1e6:.1f} MB, compared row by row", markup=False)
    console.print(f"SHA-256 {result.sha256}", markup=False)


backup_command = command(
    Database.backup,
    _show,
    arguments={"file": "The file to write."},
    example="ratedb backup ratedb-2025-11-26.duckdb",
)
