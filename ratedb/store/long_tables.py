"""Tables of one row for each value that are too large for memory: DuckDB reads them from their file.

The rows are taken apart into heads, one for each different combination of all cells but temperature and rate,
and the values below each head, which come as a matrix.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, IntArray
from ratedb.store.cells import quoted
from ratedb.store.connection import Config, run
from ratedb.store.tabular import Cells, TableError, Tabular, only_file
from ratedb.temporary import temporary_folder

_MEMORY = "2GB"
_PIECE = 4_000_000
_MOST_ODD = 1000
_VALUES = ("temperature_k", "rate_cm3_s")
_ODD = (
    "(temperature_k > 0 AND temperature_k < 'inf'::DOUBLE) IS NOT TRUE"
    " OR rate_cm3_s < 0 OR rate_cm3_s = 'inf'::DOUBLE"
)


class OddTableError(TableError):
    """A table has rows that must be looked at one by one."""


class LongTable(Tabular):
    """A table in a file. `fetch` gives its heads; other methods take these by their index, shape (n,)."""

    size: IntArray
    """How many rows each head has."""
    known: IntArray
    """How many of its rows have a rate."""

    def fetch(self, numbers: Mapping[str, int], texts: Mapping[str, int]) -> Cells:
        """Return the cells of the heads, with the lowest temperature and the largest rate below each.

        Raises OddTableError where a temperature or rate is no plain number, or impossible.
        """
        places = {**texts, **numbers}
        self._values = {name: places.pop(name) for name in _VALUES}
        self._keys = places
        keys = ", ".join(map(quoted, places))
        self._connection.execute(f"CREATE VIEW cell AS {self._cell(self._source)}")
        self._connection.execute(
            f"CREATE TABLE head AS SELECT (row_number() OVER (ORDER BY {keys}) - 1)::INTEGER AS head, *"
            f" FROM (SELECT {keys}, any_value(key) AS key, count(*) AS size, count(rate_cm3_s) AS known,"
            " min(temperature_k) AS temperature_k, max(rate_cm3_s) AS rate_cm3_s, bool_or(odd) AS odd"
            f" FROM cell GROUP BY {keys})"
        )
        # Heads whose keys are different are told apart by these alone: no row is of any other head.
        [(odd, alike)] = self._connection.execute(
            "SELECT coalesce(bool_or(odd), false), count(DISTINCT key) < count(*) FROM head"
        ).fetchall()
        if odd or alike:
            raise OddTableError("rows that must be looked at one by one")
        self._connection.execute(
            "CREATE TABLE value AS SELECT head.head, cell.temperature_k, cell.rate_cm3_s"
            " FROM cell JOIN head USING (key) WHERE cell.rate_cm3_s IS NOT NULL"
        )
        heads = Tabular(self._connection, "(SELECT * FROM head ORDER BY head)")
        place = {name: at for at, name in enumerate(heads.names)}
        counts = heads.fetch({"size": place["size"], "known": place["known"]}, {}).numbers
        self.size, self.known = (counts[name].astype(np.int64) for name in ("size", "known"))
        return heads.fetch({name: place[name] for name in numbers}, {name: place[name] for name in texts})

    @property
    def is_described(self) -> bool:
        """Whether it is known which columns the heads have."""
        return hasattr(self, "_keys")

    def _cell(self, source: str, more: str = "") -> str:
        """Return a query for what the head of each row has, as it is written, its values and if they are odd.

        `key` is a hash of what the head has.
        """
        given, chosen, from_text = self.expressions(self._values, {})
        keys = [f"{quoted(self.names[place])} AS {quoted(name)}" for name, place in self._keys.items()]
        names = ", ".join(map(quoted, self._keys))
        plain = [f"CASE WHEN NOT isnan({name}) THEN {name} END AS {name}" for name in _VALUES]
        odd = " OR ".join([_ODD, *(f"{quoted(f'{name} unread')} IS NOT NULL" for name in from_text)])
        return (
            f"SELECT *, hash({names}) AS key, {odd} AS odd FROM (SELECT * REPLACE ({', '.join(plain)}) FROM ("
            f"SELECT {', '.join(chosen)}, {names}{more} FROM ("
            f"SELECT {', '.join([*given, *keys])}{more} FROM {source})))"
        )

    def temperatures(self, heads: IntArray) -> FloatArray:
        """Return the different temperatures (K) below some heads, in order, shape (m,)."""
        self._connection.register("wanted", {"head": heads.astype(np.int32)})
        found = self._connection.execute(
            "SELECT DISTINCT temperature_k FROM value SEMI JOIN wanted USING (head) ORDER BY temperature_k"
        ).fetchnumpy()
        return np.asarray(found["temperature_k"], dtype=np.float64)

    def matrix(self, heads: IntArray, row: IntArray, rows: int, temperature_k: FloatArray) -> FloatArray:
        """Return the rates (cm3 s-1) below heads as a matrix, shape (rows, m), NaN where there is none.

        `row`, shape (k,), is where the values of each of the k heads belong. Raises OddTableError where two
        values of one place differ.
        """
        matrix = np.full(rows * len(temperature_k), np.nan)
        row_of = np.full(len(self.size), -1, dtype=np.int64)
        row_of[heads] = row
        for head, kelvin, value in self._pieces(heads):
            at = row_of[head]
            at = at * len(temperature_k) + np.searchsorted(temperature_k, kelvin)
            mine = row_of[head] >= 0
            if not mine.all():
                at, value = at[mine], value[mine]
            before = matrix[at]
            matrix[at] = value
            if (~np.isnan(before) & (before != value)).any() or (matrix[at] != value).any():
                raise OddTableError("duplicate rows with different rates")
        matrix.shape = rows, len(temperature_k)
        matrix.setflags(write=False)
        return matrix

    def _pieces(self, heads: IntArray) -> Iterator[tuple[npt.NDArray[Any], ...]]:
        """Yield head, temperature and rate of the rows below some heads, and perhaps others between them."""
        if not len(heads):
            return
        low, high = int(heads.min()), int(heads.max())
        [(first, last)] = self._connection.execute(
            f"SELECT min(rowid), max(rowid) FROM value WHERE head BETWEEN {low} AND {high}"
        ).fetchall()
        for start in range(first or 0, (last if last is not None else -1) + 1, _PIECE):
            found = self._connection.execute(
                f"SELECT head, temperature_k, rate_cm3_s FROM value WHERE head BETWEEN {low} AND {high}"
                f" AND rowid BETWEEN {start} AND {min(start + _PIECE - 1, last)}"
            ).fetchnumpy()
            yield found["head"], found["temperature_k"], found["rate_cm3_s"]

    def some_rows(self) -> SomeRows:
        """Return the rows that show what is wrong: the first of each head, odd ones, and some duplicates."""
        count = "row_number() OVER () - 1" if self._source.startswith("read_csv") else "file_row_number"
        source = (
            self._source if count != "file_row_number" else self._source[:-1] + ", file_row_number = true)"
        )
        self._connection.execute(
            f"CREATE VIEW numbered AS SELECT *, {count} AS row_of_file FROM {source};"
            f"CREATE VIEW numbered_cell AS {self._cell('numbered', ', row_of_file')};"
            "CREATE TABLE shown AS SELECT coalesce(min(row_of_file) FILTER (rate_cm3_s IS NOT NULL),"
            " min(row_of_file)) AS row_of_file FROM numbered_cell GROUP BY key"
            " UNION (SELECT row_of_file FROM numbered_cell WHERE odd ORDER BY row_of_file"
            f" LIMIT {_MOST_ODD})"
            " UNION SELECT row_of_file FROM numbered_cell SEMI JOIN ("
            "  SELECT key, temperature_k FROM numbered_cell GROUP BY key, temperature_k"
            f"  HAVING min(rate_cm3_s) < max(rate_cm3_s) LIMIT {_MOST_ODD}"
            " ) USING (key, temperature_k);"
            "CREATE TABLE shown_row AS SELECT * FROM numbered SEMI JOIN shown USING (row_of_file)"
            " ORDER BY row_of_file"
        )
        return SomeRows(self._connection, "shown_row", dict(zip(self.names, self.types, strict=True)))


class SomeRows(Tabular):
    """Some rows of a table, which know their place in it."""

    def rows(self, count: int) -> IntArray:
        """Return the place of each row in the table, counted from 0, shape (n,)."""
        found = self._connection.execute(f"SELECT row_of_file FROM {self._source}").fetchnumpy()
        return np.asarray(found["row_of_file"], dtype=np.int64)


@contextmanager
def long_table(path: Path, columns: int | None = None) -> Iterator[LongTable]:
    """Give the table of a Parquet file, or of a CSV file with a header and so many columns.

    Raises TableError where it cannot be read.
    """
    try:
        with temporary_folder() as folder:
            config: Config = {
                "threads": os.cpu_count() or 1,
                "memory_limit": _MEMORY,
                "temp_directory": str(folder),
            }
            with duckdb.connect(f"{folder}/table.duckdb", config=config) as connection:
                run(connection, "SET VARIABLE path = ?", [only_file(path.absolute())])
                if columns is None:
                    # A damaged file may be wrong about its smallest and largest values.
                    source = "read_parquet(getvariable('path'), hive_partitioning = false)"
                    yield LongTable(connection, source)
                else:
                    types = {f"c{place}": "VARCHAR" for place in range(columns)}
                    source = (
                        "read_csv(getvariable('path'), header = true, auto_detect = false, delim = ',',"
                        " compression = 'none',"
                        f" quote = '\"', escape = '\"', strict_mode = true, columns = {types})"
                    )
                    yield LongTable(connection, source, types)
    except (duckdb.Error, OSError) as error:
        raise TableError(str(error).splitlines()[0]) from error
