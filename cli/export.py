"""`ratedb export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Context


def export_command(
    context: typer.Context,
    systems: Annotated[
        list[str],
        typer.Argument(help="Systems of one molecule, such as CO+p-H2 CO+o-H2.", metavar="SYSTEM"),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    file_format: Annotated[str, typer.Option("--format", help="lamda.")] = "lamda",
    computed_only: Annotated[bool, typer.Option("--computed-only", help="Leave predictions out.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file with any warning.")] = False,
    j_max: Annotated[int | None, typer.Option("--j-max", help="Only levels up to this j.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Write a LAMDA file that RADEX and its kin read, with FILE.provenance.json beside it.

    Example: ratedb export CO+p-H2 CO+o-H2 -o co.dat --j-max 20
    """
    from ratedb.errors import UsageError
    from ratedb.workflows.exporting import ExportOptions, export_systems

    if file_format != "lamda":
        raise UsageError(f"cannot export {file_format!r}", expected="lamda")
    shared: Context = context.obj
    options = ExportOptions(computed_only, strict, j_max)
    with shared.progress() as report:
        result = export_systems(shared.db, systems, output, options, dry_run=dry_run, report=report)
    shared.warn(f"{w['rule']} ({w['reader']}): {w['detail']}" for w in result.warnings)
    shared.emit(
        result.to_json(),
        lambda console: console.print(
            f"{'would write' if dry_run else 'wrote'} {result.path}: {result.levels} levels,"
            f" {result.transitions} transitions, {result.rates} rates,"
            f" {100 * result.predicted_fraction:.1f} % predicted"
            f" ({result.extrapolated_transitions} transitions extrapolated)\n"
            f"provenance in {result.provenance_path}, SHA-256 {result.sha256[:16]}...",
            soft_wrap=True,
        ),
    )
