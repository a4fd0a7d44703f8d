"""Give rows that a test changed new hashes, so that what lies behind the hashes is tested."""

from __future__ import annotations

import duckdb

from ratedb.store import seals


def seal_again(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Give the rows of a table the hashes of what they are now."""
    if table == "rate":
        seals.seal_rates(connection)
    connection.execute("DELETE FROM seal WHERE table_name = ?", [table])
    seals.seal_new(connection)
