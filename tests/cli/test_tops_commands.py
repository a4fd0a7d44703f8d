"""The whole job on a top, by the commands: plan, import, next, train, fill, evaluate, export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ratedb_cli.app import app
from typer.testing import CliRunner

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.models.storage import any_from_stored
from ratedb.radiative.radex import lamda_folder

SYSTEM = "o-H2CS+p-H2"
RUNNER = CliRunner()

pytestmark = pytest.mark.skipif(
    lamda_folder() is None, reason="spectralradex and its LAMDA files are missing"
)


def h2cs() -> Path:
    folder = lamda_folder()
    assert folder is not None
    return folder / "oh2cs.dat"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """Return a store with a plan and the rates out of the planned states only, and these."""
    db = tmp_path_factory.mktemp("tops") / "tops.duckdb"
    store = ratedb.open(db, create=True)
    plan = store.plan(SYSTEM, share=25.0, levels=h2cs())
    store.import_(h2cs(), units=plan.chosen.train_units, collider="p-H2", method="CS")
    return db, plan.chosen.train_units


@pytest.fixture(scope="module")
def filled(planned: tuple[Path, tuple[str, ...]]) -> Path:
    store = ratedb.open(planned[0])
    store.train(SYSTEM, plan=1)
    store.fill(SYSTEM)
    return planned[0]


def run(db: Path, *words: str) -> dict[str, object]:
    result = RUNNER.invoke(app, ["--db", str(db), "--json", *words])
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_plan_before_any_data_names_a_quarter_of_the_initial_states(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.csv"
    words = ("--share", "25", "--levels", str(h2cs()), "--worklist", str(jobs), "--hours-total", "100")
    plan = run(tmp_path / "new.duckdb", "plan", SYSTEM, *words)
    chosen = plan["chosen"]
    assert isinstance(chosen, dict)
    assert chosen["n"] == round(0.25 * 39)
    assert chosen["validate_units"] == []
    rows = list(csv.DictReader(jobs.open()))
    assert {row["unit"] for row in rows} == set(chosen["train_units"])
    assert sum(float(row["expected_hours"]) for row in rows) == pytest.approx(chosen["explicit_hours"])


def test_only_rates_out_of_the_named_states_are_imported(planned: tuple[Path, tuple[str, ...]]) -> None:
    db, units = planned
    known = ratedb.open(db).rates(SYSTEM, kinds="computed")
    assert set(known.upper_label.tolist()) == set(units)


def test_import_says_which_states_of_the_plan_are_left(tmp_path: Path) -> None:
    db = tmp_path / "part.duckdb"
    store = ratedb.open(db, create=True)
    first, *rest = store.plan(SYSTEM, share=25.0, levels=h2cs()).chosen.train_units
    done = store.import_(h2cs(), units=(first,), collider="p-H2", method="CS").to_json()["systems"][0]["plan"]
    assert done["done_units"] == (first,)
    assert set(done["left_units"]) == set(rest)


def test_fill_adds_what_is_missing_and_nothing_else(filled: Path) -> None:
    store = ratedb.open(filled)
    rates = store.rates(SYSTEM)
    assert set(rates.levels.downward_pairs().names()) <= set(rates.transitions.names())
    again = store.fill(SYSTEM)
    assert again.filled_transitions == 0
    truth = ratedb.read(h2cs()).partners[0].rates
    computed = rates.kind_code == 0
    same = {(u, w): row for row, (u, w) in enumerate(truth.transitions.names())}
    for row, name in enumerate(rates.transitions.names()):
        if computed[row].all() and name in same:
            np.testing.assert_array_equal(rates.rate_cm3_s[row], truth.rate_cm3_s[same[name]])


def test_evaluate_tests_states_that_were_not_trained(
    filled: Path, planned: tuple[Path, tuple[str, ...]]
) -> None:
    found = run(filled, "evaluate", "1", "--truth", str(h2cs()))
    by_unit, baselines = found["by_unit"], found["baselines"]
    assert isinstance(by_unit, list)
    assert isinstance(baselines, dict)
    assert isinstance(found["model"], dict)
    assert not {one["unit"] for one in by_unit} & set(planned[1])
    assert found["model"]["dex_rms"] < min(one["dex_rms"] for one in baselines.values())


def test_next_names_a_state_that_is_not_computed(filled: Path, planned: tuple[Path, tuple[str, ...]]) -> None:
    found = run(filled, "next", SYSTEM, "--target-error", "5")
    assert found["stop"] is False
    assert found["next_unit"] not in planned[1]
    assert run(filled, "next", SYSTEM, "--target-error", "1000000")["next_unit"] in (None, "12_1_11")


def test_show_counts_all_transitions_by_initial_state(filled: Path) -> None:
    store = ratedb.open(filled)
    coverage = store.show(SYSTEM).coverage
    assert sum(row["computed"] + row["predicted"] for row in coverage) == len(store.rates(SYSTEM))
    assert all(row["missing"] == 0 for row in coverage)


def test_training_units_are_in_views_and_in_the_provenance(filled: Path, tmp_path: Path) -> None:
    store = ratedb.open(filled)
    listed = store.sql("SELECT train_units FROM models").dicts()[0]["train_units"]
    store.export(SYSTEM, tmp_path / "h2cs.dat")
    said = json.loads((tmp_path / "h2cs.dat.provenance.json").read_text())
    assert said["partners"][0]["models"][0]["train_units"] == listed


def test_validation_states_are_not_seen_by_the_model_that_is_tested(
    planned: tuple[Path, tuple[str, ...]],
) -> None:
    store, units = ratedb.open(planned[0]), planned[1]
    plain = store.train(SYSTEM, train_units=units[:-2], dry_run=True)
    tested = store.train(SYSTEM, train_units=units[:-2], validate_units=units[-2:], dry_run=True)
    assert tested.training_transitions > plain.training_transitions
    assert tested.validation.transitions < tested.training_transitions - plain.training_transitions + 1


@pytest.mark.parametrize(
    "words",
    [
        ("plan", SYSTEM, "--j", "1:5"),
        ("plan", SYSTEM, "--train-units", "77_1_1"),
        ("plan", SYSTEM, "--share", "25", "--train-units", "1_1_0,2_1_2,3_1_3"),
        ("train", SYSTEM, "--train-j", "1,2"),
        ("train", SYSTEM, "--train-units", "1_1_0,2_1_2", "--validate-units", "2_1_2"),
        ("fill", SYSTEM, "--j", "3"),
        ("next", SYSTEM, "--budget-hours", "5"),
        ("plan", "CO+p-H2", "--strategy", "best", "--share", "10"),
    ],
)
def test_options_that_do_not_fit_are_one_message(filled: Path, words: tuple[str, ...]) -> None:
    result = RUNNER.invoke(app, ["--db", str(filled), *words])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert isinstance(result.exception, RatedbError | SystemExit)


def test_a_damaged_model_is_one_message(filled: Path) -> None:
    with ratedb_store(filled) as store:
        record = store.model(1)
    for place in range(0, len(record.arrays), max(1, len(record.arrays) // 40)):
        damaged = bytearray(record.arrays)
        damaged[place] ^= 0xFF
        try:
            any_from_stored(record.state, bytes(damaged))
        except RatedbError:
            continue
    for name in ("members", "weights", "temperature_k", "train_units", "stretch"):
        state = {**record.state, "predictor": {**record.state["predictor"], name: None}}
        with pytest.raises(RatedbError):
            any_from_stored(state, record.arrays)


def ratedb_store(path: Path):  # type: ignore[no-untyped-def]
    from ratedb.store.store import Store

    return Store(path)


def test_a_linear_molecule_is_not_planned_by_states(tmp_path: Path) -> None:
    store = ratedb.open(tmp_path / "co.duckdb", create=True)
    store.import_(h2cs().with_name("co.dat"), method="CC")
    with pytest.raises(UsageError, match="linear"):
        store.plan("CO+p-H2", share=20.0)
    with pytest.raises(UsageError, match="linear"):
        store.train("CO+p-H2", train_units=("1", "2", "3"))


@pytest.mark.slow
def test_h2cs_is_a_demo(tmp_path: Path) -> None:
    found = ratedb.open(tmp_path / "x.duckdb", create=True).demo(tmp_path / "demo", molecule="H2CS")
    assert found.plan["chosen"]["train_units"]
    assert found.evaluate[SYSTEM]["model"]["dex_rms"] < 0.3


def test_a_molecule_without_a_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="no file of XYZ is installed"):
        ratedb.open(tmp_path / "x.duckdb", create=True).demo(tmp_path / "demo", molecule="XYZ")


def test_fill_takes_the_model_with_most_states_and_says_so(
    planned: tuple[Path, tuple[str, ...]], tmp_path: Path
) -> None:
    db = tmp_path / "two.duckdb"
    db.write_bytes(planned[0].read_bytes())
    store = ratedb.open(db)
    many = store.train(SYSTEM)
    few = store.train(SYSTEM, train_units=planned[1][:3])
    assert any("3 initial states only" in warning for warning in few.warnings)
    found = store.fill(SYSTEM, dry_run=True)
    assert found.model_id == many.model_id
    assert any(f"not the newest: it was given {len(planned[1])}" in one for one in found.warnings)
    assert store.fill(SYSTEM, model=few.model_id, dry_run=True).model_id == few.model_id
