"""SQL on a store, read-only: a query can neither change the store nor reach other files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ratedb.errors import RatedbError, UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.store.connection import connect
from ratedb.store.opening import bring_up_to_date
from ratedb.store.tabular import as_arrow, as_pandas

if TYPE_CHECKING:
    import pandas
    import pyarrow

FILE_FORMATS = ("csv", "json", "parquet")


@dataclass(frozen=True, repr=False)
class QueryResult:
    """The columns of a query with their types in DuckDB, and its rows as tuples."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    types: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<QueryResult: {len(self.rows)} rows of {', '.join(self.columns)}>"

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """Return the values of a column; raises RatedbError where there is none of this name."""
        if name not in self.columns:
            raise RatedbError(f"there is no column {name!r}", expected=", ".join(self.columns))
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a data frame; raises RatedbError without pandas."""
        with _again(self) as (connection, select, values):
            return as_pandas(connection, select, values)

    def to_arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table; raises RatedbError without pyarrow."""
        with _again(self) as (connection, select, values):
            return as_arrow(connection, select, values)


@contextmanager
def _again(result: QueryResult) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, list[Any]]]:
    """Give a database in memory, and a query with its parameters that gives a result once more."""
    wanted = [
        f'unnest(?::{of}[]) AS "{name.replace(chr(34), 2 * chr(34))}"'
        for name, of in zip(result.columns, result.types, strict=True)
    ]
    values = [[row[place] for row in result.rows] for place in range(len(wanted))]
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            yield connection, f"SELECT {', '.join(wanted)}", values
    except duckdb.Error as error:
        raise RatedbError(
            "the result cannot be made into a table",
            expected="numbers, texts, times, and lists of them",
            got=", ".join(result.types),
            todo="take .rows, or cast the columns in the query",
        ) from error


def run_query(db: Path, sql: str) -> QueryResult:
    """Return what one query gives; raises RatedbError with DuckDB's words where it is refused."""
    with _opened(db) as connection:
        cursor = connection.execute(_single(connection, sql))
        described = cursor.description or ()
        columns = _distinct([str(column[0]) for column in described])
        return QueryResult(columns, cursor.fetchall(), tuple(str(column[1]) for column in described))


def query_to_file(db: Path, sql: str, target: Path, file_format: str) -> int:
    """Write what one SELECT gives as CSV, JSON lines or Parquet; return the number of rows."""
    if file_format not in FILE_FORMATS:
        raise UsageError(f"cannot write {file_format!r}", expected=" or ".join(FILE_FORMATS))
    refuse_database(target)
    options = {"csv": "FORMAT csv, HEADER", "json": "FORMAT json", "parquet": "FORMAT parquet"}[file_format]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        with _opened(db, writable=result) as connection:
            query = _without_semicolon(connection, _single(connection, sql))
            quoted = str(result).replace("'", "''")
            # The line break ends a comment at the end of the query.
            row = connection.execute(f"COPY ({query}\n) TO '{quoted}' ({options})").fetchone()
        write_atomically({target: result.read_bytes()})
    return int(row[0]) if row else 0


@contextmanager
def _opened(db: Path, writable: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    bring_up_to_date(db)
    connection = connect(db, read_only=True, sandboxed=True, allowed_file=writable)
    try:
        yield connection
    except duckdb.Error as error:
        raise _refused(error) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.close()


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return names of which none stands twice: `label`, `label_1`, as DuckDB does in files."""
    found: list[str] = []
    for name in names:
        number, unique = 0, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return tuple(found)


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError("one query at a time", expected="one statement", got=f"{len(statements)} statements")
    return str(statements[0].query)


def _without_semicolon(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return one statement without the semicolon that ends it and the comments behind that.

    A semicolon inside a string is not an end: what is before it then does not parse.
    """
    while ";" in query:
        shorter = query[: query.rindex(";")]
        try:
            if len(connection.extract_statements(shorter)) != 1:
                break
        except duckdb.Error:
            break
        query = shorter
    return query


def _refused(error: duckdb.Error) -> RatedbError:
    words = str(error).strip()
    if "File too large" in words or "No space left" in words:
        return RatedbError("the disk is full", got=words, todo="make room for the result")
    todo = 'see `ratedb sql "SHOW TABLES"` and the views in docs/store.md'
    if "read-only" in words or "disabled" in words:
        todo = "queries only read, and only this store; the other commands change it"
    return RatedbError("the query was refused", got=words, todo=todo)
