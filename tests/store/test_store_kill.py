"""Kill -9 at random moments: the store opens, holds all that was reported, and nothing by halves."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from children import Children, prediction_number, rates_number
from stores import by_transition, make_store_of_version, model_record, put, schema_version

from ratedb.options import SqlOptions
from ratedb.rates import Rates
from ratedb.store import migrations
from ratedb.store.query import sql
from ratedb.store.store import Store

pytestmark = pytest.mark.usefixtures("stores_made_anew")

SEED = 20240607
KILLS_DURING_IMPORT = 12
KILLS_DURING_FILL = 12
KILLS_DURING_MIGRATION = 4  # of a new store, and again of an old one
LONGEST_S = 0.25
NEWEST = migrations.available()[-1].version


def kill_at_random(children: Children, dice: random.Random, job: str, *arguments: object) -> list[int]:
    """Run a job, kill it after a random time and return the numbers it had reported as done.

    The time counts from the job's first report, one time in four from its start.
    """
    process = children.start(job, *arguments)
    says = children.says()
    said = [] if dice.random() < 0.25 else [next(says)]
    time.sleep(dice.uniform(0.0, LONGEST_S))
    os.kill(process, signal.SIGKILL)
    said += says
    assert all("done" in line for line in said), said
    return [int(line["done"]) for line in said]


def sources_in(store: Store, kind: str) -> dict[int, int]:
    """Return the source id by the number of the import or fill that brought it."""
    rows = store.query("SELECT * FROM sources WHERE kind = ? ORDER BY source_id", [kind])
    if kind == "predicted":
        seeds = {row["model_id"]: row["seed"] for row in store.query("SELECT model_id, seed FROM models")}
        return {seeds[row["model_id"]]: row["source_id"] for row in rows}
    return {int(row["reference"].split()[1]): row["source_id"] for row in rows}


def check_sources(path: Path, kind: str, values: Callable[[int], Rates]) -> set[int]:
    """Check that each source is whole and right to the bit, and return their numbers."""
    with Store(path) as store:
        sources = sources_in(store, kind)
        others = set() if kind == "computed" else {1}  # the import that the fills stand on
        rows = store.connection.execute(
            "SELECT source_id, upper_label, lower_label, temperature_k, rate_cm3_s FROM rates_all"
        ).fetchall()
        stored: dict[int, dict[tuple[str, str, float], float]] = defaultdict(dict)
        for source, upper, lower, kelvin, rate in rows:
            stored[source][upper, lower, kelvin] = rate
        for number, source in sources.items():
            assert stored[source] == by_transition(values(number)), f"source {source} of number {number}"
        assert set(stored) == set(sources.values()) | others
        orphans = store.query("SELECT * FROM rate WHERE source_id NOT IN (SELECT source_id FROM source)")
        assert orphans == []
    counted = sql(path, "SELECT count(*) FROM rates_all", SqlOptions())  # also where a log is left
    assert counted.rows == [(len(rows),)]
    return set(sources)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "kind", "kills"),
    [("imports", "computed", KILLS_DURING_IMPORT), ("fills", "predicted", KILLS_DURING_FILL)],
)
def test_a_kill_during_import_or_fill_loses_nothing_reported_and_leaves_no_half(
    tmp_path: Path, children: Children, job: str, kind: str, kills: int
) -> None:
    dice = random.Random(SEED)
    values = rates_number if kind == "computed" else (lambda number: prediction_number(number))
    path = tmp_path / "store.duckdb"
    with Store(path, write=True, create=True) as store:
        put(store, rates_number(0), "import 0")
        store.put_model(model_record())
    reported: set[int] = set()
    there: set[int] = set()
    for _ in range(kills):
        first = max(there, default=0) + 1  # past those that were stored but not reported
        done = kill_at_random(children, dice, job, path, first)
        reported.update(done)
        there = check_sources(path, kind, values)
        assert reported <= there
        assert len(there - reported - {0}) <= kills  # at most one each, cut off before its report
    assert len(reported) > kills, "the kills came before anything was done: the test shows nothing"
    with Store(path, write=True) as store:
        assert put(store, rates_number(1), "import 999999").new > 0


@pytest.mark.slow
def test_a_kill_while_stores_are_made_leaves_each_whole_or_not_there(
    tmp_path: Path, children: Children
) -> None:
    dice = random.Random(SEED)
    made = 0
    for kill in range(KILLS_DURING_MIGRATION):
        folder = tmp_path / str(kill)
        folder.mkdir()
        done = kill_at_random(children, dice, "makes", folder)
        stores = sorted(folder.glob("*.duckdb"))
        assert {f"{number}.duckdb" for number in done} <= {path.name for path in stores}
        for path in stores:
            assert schema_version(path) == NEWEST
        for path in stores[-1:]:
            with Store(path, write=True) as store:
                assert put(store, rates_number(1)).new > 0
        with Store(folder / f"{len(stores)}.duckdb", write=True, create=True) as store:
            assert put(store, rates_number(1)).new > 0
        made += len(stores)
    assert made > 0


@pytest.mark.slow
def test_a_kill_during_an_upgrade_leaves_the_old_store_or_the_new(
    tmp_path: Path, children: Children, made_once: Path
) -> None:
    dice = random.Random(SEED)
    old = make_store_of_version(tmp_path / "old.duckdb", 1, made_once)
    upgraded = 0
    for kill in range(KILLS_DURING_MIGRATION):
        folder = tmp_path / str(kill)
        folder.mkdir()
        done = kill_at_random(children, dice, "upgrades", folder, old)
        paths = sorted(folder.glob("*.duckdb"))
        for path in paths:
            version = schema_version(path)
            assert version == NEWEST if int(path.stem) in done else version in range(1, NEWEST + 1)
            with Store(path) as store:
                assert by_transition(store.rates("XY+He")) == by_transition(rates_number(0))
            assert schema_version(path) == NEWEST
        for path in paths[-1:]:
            with Store(path, write=True) as store:
                assert put(store, rates_number(1)).new > 0
        upgraded += len(done)
    assert upgraded > 0
