"""`ratedb doctor`."""

from __future__ import annotations

import typer

from .output import Context, table


def doctor_command(context: typer.Context) -> None:
    """Say what works here: versions, storage, locks, optional parts.

    Example: ratedb doctor
    """
    from ratedb.verbs.doctor import run_checks

    shared: Context = context.obj
    checks = run_checks(shared.db)
    shared.emit(
        {"checks": [check.to_json() for check in checks]},
        lambda console: console.print(
            table(
                "",
                ["check", "status", "detail"],
                [[c.name, c.status, c.detail] for c in checks],
                text=(0, 1, 2),
            )
        ),
    )
    if any(check.status == "problem" for check in checks):
        raise typer.Exit(1)
