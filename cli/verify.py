"""`ratedb verify`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import printable, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.radiative.line_comparison import LineComparison
    from ratedb.radiative.verify import Verification

_SHOWN = 10


def _show(console: Console, found: Verification, options: Mapping[str, Any]) -> None:
    """Print the differences that an observer would see, the largest first."""
    from ratedb.radiative.solving import name_of_solver

    rows: list[list[object]] = [
        ["conditions (temperature x density)", len(found.conditions)],
        ["lines compared", found.lines_compared],
        ["half of the fluxes are off by less than a factor", found.median_flux_ratio],
        ["95 % by less than", found.p95_flux_ratio],
        ["largest factor between two fluxes", found.max_flux_ratio],
        ["largest difference of a level population", found.max_population_difference],
        [
            "largest relative difference of an excitation temperature",
            _at(found.max_excitation_temperature_difference, found.worst_excitation_temperature),
        ],
        [
            "largest difference of an optical depth",
            _at(found.max_optical_depth_difference, found.worst_optical_depth),
        ],
        ["lines inverted (masers)", found.lines_inverted],
        ["lines inverted in one file only", found.lines_inverted_in_one_file],
        ["lines in absorption, without a ratio", found.lines_in_absorption],
        ["lines too weak for a ratio", found.lines_below_floor],
        ["lines that only one file has", len(found.unmatched)],
        ["colliders that were not tested", ", ".join(found.colliders_left_out) or "none"],
    ]
    console.print(table(f"{name_of_solver(found.solver)} on both files", ["", "value"], rows))
    compared = [line for line in found.lines if line.flux_ratio is not None]
    worst = sorted(compared, key=lambda line: -(line.flux_ratio or 0.0))[:_SHOWN]
    columns = ["line", "GHz", "T (K)", "n (cm-3)", "flux (K km/s)", "against", "off by"]
    rows = [_row(line) for line in worst]
    console.print(table(f"The {len(rows)} lines that change most", columns, rows))


def _at(value: float | None, line: LineComparison | None) -> str | None:
    """Return a difference and the line that has it."""
    if value is None or line is None:
        return None
    name = f"{line.upper}-{line.lower}"
    return f"{value:.4g}" + (f" ({name}, {line.temperature_k:g} K, {_density(line)} cm-3)" if value else "")


def _density(line: LineComparison) -> str:
    return f"{sum(line.density_cm3.values()):.0e}"


def _row(line: LineComparison) -> list[object]:
    return [
        f"{line.upper}-{line.lower}",
        f"{line.frequency_ghz:.3f}",
        line.temperature_k,
        _density(line),
        f"{line.flux_k_km_s:.3e}",
        f"{line.flux_against_k_km_s:.3e}",
        f"x {line.flux_ratio:.4g}",
    ]


def _code(found: Verification) -> int:
    """Return 4 above the tolerance, and say on standard error which line exceeds it most."""
    error = found.incomplete
    if error is None:
        return 0
    print(printable(f"ratedb: {error}"), file=sys.stderr)
    return error.exit_code


verify_command = command(
    Database.verify,
    _show,
    arguments={"file": "The LAMDA file to verify."},
    required=("against",),
    example="ratedb verify filled.dat --against co.dat --picture lines.png",
    code=_code,
)
