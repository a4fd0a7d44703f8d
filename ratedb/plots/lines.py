"""What the pictures of `verify` and `impact` share: maps over temperature and density, colours, words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.radiative.radex import Conditions

INK = "#222222"
FAINT = "#888888"
BRIGHT = 0.01
"""A line is bright from this part of the strongest flux of its condition."""

_LEAST, _MOST = 1.0e-4, 1.0
_MOST_WORDS = 8  # cells along an axis that still have room for words
_LETTERS = 80  # of the words across a map


@dataclass(frozen=True)
class Cell:
    """What a map shows at one temperature and density: `value`, a part of a flux, 0.1 for 10 %, and words.

    `{line}` in the words stands for the line, by name or by frequency, whichever has room.
    """

    temperature_k: float
    density_cm3: float
    value: float
    words: str
    line: str = ""
    frequency_ghz: float = 0.0

    def text(self, room: int) -> str:
        """Return the words, with the line in at most `room` letters if it can be."""
        name = self.line if len(self.line) <= room else f"{self.frequency_ghz:.4g} GHz"
        return self.words.format(line=name)


def total_density_cm3(conditions: Conditions) -> float:
    """Return the density of all colliders, without the last digits that adding them up leaves."""
    return float(f"{sum(conditions.density_cm3.values()):.6g}")


def gas_name(conditions: Conditions) -> str:
    """Return what collides: H2 for its two forms together, else the collider."""
    names = conditions.colliders
    return "p-H2 + o-H2" if set(names) == {"p-H2", "o-H2"} else " + ".join(names)


def gases(conditions: Iterable[Conditions]) -> tuple[str, ...]:
    """Return the gases of a grid, each once, in its order."""
    return tuple(dict.fromkeys(gas_name(one) for one in conditions))


def repeats(conditions: Sequence[Conditions]) -> str:
    """Return ` over 2 columns` for what shares a cell of a map, nothing where there is one of each."""
    parts = []
    for name, values in (
        ("columns", {one.column_density_cm2 for one in conditions}),
        ("line widths", {one.line_width_km_s for one in conditions}),
    ):
        if len(values) > 1:
            parts.append(f"{len(values)} {name}")
    return " over " + " and ".join(parts) if parts else ""


def what_is_common(conditions: Sequence[Conditions]) -> str:
    """Return the temperature and the density that all conditions share, nothing where they share none."""
    temperature_k = {one.temperature_k for one in conditions}
    density_cm3 = {total_density_cm3(one) for one in conditions}
    parts = [f"{one:g} K" for one in temperature_k if len(temperature_k) == 1]
    parts += [f"{number(one)} cm$^{{-3}}$" for one in density_cm3 if len(density_cm3) == 1]
    return ", ".join(parts)


def line_name(upper: str, lower: str) -> str:
    """Return `3-2`, or `1_3-2 → 1_2-2` where a label has a dash of its own."""
    return as_text(f"{upper} → {lower}" if "-" in upper + lower else f"{upper}-{lower}")


def as_text(words: str) -> str:
    """Return words of a file so that matplotlib takes none of them for mathematics."""
    return words.replace("$", r"\$")


def percent(value: float) -> str:
    """Return a part such as 0.058 as `5.8 %`, with two digits, down to 0.01 %."""
    if value == 0.0:
        return "0 %"
    if value < 1.0e-4:
        return "<0.01 %"
    return f"{100.0 * value:.0f} %" if value >= 0.1 else f"{100.0 * value:.2g} %"


def number(value: float) -> str:
    """Return a density as people write it, with a power of ten but between 1 and 1000."""
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = value / 10.0**exponent
    if 0 <= exponent < 3:
        return f"{value:g}"
    power = f"10$^{{{exponent}}}$"
    return power if abs(factor - 1.0) < 1e-6 else f"{factor:.3g}×{power}"


def colour_by_temperature(figure: Any, axes: Any, temperature_k: Sequence[float]) -> Any:
    """Return what gives each temperature (K) its colour; with a colour bar if there are several."""
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
    values = np.full((len(density_cm3), len(temperature_k)), np.nan)
    for cell in cells:
        row, column = density_cm3.index(cell.density_cm3), temperature_k.index(cell.temperature_k)
        # Nothing at all is at the foot of a logarithmic scale, not off it.
        values[row, column] = max(cell.value, 0.1 * _LEAST)
    axes.imshow(values, origin="lower", aspect="auto", cmap=scale.cmap, norm=scale.norm)
    worded = max(values.shape) <= _MOST_WORDS
    room = (2 if wide else 1) * _LETTERS // len(temperature_k)
    if worded:
        for cell in cells:
            dark = scale.norm(max(cell.value, _LEAST)) > 0.62
            axes.text(
                temperature_k.index(cell.temperature_k),
                density_cm3.index(cell.density_cm3),
                cell.text(room),
                ha="center",
                va="center",
                fontsize=7.5 if room >= 16 else 6.5,
                color="white" if dark else INK,
            )
    axes.set_xticks(range(len(temperature_k)), [f"{one:g}" for one in temperature_k])
    axes.set_yticks(range(len(density_cm3)), [number(one) for one in density_cm3])
    axes.set_xlabel("kinetic temperature (K)")
    axes.tick_params(length=0)
    for edge in range(1, len(temperature_k)):
        axes.axvline(edge - 0.5, color="white", lw=1.5)
    for edge in range(1, len(density_cm3)):
        axes.axhline(edge - 0.5, color="white", lw=1.5)
    return worded


def draw_scale(figure: Any, axes: Any, scale: Any, label: str, highest: str = "100 %") -> None:
    """Add the colour bar of maps; `highest` is what a part of 1 is called."""
    bar = figure.colorbar(scale, ax=axes, extend="both", aspect=30, pad=0.02)
    bar.set_label(label)
    bar.set_ticks([1e-4, 1e-3, 1e-2, 1e-1, 1.0], labels=["0.01 %", "0.1 %", "1 %", "10 %", highest])
    bar.ax.minorticks_off()
