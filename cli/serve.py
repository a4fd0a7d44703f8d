"""`ratedb serve`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.serve import ServeResult


def _show(console: Console, result: ServeResult, options: Mapping[str, Any]) -> None:
    console.print(f"answered {result.requests} requests at {result.url}", markup=False, soft_wrap=True)


serve_command = command(Database.serve, _show, example="ratedb serve --port 8000", endless=True)
