"""`ratedb plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Context, cell, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.planning.next_j import NextResult
    from ratedb.planning.plan import Candidate, PlanRequest
    from ratedb.verbs.plan import PlanResult


def plan_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as SiO+p-H2; need not be in the store.")],
    j: Annotated[
        str | None, typer.Option("--j", help="The initial j of interest, such as 5:20 (--next: of the plan).")
    ] = None,
    v_max: Annotated[int, typer.Option("--v-max", help="The highest initial v.")] = 0,
    given_j: Annotated[
        str | None,
        typer.Option("--given-j", help="Initial j that are there already (default: what the store has)."),
    ] = None,
    sizes: Annotated[
        str | None, typer.Option("--sizes", help="Numbers of training j, such as 2:6 (default: what fits).")
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            help="spread: equal steps in j; variance: least expected error; exhaustive: all sets of a known"
            " system.",
        ),
    ] = "spread",
    next_: Annotated[
        bool, typer.Option("--next", help="Say which j to compute next, or to stop; follows the last plan.")
    ] = False,
    plan: Annotated[int | None, typer.Option("--plan", help="next: the plan to follow.")] = None,
    for_lines: Annotated[
        Path | None,
        typer.Option("--for-lines", help="next: aim at line fluxes; a file of `ratedb impact ... -o FILE`."),
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", help="variance, next: learn from this known system of the store.")
    ] = None,
    target_error: Annotated[
        float | None, typer.Option("--target-error", help="variance, next: error in % of a rate to reach.")
    ] = None,
    budget_hours: Annotated[
        float | None,
        typer.Option("--budget-hours", help="variance: hours that may be spent; next: hours left."),
    ] = None,
    optimiser: Annotated[
        str, typer.Option("--optimiser", help="variance: greedy, exhaustive or auto.")
    ] = "auto",
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
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that fit at the same time.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Fit on the workers of this dask scheduler instead.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not keep the plan.")] = False,
) -> None:
    """Say which initial j to compute explicitly, with costs, savings and, where it can, the expected error.

    Example: ratedb plan SiO+p-H2 --j 5:20 --v-max 2 --given-j 5 --sizes 4 --hours-total 338
    """
    from ratedb.errors import UsageError
    from ratedb.numbers import parse_integers
    from ratedb.planning.costs import read_hours
    from ratedb.planning.plan import PlanRequest
    from ratedb.verbs.plan import PlanOptions, make_plan

    shared: Context = context.obj

    def integers(text: str | None) -> tuple[int, ...] | None:
        return None if text is None else parse_integers(text)

    request = None
    if j is not None:
        request = PlanRequest(
            system=system,
            target=parse_integers(j),
            given=integers(given_j or None) or (),
            v_max=v_max,
            sizes=integers(sizes),
            train_j=integers(train_j),
            validate_j=integers(validate_j),
            cost_exponent=cost_exponent,
            hours_total=hours_total,
            model_hours=model_hours,
            hours_by_j=None if hours_file is None else read_hours(hours_file),
        )
    if next_:
        heeded = _WITH_NEXT if for_lines is None else _FOR_LINES
        _refuse_given(context, heeded if request is None else heeded | _OF_REQUEST)
        if request is not None and given_j is None:
            raise UsageError(
                "--next has to know what was there before",
                expected='--given-j beside --j ("" where nothing was), or a stored plan without --j',
                got="--j alone",
            )
        limits = {"like": like, "target_error": target_error, "budget_hours": budget_hours}
        limits |= {"jobs": jobs, "scheduler": scheduler}
        _next(shared, system, request, plan, worklist, for_lines, limits)
        return
    if request is None or plan is not None or for_lines is not None:
        raise UsageError(
            "the initial j of interest are missing"
            if request is None
            else f"{'--plan' if for_lines is None else '--for-lines'} needs --next",
            expected="--j such as 5:20, or --next to go on with a plan",
        )
    options = PlanOptions(
        strategy=strategy,
        kernels=None if kernels is None else tuple(kernels.split(",")),
        mean=mean,
        like=like,
        target_error=target_error,
        budget_hours=budget_hours,
        optimiser=optimiser,
        given_from_store=given_j is None,
        jobs=jobs,
        scheduler=scheduler,
        worklist=worklist,
    )
    with shared.progress() as report:
        result = make_plan(shared.db, request, options, dry_run=dry_run, report=report)
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show(console, result))


_FOR_LINES = {"system", "next_", "plan", "for_lines", "target_error", "budget_hours", "worklist"}
_WITH_NEXT = (_FOR_LINES - {"for_lines"}) | {"like", "jobs", "scheduler"}
_OF_REQUEST = {
    "j", "v_max", "given_j", "validate_j", "cost_exponent", "hours_total", "hours_file", "model_hours"
}  # fmt: skip


def _refuse_given(context: typer.Context, heeded: set[str]) -> None:
    """Raise UsageError for options on the command line that --next would not heed."""
    from ratedb.errors import UsageError

    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    ignored = sorted(f"--{name.replace('_', '-')}" for name in given if name not in heeded)
    if ignored:
        raise UsageError(
            "--next goes on with a plan and does not make one",
            expected=", ".join(
                f"--{name.replace('_', '-')}" for name in sorted(heeded - {"system", "next_"})
            ),
            got=", ".join(ignored),
        )


def _next(
    shared: Context,
    system: str,
    request: PlanRequest | None,
    plan: int | None,
    worklist: Path | None,
    for_lines: Path | None,
    limits: dict[str, Any],
) -> None:
    from ratedb.planning.next_for_lines import plan_next_for_lines
    from ratedb.planning.next_j import plan_next
    from ratedb.planning.variance import VarianceOptions

    options = VarianceOptions(**limits)
    if for_lines is not None:
        result = plan_next_for_lines(shared.db, system, request, plan, options, for_lines, worklist)
    else:
        with shared.progress() as report:
            result = plan_next(shared.db, system, request, plan, options, worklist, report)
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show_next(console, result))


def _show_next(console: Console, result: NextResult) -> None:
    if result.candidates:
        in_hours = result.candidates[0].hours is not None
        columns = ["j", "h" if in_hours else "% of cost", "error after %", "takes away", "planned"]
        rows = [
            [
                c.j,
                c.hours if in_hours else c.cost_percent,
                c.expected_error,
                c.gain,
                "yes" if c.planned else "",
            ]
            for c in result.candidates
        ]
        console.print(table(f"{result.system}: one more j", columns, rows, text=(4,)))
    known = f"trained on j = {cell(result.train_j)}, validated on {cell(result.validate_j)}"
    if result.expected_error is not None:
        source = known if result.measured else "by the planner's process; no model can be trained yet"
        of = "a rate" if result.target == "rates" else "the flux, for 95 of 100 lines and conditions"
        console.print(f"Expected error now: {result.expected_error:.3g} % of {of} ({source}).")
    console.print(
        f"Stop: {result.reason}." if result.stop else f"Next: j = {result.next_j}, {result.reason}."
    )


def _show(console: Console, result: PlanResult) -> None:
    hours_total = result.request.costs.total_hours
    name = "not kept" if result.plan_id is None else f"plan {result.plan_id}"
    unit = "h" if hours_total is not None else "% of cost"
    title = f"{result.system}: {result.strategy} ({name})"
    if result.scored_sets:
        console.print(table(title, *_measured(result, unit), text=(1, 2, 3)))
        console.print(f"{result.scored_sets} sets scored with every kernel; the best were trained anew.")
    elif result.strategy == "variance":
        console.print(table(title, *_expected(result, unit), text=(1, 2)))
        if result.chosen is not None:
            console.print(f"Chosen: N = {result.chosen.n}, j = {cell(result.chosen.train_j)}.")
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


def _expected(result: PlanResult, unit: str) -> tuple[list[str], list[list[object]]]:
    """Return the curve of cost against expected error."""
    columns = ["N", "train j", "validate j", "expected dex", "expected %", f"explicit {unit}"]
    rows: list[list[object]] = [
        [c.n, c.train_j, c.validate_j, c.expected_dex, c.expected_error, *_costs(c)]
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
