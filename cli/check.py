"""`ratedb check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.check import SourceFindings

_SHOWN = 20


def check_command(
    context: typer.Context,
    system: Annotated[
        str | None, typer.Argument(help="Such as CO+p-H2; default: all.", metavar="[SYSTEM]")
    ] = None,
    mark: Annotated[
        bool, typer.Option("--mark", help="Keep the findings, so that errors mark their values.")
    ] = False,
    accept: Annotated[
        str | None, typer.Option(help="Accept the stored findings of this rule: they mark nothing then.")
    ] = None,
    because: Annotated[str, typer.Option(help="Why they are accepted; kept with them.")] = "",
) -> None:
    """Quality control of the rates in the store: every source, and sources against each other.

    docs/quality.md lists the rules. Import applies them too.

    Example: ratedb check CO+H
    """
    from ratedb.errors import UsageError
    from ratedb.verbs import check as checking

    shared: Context = context.obj
    if accept is not None:
        if system is None:
            raise UsageError("findings are accepted for one system", expected="SYSTEM", got="none")
        count = checking.accept(shared.db, system, accept, because)
        shared.emit(
            {"system": system, "rule": accept, "accepted": count},
            lambda console: console.print(f"{count} findings of {accept} about {system} are accepted."),
        )
        return
    with shared.progress() as report:
        found = checking.check_store(shared.db, system, mark=mark, report=report)
    listed = [finding for one in found for finding in one.to_json()]
    shared.emit({"findings": listed}, lambda console: _show(console, found, listed))


def _show(console: Console, found: list[SourceFindings], listed: list[dict[str, Any]]) -> None:
    from ratedb.verbs.check import counts

    if not listed:
        console.print(f"{len(found)} sources: nothing found.")
        return
    for one in found:
        if not one.findings:
            continue
        rows = [
            [row["severity"], row["rule"], row["findings"], row["example"]] for row in counts(one.findings)
        ]
        console.print(
            table(
                f"{one.system}, source {one.source_id}",
                ["severity", "rule", "findings", "the first"],
                rows,
                text=(0, 1, 3),
            )
        )
    console.print("--json lists every finding; docs/quality.md says what the rules mean.")
