"""Kill -9 at random moments of merging and publishing: all of it is there, or nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from children import Children, rates_number
from merged import contents
from stores import make_store

from ratedb.database import Database
from ratedb.store.snapshot import check_files, read_snapshot

SEED = 20251126
KILLS = 8
LONGEST_S = 1.0

pytestmark = pytest.mark.slow


def kill_at_random(children: Children, dice: random.Random, job: str, *arguments: object) -> list[int]:
    """Run a job, kill it after a random time, and return the numbers that it had reported as done."""
    process = children.start(job, *arguments)
    says = children.says()
    said = [next(says)]
    time.sleep(dice.uniform(0.0, LONGEST_S))
    os.kill(process, signal.SIGKILL)
    said += says
    assert all("done" in line for line in said), said
    return [int(line["done"]) for line in said]


def test_a_killed_merge_has_added_everything_or_nothing(children: Children, tmp_path: Path) -> None:
    ours = make_store(tmp_path / "ours.duckdb", rates_number(0))
    theirs = make_store(tmp_path / "theirs.duckdb", *map(rates_number, range(1, 12)))
    both = tmp_path / "both.duckdb"
    both.write_bytes(ours.read_bytes())
    before = contents(ours)
    Database(both).merge(theirs)
    after = contents(both)
    dice = random.Random(SEED)
    for turn in range(KILLS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        done = kill_at_random(children, dice, "merges", folder, ours, theirs)
        for path in folder.glob("*.duckdb"):
            Database(path).systems()  # which takes in the log
            found = contents(path)
            assert found == after or (found == before and int(path.stem) not in done)
            Database(path).merge(theirs)
            assert contents(path) == after


def test_a_killed_publication_leaves_whole_versions_only(children: Children, tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.duckdb", *map(rates_number, range(4)))
    dice, folder = random.Random(SEED), tmp_path / "published"
    done: list[int] = []
    for _ in range(KILLS):
        done += kill_at_random(children, dice, "publishes", store, folder)
        versions = {path.name: path for path in folder.iterdir() if not path.name.startswith(".")}
        assert {str(number) for number in done} <= set(versions)
        for path in versions.values():
            check_files(read_snapshot(path), deep=True)
    assert Database(folder / str(done[-1])).systems().rows == Database(store).systems().rows
