"""Lakes for tests: addresses, and everything that a store can be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.database import Database
from ratedb.errors import RatedbError
from ratedb.results import plain
from ratedb.store.lake import extension
from ratedb.store.store import Store

# What differs between two runs: times, places, and how long it took.
_SECONDS = re.compile(r'"seconds": [^,}]+')
_TIMES = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(\+00:00|Z)?")
_OWN = ("_at", "seconds", "model_hours")
_OF_TIMES = {("seal", "content")}
"""Columns with hashes of rows that have times; the rows themselves are compared without them."""
COMPUTED = "1:4,6,7,9,12"


def need_ducklake() -> None:
    """Skip tests of lakes where the extensions for this DuckDB are not installed."""
    try:
        for name in ("ducklake", "postgres_scanner"):
            extension(name)
    except RatedbError as error:
        pytest.skip(f"{error.what}; pip install '.[lake]'", allow_module_level=True)


def rotor_file(path: Path, *, seed: int = 0, j_max: int = 14) -> Path:
    """Write a LAMDA file of a made-up rotor AB with He and p-H2."""
    levels = rotor_levels(j_max, molecule="AB")
    kelvin = (10.0, 20.0, 50.0, 100.0)
    tables = [
        rotor_rates(levels, collider, kelvin, seed=seed + n) for n, collider in enumerate(("He", "p-H2"))
    ]
    path.write_text(lamda_text(tables))
    return path


def work(db: Database, folder: Path) -> Iterator[tuple[str, Any]]:
    """Do with a store what can be done with one, and yield the name and result of each step."""
    first, second = rotor_file(folder / "ab.dat"), rotor_file(folder / "ab2.dat", seed=5)
    said = {"method": "CC", "reference": "Somebody et al. 2001, ApJ 1, 1"}
    yield "plan", db.plan("AB+He", j="3:12", sizes="4")
    yield "import", db.import_(first, j=COMPUTED, **said)
    yield "import again", db.import_(first, j=COMPUTED, **said)
    yield "dry run", db.import_(second, kind="scaled", dry_run=True)
    yield "another", db.import_(second, kind="scaled", reference="Another (2015)", quality="off")
    yield (
        "train",
        db.train("AB+He", train_j="3,6,9,12", validate_j="4,7", kernels=("M32",), features="physics"),
    )
    yield "evaluate", db.evaluate(1)
    yield "fill", db.fill("AB+He")
    yield "corpus", db.corpus(add="AB+p-H2")
    yield "prefer", db.sources("AB+He", prefer="3,1", because="a test")
    yield "withdraw", db.sources("AB+p-H2", withdraw=2, because="a test")
    yield "restore", db.sources("AB+p-H2", restore=2, because="a test")
    yield "correct", db.sources("AB+He", correct=(3, "method=IOS"), because="a test")
    yield "reference", db.sources("AB+He", correct=(1, "reference=Third et al. 2003"), because="a test")
    yield "history", db.sources("AB+He", history=True)
    yield "check", db.check(mark=True)
    yield "accept", db.check("AB+He", accept="few-shapes", because="made up")
    yield "compare", db.compare("AB+He", 1, 3)
    yield "next", db.next("AB+He")
    yield "systems", db.systems()
    yield "show", db.show("AB+He")
    yield "levels", db.levels("AB")
    yield "lines", db.lines("AB")
    yield "findings", db.findings()
    yield "cite", db.cite("AB+He").to_json()
    yield "repair", db.repair("AB")
    for suffix in ("dat", "csv", "parquet"):
        file = folder / f"out.{suffix}"
        db.export(["AB+He", "AB+p-H2"], file, format="lamda" if suffix == "dat" else suffix)
        yield f"export {suffix}", file.read_bytes().hex()
        file.unlink()


def comparable(result: Any, folder: Path) -> Any:
    """Return a result as JSON values without times and places."""
    data = plain(result.to_json() if hasattr(result, "to_json") else result)
    return _without(json.loads(_TIMES.sub("TIME", json.dumps(data)).replace(str(folder), "FOLDER")))


def _without(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without(one) for name, one in data.items() if not name.endswith(_OWN)}
    return [_without(one) for one in data] if isinstance(data, list) else data


def rows_of(path: Path | str) -> dict[str, list[str]]:
    """Return the rows of every table and view of a store as texts, sorted, without times."""
    with Store(path) as store:
        return dict(_rows(store.connection))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[str]]]:
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()"
        " UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
        " AND database_name = current_database() ORDER BY ALL"
    ).fetchall()
    for (name,) in names:
        cursor = connection.execute(f"SELECT * FROM {name}")
        kept = [
            at
            for at, (column, *_) in enumerate(cursor.description)
            if not column.endswith(_OWN) and (name, column) not in _OF_TIMES
        ]
        rows = [repr([row[at] for at in kept]) for row in cursor.fetchall()]
        yield name, sorted(_SECONDS.sub("", _TIMES.sub("TIME", row)) for row in rows)


def columns_of(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return table, name, type and place of each column of the tables and views of a store."""
    return connection.execute(
        "SELECT table_name, column_name, data_type, column_index FROM duckdb_columns()"
        " WHERE NOT internal AND database_name = current_database() ORDER BY ALL"
    ).fetchall()
