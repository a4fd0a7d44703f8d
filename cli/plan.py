"""`ratedb plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.planning.plan import Candidate
    from ratedb.workflows.planning import PlanResult


def plan_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as SiO+p-H2; need not be in the store.")],
    j: Annotated[str, typer.Option("--j", help="The initial j of interest, such as 5:20.")],
    v_max: Annotated[int, typer.Option("--v-max", help="The highest initial v.")] = 0,
    given_j: Annotated[str, typer.Option("--given-j", help="Initial j that are there already.")] = "",
    sizes: Annotated[
        str | None, typer.Option("--sizes", help="Numbers of training j, such as 2:6 (default: what fits).")
    ] = None,
    strategy: Annotated[
        str,
        typer.Option("--strategy", help="spread: equal steps in j; exhaustive: all sets of a known system."),
    ] = "spread",
    train_j: Annotated[
        str | None, typer.Option("--train-j", help="A training set of your own: what it costs.")
    ] = None,
    validate_j: Annotated[str | None, typer.Option("--validate-j", help="Its validation j.")] = None,
    cost_exponent: Annotated[float, typer.Option("--cost-exponent", help="4 for CS, 6 for CC.")] = 4.0,
    hours_total: Annotated[
        float | None, typer.Option("--hours-total", help="Hours for all of --j that are not given.")
    ] = None,
    hours_file: Annotated[
        Path | None, typer.Option("--hours-file", help="CSV of measured hours: j,hours.")
    ] = None,
    model_hours: Annotated[float, typer.Option("--model-hours", help="Hours that training takes.")] = 0.0,
    worklist: Annotated[
        Path | None, typer.Option("--worklist", help="Write the chosen set's jobs as .csv or .json.")
    ] = None,
    kernels: Annotated[
        str | None, typer.Option("--kernels", help="exhaustive: kernels to try (default: all).")
    ] = None,
    mean: Annotated[str, typer.Option("--mean", help="exhaustive: constant, linear, gap or ios.")] = "linear",
    jobs: Annotated[int, typer.Option("--jobs", help="exhaustive: processes at the same time.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not keep the plan.")] = False,
) -> None:
    """Say which initial j to compute explicitly, with costs and savings; spread needs no data.

    Example: ratedb plan SiO+p-H2 --j 5:20 --v-max 2 --given-j 5 --sizes 4 --hours-total 338
    """
    from ratedb.physics.transitions import parse_integers
    from ratedb.planning.costs import read_hours
    from ratedb.planning.plan import PlanRequest
    from ratedb.workflows.planning import PlanOptions, make_plan

    shared: Context = context.obj
    request = PlanRequest(
        system=system,
        target=parse_integers(j),
        given=parse_integers(given_j) if given_j else (),
        v_max=v_max,
        sizes=None if sizes is None else parse_integers(sizes),
        train_j=None if train_j is None else parse_integers(train_j),
        validate_j=None if validate_j is None else parse_integers(validate_j),
        cost_exponent=cost_exponent,
        hours_total=hours_total,
        model_hours=model_hours,
        hours_by_j=None if hours_file is None else read_hours(hours_file),
    )
    options = PlanOptions(
        strategy=strategy,
        kernels=None if kernels is None else tuple(kernels.split(",")),
        mean=mean,
        jobs=jobs,
        worklist=worklist,
    )
    with shared.progress() as report:
        result = make_plan(shared.db, system, request, options, dry_run=dry_run, report=report)
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show(console, result, request.costs.total_hours))


def _show(console: Console, result: PlanResult, hours_total: float | None) -> None:
    name = "not kept" if result.plan_id is None else f"plan {result.plan_id}"
    unit = "h" if hours_total is not None else "% of cost"
    title = f"{result.system}: {result.strategy} ({name})"
    if result.scored_sets:
        console.print(table(title, *_measured(result, unit), text=(1, 2, 3)))
        console.print(f"{result.scored_sets} sets scored with every kernel; the best were trained anew.")
    else:
        console.print(table(title, *_counted(result, unit), text=(1, 2)))
    for c in result.candidates:
        if c.paper is not None:
            console.print(
                f"N = {c.n}, as printed in Mihalik et al. 2025: {c.paper.training_transitions} /"
                f" {c.paper.validation_transitions} / {c.paper.predicted_transitions} transitions,"
                f" {c.paper.explicit_hours} h explicit, {c.paper.avoided_hours} h avoided,"
                f" {c.paper.time_saved_percent} % saved (of 383 h).\n"
                f"Above, {c.model_hours} h of training (the paper's) count against the saving, of the"
                f" {hours_total:g} h that its hours add up to."
            )


def _counted(result: PlanResult, unit: str) -> tuple[list[str], list[list[object]]]:
    """Return the table of a plan without data: transitions of each set, and costs."""
    columns = ["N", "train j", "validate j", "train", "validate", "predict", f"explicit {unit}"]
    rows: list[list[object]] = [
        [
            c.n,
            c.train_j,
            c.validate_j,
            c.training_transitions,
            c.validation_transitions,
            c.predicted_transitions,
            *_costs(c),
        ]
        for c in result.candidates
    ]
    return [*columns, f"avoided {unit}", "saved %"], rows


def _measured(result: PlanResult, unit: str) -> tuple[list[str], list[list[object]]]:
    """Return the table of a known system: measured errors, and costs."""
    columns = ["N", "train j", "validate j", "kernel", "test dex", "% of log10 k", f"explicit {unit}"]
    rows: list[list[object]] = [
        [c.n, c.train_j, c.validate_j, c.kernel, c.test_dex_rms, c.test_log10_percent_error, *_costs(c)]
        for c in result.candidates
    ]
    return [*columns, f"avoided {unit}", "saved %"], rows


def _costs(c: Candidate) -> list[str]:
    explicit = c.explicit_percent if c.explicit_hours is None else c.explicit_hours
    avoided = 100.0 - c.explicit_percent if c.avoided_hours is None else c.avoided_hours
    return [f"{explicit:.1f}", f"{avoided:.1f}", f"{c.time_saved_percent:.2f}"]
