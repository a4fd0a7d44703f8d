"""The picture of a comparison of two sources: their ratio by rate and by initial j."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ratedb.plots.figures import INK, check_picture, new_figure, save
from ratedb.quality.comparison import SourceComparison

_LONGEST_NAME = 40


def draw_comparison(found: SourceComparison, path: Path) -> None:
    """Draw a comparison to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written."""
    check_picture(path)
    figure, (left, right) = new_figure((10.0, 4.6), 2)
    _draw_values(found, figure, left)
    _draw_groups(found, right)
    for axes in (left, right):
        axes.axhline(1.0, color=INK, lw=0.6)
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.9), max(high, 1.1))
        _plain_ticks(axes.yaxis)
        axes.set_ylabel("second source / first")
    first, second = (_short(one["name"]) for one in (found.first, found.second))
    figure.suptitle(f"{found.system}: {second} / {first}", fontsize=11)
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
    axes.set_xlabel(f"rate coefficient of {_short(found.first['name'])} (cm$^3$ s$^{{-1}}$)")
    bar = figure.colorbar(shown, ax=axes)
    bar.set_label("temperature (K)")
    _plain_ticks(bar.ax.yaxis)


def _draw_groups(found: SourceComparison, axes: Any) -> None:
    """Draw the median ratio and the middle 68 % of the ratios by initial j, else by temperature."""
    groups = found.by_j or found.by_temperature
    of = [one.of for one in groups]
    middle = np.array([one.median for one in groups])
    reach = np.array([[one.median - one.low, one.high - one.median] for one in groups]).T
    words = "median; bars: middle 68 % of the values"
    axes.errorbar(of, middle, yerr=np.abs(reach), fmt="o", color=INK, ms=4, lw=0.8, capsize=2, label=words)
    axes.set_xlabel("initial j" if found.by_j else "temperature (K)")
    axes.legend(fontsize=8, loc="best")


def _plain_ticks(axis: Any) -> None:
    """Write the ticks of a logarithmic axis as numbers such as 0.5 and 20, as many as have room."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low)
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator(6))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 4.0 else (1.0,), numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _short(name: str) -> str:
    """Return the name of a source so that it fits a title, without a formula of matplotlib."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
    return shown.replace("$", r"\$")
