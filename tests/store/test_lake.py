"""A store on DuckLake gives what a store in a file gives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from lakes import columns_of, comparable, need_ducklake, rotor_file, rows_of, work
from synthetic import rotor_levels, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import LockedError, RatedbError, UsageError
from ratedb.store import lake, migrations
from ratedb.store.lake_schema import id_columns
from ratedb.store.migrations import Migration
from ratedb.store.store import Store

need_ducklake()
OWN_TABLE = "lake_writer"


def assert_same(tmp_path: Path, address: str) -> None:
    """Do everything with a store in a file and with a lake, and compare all results, tables and views."""
    file = str(tmp_path / "file.duckdb")
    places = [tmp_path / "of_file", tmp_path / "of_lake"]
    for folder in places:
        folder.mkdir()
    pairs = zip(
        work(Database(file), places[0]), work(ratedb.open(address, create=True), places[1]), strict=True
    )
    for (step, of_file), (_, of_lake) in pairs:
        given = comparable(of_lake, places[1])
        assert given == comparable(of_file, places[0]), step
    of_file, of_lake = rows_of(file), rows_of(address)
    assert len(of_lake.pop(OWN_TABLE)) == 1
    assert of_lake.keys() == of_file.keys()
    for name, rows in of_file.items():
        assert of_lake[name] == rows, name


@pytest.mark.slow
def test_all_commands_give_the_same_on_a_lake_as_on_a_file(tmp_path: Path, address: str) -> None:
    assert_same(tmp_path, address)


@pytest.mark.slow
@pytest.mark.skipif("RATEDB_LONG_TESTS" not in os.environ, reason="two minutes: `make bench-lake` runs it")
def test_all_commands_give_the_same_on_a_lake_in_postgresql(tmp_path: Path, server: Any) -> None:
    assert_same(tmp_path, server("same", tmp_path / "data"))


def test_a_lake_has_the_columns_and_ids_of_a_file(address: str, tmp_path: Path) -> None:
    with Store(address) as a, Store(tmp_path / "f.duckdb", write=True, create=True) as b:
        given = [row for row in columns_of(a.connection) if row[0] != OWN_TABLE]
        # Places of columns may have gaps where a table was changed.
        assert [row[:3] for row in given] == [row[:3] for row in columns_of(b.connection)]
        sequences = b.column("SELECT sequence_name FROM duckdb_sequences() ORDER BY ALL")
    # DuckDB writes 128-bit integers to Parquet as floating-point numbers.
    assert [row for row in given if "HUGEINT" in row[2]] == []
    assert sorted(f"{table}_ids" for table in id_columns(migrations.available())) == sequences


def test_values_are_kept_to_the_last_bit_in_few_and_in_many_rows(address: str) -> None:
    """DuckLake would keep few rows as text, and lose the last bit of some numbers such as these."""
    dice = np.random.default_rng(4)
    numbers = dice.integers(0, 2**64, 40_000, dtype=np.uint64).view(np.float64)
    numbers = np.r_[
        numbers[np.isfinite(numbers)],
        dice.uniform(-0.01, 0.01, 290),
        0.0023595548721228646,
        0.0,
        -0.0,
        np.inf,
        5e-324,
    ]
    for size in (3, 300):
        rows = numbers[-100 * size :].reshape(size, 100)
        with Store(address, write=True) as store:
            store.rows("DELETE FROM temperature_grid")
            store.rows(
                "INSERT INTO temperature_grid SELECT unnest(?::INTEGER[]), unnest(?::DOUBLE[][])",
                [list(range(size)), rows.tolist()],
            )
        with Store(address) as store:
            kept = store.column("SELECT temperature_k FROM temperature_grid ORDER BY grid_id")
        assert np.array(kept).tobytes() == rows.tobytes()


@pytest.mark.slow
def test_a_copied_lake_is_one_of_its_own(address: str, tmp_path: Path) -> None:
    db = ratedb.open(address)
    db.import_(rotor_file(tmp_path / "ab.dat"))
    shutil.copy(tmp_path / "own.ducklake", tmp_path / "copy.ducklake")
    shutil.copytree(tmp_path / "own.ducklake.files", tmp_path / "copy.ducklake.files")
    copy = ratedb.open(f"ducklake:{tmp_path / 'copy.ducklake'}")
    copy.import_(rotor_file(tmp_path / "more.dat", seed=5), reference="More")
    shutil.rmtree(tmp_path / "own.ducklake.files")
    assert len(copy.sql("SELECT DISTINCT source_id FROM rates_all").rows) == 4
    assert len(copy.sql("FROM rates").rows) == 840


@pytest.mark.slow
def test_an_older_lake_is_brought_up_to_date(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ratedb.open(address).import_(rotor_file(Path(address.removeprefix("ducklake:")).with_name("ab.dat")))
    newest = migrations.available()[-1].version
    more = Migration(
        newest + 1,
        "more",
        "-- It's a table; with what DuckLake has not.\n"
        "CREATE SEQUENCE thing_ids;\n"
        "CREATE TABLE thing (thing_id INTEGER PRIMARY KEY DEFAULT nextval('thing_ids'),"
        " source_id INTEGER NOT NULL REFERENCES source (source_id), kind VARCHAR CHECK (kind IN ('a', '(b')),"
        " UNIQUE (source_id, kind), CHECK (thing_id > 0));\n"
        "ALTER TABLE rate ADD COLUMN seen BOOLEAN DEFAULT false;\n"
        "CREATE INDEX seen_rates ON rate (upper_id);\n"
        "INSERT INTO thing (thing_id, source_id) VALUES (7, 1);",
    )
    known = (*migrations.available(), more)
    monkeypatch.setattr(migrations, "available", lambda: known)
    with Store(address) as store:  # also for reading
        assert store.rows("SELECT thing_id, kind FROM thing") == [(7, None)]
        assert set(store.column("SELECT seen FROM rate")) == {False}
    with Store(address, write=True) as store:
        assert store.column("SELECT nextval('thing_ids')") == [8]


def test_a_lake_of_a_newer_ratedb_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrations.available()[:-1]
    monkeypatch.setattr(migrations, "available", lambda: known)
    with pytest.raises(RatedbError, match="newer ratedb"):
        ratedb.open(address)


def test_a_catalogue_of_something_else_is_refused_and_stays(tmp_path: Path) -> None:
    with duckdb.connect() as other:
        other.execute(f"LOAD '{lake.extension('ducklake')}'")
        other.execute(f"ATTACH 'ducklake:{tmp_path / 'o.ducklake'}' AS o")
        other.execute("CREATE TABLE o.mine AS SELECT 1 AS x")
    address = f"ducklake:{tmp_path / 'o.ducklake'}"
    with pytest.raises(RatedbError, match="not a ratedb store"):
        ratedb.open(address)
    with pytest.raises(RatedbError, match="not a ratedb store"):
        Store(address, write=True, create=True)
    with duckdb.connect(str(tmp_path / "o.ducklake")) as catalogue:
        assert catalogue.execute("SELECT table_name FROM ducklake_table").fetchall() == [("mine",)]


def test_a_block_that_fails_or_is_a_dry_run_leaves_nothing(address: str) -> None:
    with Store(address, write=True) as store:
        with pytest.raises(ZeroDivisionError), store.transaction():
            _ = store.put_system("AB", "He").system_id / 0
        with store.transaction(keep=False):
            store.put_system("AB", "p-H2")
        assert store.system_names() == []
    with Store(address) as store:
        assert store.system_names() == []


def test_the_number_of_a_merged_level_is_not_given_again(address: str) -> None:
    with Store(address, write=True) as store:
        store.rows("INSERT INTO level_merge VALUES (1, 'AB', 3, '3', 9, '9', now()::TIMESTAMP, '0')")
    with Store(address, write=True) as store:
        assert store.column("SELECT nextval('level_ids')") == [10]


def test_a_writer_that_lost_its_turn_stores_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the lock had been lost by a broken network: another connection signs as the writer."""
    with Store(address, write=True) as store:
        with store.transaction():
            store.put_system("AB", "He")
        store.rows("UPDATE lake_writer SET token = 'of another'")
        with pytest.raises(LockedError), store.transaction():
            store.put_system("AB", "p-H2")
        assert store.system_names() == ["AB+He"]


@pytest.mark.parametrize(
    "address",
    [
        "ducklake:",
        "ducklake:postgres:host=server",
        "ducklake:postgres:dbname",
        "ducklake:postgres:dbname='x",
        "ducklake:sqlite:x.db",
        "ducklake:mysql:db=x",
        "ducklake:postgresql://server/x",
    ],
)
def test_another_form_of_an_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="dbname=NAME"):
        ratedb.open(address, create=True)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        ratedb.open("ducklake:postgres:dbname=x password=se3ret")
    assert "se3ret" not in str(refused.value)
    assert ".pgpass" in str(refused.value)


def test_a_server_that_does_not_answer_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="cannot be reached"):
        ratedb.open(f"ducklake:postgres:dbname=x host={tmp_path}")


def test_a_missing_lake_is_one_message_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="there is no database"):
        ratedb.open(f"ducklake:{tmp_path / 'none.ducklake'}")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extension_the_message_says_what_to_install(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RatedbError, match=r"ratedb\[lake\]"):
        ratedb.open(address)


@pytest.mark.slow
def test_an_address_keeps_its_file_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    db = ratedb.open("ducklake:here.ducklake", create=True)
    monkeypatch.chdir("/")
    assert db.systems().rows == []


@pytest.mark.slow
def test_a_new_lake_in_postgresql_asks_for_a_folder_and_an_old_one_knows_it(
    server: Any, tmp_path: Path
) -> None:
    address = server("folder", tmp_path / "data")
    without = address.partition(" data=")[0]
    with pytest.raises(UsageError, match="data=FOLDER"):
        ratedb.open(without, create=True)
    ratedb.open(address, create=True).import_(rotor_file(tmp_path / "ab.dat"))
    assert len(ratedb.open(without).rates("AB+He")) > 0
    with pytest.raises(RatedbError, match="another folder"):
        ratedb.open(without + f" data={tmp_path / 'elsewhere'}")


@pytest.mark.slow
def test_a_reader_sees_one_state_while_another_writes(server: Any, tmp_path: Path) -> None:
    address = server("readers", tmp_path / "data")
    db = ratedb.open(address, create=True)
    db.import_(rotor_file(tmp_path / "ab.dat"))
    with Store(address) as reader:
        before = reader.rows("SELECT count(*) FROM rates_all")
        db.import_(rotor_file(tmp_path / "more.dat", seed=9, j_max=16), reference="More")
        assert reader.rows("SELECT count(*) FROM rates_all") == before
        assert len(reader.rates("AB+He").levels) == 15
    assert len(db.rates("AB+He").levels) == 17


@pytest.mark.slow
def test_two_who_write_at_once_take_turns(server: Any, tmp_path: Path) -> None:
    address = server("turns", tmp_path / "data")
    ratedb.open(address, create=True)
    with Store(address, write=True):
        with pytest.raises(LockedError, match="PID"):
            Store(address, write=True)
        Store(address).close()
    Store(address, write=True).close()


def test_rates_survive_as_they_were_given(address: str, tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(14, molecule="AB"), "He", (10.0, 20.0, 50.0, 100.0))
    db = ratedb.open(address)
    db.import_(rotor_file(tmp_path / "ab.dat"))
    np.testing.assert_allclose(
        np.sort(db.rates("AB+He").rate_cm3_s.ravel()), np.sort(rates.rate_cm3_s.ravel()), rtol=1e-3
    )
