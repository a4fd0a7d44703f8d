"""The demo's picture: truth against prediction, and the factor error by initial j."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.kinds.units import units_of
from ratedb.layers import RATIO_95_68
from ratedb.models.evaluation import Evaluation
from ratedb.models.tops.evaluation import UnitEvaluation
from ratedb.physics.orientation import units_out_of
from ratedb.plots.figures import BLUE, FAINT, INK, ORANGE, WIDTH_IN, new_figure, plain_ticks, save, styled

_DRAWN = ((ORANGE, "interpolation"), (BLUE, "Gaussian process"))
_NAMES = ((ORANGE, "interpolation"), (BLUE, "Gaussian process, 95 % interval"))


@styled
def draw_evaluation(evaluation: Evaluation | UnitEvaluation, train_j: Sequence[int], path: Path) -> None:
    """Draw an evaluation to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written.

    Errors are drawn by initial j, those of tops and pairs by the energy of the initial state.
    """
    figure, (left, right) = new_figure((WIDTH_IN, 3.4), 2, (1.0, 1.15))
    _draw_scatter(left, evaluation)
    if isinstance(evaluation, UnitEvaluation):
        _draw_by_unit(right, evaluation)
        source = f"{len(evaluation.train_units)} initial states"
    else:
        _draw_by_j(right, evaluation, train_j)
        source = f"j = {', '.join(map(str, train_j))}"
    figure.suptitle(
        f"{evaluation.system}: {len(evaluation.truth)} transitions predicted from {source}", color=INK
    )
    save(figure, path)


def _errors(evaluation: Evaluation | UnitEvaluation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log10 of the truth, and log10 errors of model and interpolation, shape (n, m); NaN unknown."""
    rates = evaluation.truth.rate_cm3_s
    truth = np.log10(np.where(rates > 0, rates, np.nan))
    return truth, evaluation.prediction.log10_rate - truth, evaluation.interpolation_log10 - truth


def _draw_scatter(axes: Any, evaluation: Evaluation | UnitEvaluation) -> None:
    """Draw predictions over truths, each prediction with its 95 % interval."""
    truth, gp, naive = _errors(evaluation)
    shown = {"rasterized": True, "ls": "none"}
    axes.plot(
        10.0 ** truth.ravel(), 10.0 ** (truth + naive).ravel(), ".", ms=2, color=ORANGE, zorder=1, **shown
    )
    predicted = 10.0 ** (truth + gp)
    dex = RATIO_95_68 * evaluation.prediction.log10_half_width_68
    reach = np.array([predicted * (1 - 10.0**-dex), predicted * (10.0**dex - 1)]).reshape(2, -1)
    known = np.isfinite(reach).all(axis=0)
    axes.plot(10.0 ** truth.ravel(), predicted.ravel(), ".", ms=2, color=BLUE, alpha=0.6, zorder=2, **shown)
    axes.errorbar(
        10.0 ** truth.ravel()[known],
        predicted.ravel()[known],
        yerr=reach[:, known],
        fmt="none",
        lw=0.4,
        capsize=0,
        ecolor=BLUE,
        alpha=0.4,
        zorder=2,
        rasterized=True,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends = np.array([10.0 ** np.nanmin(truth), 10.0 ** np.nanmax(truth)])
    axes.plot(ends, ends, color=INK, lw=0.8, zorder=3)
    for factor in (0.5, 2.0):
        axes.plot(ends, factor * ends, color=FAINT, lw=0.6, ls=":", zorder=3)
    for colour, name in _NAMES:
        axes.plot([], [], "o", ms=4, color=colour, label=name)
    axes.plot([], [], color=FAINT, lw=0.8, ls=":", label="a factor 2")
    axes.set_xlabel("true k (cm$^3$ s$^{-1}$)")
    axes.set_ylabel("predicted k (cm$^3$ s$^{-1}$)")
    axes.legend(loc="upper left")
    axes.set_title("Held-out rates")


def _draw_by_j(axes: Any, evaluation: Evaluation, train_j: Sequence[int]) -> None:
    of_row = evaluation.truth.initial_j().astype(np.float64)
    _draw_quantiles(axes, evaluation, of_row, [float(j) for j in train_j], 6.0)
    axes.set_xlabel("initial j")
    axes.set_title("Error by initial j")


def _draw_by_unit(axes: Any, evaluation: UnitEvaluation) -> None:
    units = units_of(evaluation.truth.levels)
    of_row = units.energy_cm1[units_out_of(evaluation.truth.transitions, units)]
    computed = units.energy_cm1[units.places(evaluation.train_units, "the model")]
    _draw_quantiles(axes, evaluation, of_row, computed.tolist(), 2.0)
    axes.set_xlabel("energy of the initial state (cm$^{-1}$)")
    axes.set_title("Error by initial state")


def _draw_quantiles(
    axes: Any,
    evaluation: Evaluation | UnitEvaluation,
    of_row: FloatArray,
    computed: list[float],
    width: float,
) -> None:
    """Draw the median and 95 % factor over the values `of_row`, shape (n,), and bars where it is computed."""
    _, gp, naive = _errors(evaluation)
    values = sorted(set(of_row.tolist()))
    for error, (colour, name) in zip((naive, gp), _DRAWN, strict=True):
        factor = 10.0 ** np.abs(error)
        for share, style in ((0.5, "o--"), (0.95, "s-")):
            quantile = [np.nanquantile(factor[of_row == value], share) for value in values]
            label = f"{name}, {'median' if share == 0.5 else '95 %'}"
            axes.semilogy(values, quantile, style, color=colour, label=label)
    for number, value in enumerate(computed):
        name = "computed" if number == 0 else "_"
        axes.axvline(value, color="#bbbbbb", lw=width, alpha=0.5, zorder=0, label=name)
    axes.set_ylabel("factor between predicted and true k")
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, 2.0) ** 1.6)  # room for the legend
    plain_ticks(axes.yaxis)
    axes.legend(loc="upper left", handlelength=1.5)
