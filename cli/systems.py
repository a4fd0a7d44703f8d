"""`ratedb systems`."""

from __future__ import annotations

import typer

from .output import Context, table


def systems_command(context: typer.Context) -> None:
    """List the systems in the store.

    Example: ratedb systems
    """
    from ratedb.verbs.show import list_systems

    shared: Context = context.obj
    systems = list_systems(shared.db)
    columns = ["system", "transitions", "temperatures", "temperature_min_k", "temperature_max_k"]
    columns += ["rates", "predicted", "sources"]
    heads = [
        "system",
        "transitions",
        "temperatures",
        "T min (K)",
        "T max (K)",
        "rates",
        "predicted",
        "sources",
    ]
    shared.emit(
        {"systems": systems},
        lambda console: console.print(
            table(f"Systems in {shared.db}", heads, [[row[column] for column in columns] for row in systems])
        ),
    )
