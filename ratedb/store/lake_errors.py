"""What errors of a lake mean, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

from ratedb.errors import LockedError, RatedbError

_NONE = "CREATE_IF_NOT_EXISTS|explicitly disabled|in read-only mode: database does not exist"
_TAKEN = "Could not set lock|Unique file handle conflict"
_BEATEN = "Transaction conflict|Failed to commit DuckLake transaction"
# What messages mean, and what to do.
_MEANINGS = (
    (
        _NONE,
        "there is no database",
        "make one with `ratedb import FILE`, or name another with --db",
    ),
    (
        'FATAL: *database ".*" does not exist',
        "the PostgreSQL server does not have this database",
        "make it with `createdb NAME`, or name another as dbname",
    ),
    (
        "password|authentication failed|pg_hba|role .* does not exist",
        "the PostgreSQL server refused this user",
        "name the user as user=NAME; put the password into ~/.pgpass or the environment variable PGPASSWORD",
    ),
    (
        "Unable to connect to Postgres|connection to (the )?server|server closed the connection",
        "the PostgreSQL server of the lake cannot be reached",
        "check host and port, and that the server runs (`pg_isready -h HOST`)",
    ),
    (
        "does not match existing data path",
        "the data of this lake are in another folder",
        "leave out data=FOLDER: an existing lake knows its folder",
    ),
    (
        "permission denied",
        "the PostgreSQL server or the file system refused access",
        "ask the owner of the lake for the right to read and write it",
    ),
)


def lake_error(text: str, path: Path) -> RatedbError | None:
    """Return the error that a message of DuckDB about a lake means, None where it says nothing of lakes."""
    words, where = _last(text), str(path)
    if re.search(_TAKEN, text):
        holder = re.search(r"held in (.*) \(PID (\d+)\)", text)
        got = f"{holder[1]} with PID {holder[2]} holds it" if holder else words
        todo = "wait until it has finished; a catalogue in PostgreSQL lets others read meanwhile"
        return LockedError("the lake is locked", where=where, got=got, todo=todo)
    if re.search(_BEATEN, text):
        what, todo = "another writer changed the lake meanwhile", "nothing was stored; run the command again"
        return LockedError(what, where=where, got=words, todo=todo)
    for pattern, what, todo in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return RatedbError(what, where=where, got=words, todo=todo)
    return None


def _last(text: str) -> str:
    """Return what PostgreSQL or DuckDB itself said, without what DuckLake puts before it."""
    first = next((line for line in text.splitlines() if line.strip()), text)
    return first.rpartition("failed: ")[2]
