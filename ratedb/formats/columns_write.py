"""Write tables of rate coefficients with one row for each value: CSV, Parquet, pandas, Arrow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.formats.frames import as_arrow, as_pandas

if TYPE_CHECKING:
    import pandas
    import pyarrow

TABLE_FORMATS = ("csv", "parquet")

COLUMNS = {
    "molecule": "VARCHAR",
    "collider": "VARCHAR",
    "v": "INTEGER",
    "j": "INTEGER",
    "v_final": "INTEGER",
    "j_final": "INTEGER",
    "upper_label": "VARCHAR",
    "lower_label": "VARCHAR",
    "upper_energy_cm1": "DOUBLE",
    "lower_energy_cm1": "DOUBLE",
    "upper_weight": "DOUBLE",
    "lower_weight": "DOUBLE",
    "temperature_k": "DOUBLE",
    "rate_cm3_s": "DOUBLE",
    "kind": "VARCHAR",
    "log10_std": "DOUBLE",
    "extrapolated": "BOOLEAN",
    "marked": "BOOLEAN",
    "source_id": "INTEGER",
    "reference": "VARCHAR",
}
"""The columns that are written: those of schemas/rates.schema.json, and where each value is from."""


def render_columns(columns: Mapping[str, npt.NDArray[Any]], file_format: str) -> bytes:
    """Return the bytes of a CSV or Parquet file with the columns of COLUMNS, each of shape (n,).

    NaN is written as null. The same values give the same bytes.
    """
    as_format = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}[file_format]
    with _typed(columns) as (connection, select), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table"
        quoted = str(target).replace("'", "''")
        connection.execute(f"COPY ({select}) TO '{quoted}' ({as_format})")
        return target.read_bytes()


def columns_as_pandas(columns: Mapping[str, npt.NDArray[Any]]) -> pandas.DataFrame:
    """Return the columns of COLUMNS, each of shape (n,), as a data frame; RatedbError without pandas."""
    with _typed(columns) as (connection, select):
        return as_pandas(connection, select)


def columns_as_arrow(columns: Mapping[str, npt.NDArray[Any]]) -> pyarrow.Table:
    """Return the columns of COLUMNS, each of shape (n,), as an Arrow table; RatedbError without pyarrow."""
    with _typed(columns) as (connection, select):
        return as_arrow(connection, select)


@contextmanager
def _typed(columns: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Give a database in memory and a query for the columns with their types, NaN as null."""
    chosen = ", ".join(
        f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END::{of} AS {name}"
        if columns[name].dtype == np.float64
        else f"{name}::{of} AS {name}"
        for name, of in COLUMNS.items()
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("given", dict(columns))
        yield connection, f"SELECT {chosen} FROM given"
