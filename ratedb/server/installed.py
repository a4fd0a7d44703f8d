"""Whether what serves pages is installed."""

from __future__ import annotations

import importlib.util

from ratedb.errors import RatedbError

_PACKAGES = ("starlette", "uvicorn", "jinja2", "bokeh")


def server_available() -> bool:
    """Return whether the packages of the extra `serve` are installed, without importing them."""
    return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)


def need_server() -> None:
    """Raise RatedbError where a package of the extra `serve` is not installed."""
    if not server_available():
        missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
        raise RatedbError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            todo="pip install 'ratedb[serve]'",
        )
