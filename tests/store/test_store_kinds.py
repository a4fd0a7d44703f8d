"""Kinds and quantum numbers in the store: kept, renewed in older stores, and columns of every view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stores import make_store_of_version, put

from ratedb.kinds.reading import known_kinds
from ratedb.kinds.recognise import recognised
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates
from ratedb.store.store import Store

LABELS = ("0_0_0", "1_1_1", "2_0_2", "2_1_1", "2_2_0")
WATER = recognised(
    Levels("p-H2O", LABELS, np.array([0.0, 37.1, 70.1, 95.2, 136.2]), np.array([1.0, 3.0, 5.0, 5.0, 5.0])),
    "J_Ka_Kc",
)
LINES = Lines(np.array([1]), np.array([0]), np.array([1e-2]), np.array([1113.3]))
BEFORE_KINDS = 11


def rates_of(levels: Levels) -> Rates:
    upper, lower = np.tril_indices(len(levels), -1)
    return Rates(levels, "He", upper, lower, np.array([10.0, 20.0]), np.full((len(upper), 2), 1e-11))


def test_a_top_comes_back_with_its_kind_and_its_numbers(store: Store) -> None:
    put(store, rates_of(WATER), lines=LINES)
    levels = store.levels("p-H2O").levels
    assert levels.kind == "asymmetric top"
    assert levels.quantum_numbers["kc"].tolist() == [0, 1, 2, 1, 0]
    listed = store.list_levels("p-H2O")
    assert listed.columns[:4] == ("label", "j", "ka", "kc")
    assert [row[:4] for row in listed.rows][:2] == [("0_0_0", 0, 0, 0), ("1_1_1", 1, 1, 1)]
    assert store.list_lines("p-H2O").columns[2:8] == ("j", "ka", "kc", "j_final", "ka_final", "kc_final")


def test_views_have_the_numbers_of_both_levels(store: Store) -> None:
    put(store, rates_of(WATER), lines=LINES)
    (row,) = store.query(
        "SELECT v, j, ka, kc, v_final, j_final, ka_final, kc_final, quantum_numbers_final['kc'] AS same"
        " FROM rates WHERE upper_label = '2_1_1' AND lower_label = '1_1_1' AND temperature_k = 10"
    )
    assert tuple(row.values()) == (None, 2, 1, 1, None, 1, 1, 1, 1.0)
    (row,) = store.query("SELECT j, ka, kc, j_final, ka_final, kc_final FROM radiative")
    assert tuple(row.values()) == (1, 1, 1, 0, 0, 0)


def every_number() -> dict[str, float]:
    """Return each quantum number of any kind, those of a second molecule too, with a value of its own."""
    kinds = known_kinds()
    names = dict.fromkeys(number.name for kind in kinds for number in kind.numbers)
    halves = {number.name for kind in kinds for number in kind.numbers if number.half}
    return {name: at + (0.5 if name in halves else 0.0) for at, name in enumerate(names)}


@pytest.mark.parametrize("view", ["levels", "rates", "rates_all", "radiative"])
def test_every_quantum_number_of_every_kind_has_a_column_with_its_value(store: Store, view: str) -> None:
    numbers = every_number()
    columns = {name: np.array([value, value + 100.0]) for name, value in numbers.items()}
    both = Levels("X", ("a", "b"), np.array([0.0, 50.0]), np.array([1.0, 1.0]), columns, kind="unknown")
    put(store, rates_of(both), lines=LINES)
    row = store.query(f"SELECT * FROM {view} ORDER BY ALL")[0]
    lower = "" if view == "levels" else "_final"
    assert {"omega", "F1", "tau", "j2"} <= set(numbers)
    for name, value in numbers.items():
        column = "j_value" if name == "j" else name.lower()
        assert row[f"{column}{lower}"] == value, name
        if lower:
            assert row[column] == value + 100.0, name


def test_a_half_integer_j_is_j_value_and_in_no_column_of_whole_numbers(store: Store) -> None:
    oh = Levels("OH", ("a", "b"), np.array([0.0, 84.0]), np.array([4.0, 6.0]), {"j": np.array([1.5, 2.5])})
    put(store, rates_of(oh), lines=Lines.empty())
    put(store, rates_of(WATER), lines=Lines.empty())
    rows = store.query("SELECT j, j_value FROM levels WHERE molecule = 'OH' ORDER BY energy_cm1")
    assert [tuple(row.values()) for row in rows] == [(None, 1.5), (None, 2.5)]
    (row,) = store.query(
        "SELECT j_value, j_value_final FROM rates WHERE molecule = 'OH' AND temperature_k = 10"
    )
    assert tuple(row.values()) == (2.5, 1.5)
    whole = store.query("SELECT DISTINCT j_value - j AS difference FROM levels WHERE molecule = 'p-H2O'")
    assert [row["difference"] for row in whole] == [0.0]


OH = Levels(
    "OH",
    ("1.5_-_1", "1.5_+_1", "2.5_+_1", "0.5_+_0"),
    np.array([0.0, 0.056, 83.7, 126.3]),
    np.array([4.0, 4.0, 6.0, 2.0]),
    {"j": [1.5, 1.5, 2.5, 0.5], "parity": [-1, 1, 1, 1], "omega": [1.5, 1.5, 1.5, 0.5]},  # type: ignore[dict-item]
    kind="linear in a Pi state",
)
WITH_WORDS = ("3/2 - 2PI3/2", "3/2 + 2PI3/2", "5/2 + 2PI3/2", "1/2 + 2PI1/2")
BEFORE_OMEGA = 14


def counted(levels: Levels, omega: list[float]) -> Levels:
    return replace(levels, quantum_numbers={**levels.quantum_numbers, "omega": np.array(omega)})


@pytest.mark.parametrize(
    ("older", "now"),
    [
        (counted(OH, [1, 1, 1, 0]), OH),
        (counted(replace(OH, label=WITH_WORDS), [3, 3, 3, 1]), replace(OH, label=WITH_WORDS)),
        (OH, OH),
        (counted(OH, [0.5, 0.5, 0.5, -0.5]), counted(OH, [0.5, 0.5, 0.5, -0.5])),
    ],
)
def test_omega_of_an_older_store_is_put_right_and_its_levels_are_found_again(
    tmp_path: Path, older: Levels, now: Levels
) -> None:
    with Store(tmp_path / "new.duckdb", write=True, create=True) as store:
        put(store, rates_of(older), lines=Lines.empty())
        put(store, rates_of(WATER), lines=Lines.empty())
    path = make_store_of_version(tmp_path / "old.duckdb", BEFORE_OMEGA, tmp_path / "new.duckdb")
    with Store(path, write=True) as store:
        found = store.levels("OH").levels
        assert list(found.quantum_numbers) == ["j", "parity", "omega"]
        for name, values in now.quantum_numbers.items():
            np.testing.assert_array_equal(found.quantum_numbers[name], values)
        again = put(store, rates_of(now), lines=Lines.empty())
        assert (again.new, again.source_id) == (0, None)
        assert len(store.query("SELECT * FROM level")) == len(OH) + len(WATER)
        assert store.levels("p-H2O").levels.quantum_numbers["kc"].tolist() == [0, 1, 2, 1, 0]


def test_omega_that_only_a_header_explains_stays_as_it_is(tmp_path: Path) -> None:
    """Omega = 1 alone may be Omega - 1/2 or twice Omega."""
    upper = counted(OH.select(np.arange(3)), [1, 1, 1])
    with Store(tmp_path / "new.duckdb", write=True, create=True) as store:
        put(store, rates_of(upper), lines=Lines.empty())
    path = make_store_of_version(tmp_path / "old.duckdb", BEFORE_OMEGA, tmp_path / "new.duckdb")
    with Store(path) as store:
        assert store.levels("OH").levels.quantum_numbers["omega"].tolist() == [1, 1, 1]


def test_levels_of_an_older_store_are_recognised_and_nothing_else_changes(tmp_path: Path) -> None:
    unknown = replace(WATER, quantum_numbers={}, kind="unknown")
    ammonia = Levels(
        "p-NH3",
        ("01_01_00", "01_01_01", "02_02_00", "02_02_01"),
        np.array([15.4, 16.2, 44.0, 44.8]),
        np.array([6.0, 6.0, 10.0, 10.0]),
        {"N": np.array([1, 1, 2, 2]), "k": np.array([1, 1, 2, 2]), "inversion": np.array([0, 1, 0, 1])},
    )
    odd = Levels("X", ("a", "b"), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    with Store(tmp_path / "new.duckdb", write=True, create=True) as store:
        for levels in (unknown, ammonia, odd):
            put(store, rates_of(levels), levels.molecule, lines=Lines.empty())
        values = store.query("SELECT label, energy_cm1, weight FROM levels ORDER BY ALL")
        rates = store.query("SELECT system, upper_label, temperature_k, rate_cm3_s FROM rates ORDER BY ALL")
    path = make_store_of_version(tmp_path / "old.duckdb", BEFORE_KINDS, tmp_path / "new.duckdb")
    with Store(path, write=True) as store:
        water, found = store.levels("p-H2O").levels, store.levels("p-NH3").levels
        assert (water.kind, list(water.quantum_numbers)) == ("asymmetric top", ["j", "ka", "kc"])
        assert (found.kind, list(found.quantum_numbers)) == ("symmetric top", ["j", "k", "inversion"])
        assert store.levels("X").levels.kind == "unknown"
        assert store.query("SELECT label, energy_cm1, weight FROM levels ORDER BY ALL") == values
        again = store.query("SELECT system, upper_label, temperature_k, rate_cm3_s FROM rates ORDER BY ALL")
        assert again == rates
        assert put(store, rates_of(WATER), "p-H2O", lines=Lines.empty()).new == 0


def test_a_kind_that_becomes_known_brings_the_numbers_of_levels_that_had_none(store: Store) -> None:
    put(store, rates_of(replace(WATER, quantum_numbers={}, kind="unknown")), "first", lines=Lines.empty())
    put(store, rates_of(WATER), "second", lines=Lines.empty())
    levels = store.levels("p-H2O").levels
    assert (levels.kind, levels.quantum_numbers["ka"].tolist()) == ("asymmetric top", [0, 1, 0, 1, 2])
    assert len(store.query("SELECT * FROM level")) == len(WATER)
