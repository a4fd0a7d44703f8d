"""Findings of quality control, and the order of precedence of sources, in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from ratedb import __version__
from ratedb.arrays import IntArray
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.levels import Levels
from ratedb.origin import now
from ratedb.rates import Rates
from ratedb.store.levels import StoredLevels, positions


def put_findings(
    connection: duckdb.DuckDBPyConnection,
    source_id: int,
    levels: Levels,
    level_id: IntArray,
    findings: Sequence[Finding],
) -> None:
    """Keep what was found about a source; `level_id`, shape (n,), are the store's ids of `levels`."""
    if not findings:
        return
    id_of = dict(zip(levels.label, level_id.tolist(), strict=True))
    columns: dict[str, list[Any]] = {
        "rule": [one.rule for one in findings],
        "severity": [one.severity for one in findings],
        "upper_id": [None if one.upper is None else id_of[one.upper] for one in findings],
        "lower_id": [None if one.lower is None else id_of[one.lower] for one in findings],
        "temperature_k": [one.temperature_k for one in findings],
        "value": [one.value for one in findings],
        "expected": [one.expected for one in findings],
        "detail": [one.detail for one in findings],
    }
    types = ("VARCHAR", "VARCHAR", "INTEGER", "INTEGER", "DOUBLE", "DOUBLE", "DOUBLE", "VARCHAR")
    unnested = ", ".join(f"unnest(?::{of}[])" for of in types)
    connection.execute(
        f"INSERT INTO finding SELECT ?, {unnested}, ?, ?, NULL",
        [source_id, *columns.values(), now(), __version__],
    )


def replace_findings(
    connection: duckdb.DuckDBPyConnection,
    source_id: int,
    levels: Levels,
    level_id: IntArray,
    findings: Sequence[Finding],
    of_file: Sequence[str],
) -> None:
    """Keep what was found about a source in place of what was found before.

    Findings of the rules `of_file` stay, and so do accepted ones.
    """
    connection.execute(
        "DELETE FROM finding WHERE source_id = ? AND accepted_because IS NULL"
        " AND NOT list_contains(?::VARCHAR[], rule)",
        [source_id, list(of_file)],
    )
    put_findings(connection, source_id, levels, level_id, findings)
    connection.execute(
        """
        DELETE FROM finding AS new WHERE source_id = ? AND accepted_because IS NULL AND EXISTS (
            SELECT 1 FROM finding AS old
            WHERE old.source_id = new.source_id AND old.rule = new.rule AND old.accepted_because IS NOT NULL
              AND old.upper_id IS NOT DISTINCT FROM new.upper_id
              AND old.lower_id IS NOT DISTINCT FROM new.lower_id
              AND old.temperature_k IS NOT DISTINCT FROM new.temperature_k
        )
        """,
        [source_id],
    )


def accept_findings(
    connection: duckdb.DuckDBPyConnection, source_ids: Sequence[int], rule: str, reason: str
) -> int:
    """Accept the findings of a rule, so that they flag no values; return how many."""
    accepted = connection.execute(
        "UPDATE finding SET accepted_because = ? WHERE source_id IN (SELECT unnest(?::INTEGER[]))"
        " AND rule = ? AND accepted_because IS NULL RETURNING 1",
        [reason, list(source_ids), rule],
    ).fetchall()
    return len(accepted)


def put_source_order(
    connection: duckdb.DuckDBPyConnection, system_id: int, source_ids: Sequence[int], reason: str
) -> None:
    """Keep an order of precedence of the sources of a system, the best first."""
    connection.execute(
        "INSERT INTO source_order VALUES (nextval('source_order_ids'), ?, ?::INTEGER[], ?, ?, ?)",
        [system_id, list(source_ids), reason, now(), __version__],
    )


def source_rates(
    connection: duckdb.DuckDBPyConnection, source_id: int, collider: str, molecule: StoredLevels
) -> Rates:
    """Return all rates of one source, NaN where it has none; raises RatedbError for an empty source."""
    columns = connection.execute(
        "SELECT upper_id, lower_id, temperature_k, rate_cm3_s FROM rate_value"
        " WHERE source_id = ? AND rate_cm3_s IS NOT NULL",
        [source_id],
    ).fetchnumpy()
    if not len(columns["upper_id"]):
        raise RatedbError(f"source {source_id} has no rates", todo="`ratedb show SYSTEM` lists the sources")
    levels = molecule.levels
    upper = positions(molecule.level_id, np.asarray(columns["upper_id"], dtype=np.int64))
    lower = positions(molecule.level_id, np.asarray(columns["lower_id"], dtype=np.int64))
    pairs, row = np.unique(upper * len(levels) + lower, return_inverse=True)
    temperature_k, column = np.unique(np.asarray(columns["temperature_k"]), return_inverse=True)
    values = np.full((len(pairs), len(temperature_k)), np.nan)
    values[row, column] = columns["rate_cm3_s"]
    return Rates(levels, collider, pairs // len(levels), pairs % len(levels), temperature_k, values)
