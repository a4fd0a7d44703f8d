"""An open store: its connection, queries and transactions; each table has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb

from ratedb.errors import RatedbError
from ratedb.store import seals
from ratedb.store.connection import clear_errors, run, without_pandas
from ratedb.store.lake_address import is_lake
from ratedb.store.opening import close_store, open_store
from ratedb.store.query import QueryResult

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

Parameters = Sequence[Any] | Mapping[str, Any]


class OpenStore:
    """An open DuckDB file with the schema of a store; `connection` is DuckDB's."""

    def __init__(self, path: Path | str, *, write: bool = False, create: bool = False) -> None:
        self.path = Path(path)
        self.connection = open_store(self.path, write=write, create=create)
        self._session: Session | None = None
        self._intact: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and release its lock."""
        if "_engine" in self.__dict__:
            self._engine.dispose()
        close_store(self.connection, self.path)

    @cached_property
    def _engine(self) -> Engine:
        from duckdb_sqlalchemy import ConnectionWrapper
        from sqlalchemy import create_engine
        from sqlalchemy.pool import StaticPool

        engine = create_engine(
            "duckdb://", creator=lambda: ConnectionWrapper(self.connection), poolclass=StaticPool
        )
        engine.dialect.insert_returning = False  # DuckLake has no RETURNING
        return engine

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[Session]:
        """Give a session for the classes in records.py; all changes in the block are kept, or none.

        A dry run does not `keep` them. A block inside another is a part of it.
        """
        from sqlalchemy.exc import DBAPIError
        from sqlmodel import Session

        if self._session is not None:
            yield self._session
            return
        try:
            with (
                clear_errors(self.path),
                without_pandas(),
                Session(self._engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                session.connection()  # DuckDB's BEGIN, so that the connection is in the transaction too
                self._begin()
                self._session = session
                yield session
                if keep:
                    session.flush()
                    seals.seal_new(self.connection)
                else:
                    session.rollback()
        except DBAPIError as error:
            with clear_errors(self.path):
                raise error.orig or error from error
        finally:
            self._session = None

    @contextmanager
    def statements(self) -> Iterator[None]:
        """Keep all changes of the statements in the block, or none; the classes in records.py are not needed.

        A block inside a transaction is a part of it.
        """
        if self._session is not None:
            yield
            return
        with clear_errors(self.path):
            self.connection.execute("BEGIN TRANSACTION")
            try:
                self._begin()
                yield
                seals.seal_new(self.connection)
                self.connection.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # a COMMIT that failed has rolled back already
                    self.connection.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        if is_lake(self.path):
            from ratedb.store.lake import need_turn

            need_turn(self.connection)
        seals.need_no_strange_rows(self.connection)

    def need_intact(self, system_id: int | None = None, molecule: str = "") -> None:
        """Raise IntegrityError where what decides on numbers was changed by another program.

        These are the small tables, the findings and blocks of rates of a system, and the levels and lines of
        a molecule. Each is checked once for each open store.
        """
        writing = self._session is not None
        checks: dict[str, Callable[[], None]] = {
            "tables": lambda: seals.need_intact_tables(self.connection, writing=writing)
        }
        if system_id is not None:
            checks[f"system {system_id}"] = lambda: seals.need_intact_system(
                self.connection, system_id, writing=writing
            )
        if molecule:
            checks[f"molecule {molecule}"] = lambda: seals.need_intact_levels(
                self.connection, molecule, writing=writing
            )
        with clear_errors(self.path):
            for name, check in checks.items():
                if name not in self._intact:
                    check()
                    self._intact.add(name)

    def broken_rows(self) -> list[seals.Broken]:
        """Return what is not as ratedb stored it, in the whole store; of rates at most 100 rows."""
        with clear_errors(self.path):
            return seals.all_broken(self.connection)

    def need_whole_intact(self) -> None:
        """Raise IntegrityError where any row is not as ratedb stored it."""
        with clear_errors(self.path):
            seals.need_whole(self.connection)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with clear_errors(self.path):
            return run(self.connection, sql, parameters).fetchall()

    def column(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """Run one statement and return the first value of each row."""
        return [row[0] for row in self.rows(sql, parameters)]

    def table(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        name: str = "",
        about: Mapping[str, Any] | None = None,
    ) -> QueryResult:
        """Return the rows of a query with their columns and types; `name` and `about` are for its JSON."""
        with clear_errors(self.path):
            cursor = run(self.connection, sql, parameters)
            return QueryResult.of(cursor, name=name, about=about or {})

    def query(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries."""
        return self.table(sql, parameters).dicts()


def load_records() -> None:
    """Import what transactions need: a second, for which nobody should have to wait for the store."""
    import duckdb_sqlalchemy  # noqa: F401
    import sqlmodel  # noqa: F401

    import ratedb.store.records  # noqa: F401


def need_id(number: int | None) -> int:
    """Return the id of a new row; raises RatedbError where the store gave none."""
    if number is None:
        raise RatedbError("the store gave no id to a new row", todo="report this as a defect of ratedb")
    return number
