"""`ratedb plan`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import cell, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.planning.savings import Candidate, PlanResult
    from ratedb.planning.unit_plan import UnitCandidate
    from ratedb.verbs.unit_plan import UnitPlanResult

# The columns between the sets and the costs: of a plan without data, of expected and of measured errors.
_COLUMNS: dict[str, tuple[list[str], Callable[[Candidate], list[object]]]] = {
    "spread": (
        ["train", "validate", "predict"],
        lambda c: [c.training_transitions, c.validation_transitions, c.predicted_transitions],
    ),
    "variance": (["expected dex", "expected %"], lambda c: [c.expected_dex, c.expected_error]),
    "exhaustive": (
        ["kernel", "test dex", "% of log10 k"],
        lambda c: [c.kernel, c.test_dex_rms, c.test_log10_percent_error],
    ),
}


def _show(console: Console, result: PlanResult | UnitPlanResult, options: Mapping[str, Any]) -> None:
    if hasattr(result.chosen, "train_units"):
        _show_units(console, result)  # type: ignore[arg-type]
    else:
        _show_j(console, result)


def _show_units(console: Console, result: UnitPlanResult) -> None:
    c, name = result.chosen, "not stored" if result.plan_id is None else f"plan {result.plan_id}"
    unit = "% of cost" if c.explicit_hours is None else "h"
    computed = set(result.request.given_units)
    heads = ["initial states", "number", "transitions"]
    rows: list[Sequence[object]] = [
        ["computed already", len(computed & set(c.train_units)), None],
        ["to train on, with these", c.n, c.training_transitions],
        ["to validate on", len(c.validate_units), c.validation_transitions],
        ["to predict", None, c.predicted_transitions],
    ]
    console.print(table(f"{result.system}: {result.strategy} ({name})", heads, rows))
    explicit, avoided, saved = costs_of(c)
    console.print(f"Explicit {explicit} {unit}, avoided {avoided} {unit}, {saved} % saved.")
    for words, labels in (
        ("Compute", [one for one in c.train_units if one not in computed]),
        ("Compute to validate", [one for one in c.validate_units if one not in computed]),
    ):
        if labels:
            console.print(f"{words}: {', '.join(labels)}", markup=False, soft_wrap=True)


def _show_j(console: Console, result: PlanResult) -> None:
    unit = "% of cost" if result.request.costs.total_hours is None else "h"
    name = "not stored" if result.plan_id is None else f"plan {result.plan_id}"
    columns, of = _COLUMNS.get(result.strategy, _COLUMNS["spread"])
    heads = ["N", "train j", "validate j", *columns, f"explicit {unit}", f"avoided {unit}", "saved %"]
    rows = [[c.n, c.train_j, c.validate_j, *of(c), *costs_of(c)] for c in result.candidates]
    text = (1, 2, 3) if result.strategy == "exhaustive" else (1, 2)
    console.print(table(f"{result.system}: {result.strategy} ({name})", heads, rows, text=text))
    if result.scored_sets:
        console.print(
            f"{result.scored_sets} sets scored with every kernel; the best were trained by themselves."
        )
    if result.strategy == "variance" and result.chosen is not None:
        console.print(f"Chosen: N = {result.chosen.n}, j = {cell(result.chosen.train_j)}.")
    for c in result.candidates:
        if c.paper is not None:
            console.print(_printed(c, c.paper, result.request.hours_total or 0.0))


def costs_of(c: Candidate | UnitCandidate) -> list[str]:
    """Return the explicit and avoided costs of a set and the time saved, in hours or percent."""
    explicit = c.explicit_percent if c.explicit_hours is None else c.explicit_hours
    avoided = 100.0 - c.explicit_percent if c.avoided_hours is None else c.avoided_hours
    return [f"{explicit:.1f}", f"{avoided:.1f}", f"{c.time_saved_percent:.2f}"]


def _printed(c: Candidate, paper: Mapping[str, Any], hours: float) -> str:
    """Return what the paper prints of a set that is its own."""
    counts = " / ".join(str(paper[f"{use}_transitions"]) for use in ("training", "validation", "predicted"))
    return (
        f"N = {c.n}, as printed in Mihalik et al. 2025: {counts} transitions,"
        f" {paper['explicit_hours']} h explicit, {paper['avoided_hours']} h avoided,"
        f" {paper['time_saved_percent']} % saved (of 383 h).\n"
        f"The table above subtracts {c.model_hours} h of training (the paper's) from the saving, of the"
        f" {hours:g} h that the paper's hours add up to."
    )


plan_command = command(
    Database.plan,
    _show,
    arguments={"system": "Such as SiO+p-H2; need not be in the store."},
    example="ratedb plan SiO+p-H2 --j 5:20 --v-max 2 --given-j 5 --sizes 4 --hours-total 338",
)
