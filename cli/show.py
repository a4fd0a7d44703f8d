"""`ratedb show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console


def show_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as CO+p-H2.", metavar="SYSTEM")],
) -> None:
    """Show what the store has of a system: coverage by initial j and kind, sources, models.

    Example: ratedb show CO+p-H2
    """
    from ratedb.verbs.show import show_system

    shared: Context = context.obj
    found = show_system(shared.db, system)
    shared.emit(found, lambda console: _show(console, found))


def _show(console: Console, found: dict[str, Any]) -> None:
    temperatures = found["temperatures_k"]
    span = f"{temperatures[0]:g}-{temperatures[-1]:g} K" if temperatures else "no temperature"
    console.print(
        f"{found['system']}: {found['levels']} levels, {found['transitions']} transitions,"
        f" {len(temperatures)} temperatures ({span})"
    )
    rows = [[row["j"], row["computed"], row["predicted"], row["missing"]] for row in found["coverage"]]
    if rows:
        console.print(
            table("Transitions by initial j", ["j", "computed", "predicted", "missing"], rows, text=())
        )
    columns = ["source_id", "kind", "method", "reference", "file_name"]
    console.print(
        table("Sources", columns, [[row[c] for c in columns] for row in found["sources"]], text=range(5))
    )
    columns = ["model_id", "kernel", "features", "train_j", "validate_j"]
    if found["models"]:
        console.print(
            table("Models", columns, [[row[c] for c in columns] for row in found["models"]], text=range(5))
        )
