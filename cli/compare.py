"""`ratedb compare`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.quality.comparison import RatioGroup, SourceComparison


def _show(console: Console, found: SourceComparison, options: Mapping[str, Any]) -> None:
    for role, source in (("first", found.first), ("second", found.second)):
        said = f"source {source['source_id']}, {source['kind']}, method {source['method']}"
        console.print(
            f"{role}: {source['name'].partition(' (source ')[0]} ({said}), {source['reference'][:90]}",
            markup=False,
        )
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
        title = f"Furthest from the median ratio ({found.outlier_count} outliers)"
        console.print(table(title, ["transition", "T (K)", "first", "second", "ratio"], rows, text=(0,)))


def _groups(title: str, of: str, groups: list[RatioGroup]) -> object:
    rows = [
        [
            f"{one.of:g}",
            one.values,
            *(f"{number:.3f}" for number in (one.median, one.low, one.high, one.dex_rms)),
        ]
        for one in groups
    ]
    return table(title, [of, "values", "median", "16 %", "84 %", "rms (dex)"], rows, text=())


compare_command = command(
    Database.compare,
    _show,
    arguments={"system": "Such as CO+p-H2.", "first": "The id of a source.", "second": "The id of another."},
    example="ratedb compare CO+p-H2 1 2 --picture ratio.png",
)
