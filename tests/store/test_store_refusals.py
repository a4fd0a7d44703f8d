from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import duckdb
import pytest
from children import Children, rates_number
from stores import make_store, put

from ratedb.errors import LockedError, RatedbError
from ratedb.store.store import Store
from ratedb.store.waiting import waiting_up_to

pytestmark = pytest.mark.usefixtures("stores_made_anew")

FOREIGN_SQL = {
    "a table": "CREATE TABLE t (x INTEGER)",
    "a view": "CREATE VIEW v AS SELECT 1",
    "a sequence": "CREATE SEQUENCE s",
    "a macro": "CREATE MACRO m() AS 1",
    "a schema_migration with text": "CREATE TABLE schema_migration (version VARCHAR); "
    "INSERT INTO schema_migration VALUES ('first')",
    "a schema_migration with a number": "CREATE TABLE schema_migration (version BIGINT, dirty BOOLEAN); "
    "INSERT INTO schema_migration VALUES (2, false)",
    "a schema_migration elsewhere": "CREATE SCHEMA o; CREATE TABLE o.schema_migration (version INTEGER)",
}
OTHER_FILES = {
    "text.duckdb": b"hello world\n" * 100,
    "empty.duckdb": b"",
    "short.duckdb": b"x",
    "table.csv": b"a,b\n1,2\n" * 300,
    "table.json": b'{"a": 1}\n' * 300,
    "table.parquet": b"PAR1" * 100,
    "binary.db": bytes(range(256)) * 64,
}


def refused(path: Path, words: str, *, write: bool) -> RatedbError:
    before = path.read_bytes() if path.is_file() else None
    listing = sorted(path.parent.iterdir())
    with pytest.raises(RatedbError, match=words) as caught:
        Store(path, write=write, create=write)
    assert caught.value.exit_code == 1
    assert caught.value.where == str(path)
    assert caught.value.todo
    assert (path.read_bytes() if path.is_file() else None) == before
    assert sorted(path.parent.iterdir()) == listing
    return caught.value


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("name", FOREIGN_SQL)
def test_a_duckdb_file_of_another_program_is_refused_unchanged(
    tmp_path: Path, name: str, write: bool
) -> None:
    path = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(FOREIGN_SQL[name])
    refused(path, "not a ratedb store", write=write)


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_that_is_no_database_is_refused_unchanged(tmp_path: Path, name: str, write: bool) -> None:
    path = tmp_path / name
    path.write_bytes(OTHER_FILES[name])
    refused(path, "not a DuckDB database", write=write)


@pytest.mark.parametrize("write", [True, False])
def test_an_sqlite_file_is_refused_unchanged(tmp_path: Path, write: bool) -> None:
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x INTEGER)")
    connection.close()
    refused(path, "not a DuckDB database", write=write)


@pytest.mark.parametrize("write", [True, False])
def test_a_directory_is_refused(tmp_path: Path, write: bool) -> None:
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "a directory", write=write)


def test_a_missing_file_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"
    for write in (True, False):
        with pytest.raises(RatedbError, match="there is no database"):
            Store(path, write=write)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="No such file or directory") as caught:
        Store(tmp_path / "none" / "s.duckdb", write=True, create=True)
    assert caught.value.where == str(tmp_path / "none" / "s.duckdb")


@pytest.mark.parametrize(
    "name", [":memory:", "sqlite:s", "md:s", "s.csv", "it's.duckdb", "a b.duckdb", "ä.db"]
)
def test_a_store_may_have_any_name_and_is_always_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make_store(Path(name), rates_number(0))
    with Store(name) as store:
        assert store.system_names() == ["XY+He"]
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_store_cut_short_is_refused_with_one_message(store_path: Path, part: float) -> None:
    content = store_path.read_bytes()
    cut = store_path.with_name("cut.duckdb")
    cut.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(RatedbError) as caught:
        Store(cut)
    assert caught.value.where == str(cut)


def test_a_file_that_must_not_be_written_is_refused_for_writing_and_read(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    refused(store_path, "read-only", write=True)
    with Store(store_path) as store:
        assert store.system_names() == ["XY+He"]


def tmp_root() -> Path:
    return Path(tempfile.gettempdir()).resolve()


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="the check changes its user, which is tried on Linux only"
)
def test_read_only_files_and_folders_are_read_and_refused_for_writing(
    store_path: Path, children: Children
) -> None:
    """In a process without root's rights, which go beyond all file modes."""
    own = [folder for folder in store_path.parents if tmp_root() in folder.parents]
    for folder in own:  # pytest's own, closed to others
        folder.chmod(0o755)
    store_path.chmod(0o444)
    store_path.parent.chmod(0o555)
    content = store_path.read_bytes()
    values = rates_number(0).rate_cm3_s.size
    try:
        assert children.run("powerless", store_path, False) == [{"done": values}]
        [said] = children.run("powerless", store_path, True)
        assert (said["error"], said["exit_code"]) == ("RatedbError", 1)
        assert "the database is read-only" in said["message"]
        [said] = children.run("powerless", store_path.with_name("new.duckdb"), True)
        assert (said["error"], said["exit_code"]) == ("RatedbError", 1)
        assert "Permission denied" in said["message"]
        store_path.chmod(0o000)
        [said] = children.run("powerless", store_path, False)
        assert (said["error"], said["exit_code"]) == ("RatedbError", 1)
    finally:
        store_path.parent.chmod(0o755)
        store_path.chmod(0o644)
    assert store_path.read_bytes() == content
    assert os.listdir(store_path.parent) == [store_path.name]


def test_one_process_cannot_read_and_write_at_once_and_is_told_why(store_path: Path) -> None:
    with Store(store_path, write=True) as store:
        what = "this process already has the database open"
        with waiting_up_to(0), pytest.raises(LockedError, match=what) as caught:
            Store(store_path)
        assert caught.value.exit_code == 3
        assert put(store, rates_number(1), "still works").new > 0


def test_a_store_opened_for_reading_refuses_to_write_and_stays(store_path: Path) -> None:
    before = store_path.read_bytes()
    with Store(store_path) as store:
        with pytest.raises(RatedbError, match="read-only"):
            put(store, rates_number(1))
        assert store.system_names() == ["XY+He"]
    assert store_path.read_bytes() == before
