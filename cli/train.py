"""`ratedb train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.models.search import Tried
    from ratedb.verbs.train import TrainResult


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
    features: Annotated[
        str, typer.Option("--features", help="auto, paper, physics, gap, spin; several joined by +.")
    ] = "auto",
    mean: Annotated[
        str, typer.Option("--mean", help="What is known beforehand: auto, constant, linear, gap, ios.")
    ] = "auto",
    prior: Annotated[
        str | None, typer.Option("--prior", help="Another system of the store as prior mean, such as SiO+He.")
    ] = None,
    search: Annotated[
        str, typer.Option("--search", help="single kernels, or composite: also sums and products.")
    ] = "single",
    criterion: Annotated[
        str, typer.Option("--criterion", help="validation: errors on unseen j; or bic.")
    ] = "validation",
    engine: Annotated[
        str, typer.Option("--engine", help="auto, basis, sparse (many transitions), dense (the paper's).")
    ] = "auto",
    optimiser: Annotated[str, typer.Option("--optimiser", help="lbfgs, or rmsprop as the paper.")] = "lbfgs",
    use_marked: Annotated[
        bool, typer.Option("--use-marked", help="Learn also from values that quality control marked.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of what is drawn at random.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that fit at the same time.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Fit on the workers of this dask scheduler instead.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not keep the model.")] = False,
) -> None:
    """Fit Gaussian processes to the training j, judge them on unseen j, and keep the best or their average.

    Example: ratedb train CO+p-H2 --train-j 5,9,14,19 --validate-j 6,10 --j 5:20
    """
    from ratedb.models.kernels import DISTINCT_KERNELS
    from ratedb.numbers import parse_integers
    from ratedb.verbs.train import TrainOptions, train_model

    shared: Context = context.obj
    options = TrainOptions(
        train_j=None if train_j is None else parse_integers(train_j),
        validate_j=None if validate_j is None else parse_integers(validate_j),
        target_j=None if j is None else parse_integers(j),
        plan_id=plan,
        kernels=DISTINCT_KERNELS if kernels is None else tuple(kernels.split(",")),
        features=features,
        mean=mean,
        prior=prior,
        search=search,
        criterion=criterion,
        engine=engine,
        optimiser=optimiser,
        seed=seed,
        jobs=jobs,
        scheduler=scheduler,
        use_marked=use_marked,
    )
    with shared.progress() as report:
        result = train_model(shared.db, system, options, dry_run=dry_run, report=report)
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show(console, result))


def _show(console: Console, result: TrainResult) -> None:
    def order(tried: Tried) -> tuple[float, float]:
        error = tried.validation_dex_rms
        return -tried.weight, float("inf") if error is None else error

    rows = [
        [
            t.kernel,
            t.features,
            t.mean,
            t.weight or None,
            t.validation_dex_rms,
            t.leave_out_dex_rms,
            t.training_dex_rms,
            t.bic,
            t.seconds,
        ]
        for t in sorted(result.tried, key=order)
    ]
    columns = [
        "kernel",
        "features",
        "mean",
        "weight",
        "validation dex",
        "left-out j dex",
        "training dex",
        "BIC",
        "s",
    ]
    console.print(table(f"{result.system}: tried", columns, rows, text=(0, 1, 2)))
    name = "not kept" if result.model_id is None else f"model {result.model_id}"
    chosen = sum(tried.weight > 0 for tried in result.tried)
    what = "one candidate" if chosen == 1 else f"average of {chosen} candidates"
    prior = "" if result.prior is None else f", {result.prior} as prior mean"
    console.print(
        f"{name}: {what} of {len(result.tried)} ({result.engine} engine{prior}), trained on j ="
        f" {','.join(map(str, result.train_j))} ({result.training_transitions} transitions) in"
        f" {result.seconds:.1f} s; validation: {result.validation.dex_rms:.3f} dex rms,"
        f" 95 % within a factor {result.validation.factor_p95:.2f}"
    )
