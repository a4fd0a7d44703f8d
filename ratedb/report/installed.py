"""Whether what pages are made with is installed."""

from __future__ import annotations

import importlib.util

from ratedb.errors import RatedbError


def report_available() -> bool:
    """Return whether Bokeh is installed, without importing it."""
    return importlib.util.find_spec("bokeh") is not None


def need_report() -> None:
    """Raise RatedbError where Bokeh is not installed."""
    if not report_available():
        raise RatedbError("Bokeh is not installed", todo="pip install 'ratedb[report]'")
