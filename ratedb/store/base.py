"""An open store: its connection, queries and transactions; each table has a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ratedb.errors import RatedbError
from ratedb.store.connection import clear_errors, run, without_pandas
from ratedb.store.opening import open_store
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
        self.connection.close()

    @cached_property
    def _engine(self) -> Engine:
        from duckdb_sqlalchemy import ConnectionWrapper
        from sqlalchemy import create_engine
        from sqlalchemy.pool import StaticPool

        return create_engine(
            "duckdb://", creator=lambda: ConnectionWrapper(self.connection), poolclass=StaticPool
        )

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
                self._session = session
                yield session
                if not keep:
                    session.rollback()
        except DBAPIError as error:
            with clear_errors(self.path):
                raise error.orig or error from error
        finally:
            self._session = None

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
