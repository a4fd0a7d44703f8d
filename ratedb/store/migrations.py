"""Bring a store up to date: numbered SQL files, each applied in one transaction with its record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

import duckdb

from ratedb.errors import RatedbError

_RECORD_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
)
"""


@dataclass(frozen=True)
class Migration:
    """One step of the schema: its number, its name and the SQL that takes it."""

    version: int
    name: str
    sql: str


def available() -> tuple[Migration, ...]:
    """Return the migrations this version of ratedb knows, in order."""
    folder = resources.files("ratedb_schemas") / "migrations"
    found = []
    for entry in folder.iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


def current_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the newest version recorded in the store, 0 where there is none; never writes."""
    row = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migration' AND NOT internal"
    ).fetchone()
    if row is None or row[0] == 0:
        return 0
    newest = connection.execute("SELECT max(version) FROM schema_migration").fetchone()
    return int(newest[0]) if newest and newest[0] is not None else 0


def check_not_newer(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    """Return the version of the store; raises RatedbError where this ratedb is too old for it."""
    known = available()[-1].version
    version = current_version(connection)
    if version > known:
        raise RatedbError(
            "the database was written by a newer ratedb",
            where=where,
            expected=f"schema version {known} or older",
            got=f"schema version {version}",
            todo="update ratedb (pip install --upgrade ratedb); the database was not changed",
        )
    return version


def migrate(connection: duckdb.DuckDBPyConnection, ratedb_version: str) -> list[int]:
    """Apply what is pending and return the versions applied.

    Each migration and its record are one transaction, so a step that fails or is killed leaves neither.
    Raises RatedbError where the file holds tables that ratedb did not make.
    """
    version = current_version(connection)
    if version == 0:
        _refuse_foreign(connection)
    applied = []
    for migration in available():
        if migration.version <= version:
            continue
        connection.execute("BEGIN TRANSACTION")
        try:
            connection.execute(_RECORD_TABLE)
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_migration VALUES (?, ?, now()::TIMESTAMP, ?)",
                [migration.version, migration.name, ratedb_version],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        applied.append(migration.version)
    return applied


def _refuse_foreign(connection: duckdb.DuckDBPyConnection) -> None:
    tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    if tables:
        names = ", ".join(sorted(str(row[0]) for row in tables)[:5])
        raise RatedbError(
            "this DuckDB file is not a ratedb store",
            expected="an empty file or one with a schema_migration table",
            got=f"tables {names}",
            todo="choose another file with --db",
        )
