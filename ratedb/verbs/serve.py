"""Serve a store to a group: pages, files and a query API over HTTP, for reading only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ratedb.errors import UsageError
from ratedb.options import (
    ExportOptions,
    LinesOptions,
    Progress,
    ReportOptions,
    ServeOptions,
    SourcesOptions,
    silent,
)
from ratedb.results import Result
from ratedb.server.installed import need_server
from ratedb.server.served import Limits, Served, without_names
from ratedb.store.opening import bring_up_to_date, state_of
from ratedb.store.waiting import DEFAULT_WAIT_S, time_to_wait_s, waiting_up_to
from ratedb.systems import split_system
from ratedb.temporary import temporary_folder
from ratedb.verbs import select, show
from ratedb.verbs.export import export
from ratedb.verbs.lines import lines
from ratedb.verbs.report import report as write_report
from ratedb.verbs.sources import sources

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


@dataclass(frozen=True, repr=False)
class ServeResult(Result):
    """A server that has ended: its address, and how many requests it answered."""

    url: str
    requests: int

    def summary(self) -> str:
        """Return in a few words what was served."""
        return f"{self.url}, {self.requests} requests"


def serve(db: Path, options: ServeOptions, report: Progress = silent) -> ServeResult:
    """Answer requests until Ctrl-C or SIGTERM ends it.

    Raises UsageError for limits that are none, RatedbError where the address cannot be had, the store cannot
    be read, or a package is not installed.
    """
    need_server()
    if min(options.max_values, options.max_seconds) <= 0:
        raise UsageError("limits must be above zero", expected="--max-values and --max-seconds above 0")
    bring_up_to_date(db)
    from ratedb.server.running import address_of, listen, run  # brings Starlette and uvicorn

    limits = Limits(values=options.max_values, seconds=options.max_seconds)
    with closing(listen(options.host, options.port)) as taken:
        url = address_of(options.host, taken)
        words = f"serving {db.name} at {url} (Ctrl-C ends it)"
        requests = run(
            served_of(db, options.title, time_to_wait_s()), limits, options.host, taken, lambda: report(words)
        )
    return ServeResult(url, requests)


def served_of(db: Path, title: str | None = None, wait_s: float = DEFAULT_WAIT_S) -> Served:
    """Return what a server may ask of a store: it reads, and nothing else."""
    return Served(
        title=title or (f"{db.parent.name} {db.name}" if db.is_dir() else db.stem),
        state=lambda: state_of(db),
        systems=_patient(wait_s, lambda: show.systems(db).dicts()),
        rates=_patient(wait_s, partial(select.select, db)),
        table=_patient(wait_s, partial(_table, db)),
        report=_patient(wait_s, partial(_page, db)),
        export=_patient(wait_s, partial(_files, db)),
        hidden=str(db),
    )


def _patient(wait_s: float, function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Return a function that waits for a writer, in whatever thread it is called."""

    @wraps(function)
    def call(*given: _Given.args, **named: _Given.kwargs) -> _Found:
        with waiting_up_to(wait_s):
            return function(*given, **named)

    return call


def _page(db: Path, system: str) -> bytes:
    with temporary_folder() as folder:
        file = folder / "report.html"
        write_report(db, [system], file, ReportOptions())
        return file.read_bytes()


def _files(db: Path, system: str, file_format: str, name: str) -> Mapping[str, bytes]:
    with temporary_folder() as folder:
        export(db, [system], folder / name, ExportOptions(format=file_format))
        return {file.name: file.read_bytes() for file in folder.iterdir()}


def _table(db: Path, name: str, system: str) -> Mapping[str, Any]:
    if name == "levels":
        return show.levels(db, split_system(system)[0]).to_json()
    if name == "lines":
        return lines(db, system, LinesOptions()).to_json()
    if name == "findings":
        return show.findings(db, system).to_json()
    return {"sources": [without_names(row) for row in sources(db, system, SourcesOptions()).dicts()]}
