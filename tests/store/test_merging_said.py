"""What curators said in two stores: the newest counts, all is kept, and what differs is listed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from merged import said
from small_co import make_small_store
from stores import all_tables
from synthetic import lamda_text, rotor_levels, rotor_rates

import ratedb
from ratedb.database import Database

PRESENT = "SELECT source_id, withdrawn FROM sources ORDER BY source_id"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Database, Database]:
    """Give two stores with the same two sources of one system, under other numbers."""
    stores = []
    for name, seeds in (("ours", (1, 2)), ("theirs", (2, 1))):
        db = ratedb.open(tmp_path / f"{name}.duckdb", create=True)
        for seed in seeds:
            file = tmp_path / f"{seed}.dat"
            file.write_text(lamda_text([rotor_rates(rotor_levels(5), seed=seed)]))
            db.import_(file, method="CC")
        stores.append(db)
    return stores[0], stores[1]


def test_a_withdrawal_comes_with_its_reason_time_and_name(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    monkeypatch.setenv("RATEDB_USER", "Maria")
    theirs.sources("XY+He", withdraw=1, because="wrong potential")
    found = ours.merge(theirs.path)
    assert found.conflicts == ()
    assert found.records["events"] == {"added": 1, "unchanged": 0}
    assert said(ours.path, PRESENT) == [(1, False), (2, True)]
    columns = "action, reason, happened_at, user_name, ratedb_version"
    [event] = said(ours.path, f"SELECT {columns} FROM source_events")
    assert [event] == said(theirs.path, f"SELECT {columns} FROM source_events")
    assert event[3] == "Maria"


def test_the_newest_of_two_decisions_counts_in_both_stores_and_is_listed(
    pair: tuple[Database, Database], tmp_path: Path
) -> None:
    ours, theirs = pair
    ours.sources("XY+He", withdraw=2, because="too old")
    ours.sources("XY+He", restore=2, because="it is good")
    theirs.sources("XY+He", withdraw=1, because="wrong potential")
    copy = Database(shutil.copy(ours.path, tmp_path / "copy.duckdb"))
    [conflict] = ours.merge(theirs.path).conflicts
    assert (conflict.about, conflict.source_id, conflict.counts) == ("withdrawn", 2, "other")
    assert (conflict.here, conflict.here_because) == ("restore", "it is good")
    assert (conflict.other, conflict.other_because) == ("withdraw", "wrong potential")
    assert said(ours.path, PRESENT) == [(1, False), (2, True)]
    [conflict] = theirs.merge(copy.path).conflicts
    assert (conflict.counts, conflict.here_because) == ("here", "wrong potential")
    assert said(theirs.path, PRESENT) == [(1, True), (2, False)]
    before = all_tables(ours.path)
    assert ours.merge(theirs.path).conflicts == ()
    assert all_tables(ours.path) == before


def test_corrections_come_along_and_a_corrected_source_is_the_same_source(
    pair: tuple[Database, Database],
) -> None:
    ours, theirs = pair
    theirs.sources("XY+He", correct=(1, "reference=Doe et al. (2020), ApJ 1, 2"), because="it was missing")
    theirs.sources("XY+He", correct=(2, "collider=p-H2"), because="wrong in the file")
    ours.merge(theirs.path)
    rows = "SELECT system, reference, authors, year, journal FROM sources ORDER BY system"
    assert said(ours.path, rows) == said(theirs.path, rows)
    assert ours.merge(theirs.path).added == 0
    assert len(said(ours.path, "SELECT 1 FROM sources")) == 2


def test_two_corrections_of_one_field_are_a_conflict(pair: tuple[Database, Database]) -> None:
    ours, theirs = pair
    theirs.sources("XY+He", correct=(2, "method=CS"), because="paper, section 2")
    ours.sources("XY+He", correct=(1, "method=IOS"), because="mail from the authors")
    [conflict] = ours.merge(theirs.path).conflicts
    assert (conflict.about, conflict.here, conflict.other, conflict.counts) == ("method", "IOS", "CS", "here")
    assert said(ours.path, "SELECT method FROM sources WHERE source_id = 1") == [("IOS",)]
    assert len(ours.sources(history=True)) == 2


def test_the_newest_order_counts_and_keeps_its_reason(pair: tuple[Database, Database]) -> None:
    ours, theirs = pair
    ours.sources("XY+He", prefer="1", because="mine")
    theirs.sources("XY+He", prefer="1,2", because="theirs is better")
    [conflict] = ours.merge(theirs.path).conflicts
    assert (conflict.about, conflict.here, conflict.other, conflict.counts) == ("order", "1", "2,1", "other")
    assert [row["source_id"] for row in ours.sources("XY+He").dicts()] == [2, 1]
    orders = said(ours.path, "SELECT source_ids, reason FROM source_orders ORDER BY ordered_at")
    assert orders == [([1], "mine"), ([2, 1], "theirs is better")]
    theirs.merge(ours.path)
    assert [row["source_id"] for row in theirs.sources("XY+He").dicts()] == [1, 2]
    assert ours.merge(theirs.path).added == 0


def test_an_older_order_of_the_other_store_is_kept_and_does_not_count(
    pair: tuple[Database, Database],
) -> None:
    ours, theirs = pair
    theirs.sources("XY+He", prefer="1", because="theirs")
    ours.sources("XY+He", prefer="1", because="mine, later")
    [conflict] = ours.merge(theirs.path).conflicts
    assert conflict.counts == "here"
    assert [row["source_id"] for row in ours.sources("XY+He").dicts()] == [1, 2]
    assert len(said(ours.path, "SELECT 1 FROM source_orders")) == 2


def test_what_is_said_of_a_whole_file_is_not_said_of_a_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    file.write_text(lamda_text([rotor_rates(rotor_levels(5))]))
    ours, theirs = (ratedb.open(tmp_path / f"{name}.duckdb", create=True) for name in ("a", "b"))
    ours.import_(file, method="CC")
    theirs.import_(file, method="CC", j="1:3")
    theirs.sources("XY+He", withdraw=1, because="not converged")
    [conflict] = ours.merge(theirs.path).conflicts
    assert (conflict.counts, conflict.other_because) == ("neither", "not converged")
    assert said(ours.path, PRESENT) == [(1, False)]


def test_an_acceptance_comes_with_its_reason_and_does_not_change_one_that_is_here(tmp_path: Path) -> None:
    stores = [Database(make_small_store(tmp_path / f"{n}.duckdb")) for n in range(3)]
    ours, theirs, other = stores
    theirs.check("CO+p-H2", accept="off-curve", because="checked with the authors")
    other.check("CO+p-H2", accept="off-curve", because="I like it")
    marked = "SELECT count(*) FROM rates_all WHERE marked"
    assert said(ours.path, marked) == [(1,)]
    ours.merge(theirs.path)
    assert said(ours.path, marked) == [(0,)]
    [conflict] = ours.merge(other.path).conflicts
    assert (conflict.about, conflict.here, conflict.counts) == ("accepted", "off-curve", "here")
    assert (conflict.here_because, conflict.other_because) == ("checked with the authors", "I like it")
    reasons = "SELECT DISTINCT accepted_because FROM findings WHERE accepted_because IS NOT NULL"
    assert said(ours.path, reasons) == [("checked with the authors",)]
