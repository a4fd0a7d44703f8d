"""`ratedb publish`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.sharing import PublishResult


def _show(console: Console, result: PublishResult, options: Mapping[str, Any]) -> None:
    console.print(
        f"published version {result.version} in {result.path}: {len(result.systems)} systems,"
        f" {result.values} values, {result.references} references, {result.bytes / 1e6:.1f} MB",
        markup=False,
    )


publish_command = command(
    Database.publish,
    _show,
    arguments={"folder": "The folder of all versions; this one goes into FOLDER/VERSION."},
    example="ratedb publish snapshots --version 1.0 --licence CC-BY-4.0 --creator 'A. Author'",
)
