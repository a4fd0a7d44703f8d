from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from children import rates_number
from stores import (
    all_tables,
    by_transition,
    make_store,
    make_store_of_version,
    model_record,
    put,
    schema_version,
    table_names,
)
from synthetic import prediction_of

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.origin import now
from ratedb.store import migrations
from ratedb.store.migrations import Migration
from ratedb.store.store import Store

pytestmark = [pytest.mark.usefixtures("stores_made_anew"), pytest.mark.slow]

NEWEST = migrations.available()[-1].version
BROKEN = Migration(
    NEWEST + 1,
    "broken",
    "CREATE TABLE half_done (x INTEGER); INSERT INTO half_done VALUES (1); SELECT no_such();",
)
WORKING = Migration(NEWEST + 1, "working", "CREATE TABLE more (x INTEGER); INSERT INTO more VALUES (7);")


def with_more(monkeypatch: pytest.MonkeyPatch, *more: Migration) -> None:
    known = (*migrations.available(), *more)
    monkeypatch.setattr(migrations, "available", lambda: known)


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [step.version for step in migrations.available()] == list(range(1, NEWEST + 1))


def test_a_new_store_records_each_migration_with_version_and_utc_time(tmp_path: Path) -> None:
    Store(tmp_path / "new.duckdb", write=True, create=True).close()
    rows = all_tables(tmp_path / "new.duckdb")["schema_migration"]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        (step.version, step.name, __version__) for step in migrations.available()
    ]
    assert all(abs(row[2] - now()) < timedelta(minutes=30) for row in rows)


@pytest.mark.parametrize("write", [True, False])
def test_a_migration_that_fails_leaves_neither_change_nor_record(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, write: bool
) -> None:
    before = all_tables(store_path)
    with monkeypatch.context() as patch:
        with_more(patch, BROKEN)
        with pytest.raises(RatedbError, match="no_such"):
            Store(store_path, write=write)
    assert all_tables(store_path) == before
    with Store(store_path, write=True) as store:
        assert put(store, rates_number(1), "after the failure").new > 0
    with_more(monkeypatch, WORKING)
    Store(store_path, write=write).close()
    assert all_tables(store_path)["more"] == [(7,)]


def test_migrations_before_the_failing_one_are_kept_whole(
    tmp_path: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_store_of_version(tmp_path / "old.duckdb", 1, store_path)
    with monkeypatch.context() as patch:
        with_more(patch, BROKEN)
        with pytest.raises(RatedbError, match="no_such"):
            Store(path, write=True)
    assert schema_version(path) == NEWEST
    assert "half_done" not in table_names(path)


def test_a_new_store_whose_migration_fails_is_not_made_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_more(monkeypatch, BROKEN)
    with pytest.raises(RatedbError, match="no_such"):
        Store(tmp_path / "new.duckdb", write=True, create=True)
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_leaves_nothing_else_in_its_folder(tmp_path: Path) -> None:
    make_store(tmp_path / "new.duckdb")
    assert [entry.name for entry in tmp_path.iterdir()] == ["new.duckdb"]


def test_a_store_that_another_process_made_meanwhile_is_kept(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes make the same store: who comes second uses the first one's."""
    path = tmp_path / "raced.duckdb"
    real = migrations.migrate

    def migrate_while_another_wins(connection: duckdb.DuckDBPyConnection, *more: str) -> list[int]:
        applied = real(connection, *more)
        if not path.exists():
            shutil.copy(store_path, path)
        return applied

    monkeypatch.setattr(migrations, "migrate", migrate_while_another_wins)
    with Store(path, write=True, create=True) as store:
        assert store.system_names() == ["XY+He"]


@pytest.mark.parametrize("write", [True, False])
def test_a_store_at_version_1_is_brought_up_to_date(tmp_path: Path, store_path: Path, write: bool) -> None:
    path = make_store_of_version(tmp_path / "old.duckdb", 1, store_path)
    assert schema_version(path) == 1
    with Store(path, write=write) as store:
        assert by_transition(store.rates("XY+He")) == by_transition(rates_number(0))
    assert schema_version(path) == NEWEST
    with Store(path, write=True) as store:
        put(store, rates_number(3))
        assert by_transition(store.rates("XY+He")) == by_transition(rates_number(3))


@pytest.mark.parametrize("write", [True, False])
def test_a_store_of_a_newer_schema_is_refused_and_not_touched(store_path: Path, write: bool) -> None:
    with duckdb.connect(str(store_path)) as connection:
        connection.execute(
            "INSERT INTO schema_migration VALUES (?, 'later', current_timestamp, '9.9')", [NEWEST + 1]
        )
    before = store_path.read_bytes()
    with pytest.raises(RatedbError, match="newer ratedb") as caught:
        Store(store_path, write=write)
    assert caught.value.exit_code == 1
    assert caught.value.todo is not None
    assert "update ratedb" in caught.value.todo
    assert caught.value.where == str(store_path)
    assert store_path.read_bytes() == before


def test_opening_a_current_store_changes_no_byte(store_path: Path) -> None:
    before = store_path.read_bytes()
    for write in (False, True):
        Store(store_path, write=write).close()
    assert store_path.read_bytes() == before


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_levels_of_every_older_version_get_their_quantum_numbers(
    tmp_path: Path, store_path: Path, version: int
) -> None:
    path = make_store_of_version(tmp_path / "old.duckdb", version, store_path)
    with Store(path) as store, Store(store_path) as newest:
        for view in ("levels", "rates", "rates_all"):
            assert store.query(f"SELECT * FROM {view} ORDER BY ALL") == newest.query(
                f"SELECT * FROM {view} ORDER BY ALL"
            )
        assert list(store.levels("XY").levels.quantum_numbers) == ["v", "j"]
        assert store.levels("XY").levels.kind == "linear"


def test_the_old_name_of_the_half_width_is_there_for_one_release(store: Store) -> None:
    put(store, rates_number(1).select([0]))
    model = store.model(store.put_model(model_record()))
    prediction = prediction_of(rates_number(1))
    store.put_prediction("XY+He", prediction, prediction.log10_half_width_68 > 0, model)
    for view in ("rates", "rates_all"):
        [row] = store.query(
            f"SELECT count(log10_std) AS n, bool_and(log10_std = log10_half_width_68) AS same FROM {view}"
        )
        assert row["n"] > 0
        assert row["same"]
