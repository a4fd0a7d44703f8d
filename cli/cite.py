"""`ratedb cite`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.io.citations import Citations


def _show(console: Console, found: Citations, options: Mapping[str, Any]) -> None:
    if options.get("bibtex"):
        for entry in found.bibtex:
            console.print(entry, markup=False, highlight=False, soft_wrap=True)
        return
    rows = [[one.system, one.kind, one.reference, one.rates or None, one.use] for one in found.citations]
    if found.method is not None:
        rows.append(["all", "predicted", found.method, None, "method of the predictions"])
    heads = ["system", "kind", "reference", "rates", "use"]
    console.print(table(f"To cite for {found.file}", heads, rows, text=(0, 1, 2, 4)))


cite_command = command(
    Database.cite,
    _show,
    arguments={"file": "A file that ratedb exported, or a system such as CO+p-H2."},
    example="ratedb cite filled.dat --bibtex",
)
