"""The bulk path into the store: rates are staged as arrays, compared, and then moved into the table rate."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from ratedb.arrays import IntArray, blocks, gap_patterns
from ratedb.findings import Finding
from ratedb.rates import Rates
from ratedb.references import Reference
from ratedb.safe_text import clean, visible
from ratedb.store.connection import run
from ratedb.store.seals import RATE_HASH


@dataclass(frozen=True)
class SourceInfo:
    """Where the values of one import come from, and what quality control found.

    `files` are the names and SHA-256 of all files where the values come from more than one. `parts` are those
    of the reference where they are given; else they are read from its text. `exported` values were written by
    ratedb: they are new only where the source that they came from does not have them. `comment` is free
    text of whoever imports it. Texts are cleaned.
    """

    kind: str
    method: str
    reference: str
    file_name: str
    file_sha256: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    parts: Reference | None = None
    exported: bool = False
    comment: str | None = None

    def __post_init__(self) -> None:
        for name in ("method", "reference", "file_name"):
            object.__setattr__(self, name, clean(getattr(self, name)))
        object.__setattr__(self, "files", tuple((clean(name), digest) for name, digest in self.files))
        object.__setattr__(self, "warnings", tuple(map(visible, self.warnings)))
        if self.parts is not None:
            object.__setattr__(self, "parts", self.parts.cleaned())
        if self.comment is not None:
            object.__setattr__(self, "comment", clean(self.comment))


def clear_staged(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `staged`, empty, with the columns of the table rate."""
    connection.execute("CREATE OR REPLACE TEMP TABLE staged AS SELECT * EXCLUDE (row_hash) FROM rate LIMIT 0")


def stage(connection: duckdb.DuckDBPyConnection, rates: Rates, level_id: IntArray) -> None:
    """Put rates into the temporary table `staged`, each row without the temperatures where it has NaN.

    `level_id`, shape (n,), are the store's ids of the levels. Half widths and flags of extrapolation are
    those of the layers.
    """
    clear_staged(connection)
    # Rows with values at the same temperatures share a grid; nearly always this is one group.
    patterns, group = gap_patterns(np.isfinite(rates.rate_cm3_s))
    for number, pattern in enumerate(patterns):
        if pattern.any():
            rows = np.flatnonzero(group == number)
            for some in blocks((len(rows), len(pattern))):
                part = rates.select(rows[some]).select_temperatures(pattern)
                _stage_group(connection, part, level_id)


def _stage_group(connection: duckdb.DuckDBPyConnection, rates: Rates, level_id: IntArray) -> None:
    # One column for each temperature, put together to lists by DuckDB: far quicker than grouping values.
    columns = {
        "upper_id": level_id[rates.upper],
        "lower_id": level_id[rates.lower],
        "extrapolated": rates.extrapolated.any(axis=1),
    }
    lists = {"rate": rates.rate_cm3_s, "width": rates.layers.get("log10_half_width_68")}
    selected = []
    for name, values in lists.items():
        names = [f"{name}{place}" for place in range(len(rates.temperature_k))]
        if values is not None:
            columns |= dict(zip(names, np.ascontiguousarray(values.T), strict=True))
        selected.append("NULL" if values is None else f"[{', '.join(names)}]")
    grid = _grid_id(connection, rates.temperature_k.tolist())
    connection.register("incoming", columns)
    connection.execute(
        f"INSERT INTO staged SELECT 0, upper_id, lower_id, {grid}, {', '.join(selected)}, extrapolated"
        " FROM incoming"
    )
    connection.unregister("incoming")


def _grid_id(connection: duckdb.DuckDBPyConnection, temperature_k: list[float]) -> int:
    """Return the id of a temperature grid, which is stored if it is new."""
    known = "SELECT grid_id FROM temperature_grid WHERE temperature_k = ?::DOUBLE[]"
    found = run(connection, known, [temperature_k]).fetchall()
    if not found:
        found = connection.execute("SELECT nextval('temperature_grid_ids')").fetchall()
        run(connection, "INSERT INTO temperature_grid VALUES (?, ?)", [found[0][0], temperature_k])
    return int(found[0][0])


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
    if info.exported:
        _drop_exported(connection, system_id, info)


def _drop_exported(connection: duckdb.DuckDBPyConnection, system_id: int, info: SourceInfo) -> None:
    """Delete from `staged` the rows whose values a source of the same description has, whatever its file.

    An export may hold fewer temperatures than its source, which is described as a curator corrected it, and
    seven digits of values that no file printed.
    """
    run(
        connection,
        """
        WITH given AS (
            SELECT upper_id, lower_id, grid_id, len(temperature_k) AS size,
                   unnest(temperature_k) AS temperature_k, unnest(rate_cm3_s) AS rate_cm3_s
            FROM staged JOIN temperature_grid USING (grid_id)
        ), own AS (
            SELECT source_id, upper_id, lower_id,
                   unnest(temperature_k) AS temperature_k, unnest(rate_cm3_s) AS rate_cm3_s
            FROM rate JOIN source_now AS source USING (source_id) JOIN temperature_grid USING (grid_id)
            WHERE source.system_id = ? AND source.kind = ? AND source.method = ? AND source.reference = ?
        ), same AS (
            SELECT upper_id, lower_id, grid_id
            FROM given JOIN own USING (upper_id, lower_id, temperature_k)
            WHERE abs(given.rate_cm3_s - own.rate_cm3_s) <= 1e-6 * own.rate_cm3_s
            GROUP BY source_id, upper_id, lower_id, grid_id HAVING count(*) = any_value(size)
        )
        DELETE FROM staged WHERE (upper_id, lower_id, grid_id) IN (FROM same)
        """,
        [system_id, info.kind, info.method, info.reference],
    )


def staged_values(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many values are staged."""
    row = connection.execute("SELECT coalesce(sum(len(rate_cm3_s)), 0) FROM staged").fetchone()
    return int(row[0]) if row else 0


def commit_staged(connection: duckdb.DuckDBPyConnection, source_id: int | None = None) -> None:
    """Move what is staged into the rates of a source; without one each row names its own."""
    own = "source_id" if source_id is None else str(int(source_id))
    rows = f"SELECT {own} AS source_id, * EXCLUDE (source_id) FROM staged"
    connection.execute(f"INSERT INTO rate SELECT *, {RATE_HASH} FROM ({rows})")
    connection.execute("DROP TABLE staged")
