"""SQL on a store, read-only: a query can neither change the store nor reach other files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ratedb.errors import RatedbError, UsageError
from ratedb.files import refuse_database, write_atomically
from ratedb.store.connection import connect
from ratedb.store.opening import bring_up_to_date

FILE_FORMATS = ("csv", "json", "parquet")


@dataclass(frozen=True)
class QueryResult:
    """The columns of a query, and its rows as tuples."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def run_query(db: Path, sql: str) -> QueryResult:
    """Return what one query gives; raises RatedbError with DuckDB's words where it is refused."""
    with _opened(db) as connection:
        cursor = connection.execute(_single(connection, sql))
        columns = _distinct([str(column[0]) for column in cursor.description or ()])
        return QueryResult(columns, cursor.fetchall())


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
