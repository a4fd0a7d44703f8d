"""The classes of the methods in a store, which decide which source takes precedence."""

from __future__ import annotations

import duckdb

from ratedb.methods import method_class
from ratedb.store.connection import run


def classify_methods(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the class of each method of the sources and of their corrections that has none yet."""
    new = connection.execute(
        """
        SELECT DISTINCT method FROM source WHERE method NOT IN (SELECT method FROM method_class)
        UNION
        SELECT DISTINCT new_value FROM source_event
        WHERE field = 'method' AND new_value NOT IN (SELECT method FROM method_class)
        """
    ).fetchall()
    for (method,) in new:
        run(connection, "INSERT INTO method_class VALUES (?, ?)", [method, method_class(method)])
