"""Small stores for tests, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from synthetic import rotor_lines

from ratedb import __version__
from ratedb.findings import Finding
from ratedb.levels import Lines
from ratedb.models.record import Model
from ratedb.rates import Rates
from ratedb.store import migrations, seals
from ratedb.store.store import Incoming, PutResult, SourceInfo, Store

Tables = dict[str, list[tuple[Any, ...]]]


def incoming(
    rates: Rates,
    reference: str = "somebody (2020)",
    *,
    kind: str = "computed",
    method: str = "CC",
    lines: Lines | None = None,
    file_name: str = "xy.dat",
    warnings: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> Incoming:
    """Return one source with the rotor's lines."""
    info = SourceInfo(kind, method, reference, file_name, "0" * 64, warnings, findings)
    return Incoming(rotor_lines(rates.levels) if lines is None else lines, ((rates, info),))


def put(store: Store, rates: Rates, reference: str = "somebody (2020)", **more: Any) -> PutResult:
    """Store one source and return what that did."""
    return store.put_rates([incoming(rates, reference, **more)])[0]


def make_store(path: Path, *tables: Rates) -> Path:
    """Make a store with these tables, each a source of its own, and return its path."""
    with Store(path, write=True, create=True) as store:
        for number, rates in enumerate(tables):
            put(store, rates, f"reference {number}")
    return path


def model_record(system_id: int = 1, **changes: Any) -> Model:
    """Return a model that was never fitted."""
    values: dict[str, Any] = {
        "system_id": system_id,
        "engine": "basis",
        "kernel": "Matern52",
        "features": "physics",
        "train_j": [1, 3],
        "validate_j": [2],
        "target_j": [1, 2, 3],
        "training_sha256": "0" * 64,
        "training_source_ids": [1],
        "criterion": "validation",
        "seed": 0,
        "validation": {"dex_rms": 0.1},
        "tried": [],
        "seconds": 1.0,
        "state": {},
        "arrays": b"",
    }
    return Model(**(values | changes))


def by_transition(rates: Rates) -> dict[tuple[str, str, float], float]:
    """Return each value by upper label, lower label and temperature; missing values are left out."""
    label = rates.levels.label
    return {
        (label[rates.upper[row]], label[rates.lower[row]], float(kelvin)): float(
            rates.rate_cm3_s[row, column]
        )
        for row in range(len(rates))
        for column, kelvin in enumerate(rates.temperature_k)
        if not np.isnan(rates.rate_cm3_s[row, column])
    }


def table_names(path: Path) -> list[str]:
    """Return the names of the tables (no views) in a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    return sorted(str(row[0]) for row in rows)


def all_tables(path: Path) -> Tables:
    """Return every row of every table, in their order on disk."""
    names = table_names(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


def schema_version(path: Path) -> int:
    """Return the schema version of a file, without ratedb's own way of opening it."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return migrations.current_version(connection)


_IN_ORDER = (
    "collision_system",
    "level_set",
    "level",
    "level_value",
    "line",
    "model",
    "source",
    "temperature_grid",
    "rate",
    "plan",
    "molecule",
)


def make_store_of_version(path: Path, version: int, data: Path) -> Path:
    """Make a store at an old schema version with the data of another store."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(migrations._RECORD_TABLE)
        for step in migrations.available()[:version]:
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO schema_migration VALUES (?, ?, now()::TIMESTAMP, ?)",
                [step.version, step.name, __version__],
            )
        made = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        connection.execute(f"ATTACH '{data}' AS data (READ_ONLY)")
        for table in (name for name in _IN_ORDER if name in made):
            old = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            names = ", ".join("log10_half_width_68" if name == "log10_std" else name for name in old)
            connection.execute(f"INSERT INTO {table} SELECT {names} FROM data.{table}")
        sequences = connection.execute(
            "SELECT sequence_name FROM duckdb_sequences() WHERE database_name <> 'data'"
        ).fetchall()
        for (name,) in sequences:
            connection.execute(f"SELECT nextval('{name}') FROM range(1000)").fetchall()
        if "seal" in made:
            seals.seal_rates(connection)
            seals.seal_new(connection)
    return path
