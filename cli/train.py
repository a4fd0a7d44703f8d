"""`ratedb train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.models.tops.trained import UnitTrainResult
    from ratedb.models.trained import TrainResult

_COLUMNS = {
    "kernel": "kernel",
    "features": "features",
    "mean": "mean",
    "weight": "weight",
    "validation_dex_rms": "validation dex",
    "leave_out_dex_rms": "left-out j dex",
    "training_dex_rms": "training dex",
    "bic": "BIC",
    "seconds": "s",
}


def _show(console: Console, result: TrainResult | UnitTrainResult, options: Mapping[str, Any]) -> None:
    if hasattr(result, "train_units"):
        _show_units(console, result)  # type: ignore[arg-type]
    else:
        _show_j(console, result)


def _show_units(console: Console, result: UnitTrainResult) -> None:
    tried = sorted(result.tried, key=lambda one: (-one.weight, one.leave_out_dex_rms))
    heads = ["candidate", "weight", "left-out dex", "95 % within"]
    rows = [
        [one.name, one.weight or None, one.leave_out_dex_rms, f"x {one.leave_out_factor_p95:.2f}"]
        for one in tried
    ]
    console.print(table(f"{result.system}: each initial state left out in turn", heads, rows))
    name = "not stored" if result.model_id is None else f"model {result.model_id}"
    tested = f"{len(result.validate_units)} validation" if result.validate_units else "left-out"
    console.print(
        f"{name}: {result.mean}, trained on {len(result.train_units)} initial states"
        f" ({result.training_transitions} transitions) in {result.seconds:.1f} s; {tested} states:"
        f" {result.validation.dex_rms:.3f} dex rms, 95 % within a factor {result.validation.factor_p95:.2f}"
    )


def _show_j(console: Console, result: TrainResult) -> None:
    tried = sorted(result.tried, key=lambda one: (-one.weight, one.score("validation")))
    rows = [[getattr(one, name) or None for name in _COLUMNS] for one in tried]
    console.print(table(f"{result.system}: tried", list(_COLUMNS.values()), rows, text=(0, 1, 2)))
    name = "not stored" if result.model_id is None else f"model {result.model_id}"
    chosen = sum(one.weight > 0 for one in tried)
    what = "one candidate" if chosen == 1 else f"average of {chosen} candidates"
    prior = "" if result.prior is None else f", {result.prior} as prior mean"
    console.print(
        f"{name}: {what} of {len(tried)} ({result.engine} engine{prior}), trained on j ="
        f" {','.join(map(str, result.train_j))} ({result.training_transitions} transitions) in"
        f" {result.seconds:.1f} s; validation: {result.validation.dex_rms:.3f} dex rms,"
        f" 95 % within a factor {result.validation.factor_p95:.2f}"
    )


train_command = command(
    Database.train,
    _show,
    arguments={"system": "Such as CO+p-H2."},
    example="ratedb train CO+p-H2 --train-j 5,9,14,19 --validate-j 6,10 --j 5:20",
)
