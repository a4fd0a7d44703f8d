"""Write tables of rate coefficients with one row for each value, as CSV or Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

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
    chosen = ", ".join(
        f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END::{of} AS {name}"
        if columns[name].dtype == np.float64
        else f"{name}::{of} AS {name}"
        for name, of in COLUMNS.items()
    )
    with duckdb.connect(config={"threads": 1}) as connection, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table"
        connection.register("given", dict(columns))
        quoted = str(target).replace("'", "''")
        connection.execute(f"COPY (SELECT {chosen} FROM given) TO '{quoted}' ({as_format})")
        return target.read_bytes()
