"""`ratedb demo`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .evaluate import show_evaluation
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.demo_summary import DemoResult

_SHOWN_TEMPERATURE_K = 30.0
_SHOWN_DENSITY_CM3 = 1e4
_SHOWN_LEVELS = 8
_FREE = {"j": "j <= 5 counts", "states": "The lowest states count"}


def _show(console: Console, result: DemoResult, options: Mapping[str, Any]) -> None:
    """Print the demo's results, ending in plain words."""
    _show_plan(console, result.plan)
    for system in result.systems:
        train, fill = result.train[system], result.fill[system]
        console.print(
            f"{system}: {_model(train)}, best of {len(train['tried'])};"
            f" {fill['filled_transitions']} transitions filled, {fill['kept_computed']} kept."
        )
    for system in result.systems:
        show_evaluation(console, result.evaluate[system], brief=True)
    verify = result.verify
    _show_lines(console, verify)
    rows = [list(row.values()) for row in result.answers()]
    title = f"How good is the filled file? ({result.systems[0]})"
    console.print(table(title, ["", "filled", "interpolation"], rows))
    what = "states" if "train_units" in result.plan["chosen"] else "j"
    console.print(
        f"Lines at {len(verify['conditions'])} temperatures and densities; a bright one has at least"
        f" {verify['bright']['share_of_strongest']:.0%}\n"
        f"of the strongest flux there. {_FREE[what]} as computed already, at no cost.\n"
    )
    picture = result.picture or "left out, matplotlib is not installed"
    page = result.report.get("skipped", result.report.get("path"))
    files = f"export: {result.export['path']}\npicture: {picture}\npage for a browser: {page}"
    console.print(files, soft_wrap=True, markup=False)
    console.print(f"done in {result.seconds:.0f} s")


def _show_plan(console: Console, plan: dict[str, Any]) -> None:
    chosen = plan["chosen"]
    if "train_units" in chosen:
        given = plan["request"]["given_units"]
        console.print(
            f"\nThe {len(given)} lowest initial states are known. Compute"
            f" {', '.join(one for one in chosen['train_units'] if one not in given)}:"
            f" {chosen['explicit_percent']:.0f} % of the cost."
            f"\nPredict the {chosen['predicted_transitions']} transitions out of the others.",
            markup=False,
        )
        return
    console.print(
        f"\nj <= {chosen['train_j'][0]} is known."
        f" Compute j = {', '.join(map(str, chosen['train_j'][1:]))} to train"
        f" and {', '.join(map(str, chosen['validate_j']))} to validate:"
        f" {chosen['explicit_percent']:.0f} % of the cost."
        f"\nPredict the other j up to {plan['target_j'][-1]}."
    )


def _model(train: dict[str, Any]) -> str:
    """Return what the model of a system is, in words."""
    if "train_units" in train:
        return str(train["mean"])
    return f"kernel {train['kernel']}, {train['features']} features"


def _show_lines(console: Console, verify: dict[str, Any]) -> None:
    """Print populations and fluxes of both files at one condition, that of a dense cloud."""
    rows = [
        [
            f"{line['upper']}-{line['lower']}",
            f"{line['frequency_ghz']:.3f}",
            f"{line['population_upper_against']:.3e}",
            f"{line['population_upper']:.3e}",
            f"{line['flux_against_k_km_s']:.3e}",
            f"{line['flux_k_km_s']:.3e}",
            "-" if line["flux_ratio"] is None else f"x {line['flux_ratio']:.4f}",
        ]
        for line in verify["lines"]
        if line["temperature_k"] == _SHOWN_TEMPERATURE_K
        and abs(sum(line["density_cm3"].values()) / _SHOWN_DENSITY_CM3 - 1) < 1e-6
    ]
    if rows:
        from ratedb.radiative.solving import name_of_solver

        condition = f"{_SHOWN_TEMPERATURE_K:g} K, {_SHOWN_DENSITY_CM3:.0e} cm-3"
        title = f"{name_of_solver(verify['solver'])} at {condition}: upper level population, flux (K km/s)"
        columns = ["line", "GHz", "true", "filled", "true flux", "filled flux", "off by"]
        console.print(table(title, columns, rows[:_SHOWN_LEVELS]))


demo_command = command(
    Database.demo,
    _show,
    arguments={"folder": "The folder; made if need be."},
    example="ratedb demo",
)
