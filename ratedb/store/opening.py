"""Open a store that is there, whole and up to date, or make it; a half-made store is never visible."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import duckdb

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.store import migrations
from ratedb.store.connection import clear_errors, connect


def open_store(path: Path, *, write: bool = False, create: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection to a store of the newest schema.

    `create` makes the file where there is none. Raises RatedbError where the file is not a store or was
    written by a newer ratedb, LockedError where another process holds it.
    """
    if write and create and not path.exists():
        _create(path)
    if not write:
        bring_up_to_date(path)
    elif not path.exists():
        connect(path, read_only=True)  # says that there is no database
    connection = connect(path, read_only=not write)
    try:
        with clear_errors(path):
            migrations.check_not_newer(connection, str(path))
            if write:
                migrations.migrate(connection, __version__, str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def bring_up_to_date(path: Path) -> None:
    """Migrate an older store, which reading alone could not; raises RatedbError where it is no store."""
    probe = connect(path, read_only=True)
    try:
        with clear_errors(path):
            version = migrations.check_not_newer(probe, str(path))
    finally:
        probe.close()
    if version == 0:
        raise RatedbError("not a ratedb store", where=str(path), todo="name another with --db")
    if version < migrations.available()[-1].version:
        writer = connect(path, read_only=False)
        try:
            with clear_errors(path):
                migrations.migrate(writer, __version__, str(path))
        finally:
            writer.close()


def _create(path: Path) -> None:
    """Make a new store aside and give it its name when it is whole: a half-made one is never visible."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ratedb-new-") as folder:
            new = Path(folder) / "new.duckdb"
            writer = connect(new, read_only=False, shown=path)
            try:
                with clear_errors(path):
                    migrations.migrate(writer, __version__, str(path))
                    writer.execute("CHECKPOINT")  # all in the one file, or an error
            finally:
                writer.close()
            _give_name(new, path)
    except OSError as error:
        raise RatedbError(
            "cannot make the database",
            where=str(path),
            got=error.strerror or str(error),
            todo="choose a folder that exists, is writable and has room, and name a file in it with --db",
        ) from error


def _give_name(new: Path, path: Path) -> None:
    try:
        os.link(new, path)
    except FileExistsError:
        return  # another process made the store meanwhile; that one counts
    except OSError:  # a file system without links
        if not path.exists():
            os.rename(new, path)
