"""The picture of a verification: how much each line changes, and under which conditions most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ratedb.plots.figures import FAINT, INK, blank_figure, save, styled
from ratedb.plots.lines import (
    Cell,
    as_text,
    colour_by_temperature,
    colour_scale,
    draw_map,
    draw_scale,
    gases,
    line_name,
    number,
    percent,
    place,
    repeats,
    what_is_common,
)
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.line_comparison import BRIGHT, FLUX_FLOOR, LineComparison
from ratedb.radiative.solving import name_of_solver
from ratedb.radiative.verify import Verification

_MARKERS = "osD^v<>P"
_NAMED = 3
_NARROW = 0.02  # changes up to this are drawn on a linear axis
_BELOW = (0.001, 0.01, 0.1, 0.2, 0.5, 0.7, 0.9, 0.97, 0.99)
_ABOVE = (1.0, 1.01, 1.03, 1.1, 1.3, 2.0, 5.0, 10.0, 100.0, 1000.0)


@styled
def draw_verification(found: Verification, file: Path, against: Path, path: Path) -> None:
    """Draw a verification to a PNG, SVG or PDF; raises RatedbError where it cannot be drawn or written."""
    save(verification_figure(found, file, against), path)


@styled
def verification_figure(found: Verification, file: Path, against: Path) -> Any:
    """Return the figure: on the left every compared line, on the right two maps for each gas.

    The first map is of bright lines, the second of all; a single condition has no map. Lines without a flux
    ratio are left out and counted in the title.
    """
    first, second = _names(file, against)
    lines = sorted((line for line in found.lines if line.flux_ratio is not None), key=_ratio)
    figure, left, maps = _panels(gases(found.conditions) if len(found.conditions) > 1 else ())
    _draw_lines(figure, left, found.conditions, lines, (first, second))
    if maps:
        _draw_maps(figure, maps, found.conditions, lines)
    where = what_is_common(found.conditions)
    title = f"Line fluxes by {name_of_solver(found.solver)}: {first} against {second}" + (
        f" at {where}" if where else ""
    )
    figure.suptitle(f"{title}\n{_counts(found)}", color=INK)
    return figure


def _panels(names: tuple[str, ...]) -> tuple[Any, Any, dict[str, tuple[Any, Any]]]:
    """Return a figure, axes for the lines, and two for each gas: stacked for one gas, a row each for more."""
    if len(names) <= 1:
        figure = blank_figure((10.5, 6.6) if names else (7.1, 5.4))
        grid = figure.add_gridspec(2, 1 + len(names))
        cells = {names[0]: (grid[0, 1], grid[1, 1])} if names else {}
    else:
        figure = blank_figure((15.0, 1.4 + 2.5 * len(names)))
        grid = figure.add_gridspec(len(names), 3, width_ratios=(1.15, 1.0, 1.0))
        cells = {name: (grid[row, 1], grid[row, 2]) for row, name in enumerate(names)}
    left = figure.add_subplot(grid[:, 0])
    maps = {name: (figure.add_subplot(a), figure.add_subplot(b)) for name, (a, b) in cells.items()}
    return figure, left, maps


def _draw_maps(
    figure: Any,
    maps: dict[str, tuple[Any, Any]],
    conditions: tuple[Conditions, ...],
    lines: list[LineComparison],
) -> None:
    scale = colour_scale()
    bright = [line for line in lines if line.relative_flux >= BRIGHT]
    for gas, pair in maps.items():
        for axes, shown, name in (
            (pair[0], bright, f"Lines of at least {percent(BRIGHT)} of the strongest"),
            (pair[1], lines, "All lines on the left"),
        ):
            worded = draw_map(axes, _cells(conditions, shown, gas), scale)
            axes.set_ylabel(f"n({gas}) (cm$^{{-3}}$)")
            median = ", (median)" if worded else ""
            axes.set_title(f"{name}: largest change{repeats(conditions)}{median}")
    every = [axes for pair in maps.values() for axes in pair]
    draw_scale(figure, every, scale, "largest factor between two fluxes", "× 2")


def _names(file: Path, against: Path) -> tuple[str, str]:
    if file.name != against.name:
        return as_text(file.name), as_text(against.name)
    first, second = (Path(path.parent.name, path.name) for path in (file, against))
    return as_text(str(first)), as_text(str(second))


def _ratio(line: LineComparison) -> float:
    return line.flux_ratio or 1.0


def _counts(found: Verification) -> str:
    if found.median_flux_ratio is None or found.p95_flux_ratio is None:
        compared = "no line has a flux ratio"
    else:
        compared = f"{found.lines_compared} lines and conditions: " + (
            "no flux changes"
            if found.max_flux_ratio == 1.0
            else f"half change by less than"
            f" {_change(found.median_flux_ratio)}, 95 % by less than {_change(found.p95_flux_ratio)}"
        )
    left_out = [
        f"{count} {why}"
        for count, why in (
            (found.lines_below_floor, f"below {number(FLUX_FLOOR)} of the strongest"),
            (found.lines_in_absorption, "in absorption"),
            (len(found.unmatched), "lines in one file only"),
        )
        if count
    ]
    return compared + (f"\nleft out: {', '.join(left_out)}" if left_out else "")


def _change(ratio: float) -> str:
    return f"× {ratio:.3g}" if ratio >= 2.0 else percent(ratio - 1.0)


def _signed_change(ratio: float) -> str:
    """Return file / reference as a change in percent, or as a factor above 2."""
    if not 0.5 < ratio < 2.0:
        return f"× {ratio:.2g}"
    change = percent(abs(ratio - 1.0))
    if ratio == 1.0 or change.startswith("<"):
        return change
    return ("+" if ratio > 1.0 else "−") + change


def _draw_lines(
    figure: Any,
    axes: Any,
    conditions: tuple[Conditions, ...],
    lines: list[LineComparison],
    names: tuple[str, str],
) -> None:
    _line_axes(axes, names)
    _scale_changes(axes, [_signed(line) for line in lines])
    if not lines:
        axes.text(0.5, 0.6, "no line could be compared by its flux", transform=axes.transAxes, ha="center")
        return
    density_cm3 = sorted({one.total_density_cm3 for one in conditions})
    colours = colour_by_temperature(figure, axes, [one.temperature_k for one in conditions])
    marks = dict(zip(density_cm3, _MARKERS, strict=False)) if 1 < len(density_cm3) <= len(_MARKERS) else {}
    for density in density_cm3:
        mine = [line for line in lines if conditions[line.condition].total_density_cm3 == density]
        axes.scatter(
            [line.relative_flux for line in mine],
            [_signed(line) for line in mine],
            c=[line.temperature_k for line in mine],
            cmap=colours.cmap,
            norm=colours.norm,
            marker=marks.get(density, "o"),
            s=22,
            edgecolors=INK,
            linewidths=0.3,
            alpha=0.85,
        )
    if marks:
        _explain_marks(figure, axes, marks)
    _name_worst(axes, conditions, lines)


def _line_axes(axes: Any, names: tuple[str, str]) -> None:
    """Label the axes, and show where lines are bright and where they do not change."""
    axes.axhline(0.0, color=INK, lw=0.8, zorder=1)
    axes.axvline(BRIGHT, color=FAINT, lw=0.8, ls="--", zorder=1)
    axes.text(
        0.93 * BRIGHT,
        0.99,
        f"{percent(BRIGHT)} of the strongest",
        transform=axes.get_xaxis_transform(),
        rotation=90,
        va="top",
        ha="right",
        fontsize=7,
        color=FAINT,
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
    )
    axes.set_xscale("log")
    axes.set_xlim(0.7 * FLUX_FLOOR, 1.5)
    axes.set_xlabel("flux relative to the strongest line of the same condition")
    axes.set_ylabel(f"flux with {names[0]} relative to {names[1]}")


def _direction(line: LineComparison) -> float:
    return line.flux_k_km_s / line.flux_against_k_km_s


def _signed(line: LineComparison) -> float:
    return float(np.log(_direction(line)))


def _scale_changes(axes: Any, changes: list[float]) -> None:
    """Scale the axis of ln flux ratios: linear for small changes, else logarithmic above 1 %."""
    from matplotlib.ticker import FuncFormatter

    low, high = min([0.0, *changes]), max([0.0, *changes])
    reach = max(-low, high)
    if reach <= _NARROW:
        room = max(0.15 * reach, 1e-4)
        axes.set_ylim(low - room, high + room)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:+.3g} %"))
        return
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
    low, high = min(1.3 * low, -0.015), max(1.3 * high, 0.015)
    shown = [tick for tick in (*_BELOW, *_ABOVE) if low < np.log(tick) < high]
    axes.set_yticks(np.log(shown), [_signed_change(tick) for tick in shown])
    axes.minorticks_off()
    axes.set_ylim(low, high)


def _explain_marks(figure: Any, axes: Any, marks: dict[float, str]) -> None:
    for density, mark in marks.items():
        axes.plot([], [], mark, color="white", mec=INK, ms=5, label=f"{number(density)} cm$^{{-3}}$")
    figure.legend(
        loc="outside lower left",
        ncols=len(marks),
        frameon=False,
        fontsize=8,
        handletextpad=0.1,
        columnspacing=1.0,
    )


def _name_worst(axes: Any, conditions: tuple[Conditions, ...], lines: list[LineComparison]) -> None:
    worst: dict[tuple[str, str], LineComparison] = {}
    for line in sorted(lines, key=lambda line: -_ratio(line)):  # of equal ones, the first condition
        if _ratio(line) > 1.0:
            worst.setdefault((line.upper, line.lower), line)
    words = []
    for letter, line in zip("abc", list(worst.values())[:_NAMED], strict=False):
        where = conditions[line.condition]
        at = f"{where.temperature_k:g} K, {number(where.total_density_cm3)} cm$^{{-3}}$"
        change = f"{_signed_change(_direction(line))} (factor {_ratio(line):.4g})"
        name = line_name(line.upper, line.lower)
        words.append(f"{letter}  {name} ({line.frequency_ghz:.1f} GHz) at {at}: {change}")
        axes.annotate(
            letter,
            (line.relative_flux, _signed(line)),
            xytext=(5, 3),
            textcoords="offset points",
            fontweight="bold",
        )
        axes.plot(line.relative_flux, _signed(line), "o", ms=9, mfc="none", mec=INK, mew=0.9)
    axes.set_title("\n".join(words), loc="left")


def _cells(conditions: tuple[Conditions, ...], lines: list[LineComparison], gas: str) -> list[Cell]:
    """Return the worst line of a gas in each cell; a cell whose conditions have no ratio says so."""
    found: dict[tuple[float, float], list[LineComparison]] = {
        place(one): [] for one in conditions if one.gas == gas
    }
    for line in lines:
        where = conditions[line.condition]
        if where.gas == gas:
            found[place(where)].append(line)
    return [_cell(at, mine) if mine else Cell(*at, float("nan"), "none") for at, mine in found.items()]


def _cell(at: tuple[float, float], lines: list[LineComparison]) -> Cell:
    worst = max(lines, key=_ratio)
    median = float(np.median([_ratio(line) for line in lines]))
    words = f"{_signed_change(_direction(worst))}\n{{line}}\n({_change(median)})"
    return Cell(
        *at,
        _ratio(worst) - 1.0,
        words if _ratio(worst) > 1.0 else "0 %",
        line_name(worst.upper, worst.lower),
        worst.frequency_ghz,
    )
