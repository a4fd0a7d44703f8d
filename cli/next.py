"""`ratedb next`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import cell, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.planning.next_j import NextResult
    from ratedb.planning.next_unit import NextUnitResult


_SHOWN = 15


def _show(console: Console, result: NextResult | NextUnitResult, options: Mapping[str, Any]) -> None:
    if hasattr(result, "next_unit"):
        _show_units(console, result)  # type: ignore[arg-type]
    else:
        _show_j(console, result)


def _show_units(console: Console, result: NextUnitResult) -> None:
    if result.candidates:
        shown = result.candidates[:_SHOWN]
        in_hours = shown[0].hours is not None
        heads = ["initial state", "h" if in_hours else "% of cost", "error after %", "reduction", "planned"]
        rows = [
            [
                one.unit,
                one.hours if in_hours else one.cost_percent,
                one.expected_error,
                one.gain,
                "yes" if one.planned else "",
            ]
            for one in shown
        ]
        title = f"{result.system}: one more initial state, the first {len(shown)} of {len(result.candidates)}"
        console.print(table(title, heads, rows, text=(0, 4)))
    if result.target == "lines":
        console.print(
            f"Uncertainty now: {result.expected_error:.3g} % of the flux, for 95 of 100 lines and conditions."
        )
    elif result.expected_error is not None:
        console.print(
            f"Expected error now: {result.expected_error:.3g} % of a rate (trained on"
            f" {len(result.train_units)} initial states; each predicted from the others within"
            f" {result.tested_error:.3g} %)."
        )
    what = "Stop: " if result.stop else f"Next: {result.next_unit}, "
    console.print(f"{what}{result.reason}.", markup=False)


def _show_j(console: Console, result: NextResult) -> None:
    if result.candidates:
        in_hours = result.candidates[0].hours is not None
        heads = ["j", "h" if in_hours else "% of cost", "error after %", "reduction", "planned"]
        rows = [
            [
                one.j,
                one.hours if in_hours else one.cost_percent,
                one.expected_error,
                one.gain,
                "yes" if one.planned else "",
            ]
            for one in result.candidates
        ]
        console.print(table(f"{result.system}: one more j", heads, rows, text=(4,)))
    if result.tested:
        rows = [[one.j, one.expected_error, one.error] for one in result.tested]
        title = f"{result.system}: each computed j, predicted from the others"
        console.print(table(title, ["j", "expected error %", "error %"], rows))
    if result.expected_error is not None:
        of = "a rate" if result.target == "rates" else "the flux, for 95 of 100 lines and conditions"
        source = f"trained on j = {cell(result.train_j)}"
        if result.validate_j:
            source += f", validated on {cell(result.validate_j)}"
        if not result.measured:
            source = "by the planner's process; no model can be trained yet"
        console.print(f"Expected error now: {result.expected_error:.3g} % of {of} ({source}).")
    what = "Stop: " if result.stop else f"Next: j = {result.next_j}, "
    console.print(f"{what}{result.reason}.")


next_command = command(
    Database.next,
    _show,
    arguments={"system": "Such as CO+p-H2."},
    example="ratedb next CO+p-H2 --target-error 10",
)
