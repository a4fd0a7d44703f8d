"""When, by whom, and with which versions, something was made."""

from __future__ import annotations

import getpass
import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata

SCIENCE_LIBRARIES = ("numpy", "scipy", "duckdb", "gpflow", "tensorflow")
"""The libraries that numbers depend on."""

OPTIONAL_PACKAGES = (
    "spectralradex",
    "matplotlib",
    "bokeh",
    "starlette",
    "uvicorn",
    "distributed",
    "duckdb-extension-ducklake",
    "pandas",
    "pyarrow",
    "xarray",
    "astropy",
)
"""Packages that extras of the installation bring."""


def now() -> datetime:
    """Return the time in UTC, without a zone, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def user_name() -> str | None:
    """Return who works here, from RATEDB_USER or the system; None where RATEDB_USER is empty."""
    given = os.environ.get("RATEDB_USER")
    if given is not None:
        return given.strip() or None
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process whose user has no name, as in some containers
        return None


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that numbers depend on."""
    return dict(_versions())


def installed_version(name: str) -> str | None:
    """Return the version of an installed package, None where it is not installed; nothing is imported."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    # Each version is read from a file, and every source in the store names them all.
    versions = {"python": platform.python_version()} | {
        name: metadata.version(name) for name in SCIENCE_LIBRARIES
    }
    return tuple(versions.items())
