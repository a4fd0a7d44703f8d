"""Stores written by earlier versions stay readable, number by number (tests/stores/)."""

from __future__ import annotations

import gzip
import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from stores import put, schema_version
from synthetic import rotor_levels, rotor_rates

from ratedb.layers import KINDS
from ratedb.store import migrations
from ratedb.store.store import Store

FOLDER = Path(__file__).parent.parent / "stores"
VERSIONS = sorted(path.name.removesuffix(".duckdb.gz") for path in FOLDER.glob("*.duckdb.gz"))
LANDED_TOGETHER = {1, 7, 8, 9, 15, 16, 17}
WRITE = runpy.run_path(str(FOLDER / "write.py"))


@pytest.fixture(params=VERSIONS)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "released.duckdb"
    path.write_bytes(gzip.decompress((FOLDER / f"{request.param}.duckdb.gz").read_bytes()))
    return path, request.param


def what_it_held(version: str) -> dict[str, list[dict[str, Any]]]:
    packed = FOLDER / f"{version}.json.gz"
    held: dict[str, list[dict[str, Any]]] = json.loads(
        gzip.decompress(packed.read_bytes()) if packed.exists() else (FOLDER / f"{version}.json").read_text()
    )
    return held


def assert_whole_curves(shown: list[dict[str, Any]], everything: list[dict[str, Any]]) -> None:
    """Assert that each transition of a view is there, with values that the store had, of one file at most."""
    then = [{name: row[name] for name in everything[0]} for row in shown]
    assert all(row in everything for row in then)
    transition = ("system", "upper_label", "lower_label")
    assert {tuple(row[name] for name in transition) for row in then} == {
        tuple(row[name] for name in transition) for row in everything
    }
    of_files = {
        (*(row[name] for name in transition), row["source_id"]) for row in then if row["kind"] != "predicted"
    }
    assert len(of_files) == len({key[:3] for key in of_files})


def test_there_is_a_store_of_version_0_1_0() -> None:
    assert "0.1.0" in VERSIONS


def test_there_is_a_store_of_every_schema_that_landed() -> None:
    """The newest may be missing until it has landed: then `python tests/stores/write.py` writes its store.

    A schema that came together with the next one, so that nobody has a store of it, is in LANDED_TOGETHER.
    """
    kept = {int(name.removeprefix("schema-")) for name in VERSIONS if name.startswith("schema-")}
    newest = migrations.available()[-1].version
    assert kept | LANDED_TOGETHER >= set(range(1, newest)), "write or name the missing ones, see above"


@pytest.mark.parametrize("version", [name for name in VERSIONS if name.startswith("schema-")])
def test_a_kept_store_has_the_schema_of_its_name(version: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.duckdb"
    path.write_bytes(gzip.decompress((FOLDER / f"{version}.duckdb.gz").read_bytes()))
    assert schema_version(path) == int(version.removeprefix("schema-"))


def test_a_store_of_an_earlier_version_shows_every_number_it_showed(released: tuple[Path, str]) -> None:
    path, version = released
    expected = what_it_held(version)
    with Store(path) as store:
        assert_whole_curves(store.query(WRITE["VIEWS"]["rates"]), expected["rates_all"])
        # Since 0.2 a transition has the curve of one source, not the best value at each temperature.
        for view, rows in ((name, rows) for name, rows in expected.items() if name != "rates"):
            shown = store.query(WRITE["VIEWS"][view])
            assert len(shown) == len(rows)
            for now, then in zip(shown, rows, strict=True):  # later versions may add columns
                assert {name: now[name] for name in then} == then, view
    assert schema_version(path) == migrations.available()[-1].version


def test_a_store_of_an_earlier_version_takes_new_values(released: tuple[Path, str]) -> None:
    path, _ = released
    new = rotor_rates(rotor_levels(4, v_max=1), seed=99)
    with Store(path, write=True) as store:
        before = store.query("SELECT count(*) AS n FROM rates_all")[0]["n"]
        assert put(store, new, "newer").new == new.rate_cm3_s.size
        assert store.query("SELECT count(*) AS n FROM rates_all")[0]["n"] == before + new.rate_cm3_s.size


def test_the_kept_stores_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 3_000_000


def test_the_script_writes_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    WRITE["fill_store"](path)
    with Store(path) as store:
        shown = WRITE["contents"](store)
    assert {row["kind"] for row in shown["rates"]} == set(KINDS)
    assert all(shown.values())
    assert [row["source_id"] for row in shown["source_events"]] == [6]
    assert len(shown["rates_all"]) > len(shown["rates"])


@pytest.mark.parametrize("version", [name for name in VERSIONS if name.startswith("schema-")][-1:])
def test_the_log_of_each_later_migration_can_be_replayed(version: str, tmp_path: Path) -> None:
    """A process that is killed after a migration leaves it in DuckDB's log only."""
    for up_to in range(int(version.removeprefix("schema-")) + 1, migrations.available()[-1].version + 1):
        path, killed = tmp_path / f"{up_to}.duckdb", tmp_path / f"{up_to}-killed.duckdb"
        path.write_bytes(gzip.decompress((FOLDER / f"{version}.duckdb.gz").read_bytes()))
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET wal_autocheckpoint = '1TB'")
            migrations.migrate(connection, "test", str(path), up_to=up_to)
            shutil.copy(path, killed)
            shutil.copy(f"{path}.wal", f"{killed}.wal")
        assert schema_version(killed) == up_to
