"""The picture of a comparison of two sources: their ratio by rate and by initial j."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratedb.plots.figures import INK, check_picture, new_figure, save
from ratedb.quality.comparison import SourceComparison


def draw_comparison(found: SourceComparison, path: Path) -> None:
    """Draw a comparison to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written."""
    check_picture(path)
    figure, (left, right) = new_figure((10.0, 4.4), 2)
    rows, columns = np.nonzero(np.isfinite(found.ratio))
    shown = left.scatter(
        found.first_cm3_s[rows, columns],
        found.ratio[rows, columns],
        c=np.log10(found.temperature_k[columns]),
        s=5,
        cmap="viridis",
        rasterized=True,
    )
    left.set_xscale("log")
    left.set_xlabel("rate coefficient of the first source (cm$^3$ s$^{-1}$)")
    groups = found.by_j or found.by_temperature
    of = [one.of for one in groups]
    middle = np.array([one.median for one in groups])
    reach = np.array([[one.median - one.low, one.high - one.median] for one in groups]).T
    right.errorbar(of, middle, yerr=np.abs(reach), fmt="o", color=INK, ms=4, lw=0.8, capsize=2)
    right.set_xlabel("initial j" if found.by_j else "temperature (K)")
    for axes in (left, right):
        axes.axhline(1.0, color=INK, lw=0.6)
        axes.set_yscale("log")
        axes.set_ylabel("second source / first")
    bar = figure.colorbar(shown, ax=left)
    bar.set_label("log$_{10}$ T (K)")
    figure.suptitle(
        f"{found.system}: source {found.second['source_id']} / source {found.first['source_id']}", fontsize=11
    )
    save(figure, path)
