"""`mix` in a store: a derived source of the system with H2 that says what it was made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import lamda_text, rotor_levels, rotor_lines, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError, UsageError
from ratedb.rates import Rates

KELVIN = (10.0, 50.0, 200.0)


def table(collider: str, seed: int) -> Rates:
    return rotor_rates(rotor_levels(4, molecule="XY"), collider, KELVIN, seed=seed)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = ratedb.open(tmp_path / "r.duckdb", create=True)
    tables = [table("p-H2", 0), table("o-H2", 3)]
    (tmp_path / "xy.dat").write_text(lamda_text(tables, rotor_lines(tables[0].levels)))
    made.import_(tmp_path / "xy.dat", method="CC", reference="Somebody 2020")
    return made


def test_a_mixture_is_a_derived_source_of_both(db: Database) -> None:
    found = db.mix("XY", ortho_to_para=3.0)
    assert (found.system, found.to, found.derived_from) == ("XY+H2", "mixture", "XY+p-H2, XY+o-H2")
    assert found.source_ids == (1, 2)
    rates = db.rates("XY+H2")
    a, b = (db.rates(f"XY+{one}").rate_cm3_s for one in ("p-H2", "o-H2"))
    np.testing.assert_allclose(rates.rate_cm3_s, 0.25 * a + 0.75 * b, rtol=1e-6)
    assert set(np.unique(rates.kind)) == {"derived"}
    [source] = rates.provenance["sources"]
    assert source["derived_from"] == {"system": "XY+p-H2, XY+o-H2", "source_ids": [1, 2]}
    assert "k(H2) = (k(p-H2) + r k(o-H2)) / (1 + r), r = o/p = 3" in source["method"]
    assert source["reference"] == "Somebody 2020"
    assert db.lines("XY+H2", lines="XY(1-0)").lines  # type: ignore[union-attr]


def test_the_same_mixture_twice_changes_nothing_and_a_dry_run_stores_nothing(db: Database) -> None:
    db.mix("XY", thermal=True, dry_run=True)
    assert "XY+H2" not in db.systems().column("system")
    first, again = db.mix("XY", thermal=True), db.mix("XY+H2", thermal=True)
    assert (again.source_id, again.new, again.unchanged) == (first.source_id, 0, first.new)
    other = db.mix("XY", ortho_to_para=1)
    assert any("of another kind" in said for said in other.warnings)


def test_a_mixture_goes_out_as_a_file_and_keeps_its_provenance(db: Database, tmp_path: Path) -> None:
    db.mix("XY", thermal=True)
    db.export("XY+H2", tmp_path / "h2.dat")
    assert "Somebody 2020" in (tmp_path / "h2.dat").read_text()
    assert "XY+p-H2, XY+o-H2" in (tmp_path / "h2.dat.provenance.json").read_text()
    assert ratedb.open(tmp_path / "new.duckdb", create=True).import_(tmp_path / "h2.dat")


def test_a_request_that_cannot_be_is_refused(db: Database) -> None:
    for options in ({}, {"thermal": True, "ortho_to_para": 3.0}, {"ortho_to_para": -1.0}):
        with pytest.raises(UsageError, match="o-H2"):
            db.mix("XY", **options)
    with pytest.raises(RatedbError, match=r"no system 'CO\+p-H2'"):
        db.mix("CO", thermal=True)
    with pytest.raises(UsageError, match="read-only"):
        ratedb.open(db.path, read_only=True).mix("XY", thermal=True)
