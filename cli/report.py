"""`ratedb report`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.report import ReportResult


def _show(console: Console, result: ReportResult, options: Mapping[str, Any]) -> None:
    console.print(
        f"wrote {result.path}: {', '.join(result.systems)}, {result.bytes / 1e6:.1f} MB,"
        f" SHA-256 {result.sha256[:16]}...\nOpen it in a browser; it needs no network.",
        markup=False,
        soft_wrap=True,
    )


report_command = command(
    Database.report,
    _show,
    arguments={"systems": "Systems in the store, such as CO+p-H2 CO+o-H2."},
    required=("output",),
    example="ratedb report CO+p-H2 CO+o-H2 -o report.html",
)
