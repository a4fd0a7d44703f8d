"""Open a DuckDB file, run statements with bound parameters, and turn DuckDB's errors into clear messages."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from ratedb import locks
from ratedb.errors import LockedError, RatedbError
from ratedb.store.holder import name_of_process
from ratedb.store.lake_address import is_lake
from ratedb.store.lake_errors import lake_error
from ratedb.store.waiting import when_free

# Extensions must never be fetched: nothing at run time may need a network.
Config = dict[str, str | bool | int | float | list[str]]
_MANY_THREADS, _LARGE_STORE_BYTES = 8, 30_000_000
CONFIG: Config = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # For new files: a store is many small tables, which blocks of 256 KB would make large.
    "default_block_size": "16384",
}
SANDBOX: Config = {"python_enable_replacements": "false"}
_MAGIC, _MAGIC_AT = b"DUCK", 8
# What messages of DuckDB mean, and what to do.
_MEANINGS = (
    (
        "not a valid DuckDB database",
        "not a DuckDB database",
        "name a ratedb store with --db; the file was not changed",
    ),
    (
        "No space left|File too large|Disk quota|Could not write|not enough space",
        "the disk is full or refuses to write",
        "make room and run the command again; the store holds what was reported as done",
    ),
    ("newer.*version|version.*newer", "the database file was written by a newer DuckDB", "update duckdb"),
)


def connect(
    path: Path,
    *,
    read_only: bool,
    sandboxed: bool = False,
    allowed_files: Sequence[Path] = (),
    shown: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file; `sandboxed` also turns off every access to other files but `allowed_files`.

    Errors name the file as `shown` where that is given.
    Raises LockedError where the file is held elsewhere for longer than the time to wait (waiting.py),
    RatedbError where it cannot be opened.
    """
    where = str(path)
    if path.is_dir():
        raise RatedbError(
            "a directory has the name of the database", where=where, todo="name a file with --db"
        )
    if read_only and not path.exists():
        todo = "make one with `ratedb import FILE`, or name another with --db"
        raise RatedbError("there is no database", where=where, todo=todo)
    if not read_only and path.exists() and not os.access(path, os.W_OK):
        todo = "change its permissions, or copy it and name the copy with --db"
        raise RatedbError(
            "the database is read-only", where=where, expected="a file this user may write", todo=todo
        )
    config = CONFIG | (SANDBOX if sandboxed else {})
    if allowed_files:
        # Connections with one configuration share what they may reach: another thread's query must not.
        config["custom_user_agent"] = " ".join(map(str, allowed_files))
    connection = when_free(path, lambda: _open(path, read_only, config, shown or path), write=not read_only)
    with clear_errors(shown or path):
        if sandboxed:
            _close_in(connection, allowed_files)
    return connection


def _open(path: Path, read_only: bool, config: Config, shown: Path) -> duckdb.DuckDBPyConnection:
    with locks.opening, clear_errors(shown):
        if path.exists():
            _need_duckdb(path)
            if not read_only and locks.is_written_here(path):
                # Two that write in one process would share DuckDB's file, and fail where they meet.
                raise _held_here(path, "another thread writes to it")
            # DuckDB takes some milliseconds to find out, which many that wait would take from who works.
            if (process := locks.who_holds(path, write=not read_only)) is not None:
                raise _locked(path, name_of_process(process))
        # An absolute path, because DuckDB takes `:memory:` and `name:...` for something else than files.
        connection = duckdb.connect(str(path.absolute()), read_only=read_only, config=config)
        return with_many_threads(connection) if path.stat().st_size > _LARGE_STORE_BYTES else connection


def with_many_threads(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a connection to what may be large with enough threads for any query.

    With two or three DuckDB 1.5 waits for itself for ever in some unions of large tables
    (https://github.com/duckdb/duckdb/issues/24961). In small ones more threads than cores only cost time.
    """
    connection.execute(f"SET threads = {max(_MANY_THREADS, os.cpu_count() or 1)}")
    return connection


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> duckdb.DuckDBPyConnection:
    """Run one statement with bound parameters, such as `run(c, "... WHERE name = ?", [name])`."""
    if not parameters:
        return connection.execute(sql)
    with without_pandas():
        return connection.execute(sql, parameters)


class _NoPandas:
    """An import finder that finds no pandas, in one thread."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(name, name=name)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB from importing pandas in this block and thread.

    DuckDB compares each parameter with pandas.NaT, and imports pandas for that where it is installed: 0.4 s.
    A program that uses pandas has imported it before, and is not affected. DuckDB looks for pandas again
    when it is asked for a data frame.
    """
    if "pandas" in sys.modules:
        yield
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _close_in(connection: duckdb.DuckDBPyConnection, allowed_files: Sequence[Path]) -> None:
    try:
        # In this order: the allowed files cannot be named once access is off.
        if allowed_files:
            run(connection, "SET allowed_paths = ?", [[str(file) for file in allowed_files]])
        connection.execute("SET enable_external_access = false")
    except BaseException:
        connection.close()
        raise


def _need_duckdb(path: Path) -> None:
    """Raise RatedbError where a file is not a DuckDB database.

    DuckDB itself opens a CSV, JSON or Parquet file as a database in memory, and loses what is stored.
    """
    try:
        start = locks.start_of(path, _MAGIC_AT + len(_MAGIC))
    except OSError as error:
        raise RatedbError(
            "cannot read the database", where=str(path), got=error.strerror or str(error)
        ) from error
    if start[_MAGIC_AT:] != _MAGIC:
        raise RatedbError(
            "not a DuckDB database",
            where=str(path),
            expected="a ratedb store",
            got=f"a file that starts with {start!r}" if start else "an empty file",
            todo="name a ratedb store with --db; the file was not changed",
        )


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors in the block into a LockedError or RatedbError, its Ctrl-C into Python's."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
    except duckdb.Error as error:
        raise _translate(error, path) from error


def _translate(error: duckdb.Error, path: Path) -> RatedbError:
    if is_lake(path) and (of_lake := lake_error(str(error), path)) is not None:
        return of_lake
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if "Could not set lock" in text:
        holder = re.search(r"\(PID (\d+)\)", text)
        return _locked(path, name_of_process(int(holder[1])) if holder else "another process")
    if "different configuration" in text:
        return _held_here(path, "it is open with other settings, such as for writing")
    for pattern, what, todo in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return RatedbError(what, where=str(path), got=text, todo=todo)
    return RatedbError("the database refused", where=str(path), got=text)


def _locked(path: Path, holder: str) -> LockedError:
    what, todo = "the database is locked by another process", "stop that process, or wait: --wait SECONDS"
    return LockedError(what, where=str(path), got=f"{holder} holds it", todo=todo)


def _held_here(path: Path, got: str) -> LockedError:
    what, todo = "this process already has the database open", "close the other Store first"
    return LockedError(what, where=str(path), got=got, todo=todo)
