"""Open a DuckDB file, and turn each way this can fail into one clear message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ratedb.errors import LockedError, RatedbError

# Extensions must never be fetched: nothing at run time may need a network.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_SANDBOX: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": "false"}


def connect(
    path: Path, *, read_only: bool, sandboxed: bool = False, allowed_file: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file; `sandboxed` also turns off every access to other files but `allowed_file`.

    Raises LockedError where another process holds the file, RatedbError where it cannot be opened.
    """
    if path.is_dir():
        raise RatedbError(
            "a directory stands in place of the database", where=str(path), todo="name a file with --db"
        )
    if read_only and not path.exists():
        raise RatedbError(
            "there is no database",
            where=str(path),
            todo="make one with `ratedb import FILE`, or name another with --db",
        )
    if not read_only and path.exists() and not os.access(path, os.W_OK):
        raise RatedbError(
            "the database is read-only",
            where=str(path),
            expected="a file this user may write",
            todo="change its permissions, or copy it and name the copy with --db",
        )
    config = _CONFIG | (_SANDBOX if sandboxed else {})
    if allowed_file is not None:
        config["allowed_paths"] = [str(allowed_file)]
    with clear_errors(path):
        return duckdb.connect(str(path), read_only=read_only, config=config)


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's storage errors inside the block into a LockedError or RatedbError."""
    try:
        yield
    except duckdb.Error as error:
        raise _translate(error, path) from error


def _translate(error: duckdb.Error, path: Path) -> RatedbError:
    text = str(error).splitlines()[0]
    if "Could not set lock" in text:
        holder = re.search(r"held in (.*) \(PID (\d+)\)", text)
        got = f"{holder[1]} with PID {holder[2]} holds it" if holder else text
        return LockedError(
            "the database is locked by another process",
            where=str(path),
            got=got,
            todo="wait until it has finished, or stop that process",
        )
    if "not a valid DuckDB database" in text:
        return RatedbError(
            "not a DuckDB database",
            where=str(path),
            todo="name a ratedb store with --db; the file was not changed",
        )
    if re.search(
        r"No space left|File too large|Disk quota|Could not write|not enough space", text, re.IGNORECASE
    ):
        return RatedbError(
            "the disk is full or refuses to write",
            where=str(path),
            got=text,
            todo="make room and run the command again; the store holds what was reported as done",
        )
    if "newer" in text and "version" in text:
        return RatedbError(
            "the database file was written by a newer DuckDB", where=str(path), got=text, todo="update duckdb"
        )
    return RatedbError("the database refused", where=str(path), got=text)
