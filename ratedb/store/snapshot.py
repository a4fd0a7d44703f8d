"""A published snapshot: a folder of Parquet files with a manifest, opened as a store for reading."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ratedb import __version__
from ratedb.documents import DocumentError, load_schema, need_schema, strict_json
from ratedb.errors import RatedbError
from ratedb.files import LARGEST_JSON_BYTES, read_bytes, sha256, sha256_of
from ratedb.safe_text import visible
from ratedb.store import migrations, seals
from ratedb.store.connection import clear_errors, connect
from ratedb.temporary import temporary_folder

MANIFEST = "manifest.json"
FORMAT, FORMAT_VERSION = "ratedb-snapshot", 1
LOADED = (
    "collision_system",
    "molecule",
    "level_set",
    "level",
    "level_value",
    "line",
    "model",
    "source",
    "temperature_grid",
    "source_file",
    "source_reference",
    "source_event",
    "source_order",
    "derivation",
    "finding",
    "plan",
    "set_score",
    "corpus_system",
    "level_merge",
    "method_class",
)
"""The tables that are read when a snapshot is opened, in an order that their references allow."""
RATE = "rate"
_SMALL_BYTES = 32_000_000
_AGAIN = "get the snapshot again from where it was published"


@dataclass(frozen=True)
class SnapshotFile:
    """One file of a snapshot as its manifest describes it; `path` is relative to the manifest."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Snapshot:
    """A snapshot: its folder, and what its manifest says."""

    folder: Path
    digest: str
    version: str
    schema_version: int
    files: tuple[SnapshotFile, ...]

    def table(self, name: str) -> Path:
        """Return the file with a table of the store; raises RatedbError where there is none."""
        path = f"tables/{name}.parquet"
        if path not in (file.path for file in self.files):
            raise RatedbError(
                "the snapshot is not complete", where=str(self.folder), expected=path, todo=_AGAIN
            )
        return self.folder / path


def is_snapshot(path: Path) -> bool:
    """Return whether a path is a snapshot, or a folder with versions of one."""
    return path.is_dir() and ((path / MANIFEST).is_file() or bool(_versions(path)))


def _versions(path: Path) -> list[Path]:
    return sorted(one.parent for one in path.glob(f"*/{MANIFEST}") if not one.parent.name.startswith("."))


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a folder, or the only version there.

    Raises RatedbError where there are several, or the manifest cannot be read or is of a newer ratedb.
    """
    folder = path if (path / MANIFEST).is_file() else _only_version(path)
    where = folder / MANIFEST
    content = read_bytes(where, largest=LARGEST_JSON_BYTES)
    try:
        said = strict_json(content)
        _refuse_newer(said, where)
        need_schema(said, load_schema("snapshot"))
    except DocumentError as error:
        raise RatedbError(
            "not a manifest of a snapshot",
            where=str(where),
            expected="what schemas/snapshot.schema.json describes",
            got=visible(str(error)),
            todo=_AGAIN,
        ) from error
    files = tuple(SnapshotFile(one["path"], one["sha256"], one["bytes"]) for one in said["files"])
    return Snapshot(folder, sha256(content), said["version"], said["schema_version"], files)


def _refuse_newer(said: Any, where: Path) -> None:
    """Raise RatedbError for the manifest of a newer ratedb."""
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        return
    newest = {"format_version": FORMAT_VERSION, "schema_version": migrations.available()[-1].version}
    for name, known in newest.items():
        if isinstance(found := said.get(name), int) and found > known:
            raise RatedbError(
                "the snapshot was published by a newer ratedb",
                where=str(where),
                expected=f"{name} {known} at most",
                got=str(found),
                todo="update ratedb (pip install --upgrade ratedb)",
            )


def _only_version(path: Path) -> Path:
    versions = _versions(path)
    if len(versions) != 1:
        raise RatedbError(
            "this folder has several versions of a snapshot",
            where=str(path),
            expected="one of " + ", ".join(one.name for one in versions),
            todo=f"name one, such as {path / versions[-1].name}",
        )
    return versions[0]


def check_files(snapshot: Snapshot, *, deep: bool = False) -> None:
    """Raise RatedbError where a file is not the one that was published.

    Files over 32 MB are only compared by size, unless `deep`.
    """
    for file in snapshot.files:
        path = snapshot.folder / file.path
        size = path.stat().st_size if path.is_file() else None
        if size != file.bytes:
            _refuse_changed(path, f"{file.bytes} bytes", "no such file" if size is None else f"{size} bytes")
        if (deep or file.bytes <= _SMALL_BYTES) and (found := sha256_of(path)) != file.sha256:
            _refuse_changed(path, f"SHA-256 {file.sha256[:16]}...", f"SHA-256 {found[:16]}...")


def _refuse_changed(path: Path, expected: str, got: str) -> None:
    what = "a file of the snapshot is not the one that was published"
    raise RatedbError(what, where=str(path), expected=expected, got=got, todo=_AGAIN)


def refuse_snapshot(path: Path) -> None:
    """Raise RatedbError where a path is a snapshot, which is never changed."""
    if not is_snapshot(path):
        return
    raise RatedbError(
        "a published snapshot cannot be changed",
        where=str(path),
        expected="a command that only reads",
        todo="merge it into a store of your own: ratedb --db mine.duckdb merge " + str(path),
    )


def snapshot_file(path: Path) -> Path:
    """Return a DuckDB file with the content of a snapshot, made once in a process; its rates stay in Parquet.

    Raises RatedbError where a file of the snapshot is missing or not the one that was published.
    """
    snapshot = read_snapshot(path.absolute())
    return _built(snapshot).file


def files_to_read(path: Path) -> list[Path]:
    """Return the files that a query on a snapshot reads."""
    return [read_snapshot(path.absolute()).table(RATE)]


class _Built:
    """A temporary DuckDB file, removed when Python ends."""

    def __init__(self) -> None:
        keeping = ExitStack()
        self.file = keeping.enter_context(temporary_folder()) / "snapshot.duckdb"
        weakref.finalize(self, keeping.close)


@lru_cache(maxsize=8)
def _built(snapshot: Snapshot) -> _Built:
    check_files(snapshot)
    built = _Built()
    connection = connect(built.file, read_only=False, shown=snapshot.folder)
    try:
        with clear_errors(snapshot.folder):
            where = str(snapshot.folder)
            migrations.migrate(connection, __version__, where, up_to=snapshot.schema_version)
            for table in LOADED:
                source = _read(snapshot, table)
                connection.execute(f"INSERT INTO {table} BY NAME {source}")
            if snapshot.schema_version < migrations.available()[-1].version:
                # The table has to change with the others.
                connection.execute(f"INSERT INTO {RATE} BY NAME {_read(snapshot, RATE)}")
                migrations.migrate(connection, __version__, where)
            else:
                connection.execute(f"DROP TABLE {RATE}")
                connection.execute(f"CREATE VIEW {RATE} AS {_read(snapshot, RATE)}")
            seals.seal_new(connection)  # the hashes of the files were checked
            connection.execute("CHECKPOINT")
    finally:
        connection.close()
    return built


def _read(snapshot: Snapshot, table: str) -> str:
    name = str(snapshot.table(table)).replace("'", "''")
    return f"SELECT * FROM read_parquet('{name}')"
