"""The bulk path: rate coefficients into the store and back as arrays."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray, IntArray, gap_patterns
from ratedb.layers import LAYERS
from ratedb.rates import Rates
from ratedb.store.levels import StoredLevels, positions


def grid_id(connection: duckdb.DuckDBPyConnection, temperature_k: FloatArray) -> int:
    """Return the id of a temperature grid, which is stored if it is new."""
    grid = [float(t) for t in temperature_k]
    row = connection.execute(
        "SELECT grid_id FROM temperature_grid WHERE temperature_k = ?::DOUBLE[]", [grid]
    ).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO temperature_grid VALUES (nextval('temperature_grid_ids'), ?) RETURNING grid_id",
            [grid],
        ).fetchone()
    return int(row[0]) if row else 0


def stage(
    connection: duckdb.DuckDBPyConnection,
    upper_id: IntArray,
    lower_id: IntArray,
    temperature_k: FloatArray,
    rate_cm3_s: FloatArray,
    log10_std: FloatArray | None = None,
    extrapolated: BoolArray | None = None,
) -> None:
    """Put rows into the temporary table `staged`, without the temperatures where a row has NaN.

    `upper_id` and `lower_id` have shape (n,), `rate_cm3_s` and `log10_std` (n, m).
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM rate LIMIT 0")
    known = np.isfinite(rate_cm3_s)
    std = np.full_like(rate_cm3_s, np.nan) if log10_std is None else log10_std
    flags = np.zeros(len(upper_id), dtype=np.bool_) if extrapolated is None else extrapolated
    # Rows that know the same temperatures share a grid; nearly always this is one group.
    patterns, group = gap_patterns(known)
    for number, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        rows = np.flatnonzero(group == number)
        cut = np.ix_(rows, np.flatnonzero(pattern))
        _stage_group(
            connection,
            (upper_id[rows], lower_id[rows], flags[rows]),
            grid_id(connection, temperature_k[pattern]),
            rate_cm3_s[cut],
            None if log10_std is None else std[cut],
        )


def _stage_group(
    connection: duckdb.DuckDBPyConnection,
    heads: tuple[IntArray, IntArray, BoolArray],
    grid: int,
    rate_cm3_s: FloatArray,
    log10_std: FloatArray | None,
) -> None:
    # One column for each temperature, put together to lists by DuckDB: far quicker than grouping values.
    columns = {"upper_id": heads[0], "lower_id": heads[1], "extrapolated": heads[2]}
    places = range(rate_cm3_s.shape[1])
    columns |= {f"rate{place}": np.ascontiguousarray(rate_cm3_s[:, place]) for place in places}
    deviation = "NULL"
    if log10_std is not None:
        columns |= {f"std{place}": np.ascontiguousarray(log10_std[:, place]) for place in places}
        deviation = f"[{', '.join(f'std{place}' for place in places)}]"
    connection.register("incoming", columns)
    connection.execute(
        f"INSERT INTO staged SELECT 0, upper_id, lower_id, {int(grid)},"
        f" [{', '.join(f'rate{place}' for place in places)}], {deviation}, extrapolated FROM incoming"
    )
    connection.unregister("incoming")


def drop_unchanged(
    connection: duckdb.DuckDBPyConnection,
    system_id: int,
    kind: str,
    method: str,
    reference: str,
    file_sha256: str,
) -> None:
    """Delete from `staged` what the same source already brought with the same values."""
    connection.execute(
        """
        DELETE FROM staged WHERE EXISTS (
            SELECT 1 FROM rate JOIN source USING (source_id)
            WHERE source.system_id = ? AND source.kind = ? AND source.method = ? AND source.reference = ?
              AND source.file_sha256 = ?
              AND rate.upper_id = staged.upper_id AND rate.lower_id = staged.lower_id
              AND rate.grid_id = staged.grid_id AND rate.rate_cm3_s = staged.rate_cm3_s
        )
        """,
        [system_id, kind, method, reference, file_sha256],
    )


def staged_values(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many values are staged."""
    row = connection.execute("SELECT coalesce(sum(len(rate_cm3_s)), 0) FROM staged").fetchone()
    return int(row[0]) if row else 0


def commit_staged(connection: duckdb.DuckDBPyConnection, source_id: int) -> None:
    """Move what is staged into the rates of a source."""
    connection.execute(f"INSERT INTO rate SELECT {int(source_id)}, * EXCLUDE (source_id) FROM staged")
    connection.execute("DROP TABLE staged")


def best_rates(
    connection: duckdb.DuckDBPyConnection, view: str, system_id: int, collider: str, molecule: StoredLevels
) -> Rates:
    """Return the best value of every transition and temperature of a system, out of a view of such values."""
    columns = connection.execute(
        f"""
        SELECT upper_id, lower_id, temperature_k, rate_cm3_s, rank AS kind_code, source_id,
               coalesce(log10_std, 'nan'::DOUBLE) AS log10_half_width_68, extrapolated, marked
        FROM {view} WHERE system_id = ?
        """,
        [system_id],
    ).fetchnumpy()
    upper = positions(molecule.level_id, np.asarray(columns["upper_id"], dtype=np.int64))
    lower = positions(molecule.level_id, np.asarray(columns["lower_id"], dtype=np.int64))
    pairs, row = np.unique(upper * len(molecule.levels) + lower, return_inverse=True)
    temperature_k, column = np.unique(np.asarray(columns["temperature_k"]), return_inverse=True)

    def matrix(name: str, empty: float, dtype: type) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = np.full((len(pairs), len(temperature_k)), empty, dtype=dtype)
        values[row, column] = columns[name]
        return values

    return Rates(
        molecule.levels,
        collider,
        pairs // len(molecule.levels),
        pairs % len(molecule.levels),
        temperature_k,
        matrix("rate_cm3_s", np.nan, np.float64),
        {name: matrix(name, layer.empty, layer.dtype) for name, layer in LAYERS.items()},
    )
