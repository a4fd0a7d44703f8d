"""What the pictures of `verify` and `impact` share: maps over temperature and density, colours, labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.plots.figures import INK
from ratedb.radiative.conditions import Conditions

_LEAST, _MOST = 1.0e-4, 1.0
_MOST_LABELLED = 8  # cells along an axis that have room for text
_LETTERS = 80  # of text across a map


@dataclass(frozen=True)
class Cell:
    """What a map shows at one temperature and density: `value`, a share of a flux, 0.1 for 10 %, and words.

    `{line}` in the words is replaced by the name of the line or, where that is too long, its frequency.
    """

    temperature_k: float
    density_cm3: float
    value: float
    words: str
    line: str = ""
    frequency_ghz: float = 0.0

    def text(self, room: int) -> str:
        """Return the words, with the name of the line if it has at most `room` letters."""
        name = self.line if len(self.line) <= room else f"{self.frequency_ghz:.4g} GHz"
        return self.words.format(line=name)


def gases(conditions: Iterable[Conditions]) -> tuple[str, ...]:
    """Return the gases of a grid, each once, in its order."""
    return tuple(dict.fromkeys(one.gas for one in conditions))


def place(conditions: Conditions) -> tuple[float, float]:
    """Return temperature (K) and density (cm-3) of conditions: their cell in a map."""
    return conditions.temperature_k, conditions.total_density_cm3


def repeats(conditions: Sequence[Conditions]) -> str:
    """Return ` over 2 columns` for conditions in one cell of a map, nothing where there is one of each."""
    parts = []
    for name, values in (
        ("columns", {one.column_density_cm2 for one in conditions}),
        ("line widths", {one.line_width_km_s for one in conditions}),
    ):
        if len(values) > 1:
            parts.append(f"{len(values)} {name}")
    return " over " + " and ".join(parts) if parts else ""


def what_is_common(conditions: Sequence[Conditions]) -> str:
    """Return the temperature and the density that all conditions share, in words, or nothing."""
    temperature_k = {one.temperature_k for one in conditions}
    density_cm3 = {one.total_density_cm3 for one in conditions}
    parts = [f"{one:g} K" for one in temperature_k if len(temperature_k) == 1]
    parts += [f"{number(one)} cm$^{{-3}}$" for one in density_cm3 if len(density_cm3) == 1]
    return ", ".join(parts)


def line_name(upper: str, lower: str) -> str:
    """Return `3-2`, or `1_3-2 → 1_2-2` where a label has a dash of its own."""
    return as_text(f"{upper} → {lower}" if "-" in upper + lower else f"{upper}-{lower}")


def as_text(words: str) -> str:
    """Return words of a file so that matplotlib does not read them as mathematics."""
    return words.replace("$", r"\$")


def percent(value: float) -> str:
    """Return a share such as 0.058 as `5.8 %`, with two digits, down to 0.01 %."""
    if value == 0.0:
        return "0 %"
    if value < 1.0e-4:
        return "<0.01 %"
    return f"{100.0 * value:.0f} %" if value >= 0.1 else f"{100.0 * value:.2g} %"


def number(value: float) -> str:
    """Return a density as people write it: with a power of ten except between 1 and 1000."""
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = value / 10.0**exponent
    if 0 <= exponent < 3:
        return f"{value:g}"
    power = f"10$^{{{exponent}}}$"
    return power if abs(factor - 1.0) < 1e-6 else f"{factor:.3g}×{power}"


def colour_by_temperature(figure: Any, axes: Any, temperature_k: Sequence[float]) -> Any:
    """Return the colours of temperatures (K), and add a colour bar if there are several."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm
    from matplotlib.ticker import NullFormatter

    distinct = sorted(set(temperature_k))
    low, high = distinct[0], distinct[-1]
    if high < 1.5 * low:
        low, high = low / 1.25, high * 1.25
    # Cold is blue and hot is orange; the yellow end would be lost on white.
    shades = ListedColormap(colormaps["plasma"](np.linspace(0.0, 0.85, 256)))
    colours = ScalarMappable(LogNorm(low, high), shades)
    if len(distinct) == 1:
        return colours
    bar = figure.colorbar(colours, ax=axes, pad=0.01, aspect=40)
    bar.set_label("kinetic temperature (K)")
    if len(distinct) <= 10:
        bar.set_ticks(distinct, labels=[f"{one:g}" for one in distinct])
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
        bar.ax.minorticks_off()
    return colours


def colour_scale() -> Any:
    """Return the colours of a map: from 0.01 to 100 % of a flux, the same in every picture."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    colours = colormaps["YlOrRd"].with_extremes(under="#fffff4", over="#4d0015", bad="#e8e8e8")
    return ScalarMappable(LogNorm(_LEAST, _MOST), colours)


def draw_map(axes: Any, cells: Sequence[Cell], scale: Any, *, wide: bool = False) -> bool:
    """Draw cells over temperature (to the right) and density (upwards); what has no cell stays grey.

    `wide` is for axes across the whole figure. Returns whether the cells have room for their words.
    """
    temperature_k = sorted({cell.temperature_k for cell in cells})
    density_cm3 = sorted({cell.density_cm3 for cell in cells})
    at = {
        cell: (density_cm3.index(cell.density_cm3), temperature_k.index(cell.temperature_k)) for cell in cells
    }
    values = np.full((len(density_cm3), len(temperature_k)), np.nan)
    for cell, row_and_column in at.items():
        values[row_and_column] = max(cell.value, 0.1 * _LEAST)  # zero is at the end of a logarithmic scale
    axes.imshow(values, origin="lower", aspect="auto", cmap=scale.cmap, norm=scale.norm)
    axes.set_xticks(range(len(temperature_k)), [f"{one:g}" for one in temperature_k])
    axes.set_yticks(range(len(density_cm3)), [number(one) for one in density_cm3])
    axes.set_xlabel("kinetic temperature (K)")
    axes.tick_params(length=0)
    for edge in range(1, len(temperature_k)):
        axes.axvline(edge - 0.5, color="white", lw=1.5)
    for edge in range(1, len(density_cm3)):
        axes.axhline(edge - 0.5, color="white", lw=1.5)
    worded = max(values.shape) <= _MOST_LABELLED
    if worded:
        room = (2 if wide else 1) * _LETTERS // len(temperature_k)
        for cell, (row, column) in at.items():
            _draw_words(axes, cell, (column, row), room, scale)
    return worded


def _draw_words(axes: Any, cell: Cell, at: tuple[int, int], room: int, scale: Any) -> None:
    dark = scale.norm(max(cell.value, _LEAST)) > 0.62
    axes.text(
        *at,
        cell.text(room),
        ha="center",
        va="center",
        fontsize=7.5 if room >= 16 else 6.5,
        color="white" if dark else INK,
    )


def draw_scale(figure: Any, axes: Any, scale: Any, label: str, highest: str = "100 %") -> None:
    """Add the colour bar of maps; `highest` is the label of a share of 1."""
    bar = figure.colorbar(scale, ax=axes, extend="both", aspect=30, pad=0.02)
    bar.set_label(label)
    bar.set_ticks([1e-4, 1e-3, 1e-2, 1e-1, 1.0], labels=["0.01 %", "0.1 %", "1 %", "10 %", highest])
    bar.ax.minorticks_off()
