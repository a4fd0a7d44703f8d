"""Check versions, the database and optional parts."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from ratedb import __version__
from ratedb.config import read_config
from ratedb.errors import IntegrityError, RatedbError
from ratedb.options import DoctorOptions, Progress, silent
from ratedb.origin import SCIENCE_LIBRARIES, installed_version
from ratedb.results import Result
from ratedb.store.lake_address import is_lake
from ratedb.store.opening import place_of, schema_version, store_exists
from ratedb.store.snapshot import check_files, is_snapshot, read_snapshot

_LIBRARIES = (*SCIENCE_LIBRARIES, "sqlmodel", "typer", "rich")
# What extras of the installation bring: a name, the package that shows it, and what it is for.
_OPTIONAL = (
    (
        "RADEX",
        "spectralradex",
        "ratedb's own solver is used: pip install 'ratedb[radex]' (Linux, CPython 3.11)",
    ),
    ("plots", "matplotlib", "for pictures: pip install 'ratedb[plots]'"),
    ("report", "bokeh", "for pages: pip install 'ratedb[report]'"),
    ("serve", "uvicorn", "for a server of pages: pip install 'ratedb[serve]'"),
    ("dask", "distributed", "for --scheduler: pip install 'ratedb[dask]'"),
    ("lake", "duckdb-extension-ducklake", "for --db ducklake:...: pip install 'ratedb[lake]'"),
    ("notebook", "pyarrow", "for data frames: pip install 'ratedb[notebook]'"),
    ("astropy", "astropy", "for tables with units: pip install 'ratedb[astropy]'"),
)


@dataclass(frozen=True)
class Check:
    """One part: status is `ok`, `missing` (an optional part), or `problem`."""

    name: str
    status: str
    detail: str


@dataclass(frozen=True, repr=False)
class DoctorReport(Result):
    """All checks."""

    checks: list[Check]

    @property
    def problems(self) -> list[Check]:
        """The checks that found a problem."""
        return [one for one in self.checks if one.status == "problem"]

    def summary(self) -> str:
        """Return in a few words what was found."""
        return ", ".join(one.name for one in self.problems) or f"{len(self.checks)} checks, no problem"


def doctor(db: Path, options: DoctorOptions, progress: Progress = silent) -> DoctorReport:
    """Check versions, the database and optional parts; changes nothing, and raises nothing.

    With `deep` also every row and every model of the database.
    """
    checks = [_versions(), *_libraries(), _config(), _database(db)]
    if options.deep and checks[-1].status == "ok" and store_exists(db):
        checks += _contents(db, progress)
    return DoctorReport([*checks, _disk(db), *(_optional(*one) for one in _OPTIONAL)])


def _versions() -> Check:
    return Check("ratedb", "ok", f"{__version__}, Python {platform.python_version()}, {platform.system()}")


def _libraries() -> list[Check]:
    found = ((name, installed_version(name)) for name in _LIBRARIES)
    return [
        Check(name, "ok" if version else "problem", version or f"not installed; `pip install {name}`")
        for name, version in found
    ]


def _config() -> Check:
    try:
        return Check("config", "ok", read_config().summary())
    except RatedbError as error:
        return Check("config", "problem", error.in_one_line())


def _database(db: Path) -> Check:
    try:
        if is_snapshot(db):
            snapshot = read_snapshot(db)
            check_files(snapshot)
            return Check("database", "ok", f"{db}, published snapshot {snapshot.version}, for reading only")
        if not store_exists(db):
            return Check("database", "ok", f"{db} does not exist yet; `ratedb import` makes it")
        version, newest = schema_version(db)
    except RatedbError as error:
        return Check("database", "problem", error.in_one_line())
    size = "DuckLake" if is_lake(db) else f"{db.stat().st_size / 1e6:.1f} MB"
    if version == 0:
        return Check("database", "problem", f"{db} ({size}) is not a ratedb store")
    behind = "" if version == newest else f", {newest - version} migrations behind, applied at next use"
    writable = "" if os.access(place_of(db), os.W_OK) else ", read-only for this user"
    return Check("database", "ok", f"{db}, {size}, schema {version}{behind}{writable}, not locked")


def _contents(db: Path, progress: Progress) -> list[Check]:
    """Return a check for each row and model that is not as stored, or one that says that all are."""
    from ratedb.models.storage import any_of_record
    from ratedb.store.store import Store

    found = []
    with Store(db) as store:
        progress("checking rows")
        broken = store.broken_rows()
        found += [Check("integrity", "problem", f"{one.where}: {one.how}") for one in broken]
        models = store.model_names()
        for place, (number, system) in enumerate(models, start=1):
            progress(f"checking models: {place} of {len(models)}")
            try:
                any_of_record(store.model(number), system)
            except IntegrityError:
                pass  # among the rows
            except RatedbError as error:
                found.append(Check("integrity", "problem", f"model {number} of {system}: {error.got}"))
    return found or [Check("integrity", "ok", f"every row is as stored; {len(models)} models can be read")]


def _disk(db: Path) -> Check:
    try:
        place = place_of(db)
    except RatedbError as error:
        return Check("disk", "problem", error.what)
    folder = place if is_lake(db) else place.absolute().parent
    if not folder.is_dir():
        return Check("disk", "problem", f"the folder {folder} does not exist")
    free = shutil.disk_usage(folder).free
    status = "ok" if free > 1e8 else "problem"
    return Check("disk", status, f"{free / 1e9:.1f} GB free at {folder}")


def _optional(name: str, package: str, brings: str) -> Check:
    version = installed_version(package)
    return Check(name, "ok" if version else "missing", f"{package} {version}" if version else brings)
