"""Stores written by earlier versions stay readable, number by number (tests/stores/)."""

from __future__ import annotations

import gzip
import json
import runpy
from pathlib import Path

import pytest
from stores import put, schema_version
from synthetic import rotor_levels, rotor_rates

from ratedb.store import migrations
from ratedb.store.store import Store

FOLDER = Path(__file__).parent.parent / "stores"
VERSIONS = sorted(path.name.removesuffix(".duckdb.gz") for path in FOLDER.glob("*.duckdb.gz"))
WRITE = runpy.run_path(str(FOLDER / "write.py"))


@pytest.fixture(params=VERSIONS)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "released.duckdb"
    path.write_bytes(gzip.decompress((FOLDER / f"{request.param}.duckdb.gz").read_bytes()))
    return path, request.param


def test_there_is_a_store_of_version_0_1_0() -> None:
    assert "0.1.0" in VERSIONS


def test_a_store_of_an_earlier_version_shows_every_number_it_showed(released: tuple[Path, str]) -> None:
    path, version = released
    expected = json.loads((FOLDER / f"{version}.json").read_text())
    with Store(path) as store:
        for view, rows in expected.items():
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
    assert {row["kind"] for row in shown["rates"]} == {"computed", "scaled", "extrapolated", "predicted"}
    assert len(shown["plans"]) == len(shown["models"]) == 1
    assert len(shown["rates_all"]) > len(shown["rates"])
