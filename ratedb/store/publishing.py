"""Write a snapshot: what is asked of a store as Parquet files, the same bytes for the same rows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError
from ratedb.files import sha256_of
from ratedb.store.connection import clear_errors
from ratedb.store.snapshot import LOADED, MANIFEST, RATE
from ratedb.store.store import Store
from ratedb.temporary import remove_left, temporary_folder

_TAKEN = """
CREATE OR REPLACE TEMP TABLE published AS
SELECT system_id, name, molecule FROM collision_system WHERE {chosen};
CREATE OR REPLACE TEMP TABLE published_source AS
SELECT source_id, system_id FROM source WHERE source_id IN (
    SELECT source_id FROM source_now WHERE system_id IN (SELECT system_id FROM published)
);
"""
_OF_SOURCE = "source_id IN (SELECT source_id FROM published_source)"
_OF_MOLECULE = "molecule IN (SELECT molecule FROM published)"
_OF_NAME = "system_name IN (SELECT name FROM published)"
_OF_SYSTEM = "system_id IN (SELECT system_id FROM published)"
_OF_SET = f"level_set_id IN (SELECT level_set_id FROM level_set WHERE {_OF_MOLECULE})"

# Of each table the rows that belong to the systems, and their order. A source that a correction moved to
# another system brings the one that it was imported as.
TABLES: Mapping[str, tuple[str, str]] = {
    "collision_system": (
        f"{_OF_SYSTEM} OR system_id IN (SELECT system_id FROM published_source)",
        "system_id",
    ),
    "molecule": (_OF_MOLECULE, "molecule"),
    "level_set": (_OF_MOLECULE, "level_set_id"),
    "level": (_OF_MOLECULE, "level_id"),
    "level_value": (_OF_SET, "level_set_id, position"),
    "line": (_OF_SET, "level_set_id, position"),
    "model": (
        f"{_OF_SYSTEM} OR model_id IN (SELECT model_id FROM source WHERE model_id > 0 AND {_OF_SOURCE})",
        "model_id",
    ),
    "source": (_OF_SOURCE, "source_id"),
    "temperature_grid": (f"grid_id IN (SELECT grid_id FROM rate WHERE {_OF_SOURCE})", "grid_id"),
    "source_file": (_OF_SOURCE, "source_id, file_name, file_sha256"),
    "source_reference": (_OF_SOURCE, "source_id"),
    "source_event": (_OF_SOURCE, "event_id"),
    "source_order": (_OF_SYSTEM, "order_id"),
    "derivation": (_OF_SOURCE, "source_id"),
    "finding": (_OF_SOURCE, "ALL"),
    "plan": (_OF_NAME, "plan_id"),
    "set_score": (_OF_NAME, "ALL"),
    "corpus_system": (_OF_SYSTEM, "corpus_system_id"),
    "level_merge": (_OF_MOLECULE, "merge_id"),
    "method_class": (
        f"method IN (SELECT method FROM source WHERE {_OF_SOURCE}"
        f" UNION SELECT new_value FROM source_event WHERE field = 'method' AND {_OF_SOURCE})",
        "method",
    ),
    RATE: (_OF_SOURCE, "source_id, upper_id, lower_id, grid_id"),
}
LEFT_OUT = ("schema_migration", "kind_rank", "method_rank", "seal")
"""Tables that every store has alike, and the hashes of rows, in whose place files have hashes."""

_PRIVATE = ("user_name", "comment")
_NAMED = "system IN (SELECT name FROM published)"
_TRANSITION = "upper_label, lower_label, temperature_k"
VIEWS: Mapping[str, tuple[str, str]] = {
    "rates": (_NAMED, f"system, {_TRANSITION}, source_id"),
    "rates_all": (_NAMED, f"system, source_id, {_TRANSITION}"),
    "levels": (_OF_MOLECULE, "molecule, energy_cm1, level_id"),
    "radiative": (_OF_MOLECULE, "molecule, frequency_ghz, upper_id, lower_id"),
    "sources": (_NAMED, "source_id"),
    "source_files": (_OF_SOURCE, "source_id, file_name, file_sha256"),
    "source_events": (_NAMED, "event_id"),
    "source_orders": (_NAMED, "order_id"),
    "derivations": (_NAMED, "source_id"),
    "findings": (_NAMED, "ALL"),
    "models": (_NAMED, "model_id"),
    "plans": (_NAMED, "plan_id"),
}
"""The views that people read, as files beside the tables: their rows and the order of these."""

UNITS = {
    "temperature_k": "K",
    "rate_cm3_s": "cm3 s-1",
    "log10_half_width_68": "dex",
    "log10_std": "dex",
    "energy_cm1": "cm-1",
    "einstein_a_s1": "s-1",
    "frequency_ghz": "GHz",
    "upper_energy_k": "K",
    "molecular_weight": "u",
    "seconds": "s",
}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_version(folder: Path, version: str | None) -> str:
    """Return the version to publish, by default the next whole number.

    Raises RatedbError for one that exists, or is no name of a folder.
    """
    there = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    if version is None:
        return str(1 + max((int(name) for name in there if name.isdecimal()), default=0))
    if not _VERSION.fullmatch(version):
        raise RatedbError(
            "invalid version", expected="letters, digits, dots and dashes, such as 1.0", got=version
        )
    if version in there:
        raise RatedbError(
            f"version {version} is published already, and is never overwritten",
            where=str(folder / version),
            todo="publish under another --version",
        )
    return version


@contextmanager
def new_version(folder: Path, version: str) -> Iterator[Path]:
    """Give a temporary folder that becomes the version of a snapshot at the end of the block, or vanishes."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_left(folder)
        with temporary_folder(beside=folder) as work:
            yield work
            _give_name(work, folder, version)
    except OSError as error:
        raise _cannot(folder, error) from error
    finally:
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _give_name(work: Path, folder: Path, version: str) -> None:
    for path in work.rglob("*"):
        _flush(path)
    work.chmod(0o755)
    try:
        os.rename(work, folder / version)
    except OSError as error:
        check_version(folder, version)  # another process published it meanwhile
        raise _cannot(folder / version, error) from error
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot(path: Path, error: OSError) -> RatedbError:
    return RatedbError(
        "cannot write the snapshot",
        where=str(path),
        got=error.strerror or str(error),
        todo="choose a folder that exists, is writable and has room",
    )


def take_systems(store: Store, systems: Sequence[str]) -> list[str]:
    """Say which systems are published, all where none is named, and return their names.

    Raises RatedbError for an unknown system or where there is none.
    """
    for name in systems:
        store.system(name)
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in systems)
    store.connection.execute(_TAKEN.format(chosen=f"name IN ({names})" if systems else "true"))
    found = store.column("SELECT name FROM published ORDER BY name")
    if not found:
        raise RatedbError("the store has no system to publish", where=str(store.path))
    return found


def write_parquet(
    store: Store, folder: Path, *, private: bool, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Write the tables and views of the systems that were taken; return the files for the manifest.

    Not `private`, the names of users and their comments are left out.
    """
    (folder / "tables").mkdir()
    files = []
    with clear_errors(store.path):
        for name, (where, order) in VIEWS.items():
            progress(f"writing {name}")
            columns = _columns(store, name, private, "LEAVE")
            store.rows(f"CREATE OR REPLACE TEMP TABLE written AS SELECT {columns} FROM {name} WHERE {where}")
            files.append(_write(store, f"SELECT * FROM written ORDER BY {order}", folder, f"{name}.parquet"))
        store.rows("DROP TABLE IF EXISTS written")
        for name in (*LOADED, RATE):
            progress(f"writing tables/{name}")
            where, order = TABLES[name]
            query = (
                f"SELECT {_columns(store, name, private, 'NULL')} FROM {name} WHERE {where} ORDER BY {order}"
            )
            files.append(_write(store, query, folder, f"tables/{name}.parquet"))
    return files


def _columns(store: Store, name: str, private: bool, instead: str) -> str:
    """Return the columns of a table or view as SQL: JSON as text, and nothing private."""
    listed = []
    for column, of, *_ in store.rows(f"DESCRIBE SELECT * FROM {name}"):
        if column in _PRIVATE and not private:
            listed += [f"NULL::{of} AS {column}"] if instead == "NULL" else []
        else:
            listed.append(f"{column}::VARCHAR AS {column}" if of == "JSON" else column)
    return ", ".join(listed)


def _write(store: Store, query: str, folder: Path, path: str) -> dict[str, Any]:
    target = folder / path
    name = str(target).replace("'", "''")
    options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
    [(threads,)] = store.rows("SELECT current_setting('threads')")
    store.rows("SET threads = 1")  # several would part the rows in an order of their own
    [(rows,)] = store.rows(f"COPY ({query}) TO '{name}' ({options})")
    store.rows(f"SET threads = {threads}")
    described = store.rows(f"DESCRIBE SELECT * FROM read_parquet('{name}')")
    return {
        "path": path,
        "sha256": sha256_of(target),
        "bytes": target.stat().st_size,
        "rows": int(rows),
        "columns": [
            {"name": column, "type": of} | ({"unit": UNITS[column]} if column in UNITS else {})
            for column, of, *_ in described
        ],
    }


def described_file(folder: Path, path: str) -> dict[str, Any]:
    """Return what the manifest says of a file that is no table."""
    return {"path": path, "sha256": sha256_of(folder / path), "bytes": (folder / path).stat().st_size}


def write_text(folder: Path, path: str, text: str) -> None:
    """Write a text file of a snapshot; raises RatedbError where that fails."""
    try:
        (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot(folder / path, error) from error


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a snapshot, with plain JSON values, as its last file."""
    write_text(folder, MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
