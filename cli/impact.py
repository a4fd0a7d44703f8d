"""`ratedb impact`."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratedb.verbs.targets import check_targets

from .numbers import frequency_band, positive_numbers
from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 10


def impact_command(
    context: typer.Context,
    systems: Annotated[
        list[str],
        typer.Argument(help="Systems of one molecule, such as CO+p-H2 CO+o-H2.", metavar="SYSTEM"),
    ],
    samples: Annotated[int, typer.Option(help="How many samples of the predicted rates.")] = 200,
    temperatures: Annotated[
        str | None,
        typer.Option(
            help="Kinetic temperatures, K, such as 10,50 or 10:100:30; default 10,20,40,70,100,200,300."
        ),
    ] = None,
    densities: Annotated[
        str, typer.Option(help="Densities of the collider, cm-3.")
    ] = "1e2,1e3,1e4,1e5,1e6,1e7",
    columns: Annotated[str, typer.Option(help="Column densities, cm-2.")] = "1e14",
    line_widths: Annotated[str, typer.Option(help="Line widths (FWHM), km/s.")] = "1",
    lines: Annotated[
        str, typer.Option(help="Only these lines, such as 1-0,2-1, by the labels of the exported file.")
    ] = "",
    ghz: Annotated[str | None, typer.Option(help="Only lines in this band, such as 84:116.")] = None,
    j_max: Annotated[int | None, typer.Option("--j-max", help="Only levels up to this j.")] = None,
    seed: Annotated[int, typer.Option(help="Where the samples start.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write all lines and conditions as JSON here.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the lines and what drives them here, PNG or SVG.")
    ] = None,
) -> None:
    """Say what the uncertainty of predicted rates does to lines: real RADEX on joint samples of the rates.

    Example: ratedb impact CO+p-H2 --j-max 20 --temperatures 10,50 --densities 1e3,1e5
    """
    import json

    from ratedb.files import write_atomically
    from ratedb.numbers import parse_temperatures
    from ratedb.verbs.impact import AXES, ImpactOptions, impact_of

    shared: Context = context.obj
    axes = replace(
        AXES,
        density_cm3=positive_numbers(densities, "densities", "cm-3"),
        column_density_cm2=positive_numbers(columns, "column densities", "cm-2"),
        line_width_km_s=positive_numbers(line_widths, "line widths", "km/s"),
    )
    if temperatures is not None:
        axes = replace(axes, temperature_k=parse_temperatures(temperatures), chosen=True)
    options = ImpactOptions(
        samples=samples,
        axes=axes,
        j_max=j_max,
        seed=seed,
        lines=tuple(name.strip() for name in lines.split(",") if name.strip()),
        frequency_ghz=(0.0, math.inf) if ghz is None else frequency_band(ghz),
    )
    check_targets(output, picture)
    with shared.progress() as report:
        found = impact_of(shared.db, systems, options, report=report)
    data = found.to_json()
    if output is not None:
        write_atomically({output: (json.dumps(data, indent=1) + "\n").encode()})
    if picture is not None:
        from ratedb.plots.impact import draw_impact

        draw_impact(found, picture)
    shared.warn(found.warnings)
    shared.emit(data, lambda console: show_impact(console, data))


def show_impact(console: Console, data: dict[str, Any]) -> None:
    """Print the lines that are least certain, which transitions make them so, and which j to compute next."""
    lines = sorted(data["lines"], key=lambda line: -line["uncertainty"])
    console.print(
        table(
            f"{data['samples']} samples of the predicted rates, {len(data['conditions'])} conditions: the"
            " least certain lines",
            ["line", "GHz", "T (K)", "n (cm-3)", "flux (K km/s)", "95 % interval", "Tex (K)", "95 %"],
            [
                [
                    f"{line['upper']} -> {line['lower']}",
                    line["frequency_ghz"],
                    data["conditions"][line["condition"]]["temperature_k"],
                    sum(data["conditions"][line["condition"]]["density_cm3"].values()),
                    line["flux"],
                    _interval(line["flux_95"]),
                    line["tex_k"],
                    _interval(line["tex_95_k"]),
                ]
                for line in lines[:_SHOWN]
            ],
            text=(0, 5, 7),
        )
    )
    console.print(
        f"Half of the {len(lines)} lines and conditions are certain to {data['uncertainty_median']:.2%},"
        f" 95 % of them to {data['uncertainty_p95']:.2%} (half the 95 % interval).",
        soft_wrap=True,
    )
    drivers = [[one["system"], one["name"], f"{one['share']:.0%}"] for one in data["drivers"]]
    console.print(table("Drives the lines", ["system", "transition", "share"], drivers, text=(0, 1)))
    next_j = [
        [one["system"], one["j"], f"{one['share']:.0%}", f"{one['uncertainty_after']:.2%}"]
        for one in data["next_j"][:_SHOWN]
    ]
    columns = ["system", "j", "share", "95 % of lines then certain to"]
    console.print(table("Compute next", columns, next_j, text=(0,)))


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"
