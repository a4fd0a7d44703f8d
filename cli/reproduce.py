"""`ratedb reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Context, table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.paper.reproduction import Reproduction


def reproduce_command(
    context: typer.Context,
    system: Annotated[
        str | None,
        typer.Argument(help="A system that is known for every j (default: the paper's figures only)."),
    ] = None,
    j: Annotated[str, typer.Option("--j", help="The initial j of interest.")] = "5:20",
    v_max: Annotated[int, typer.Option("--v-max", help="The highest initial v.")] = 0,
    given_j: Annotated[str, typer.Option("--given-j", help="Initial j that every set contains.")] = "5",
    sizes: Annotated[str, typer.Option("--sizes", help="Numbers of training j.")] = "2:6",
    cost_exponent: Annotated[float, typer.Option("--cost-exponent", help="4 for CS, 6 for CC.")] = 4.0,
    hours_total: Annotated[
        float | None, typer.Option("--hours-total", help="Hours for all of --j that are not given.")
    ] = None,
    kernels: Annotated[str | None, typer.Option("--kernels", help="Kernels to try (default: all).")] = None,
    mean: Annotated[str, typer.Option("--mean", help="constant, linear, gap or ios.")] = "linear",
    folder: Annotated[
        Path | None, typer.Option("--figures", help="Draw figures 3 and 4 into this folder.")
    ] = None,
    figure_format: Annotated[str, typer.Option("--format", help="Of the figures: png or svg.")] = "png",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that fit at the same time.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Fit on the workers of this dask scheduler instead.")
    ] = None,
) -> None:
    """Print the tables I-V of Mihalik et al. (2025) for a known system, beside the paper's own SiO columns.

    Example: ratedb reproduce CO+p-H2 --j 5:20 --given-j 5 --jobs 2 --figures figures
    """
    from ratedb.errors import UsageError
    from ratedb.models.kernels import DISTINCT_KERNELS
    from ratedb.numbers import parse_integers
    from ratedb.paper.reproduction import Reproduction, paper_rows, reproduce
    from ratedb.planning.exhaustive import SearchOptions
    from ratedb.planning.plan import PlanRequest

    shared: Context = context.obj
    if folder is None and figure_format != "png":
        raise UsageError("--format is that of the figures", expected="--figures FOLDER beside it", got="none")
    if system is None:
        if folder is not None:
            raise UsageError(
                "figures need a system", expected="SYSTEM before --figures", got=f"--figures {folder}"
            )
        result = Reproduction(None, (), (), paper_rows(), (), ())
    else:
        request = PlanRequest(
            system,
            parse_integers(j),
            parse_integers(given_j) if given_j else (),
            v_max,
            sizes=parse_integers(sizes),
            cost_exponent=cost_exponent,
            hours_total=hours_total,
        )
        options = SearchOptions(
            DISTINCT_KERNELS if kernels is None else tuple(kernels.split(",")),
            mean=mean,
            jobs=jobs,
            scheduler=scheduler,
        )
        with shared.progress() as report:
            result = reproduce(
                shared.db, request, options, folder=folder, figure_format=figure_format, report=report
            )
    shared.warn(result.warnings)
    shared.emit(result.to_json(), lambda console: _show(console, result))


def _show(console: Console, result: Reproduction) -> None:
    if result.sizes:
        _show_system(console, result)
    columns = [
        "N",
        "train j",
        "validate j",
        "train",
        "validate",
        "predict",
        "explicit h",
        "avoided h",
        "saved %",
    ]
    rows: list[list[object]] = []
    for row in result.paper:
        c, p = row.computed, row.printed
        rows.append(
            [
                c.n,
                c.train_j,
                c.validate_j,
                _beside(c.training_transitions, p.training_transitions),
                _beside(c.validation_transitions, p.validation_transitions),
                _beside(c.predicted_transitions, p.predicted_transitions),
                _beside(c.explicit_hours, p.explicit_hours),
                _beside(c.avoided_hours, p.avoided_hours),
                _beside(c.time_saved_percent, p.time_saved_percent),
            ]
        )
    console.print(
        table("The paper's SiO + p-H2, as its formulas give it (as printed)", columns, rows, text=(1, 2))
    )
    console.print(
        "Printed otherwise: 179 for the 81 + 93 transitions of j = 6 and 10, and savings that divide by 383 h"
        " what adds up to 338 h."
    )


def _show_system(console: Console, result: Reproduction) -> None:
    unit = "% of cost" if result.sizes[0].plan.explicit_hours is None else "h"
    plans = [(size, size.plan) for size in result.sizes]
    console.print(
        table(
            f"Table I. {result.system}: the best set of each size",
            ["N", "train j", "single kernel", "train"],
            [[c.n, c.train_j, size.single.kernel, c.training_transitions] for size, c in plans],
            text=(1, 2),
        )
    )
    console.print(
        table(
            f"Table II. Its rivals, {result.neighbours[0].kernel} for all"
            if result.neighbours
            else "Table II",
            ["train j", "test error, % of log10 k", "dex"],
            [[s.trial.train_j, s.log10_percent_error, s.dex_rms] for s in result.neighbours],
        )
    )
    console.print(
        table(
            "Table III. Kernels by validation error",
            ["N", "composite kernel", "test error, % of log10 k", "dex", "95 % within", "single", "dex"],
            [
                [
                    c.n,
                    size.optimal.kernel,
                    size.optimal.test.log10_percent_error,
                    size.optimal.test.dex_rms,
                    size.optimal.test.factor_p95,
                    size.single.test.log10_percent_error,
                    size.single.test.dex_rms,
                ]
                for size, c in plans
            ],
            text=(1,),
        )
    )
    console.print(
        table(
            "Table IV. Transitions, and the predicted ones over 10 % and below 5 % (of log10 k)",
            [
                "N",
                "train",
                "validate",
                "predict",
                "> 10 %, single",
                "composite",
                "< 5 %, single",
                "composite",
            ],
            [
                [
                    c.n,
                    c.training_transitions,
                    c.validation_transitions,
                    c.predicted_transitions,
                    size.single.test.transitions_over_10_percent,
                    size.optimal.test.transitions_over_10_percent,
                    size.single.test.transitions_below_5_percent,
                    size.optimal.test.transitions_below_5_percent,
                ]
                for size, c in plans
            ],
            text=(),
        )
    )
    console.print(
        table(
            "Table V. Time",
            ["N", f"explicit {unit}", f"avoided {unit}", "single kernel s", "composite s", "saved %"],
            [
                [
                    c.n,
                    c.explicit_percent if c.explicit_hours is None else c.explicit_hours,
                    100.0 - c.explicit_percent if c.avoided_hours is None else c.avoided_hours,
                    size.single.seconds,
                    size.optimal.seconds,
                    f"{c.time_saved_percent:.2f}",
                ]
                for size, c in plans
            ],
            text=(),
        )
    )
    for path in result.figures:
        console.print(f"wrote {path}", markup=False)


def _beside(own: float | None, printed: float) -> str:
    if isinstance(own, float):
        digits = 2 if abs(printed - round(printed, 1)) > 1e-9 else 1
        return f"{own:.{digits}f} ({printed})"
    return f"{own} ({printed})"
