"""The picture of a comparison of two sources: their ratio by rate and by initial j."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ratedb.plots.figures import (
    BLUE,
    FAINT,
    INK,
    WIDTH_IN,
    check_picture,
    new_figure,
    plain_ticks,
    save,
    styled,
)
from ratedb.quality.comparison import SourceComparison

_LONGEST_NAME = 32


@styled
def draw_comparison(found: SourceComparison, path: Path) -> None:
    """Draw a comparison to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written."""
    check_picture(path)
    figure, (left, right) = new_figure((WIDTH_IN, 3.3), 2, (1.2, 1.0))
    _draw_values(found, figure, left)
    _draw_groups(found, right)
    first, second = (_short(one["name"]) for one in (found.first, found.second))
    for axes in (left, right):
        axes.axhline(1.0, color=INK, lw=0.6)
        for factor in (0.5, 2.0):
            axes.axhline(factor, color=FAINT, lw=0.6, ls=":")
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.9), max(high, 1.1))
        plain_ticks(axes.yaxis)
    left.set_ylabel(f"k of {second} / k of {first}")
    figure.suptitle(f"{found.system}: {second} against {first}")
    save(figure, path)


def _draw_values(found: SourceComparison, figure: Any, axes: Any) -> None:
    """Draw the ratio of each value by the rate of the first source, coloured by temperature."""
    from matplotlib.colors import LogNorm

    rows, columns = np.nonzero(np.isfinite(found.ratio))
    low, high = found.temperature_k[[0, -1]]
    shown = axes.scatter(
        found.first_cm3_s[rows, columns],
        found.ratio[rows, columns],
        c=found.temperature_k[columns],
        norm=LogNorm(low, high if high > low else 1.1 * low),
        s=5,
        cmap="viridis",
        rasterized=True,
    )
    axes.set_xscale("log")
    axes.set_xlabel(f"k of {_short(found.first['name'])} (cm$^3$ s$^{{-1}}$)")
    bar = figure.colorbar(shown, ax=axes)
    bar.set_label("temperature (K)")
    plain_ticks(bar.ax.yaxis)


def _draw_groups(found: SourceComparison, axes: Any) -> None:
    """Draw the median ratio and the middle 68 % of the ratios by initial j, else by temperature."""
    groups = found.by_j or found.by_temperature
    of = [one.of for one in groups]
    middle = np.array([one.median for one in groups])
    reach = np.array([[one.median - one.low, one.high - one.median] for one in groups]).T
    axes.errorbar(of, middle, yerr=np.abs(reach), fmt="o-", color=BLUE, lw=0.8)
    axes.set_title("Median and middle 68 % of the values")
    axes.set_xlabel("initial j" if found.by_j else "temperature (K)")


def _short(name: str) -> str:
    """Return the name of a source so that it fits a title, without a formula of matplotlib."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
    return shown.replace("$", r"\$")
