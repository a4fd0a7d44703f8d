"""Never worse by more data: `fill` uses the model with the least error, and `train` says which."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import FAST, TRAIN, Run
from ratedb_cli.app import main
from seal_again import seal_again
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.models.choosing import choose
from ratedb.models.engine import TrainingData
from ratedb.models.storage import from_stored
from ratedb.rates import Rates
from ratedb.store.store import Store

WORSE = ("--train-j", "3,4", "--validate-j", "12")
"""Sets from which a model has larger errors than from TRAIN."""

FIGURES = (
    r"an error of (\d\.\d{3}) dex on the computed j, each predicted without itself,"
    r" model (\d) (\d\.\d{3}) dex"
)


def train(run: Run, db: Path, *words: str) -> list[str]:
    """Train one more model of AB+He and return the warnings about other models."""
    answer = run("--db", db, "--json", "train", "AB+He", *words, *FAST)
    assert answer.code == 0, answer.err
    return [warning for warning in answer.json["warnings"] if "this model" in warning]


def used(run: Run, db: Path, *words: str) -> tuple[int, list[str]]:
    """Return the model that a fill uses, and its warnings."""
    answer = run("--db", db, "--json", "fill", "AB+He", "--dry-run", *words)
    return answer.json["model_id"], answer.json["warnings"]


def rates_of(kelvin: tuple[float, ...] = (10.0, 20.0, 50.0, 100.0), *, molecule: str = "AB") -> Rates:
    """Return the rates of AB+He that the store has, also at other temperatures."""
    return rotor_rates(rotor_levels(14, molecule=molecule), "He", kelvin, seed=1)


def import_(run: Run, db: Path, rates: Rates, j: str, *words: str) -> None:
    file = db.with_suffix(f".{j}.dat")
    file.write_text(lamda_text([rates]))
    call = ("import", file, "--j", j, "--method", "CC", "--quality", "off", *words)
    assert run("--quiet", "--db", db, *call).code == 0


@pytest.fixture(scope="module")
def _worse(_filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = Path(shutil.copy(_filled, tmp_path_factory.mktemp("worse") / "worse.duckdb"))
    assert main(["--quiet", "--db", str(db), "train", "AB+He", *WORSE, *FAST]) == 0
    return db


@pytest.fixture
def worse(_worse: Path, tmp_path: Path) -> Path:
    """A store of one's own whose newest model, 2, is worse than model 1."""
    return Path(shutil.copy(_worse, tmp_path / "worse.duckdb"))


def error_dex(db: Path, models: tuple[int, ...]) -> list[float]:
    """Return the rms error of these models on the computed j, each predicted without itself.

    Slowly: the model is conditioned on all of its own j but one, for each j.
    """
    with Store(db) as store:
        known = store.known_rates("AB+He").known()
        records = [store.models_of("AB+He", number)[0] for number in models]
    found = []
    for record in records:
        predictor, squares = from_stored(record.state, record.arrays), []
        given = [
            known.select(np.isin(known.initial_j(), part)) for part in (record.train_j, record.validate_j)
        ]
        for j in np.unique(known.initial_j()).tolist():
            data = TrainingData.of(Rates.join([part.select(part.initial_j() != j) for part in given]))
            members = [member.conditioned(data) for member in predictor.members]
            truth = known.select(known.initial_j() == j)
            predicted = predictor.given(members, data).predict(truth.transitions)
            squares.append((predicted.log10_rate - np.log10(truth.rate_cm3_s)) ** 2)
        found.append(float(np.sqrt(np.concatenate(squares).mean())))
    return found


def figures(warning: str) -> tuple[float, str, float]:
    """Return the first figure of a warning, the other model, and its figure."""
    first, other, its = re.search(FIGURES, warning).groups()  # type: ignore[union-attr]
    return float(first), other, float(its)


# -- fill ---------------------------------------------------------------------------------------


def test_fill_uses_an_older_model_with_a_smaller_error_and_says_so(run: Run, worse: Path) -> None:
    number, [warning] = used(run, worse)
    assert number == 1
    assert warning.startswith("model 1 is used, not the newest")
    assert warning.endswith("--model 2 takes the newest")


def test_the_values_that_are_stored_are_those_of_the_older_model(run: Run, worse: Path) -> None:
    run("--db", worse, "--quiet", "fill", "AB+He", "--model", "2")
    assert run("--db", worse, "--json", "fill", "AB+He").json["model_id"] == 1
    query = "SELECT DISTINCT model_id FROM rates WHERE kind = 'predicted'"
    assert run("--db", worse, "--json", "sql", query).json["rows"] == [{"model_id": 1}]
    assert run("--db", worse, "--json", "fill", "AB+He").json["filled_transitions"] == 0


def test_the_warning_names_the_errors_on_each_computed_j_predicted_without_itself(
    run: Run, worse: Path
) -> None:
    _, [warning] = used(run, worse)
    own, other, its = figures(warning)
    assert other == "2"
    assert [own, its] == pytest.approx(error_dex(worse, (1, 2)), abs=6e-4)
    assert its > own / 0.95


def test_the_figures_do_not_depend_on_what_is_filled(run: Run, worse: Path) -> None:
    assert used(run, worse, "--j", "5,8") == used(run, worse)


def test_a_model_that_is_named_is_used_whatever_its_error(run: Run, worse: Path) -> None:
    assert used(run, worse, "--model", "2") == (2, [])
    assert used(run, worse, "--model", "1") == (1, [])


def test_ties_go_to_the_newest(run: Run, filled: Path) -> None:
    assert train(run, filled, *TRAIN, "--seed", "7") == []
    assert used(run, filled) == (2, [])


def test_a_newer_model_with_a_smaller_error_is_used_without_a_word(run: Run, worse: Path) -> None:
    assert train(run, worse, "--train-j", "2,3,6,7,9,12", "--validate-j", "1,4") == []
    assert used(run, worse) == (3, [])


def test_where_nothing_is_missing_the_newest_is_used(run: Run, worse: Path) -> None:
    assert used(run, worse, "--j", "1:4") == (2, [])


def test_what_the_newest_model_is_for_is_filled_by_whichever_model(run: Run, filled: Path) -> None:
    train(run, filled, *WORSE, "--j", "5:8")
    answer = run("--db", filled, "--json", "fill", "AB+He", "--dry-run").json
    assert (answer["model_id"], answer["unchanged"], answer["kept_computed"]) == (1, 5 + 8, 6 + 7)


# -- which models are compared -------------------------------------------------------------------


def test_a_model_of_a_withdrawn_source_is_not_compared(run: Run, filled: Path) -> None:
    import_(run, filled, rates_of(), "1:4,6,7,9,12", "--reference", "the same again")
    [source] = [row["source_id"] for row in sources(filled) if row["reference"] != "the same again"][:1]
    train(run, filled, *WORSE)
    assert used(run, filled)[0] == 1
    because = ("--because", "an erratum")
    assert run("--db", filled, "sources", "AB+He", "--withdraw", str(source), *because).code == 0
    assert used(run, filled) == (2, [])


def sources(db: Path) -> list[dict[str, object]]:
    with Store(db) as store:
        return [row for row in store.sources("AB+He") if row["kind"] == "computed"]


def test_a_model_of_rates_that_have_changed_is_not_compared(run: Run, worse: Path) -> None:
    rates = rates_of()
    import_(run, worse, replace(rates, rate_cm3_s=1.5 * rates.rate_cm3_s), "6,9")
    assert used(run, worse)[0] == 1  # a source with more transitions takes precedence
    run("--quiet", "--db", worse, "sources", "AB+He", "--prefer", "4")
    assert used(run, worse) == (2, [])


def test_a_model_that_lacks_a_temperature_of_the_newest_is_not_compared(run: Run, filled: Path) -> None:
    import_(run, filled, rates_of((10.0, 20.0, 50.0, 100.0, 150.0)), "3,4,12")
    run("--quiet", "--db", filled, "sources", "AB+He", "--prefer", "4")
    assert train(run, filled, *WORSE) == []
    assert used(run, filled) == (2, [])


def test_temperatures_of_other_j_leave_a_model_comparable(run: Run, worse: Path) -> None:
    import_(run, worse, rates_of((10.0, 15.0, 20.0, 50.0, 100.0)), "8")
    assert used(run, worse)[0] == 1


def test_a_model_that_cannot_be_read_is_not_compared(run: Run, worse: Path) -> None:
    with Store(worse, write=True) as store:
        store.rows("UPDATE model SET arrays = 'x'::BLOB WHERE model_id = 1")
        seal_again(store.connection, "model")
    assert used(run, worse) == (2, [])


def test_a_model_ranks_behind_those_that_predict_more_transitions(run: Run, tmp_path: Path) -> None:
    """The newer model learns from even dj only, and predicts no odd ones."""
    rates = rates_of()
    odd = (rates.initial_j() - rates.levels.need_vj()[1][rates.lower]) % 2 == 1
    db = tmp_path / "x.duckdb"
    import_(run, db, rates, "3,6,9")
    import_(run, db, rates.select(~odd), "2,4,7,12")
    train(run, db, "--train-j", "3,6", "--validate-j", "9")
    [warning] = train(run, db, "--train-j", "2,4,12", "--validate-j", "7")
    assert "does not predict some transitions that model 1 predicts" in warning
    number, [warning] = used(run, db)
    assert number == 1
    assert "it predicts transitions that the newest does not" in warning


def test_among_very_many_transitions_some_of_each_kind_are_compared(
    worse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratedb.models.choosing._MOST_ROWS", 5)
    with Store(worse) as store:
        records, stored = store.models_of("AB+He", None), store.rates("AB+He")
    assert [record.model_id for record in records] == [2, 1]
    chosen = choose(records, stored, None)
    assert chosen.record.model_id == 1
    assert set(np.unique(chosen.wanted.initial_j())) == set(range(1, 15))


# -- train --------------------------------------------------------------------------------------


def test_train_warns_when_more_data_made_it_worse(run: Run, filled: Path) -> None:
    """A j that is unlike its neighbours misleads a model that is given it too."""
    rates = rates_of()
    import_(run, filled, replace(rates, rate_cm3_s=5.0 * rates.rate_cm3_s), "10")
    [warning] = train(run, filled, "--train-j", "3,6,9,10,12", "--validate-j", "4,7")
    own, other, its = figures(warning)
    assert other == "1"
    assert [own, its] == pytest.approx(error_dex(filled, (2, 1)), abs=6e-4)
    assert own > its / 0.95
    assert "it has training j 3,6,9,10,12, validation j 4,7;" in warning
    assert "model 1 has training j 3,6,9,12, validation j 4,7;" in warning
    assert warning.endswith("`fill` uses model 1")
    assert used(run, filled)[0] == 1


def test_a_dry_run_of_train_warns_too(run: Run, filled: Path) -> None:
    assert len(train(run, filled, *WORSE, "--dry-run")) == 1


def test_the_first_model_of_a_system_is_compared_with_none(run: Run, imported: Path) -> None:
    assert train(run, imported, *WORSE) == []
