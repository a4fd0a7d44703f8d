"""`ratedb train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.workflows.training import TrainResult


def train_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as CO+p-H2.")],
    plan: Annotated[int | None, typer.Option("--plan", help="Take the sets of a stored plan.")] = None,
    train_j: Annotated[str | None, typer.Option("--train-j", help="Initial j to train on.")] = None,
    validate_j: Annotated[
        str | None, typer.Option("--validate-j", help="Initial j that choose the kernel.")
    ] = None,
    j: Annotated[
        str | None, typer.Option("--j", help="Initial j the model is for (default: all in the store).")
    ] = None,
    kernels: Annotated[
        str | None, typer.Option("--kernels", help="Kernels to try, such as M32,M52 or M52*EXP.")
    ] = None,
    features: Annotated[str, typer.Option("--features", help="auto, paper or physics.")] = "auto",
    search: Annotated[str, typer.Option("--search", help="single: each kernel by itself.")] = "single",
    criterion: Annotated[
        str, typer.Option("--criterion", help="validation: the lowest error on the validation j.")
    ] = "validation",
    engine: Annotated[str, typer.Option("--engine", help="basis: the temperature basis.")] = "basis",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the optimiser's restarts.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not keep the model.")] = False,
) -> None:
    """Fit Gaussian processes to the training j, choose on the validation j, and keep the best.

    Example: ratedb train CO+p-H2 --train-j 5,9,14,19 --validate-j 6,10 --j 5:20
    """
    from ratedb.errors import UsageError
    from ratedb.models.kernels import DISTINCT_KERNELS
    from ratedb.physics.transitions import parse_integers
    from ratedb.workflows.training import TrainOptions, train_model

    for name, value, known in (
        ("--search", search, "single"),
        ("--criterion", criterion, "validation"),
        ("--engine", engine, "basis"),
    ):
        if value != known:
            raise UsageError(f"{name} {value} is not there yet", expected=known, got=value)
    shared: Context = context.obj
    options = TrainOptions(
        train_j=None if train_j is None else parse_integers(train_j),
        validate_j=None if validate_j is None else parse_integers(validate_j),
        target_j=None if j is None else parse_integers(j),
        plan_id=plan,
        kernels=DISTINCT_KERNELS if kernels is None else tuple(kernels.split(",")),
        features=features,
        seed=seed,
    )
    with shared.progress() as report:
        result = train_model(shared.db, system, options, dry_run=dry_run, report=report)
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show(console, result))


def _show(console: Console, result: TrainResult) -> None:
    rows = [
        [t.kernel, t.features, t.validation_dex_rms, t.training_dex_rms, t.log_marginal_likelihood, t.seconds]
        for t in sorted(result.tried, key=lambda t: t.validation_dex_rms or float("inf"))
    ]
    columns = ["kernel", "features", "validation dex", "training dex", "log likelihood", "s"]
    console.print(table(f"{result.system}: tried", columns, rows, text=(0, 1)))
    name = "not kept" if result.model_id is None else f"model {result.model_id}"
    console.print(
        f"{name}: {result.kernel} with {result.features} features, trained on j ="
        f" {','.join(map(str, result.train_j))} ({result.training_transitions} transitions) in"
        f" {result.seconds:.1f} s; validation: {result.validation.dex_rms:.3f} dex rms,"
        f" 95 % within a factor {result.validation.factor_p95:.2f}"
    )
