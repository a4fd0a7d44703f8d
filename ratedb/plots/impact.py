"""The picture of an impact: which lines are uncertain, under which conditions, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ratedb.plots.figures import BLUE, INK, ORANGE, blank_figure, save, styled
from ratedb.plots.lines import (
    Cell,
    colour_by_temperature,
    colour_scale,
    draw_map,
    draw_scale,
    gases,
    line_name,
    percent,
    place,
    repeats,
    what_is_common,
)
from ratedb.radiative.drivers import Driver
from ratedb.radiative.impact import Impact, LineImpact
from ratedb.radiative.line_comparison import BRIGHT

_BARS = 10
_TICKS = 30
_LEAST = 1.0e-5  # smaller uncertainties are drawn here
_SYSTEM_COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7a7a7a")


@styled
def draw_impact(found: Impact, path: Path) -> None:
    """Draw an impact to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written."""
    save(impact_figure(found), path)


@styled
def impact_figure(found: Impact) -> Any:
    """Return the figure: every line, a map for each gas, what to compute next and what drives the lines.

    A map shows bright lines only; a single condition has no map.
    """
    names = gases(found.conditions) if len(found.conditions) > 1 else ()
    heights = [3.0, *([2.7] * ((len(names) + 1) // 2)), 2.4]
    figure = blank_figure((9.5, 0.8 + sum(heights)))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    _draw_lines(figure, figure.add_subplot(grid[0, :]), found)
    if names:
        _draw_maps(figure, grid, found, names)
    colours = dict(zip(found.systems, _SYSTEM_COLOURS, strict=False))
    next_j = [
        Driver(one.system, f"{one.j} → {percent(one.uncertainty_after)}", one.share) for one in found.next_j
    ]
    for column, shown, title in (
        (0, next_j, "Compute next: j → 95 % of lines then within"),
        (1, found.drivers, "Transitions that drive the lines"),
    ):
        _draw_bars(figure.add_subplot(grid[len(heights) - 1, column]), shown, title, colours)
    where = what_is_common(found.conditions)
    systems = ", ".join(found.systems)
    title = f"Line uncertainty from the predicted rates of {systems}" + (f" at {where}" if where else "")
    figure.suptitle(f"{title}\n{_counts(found)}", color=INK)
    return figure


def _counts(found: Impact) -> str:
    one = len(found.conditions) == 1
    of = f"{found.samples} samples, {'1 condition' if one else f'{len(found.conditions)} conditions'}"
    half, most = percent(found.uncertainty_median), percent(found.uncertainty_p95)
    counted = f"{len(found.lines)} lines" + ("" if one else " and conditions")
    return f"{of}, {counted}: half are within {half}, 95 % within {most}"


def _draw_lines(figure: Any, axes: Any, found: Impact) -> None:
    """Draw the uncertainty of each line under each condition, lines by the energy of their upper level."""
    axes.set_ylabel("half the 95 % interval / median flux")
    order = sorted({_key(line) for line in found.lines})
    column = {key: number for number, key in enumerate(order)}
    temperature_k = [one.temperature_k for one in found.conditions]
    distinct = sorted(set(temperature_k))
    colours = colour_by_temperature(figure, axes, temperature_k)
    # The temperatures of a line are next to each other.
    shift = {one: 0.7 * ((n + 0.5) / len(distinct) - 0.5) for n, one in enumerate(distinct)}
    for filled in (False, True):
        mine = [line for line in found.lines if (line.relative_flux >= BRIGHT) == filled]
        shades = [colours.to_rgba(temperature_k[line.condition]) for line in mine]
        axes.scatter(
            [column[_key(line)] + shift[temperature_k[line.condition]] for line in mine],
            [max(line.uncertainty, _LEAST) for line in mine],
            s=20,
            facecolors=shades if filled else "none",
            edgecolors=shades,
            linewidths=0.8,
            label=f"at least {percent(BRIGHT)} of the strongest line" if filled else "fainter",
        )
    _line_axes(axes, [line_name(*key[2:]) for key in order])
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))


def _key(line: LineImpact) -> tuple[float, float, str, str]:
    return line.upper_energy_k, line.frequency_ghz, line.upper, line.lower


def _line_axes(axes: Any, names: Sequence[str]) -> None:
    """Label the lines on the horizontal axis and percent on the vertical one."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    step = -(-len(names) // _TICKS)
    axes.set_xticks(range(0, len(names), step), names[::step])
    if len(names) > 12:
        axes.tick_params(axis="x", rotation=60)
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.set_xlabel("line, by the energy of its upper level")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: ("≤ " if value <= _LEAST else "") + f"{100.0 * value:g} %")
    )
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)


def _draw_maps(figure: Any, grid: Any, found: Impact, names: Sequence[str]) -> None:
    scale = colour_scale()
    every = []
    for at, gas in enumerate(names):
        row, column = 1 + at // 2, at % 2
        alone = at == len(names) - 1 and column == 0
        axes = figure.add_subplot(grid[row, :] if alone else grid[row, column])
        draw_map(axes, _cells(found, gas), scale, wide=alone)
        axes.set_ylabel(f"n({gas}) (cm$^{{-3}}$)")
        axes.set_title(
            f"The least certain line above {percent(BRIGHT)} of the strongest one{repeats(found.conditions)}"
        )
        every.append(axes)
    draw_scale(figure, every, scale, "half the 95 % interval / median")


def _cells(found: Impact, gas: str) -> list[Cell]:
    """Return the least certain bright line of a gas in each cell."""
    worst: dict[tuple[float, float], LineImpact | None] = {
        place(one): None for one in found.conditions if one.gas == gas
    }
    for line in sorted(found.lines, key=lambda line: -line.uncertainty):
        conditions = found.conditions[line.condition]
        if line.relative_flux >= BRIGHT and conditions.gas == gas and worst[place(conditions)] is None:
            worst[place(conditions)] = line
    return [
        Cell(*at, float("nan"), "none") if line is None else _cell(at, line) for at, line in worst.items()
    ]


def _cell(at: tuple[float, float], line: LineImpact) -> Cell:
    within = percent(line.uncertainty)
    words = f"{{line}}\n{within if within.startswith('<') else f'± {within}'}"
    return Cell(
        *at,
        line.uncertainty,
        words if line.uncertainty > 0.0 else "certain",
        line_name(line.upper, line.lower),
        line.frequency_ghz,
    )


def _draw_bars(axes: Any, shown: Sequence[Driver], title: str, colours: dict[str, str]) -> None:
    """Draw the largest shares as bars, the largest on top, each system in its colour."""
    from matplotlib.ticker import PercentFormatter

    most = list(shown[:_BARS])
    several = len(colours) > 1
    for row, one in enumerate(most):
        first = one.system not in [other.system for other in most[:row]]
        axes.barh(
            row,
            one.share,
            color=colours.get(one.system, INK),
            label=one.system if several and first else None,
        )
        axes.text(one.share, row, f" {one.share:.0%}", va="center", size="small")
    axes.set_yticks(range(len(most)), [one.name.replace("->", "→") for one in most])
    axes.set_ylim(max(len(most), 4) - 0.4, -0.6)
    axes.set_xlim(0.0, 1.12 * max([one.share for one in most], default=0.0) or 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("share of the variance of ln flux, all lines (overlapping)")
    more = f" ({len(most)} of {len(shown)})" if len(shown) > len(most) else ""
    axes.set_title(title + more, loc="left")
    if several and most:
        axes.legend(loc="lower right")
