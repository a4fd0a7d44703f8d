"""`ratedb export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .output import Context


def export_command(
    context: typer.Context,
    systems: Annotated[
        list[str],
        typer.Argument(help="Systems of one molecule, such as CO+p-H2 CO+o-H2.", metavar="SYSTEM"),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    file_format: Annotated[str, typer.Option("--format", help="lamda, basecol, csv or parquet.")] = "lamda",
    computed_only: Annotated[bool, typer.Option("--computed-only", help="Leave predictions out.")] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only values of this kind (computed, scaled ...); may be repeated."),
    ] = None,
    min_quality: Annotated[
        str, typer.Option(help="any, unmarked (no errors of quality control) or unsuspected (no warnings).")
    ] = "any",
    temperatures: Annotated[
        str | None,
        typer.Option(help="K, such as 10:300:10, or auto: as few as keep --tolerance between them."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="What straight lines between the temperatures may cost, relatively.")
    ] = 0.01,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file with any warning.")] = False,
    j_max: Annotated[int | None, typer.Option("--j-max", help="Only levels up to this j.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Write a LAMDA file that RADEX and its kin read, or a table; FILE.provenance.json beside it.

    As basecol: FILE.kij, rates by level number of one system, with the levels and lines in FILE.molecule.

    Example: ratedb export CO+p-H2 CO+o-H2 -o co.dat --j-max 20
    """
    from ratedb.layers import KINDS
    from ratedb.numbers import parse_temperatures
    from ratedb.verbs.export import ExportOptions, export_systems

    shared: Context = context.obj
    kinds = tuple(kind or (KINDS if computed_only else ()))
    if computed_only:
        kinds = tuple(one for one in kinds if one != "predicted")
    chosen: tuple[float, ...] | Literal["auto"] | None = None
    if temperatures is not None:
        chosen = "auto" if temperatures == "auto" else parse_temperatures(temperatures)
    options = ExportOptions(
        file_format=file_format,
        kinds=kinds,
        min_quality=min_quality,
        strict=strict,
        j_max=j_max,
        temperature_k=chosen,
        tolerance=tolerance,
    )
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
            + "".join(f"levels and lines in {path}\n" for path in result.files[1:-1])
            + f"provenance in {result.provenance_path}, SHA-256 {result.sha256[:16]}..."
            + "".join(
                _cost(system, part, tolerance, chosen=temperatures == "auto")
                for system, part in result.interpolation_cost.items()
            ),
            soft_wrap=True,
        ),
    )


def _cost(system: str, cost: dict[str, float], tolerance: float, *, chosen: bool) -> str:
    advice = "; --temperatures auto chooses others" if cost["largest"] > tolerance and not chosen else ""
    return (
        f"\n{system}: straight lines between its temperatures are off by up to {cost['largest']:.2%}, in 95"
        f" of 100 transitions by up to {cost['p95']:.2%}{advice}"
    )
