"""`ratedb reproduce`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table
from .plan import costs_of

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.paper.reproduction import Reproduction, SizeResult

_COUNTS = ["train", "validate", "predict"]


def _show(console: Console, result: Reproduction, options: Mapping[str, Any]) -> None:
    if result.sizes:
        _show_system(console, result)
    heads = ["N", "train j", "validate j", *_COUNTS, "explicit h", "avoided h", "saved %"]
    compared = [f"{use}_transitions" for use in ("training", "validation", "predicted")]
    compared += ["explicit_hours", "avoided_hours", "time_saved_percent"]
    rows: list[list[object]] = []
    for row in result.paper:
        c, p = row.computed, row.printed
        rows.append(
            [c.n, c.train_j, c.validate_j]
            + [_next_to(getattr(c, name), getattr(p, name)) for name in compared]
        )
    console.print(table("The paper's SiO + p-H2: by its formulas (as printed)", heads, rows, text=(1, 2)))
    console.print(
        "The paper has two misprints: 179 for the 81 + 93 transitions of j = 6 and 10, and savings that are"
        " divided by 383 h although the hours add up to 338 h."
    )


def _show_system(console: Console, result: Reproduction) -> None:
    """Print tables I-V and the names of figures."""

    def show(title: str, heads: list[str], row: Any, text: tuple[int, ...] = ()) -> None:
        console.print(table(title, heads, [row(size) for size in result.sizes], text=text))

    show(
        f"Table I. {result.system}: the best set of each size",
        ["N", "train j", "single kernel", "train"],
        lambda size: [size.plan.n, size.plan.train_j, size.single.kernel, size.plan.training_transitions],
        (1, 2),
    )
    kernel = f", {result.neighbours[0].kernel} for all" if result.neighbours else ""
    console.print(
        table(
            f"Table II. Sets with nearly the same error{kernel}",
            ["train j", "test error, % of log10 k", "dex"],
            [[one.train_j, one.log10_percent_error, one.dex_rms] for one in result.neighbours],
        )
    )
    show(
        "Table III. Kernels by validation error",
        ["N", "composite kernel", "test error, % of log10 k", "dex", "95 % within", "single", "dex"],
        _kernels,
        (1,),
    )
    over, below = "> 10 %, single", "< 5 %, single"
    show(
        "Table IV. Transitions, and the predicted ones over 10 % and below 5 % (of log10 k)",
        ["N", *_COUNTS, over, "composite", below, "composite"],
        _transitions,
    )
    unit = "% of cost" if result.sizes[0].plan.explicit_hours is None else "h"
    show(
        "Table V. Time",
        ["N", f"explicit {unit}", f"avoided {unit}", "single kernel s", "composite s", "saved %"],
        _times,
    )
    for path in result.figures:
        console.print(f"wrote {path}", markup=False)


def _kernels(size: SizeResult) -> list[object]:
    single, optimal = size.single.test, size.optimal.test
    best = [optimal.log10_percent_error, optimal.dex_rms, optimal.factor_p95]
    return [size.plan.n, size.optimal.kernel, *best, single.log10_percent_error, single.dex_rms]


def _transitions(size: SizeResult) -> list[object]:
    c, tests = size.plan, (size.single.test, size.optimal.test)
    over = [test.transitions_over_10_percent for test in tests]
    below = [test.transitions_below_5_percent for test in tests]
    return [c.n, c.training_transitions, c.validation_transitions, c.predicted_transitions, *over, *below]


def _times(size: SizeResult) -> list[object]:
    explicit, avoided, saved = costs_of(size.plan)
    return [size.plan.n, explicit, avoided, size.single.seconds, size.optimal.seconds, saved]


def _next_to(own: float | None, printed: float) -> str:
    if isinstance(own, float):
        digits = 2 if abs(printed - round(printed, 1)) > 1e-9 else 1
        return f"{own:.{digits}f} ({printed})"
    return f"{own} ({printed})"


reproduce_command = command(
    Database.reproduce,
    _show,
    arguments={"system": "A system that is known for every j (default: the paper's columns only)."},
    example="ratedb reproduce CO+p-H2 --j 5:20 --given-j 5 --jobs 2 --figures figures",
)
