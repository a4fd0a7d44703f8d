"""`ratedb cite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Context, table


def cite_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that ratedb exported.")],
) -> None:
    """Say whose work to cite for an exported file, out of FILE.provenance.json beside it.

    Example: ratedb cite filled.dat
    """
    from ratedb.io.citations import citations_of

    shared: Context = context.obj
    found = citations_of(file)
    rows = [[one.system, one.kind, one.reference, one.rates or None, one.use] for one in found.citations]
    if found.method is not None:
        rows.append(["all", "predicted", found.method, None, "method of the predictions"])
    shared.emit(
        found.to_json(),
        lambda console: console.print(
            table(
                f"To cite for {file}",
                ["system", "kind", "reference", "rates", "use"],
                rows,
                text=(0, 1, 2, 4),
            )
        ),
    )
