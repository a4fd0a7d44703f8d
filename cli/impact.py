"""`ratedb impact`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.radiative.impact import Impact, LineImpact

_SHOWN = 10


def _show(console: Console, found: Impact, options: Mapping[str, Any]) -> None:
    """Print the least certain lines, which transitions drive them, and which j to compute next."""
    from ratedb.radiative.solving import name_of_solver

    title = f"{found.samples} samples of the predicted rates, {len(found.conditions)} conditions: the"
    columns = ["line", "GHz", "T (K)", "n (cm-3)", "flux (K km/s)", "95 % interval", "Tex (K)", "95 %"]
    worst = sorted(found.lines, key=lambda line: -line.uncertainty)[:_SHOWN]
    rows = [_row(found, line) for line in worst]
    console.print(table(f"{title} least certain lines", columns, rows, text=(0, 5, 7)))
    if found.solver != "radex":
        console.print(f"Lines by {name_of_solver(found.solver)}.")
    console.print(
        f"Half of the {len(found.lines)} lines and conditions are uncertain by less than"
        f" {found.uncertainty_median:.2%}, 95 % of them by less than {found.uncertainty_p95:.2%}"
        " (half the 95 % interval).",
        soft_wrap=True,
    )
    drivers = [[one.system, one.name, f"{one.share:.0%}"] for one in found.drivers]
    console.print(table("Drives the lines", ["system", "transition", "share"], drivers, text=(0, 1)))
    next_j = [
        [one.system, one.j, f"{one.share:.0%}", f"{one.uncertainty_after:.2%}"]
        for one in found.next_j[:_SHOWN]
    ]
    columns = ["system", "initial j or state", "share", "95 % of lines then within"]
    console.print(table("Compute next", columns, next_j, text=(0,)))


def _row(found: Impact, line: LineImpact) -> list[object]:
    where = found.conditions[line.condition]
    return [
        f"{line.upper} -> {line.lower}",
        line.frequency_ghz,
        where.temperature_k,
        where.total_density_cm3,
        line.flux,
        _interval(line.flux_95),
        line.tex_k,
        _interval(line.tex_95_k),
    ]


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"


impact_command = command(
    Database.impact,
    _show,
    arguments={"systems": "Systems of one molecule, such as CO+p-H2 CO+o-H2."},
    example="ratedb impact CO+p-H2 --j-max 20 --temperatures 10,50 --densities 1e3,1e5",
)
