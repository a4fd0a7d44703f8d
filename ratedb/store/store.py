"""The store: open a database, keep what it is given in one transaction, and give it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import duckdb
import numpy as np
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, select

from ratedb.arrays import BoolArray
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates
from ratedb.store import levels as levels_
from ratedb.store import quality as quality_
from ratedb.store import rates as rates_
from ratedb.store.connection import clear_errors
from ratedb.store.levels import StoredLevels
from ratedb.store.opening import open_store
from ratedb.store.records import CollisionSystem, Model, Source


@dataclass(frozen=True)
class SourceInfo:
    """What is said about the origin of the values of one import, and what quality control found.

    `files` are the names and SHA-256 of all files where the values come from more than one.
    """

    kind: str
    method: str
    reference: str
    file_name: str
    file_sha256: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PutResult:
    """What an import did: values new and unchanged, and the source (None where nothing was new)."""

    source_id: int | None
    new: int
    unchanged: int
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Incoming:
    """What one file brings: its lines, and its rates by source."""

    lines: Lines
    sources: tuple[tuple[Rates, SourceInfo], ...]


class StoredScore(NamedTuple):
    """The test error of one training set with one kernel; j are lists such as 5,9,14,19."""

    kernel: str
    train_j: str
    validate_j: str
    dex_rms: float
    log10_percent_error: float


class _DryRunError(Exception):
    """Ends a transaction that is not meant to be kept."""


class Store:
    """A ratedb database. Use it as a context manager.

    `Store(path)` opens an existing store for reading; `write=True` for writing; `create=True` also makes
    the file where there is none. Raises RatedbError where the file is not a store or was written by a
    newer ratedb, LockedError where another process holds it.
    """

    def __init__(self, path: Path | str, *, write: bool = False, create: bool = False) -> None:
        self.path = Path(path)
        self._duckdb = open_store(self.path, write=write, create=create)
        self._engine = create_engine(
            "duckdb://", creator=lambda: ConnectionWrapper(self._duckdb), poolclass=StaticPool
        )

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and release its lock."""
        self._engine.dispose()
        self._duckdb.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection, for queries."""
        return self._duckdb

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session whose changes are kept together when the block ends, or not at all."""
        try:
            with (
                clear_errors(self.path),
                Session(self._engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                session.connection()  # DuckDB's BEGIN, so that the bulk path is inside too
                yield session
        except DBAPIError as error:
            with clear_errors(self.path):
                raise error.orig or error from error

    # -- what is in the store -------------------------------------------------------------------

    def system_names(self) -> list[str]:
        """Return the names of all systems, sorted."""
        rows = self._duckdb.execute("SELECT name FROM collision_system ORDER BY name").fetchall()
        return [str(row[0]) for row in rows]

    def has_system(self, name: str) -> bool:
        """Return whether a system of this name exists."""
        return name in self.system_names()

    def has_molecule(self, molecule: str) -> bool:
        """Return whether levels of this molecule are stored."""
        return bool(self.query("SELECT 1 FROM level_set WHERE molecule = ? LIMIT 1", [molecule]))

    def system(self, name: str) -> CollisionSystem:
        """Return a system; raises RatedbError where the store does not have it."""
        with Session(self._engine) as session:
            found = session.exec(select(CollisionSystem).where(CollisionSystem.name == name)).first()
        if found is None:
            raise RatedbError(
                f"the store has no system {name!r}",
                where=str(self.path),
                expected=", ".join(self.system_names()) or "a store with systems in it",
                todo="`ratedb systems` lists them; `ratedb import FILE` brings new ones",
            )
        return found

    def levels(self, molecule: str) -> StoredLevels:
        """Return the levels and lines of a molecule; raises RatedbError where there are none."""
        return levels_.get_levels(self._duckdb, molecule)

    def rates(self, name: str) -> Rates:
        """Return the best rates of a system, predictions too; raises RatedbError for an unknown system.

        Each curve is that of one source from its lowest to its highest temperature; what lies beyond, or was
        marked, comes from the next. (The view `rates` chooses at each temperature by itself.)
        """
        return self._rates(name, "best_curve")

    def known_rates(self, name: str) -> Rates:
        """Return the best rates of a system that files brought; raises RatedbError for an unknown system.

        What quality control marked is there, where files have nothing else.
        """
        return self._rates(name, "known_curve")

    def _rates(self, name: str, view: str) -> Rates:
        system = self.system(name)
        molecule = self.levels(system.molecule)
        with clear_errors(self.path):
            rates = rates_.best_rates(self._duckdb, view, _id(system.system_id), system.collider, molecule)
        used = set(np.unique(rates.source_id).tolist())
        sources = {row["source_id"]: row for row in self.sources(name) if row["source_id"] in used}
        made = {row["model_id"] for row in sources.values()} - {None}
        return replace(rates, sources=sources, models={number: self.model(number) for number in sorted(made)})

    def sources(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of the view `sources` for a system, by id."""
        return self.query("SELECT * FROM sources WHERE system = ? ORDER BY source_id", [name])

    def source_rates(self, name: str, source_id: int) -> Rates:
        """Return all rates of one source of a system; raises RatedbError where it is none of its sources."""
        system = self.system(name)
        known = [
            row["source_id"]
            for row in self.query(
                "SELECT source_id FROM source WHERE system_id = ? ORDER BY 1", [system.system_id]
            )
        ]
        if source_id not in known:
            raise RatedbError(
                f"{name} has no source {source_id}",
                where=str(self.path),
                expected="one of " + ", ".join(map(str, known)),
                todo=f"`ratedb show {name}` lists them",
            )
        return quality_.source_rates(self._duckdb, source_id, system.collider, self.levels(system.molecule))

    def other_sources(self, system: str, file_sha256: str) -> list[int]:
        """Return the sources of a system that are neither predictions nor of the file with this hash."""
        rows = self.query(
            "SELECT source_id FROM sources"
            " WHERE system = ? AND kind <> 'predicted' AND file_sha256 <> ? ORDER BY source_id",
            [system, file_sha256],
        )
        return [row["source_id"] for row in rows]

    def query(self, sql: str, parameters: list[Any] | dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries."""
        with clear_errors(self.path):
            cursor = self._duckdb.execute(sql, parameters or [])
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    # -- what comes in --------------------------------------------------------------------------

    def put_rates(self, files: Sequence[Incoming], *, dry_run: bool = False) -> list[PutResult]:
        """Store what files bring, with levels and lines, all or nothing; a dry run keeps nothing.

        What the same source (file, kind, method, reference) already brought with the same values is
        left as it is. Raises RatedbError where the levels contradict those in the store.
        """
        results: list[PutResult] = []
        try:
            with self.transaction() as session:
                for file in files:
                    results += [
                        self._put_source(session, rates, file.lines, info) for rates, info in file.sources
                    ]
                if dry_run:
                    raise _DryRunError
        except _DryRunError:
            pass
        return results

    def _put_source(self, session: Session, rates: Rates, lines: Lines, info: SourceInfo) -> PutResult:
        system_id = self._system_id(session, rates.levels, rates.collider)
        level_set_id, level_id, warnings = levels_.put_levels(
            session,
            self._duckdb,
            rates.levels,
            lines,
            file_name=info.file_name,
            file_sha256=info.file_sha256,
        )
        all_warnings = (*info.warnings, *warnings)
        rates_.stage(
            self._duckdb,
            level_id[rates.upper],
            level_id[rates.lower],
            rates.temperature_k,
            rates.rate_cm3_s,
        )
        offered = rates_.staged_values(self._duckdb)
        rates_.drop_unchanged(
            self._duckdb, system_id, info.kind, info.method, info.reference, info.file_sha256
        )
        new = rates_.staged_values(self._duckdb)
        unchanged = offered - new
        if new == 0:
            return PutResult(None, 0, unchanged, all_warnings)
        source = Source(
            system_id=system_id,
            kind=info.kind,
            method=info.method,
            reference=info.reference,
            file_name=info.file_name,
            file_sha256=info.file_sha256,
            level_set_id=level_set_id,
            warnings=list(all_warnings),
        )
        session.add(source)
        session.flush()
        source_id = _id(source.source_id)
        rates_.commit_staged(self._duckdb, source_id)
        quality_.put_findings(self._duckdb, source_id, rates.levels, level_id, info.findings)
        if info.files:
            self._duckdb.executemany(
                "INSERT INTO source_file VALUES (?, ?, ?)", [[source_id, *file] for file in info.files]
            )
        return PutResult(source_id, new, unchanged, all_warnings)

    def replace_findings(
        self, found: Sequence[tuple[int, Levels, Sequence[Finding]]], of_file: Sequence[str]
    ) -> None:
        """Keep what was found about sources (id, levels, findings) in place of what was found before.

        All of it or none; findings of the rules `of_file` and accepted ones stay.
        """
        with self.transaction():
            for source_id, levels, findings in found:
                level_id = levels_.ids_of(self._duckdb, levels)
                quality_.replace_findings(self._duckdb, source_id, levels, level_id, findings, of_file)

    def accept_findings(self, source_ids: Sequence[int], rule: str, reason: str) -> int:
        """Accept the findings of a rule about sources, so that they flag no values; return how many."""
        with self.transaction():
            return quality_.accept_findings(self._duckdb, source_ids, rule, reason)

    def put_source_order(self, name: str, source_ids: Sequence[int], reason: str) -> None:
        """Keep an order in which the sources of a system win, the best first."""
        system = self.system(name)
        with self.transaction():
            quality_.put_source_order(self._duckdb, _id(system.system_id), source_ids, reason)

    def put_model(self, model: Model) -> int:
        """Store a model and return its id."""
        with self.transaction() as session:
            session.add(model)
            session.flush()
            return _id(model.model_id)

    def put_set_scores(self, search: str, system: str, scores: Sequence[StoredScore]) -> None:
        """Store scores of training sets; `search` names what was asked."""
        columns = [[score[place] for score in scores] for place in range(len(StoredScore._fields))]
        with self.transaction():
            self._duckdb.execute(
                "INSERT INTO set_score SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),"
                " unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[])",
                [search, system, *columns],
            )

    def set_scores(self, search: str) -> list[StoredScore]:
        """Return the scores that are stored under a search."""
        rows = self._duckdb.execute(
            "SELECT kernel, train_j, validate_j, dex_rms, log10_percent_error FROM set_score"
            " WHERE search = ?",
            [search],
        ).fetchall()
        return [StoredScore(*row) for row in rows]

    def put_prediction(self, name: str, prediction: Rates, keep: BoolArray, model: Model) -> int:
        """Store predicted values where `keep`, shape (n, m), is true, as a new source; return its id."""
        system = self.system(name)
        with self.transaction() as session:
            level_id = levels_.ids_of(self._duckdb, prediction.levels)
            rates_.stage(
                self._duckdb,
                level_id[prediction.upper],
                level_id[prediction.lower],
                prediction.temperature_k,
                np.where(keep, prediction.rate_cm3_s, np.nan),
                prediction.log10_half_width_68,
                prediction.extrapolated.any(axis=1),
            )
            source = Source(
                system_id=_id(system.system_id),
                kind="predicted",
                method=f"Gaussian process ({model.engine}), kernel {model.kernel}; features {model.features}",
                reference=f"ratedb model {model.model_id}",
                model_id=model.model_id,
                warnings=[],
            )
            session.add(source)
            session.flush()
            rates_.commit_staged(self._duckdb, _id(source.source_id))
            return _id(source.source_id)

    # -- models and plans -----------------------------------------------------------------------

    def model(self, model_id: int) -> Model:
        """Return a model; raises RatedbError where the store does not have it."""
        with Session(self._engine) as session:
            found = session.get(Model, model_id)
        if found is None:
            known = [row["model_id"] for row in self.query("SELECT model_id FROM model ORDER BY 1")]
            raise RatedbError(
                f"the store has no model {model_id}",
                where=str(self.path),
                expected="one of " + ", ".join(map(str, known)) if known else "a trained model",
                todo="`ratedb train SYSTEM` makes one",
            )
        return found

    def newest_model(self, name: str) -> Model:
        """Return the newest model of a system; raises RatedbError where there is none."""
        system = self.system(name)
        row = self._duckdb.execute(
            "SELECT max(model_id) FROM model WHERE system_id = ?", [system.system_id]
        ).fetchone()
        if row is None or row[0] is None:
            raise RatedbError(f"{name} has no model", todo=f"`ratedb train {name}` makes one")
        return self.model(int(row[0]))

    def system_name(self, system_id: int) -> str:
        """Return the name of a system by its id."""
        row = self._duckdb.execute(
            "SELECT name FROM collision_system WHERE system_id = ?", [system_id]
        ).fetchone()
        return str(row[0]) if row else ""

    def _system_id(self, session: Session, levels: Levels, collider: str) -> int:
        name = f"{levels.molecule}+{collider}"
        found = session.exec(select(CollisionSystem).where(CollisionSystem.name == name)).first()
        if found is None:
            found = CollisionSystem(name=name, molecule=levels.molecule, collider=collider)
            session.add(found)
            session.flush()
        return _id(found.system_id)


def _id(number: int | None) -> int:
    if number is None:
        raise RatedbError("the store gave no id to a new row", todo="report this as a defect of ratedb")
    return number
