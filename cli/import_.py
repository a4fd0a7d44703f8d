"""`ratedb import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, cell, table

if TYPE_CHECKING:
    from rich.console import Console


def import_command(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files of rate coefficients.", metavar="FILE")],
    file_format: Annotated[
        str, typer.Option("--format", help="auto, lamda, basecol, vj, matrix, csv or parquet.")
    ] = "auto",
    molecule: Annotated[str | None, typer.Option(help="The molecule's name, over the file's own.")] = None,
    collider: Annotated[
        str | None, typer.Option(help="The collider where the file does not say, or the one to read.")
    ] = None,
    levels: Annotated[
        list[Path] | None,
        typer.Option(help="A file with the levels that the rates refer to; again for one of Einstein A."),
    ] = None,
    collider_levels: Annotated[
        Path | None, typer.Option(help="The collider's levels, where it changes its state too.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="How the rates were calculated, such as CC.")] = None,
    reference: Annotated[str | None, typer.Option(help="What to cite; default: the file's words.")] = None,
    kind: Annotated[str, typer.Option(help="computed, scaled or extrapolated.")] = "computed",
    cross_sections: Annotated[
        bool,
        typer.Option("--cross-sections", help="The files are cross sections: average them together."),
    ] = False,
    temperatures: Annotated[
        str | None,
        typer.Option(help="For cross sections: temperatures in K, such as 10,20,50 or 10:100:10."),
    ] = None,
    reduced_mass: Annotated[
        float | None, typer.Option(help="For cross sections that do not say it: the reduced mass in u.")
    ] = None,
    quality: Annotated[
        str, typer.Option(help="warn (keep findings, mark errors), strict (refuse errors) or off.")
    ] = "warn",
    j: Annotated[str | None, typer.Option("--j", help="Only these initial j, such as 5,9 or 1:5.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; keep nothing.")] = False,
) -> None:
    """Read files of rate coefficients into the store; the same file twice changes nothing.

    Example: ratedb import co.dat --method CC --reference "Yang et al. 2010"
    """
    from ratedb.errors import UsageError
    from ratedb.numbers import parse_integers, parse_temperatures
    from ratedb.verbs.import_ import import_files
    from ratedb.verbs.incoming import ImportOptions

    shared: Context = context.obj
    if cross_sections != (temperatures is not None):
        raise UsageError(
            "cross sections are averaged at temperatures",
            expected="--cross-sections and --temperatures together",
            got="one without the other",
        )
    options = ImportOptions(
        file_format,
        molecule,
        collider,
        method,
        reference,
        kind,
        None if j is None else parse_integers(j),
        tuple(levels or ()),
        collider_levels,
        quality,
        () if temperatures is None else parse_temperatures(temperatures),
        reduced_mass,
    )
    with shared.progress() as report:
        imported = import_files(shared.db, files, options, dry_run=dry_run, report=report)
    shared.warn(dict.fromkeys(text for system in imported for text in system.warnings))
    columns = ["system", "source_id", "levels", "transitions", "temperatures", "rates", "new", "unchanged"]
    title = "Would import" if dry_run else "Imported"

    def show(console: Console) -> None:
        rows = [[getattr(system, column) for column in columns] for system in imported]
        console.print(table(title, ["system", "source", *columns[2:]], rows))
        rows = [
            [system.system, one["severity"], one["rule"], one["findings"], one["example"]]
            for system in imported
            for one in system.findings
            if one["severity"] != "note"
        ]
        if rows:
            heads = ["system", "severity", "rule", "findings", "the first"]
            console.print(table("Quality control", heads, rows, text=(0, 1, 2, 4)))
            marked = "would be" if dry_run else "are"
            errors = f"Values of errors {marked} marked. " if any(row[1] == "error" for row in rows) else ""
            console.print(f"{errors}`ratedb check` lists all findings, docs/quality.md the rules.")
        for system in imported:
            if system.plan is not None and system.plan.done_j:
                left = cell(system.plan.left_j) if system.plan.left_j else "nothing"
                console.print(
                    f"Plan {system.plan.plan_id}: j = {cell(system.plan.done_j)} of its jobs are there,"
                    f" {left} left."
                    f" `ratedb plan {system.system} --next` goes on."
                )

    shared.emit({"systems": [system.to_json() for system in imported], "dry_run": dry_run}, show)
