"""`ratedb lines`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.radiative.line_list import LineList
    from ratedb.store.query import QueryResult


_MOST_COLUMNS = 5


def _show(console: Console, result: QueryResult | LineList, options: Mapping[str, Any]) -> None:
    if hasattr(result, "definitions"):
        _show_densities(console, result)  # type: ignore[arg-type]
    else:
        _show_stored(console, result)


def _show_stored(console: Console, result: QueryResult) -> None:
    title = f"{len(result)} lines, as they are stored"
    console.print(table(title, result.columns, result.rows, text=(0, 1)))


def _show_densities(console: Console, result: LineList) -> None:
    heads = ["line", "GHz", "E_u (K)", "A (s-1)"]
    about = [
        [
            f"{one.upper}-{one.lower}",
            f"{one.frequency_ghz:.7f}",
            f"{one.upper_energy_k:.2f}",
            f"{one.einstein_a_s1:.3g}",
        ]
        for one in result.lines
    ]
    critical = [one.critical_density_cm3 for one in result.lines]
    _show_by_temperature(
        console, f"Lines of {result.system}, and critical densities in cm-3", heads, about, critical, result
    )
    console.print(f"Critical density: {result.definitions['critical_density_cm3']}.", markup=False)
    if (words := result.definitions.get("effective_density_cm3")) is not None:
        names = [row[:1] for row in about]
        effective = [one.effective_density_cm3 for one in result.lines]
        _show_by_temperature(console, "Effective densities in cm-3", ["line"], names, effective, result)
        console.print(f"Effective density: {words}.", markup=False)


def _show_by_temperature(
    console: Console,
    title: str,
    heads: Sequence[str],
    about: Sequence[Sequence[str]],
    densities: Sequence[Sequence[float]],
    result: LineList,
) -> None:
    """Print tables with as many temperatures in each as have room."""
    kelvin = [f"{one:g} K" for one in result.temperatures_k]
    for start in range(0, len(kelvin), _MOST_COLUMNS):
        part = slice(start, start + _MOST_COLUMNS)
        rows = [[*row, *map(_density, of_line[part])] for row, of_line in zip(about, densities, strict=True)]
        console.print(table(title, [*heads, *kelvin[part]], rows))


def _density(density: float) -> str | None:
    return f"{density:.1e}" if density == density else None


lines_command = command(
    Database.lines,
    _show,
    arguments={"system": "A system, such as CO+p-H2, or a molecule, for its lines alone."},
    example="ratedb lines CO+p-H2 --temperatures 10,20,50",
)
