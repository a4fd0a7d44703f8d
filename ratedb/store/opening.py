"""Open a store and bring it up to date, or make it; a half-made store is never visible."""

from __future__ import annotations

import logging
import os
import time
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.store import migrations
from ratedb.store.connection import clear_errors, connect, with_many_threads
from ratedb.store.lake_address import is_lake
from ratedb.store.snapshot import MANIFEST, files_to_read, is_snapshot, refuse_snapshot, snapshot_file
from ratedb.store.waiting import waiting_up_to
from ratedb.temporary import remove_left, temporary_folder

_log = logging.getLogger(__name__)
_LAKE_STATE_S = 60

# DuckDB drops the end of a log that was cut off only when something is added to it.
_NO_CHANGE = "BEGIN; CREATE TABLE cut_off_log (nothing INTEGER); DROP TABLE cut_off_log; COMMIT"


def open_store(path: Path, *, write: bool = False, create: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection to a store of the newest schema; `create` makes a missing file.

    An older store is migrated, also for reading. Raises RatedbError where the file is not a store or was
    written by a newer ratedb, LockedError where another process holds it.
    """
    if is_lake(path):
        from ratedb.store.lake import open_lake

        return open_lake(path, write=write, create=create)
    for folder in (path.parent, None):
        remove_left(folder)
    if write and create and not path.exists():
        _create(path)
    if is_snapshot(path):
        if write:
            refuse_snapshot(path)
        return with_many_threads(connect(snapshot_file(path), read_only=True, shown=path))
    # A missing file is opened for reading, which says that it is missing.
    connection = connect(path, read_only=not (write and path.exists()))
    if any(left.exists() for left in _left_by_duckdb(path)):  # and nobody writes now
        connection.close()
        _take_over(path)
        connection = connect(path, read_only=not write)
    try:
        with clear_errors(path):
            version = migrations.check_not_newer(connection, str(path))
            if write:
                migrations.migrate(connection, __version__, str(path))
    except BaseException:
        connection.close()
        raise
    if write or version == migrations.available()[-1].version:
        _log.debug("opened %s for %s", path, "writing" if write else "reading")
        return connection
    connection.close()
    if version == 0:
        raise RatedbError("not a ratedb store", where=str(path), todo="name another with --db")
    open_store(path, write=True).close()
    return open_store(path)


def close_store(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Close a store, so that others can write to it."""
    if is_lake(path):
        from ratedb.store.lake import close

        close(connection)
    else:
        connection.close()


def store_exists(path: Path) -> bool:
    """Return whether there is a file, or a lake, of this name."""
    if not is_lake(path):
        return path.exists()
    from ratedb.store.lake import lake_exists

    return lake_exists(path)


def place_of(path: Path) -> Path:
    """Return the file of a store, or the folder of a lake's data; raises RatedbError for no lake."""
    if not is_lake(path):
        return path
    from ratedb.store.lake import lake_folder

    return lake_folder(path)


def state_of(path: Path) -> str:
    """Return a text that changes when a store does; for a lake, which has no one file, every minute."""
    if is_lake(path):
        return str(int(time.time() // _LAKE_STATE_S))
    files = [path, *_left_by_duckdb(path)]
    if path.is_dir():
        files = sorted([*path.glob(MANIFEST), *path.glob(f"*/{MANIFEST}")])
    return " ".join(_state_of_file(one) for one in files)


def _state_of_file(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:  # a writer that ends removes its log
        return ""
    return f"{found.st_ino}:{found.st_mtime_ns}:{found.st_size}"


def bring_up_to_date(path: Path) -> None:
    """Migrate an older store; raises RatedbError where the file is not a store."""
    close_store(open_store(path), path)


def open_sandboxed(path: Path, writable: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection to a store that reaches no other file but `writable`."""
    if is_lake(path):
        from ratedb.store.lake import open_lake_sandboxed

        return open_lake_sandboxed(path, writable)
    bring_up_to_date(path)
    allowed = [] if writable is None else [writable]
    if is_snapshot(path):
        allowed += files_to_read(path)
        file = snapshot_file(path)
        return with_many_threads(connect(file, read_only=True, sandboxed=True, allowed_files=allowed))
    return connect(path, read_only=True, sandboxed=True, allowed_files=allowed)


def schema_version(path: Path) -> tuple[int, int]:
    """Return the schema version of a file, 0 where it is not a store, and the newest one known here."""
    if is_lake(path):
        from ratedb.store.lake import lake_version

        return lake_version(path), migrations.available()[-1].version
    with waiting_up_to(0):
        probe = connect(path, read_only=True)
    try:
        with clear_errors(path):
            return migrations.check_not_newer(probe, str(path)), migrations.available()[-1].version
    finally:
        probe.close()


def _left_by_duckdb(path: Path) -> tuple[Path, Path]:
    """Return where DuckDB keeps its log and, in a folder, what does not fit into memory."""
    return Path(f"{path}.wal"), Path(f"{path}.tmp")


def _take_over(path: Path) -> None:
    """Clean up behind a killed process, where this one may write and nobody else has the store open.

    DuckDB would go on with its log. But each reader would read that again, and a log that ends within a
    change, which counts for nothing, would stay.
    """
    log, spilled = _left_by_duckdb(path)
    if not path.exists() or not os.access(path.parent, os.W_OK):
        return
    with suppress(RatedbError, OSError), waiting_up_to(0), closing(connect(path, read_only=False)) as writer:
        if log.exists():
            with clear_errors(path):
                writer.execute(_NO_CHANGE)
                writer.execute("CHECKPOINT")
        for file in spilled.glob("duckdb_temp_*"):
            file.unlink()
        spilled.rmdir()


def _create(path: Path) -> None:
    """Make a new store under another name, and rename it when it is complete."""
    try:
        with temporary_folder(path.parent) as folder:
            new = folder / "new.duckdb"
            writer = connect(new, read_only=False, shown=path)
            try:
                with clear_errors(path):
                    migrations.migrate(writer, __version__, str(path))
                    writer.execute("CHECKPOINT")  # all in the one file, or an error
            finally:
                writer.close()
            _give_name(new, path)
            _log.info("made %s", path)
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
