"""What all pictures share: matplotlib if it is installed, colours, and reproducible files."""

from __future__ import annotations

import importlib.util
import io
import math
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import resources
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ratedb.errors import RatedbError, UsageError
from ratedb.files import check_target, write_atomically

FIGURE_FORMATS = ("png", "svg", "pdf")
BLUE, ORANGE, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#888888"
"""Colours that colour-blind people tell apart (Okabe & Ito 2008)."""
WIDTH_IN = 7.1
"""The width of two columns of a journal, inches."""

_STYLE = "ratedb.mplstyle"
_Given = ParamSpec("_Given")
_Drawn = TypeVar("_Drawn")

# Names of dates and programs that would make two files of one figure differ.
_LEFT_OUT = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}


def plots_available() -> bool:
    """Return whether matplotlib is installed, without importing it."""
    return importlib.util.find_spec("matplotlib") is not None


def styled(draw: Callable[_Given, _Drawn]) -> Callable[_Given, _Drawn]:
    """Let a function draw in the style of ratedb.mplstyle; it raises RatedbError without matplotlib."""

    @wraps(draw)
    def call(*given: _Given.args, **named: _Given.kwargs) -> _Drawn:
        need_plots()
        import matplotlib as mpl

        with resources.as_file(resources.files(__package__) / _STYLE) as style, mpl.rc_context(fname=style):
            return draw(*given, **named)

    return call


def need_plots() -> None:
    """Raise RatedbError where matplotlib is not installed."""
    if not plots_available():
        raise RatedbError("matplotlib is not installed", todo="pip install 'ratedb[plots]'")


def figure_format_of(path: Path) -> str:
    """Return png, svg or pdf by the name of a file; raises UsageError for another."""
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in FIGURE_FORMATS:
        raise UsageError(
            "not the name of a picture", expected="a name that ends in .png, .svg or .pdf", got=path.name
        )
    return suffix


def check_picture(path: Path) -> None:
    """Raise RatedbError or UsageError where a picture could not be drawn or written; for before long work."""
    figure_format_of(path)
    need_plots()
    check_target(path)


def blank_figure(size: tuple[float, float]) -> Any:
    """Return a figure (size in inches) without axes; raises RatedbError without matplotlib."""
    need_plots()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_figure(size: tuple[float, float], columns: int = 1, ratios: Sequence[float] | None = None) -> Any:
    """Return a figure (size in inches) and its axes in a row; raises RatedbError without matplotlib."""
    figure = blank_figure(size)
    return figure, figure.subplots(1, columns, width_ratios=ratios)


def save(figure: Any, path: Path) -> None:
    """Write a figure to a PNG, SVG or PDF; raises UsageError or RatedbError where it cannot be written."""
    write_atomically({path: rendered(figure, figure_format_of(path))})


def rendered(figure: Any, figure_format: str) -> bytes:
    """Return a figure as a PNG, SVG or PDF, without dates and random names."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=figure_format, metadata={_LEFT_OUT[figure_format]: None})
    return buffer.getvalue()


def plain_ticks(axis: Any) -> None:
    """Write the ticks of a logarithmic axis as numbers such as 0.5 and 20, as many as have room."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low)
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator(6))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 4.0 else (1.0,), numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
