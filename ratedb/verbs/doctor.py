"""Say what works here: versions, the database, optional parts."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.radiative.radex import radex_available
from ratedb.store import migrations
from ratedb.store.connection import connect

_LIBRARIES = ("numpy", "scipy", "duckdb", "sqlmodel", "gpflow", "tensorflow", "typer", "rich")


@dataclass(frozen=True)
class Check:
    """One thing looked at: status is `ok`, `missing` (an optional part), or `problem`."""

    name: str
    status: str
    detail: str

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        return asdict(self)


def run_checks(db: Path) -> list[Check]:
    """Return all checks; never raises for what it finds, and changes nothing."""
    return [_versions(), *_libraries(), _database(db), _disk(db), _radex(), _plots()]


def _versions() -> Check:
    return Check("ratedb", "ok", f"{__version__}, Python {platform.python_version()}, {platform.system()}")


def _libraries() -> list[Check]:
    checks = []
    for name in _LIBRARIES:
        try:
            checks.append(Check(name, "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            checks.append(Check(name, "problem", f"not installed; `pip install {name}`"))
    return checks


def _database(db: Path) -> Check:
    known = migrations.available()[-1].version
    if not db.exists():
        return Check("database", "ok", f"{db} does not exist yet; `ratedb import` makes it")
    try:
        connection = connect(db, read_only=True)
        try:
            version = migrations.check_not_newer(connection, str(db))
        finally:
            connection.close()
    except RatedbError as error:
        return Check("database", "problem", str(error))
    size = f"{db.stat().st_size / 1e6:.1f} MB"
    if version == 0:
        return Check("database", "problem", f"{db} ({size}) is not a ratedb store")
    behind = "" if version == known else f", {known - version} migrations behind, applied at next use"
    writable = "" if os.access(db, os.W_OK) else ", read-only for this user"
    return Check("database", "ok", f"{db}, {size}, schema {version}{behind}{writable}, not locked")


def _disk(db: Path) -> Check:
    folder = db.absolute().parent
    if not folder.is_dir():
        return Check("disk", "problem", f"the folder {folder} does not exist")
    free = shutil.disk_usage(folder).free
    status = "ok" if free > 1e8 else "problem"
    return Check("disk", status, f"{free / 1e9:.1f} GB free at {folder}")


def _radex() -> Check:
    if radex_available():
        return Check("RADEX", "ok", f"spectralradex {metadata.version('spectralradex')}")
    return Check("RADEX", "missing", "for `verify`: pip install 'ratedb[radex]' (Linux, CPython 3.11)")


def _plots() -> Check:
    if importlib.util.find_spec("matplotlib") is not None:
        return Check("plots", "ok", f"matplotlib {metadata.version('matplotlib')}")
    return Check("plots", "missing", "for pictures: pip install 'ratedb[plots]'")
