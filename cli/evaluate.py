"""`ratedb evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Context, table

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


def evaluate_command(
    context: typer.Context,
    model_id: Annotated[int, typer.Argument(help="A model; `ratedb show SYSTEM` lists them.")],
    truth: Annotated[
        Path | None, typer.Option("--truth", help="A file with the held-out rates (default: the store).")
    ] = None,
) -> None:
    """Test a model on rates it has not seen, beside naive interpolation in j.

    Example: ratedb evaluate 1 --truth co.dat
    """
    from ratedb.workflows.evaluating import evaluate_model

    shared: Context = context.obj
    with shared.progress() as report:
        evaluation = evaluate_model(shared.db, model_id, truth_file=truth, report=report)
    shared.warn(evaluation.warnings)
    data = evaluation.to_json()
    shared.emit(data, lambda console: show_evaluation(console, data))


def show_evaluation(console: Console, data: dict[str, Any]) -> None:
    """Print an evaluation's metrics beside the baseline's, and by initial j."""
    model, naive = data["model"], data["baselines"]["interpolation"]
    console.print(
        table(
            f"{data['system']}: {data['test_transitions']} held-out transitions, {model['values']} values",
            ["", "GP", "interpolation"],
            [[words, model[key], naive[key]] for key, words in METRIC_ROWS],
        )
    )
    keys = ["log10_percent_error", "dex_rms", "factor_median", "factor_p95", "factor_max", "coverage_95"]
    heads = [
        "j",
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
            entry["j"],
            entry["transitions"],
            *(f"{entry['model'][key]:.3g}" for key in keys),
            f"{entry['interpolation']['dex_rms']:.3g}",
            f"{entry['interpolation']['factor_p95']:.3g}",
        ]
        for entry in data["by_j"]
    ]
    console.print(table("By initial j", heads, rows, text=()))
