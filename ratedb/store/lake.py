"""A store on DuckLake: tables as Parquet files in a folder, their catalogue in PostgreSQL or in a file.

One connection at a time writes, and others read meanwhile: DuckLake has no keys and no sequences, so that ids
are unique only where writers take turns. A turn is a lock of the catalogue: an advisory lock of PostgreSQL or
DuckDB's lock of a catalogue file. Both end with the process that holds them. docs/lake.md says more.
"""

from __future__ import annotations

import getpass
import importlib.util
import os
import platform
import uuid
import weakref
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ratedb import __version__
from ratedb.errors import LockedError, RatedbError, UsageError
from ratedb.origin import now
from ratedb.store import lake_schema, migrations
from ratedb.store.connection import CONFIG, SANDBOX, Config, clear_errors, run, with_many_threads
from ratedb.store.lake_address import LakeAddress, lake_address
from ratedb.store.waiting import when_free

_INSTALL = "pip install 'ratedb[lake]'"
# Any number: it names the lock in the catalogue's database.
_LOCK = 7_265_100_018
# A server's limit on idle transactions does not end a turn.
# That of a writer whose machine is gone ends after a minute.
_TAKE_TURN = f"""
FROM postgres_query('turns', 'SELECT pg_try_advisory_xact_lock({_LOCK}) AS mine,
set_config(''idle_in_transaction_session_timeout'', ''0'', true) AS a,
set_config(''tcp_keepalives_idle'', ''30'', true) AS b,
set_config(''tcp_keepalives_interval'', ''10'', true) AS c,
set_config(''tcp_keepalives_count'', ''3'', true) AS d')
"""
_WRITERS = "CREATE TABLE IF NOT EXISTS lake_writer (token VARCHAR NOT NULL, writer VARCHAR, since TIMESTAMP)"
_turns: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]
_turns = weakref.WeakKeyDictionary()


def open_lake(path: Path, *, write: bool = False, create: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection to a lake of the newest schema; `create` makes a missing one.

    A connection that reads sees the lake as it was when it was opened. Raises RatedbError where there is no
    lake or it cannot be reached, LockedError where another connection writes.
    """
    if write:
        return when_free(path, lambda: _open_writing(path, create), write=True, announce=False)
    connection = when_free(path, lambda: _open_reading(path), write=False, announce=False)
    with clear_errors(path):
        connection.execute("BEGIN TRANSACTION")
    return connection


def open_lake_sandboxed(path: Path, writable: Path | None) -> duckdb.DuckDBPyConnection:
    """Return a connection to a lake that changes nothing and reaches only its folder and `writable`."""
    connection = _open_reading(path, SANDBOX)
    try:
        with clear_errors(path):
            run(connection, "SET allowed_directories = ?", [[_folder(connection)]])
            if writable is not None:
                run(connection, "SET allowed_paths = ?", [[str(writable)]])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def lake_exists(path: Path) -> bool:
    """Return whether there is a lake at an address; raises RatedbError where its server cannot be reached."""
    address = lake_address(path)
    if address.file is not None:
        return address.file.exists()
    try:
        _attached(path, "READ_ONLY").close()
    except RatedbError as error:
        if error.what == "there is no database":
            return False
        raise
    return True


def lake_folder(path: Path) -> Path:
    """Return the folder of a lake's data, that of a new lake where there is none; raises RatedbError."""
    address = lake_address(path)
    if address.file is not None or not lake_exists(path):
        return address.data or Path()
    connection = _attached(path, "READ_ONLY")
    try:
        return Path(_folder(connection))
    finally:
        connection.close()


def lake_version(path: Path) -> int:
    """Return the schema version of a lake, 0 where it is not a store."""
    connection = _attached(path, "READ_ONLY")
    try:
        with clear_errors(path):
            return migrations.check_not_newer(connection, str(path))
    finally:
        connection.close()


def close(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection, and end the turn of one that writes."""
    connection.close()
    turn = _turns.pop(connection, None)
    if turn is not None:
        turn.close()


def need_turn(connection: duckdb.DuckDBPyConnection) -> None:
    """Make sure, in a transaction that writes, that no other connection for writing was opened meanwhile.

    Of two transactions that both change the row of the writer, DuckLake stores one only. So a writer that
    lost its turn without knowing, as by a broken network, stores nothing. Raises LockedError.
    """
    changed = connection.execute(
        "UPDATE lake_writer SET since = since WHERE token = getvariable('lake_token')"
    ).fetchone()
    if changed is None or changed[0] != 1:
        raise LockedError(
            "another writer changed the lake meanwhile", todo="nothing was stored; run the command again"
        )


def _open_reading(path: Path, more: Config | None = None) -> duckdb.DuckDBPyConnection:
    connection = _attached(path, "READ_ONLY", more)
    try:
        with clear_errors(path):
            version = migrations.check_not_newer(connection, str(path))
    except BaseException:
        connection.close()
        raise
    if version == migrations.available()[-1].version:
        return connection
    connection.close()
    if version == 0:
        raise RatedbError("not a ratedb store", where=str(path), todo="name another with --db")
    close(_open_writing(path, create=False))
    return _open_reading(path, more)


def _open_writing(path: Path, create: bool) -> duckdb.DuckDBPyConnection:
    address = lake_address(path)
    turn = _turn(path, address) if address.server else None
    try:
        connection = _attached_for_writing(path, create)
    except BaseException:
        if turn is not None:
            turn.close()
        raise
    if turn is not None:
        _turns[connection] = turn
    try:
        with clear_errors(path):
            known = migrations.available()
            migrations.migrate(connection, __version__, str(path), lake_schema.carry)
            lake_schema.keep_exact(connection)
            lake_schema.number_on(connection, known)
            _sign(connection)
    except BaseException:
        close(connection)
        raise
    return connection


def _attached_for_writing(path: Path, create: bool) -> duckdb.DuckDBPyConnection:
    if not create:
        return _attached(path, "CREATE_IF_NOT_EXISTS false")
    if lake_address(path).data is None and not lake_exists(path):
        raise UsageError(
            "a new lake needs a folder for its data",
            where=str(path),
            expected="data=FOLDER in the address, a folder that all who use the lake reach",
        )
    return _attached(path, "CREATE_IF_NOT_EXISTS true")


def _sign(connection: duckdb.DuckDBPyConnection) -> None:
    """Say who writes: from now on no other transaction is stored that was begun before."""
    token = uuid.uuid4().hex
    writer = f"{_user()} on {platform.node()}, PID {os.getpid()}"
    connection.execute("BEGIN TRANSACTION")
    connection.execute(_WRITERS)
    connection.execute("DELETE FROM lake_writer")
    run(connection, "INSERT INTO lake_writer VALUES (?, ?, ?)", [token, writer, now()])
    connection.execute("COMMIT")
    run(connection, "SET VARIABLE lake_token = ?", [token])


def _folder(connection: duckdb.DuckDBPyConnection) -> str:
    [(folder,)] = connection.execute("SELECT data_path FROM ducklake_settings('lake')").fetchall()
    return str(folder)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"


def _turn(path: Path, address: LakeAddress) -> duckdb.DuckDBPyConnection:
    """Return a connection that holds the lock of the catalogue's database until it is closed."""
    connection = _loaded(path, ["postgres_scanner"])
    try:
        with clear_errors(path):
            connection.execute(f"ATTACH {_text(address.server)} AS turns (TYPE postgres, READ_ONLY)")
        _take(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _take(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Take the lock, or raise LockedError; the connection can be used to try again."""
    with clear_errors(path):
        connection.execute("BEGIN TRANSACTION")
        [(mine, *_)] = connection.execute(_TAKE_TURN).fetchall()
        if not mine:
            connection.execute("ROLLBACK")
    if not mine:
        raise LockedError(
            "another process writes to the lake",
            where=str(path),
            got=_holder(path),
            todo="wait until it has finished; others can read meanwhile",
        )


def _holder(path: Path) -> str:
    """Return who signed last, which is who writes unless that has only just begun."""
    connection = _attached(path, "READ_ONLY")
    try:
        found = connection.execute("SELECT writer, since FROM lake_writer").fetchone()
    except duckdb.Error:
        found = None
    finally:
        connection.close()
    return "an unknown writer" if found is None else f"{found[0]}, since {found[1]:%Y-%m-%d %H:%M:%S} UTC"


def _attached(path: Path, option: str, more: Config | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection in which the lake is the database that statements are about."""
    address = lake_address(path)
    options = [option]
    if address.data is not None:
        options.append(f"DATA_PATH {_text(str(address.data))}")
    if address.file is not None:  # the data are where the file is, also when both were copied or moved
        options.append("OVERRIDE_DATA_PATH true")
    needed = ["ducklake", "postgres_scanner"] if address.server else ["ducklake"]
    connection = _loaded(path, needed, more)
    try:
        with clear_errors(path):
            connection.execute(f"ATTACH {_text(address.catalogue)} AS lake ({', '.join(options)})")
            connection.execute("USE lake")
    except BaseException:
        connection.close()
        raise
    return connection


def _loaded(path: Path, extensions: Sequence[str], more: Config | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection to nothing yet, with extensions loaded."""
    files = [extension(name) for name in extensions]
    with clear_errors(path):
        connection = with_many_threads(duckdb.connect(":memory:", config=CONFIG | (more or {})))
        for file in files:
            connection.execute(f"LOAD {_text(str(file))}")
    return connection


def extension(name: str) -> Path:
    """Return the file of an extension, which a Python package brings; raises RatedbError without."""
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        what = f"lakes need the package duckdb-extension-{name.replace('_', '-')}"
        raise RatedbError(what, todo=_INSTALL)
    folder = Path(package.origin).parent / "extensions"
    file = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.exists():
        raise RatedbError(
            f"the extension {name} is for another version of DuckDB",
            expected=f"v{duckdb.__version__}, as DuckDB",
            got=", ".join(sorted(one.name for one in folder.iterdir())),
            todo=_INSTALL,
        )
    return file


def _text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"
