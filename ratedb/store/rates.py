"""The bulk path: rate coefficients into the store and back as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ratedb.store.levels import StoredLevels, positions
from ratedb.tables import BoolArray, FloatArray, IntArray, RateTable, gap_patterns

KINDS = ("computed", "scaled", "extrapolated", "predicted")
"""What a value can be, in the order in which they win; a test holds this to the table kind_rank."""


@dataclass(frozen=True, eq=False)
class StoredRates:
    """The best value for each transition and temperature of one system.

    `rates` has n transitions on the union of the sources' m temperatures, NaN where nothing is known;
    `kind` (index into KINDS, -1 where nothing is known), `source_id` and `log10_std` have shape (n, m).
    """

    rates: RateTable
    kind: IntArray
    source_id: IntArray
    log10_std: FloatArray
    extrapolated: BoolArray
    marked: BoolArray

    def known(self, *, with_marked: bool = False) -> RateTable:
        """Return what is neither predicted nor marked by quality control.

        NaN stands where nothing is known; rows and temperatures without anything are left out.
        """
        keep = (self.kind >= 0) & (self.kind < KINDS.index("predicted"))
        return self._masked(keep if with_marked else keep & ~self.marked).rates

    def rows(self, keep: BoolArray) -> StoredRates:
        """Return only these transitions; `keep` has shape (n,)."""
        return StoredRates(
            self.rates.select(keep),
            self.kind[keep],
            self.source_id[keep],
            self.log10_std[keep],
            self.extrapolated[keep],
            self.marked[keep],
        )

    def columns(self, keep: BoolArray) -> StoredRates:
        """Return only these temperatures; `keep` has shape (m,)."""
        table = replace(
            self.rates,
            temperature_k=self.rates.temperature_k[keep],
            rate_cm3_s=self.rates.rate_cm3_s[:, keep],
        )
        return StoredRates(
            table,
            self.kind[:, keep],
            self.source_id[:, keep],
            self.log10_std[:, keep],
            self.extrapolated[:, keep],
            self.marked[:, keep],
        )

    def of_kinds(self, kinds: Sequence[str]) -> StoredRates:
        """Return only the values of these kinds; rows and temperatures that lose all of theirs go."""
        return self._masked(np.isin(self.kind, [KINDS.index(kind) for kind in kinds]))

    def without(self, wrong: BoolArray) -> StoredRates:
        """Return what is not wrong, shape (n, m); rows and temperatures that lose all of theirs go."""
        return self._masked((self.kind >= 0) & ~wrong)

    def at(self, temperature_k: FloatArray, rate_cm3_s: FloatArray) -> StoredRates:
        """Return values (n, k) at other temperatures (k,), each of the kind of the nearest one in ln T.

        It is marked, or extrapolated, where one of the two on either side is.
        """
        known_k = self.rates.temperature_k
        above = np.clip(np.searchsorted(known_k, temperature_k), 0, len(known_k) - 1)
        below = np.where(known_k[above] == temperature_k, above, np.maximum(above - 1, 0))
        distance = np.abs(np.log(self.rates.temperature_k) - np.log(temperature_k)[:, None])
        nearest = np.argmin(distance, axis=1)
        return StoredRates(
            replace(self.rates, temperature_k=temperature_k, rate_cm3_s=rate_cm3_s),
            self.kind[:, nearest],
            self.source_id[:, nearest],
            self.log10_std[:, nearest],
            self.extrapolated[:, above] | self.extrapolated[:, below],
            self.marked[:, above] | self.marked[:, below],
        )

    def _masked(self, keep: BoolArray) -> StoredRates:
        return self.blanked(~keep).rows(keep.any(axis=1)).columns(keep.any(axis=0))

    def blanked(self, blank: BoolArray) -> StoredRates:
        """Return the same table with nothing known where `blank`, shape (n, m), is true."""
        keep = ~blank
        return StoredRates(
            replace(self.rates, rate_cm3_s=np.where(keep, self.rates.rate_cm3_s, np.nan)),
            np.where(keep, self.kind, -1),
            np.where(keep, self.source_id, -1),
            np.where(keep, self.log10_std, np.nan),
            self.extrapolated & keep,
            self.marked & keep,
        )


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
) -> StoredRates:
    """Return the best value of every transition and temperature of a system, out of a view of such values."""
    columns = connection.execute(
        f"""
        SELECT upper_id, lower_id, temperature_k, rate_cm3_s, rank, source_id,
               coalesce(log10_std, 'nan'::DOUBLE) AS log10_std, extrapolated, marked
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

    table = RateTable(
        molecule.levels,
        collider,
        pairs // len(molecule.levels),
        pairs % len(molecule.levels),
        temperature_k,
        matrix("rate_cm3_s", np.nan, np.float64),
    )
    return StoredRates(
        table,
        matrix("rank", -1, np.int64),
        matrix("source_id", -1, np.int64),
        matrix("log10_std", np.nan, np.float64),
        matrix("extrapolated", False, np.bool_),
        matrix("marked", False, np.bool_),
    )
