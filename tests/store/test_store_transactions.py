from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from children import Children, rates_number
from stores import all_tables, by_transition, incoming, put
from synthetic import rotor_levels, rotor_rates

from ratedb.errors import LockedError, RatedbError
from ratedb.store.records import LevelSetRow
from ratedb.store.store import Store
from ratedb.store.waiting import waiting_up_to

pytestmark = pytest.mark.usefixtures("stores_made_anew")


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_what_goes_wrong_inside_a_transaction_leaves_the_store_as_it_was(
    store_path: Path, failure: type[BaseException]
) -> None:
    before = all_tables(store_path)

    def fail(store: Store) -> None:
        with store.transaction() as session:
            session.add(LevelSetRow(molecule="A", content_sha256="", file_name="", file_sha256=""))
            session.flush()
            store.connection.execute("INSERT INTO rate SELECT * FROM rate")
            raise failure

    with Store(store_path, write=True) as store:
        with pytest.raises(failure):
            fail(store)
        assert store.system_names() == ["XY+He"]
    assert all_tables(store_path) == before
    with Store(store_path, write=True) as store:
        assert put(store, rates_number(1), "after").new > 0


def test_an_interrupt_inside_a_query_is_pythons_own(store_path: Path) -> None:
    """DuckDB tells of Ctrl-C as a RuntimeError."""
    before = all_tables(store_path)

    def interrupt(store: Store) -> None:
        with store.transaction():
            store.connection.execute("DELETE FROM rate")
            raise RuntimeError("Query interrupted")

    with Store(store_path, write=True) as store, pytest.raises(KeyboardInterrupt):
        interrupt(store)
    assert all_tables(store_path) == before


def test_other_runtime_errors_stay_what_they_are(store_path: Path) -> None:
    def fail(store: Store) -> None:
        with store.transaction():
            raise RuntimeError("something else")

    with Store(store_path, write=True) as store, pytest.raises(RuntimeError, match="something else"):
        fail(store)


def test_bulk_and_records_are_kept_together(store_path: Path) -> None:
    with Store(store_path, write=True) as store, store.transaction() as session:
        session.add(LevelSetRow(molecule="A", content_sha256="", file_name="", file_sha256=""))
        store.connection.execute("INSERT INTO kind_rank VALUES ('test', 99)")
    tables = all_tables(store_path)
    assert ("test", 99) in tables["kind_rank"]
    assert [row[1] for row in tables["level_set"]] == ["XY", "A"]


def test_of_several_files_none_is_kept_where_the_last_is_refused(store_path: Path) -> None:
    before = all_tables(store_path)
    levels = rotor_levels(5)
    contradicting = rotor_rates(replace(levels, energy_cm1=levels.energy_cm1 * 2))
    files = [incoming(rates_number(1), "good"), incoming(contradicting, "bad")]
    with Store(store_path, write=True) as store, pytest.raises(RatedbError, match="contradict"):
        store.put_rates(files)
    assert all_tables(store_path) == before


def test_a_dry_run_says_what_it_would_do_and_keeps_nothing(store_path: Path) -> None:
    before = all_tables(store_path)
    with Store(store_path, write=True) as store:
        [result] = store.put_rates([incoming(rates_number(1), "dry")], dry_run=True)
        assert result.new == rates_number(1).rate_cm3_s.size
    assert all_tables(store_path) == before


@pytest.mark.parametrize("holder_writes", [True, False])
@pytest.mark.parametrize("write", [True, False])
def test_a_store_that_another_process_holds_is_locked_and_its_pid_is_said(
    store_path: Path, children: Children, holder_writes: bool, write: bool
) -> None:
    if not holder_writes and not write:
        pytest.skip("several processes may read at once: the next test")
    holder = children.start("holds", store_path, holder_writes)
    said = children.says()
    assert next(said) == {"done": 0}
    try:
        with waiting_up_to(0), pytest.raises(LockedError) as caught:
            Store(store_path, write=write)
        assert caught.value.exit_code == 3
        assert f"PID {holder}" in str(caught.value)
        assert caught.value.where == str(store_path)
    finally:
        end(holder)
    assert list(said) == []
    with Store(store_path, write=write) as store:
        assert by_transition(store.rates("XY+He")) == by_transition(rates_number(0))


def test_several_processes_may_read_at_once(store_path: Path, children: Children) -> None:
    holder = children.start("holds", store_path, False)
    said = children.says()
    next(said)
    try:
        with Store(store_path) as store:
            assert store.system_names() == ["XY+He"]
    finally:
        end(holder)
    assert list(said) == []


def end(process: int) -> None:
    """End a job by its process id."""
    os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("limit", [0, 1000, 20_000])
def test_a_full_disk_is_one_clear_error_and_the_store_is_as_before(
    store_path: Path, children: Children, limit: int
) -> None:
    before = all_tables(store_path)
    content = store_path.read_bytes()
    [said] = children.run("full_disk", store_path, limit, 1, 30)
    assert (said["error"], said["exit_code"]) == ("RatedbError", 1)
    assert "the disk is full or refuses to write" in said["message"]
    assert str(store_path) in said["message"]
    assert store_path.read_bytes() == content
    with Store(store_path) as store:
        assert by_transition(store.rates("XY+He")) == by_transition(rates_number(0))
    with Store(store_path, write=True) as store:
        assert put(store, rates_number(1), "with room again").new > 0
    after = all_tables(store_path)
    assert len(after["source"]) == len(before["source"]) + 1


@pytest.mark.parametrize("limit", [0, 5_000, 20_000, 300_000])
def test_a_full_disk_leaves_no_half_made_store(tmp_path: Path, children: Children, limit: int) -> None:
    [said] = children.run("full_disk", tmp_path / "new.duckdb", limit, 1, 3)
    assert (said["error"], said["exit_code"]) == ("RatedbError", 1)
    assert "the disk is full or refuses to write" in said["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_too_full_for_a_checkpoint_loses_nothing_that_was_reported(
    store_path: Path, children: Children
) -> None:
    """The change is in the log then; the next one to open the store with room takes it over."""
    size = store_path.stat().st_size
    assert children.run("full_disk", store_path, size + 1, 7, 60) == [{"done": 7}]
    expected = rotor_rates(rotor_levels(60), temperature_k=range(1, 11), seed=7)
    for _ in range(2):
        with Store(store_path) as store:
            rows = store.query("SELECT count(*) AS n FROM rates_all WHERE source_id = 2")
            assert rows == [{"n": expected.rate_cm3_s.size}]
        Store(store_path, write=True).close()
