"""A backup is the same store, row by row, and appears only when it is whole."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import duckdb
import pytest
from children import Children
from stores import all_tables, put
from synthetic import rotor_levels, rotor_rates

from ratedb.database import Database
from ratedb.errors import IntegrityError, LockedError, RatedbError
from ratedb.store import backup as copying
from ratedb.store.store import Store


def test_a_backup_has_every_row_and_opens_as_a_store(store_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.duckdb"
    result = Database(store_path).backup(target)
    assert all_tables(target) == all_tables(store_path)
    assert result.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    with Store(target, write=True) as store:
        assert put(store, rotor_rates(rotor_levels(5), seed=9), "later").new > 0


def test_a_file_that_exists_is_replaced_only_where_asked_for(store_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.duckdb"
    target.write_text("mine")
    with pytest.raises(RatedbError, match="exists"):
        Database(store_path).backup(target)
    assert target.read_text() == "mine"
    Database(store_path).backup(target, replace=True)
    assert all_tables(target) == all_tables(store_path)


def test_a_store_that_another_program_changed_replaces_no_good_backup(
    store_path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.duckdb"
    Database(store_path).backup(target)
    good = target.read_bytes()
    with duckdb.connect(str(store_path)) as connection:
        connection.execute("UPDATE rate SET rate_cm3_s = list_transform(rate_cm3_s, lambda k: 2 * k)")
    with pytest.raises(IntegrityError, match="another program changed"):
        Database(store_path).backup(target, replace=True)
    assert target.read_bytes() == good


def test_a_store_is_not_its_own_backup(store_path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(store_path)
    for target in (store_path, tmp_path / "link"):
        with pytest.raises(RatedbError, match="own backup"):
            Database(store_path).backup(target, replace=True)


@pytest.mark.slow
def test_others_may_read_meanwhile_and_nobody_may_write(
    store_path: Path, tmp_path: Path, children: Children
) -> None:
    for write in (False, True):
        process = children.start("holds", store_path, write)
        says = children.says()
        assert next(says)["done"] == 0
        target = tmp_path / f"{write}.duckdb"
        if write:
            with pytest.raises(LockedError):
                Database(store_path).backup(target)
        else:
            Database(store_path).backup(target)
        os.kill(process, signal.SIGKILL)
        list(says)
        assert target.exists() is not write


def test_what_was_committed_and_is_only_in_the_log_is_in_the_backup(
    store_path: Path, tmp_path: Path, children: Children
) -> None:
    process = children.start("imports", store_path, 1)
    done = 0
    for said in children.says():
        done = said["done"]
        if done == 3:
            os.kill(process, signal.SIGKILL)
    Database(store_path).backup(tmp_path / "copy.duckdb")
    with Store(tmp_path / "copy.duckdb") as store:
        references = store.column("SELECT reference FROM sources")
    assert {f"import {number}" for number in range(1, done + 1)} <= set(references)
    assert all_tables(tmp_path / "copy.duckdb") == all_tables(store_path)


def test_a_copy_with_another_value_is_found_and_not_kept(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = copying._copy

    def wrong(db: Path, descriptor: int, copy: Path) -> None:
        really(db, descriptor, copy)
        with Store(copy, write=True) as store:
            store.rows("UPDATE rate SET rate_cm3_s = list_reverse(rate_cm3_s) WHERE upper_id = 2")

    monkeypatch.setattr(copying, "_copy", wrong)
    with pytest.raises(RatedbError, match="not the same") as caught:
        Database(store_path).backup(tmp_path / "copy.duckdb")
    assert "table rate" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store.duckdb"]


def test_a_folder_that_cannot_be_written_to_is_named(store_path: Path, tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="cannot write the backup"):
        Database(store_path).backup(tmp_path / "none" / "copy.duckdb")
