"""Tables of one row for each value, which DuckDB reads and writes in memory: CSV, Parquet, pandas, Arrow."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.store.cells import as_cells, quoted, text_of
from ratedb.store.connection import run
from ratedb.temporary import temporary_folder

if TYPE_CHECKING:
    import pandas
    import pyarrow

Objects = npt.NDArray[np.object_]

_NUMERIC_TYPE = re.compile(r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))")
_BLANKS = "E' \\t\\r\\n'"
_LARGE_BYTES = 10_000_000
_AS_FORMAT = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}


class TableError(Exception):
    """DuckDB cannot read a table; the message is its own, in one line."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns of a table by name, each of shape (n,): numbers with NaN for null, texts with None for null.

    `unread` has the rows and texts of a numeric column that are no plain numbers, and have NaN in `numbers`;
    it has an entry for each numeric column that was read from text.
    """

    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, Objects]
    unread: Mapping[str, list[tuple[int, str]]]


class Tabular:
    """A table that DuckDB can read: the names of its columns, and their cells on request.

    `types` are those of a CSV file, whose texts are cells of safe_text.to_cell.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: str, types: Mapping[str, str] | None = None
    ) -> None:
        self._connection, self._source, self._of_csv = connection, source, types is not None
        if types is None:
            described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            types = {str(row[0]): str(row[1]) for row in described}
        self.names, self.types = list(types), list(types.values())

    def fetch(self, numbers: Mapping[str, int], texts: Mapping[str, int]) -> Cells:
        """Return the columns at these places, under these names, in the order of the rows.

        Blanks around a text do not count, and an empty text is null.
        """
        given, chosen, from_text = self.expressions(numbers, texts)
        found = self._connection.execute(
            f"SELECT {', '.join(chosen)} FROM (SELECT {', '.join(given)} FROM {self._source})"
        ).fetchnumpy()
        return Cells(
            {name: _floats(found[name]) for name in numbers},
            {name: _objects(found[name]) for name in texts},
            {name: _present(_objects(found[f"{name} unread"])) for name in from_text},
        )

    def rows(self, count: int) -> IntArray:
        """Return the place of each of `count` rows in the table, counted from 0, shape (n,)."""
        return np.arange(count)

    def expressions(
        self, numbers: Mapping[str, int], texts: Mapping[str, int]
    ) -> tuple[list[str], list[str], list[str]]:
        """Return what to select of the table, what of that, and which numbers are read from text."""
        given, chosen = ["0 AS one"], ["0 AS one"]
        from_text = []
        for name, place in {**numbers, **texts}.items():
            column, as_name = quoted(self.names[place]), quoted(name)
            if name in numbers and _NUMERIC_TYPE.fullmatch(self.types[place]):
                given.append(f"{column}::DOUBLE AS {as_name}")
                chosen.append(as_name)
                continue
            text = f"trim({column}::VARCHAR, {_BLANKS})"
            if self._of_csv and name in texts:
                text = text_of(text)
            given.append(f"nullif({text}, '') AS {as_name}")
            if name in texts:
                chosen.append(as_name)
            else:
                # DuckDB's own cast takes 1_000 for a thousand.
                number = f"CASE WHEN NOT contains({as_name}, '_') THEN try_cast({as_name} AS DOUBLE) END"
                chosen.append(f"{number} AS {as_name}")
                chosen.append(f"CASE WHEN {number} IS NULL THEN {as_name} END AS {quoted(f'{name} unread')}")
                from_text.append(name)
        return given, chosen, from_text


def _floats(values: npt.NDArray[Any]) -> FloatArray:
    if isinstance(values, np.ma.MaskedArray):
        return _filled(values, np.float64, np.nan)
    return np.asarray(values, dtype=np.float64)


def _objects(values: npt.NDArray[Any]) -> Objects:
    if isinstance(values, np.ma.MaskedArray):
        return _filled(values, np.object_, None)
    return np.asarray(values, dtype=np.object_)


def _filled(values: np.ma.MaskedArray[Any, Any], dtype: Any, empty: Any) -> npt.NDArray[Any]:
    array = np.array(values.data, dtype=dtype)
    array[values.mask] = empty
    return array


def _present(texts: Objects) -> list[tuple[int, str]]:
    rows = np.flatnonzero(texts != None)  # noqa: E711 (elementwise)
    return [(int(row), str(texts[row])) for row in rows]


@contextmanager
def csv_table(text: str, columns: int) -> Iterator[Tabular]:
    """Give the table of a CSV text with a header and this number of columns; raises TableError."""
    types = {f"c{place}": "VARCHAR" for place in range(columns)}
    with _shared() as connection, _file_of(text.encode()) as path:
        run(
            connection,
            "CREATE TEMP TABLE given AS SELECT * FROM read_csv(?, header = true, auto_detect = false,"
            " delim = ',', quote = '\"', escape = '\"', strict_mode = true, columns = ?)",
            [path, types],
        )
        yield Tabular(connection, "given", types)


@contextmanager
def parquet_table(content: bytes) -> Iterator[Tabular]:
    """Give the table of a Parquet file; raises TableError."""
    # A small query waits for more threads longer than these save.
    threads = 1 if len(content) < _LARGE_BYTES else os.cpu_count() or 1
    with _in_memory(threads) as connection, _file_of(content) as path:
        # A damaged file may be wrong about its smallest and largest values.
        connection.execute("SET disabled_optimizers = 'filter_pushdown,statistics_propagation'")
        run(connection, "SET VARIABLE path = ?", [path])
        yield Tabular(connection, "read_parquet(getvariable('path'), hive_partitioning = false)")


@contextmanager
def frame_table(frame: object) -> Iterator[Tabular]:
    """Give the table of a pandas or Arrow object; raises TableError."""
    with _in_memory() as connection:
        connection.register("frame", frame)
        yield Tabular(connection, "frame")


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


@contextmanager
def _shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with temporary tables of its own, without the time that a new database takes."""
    try:
        with _database().cursor() as connection:
            yield connection
    except duckdb.Error as error:
        raise TableError(str(error).splitlines()[0]) from error


@contextmanager
def _in_memory(threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(config={"threads": threads}) as connection:
            yield connection
    except (duckdb.Error, TypeError, ImportError, UnicodeError) as error:
        raise TableError(str(error).splitlines()[0]) from error


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """Give the name of a file with this content, as a pattern that fits it alone; then remove the file."""
    with temporary_folder() as folder:
        path = folder / "table"
        path.write_bytes(content)
        yield only_file(path)


def only_file(path: Path) -> str:
    """Return the name of a file as a pattern that fits it alone."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


# -- written -----------------------------------------------------------------------------------------


class Coded(NamedTuple):
    """A column of texts: the place of each among the few that occur, shape (n,), and these."""

    code: IntArray
    names: Sequence[str | None]

    @staticmethod
    def join(parts: Sequence[Coded]) -> Coded:
        """Return one column below the other."""
        start = np.cumsum([0, *(len(part.names) for part in parts)])
        codes = [part.code + first for part, first in zip(parts, start, strict=False)]
        return Coded(np.concatenate(codes), [name for part in parts for name in part.names])


Columns = Mapping[str, npt.NDArray[Any] | Coded]


@contextmanager
def _typed(columns: Columns, types: Mapping[str, str]) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Give a database in memory and a query for the columns with their types, NaN as null."""
    given, chosen = {}, []
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, of in types.items():
            column = columns[name]
            if isinstance(column, Coded):
                run(connection, f"SET VARIABLE {name}_names = ?::VARCHAR[]", [list(column.names)])
                given[name] = column.code
                chosen.append(f"getvariable('{name}_names')[{name} + 1]::{of} AS {name}")
                continue
            given[name] = column
            value = (
                f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if column.dtype == np.float64 else name
            )
            chosen.append(f"{value}::{of} AS {name}")
        connection.register("given", given)
        yield connection, f"SELECT {', '.join(chosen)} FROM given"


def table_bytes(columns: Columns, types: Mapping[str, str], file_format: str) -> bytes:
    """Return the bytes of a CSV or Parquet file with columns of these DuckDB types, each of shape (n,).

    NaN is written as null. The same values give the same bytes. Texts are cells of safe_text.to_cell in CSV.
    """
    with _typed(columns, types) as (connection, select), temporary_folder() as folder:
        target = folder / "table"
        if file_format == "csv":
            select = as_cells(connection, select)
        run(connection, f"COPY ({select}) TO ? ({_AS_FORMAT[file_format]})", [str(target)])
        return target.read_bytes()


def table_as_pandas(columns: Columns, types: Mapping[str, str]) -> pandas.DataFrame:
    """Return columns of these DuckDB types as a data frame; raises RatedbError without pandas."""
    with _typed(columns, types) as (connection, select):
        return as_pandas(connection, select)


def table_as_arrow(columns: Columns, types: Mapping[str, str]) -> pyarrow.Table:
    """Return columns of these DuckDB types as an Arrow table; raises RatedbError without pyarrow."""
    with _typed(columns, types) as (connection, select):
        return as_arrow(connection, select)


def as_pandas(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> pandas.DataFrame:
    """Return what a query gives as a data frame; raises RatedbError without pandas."""
    need_package("pandas")
    return run(connection, sql, parameters).df()


def as_arrow(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> pyarrow.Table:
    """Return what a query gives as an Arrow table; raises RatedbError without pyarrow."""
    need_package("pyarrow")
    return run(connection, sql, parameters).to_arrow_table()


def need_package(name: str, extra: str = "notebook") -> ModuleType:
    """Return a package of an extra; raises RatedbError where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RatedbError(
            f"{name} cannot be imported",
            expected=f"the packages of the extra `{extra}`",
            got=str(error),
            todo=f"pip install 'ratedb[{extra}]'",
        ) from error
