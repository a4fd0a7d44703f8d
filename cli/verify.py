"""`ratedb verify`."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .numbers import positive_numbers
from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

_INCOMPLETE = 4
_SHOWN = 10


def verify_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The LAMDA file to verify.")],
    against: Annotated[Path, typer.Option("--against", help="The LAMDA file to compare with.")],
    tolerance: Annotated[
        float | None, typer.Option("--tolerance", help="End with code 4 above this flux ratio, such as 1.05.")
    ] = None,
    temperatures: Annotated[
        str | None, typer.Option(help="Kinetic temperatures, K; default 10, 30, 100 and 300.")
    ] = None,
    densities: Annotated[
        str | None, typer.Option(help="Densities, cm-3; default 1e3 to 1e6, for e and H+ 1 to 1e3.")
    ] = None,
    columns: Annotated[str, typer.Option(help="Column densities, cm-2.")] = "1e14",
    line_widths: Annotated[str, typer.Option(help="Line widths (FWHM), km/s.")] = "1",
) -> None:
    """Run real RADEX on two files and compare level populations and line fluxes.

    Example: ratedb verify filled.dat --against co.dat
    """
    from ratedb.errors import UsageError
    from ratedb.radiative.verify import GridAxes, to_json
    from ratedb.workflows.averaging import parse_temperatures
    from ratedb.workflows.verifying import verify_files

    if tolerance is not None and not tolerance >= 1.0:
        raise UsageError("the tolerance makes no sense", expected="a ratio >= 1", got=str(tolerance))
    shared: Context = context.obj
    axes = GridAxes(
        density_cm3=None if densities is None else positive_numbers(densities, "densities", "cm-3"),
        column_density_cm2=positive_numbers(columns, "column densities", "cm-2"),
        line_width_km_s=positive_numbers(line_widths, "line widths", "km/s"),
    )
    if temperatures is not None:
        axes = replace(axes, temperature_k=parse_temperatures(temperatures))
    with shared.progress() as report:
        data = to_json(verify_files(file, against, axes, report=report))
    shared.emit(data, lambda console: show_verification(console, data))
    if tolerance is not None and not (data["max_flux_ratio"] or math.inf) <= tolerance:
        raise typer.Exit(_INCOMPLETE)


def show_verification(console: Console, data: dict[str, Any]) -> None:
    """Print the differences that an observer would see, the largest first."""
    rows = [
        ["conditions (temperature x density)", len(data["conditions"])],
        ["lines compared", data["lines_compared"]],
        ["half of the fluxes are off by less than a factor", data["median_flux_ratio"]],
        ["95 % by less than", data["p95_flux_ratio"]],
        ["largest factor between two fluxes", data["max_flux_ratio"]],
        ["largest difference of a level population", data["max_population_difference"]],
        ["lines in absorption, without a ratio", data["lines_in_absorption"]],
        ["lines too weak for a ratio", data["lines_below_floor"]],
        ["lines that only one file has", len(data["unmatched"])],
        ["colliders put to no test", ", ".join(data["colliders_left_out"]) or "none"],
    ]
    console.print(table("RADEX on both files", ["", "value"], rows))
    worst = sorted(
        (line for line in data["lines"] if line["flux_ratio"] is not None),
        key=lambda line: -line["flux_ratio"],
    )
    columns = ["line", "GHz", "T (K)", "n (cm-3)", "flux (K km/s)", "against", "off by"]
    console.print(
        table(
            f"The {min(_SHOWN, len(worst))} lines that change most",
            columns,
            [line_row(line) for line in worst[:_SHOWN]],
        )
    )


def line_row(line: dict[str, Any]) -> list[object]:
    """Return a compared line as a row: name, GHz, T, n, the two fluxes and their ratio."""
    return [
        f"{line['upper']}-{line['lower']}",
        f"{line['frequency_ghz']:.3f}",
        line["temperature_k"],
        f"{sum(line['density_cm3'].values()):.0e}",
        f"{line['flux_k_km_s']:.3e}",
        f"{line['flux_against_k_km_s']:.3e}",
        f"x {line['flux_ratio']:.4g}",
    ]
