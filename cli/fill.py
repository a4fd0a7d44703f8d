"""`ratedb fill`."""

from __future__ import annotations

from typing import Annotated

import typer

from .output import Context, table

_INCOMPLETE = 4


def fill_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as CO+p-H2.")],
    model: Annotated[int | None, typer.Option("--model", help="A model (default: the newest).")] = None,
    j: Annotated[
        str | None, typer.Option("--j", help="Initial j to fill (default: what the model is for).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be filled.")] = False,
) -> None:
    """Predict the transitions that are missing; what is computed stays as it is.

    Ends with code 4 where some transitions stay missing, since nothing like them was trained.

    Example: ratedb fill CO+p-H2
    """
    from ratedb.physics.transitions import parse_integers
    from ratedb.verbs.fill import fill_system

    shared: Context = context.obj
    with shared.progress() as report:
        result = fill_system(
            shared.db,
            system,
            model_id=model,
            j=None if j is None else parse_integers(j),
            dry_run=dry_run,
            report=report,
        )
    shared.warn(result.warnings)
    rows = [
        ["transitions filled", result.filled_transitions],
        ["rates filled", result.filled_rates],
        ["of these extrapolated (transitions)", result.extrapolated],
        ["computed, kept (transitions)", result.kept_computed],
        ["filled by this model before (transitions)", result.unchanged],
        ["left missing, nothing alike was trained", result.unsupported],
    ]
    title = f"{result.system}, model {result.model_id}" + (" (dry run)" if dry_run else "")
    shared.emit(result.to_json(), lambda console: console.print(table(title, ["", "number"], rows)))
    if result.unsupported:
        raise typer.Exit(_INCOMPLETE)
