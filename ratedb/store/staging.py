"""The bulk path into the store: rates are staged as arrays, compared, and then moved into the table rate."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, gap_patterns
from ratedb.findings import Finding
from ratedb.store.connection import run


@dataclass(frozen=True)
class SourceInfo:
    """Where the values of one import come from, and what quality control found.

    `files` are the names and SHA-256 of all files where the values come from more than one.
    """

    kind: str
    method: str
    reference: str
    file_name: str
    file_sha256: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def grid_id(connection: duckdb.DuckDBPyConnection, temperature_k: FloatArray) -> int:
    """Return the id of a temperature grid, which is stored if it is new."""
    grid = [float(t) for t in temperature_k]
    found = run(
        connection, "SELECT grid_id FROM temperature_grid WHERE temperature_k = ?::DOUBLE[]", [grid]
    ).fetchall()
    found = (
        found
        or run(
            connection,
            "INSERT INTO temperature_grid VALUES (nextval('temperature_grid_ids'), ?) RETURNING grid_id",
            [grid],
        ).fetchall()
    )
    return int(found[0][0])


def stage(
    connection: duckdb.DuckDBPyConnection,
    upper_id: IntArray,
    lower_id: IntArray,
    temperature_k: FloatArray,
    rate_cm3_s: FloatArray,
    log10_half_width_68: FloatArray | None = None,
    extrapolated: BoolArray | None = None,
) -> None:
    """Put rows into the temporary table `staged`, without the temperatures where a row has NaN.

    `upper_id` and `lower_id` have shape (n,), `rate_cm3_s` and `log10_half_width_68` (n, m).
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM rate LIMIT 0")
    known = np.isfinite(rate_cm3_s)
    flags = np.zeros(len(upper_id), dtype=np.bool_) if extrapolated is None else extrapolated
    # Rows with values at the same temperatures share a grid; nearly always this is one group.
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
            None if log10_half_width_68 is None else log10_half_width_68[cut],
        )


def _stage_group(
    connection: duckdb.DuckDBPyConnection,
    heads: tuple[IntArray, IntArray, BoolArray],
    grid: int,
    rate_cm3_s: FloatArray,
    log10_half_width_68: FloatArray | None,
) -> None:
    # One column for each temperature, put together to lists by DuckDB: far quicker than grouping values.
    columns = {"upper_id": heads[0], "lower_id": heads[1], "extrapolated": heads[2]}
    places = range(rate_cm3_s.shape[1])
    columns |= {f"rate{place}": np.ascontiguousarray(rate_cm3_s[:, place]) for place in places}
    widths = "NULL"
    if log10_half_width_68 is not None:
        columns |= {f"width{place}": np.ascontiguousarray(log10_half_width_68[:, place]) for place in places}
        widths = f"[{', '.join(f'width{place}' for place in places)}]"
    connection.register("incoming", columns)
    connection.execute(
        f"INSERT INTO staged SELECT 0, upper_id, lower_id, {int(grid)},"
        f" [{', '.join(f'rate{place}' for place in places)}], {widths}, extrapolated FROM incoming"
    )
    connection.unregister("incoming")


def drop_unchanged(connection: duckdb.DuckDBPyConnection, system_id: int, info: SourceInfo) -> None:
    """Delete from `staged` what the same source already brought with the same values."""
    run(
        connection,
        """
        DELETE FROM staged WHERE EXISTS (
            SELECT 1 FROM rate JOIN source USING (source_id)
            WHERE source.system_id = ? AND source.kind = ? AND source.method = ? AND source.reference = ?
              AND source.file_sha256 = ?
              AND rate.upper_id = staged.upper_id AND rate.lower_id = staged.lower_id
              AND rate.grid_id = staged.grid_id AND rate.rate_cm3_s = staged.rate_cm3_s
        )
        """,
        [system_id, info.kind, info.method, info.reference, info.file_sha256],
    )


def staged_values(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many values are staged."""
    row = connection.execute("SELECT coalesce(sum(len(rate_cm3_s)), 0) FROM staged").fetchone()
    return int(row[0]) if row else 0


def commit_staged(connection: duckdb.DuckDBPyConnection, source_id: int) -> None:
    """Move what is staged into the rates of a source."""
    connection.execute(f"INSERT INTO rate SELECT {int(source_id)}, * EXCLUDE (source_id) FROM staged")
    connection.execute("DROP TABLE staged")
