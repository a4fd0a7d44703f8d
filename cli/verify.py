"""`ratedb verify`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratedb.results import plain
from ratedb.verbs.targets import check_targets

from .numbers import positive_numbers
from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

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
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write all lines and conditions as JSON here.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw how the fluxes change here, PNG or SVG.")
    ] = None,
) -> None:
    """Run real RADEX on two files and compare level populations and line fluxes.

    Example: ratedb verify filled.dat --against co.dat --picture lines.png
    """
    import json

    from ratedb.errors import UsageError
    from ratedb.files import write_atomically
    from ratedb.numbers import parse_temperatures
    from ratedb.radiative.grid import GridAxes
    from ratedb.radiative.verify import to_json
    from ratedb.verbs.verify import verify_files

    if tolerance is not None and not tolerance >= 1.0:
        raise UsageError("the tolerance makes no sense", expected="a ratio >= 1", got=str(tolerance))
    shared: Context = context.obj
    axes = GridAxes(
        density_cm3=None if densities is None else positive_numbers(densities, "densities", "cm-3"),
        column_density_cm2=positive_numbers(columns, "column densities", "cm-2"),
        line_width_km_s=positive_numbers(line_widths, "line widths", "km/s"),
    )
    if temperatures is not None:
        axes = replace(axes, temperature_k=parse_temperatures(temperatures), chosen=True)
    check_targets(output, picture, (file, against))
    with shared.progress() as report:
        found = verify_files(file, against, axes, report=report)
    data = to_json(found)
    if output is not None:
        content = json.dumps(plain(data), indent=1, allow_nan=False) + "\n"
        write_atomically({output: content.encode()})
    if picture is not None:
        from ratedb.plots.verification import draw_verification

        draw_verification(found, file, against, picture)
    shared.warn(found.warnings)
    shared.emit(data, lambda console: show_verification(console, data))
    if tolerance is not None:
        _judge(data, tolerance)


def _judge(data: dict[str, Any], tolerance: float) -> None:
    """End with code 4 above a flux ratio, and say which line is the furthest above it, and where."""
    from ratedb.errors import IncompleteError

    worst = data["worst_flux"]
    if worst is None:
        error = IncompleteError(
            "no line could be compared by its flux, so none is known to be within the tolerance",
            expected=f"fluxes within a factor {tolerance:g}",
            got=f"{data['lines_in_absorption']} lines in absorption, {data['lines_below_floor']} too weak",
        )
    elif worst["flux_ratio"] > tolerance:
        above = sum((line["flux_ratio"] or 1.0) > tolerance for line in data["lines"])
        flux, reference = worst["flux_k_km_s"], worst["flux_against_k_km_s"]
        error = IncompleteError(
            f"{above} of {data['lines_compared']} compared lines change by more than the tolerance",
            where=f"most of all {_place(data, worst)}",
            expected=f"fluxes within a factor {tolerance:g}",
            got=f"{flux:.4g} against {reference:.4g} K km/s, a factor {worst['flux_ratio']:.6g}",
        )
    else:
        return
    # The result is on standard output already, so that this does not go through the one way of errors.
    print(f"ratedb: {error}", file=sys.stderr)
    raise typer.Exit(error.exit_code)


def _place(data: dict[str, Any], line: dict[str, Any]) -> str:
    """Return a line and its condition in words."""
    where = data["conditions"][line["condition"]]
    densities = ", ".join(f"n({name}) = {n:.4g} cm-3" for name, n in where["density_cm3"].items() if n > 0)
    return (
        f"{line['upper']}-{line['lower']} ({line['frequency_ghz']:.3f} GHz) at {where['temperature_k']:g} K,"
        f" {densities}, N = {where['column_density_cm2']:g} cm-2, {where['line_width_km_s']:g} km/s"
    )


def show_verification(console: Console, data: dict[str, Any]) -> None:
    """Print the differences that an observer would see, the largest first."""
    rows = [
        ["conditions (temperature x density)", len(data["conditions"])],
        ["lines compared", data["lines_compared"]],
        ["half of the fluxes are off by less than a factor", data["median_flux_ratio"]],
        ["95 % by less than", data["p95_flux_ratio"]],
        ["largest factor between two fluxes", data["max_flux_ratio"]],
        ["largest difference of a level population", data["max_population_difference"]],
        [
            "largest relative difference of an excitation temperature",
            _at(data["max_excitation_temperature_difference"], data["worst_excitation_temperature"]),
        ],
        [
            "largest difference of an optical depth",
            _at(data["max_optical_depth_difference"], data["worst_optical_depth"]),
        ],
        ["lines inverted (masers)", data["lines_inverted"]],
        ["lines inverted in one file only", data["lines_inverted_in_one_file"]],
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


def _at(value: float | None, line: dict[str, Any] | None) -> str | None:
    """Return a difference and where it sits."""
    if value is None or line is None:
        return None
    density = sum(line["density_cm3"].values())
    name = f"{line['upper']}-{line['lower']}"
    return f"{value:.4g}" + (f" ({name}, {line['temperature_k']:g} K, {density:.0e} cm-3)" if value else "")


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
