"""Bring a store up to date: numbered SQL files, each applied in one transaction with its record."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources

import duckdb

from ratedb.errors import RatedbError
from ratedb.origin import now
from ratedb.store import seals
from ratedb.store.connection import run
from ratedb.store.method_classes import classify_methods

_log = logging.getLogger(__name__)

_RECORD_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
)
"""
_WITH_METHODS, _WITH_KINDS, _WITH_SEALS = 8, 12, 16
_RECORD_COLUMNS = ("version", "name", "applied_at", "ratedb_version")
_OBJECTS = """
SELECT name FROM (
    SELECT table_name AS name, database_name FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT view_name, database_name FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT sequence_name, database_name FROM duckdb_sequences()
    UNION ALL SELECT function_name, database_name FROM duckdb_functions() WHERE NOT internal
    UNION ALL SELECT type_name, database_name FROM duckdb_types() WHERE NOT internal
) WHERE database_name = current_database()
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
    """Return the newest version recorded in the store, 0 where there is none; never writes.

    A table of that name with other columns is not ratedb's.
    """
    there = connection.execute(
        "SELECT count(*) FROM duckdb_tables()"
        " WHERE table_name = 'schema_migration' AND schema_name = 'main' AND NOT internal"
    ).fetchone()
    if there is None or there[0] == 0:
        return 0
    columns = connection.execute("SELECT name FROM pragma_table_info('main.schema_migration')").fetchall()
    if tuple(name for (name,) in columns) != _RECORD_COLUMNS:
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


def execute(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Run the statements of a migration."""
    connection.execute(sql)


def migrate(
    connection: duckdb.DuckDBPyConnection,
    ratedb_version: str,
    where: str,
    execute: Callable[[duckdb.DuckDBPyConnection, str], None] = execute,
    *,
    up_to: int | None = None,
) -> list[int]:
    """Apply pending migrations with `execute`, perhaps only `up_to` one, and return their versions.

    Each migration and its record are one transaction, so a step that fails or is killed leaves neither.
    Raises RatedbError where the file, named `where`, contains what ratedb did not make.
    """
    version = current_version(connection)
    if version == 0:
        _refuse_foreign(connection, where)
    applied = []
    for migration in available():
        if migration.version <= version or (up_to is not None and migration.version > up_to):
            continue
        connection.execute("BEGIN TRANSACTION")
        try:
            execute(connection, _RECORD_TABLE)
            execute(connection, migration.sql)
            _fill_in(connection, migration.version, is_new=version == 0)
            record = [migration.version, migration.name, now(), ratedb_version]
            run(connection, "INSERT INTO schema_migration VALUES (?, ?, ?, ?)", record)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a COMMIT that failed has rolled back already
                connection.execute("ROLLBACK")
            raise
        applied.append(migration.version)
    if applied and version:
        _log.info("migrated %s from schema %d to %d", where, version, applied[-1])
    return applied


def _fill_in(connection: duckdb.DuckDBPyConnection, version: int, *, is_new: bool) -> None:
    """Do what SQL alone cannot do of a migration."""
    if version == _WITH_METHODS:
        classify_methods(connection)
    if version == _WITH_KINDS and not is_new:  # a new store has no levels yet
        from ratedb.store.molecule_kinds import recognise_stored  # brings numpy

        recognise_stored(connection)
    if version == _WITH_SEALS:
        seals.seal_rates(connection)
    if version >= _WITH_SEALS:
        seals.seal_new(connection)


def _refuse_foreign(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    objects = connection.execute(_OBJECTS).fetchall()
    if objects:
        names = ", ".join(sorted(str(row[0]) for row in objects)[:5])
        raise RatedbError(
            "this DuckDB file is not a ratedb store",
            where=where,
            expected="a database that ratedb made, or an empty one",
            got=f"one that holds {names}",
            todo="choose another file with --db",
        )
