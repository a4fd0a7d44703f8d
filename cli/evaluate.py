"""`ratedb evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

METRIC_ROWS = (
    ("log10_percent_error", "mean error of log10 k (%), the paper's"),
    ("dex_rms", "root mean square error (dex)"),
    ("factor_median", "median factor"),
    ("factor_p95", "95 % within a factor"),
    ("factor_max", "largest factor"),
    ("wmef", "weighted mean error factor"),
    ("transitions_over_10_percent", "transitions over 10 %"),
    ("transitions_below_5_percent", "transitions below 5 %"),
    ("coverage_68", "truths inside 68 % intervals"),
    ("coverage_95", "truths inside 95 % intervals"),
)


BASELINE_NAMES = {
    "interpolation": "interpolation",
    "ios": "IOS law",
    "dense": "dense GPR",
    "group_means": "group means",
}


def show_evaluation(console: Console, data: dict[str, Any], *, brief: bool = False) -> None:
    """Print an evaluation's metrics next to the baselines', and by initial j.

    Unless `brief`, also by |dj| and temperature, and the columns of the paper's tables.
    """
    model, baselines = data["model"], data["baselines"]
    console.print(
        table(
            f"{data['system']}: {data['test_transitions']} held-out transitions, {model['values']} values",
            ["", "GP", *(BASELINE_NAMES[name] for name in baselines)],
            [
                [words, model[key], *(found[key] for found in baselines.values())]
                for key, words in METRIC_ROWS
            ],
        )
    )
    for title, key, entries in (
        ("By initial j", "j", data.get("by_j")),
        ("By initial state", "unit", data.get("by_unit")),
        ("By |dj|", "abs_dj", data.get("by_abs_dj")),
        ("By dv", "dv", data["by_dv"] if len(data.get("by_dv", [])) > 1 else []),
        ("By temperature", "temperature_k", data["by_temperature"]),
    ):
        if entries and (key in ("j", "unit") or not brief):
            _show_slices(console, title, key, entries)
    if not brief and data.get("paper"):
        rows = [[name.replace("_", " "), value] for name, value in data["paper"].items()]
        console.print(table("The set, as in the paper's tables", ["", ""], rows))


_SLICE_KEYS = ("log10_percent_error", "dex_rms", "factor_median", "factor_p95", "factor_max", "coverage_95")
_SLICE_HEADS = {"j": "j", "unit": "initial state", "abs_dj": "|dj|", "dv": "dv", "temperature_k": "T (K)"}


def _show_slices(console: Console, title: str, key: str, entries: list[dict[str, Any]]) -> None:
    heads = [
        _SLICE_HEADS[key],
        "transitions",
        "% log10",
        "dex",
        "median",
        "p95",
        "max",
        "in 95 %",
        "naive dex",
        "naive p95",
    ]
    rows = [
        [
            entry[key] if key == "unit" else f"{entry[key]:g}",
            entry["transitions"],
            *(f"{entry['model'][name]:.3g}" for name in _SLICE_KEYS),
            f"{entry['interpolation']['dex_rms']:.3g}",
            f"{entry['interpolation']['factor_p95']:.3g}",
        ]
        for entry in entries
    ]
    console.print(table(title, heads, rows, text=()))


evaluate_command = command(
    Database.evaluate,
    lambda console, result, options: show_evaluation(console, result.to_json()),
    arguments={"model_id": "A model; `ratedb show SYSTEM` lists them."},
    example="ratedb evaluate 1 --truth co.dat",
)
