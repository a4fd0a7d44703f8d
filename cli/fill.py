"""`ratedb fill`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.fill import FillResult

_INCOMPLETE = 4


def _show(console: Console, result: FillResult, options: Mapping[str, Any]) -> None:
    rows = [
        ["transitions filled", result.filled_transitions],
        ["rates filled", result.filled_rates],
        ["of these extrapolated (transitions)", result.extrapolated],
        ["computed, kept (transitions)", result.kept_computed],
        ["filled by this model before (transitions)", result.unchanged],
        ["left missing, nothing like them was trained", result.unsupported],
    ]
    title = f"{result.system}, model {result.model_id}" + (" (dry run)" if options.get("dry_run") else "")
    console.print(table(title, ["", "number"], rows))


fill_command = command(
    Database.fill,
    _show,
    arguments={"system": "Such as CO+p-H2."},
    example="ratedb fill CO+p-H2",
    code=lambda result: _INCOMPLETE if result.unsupported else 0,
)
