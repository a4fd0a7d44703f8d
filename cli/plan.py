"""`ratedb plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

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
    strategy: Annotated[str, typer.Option("--strategy", help="spread: equal steps in j.")] = "spread",
    train_j: Annotated[
        str | None, typer.Option("--train-j", help="A training set of your own: what it costs.")
    ] = None,
    validate_j: Annotated[str | None, typer.Option("--validate-j", help="Its validation j.")] = None,
    cost_exponent: Annotated[float, typer.Option("--cost-exponent", help="4 for CS, 6 for CC.")] = 4.0,
    hours_total: Annotated[
        float | None, typer.Option("--hours-total", help="Hours for all of --j that are not given.")
    ] = None,
    model_hours: Annotated[float, typer.Option("--model-hours", help="Hours that training takes.")] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not keep the plan.")] = False,
) -> None:
    """Say which initial j to compute explicitly, with costs and savings; needs no data.

    Example: ratedb plan SiO+p-H2 --j 5:20 --v-max 2 --given-j 5 --sizes 4 --hours-total 338
    """
    from ratedb.errors import UsageError
    from ratedb.physics.transitions import parse_integers
    from ratedb.planning.plan import PlanRequest
    from ratedb.workflows.planning import make_plan

    if strategy != "spread":
        raise UsageError(
            f"unknown strategy {strategy!r}", expected="spread, or --train-j with a set of your own"
        )
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
    )
    result = make_plan(shared.db, system, request, dry_run=dry_run)
    shared.emit(result.to_json(), lambda console: _show(console, result, request.hours_total))


def _show(console: Console, result: PlanResult, hours_total: float | None) -> None:
    name = "not kept" if result.plan_id is None else f"plan {result.plan_id}"
    unit = "h" if hours_total is not None else "% of cost"
    rows = []
    for c in result.candidates:
        explicit = c.explicit_percent if c.explicit_hours is None else c.explicit_hours
        avoided = 100.0 - c.explicit_percent if c.avoided_hours is None else c.avoided_hours
        rows.append(
            [
                c.n,
                c.train_j,
                c.validate_j,
                c.training_transitions,
                c.validation_transitions,
                c.predicted_transitions,
                f"{explicit:.1f}",
                f"{avoided:.1f}",
                f"{c.time_saved_percent:.2f}",
            ]
        )
    columns = ["N", "train j", "validate j", "train", "validate", "predict", f"explicit {unit}"]
    columns += [f"avoided {unit}", "saved %"]
    console.print(table(f"{result.system}: {result.strategy} ({name})", columns, rows, text=(1, 2)))
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
