"""Write tables of rate coefficients with one row for each value: CSV, Parquet, pandas, Arrow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.rates import Rates

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
    "log10_half_width_68": "DOUBLE",
    "extrapolated": "BOOLEAN",
    "marked": "BOOLEAN",
    "source_id": "INTEGER",
    "reference": "VARCHAR",
}
"""The columns that are written: those of schemas/rates.schema.json, and where each value is from."""


def rate_columns(tables: Sequence[Rates]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table with a row for each value, as schemas/rates.schema.json names them."""
    parts = [_columns_of(rates) for rates in tables]
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def _columns_of(rates: Rates) -> dict[str, npt.NDArray[Any]]:
    levels = rates.levels
    row, column = np.nonzero(np.isfinite(rates.rate_cm3_s))
    order = np.lexsort([column, rates.lower[row], rates.upper[row]])
    row, column = row[order], column[order]
    none = np.full(len(levels), np.nan)
    v, j = (none, none) if levels.v is None or levels.j is None else (1.0 * levels.v, 1.0 * levels.j)
    label = np.array(levels.label, dtype=object)
    upper, lower = rates.upper[row], rates.lower[row]
    source_id = rates.source_id[row, column]
    used, place = np.unique(source_id, return_inverse=True)
    references = np.array([rates.sources[number]["reference"] for number in used.tolist()], dtype=object)
    return {
        "molecule": np.full(len(row), levels.molecule, dtype=object),
        "collider": np.full(len(row), rates.collider, dtype=object),
        "v": v[upper],
        "j": j[upper],
        "v_final": v[lower],
        "j_final": j[lower],
        "upper_label": label[upper],
        "lower_label": label[lower],
        "upper_energy_cm1": levels.energy_cm1[upper],
        "lower_energy_cm1": levels.energy_cm1[lower],
        "upper_weight": levels.weight[upper],
        "lower_weight": levels.weight[lower],
        "temperature_k": rates.temperature_k[column],
        "rate_cm3_s": rates.rate_cm3_s[row, column],
        "kind": rates.kind[row, column].astype(object),
        "log10_half_width_68": rates.log10_half_width_68[row, column],
        "extrapolated": rates.extrapolated[row, column],
        "marked": rates.marked[row, column],
        "source_id": source_id,
        "reference": references[place],
    }


def render_columns(columns: Mapping[str, npt.NDArray[Any]], file_format: str) -> bytes:
    """Return the bytes of a CSV or Parquet file with the columns of COLUMNS, each of shape (n,).

    NaN is written as null. The same values give the same bytes.
    """
    as_format = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}[file_format]
    with typed_columns(columns) as (connection, select), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table"
        quoted = str(target).replace("'", "''")
        connection.execute(f"COPY ({select}) TO '{quoted}' ({as_format})")
        return target.read_bytes()


@contextmanager
def typed_columns(columns: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
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
