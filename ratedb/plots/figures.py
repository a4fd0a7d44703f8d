"""What all pictures share: matplotlib if it is installed, colours, and reproducible files."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError
from ratedb.files import check_target, write_atomically

FIGURE_FORMATS = ("png", "svg", "pdf")
BLUE, ORANGE, INK, FAINT = "#1668a8", "#d9822b", "#222222", "#888888"

# Names of dates and programs that would make two files of one figure differ.
_LEFT_OUT = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}


def plots_available() -> bool:
    """Return whether matplotlib is installed, without importing it."""
    return importlib.util.find_spec("matplotlib") is not None


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
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "ratedb"}):
        figure.savefig(buffer, dpi=110, format=figure_format, metadata={_LEFT_OUT[figure_format]: None})
    return buffer.getvalue()
