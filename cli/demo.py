"""`ratedb demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratedb.database import Database

from .evaluate import show_evaluation
from .interrupt import raise_if_pressed
from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN_TEMPERATURE_K = 30.0
_SHOWN_DENSITY_CM3 = 1e4
_SHOWN_LEVELS = 8


def demo_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to work; made if need be.")] = Path("ratedb-demo"),
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Any LAMDA file (default: CO of Yang et al. 2010)."),
    ] = None,
) -> None:
    """Run the whole job on real data: plan, import, train, fill, evaluate, export, RADEX, picture.

    Example: ratedb demo
    """
    shared: Context = context.obj
    console = shared.console(stderr=shared.as_json)

    def report(text: str) -> None:
        raise_if_pressed()
        if not shared.quiet:
            console.print(text, markup=False)

    with shared.progress() as detail:
        result = Database(shared.db).demo(folder, file=file, report=report, progress=detail).to_json()
    shared.emit(result, lambda out: show_demo(out, result))


def show_demo(console: Console, result: dict[str, Any]) -> None:
    """Print the demo's results, ending in plain words."""
    plan = result["plan"]["chosen"]
    console.print(
        f"\nj <= {plan['train_j'][0]} is there."
        f" Compute j = {', '.join(map(str, plan['train_j'][1:]))} to train"
        f" and {', '.join(map(str, plan['validate_j']))} to validate:"
        f" {plan['explicit_percent']:.0f} % of the cost."
        f"\nPredict the other j up to {result['plan']['target_j'][-1]}."
    )
    for system in result["systems"]:
        train, fill = result["train"][system], result["fill"][system]
        console.print(
            f"{system}: kernel {train['kernel']}, {train['features']} features, best of"
            f" {len(train['tried'])}; {fill['filled_transitions']} transitions filled,"
            f" {fill['kept_computed']} kept."
        )
    for system in result["systems"]:
        show_evaluation(console, result["evaluate"][system], brief=True)
    if "skipped" not in result["verify"]:
        _show_lines(console, result["verify"])
    rows = [[row["question"], row["answer"], row["interpolation"]] for row in result["summary"]]
    console.print(
        table(f"How good is the filled file? ({result['system']})", ["", "filled", "interpolation"], rows)
    )
    if "skipped" not in result["verify"]:
        conditions = len(result["verify"]["conditions"])
        share = result["verify"]["bright"]["share_of_strongest"]
        console.print(
            f"Lines at {conditions} temperatures and densities; a bright one has at least {share:.0%}\n"
            "of the strongest flux there. j <= 5 counts as computed already, at no cost.\n"
        )
    for name in ("export", "picture"):
        path = result["export"]["path"] if name == "export" else result["picture"]
        console.print(f"{name}: {path or 'left out, matplotlib is not installed'}", soft_wrap=True)
    console.print(f"done in {result['seconds']:.0f} s")


def _show_lines(console: Console, verify: dict[str, Any]) -> None:
    """Print populations and fluxes side by side at one condition, that of a dense cloud."""
    lines = [
        line
        for line in verify["lines"]
        if line["temperature_k"] == _SHOWN_TEMPERATURE_K
        and abs(sum(line["density_cm3"].values()) / _SHOWN_DENSITY_CM3 - 1) < 1e-6
    ][:_SHOWN_LEVELS]
    if not lines:
        return
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
        for line in lines
    ]
    title = (
        f"RADEX at {_SHOWN_TEMPERATURE_K:g} K, {_SHOWN_DENSITY_CM3:.0e} cm-3:"
        " upper level population, flux (K km/s)"
    )
    console.print(table(title, ["line", "GHz", "true", "filled", "true flux", "filled flux", "off by"], rows))
