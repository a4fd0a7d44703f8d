"""`ratedb cite`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.io.provenance import Citations


def _show(console: Console, found: Citations, options: Mapping[str, Any]) -> None:
    rows = [[one.system, one.kind, one.reference, one.rates or None, one.use] for one in found.citations]
    if found.method is not None:
        rows.append(["all", "predicted", found.method, None, "method of the predictions"])
    heads = ["system", "kind", "reference", "rates", "use"]
    console.print(table(f"To cite for {found.file}", heads, rows, text=(0, 1, 2, 4)))


cite_command = command(
    Database.cite,
    _show,
    arguments={"file": "A file that ratedb exported."},
    example="ratedb cite filled.dat",
)
