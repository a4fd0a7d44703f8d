"""Copy a store while others read it, and check that the copy is the same, row by row."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb

from ratedb.errors import RatedbError, UsageError
from ratedb.files import sha256_of
from ratedb.store.connection import clear_errors, connect
from ratedb.store.lake_address import is_lake
from ratedb.store.opening import bring_up_to_date
from ratedb.store.seals import need_whole
from ratedb.store.snapshot import is_snapshot
from ratedb.temporary import remove_left, temporary_folder

_TABLES = """
SELECT table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database() ORDER BY ALL
"""


def backup(db: Path, target: Path, *, replace: bool) -> tuple[str, int, dict[str, int]]:
    """Copy a store to a file that appears only when it is whole; return its SHA-256, bytes and rows by table.

    The copy is opened, and each table compared with the original by its number of rows and their hash. Nobody
    can write meanwhile. Raises RatedbError where the file exists and is not to be replaced, or the copy
    differs; IntegrityError where another program changed the store; LockedError where another process writes.
    """
    _check(db, target, replace)
    bring_up_to_date(db)
    original = connect(db, read_only=True)
    try:
        with clear_errors(db):
            need_whole(original)  # a copy of a damaged store would replace a good one
        remove_left(target.parent)
        with temporary_folder(beside=target.parent) as folder:
            copy = folder / "copy.duckdb"
            with db.open("rb") as held:  # closing it would release DuckDB's lock on the file
                _copy(db, held.fileno(), copy)
                rows = _compared(original, copy, db)
            digest, size = sha256_of(copy), copy.stat().st_size
            _give_name(copy, target, replace)
            return digest, size, rows
    except OSError as error:
        raise RatedbError(
            "cannot write the backup",
            where=str(target),
            got=error.strerror or str(error),
            todo="choose a folder that exists, is writable and has room",
        ) from error
    finally:
        original.close()


def _check(db: Path, target: Path, replace: bool) -> None:
    if is_lake(db):
        raise UsageError(
            "a lake is no file to copy",
            expected="a store in a file",
            got=str(db),
            todo="publish it, or back up its catalogue and its folder together",
        )
    if is_snapshot(db):
        raise RatedbError("a published snapshot needs no backup", where=str(db), todo="copy its folder")
    if target.exists() and db.exists() and target.samefile(db):
        raise RatedbError("a store cannot be its own backup", where=str(target), todo="name another file")
    if target.is_dir() or (target.exists() and not target.is_file()):
        raise RatedbError("not a file", where=str(target), todo="name a file for the backup")
    if target.exists() and not replace:
        raise RatedbError(
            "the file exists", where=str(target), todo="name another, or replace it with --replace"
        )


def _copy(db: Path, descriptor: int, copy: Path) -> None:
    """Copy a store with what is in its log, and bring the copy into one file."""
    log = db.with_name(f"{db.name}.wal")
    if log.exists():
        shutil.copyfile(log, f"{copy}.wal")
    with os.fdopen(os.dup(descriptor), "rb", closefd=False) as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    writer = connect(copy, read_only=False)
    try:
        with clear_errors(copy):
            writer.execute("CHECKPOINT")
    finally:
        writer.close()
    with copy.open("rb") as handle:
        os.fsync(handle.fileno())


def _compared(original: duckdb.DuckDBPyConnection, copy: Path, db: Path) -> dict[str, int]:
    """Return the rows of each table; raises RatedbError where the copy has others."""
    copied = connect(copy, read_only=True)
    try:
        with clear_errors(db):
            first, second = _contents(original), _contents(copied)
    finally:
        copied.close()
    for table in first.keys() | second.keys():
        if first.get(table) != second.get(table):
            raise RatedbError(
                "the copy is not the same as the store",
                where=f"table {table}",
                expected=str(first.get(table)),
                got=str(second.get(table)),
                todo="check the disk (and memory) of this machine; no backup was made",
            )
    return {table: rows for table, (rows, _) in first.items()}


def _contents(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Return the number of rows of each table, and the sum of their hashes, whatever their order."""
    found = {}
    for (table,) in connection.execute(_TABLES).fetchall():
        sql = f'SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0) FROM "{table}" AS t'
        [(rows, digest)] = connection.execute(sql).fetchall()
        found[table] = (int(rows), int(digest))
    return found


def _give_name(copy: Path, target: Path, replace: bool) -> None:
    copy.chmod(0o644)
    if replace:
        os.replace(copy, target)
    else:
        os.link(copy, target)  # fails where the file was made meanwhile
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
