"""The analogues of the paper's figures 3 and 4: test error by size of the training set, and by initial j."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ratedb.plots.figures import new_figure, rendered, styled

if TYPE_CHECKING:
    from ratedb.paper.reproduction import SizeResult

_SINGLE, _OPTIMAL, _WORST = "#222222", "#c0392b", "#c0392b"


@styled
def draw_by_size(system: str, sizes: Sequence[SizeResult], figure_format: str) -> bytes:
    """Return figure 3: the error of log10 k in percent for each size, single and composite kernel."""
    figure, axes = new_figure((6.0, 4.2))
    n = [size.plan.n for size in sizes]
    for results, style, colour, name in (
        ([size.single for size in sizes], "o", _SINGLE, "single kernel"),
        ([size.optimal for size in sizes], "s", _OPTIMAL, "composite kernel"),
    ):
        errors = [result.test.log10_percent_error for result in results]
        axes.plot(n, errors, style + "-", color=colour, mfc="none", ms=8, lw=0.8, label=name)
    axes.set_xticks(n)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("number of initial j in the training set")
    axes.set_ylabel("test error (% of log$_{10}$ k)")
    axes.set_title(f"{system}: best set of each size")
    axes.legend(frameon=False)
    return rendered(figure, figure_format)


@styled
def draw_by_j(system: str, sizes: Sequence[SizeResult], figure_format: str) -> bytes:
    """Return figure 4: the error by initial j of two sizes, 3 and 6 where possible, and the worst."""
    figure, axes = new_figure((7.1, 4.2))
    papers = [size for size in sizes if size.plan.n in (3, 6)]
    shown = papers if len(papers) == 2 else [sizes[0], *sizes[1:][-1:]]
    for size, marker, colour in zip(shown, ("s", "o"), ("#1668a8", _SINGLE), strict=False):
        for result, fill, name in ((size.single, colour, "single"), (size.optimal, "none", "composite")):
            label = f"N = {size.plan.n}, {name} kernel"
            j, errors = [one.j for one in result.by_j], [one.percent for one in result.by_j]
            axes.plot(j, errors, marker, color=colour, mfc=fill, ms=7, label=label)
    worst = shown[-1].optimal
    label = f"worst transition, N = {shown[-1].plan.n}, composite"
    j, errors = [one.j for one in worst.by_j], [one.worst_percent for one in worst.by_j]
    axes.plot(j, errors, "_", color=_WORST, ms=16, mew=1.6, label=label)
    axes.set_yscale("log")
    axes.set_xlabel("initial j (the others train or validate)")
    axes.set_ylabel("test error (% of log$_{10}$ k)")
    axes.set_title(f"{system}: error of the j that were not computed")
    figure.legend(loc="outside lower center", ncols=3)
    return rendered(figure, figure_format)
