"""Systems of one's own store in the corpus: added, listed, used for others, never for themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from ratedb_cli.app import main
from seal_again import seal_again
from small_co import put
from test_corpus import SEED, drawn, of_j, rotor

from ratedb.arrays import FloatArray
from ratedb.database import Database
from ratedb.errors import IntegrityError, RatedbError, UsageError
from ratedb.layers import Kind
from ratedb.levels import Levels, vj
from ratedb.models.corpus.own import OwnSystem, learn_own
from ratedb.models.corpus.table import Corpus, CurveShapes, shipped_corpus
from ratedb.models.corpus.twins import twins
from ratedb.models.engine import TrainingData
from ratedb.models.storage import from_stored
from ratedb.rates import Rates
from ratedb.store.store import Store

TRAIN_J, VALIDATE_J = (5, 9, 14, 19), (6, 10)
CONSTANT = 1.1


def named(rates: Rates, molecule: str, constant_cm1: float, factor: float | FloatArray = 1.0) -> Rates:
    """Return the rates times a factor as those of another molecule."""
    return replace(rates, levels=rotor(molecule, constant_cm1), rate_cm3_s=factor * rates.rate_cm3_s)


def with_collider(rates: Rates, collider: str) -> Rates:
    return replace(rates, collider=collider)


def computed(rates: Rates, kind: Kind = Kind.COMPUTED) -> Rates:
    return replace(rates, layers={"kind_code": np.full(rates.rate_cm3_s.shape, kind)})


WHOLE = drawn("ZO", CONSTANT, SEED + 40)


@pytest.fixture(scope="module")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ZO+He with some j, its scaled copy QF+He, its molecule with another collider, and XS+He of its own."""
    path = tmp_path_factory.mktemp("own") / "own.duckdb"
    with Store(path, write=True, create=True) as store:
        put(store, of_j(WHOLE, *TRAIN_J, *VALIDATE_J), "computed", "First 2010")
        put(store, named(WHOLE, "QF", 1.5, 3.0), "computed", "Second 2010")
        put(store, with_collider(drawn("ZO", CONSTANT, SEED + 41), "p-H2"), "computed", "Third 2010, surface")
        put(store, drawn("XS", 0.4, SEED + 42, scatter=0.2), "computed", "Fourth et al. 2010")
        put(store, of_j(drawn("YO", 0.7, SEED + 43), 1, 2, 3, 7, 9), "computed", "Fifth et al. (2010)")
        put(store, drawn("YN", 0.8, SEED + 44), "scaled", "Sixth, scaled from He 2010")
    return path


@pytest.fixture
def db(_store: Path, tmp_path: Path) -> Database:
    return Database(shutil.copy(_store, tmp_path / "own.duckdb"))


def own_rows(db: Database) -> list[str]:
    return [row["system"] for row in db.corpus().dicts() if row["where"] == "own store"]


def predicted(db: Database, train_j: tuple[int, ...] = TRAIN_J) -> tuple[FloatArray, list[str]]:
    """Train ZO+He and return what the model predicts of all its transitions, and the warnings."""
    found = db.train("ZO+He", train_j=train_j, validate_j=VALIDATE_J)
    with Store(db.path) as store:
        model = store.model(found.model_id or 0)
    assert found.engine == "corpus"
    return from_stored(model.state, model.arrays).predict(WHOLE.transitions).log10_rate, [*found.warnings]


def test_a_system_is_added_listed_replaced_and_removed(db: Database) -> None:
    shipped = [row["system"] for row in db.corpus().dicts()]
    assert shipped == [one.system for one in shipped_corpus().systems]
    assert {row["where"] for row in db.corpus().dicts()} == {"shipped"}
    assert db.corpus(add="XS+He").about["changed"] == "added"
    [row] = [row for row in db.corpus().dicts() if row["where"] == "own store"]
    assert (row["system"], row["molecule"], row["source"]) == ("XS+He", "XS", "Fourth et al. 2010")
    assert (row["transitions"], row["rotational_constant_cm1"]) == (210, 0.4)
    assert db.corpus(add="XS+He").about["changed"] == "replaced"
    assert own_rows(db) == ["XS+He"]
    with Store(db.path) as store:
        [kept] = store.own_systems()
        assert "XS+He (own)" in store.corpus().intervals.quantiles
    known = Database(db.path).rates("XS+He")
    learnt, _ = learn_own(known, "Fourth et al. 2010", shipped_corpus())
    assert np.allclose(kept.learnt.numbers, learnt.learnt.numbers, atol=1e-4)
    assert db.corpus(remove="XS+He").about["changed"] == "removed"
    assert own_rows(db) == []
    with pytest.raises(RatedbError, match="not in the store's own corpus"):
        db.corpus(remove="XS+He")


def test_an_own_system_changes_the_predictions_of_another(db: Database) -> None:
    before, _ = predicted(db, (14,))
    db.corpus(add="XS+He")
    after, _ = predicted(db, (14,))
    assert np.abs(after - before).max() > 1e-3
    db.corpus(remove="XS+He")
    assert np.array_equal(predicted(db, (14,))[0], before)


def test_a_planted_scaled_copy_is_left_out_with_a_warning(db: Database) -> None:
    before, _ = predicted(db)
    db.corpus(add="QF+He")
    after, warnings = predicted(db)
    assert np.array_equal(after, before)
    assert "left out of the corpus, as scaled copies of ZO+He: QF+He (own)" in warnings


def test_the_own_molecule_is_left_out_with_any_collider(db: Database) -> None:
    before, _ = predicted(db)
    db.corpus(add="ZO+p-H2")
    after, warnings = predicted(db)
    assert np.array_equal(after, before)
    assert "left out of the corpus, as the same molecule: ZO+p-H2 (own)" in warnings
    with Store(db.path) as store:
        corpus = store.corpus()
    for name, constant in (("Z18O", 1.0), ("AB", 1.001 * CONSTANT)):
        assert corpus.without(name, constant)[1] == ("ZO+p-H2 (own)",)


def with_curves(rates: Rates) -> Corpus:
    """Return the shipped corpus that knows curves of these rates as those of an own system."""
    log10_k = np.log10(rates.rate_cm3_s)
    shape = CurveShapes(rates.transitions.vj()[:, [1, 3]], rates.temperature_k, log10_k)
    return replace(shipped_corpus(), own={"QF+He (own)": shape})


@pytest.mark.parametrize(
    ("change", "is_copy"),
    [
        (lambda rates: named(rates, "QF", 1.5, 10.0), True),
        (lambda rates: named(rates, "QF", 1.5, np.geomspace(0.5, 3.0, 6)), True),
        (lambda rates: rates.select_temperatures([0, 2, 4]), True),
        (lambda rates: rates.select_temperatures([1, 2, 5]), True),
        (lambda rates: of_j(rates, 5, 9), True),
        (lambda rates: of_j(rates, 9), False),  # fewer than ten common transitions
        (lambda rates: drawn("QF", 1.5, SEED + 45), False),
    ],
)
def test_a_copy_is_known_by_its_curves(change: Callable[[Rates], Rates], is_copy: bool) -> None:
    corpus = with_curves(change(WHOLE))
    assert bool(twins(corpus, TrainingData.of(of_j(WHOLE, *TRAIN_J)))) == is_copy


def test_a_copy_with_some_other_values_and_scatter_is_still_one() -> None:
    draw = np.random.default_rng(SEED)
    dex = draw.normal(0.0, 0.01, WHOLE.rate_cm3_s.shape)
    dex[draw.uniform(size=len(dex)) < 0.1] += 1.0
    corpus = with_curves(replace(WHOLE, rate_cm3_s=10.0**dex * WHOLE.rate_cm3_s))
    assert twins(corpus, TrainingData.of(of_j(WHOLE, *TRAIN_J))) == ("QF+He (own)",)


def test_molecules_of_the_shipped_kind_are_no_copies_of_each_other() -> None:
    """Two laws with the same numbers but for one, which differs by a tenth."""
    one, other = drawn("ZO", CONSTANT, SEED, scatter=0.0), drawn("QF", 1.5, SEED, scatter=0.05)
    assert twins(with_curves(other), TrainingData.of(of_j(one, *TRAIN_J))) == ()


def states(rates: Rates) -> Rates:
    """Return the rates with their upper half in another vibrational state."""
    levels = rates.levels
    _, j = levels.need_vj()
    return replace(rates, levels=replace(levels, quantum_numbers=vj(np.where(j > 10, 1, 0), j)))


def unlabelled(rates: Rates) -> Rates:
    levels = rates.levels
    return replace(rates, levels=Levels("ZO", levels.label, levels.energy_cm1, levels.weight))


@pytest.mark.parametrize(
    ("rates", "got"),
    [
        (computed(of_j(WHOLE, 1, 2, 3, 7, 9)), "5: j = 1,2,3,7,9"),
        (computed(of_j(WHOLE, 12)), "1: j = 12"),
        (computed(WHOLE.select(WHOLE.j - WHOLE.j_final <= 3)), "3: j = 1:3"),
        (computed(WHOLE, Kind.SCALED), "none"),
        (computed(WHOLE, Kind.PREDICTED), "none"),
        (computed(states(WHOLE)), "vibrational states 0,1"),
        (computed(unlabelled(WHOLE)), "levels labelled 0, 1, 2, 3"),
    ],
)
def test_a_system_without_use_is_refused_in_one_clear_message(rates: Rates, got: str) -> None:
    with pytest.raises(RatedbError, match=r"ZO\+He cannot be in the corpus") as caught:
        learn_own(rates, "somebody", shipped_corpus())
    assert caught.value.got == got
    assert caught.value.expected


def test_a_refused_system_leaves_the_store_as_it_was(db: Database) -> None:
    before = db.path.read_bytes()
    for system in ("YO+He", "YN+He", "CO+He"):
        with pytest.raises(RatedbError):
            db.corpus(add=system)
    with pytest.raises(UsageError, match="one change"):
        db.corpus(add="XS+He", remove="XS+He")
    with pytest.raises(UsageError, match="read-only"):
        Database(db.path, read_only=True).corpus(add="XS+He")
    assert db.path.read_bytes() == before


def test_a_failed_replacement_keeps_the_older_entry(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    db.corpus(add="XS+He")

    def broken(self: OwnSystem) -> dict[str, object]:
        raise RatedbError("no")

    monkeypatch.setattr(OwnSystem, "to_json", broken)
    with pytest.raises(RatedbError, match="no"):
        db.corpus(add="XS+He")
    monkeypatch.undo()
    assert own_rows(db) == ["XS+He"]


def test_a_damaged_entry_is_one_clear_message_and_can_be_removed(db: Database) -> None:
    db.corpus(add="XS+He")
    with duckdb.connect(str(db.path)) as connection:
        connection.execute("UPDATE corpus_system SET state = '{\"format\": 1}'")
    for work in (db.corpus, lambda: db.train("ZO+He", train_j=TRAIN_J, validate_j=VALIDATE_J)):
        with pytest.raises(IntegrityError, match="table corpus_system, corpus_system_id 1"):
            work()
    with duckdb.connect(str(db.path)) as connection:
        seal_again(connection, "corpus_system")
    for work in (db.corpus, lambda: db.train("ZO+He", train_j=TRAIN_J, validate_j=VALIDATE_J)):
        with pytest.raises(RatedbError, match="own corpus cannot be read"):
            work()
    db.corpus(remove="XS+He")
    assert own_rows(db) == []


def test_the_command_says_what_it_did(db: Database, capfd: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["--add", "XS+He"], "XS+He: added to the corpus of this store"),
        (["--add", "XS+He"], "XS+He: replaced in the corpus of this store"),
        (["--remove", "XS+He"], "XS+He: removed from the corpus of this store"),
    ):
        assert main(["--db", str(db.path), "corpus", *words]) == 0
        out = capfd.readouterr().out
        assert said in out
        assert ("own store" in out) == ("--add" in words)
    assert main(["--db", str(db.path), "corpus", "--add", "YO+He"]) == 1
    assert "YO+He cannot be in the corpus" in capfd.readouterr().err


def test_without_a_store_the_shipped_corpus_is_listed(tmp_path: Path) -> None:
    rows = Database(tmp_path / "none.duckdb").corpus().dicts()
    assert len(rows) == len(shipped_corpus().systems)
    assert not (tmp_path / "none.duckdb").exists()
