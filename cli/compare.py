"""`ratedb compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.compare import RatioGroup, SourceComparison


def compare_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as CO+p-H2.", metavar="SYSTEM")],
    first: Annotated[int, typer.Argument(help="The id of a source.", metavar="SOURCE")],
    second: Annotated[int, typer.Argument(help="The id of another.", metavar="SOURCE")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A picture of the ratios, PNG or SVG.")
    ] = None,
) -> None:
    """Compare two sources of a system: the ratio second/first, its spread, and its outliers by j and T.

    `ratedb sources SYSTEM` lists the ids.

    Example: ratedb compare CO+p-H2 1 2 -o ratio.png
    """
    from ratedb.verbs.compare import compare_sources

    shared: Context = context.obj
    found = compare_sources(shared.db, system, first, second)
    if output is not None:
        from ratedb.plots.comparison import draw_comparison

        draw_comparison(found, output)
    shared.emit(found.to_json(), lambda console: _show(console, found))


def _show(console: Console, found: SourceComparison) -> None:
    for role, source in (("first", found.first), ("second", found.second)):
        console.print(f"{role}: source {source['source_id']}, {source['kind']}, {source['reference'][:90]}")
    total = found.total
    console.print(
        f"{found.common_transitions} transitions in common ({found.only_first} only in the first,"
        f" {found.only_second} only in the second), {total.values} values."
        + (" The second is interpolated in temperature." if found.interpolated else "")
    )
    console.print(
        f"Ratio second/first: median {total.median:.3f}, 68 % within {total.low:.3f}-{total.high:.3f},"
        f" root mean square {total.dex_rms:.3f} dex."
    )
    for title, of, groups in (
        ("By initial j", "j", found.by_j),
        ("By final j - initial j", "delta j", found.by_delta_j),
        ("By temperature", "T (K)", found.by_temperature),
    ):
        if groups:
            console.print(_groups(title, of, groups))
    if found.outliers:
        rows = [
            [
                one.transition,
                f"{one.temperature_k:g}",
                f"{one.first_cm3_s:.3e}",
                f"{one.second_cm3_s:.3e}",
                f"{one.ratio:.3g}",
            ]
            for one in found.outliers
        ]
        title = f"Furthest from the median ratio ({found.outlier_count} transitions stand out)"
        console.print(table(title, ["transition", "T (K)", "first", "second", "ratio"], rows, text=(0,)))


def _groups(title: str, of: str, groups: list[RatioGroup]) -> object:
    rows = [
        [
            f"{one.of:g}" if one.of is not None else "",
            one.values,
            f"{one.median:.3f}",
            f"{one.low:.3f}",
            f"{one.high:.3f}",
            f"{one.dex_rms:.3f}",
        ]
        for one in groups
    ]
    return table(title, [of, "values", "median", "16 %", "84 %", "rms (dex)"], rows, text=())
