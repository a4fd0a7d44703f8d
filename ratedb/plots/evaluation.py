"""The demo's picture: truth against prediction, and the factor error by initial j."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.files import write_atomically
from ratedb.plots.figures import new_figure, rendered
from ratedb.models.evaluation import Evaluation

_GP, _NAIVE, _INK = "#1668a8", "#d9822b", "#444444"


def draw(evaluation: Evaluation, train_j: tuple[int, ...], path: Path) -> None:
    """Draw an evaluation as a PNG; raises RatedbError without matplotlib or where it cannot be written."""
    figure, (left, right) = new_figure((11.0, 4.8), 2, (1.0, 1.25))
    _draw_scatter(left, evaluation)
    _draw_by_j(right, evaluation, train_j)
    figure.suptitle(
        f"{evaluation.system}: {len(evaluation.truth)} transitions predicted from j = "
        + ", ".join(map(str, train_j)),
        color=_INK,
    )
    write_atomically({path: rendered(figure, "png")})


def _errors(evaluation: Evaluation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log10 of the truth, and log10 errors of model and interpolation, shape (n, m); NaN unknown."""
    rates = evaluation.truth.rate_cm3_s
    truth = np.log10(np.where(rates > 0, rates, np.nan))
    return truth, evaluation.prediction.log10_rate - truth, evaluation.interpolation_log10 - truth


def _draw_scatter(axes, evaluation: Evaluation) -> None:  # type: ignore[no-untyped-def]
    truth, gp, naive = _errors(evaluation)
    for error, colour, name in ((naive, _NAIVE, "interpolation in j"), (gp, _GP, "Gaussian process")):
        axes.loglog(
            10.0 ** truth.ravel(), 10.0 ** (truth + error).ravel(), ".", ms=3, color=colour, label=name
        )
    ends = [10.0 ** np.nanmin(truth), 10.0 ** np.nanmax(truth)]
    axes.loglog(ends, ends, color=_INK, lw=1)
    axes.set_xlabel("true k (cm$^3$ s$^{-1}$)")
    axes.set_ylabel("predicted k (cm$^3$ s$^{-1}$)")
    axes.legend(frameon=False, markerscale=3, loc="upper left")
    axes.set_title("Held-out rates", fontsize=11)


def _draw_by_j(axes, evaluation: Evaluation, train_j: tuple[int, ...]) -> None:  # type: ignore[no-untyped-def]
    _, gp, naive = _errors(evaluation)
    initial_j = evaluation.truth.initial_j()
    values = sorted(set(initial_j.tolist()))
    for error, colour, name in ((naive, _NAIVE, "interpolation in j"), (gp, _GP, "Gaussian process")):
        factor = 10.0 ** np.abs(error)
        for share, style in ((0.5, "o--"), (0.95, "s-")):
            quantile = [np.nanquantile(factor[initial_j == j], share) for j in values]
            label = f"{name}, {'median' if share == 0.5 else '95 %'}"
            axes.semilogy(values, quantile, style, ms=4, lw=1.2, color=colour, label=label)
    for number, j in enumerate(train_j):
        axes.axvline(j, color="#bbbbbb", lw=6, alpha=0.5, zorder=0, label="computed" if number == 0 else None)
    axes.set_xlabel("initial j")
    axes.set_ylabel("factor between predicted and true k")
    ticks = [1, 1.1, 1.5, 2, 3, 5, 10, 20]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_title("Error by initial j", fontsize=11)
    axes.legend(frameon=False, fontsize=8)
