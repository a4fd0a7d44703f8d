"""Which source gives a transition: by method, never by the order of import, and never two for one curve."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from stores import put
from synthetic import rotor_levels, rotor_rates

import ratedb
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.methods import method_class
from ratedb.store.store import Store

SETS = (("CC", "Old et al. 2006"), ("IOS", "Green 2012"), ("not stated", "New 2020"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC", "close coupling"),
        ("quantum close-coupling", "close coupling"),
        ("coupled states (CS)", "coupled states"),
        ("IOSA", "infinite order sudden"),
        ("cc", "close coupling"),
        (" Cs ", "coupled states"),
        ("infinite order sudden, scaled from He", "scaled"),
        ("MQCT", "mixed or classical"),
        ("wave packet", "other quantum"),
        ("co.cc.dat", "not stated"),
        ("not stated", "not stated"),
    ],
)
def test_a_method_has_the_class_that_its_words_name(text: str, expected: str) -> None:
    assert method_class(text) == expected


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_close_coupling_precedes_other_methods_whatever_the_order_of_import(
    store: Store, order: tuple[int, ...]
) -> None:
    ids = {}
    for number in order:
        method, reference = SETS[number]
        ids[number] = put(
            store, rotor_rates(rotor_levels(3), seed=number), reference, method=method
        ).source_id
    assert set(store.column("SELECT DISTINCT source_id FROM rates")) == {ids[0]}


def test_a_source_in_doubt_about_its_unit_comes_last_until_the_finding_is_accepted(
    store: Store, store_path: Path
) -> None:
    rates = rotor_rates(rotor_levels(3))
    put(store, rates, "good 2001", method="IOS")
    wrong = replace(rates, rate_cm3_s=rates.rate_cm3_s * 1e-6)
    doubt = (Finding("unit-of-set", "warning", rates.system, "small"),)
    put(store, wrong, "m3 2020", method="CC", findings=doubt)
    assert store.column("SELECT DISTINCT source_id FROM rates") == [1]
    assert store.doubted_sources(rates.system) == {2: "unit-of-set"}
    store.accept_findings([2], "unit-of-set", "a trap")
    assert store.column("SELECT DISTINCT source_id FROM rates") == [2]


def test_curves_are_joined_only_where_asked_and_the_jump_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    levels = rotor_levels(3)
    cold = rotor_rates(levels, temperature_k=(10.0, 20.0, 30.0))
    warm = rotor_rates(levels, temperature_k=(20.0, 40.0, 80.0))
    warm = replace(warm, rate_cm3_s=warm.rate_cm3_s * 3.0)
    with Store(path, write=True, create=True) as store:
        put(store, cold, "cold 2020", method="CC")
        put(store, warm, "warm 2010", method="CC")
    db = ratedb.open(path)
    alone = db.rates("XY+He")
    assert alone.temperature_k.tolist() == [10.0, 20.0, 30.0]
    db.sources("XY+He", join=(1, 2), because="one potential surface")
    joined = db.rates("XY+He")
    assert joined.temperature_k.tolist() == [10.0, 20.0, 30.0, 40.0, 80.0]
    assert (joined.source_id == np.array([1, 1, 1, 2, 2])).all()
    found = [row for row in db.findings("XY+He").dicts() if row["rule"] == "joined-sources"]
    assert [row["source_id"] for row in found] == [2]
    assert 2.0 < found[0]["value"] < 5.0
    db.sources("XY+He", prefer=(2,))
    assert db.rates("XY+He").temperature_k.tolist() == [20.0, 40.0, 80.0]
    assert not [row for row in db.findings("XY+He").dicts() if row["rule"] == "joined-sources"]
    with pytest.raises(RatedbError):
        db.sources("XY+He", join=(1, 7))
