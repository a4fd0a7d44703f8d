"""SQL on a store, read-only: a query can neither change the store nor read or write other files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.files import refuse_database, write_atomically
from ratedb.options import SqlOptions
from ratedb.results import Result
from ratedb.store.cells import as_cells
from ratedb.store.connection import run
from ratedb.store.lake_address import is_lake
from ratedb.store.opening import open_sandboxed
from ratedb.temporary import temporary_folder

if TYPE_CHECKING:
    import pandas
    import pyarrow

_COPY_OPTIONS = {"csv": "FORMAT csv, HEADER", "json": "FORMAT json", "parquet": "FORMAT parquet"}
FILE_FORMATS = tuple(_COPY_OPTIONS)
_PRINTED = ("table", "csv", "json")


@dataclass(frozen=True, repr=False)
class QueryResult(Result):
    """The columns of a query with their types in DuckDB, and its rows as tuples.

    `name` is that of the rows in JSON, and `about` what else the JSON says. Where the rows were written to
    the file `path` there are none here.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    types: tuple[str, ...]
    name: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def of(cls, cursor: duckdb.DuckDBPyConnection, **more: Any) -> QueryResult:
        """Return what a query that was just run gives."""
        described = cursor.description or ()
        columns = _distinct([str(column[0]) for column in described])
        return cls(columns, cursor.fetchall(), tuple(str(column[1]) for column in described), **more)

    def __len__(self) -> int:
        return len(self.rows)

    def summary(self) -> str:
        """Return in a few words what was found."""
        if self.path is not None:
            return f"{self.about['row_count']} rows in {self.path.name}"
        return f"{len(self.rows)} rows of {', '.join(self.columns)}"

    def dicts(self) -> list[dict[str, Any]]:
        """Return each row by the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        if self.path is not None:
            return {"path": str(self.path), **self.about}
        if self.name:
            return {**self.about, self.name: self.dicts()}
        return {"columns": list(self.columns), "rows": self.dicts()}

    def column(self, name: str) -> list[Any]:
        """Return the values of a column; raises RatedbError where there is none of this name."""
        if name not in self.columns:
            raise RatedbError(f"there is no column {name!r}", expected=", ".join(self.columns))
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a data frame; raises RatedbError without pandas."""
        from ratedb.store.tabular import as_pandas

        with _again(self) as (connection, select, values):
            return as_pandas(connection, select, values)

    def to_arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table; raises RatedbError without pyarrow."""
        from ratedb.store.tabular import as_arrow

        with _again(self) as (connection, select, values):
            return as_arrow(connection, select, values)


@contextmanager
def _again(result: QueryResult) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, list[Any]]]:
    """Give a database in memory, and a query with its parameters that returns the rows of a result."""
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


def sql(db: Path, query: str, options: SqlOptions) -> QueryResult:
    """Run one query; with `options.output` write its rows to that file instead.

    Raises UsageError for an unknown format or several statements, RatedbError with DuckDB's words where the
    query is refused.
    """
    if options.output is not None:
        chosen = options.format or options.output.suffix.lstrip(".")
        return query_to_file(db, query, options.output, chosen)
    if options.format not in (None, *_PRINTED):
        raise UsageError(
            f"cannot print {options.format!r}", expected=f"{', '.join(_PRINTED)}, or a file with -o"
        )
    with _opened(db) as connection:
        return QueryResult.of(connection.execute(_single(connection, query, db)))


def query_to_file(db: Path, query: str, target: Path, file_format: str) -> QueryResult:
    """Write the rows of one SELECT as CSV, JSON lines or Parquet."""
    one_of("format", file_format, FILE_FORMATS)
    refuse_database(target)
    with temporary_folder() as folder:
        result = folder / "result"
        with _opened(db, writable=result) as connection:
            select = _without_semicolon(connection, _single(connection, query, db))
            if file_format == "csv":
                connection.extract_statements(_copy(select, file_format))  # before SHOW is taken for rows
                select = as_cells(connection, select)
            [(count,)] = run(connection, _copy(select, file_format), [str(result)]).fetchall()
        write_atomically({target: result.read_bytes()})
    return QueryResult((), [], (), about={"row_count": int(count)}, path=target)


def _copy(select: str, file_format: str) -> str:
    # The line break ends a comment at the end of the query.
    return f"COPY ({select}\n) TO ? ({_COPY_OPTIONS[file_format]})"


@contextmanager
def _opened(db: Path, writable: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a read-only connection that reaches no other file but `writable`."""
    connection = open_sandboxed(db, writable)
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
    """Return names without duplicates: `label`, `label_1`, as DuckDB does in files."""
    found: list[str] = []
    for name in names:
        number, unique = 0, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return tuple(found)


def _single(connection: duckdb.DuckDBPyConnection, sql: str, db: Path) -> str:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError("one query at a time", expected="one statement", got=f"{len(statements)} statements")
    if is_lake(db):
        from ratedb.store.lake_guard import need_reading

        need_reading(connection, sql)
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
