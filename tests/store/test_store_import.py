from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from stores import all_tables, by_transition, make_store
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.options import ImportOptions
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.verbs.import_ import import_files
from ratedb.verbs.incoming import IMPORT_KINDS


def lamda_file(folder: Path, *tables: Rates, name: str = "xy.dat") -> Path:
    path = folder / name
    path.write_text(lamda_text(tables))
    return path


def two_partners() -> tuple[Rates, Rates]:
    levels = rotor_levels(4)
    return rotor_rates(levels, "He"), rotor_rates(levels, "p-H2", (5.0, 7.5), seed=1)


def test_a_file_comes_back_bit_for_bit_with_its_origin(tmp_path: Path) -> None:
    tables = two_partners()
    path = lamda_file(tmp_path, *tables)
    db = tmp_path / "s.duckdb"
    results = import_files(db, [path], ImportOptions(method="CC")).systems
    assert [(r.system, r.new, r.unchanged, r.levels, r.temperatures) for r in results] == [
        ("XY+He", 30, 0, 5, 3),
        ("XY+p-H2", 20, 0, 5, 2),
    ]
    with Store(db) as store:
        for table in tables:
            assert by_transition(store.rates(table.system)) == by_transition(table)
        rows = store.query("SELECT file_name, method, kind, file_sha256 FROM sources")
    assert [(r["file_name"], r["method"], r["kind"]) for r in rows] == [("xy.dat", "CC", "computed")] * 2
    assert {len(str(r["file_sha256"])) for r in rows} == {64}


def test_importing_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    path = lamda_file(tmp_path, *two_partners())
    db = tmp_path / "s.duckdb"
    import_files(db, [path])
    before = all_tables(db)
    for paths in ([path], [path, path]):
        results = import_files(db, paths).systems
        assert {(r.source_id, r.new) for r in results} == {(None, 0)}
        assert sum(r.unchanged for r in results) == 50 * len(paths)
        assert all_tables(db) == before


def test_the_same_file_named_twice_in_one_import_counts_once(tmp_path: Path) -> None:
    path = lamda_file(tmp_path, *two_partners())
    results = import_files(tmp_path / "s.duckdb", [path, path]).systems
    assert [(r.new, r.unchanged) for r in results] == [(30, 0), (20, 0), (0, 30), (0, 20)]


def test_a_subset_first_and_then_the_whole_bring_each_value_once(tmp_path: Path) -> None:
    table = two_partners()[0]
    path = lamda_file(tmp_path, table)
    db = tmp_path / "s.duckdb"
    [first] = import_files(db, [path], ImportOptions(j=(2, 4))).systems
    assert (first.new, first.unchanged) == (18, 0)
    [second] = import_files(db, [path]).systems
    assert (second.new, second.unchanged) == (12, 18)
    with Store(db) as store:
        assert by_transition(store.rates("XY+He")) == by_transition(table)
        assert len(store.query("SELECT * FROM rates_all")) == 30
        assert len(store.query("SELECT * FROM sources")) == 2
    before = all_tables(db)
    import_files(db, [path])
    import_files(db, [path], ImportOptions(j=(3,)))
    assert all_tables(db) == before


def test_the_same_file_with_another_reference_is_another_source(tmp_path: Path) -> None:
    path = lamda_file(tmp_path, two_partners()[0])
    db = tmp_path / "s.duckdb"
    for reference in ("one", "two"):
        [result] = import_files(db, [path], ImportOptions(reference=reference)).systems
        assert (result.new, result.unchanged) == (30, 0)
    with Store(db) as store:
        assert len(store.query("SELECT * FROM rates_all")) == 60
        assert store.query("SELECT DISTINCT source_id FROM rates") == [{"source_id": 2}]
        assert len(store.query("SELECT * FROM level_set")) == 1


@pytest.mark.parametrize("kind", IMPORT_KINDS)
def test_nothing_is_ever_overwritten(tmp_path: Path, kind: str) -> None:
    """Every row of every table is there, as it was, after newer values came in."""
    old, new = rotor_rates(rotor_levels(4), seed=1), rotor_rates(rotor_levels(4), seed=2)
    db = tmp_path / "s.duckdb"
    import_files(db, [lamda_file(tmp_path, old)], ImportOptions(kind=kind))
    before = all_tables(db)
    import_files(db, [lamda_file(tmp_path, new)], ImportOptions(kind=kind))
    after = all_tables(db)
    for name, rows in before.items():
        assert after[name][: len(rows)] == rows, name
    with Store(db) as store:
        values = store.query(
            "SELECT upper_label, lower_label, temperature_k, rate_cm3_s FROM rates_all WHERE source_id = 1"
        )
        assert {tuple(row.values())[:3]: row["rate_cm3_s"] for row in values} == by_transition(old)
        assert by_transition(store.rates("XY+He")) == by_transition(new)


def test_a_file_that_contradicts_the_store_leaves_it_as_it_was(tmp_path: Path) -> None:
    db = make_store(tmp_path / "s.duckdb", rotor_rates(rotor_levels(4)))
    before = all_tables(db)
    levels = rotor_levels(4)
    wrong = lamda_file(tmp_path, rotor_rates(replace(levels, energy_cm1=levels.energy_cm1 * 3)))
    good = lamda_file(tmp_path, rotor_rates(levels, "e"), name="good.dat")
    with pytest.raises(RatedbError, match="contradict"):
        import_files(db, [good, wrong])
    assert all_tables(db) == before
    [result] = import_files(db, [wrong], ImportOptions(molecule="XZ")).systems
    assert result.system == "XZ+He"


@pytest.mark.parametrize("exists", [True, False])
def test_a_dry_run_of_an_import_changes_nothing(tmp_path: Path, exists: bool) -> None:
    path = lamda_file(tmp_path, two_partners()[0])
    db = tmp_path / "s.duckdb"
    if exists:
        make_store(db, rotor_rates(rotor_levels(4), "e"))
    before = all_tables(db) if exists else None
    [result] = import_files(db, [path], ImportOptions(dry_run=True)).systems
    assert (result.new, result.unchanged) == (30, 0)
    assert (all_tables(db) if exists else None) == before
    assert db.exists() == exists
    assert sorted(os.listdir(tmp_path)) == (["s.duckdb", "xy.dat"] if exists else ["xy.dat"])


def test_an_unknown_kind_or_j_is_refused_before_a_store_is_made(tmp_path: Path) -> None:
    path = lamda_file(tmp_path, two_partners()[0])
    with pytest.raises(UsageError):
        import_files(tmp_path / "s.duckdb", [path], ImportOptions(kind="predicted"))
    with pytest.raises(RatedbError, match="no transitions out of some j"):
        import_files(tmp_path / "s.duckdb", [path], ImportOptions(j=(2, 77)))
    assert os.listdir(tmp_path) == ["xy.dat"]


def test_two_files_of_one_molecule_share_levels_and_keep_their_own_temperatures(tmp_path: Path) -> None:
    levels = rotor_levels(4)
    cold, warm = rotor_rates(levels, seed=1), rotor_rates(levels, temperature_k=(50.0, 99.0), seed=2)
    db = tmp_path / "s.duckdb"
    files = [lamda_file(tmp_path, cold, name="cold.dat"), lamda_file(tmp_path, warm, name="warm.dat")]
    import_files(db, files)
    with Store(db) as store:
        stored = store.rates("XY+He")
        other = store.source_rates("XY+He", 1)
    assert by_transition(stored) == by_transition(warm)
    assert by_transition(other) == by_transition(cold)
    assert len(all_tables(db)["level"]) == 5
