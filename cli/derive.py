"""`ratedb derive`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.derived.comparing import Agreement
    from ratedb.verbs.derive import DeriveResult


def show_derived(console: Console, result: DeriveResult, options: Mapping[str, Any]) -> None:
    """Print what was derived, and how far it is from computed rates."""
    rows = [
        ["transitions", result.transitions],
        ["of these within one j", result.within_j],
        ["temperatures", result.temperatures],
        ["rates", result.rates],
        ["new", result.new],
        ["unchanged", result.unchanged],
        ["with half widths, from predictions", result.with_half_width],
    ]
    source = f", source {result.source_id}" if result.source_id is not None else ""
    title = f"{result.system}{source}" + (" (dry run)" if result.dry_run else "")
    console.print(table(title, ["", "number"], rows))
    origin = ", ".join(map(str, result.source_ids))
    console.print(f"Derived from {result.derived_from} (sources {origin}): {result.method}.", markup=False)
    coverage: Sequence[Mapping[str, float]] = result.details.get("coverage", ())
    if coverage:
        shown = [[f"{one['temperature_k']:g}", one["median"], one["least"]] for one in coverage]
        title = f"Population of the partner that is covered, {result.details['coverage_of']}"
        console.print(table(title, ["T (K)", "median", "least"], shown, text=()))
    mixture: Sequence[Mapping[str, float]] = result.details.get("mixture", ())
    if mixture:
        shown = [[f"{one['temperature_k']:g}", one["ortho_to_para"]] for one in mixture]
        console.print(table("Ratio of o-H2 to p-H2", ["T (K)", "o/p"], shown, text=()))
    if result.against is None:
        console.print("The store has no computed rates of this system to compare with.")
        return
    against = ", ".join(map(str, result.against.source_ids))
    console.print(_agreement(f"Against computed rates (sources {against})", result.against.groups))
    console.print(_agreement("By temperature", result.against.by_temperature))


def _agreement(title: str, found: Sequence[Agreement]) -> object:
    rows = [
        [one.of, one.values, *(f"{factor:.3f}" for factor in (one.factor_median, one.factor_p95, one.wmef))]
        for one in found
    ]
    return table(title, ["", "values", "median factor", "95 %", "wmef"], rows)


derive_command = command(
    Database.derive,
    show_derived,
    arguments={"system": "The system whose rates are taken, such as HCN+H2."},
    required=["to"],
    example="ratedb derive HCN+H2 --to hyperfine --levels hcn@hfs.dat",
)
