"""Several processes write to one lake, and some are killed: what they said to have stored is there, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_writers import rates_of
from lakes import need_ducklake

import ratedb
from ratedb.store.store import Store

need_ducklake()
SEED = 3
TESTS = Path(__file__).parents[1]


def writer(address: str, folder: Path, name: str, numbers: range) -> subprocess.Popen[str]:
    words = [address, folder, name, numbers.start, numbers.stop]
    paths = [str(TESTS), str(TESTS / "store"), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, str(TESTS / "store" / "lake_writers.py"), *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )


def said(process: subprocess.Popen[str]) -> list[int]:
    return [int(line) for line in process.communicate()[0].split()]


def assert_whole(address: str, stored: dict[str, list[int]]) -> None:
    """Check that what was reported is there once and right, and that the rest is whole too."""
    with Store(address) as store:
        rows = store.rows("SELECT source_id, reference FROM sources WHERE system = 'AB+He' ORDER BY 1")
        known = {reference: number for number, reference in rows}
        assert len(known) == len(rows)
        ids = store.column("SELECT source_id FROM source")
        assert len(set(ids)) == len(ids)
        for table, key in (
            ("level", "label"),
            ("collision_system", "name"),
            ("temperature_grid", "temperature_k"),
        ):
            keys = store.column(f"SELECT {key}::VARCHAR FROM {table}")
            assert len(set(keys)) == len(keys), table
        assert {f"{name} {number}" for name, numbers in stored.items() for number in numbers} <= known.keys()
        for reference, source_id in known.items():
            name, _, number = reference.partition(" ")
            values = store.source_rates("AB+He", source_id).rate_cm3_s
            np.testing.assert_allclose(values, rates_of(name, int(number)).rate_cm3_s, rtol=1e-3)
        orphans = store.rows("SELECT 1 FROM rate WHERE source_id NOT IN (SELECT source_id FROM source)")
        assert orphans == []


long = pytest.mark.skipif(
    "RATEDB_LONG_TESTS" not in os.environ, reason="two minutes: `make bench-lake` runs it"
)


@pytest.mark.slow
@pytest.mark.parametrize("catalogue", ["file", pytest.param("server", marks=long)])
def test_two_who_write_at_once_lose_nothing(catalogue: str, tmp_path: Path, request: Any) -> None:
    if catalogue == "server":
        address = request.getfixturevalue("server")("writers", tmp_path / "data")
        ratedb.open(address, create=True)
    else:
        address = request.getfixturevalue("address")
    writers = {name: writer(address, tmp_path, name, range(3)) for name in ("first", "second")}
    stored = {name: said(process) for name, process in writers.items()}
    assert stored == {name: [0, 1, 2] for name in writers}
    assert_whole(address, stored)


@pytest.mark.slow
def test_a_killed_writer_stops_nobody_and_leaves_nothing_half(server: Any, tmp_path: Path) -> None:
    address = server("killed", tmp_path / "data")
    ratedb.open(address, create=True)
    dice = random.Random(SEED)
    steady = writer(address, tmp_path, "steady", range(5))
    stored: dict[str, list[int]] = {}
    for turn in range(3):
        name = "abc"[turn]
        victim = writer(address, tmp_path, name, range(100))
        assert victim.stdout is not None
        first = victim.stdout.readline()
        time.sleep(dice.uniform(0.0, 2.0))
        victim.send_signal(signal.SIGKILL)
        stored[name] = [int(first), *said(victim)]
    stored["steady"] = said(steady)
    assert stored["steady"] == list(range(5))
    assert_whole(address, stored)
    with Store(address) as store:  # files of what was not stored may be left: they belong to nothing
        listed = {
            Path(name).name
            for table in store.column("SELECT table_name FROM ducklake_table_info('lake')")
            for name in store.column(f"SELECT data_file FROM ducklake_list_files('lake', '{table}')")
        }
    assert {file.name for file in (tmp_path / "data").rglob("*.parquet")} >= listed
