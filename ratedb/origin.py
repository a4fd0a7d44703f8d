"""When, and with which versions, something was made."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata

_LIBRARIES = ("numpy", "scipy", "duckdb", "gpflow", "tensorflow")


def now() -> datetime:
    """Return the time in UTC, without a zone, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that numbers depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _LIBRARIES}
