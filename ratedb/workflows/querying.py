"""SQL on a store, read-only: a query can neither change the store nor reach other files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ratedb.errors import RatedbError, UsageError
from ratedb.files import write_atomically
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
    connection = _open(db)
    try:
        cursor = connection.execute(_single(connection, sql))
        columns = tuple(str(column[0]) for column in cursor.description or ())
        return QueryResult(columns, cursor.fetchall())
    except duckdb.Error as error:
        raise _refused(error) from error
    finally:
        connection.close()


def query_to_file(db: Path, sql: str, target: Path, file_format: str) -> int:
    """Write what one query gives as CSV, JSON lines or Parquet; return the number of rows."""
    if file_format not in FILE_FORMATS:
        raise UsageError(f"cannot write {file_format!r}", expected=" or ".join(FILE_FORMATS))
    options = {"csv": "FORMAT csv, HEADER", "json": "FORMAT json", "parquet": "FORMAT parquet"}[file_format]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        connection = _open(db, writable=result)
        try:
            query = _single(connection, sql).strip().rstrip(";")
            row = connection.execute(f"COPY (\n{query}\n) TO '{result}' ({options})").fetchone()
        except duckdb.Error as error:
            raise _refused(error) from error
        finally:
            connection.close()
        write_atomically({target: result.read_bytes()})
    return int(row[0]) if row else 0


def _open(db: Path, writable: Path | None = None) -> duckdb.DuckDBPyConnection:
    bring_up_to_date(db)
    return connect(db, read_only=True, sandboxed=True, allowed_file=writable)


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError("one query at a time", expected="one statement", got=f"{len(statements)} statements")
    return str(statements[0].query)


def _refused(error: duckdb.Error) -> RatedbError:
    words = str(error).strip()
    todo = 'see `ratedb sql "SHOW TABLES"` and the views in docs/store.md'
    if "read-only" in words or "disabled" in words:
        todo = "queries only read, and only this store; the other commands change it"
    return RatedbError("the query was refused", got=words, todo=todo)
