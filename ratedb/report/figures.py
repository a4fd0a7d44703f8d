"""The pictures of a page, as Bokeh documents: the page's script fills the map and the curves with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ratedb.safe_text import visible

# Okabe and Ito's colours, which people with any colour vision can tell apart.
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
_MAP_HEIGHT, _SMALL_HEIGHT = 470, 320
_COLOURS = 256
_LONGEST = 16


def map_item() -> dict[str, Any]:
    """Return the map initial x final state; the page's script gives it levels, colours and rates."""
    from bokeh.models import BasicTicker, ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, TapTool
    from bokeh.palettes import cividis

    ends = (-0.5, 0.5)
    plot = _figure(
        _MAP_HEIGHT, "tap,pan,wheel_zoom,box_zoom,reset,save", name="map", x_range=ends, y_range=ends
    )
    mapper = LinearColorMapper(
        palette=cividis(_COLOURS), low=-12.0, high=-9.0, nan_color="rgba(0,0,0,0)", name="mapper"
    )
    for axis in plot.axis:
        axis.ticker = _whole_numbers()
    fill = {"field": "log10_k", "transform": mapper}
    columns = ("x", "y", "log10_k", "name", "k", "kind")
    cells = ColumnDataSource({name: [] for name in columns}, name="cells")
    drawn = plot.rect("x", "y", 0.92, 0.92, source=cells, fill_color=fill, line_color=None)
    drawn.nonselection_glyph = None
    _frames(plot, "frames", VERMILION, 1.0, 0.8)
    flags = ColumnDataSource({"x": [], "y": []}, name="flags")
    for colour, thick in (("white", 4.0), ("black", 1.6)):
        mark = plot.scatter("x", "y", source=flags, marker="x", line_color=colour, line_width=thick)
        mark.glyph.name = f"flag {colour}"
    for colour, thick in (("black", 4.5), ("white", 1.8)):
        _frames(plot, f"chosen {colour}", colour, thick, 1.0)
    tips = [("transition", "@name"), ("k (cm3 s-1)", "@k"), ("kind", "@kind")]
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=tips))
    plot.select_one(TapTool).renderers = [drawn]
    ticker = BasicTicker(desired_num_ticks=8)
    title = "log10 k / cm3 s-1"
    plot.add_layout(ColorBar(color_mapper=mapper, title=title, ticker=ticker, width=12), "right")
    plot.right[-1].background_fill_color = None
    plot.xaxis[0].axis_label, plot.yaxis[0].axis_label = "initial level", "final level"
    plot.grid.visible = False
    return _item(plot)


def _frames(plot: Any, name: str, colour: str, width: float, side: float) -> None:
    """Add frames of cells, none yet, of a source with this name."""
    from bokeh.models import ColumnDataSource

    source = ColumnDataSource({"x": [], "y": []}, name=name)
    frame = {"fill_color": None, "line_color": colour, "line_width": width}
    plot.rect("x", "y", side, side, source=source, **frame).glyph.name = f"glyph of {name}"


def curve_item() -> dict[str, Any]:
    """Return the picture of the curves k(T) of one transition; the page's script gives it the values."""
    from bokeh.models import ColumnDataSource, HoverTool, Span

    axes = {"x_axis_type": "log", "y_axis_type": "log"}
    plot = _figure(_MAP_HEIGHT, "pan,wheel_zoom,box_zoom,reset,save", name="curve", **axes)
    bands = ColumnDataSource({"xs": [], "ys": [], "colour": []}, name="bands")
    plot.patches(
        "xs", "ys", source=bands, fill_color="colour", fill_alpha=0.2, line_color="colour", line_alpha=0.5
    )
    curves = ColumnDataSource({"xs": [], "ys": [], "colour": [], "dash": []}, name="curves")
    plot.multi_line("xs", "ys", source=curves, line_color="colour", line_dash="dash", line_width=2)
    names = ("colour", "marker", "name", "t", "k", "interval")
    # Two points, which the script replaces: a logarithmic axis without any would warn.
    first = {"x": [1.0, 10.0], "y": [1e-12, 1e-11], **{name: ["", ""] for name in names}}
    points = ColumnDataSource(first, name="points")
    drawn = plot.scatter(
        "x", "y", source=points, marker="marker", size=7, fill_color="colour", line_color="colour"
    )
    here = Span(location=1.0, dimension="height", line_dash="dotted", line_width=1.5, name="here")
    plot.add_layout(here)
    tips = [("source", "@name"), ("T (K)", "@t"), ("k (cm3 s-1)", "@k"), ("95 %", "@interval")]
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=tips))
    plot.xaxis[0].axis_label, plot.yaxis[0].axis_label = "T (K)", "k (cm3 s-1)"
    return _item(plot)


def error_item(names: Sequence[str], by_j: bool, series: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the picture of factors (1 is exact) by initial j or state, one curve for each of `series`."""
    plot = _figure(_SMALL_HEIGHT, "pan,wheel_zoom,box_zoom,reset,save", name="error", y_axis_type="log")
    place: list[float] = [float(name) for name in names] if by_j else [float(n) for n in range(len(names))]
    styles = ((BLUE, "solid", "circle"), (BLUE, "dashed", "square"), (ORANGE, "solid", "triangle"))
    for (name, values), (colour, dash, marker) in zip(series.items(), styles, strict=False):
        plot.line(place, list(values), line_color=colour, line_dash=dash, line_width=2, legend_label=name)
        plot.scatter(
            place,
            list(values),
            marker=marker,
            size=7,
            fill_color=colour,
            line_color=colour,
            legend_label=name,
        )
    plot.xaxis[0].axis_label = "initial j" if by_j else "initial state"
    plot.yaxis[0].axis_label = "factor"
    plot.xaxis[0].ticker = _whole_numbers()
    if not by_j:
        plot.xaxis[0].major_label_overrides = {place: _no_formula(name) for place, name in enumerate(names)}
        plot.xaxis[0].major_label_orientation = "vertical"
    plot.legend.background_fill_alpha = 0.0
    plot.legend.border_line_color = None
    plot.add_layout(plot.legend[0], "above")
    return _item(plot)


def plan_item(
    cost_percent: Sequence[float], error_percent: Sequence[float], chosen: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the expected error of each set of a plan over its cost, both in %, and the chosen one."""
    plot = _figure(_SMALL_HEIGHT, "pan,wheel_zoom,box_zoom,reset,save", name="plan")
    plot.line(list(cost_percent), list(error_percent), line_color=BLUE, line_width=2)
    plot.scatter(list(cost_percent), list(error_percent), size=8, fill_color=BLUE, line_color=BLUE)
    if chosen is not None:
        x, y = [chosen[0]], [chosen[1]]
        plot.scatter(x, y, marker="star", size=20, fill_color=VERMILION, line_color=VERMILION)
    plot.xaxis[0].axis_label = "cost of the explicit calculations (% of all)"
    plot.yaxis[0].axis_label = "expected error (% of a rate)"
    return _item(plot)


def _figure(height: int, tools: str, *, name: str, **options: Any) -> Any:
    """Return an empty figure as wide as the page leaves room, without a background of its own."""
    from bokeh.plotting import figure

    plot = figure(height=height, tools=tools, name=name, sizing_mode="stretch_width", **options)
    plot.toolbar.logo = None
    plot.background_fill_color = None
    plot.border_fill_color = None
    return plot


def _whole_numbers() -> Any:
    from bokeh.models import AdaptiveTicker

    return AdaptiveTicker(min_interval=1, num_minor_ticks=0, desired_num_ticks=20)


def _no_formula(label: str) -> str:
    """Return a label, cut where it is long, that Bokeh does not take for TeX: it would ask the network."""
    label = visible(label)
    label = f"{label[: _LONGEST - 1]}\u2026" if len(label) > _LONGEST else label
    return label.replace("$", "\uff04").replace("\\", "\uff3c")


def _item(plot: Any) -> dict[str, Any]:
    from bokeh.embed import json_item

    item: dict[str, Any] = _numbered(json_item(plot), {})
    return item


def _numbered(value: Any, numbers: dict[str, str]) -> Any:
    """Return a document with ids of its own: Bokeh counts all that is drawn in a process."""
    if isinstance(value, Mapping):
        return {
            key: numbers.setdefault(one, f"m{len(numbers)}")
            if key in ("id", "root_id") and isinstance(one, str)
            else _numbered(one, numbers)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_numbered(one, numbers) for one in value]
    return value
