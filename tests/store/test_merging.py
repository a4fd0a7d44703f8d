"""Merging adds what is not there, and gives what one store has that imported everything."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from children import Children
from merged import contents, said
from small_co import make_small_store
from small_lamda import lamda_text as small_lamda
from stores import all_tables, model_record, put, schema_version
from synthetic import lamda_text, prediction_of, rotor_levels, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import LockedError, RatedbError, UsageError
from ratedb.levels import Lines
from ratedb.store.plans import Plan
from ratedb.store.store import DerivedInfo, Store

pytestmark = pytest.mark.slow  # many, of a second each

RELEASED = Path(__file__).parent.parent / "stores" / "0.1.0.duckdb.gz"
Make = Callable[..., Database]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a store, by name, of these files, with import options."""

    def build(name: str, *files: str | tuple[str, dict[str, object]]) -> Database:
        db = ratedb.open(tmp_path / f"{name}.duckdb", create=True)
        for file in files:
            of, options = (file, {}) if isinstance(file, str) else file
            db.import_(write(tmp_path, of), **({"method": "CC"} | options))
        return db

    return build


def write(folder: Path, name: str) -> Path:
    """Write one of the files that tests import, and return its path."""
    levels = rotor_levels(5)
    tables = {
        "he": rotor_rates(levels, "He", seed=1),
        "he again": rotor_rates(levels, "He", seed=2),
        "he warm": rotor_rates(levels, "He", (50.0, 100.0), seed=3),
        "h2": rotor_rates(levels, "p-H2", seed=4),
        "more levels": rotor_rates(rotor_levels(7), "e", seed=5),
        "labels": rotor_rates(rotor_levels(5, v_max=1), "H", seed=6),
        "other zero": rotor_rates(rotor_levels(5, zero_cm1=7.0), "H", seed=7),
        "other molecule": rotor_rates(rotor_levels(3, molecule="AB"), "He", seed=8),
    }
    path = folder / f"{name}.dat"
    path.write_text(lamda_text([tables[name]]))
    return path


SETS: dict[str, tuple[list[object], list[object]]] = {
    "one in common": (["he", "h2"], ["h2", "he again"]),
    "nothing in common": (["he"], ["other molecule"]),
    "three of one system": (["he", "he warm"], ["he again", "he"]),
    "other levels": (["he"], ["more levels", "other molecule"]),
    "more levels here": (["more levels"], ["he", "h2"]),
    "another zero of energy": (["he"], ["other zero"]),
    "other label styles": (["labels"], ["he"]),
    "a part of a file there": (["he"], [("he", {"j": "1:3"})]),
    "a part of a file here": ([("he", {"j": "1:3"})], ["he", "h2"]),
    "parts of a file": ([("he", {"j": "1:3"})], [("he", {"j": "2:5"})]),
    "other methods": ([("he", {"method": "CS"})], ["he"]),
    "into an empty store": ([], ["he", "h2"]),
    "an empty store": (["he"], []),
}


@pytest.mark.parametrize("name", SETS)
def test_a_merged_store_is_one_that_imported_both(make: Make, name: str) -> None:
    first, second = SETS[name]
    ours, theirs, both = make("a", *first), make("b", *second), make("c", *first, *second)
    ours.merge(theirs.path)
    assert contents(ours.path) == contents(both.path)


@pytest.mark.parametrize("name", SETS)
def test_merging_twice_changes_nothing(make: Make, name: str) -> None:
    first, second = SETS[name]
    ours, theirs = make("a", *first), make("b", *second)
    ours.merge(theirs.path)
    before = all_tables(ours.path)
    again = ours.merge(theirs.path)
    assert all_tables(ours.path) == before
    assert (again.added, again.conflicts) == (0, ())
    assert all(one["added"] == 0 for one in again.records.values())


def test_other_values_under_the_same_description_are_another_source(tmp_path: Path) -> None:
    levels = rotor_levels(5)
    first, second = rotor_rates(levels, seed=1), rotor_rates(levels, seed=2)
    high = (second.initial_j() > 2)[:, None]
    partly = replace(second, rate_cm3_s=np.where(high, second.rate_cm3_s, first.rate_cm3_s))
    for name, tables in {"a": [first], "b": [partly], "c": [first, partly]}.items():
        with Store(tmp_path / f"{name}.duckdb", write=True, create=True) as store:
            for rates in tables:
                put(store, rates)
    merged = Database(tmp_path / "a.duckdb").merge(tmp_path / "b.duckdb", quality="off")
    changed = int((partly.rate_cm3_s != first.rate_cm3_s).sum())
    assert 0 < changed < first.rate_cm3_s.size
    assert merged.records["values"]["added"] == changed
    assert contents(tmp_path / "a.duckdb") == contents(tmp_path / "c.duckdb")


def test_a_merge_says_what_it_adds_and_what_was_there(make: Make) -> None:
    ours, theirs = make("a", "he", "h2"), make("b", "h2", "he again")
    found = ours.merge(theirs.path).to_json()
    assert found["records"]["sources"] == {"added": 1, "unchanged": 1}
    assert found["records"]["values"] == {"added": 45, "unchanged": 45}
    assert found["records"]["levels"] == {"added": 0, "unchanged": 6}
    assert found["conflicts"] == ()
    assert found["added"] > 0


def test_a_dry_run_says_the_same_and_stores_nothing(make: Make, tmp_path: Path) -> None:
    ours, theirs = make("a", "he"), make("b", "h2")
    before = all_tables(ours.path)
    dry = ours.merge(theirs.path, dry_run=True)
    assert all_tables(ours.path) == before
    assert dry.records == ours.merge(theirs.path).records
    ratedb.database.Database(tmp_path / "none.duckdb").merge(theirs.path, dry_run=True)
    assert not (tmp_path / "none.duckdb").exists()


def test_the_other_store_is_not_changed(make: Make) -> None:
    ours, theirs = make("a", "he"), make("b", "h2")
    before = hashlib.sha256(theirs.path.read_bytes()).hexdigest()
    ours.merge(theirs.path)
    assert hashlib.sha256(theirs.path.read_bytes()).hexdigest() == before


def test_who_imported_a_source_when_and_what_they_say_of_it_is_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATEDB_USER", "Maria")
    theirs = make("b", ("h2", {"comment": "typed in from table 3"}))
    monkeypatch.setenv("RATEDB_USER", "Ken")
    ours = make("a", "he")
    ours.merge(theirs.path)
    columns = "user_name, comment, imported_at, ratedb_version, library_versions"
    [their_row] = said(theirs.path, f"SELECT {columns} FROM sources")
    came = f"SELECT {columns} FROM sources WHERE system = 'XY+p-H2'"
    assert said(ours.path, came) == [their_row]
    assert their_row[:2] == ("Maria", "typed in from table 3")
    assert said(ours.path, "SELECT user_name, comment FROM sources WHERE system = 'XY+He'") == [("Ken", None)]


def test_chosen_systems_bring_only_what_is_theirs(make: Make) -> None:
    ours, theirs = make("a"), make("b", "he", "h2", "other molecule")
    ours.merge(theirs.path, systems="XY+He")
    assert ours.systems().column("system") == ["XY+He"]
    assert said(ours.path, "SELECT DISTINCT molecule FROM levels") == [("XY",)]
    with pytest.raises(RatedbError, match="no system 'XY\\+e'"):
        ours.merge(theirs.path, systems="XY+e")


# -- what is refused ---------------------------------------------------------------------------------


def test_levels_that_contradict_refuse_the_whole_merge(make: Make, tmp_path: Path) -> None:
    ours = make("a", "he")
    theirs = make("b", "other molecule")
    wrong = rotor_levels(5)
    wrong = replace(wrong, energy_cm1=wrong.energy_cm1 * 1.5)
    (tmp_path / "wrong.dat").write_text(lamda_text([rotor_rates(wrong, "H+")]))
    theirs.import_(tmp_path / "wrong.dat")
    before = all_tables(ours.path)
    with pytest.raises(RatedbError, match=r"cannot be merged.*contradict") as caught:
        ours.merge(theirs.path)
    assert "--systems" in str(caught.value)
    assert all_tables(ours.path) == before
    ours.merge(theirs.path, systems=("AB+He",))
    assert ours.systems().column("system") == ["AB+He", "XY+He"]


def test_a_store_is_not_merged_into_itself(make: Make, tmp_path: Path) -> None:
    ours = make("a", "he")
    (tmp_path / "link.duckdb").symlink_to(ours.path)
    for name in (ours.path, tmp_path / "link.duckdb"):
        with pytest.raises(UsageError, match="itself"):
            ours.merge(name)


def test_what_is_no_store_is_refused_and_nothing_is_made(make: Make, tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no store")
    for other in (tmp_path / "none.duckdb", tmp_path / "text.duckdb", tmp_path):
        with pytest.raises(RatedbError):
            Database(tmp_path / "new.duckdb").merge(other)
        with pytest.raises(RatedbError):
            make("a", "he").merge(other)
    assert not (tmp_path / "new.duckdb").exists()
    assert not (tmp_path / "none.duckdb").exists()


def test_a_store_that_somebody_writes_to_is_named_as_locked(make: Make, children: Children) -> None:
    ours, theirs = make("a", "he"), make("b", "h2")
    process = children.start("holds", theirs.path, True)
    says = children.says()
    assert next(says)["done"] == 0
    with pytest.raises(LockedError, match=f"{process}"):
        ours.merge(theirs.path)
    os.kill(process, signal.SIGKILL)
    list(says)


# -- other schemas, structures and snapshots ---------------------------------------------------------


def test_an_older_store_is_merged_from_a_copy_and_stays_as_it_is(make: Make, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    old.write_bytes(gzip.decompress(RELEASED.read_bytes()))
    before = old.read_bytes()
    ours = make("a")
    ours.merge(old)
    assert old.read_bytes() == before
    assert schema_version(old) < schema_version(ours.path)
    with Store(old):  # now it is brought up to date
        pass
    assert contents(ours.path) == contents(old)


def test_a_published_snapshot_is_merged_like_the_store_it_came_from(make: Make, tmp_path: Path) -> None:
    theirs, ours, direct = make("b", "he", "h2"), make("a", "he again"), make("c", "he again")
    theirs.publish(tmp_path / "published")
    ours.merge(tmp_path / "published")
    direct.merge(theirs.path)
    assert contents(ours.path, "user_name") == contents(direct.path, "user_name")


ROTATIONAL = ((0.0, 6.0, "0"), (3.0, 18.0, "1"), (9.0, 30.0, "2"))
HYPERFINE = ((0.0, 6.0, "0_1"), (2.99, 6.0, "1_0.5"), (3.0, 12.0, "1_1.5"), (9.0, 30.0, "2_2"))


@pytest.mark.parametrize("turned", [False, True])
def test_levels_of_another_structure_get_the_name_that_an_import_gives_them(
    tmp_path: Path, turned: bool
) -> None:
    texts = [
        small_lamda("XCN", ROTATIONAL, "J", "2 XCN + p-H2 Doe 2010"),
        small_lamda("XCN", HYPERFINE, "J_F", "2 XCN + p-H2 Roe 2012"),
    ]
    files = [tmp_path / "rot.dat", tmp_path / "hfs.dat"]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    stores = [ratedb.open(tmp_path / f"{n}.duckdb", create=True) for n in range(3)]
    first, second = reversed(files) if turned else files
    stores[0].import_(first, method="CC")
    stores[1].import_(second, method="CC")
    stores[2].import_(first, method="CC")
    stores[2].import_(second, method="CC")
    found = stores[0].merge(stores[1].path)
    assert any("another structure" in text for text in found.warnings)
    merged, imported = (contents(db.path, "warnings") for db in (stores[0], stores[2]))
    assert merged == imported
    assert len({system for (system,) in said(stores[0].path, "SELECT system FROM sources")}) == 2


# -- models, predictions, plans, derivations ---------------------------------------------------------


def test_everything_a_store_holds_comes_along_under_new_numbers(make: Make, tmp_path: Path) -> None:
    theirs = Database(make_small_store(tmp_path / "b.duckdb"))
    with Store(theirs.path, write=True) as store:
        store.put_plan(Plan("CO+p-H2", "spread", {"j": [1, 2]}, [], {"train_j": [1]}))
        store.put_set_scores("a", "CO+p-H2", [])
        rates = store.known_rates("CO+p-H2")
        derived = replace(rates, levels=replace(rates.levels, molecule="XCO"), layers={})
        info = DerivedInfo("effective", "sum", "First et al. 2010", "CO+p-H2", (1, 2))
        store.put_derived(derived, Lines.empty(), info)
    theirs.check("CO+p-H2", accept="off-curve", because="measured so")
    ours = make("a", "he", "h2", "other molecule")
    with Store(ours.path, write=True) as store:
        model = store.model(store.put_model(model_record(seed=5)))
        prediction = prediction_of(rotor_rates(rotor_levels(5), "He", seed=1))
        store.put_prediction("XY+He", prediction, prediction.log10_half_width_68 > 0, model)
    before = {view: set(rows) for view, rows in contents(ours.path).items()}
    ours.merge(theirs.path)
    after = contents(ours.path)
    for view, rows in contents(theirs.path).items():
        assert set(after[view]) == before[view] | set(rows), view
    [(model_id, reference)] = said(
        ours.path, "SELECT model_id, reference FROM sources WHERE kind = 'predicted' AND system = 'CO+p-H2'"
    )
    assert reference == f"ratedb model {model_id}"
    assert model_id != 1
    trained = "SELECT reference FROM sources WHERE source_id IN (SELECT unnest({}) FROM {} WHERE {})"
    assert said(ours.path, trained.format("training_source_ids", "models", f"model_id = {model_id}")) == [
        ("First et al. 2010",)
    ]
    assert sorted(
        said(ours.path, trained.format("input_source_ids", "derivations", "target = 'effective'"))
    ) == [("First et al. 2010",), ("Second et al. 2020",)]
    assert ours.merge(theirs.path).added == 0
    assert contents(ours.path) == after


def test_arrays_and_states_of_models_are_the_same_bytes(make: Make, tmp_path: Path) -> None:
    theirs = make("b", "he")
    with Store(theirs.path, write=True) as store:
        number = store.put_model(model_record(arrays=bytes(range(256)), state={"a": 1e-300}))
        there = store.model(number)
    ours = make("a", "h2", "other molecule")
    ours.merge(theirs.path)
    with Store(ours.path) as store:
        [(mine,)] = store.rows("SELECT model_id FROM model")
        here = store.model(mine)
    changed = {"model_id", "system_id", "training_source_ids"}
    assert {k: v for k, v in vars(here).items() if k not in changed} == {
        k: v for k, v in vars(there).items() if k not in changed
    }
