"""What a reviewer broke once: provenance, hold-outs and exports where the store is not tidy."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import FAST, TRAIN, Run
from synthetic import lamda_text, rotor_levels, rotor_rates, with_missing

from ratedb.levels import Levels
from ratedb.rates import Rates
from ratedb.store.store import Store


def write(path: Path, rates: Rates) -> Path:
    path.write_text(lamda_text([rates]))
    return path


def he_rates(temperature_k: tuple[float, ...] = (10.0, 20.0, 50.0, 100.0), seed: int = 1) -> Rates:
    return rotor_rates(rotor_levels(14, molecule="AB"), "He", temperature_k, seed=seed)


def test_predictions_never_count_as_training_data(run: Run, rotor_file: Path, tmp_path: Path) -> None:
    """Train, fill, train again: the second model comes from the file alone, and is the first."""
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", rotor_file, "--j", "3,4,6,7,9,12")
    for _ in range(2):
        assert run("--db", db, "--quiet", "train", "AB+He", *TRAIN, *FAST).code == 0
        assert run("--db", db, "--quiet", "fill", "AB+He").code == 0
    with Store(db) as store:
        models = store.query("SELECT training_source_ids, training_sha256 FROM models ORDER BY model_id")
        kinds = store.query("SELECT source_id, kind FROM sources WHERE system = 'AB+He' ORDER BY 1")
    assert len(models) == 1
    computed = [row["source_id"] for row in kinds if row["kind"] == "computed"]
    assert models[0]["training_source_ids"] == computed


def test_more_temperatures_after_training_do_not_hurt_the_evaluation(
    run: Run, filled: Path, rotor_file: Path, tmp_path: Path
) -> None:
    more = write(tmp_path / "more.dat", he_rates((5.0, 10.0, 20.0, 50.0, 100.0, 200.0)))
    before = run("--db", filled, "--json", "evaluate", "1", "--truth", rotor_file).json
    run("--db", filled, "--quiet", "import", more, "--j", "3,6,9,12", "--method", "CC")
    after = run("--db", filled, "--json", "evaluate", "1", "--truth", rotor_file)
    assert after.code == 0
    assert after.json["model"] == before["model"]


def test_changed_training_rates_are_said_in_the_evaluation(
    run: Run, filled: Path, rotor_file: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other.dat", he_rates(seed=99))
    run("--db", filled, "--quiet", "import", other, "--j", "3,6,9,12", "--method", "CC")
    run("--db", filled, "--quiet", "sources", "AB+He", "--prefer", "4")
    answer = run("--db", filled, "--json", "evaluate", "1", "--truth", rotor_file)
    assert "have changed since the model was trained" in answer.json["warnings"][0]
    assert "have changed since the model was trained" in answer.err


def test_a_held_out_j_without_usable_rates_is_left_out_and_said(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    rates = he_rates()
    elsewhere = rotor_rates(rates.levels, "He", (5000.0,), seed=1)
    run("--db", filled, "--quiet", "import", write(tmp_path / "a.dat", rates), "--j", "8")
    run("--db", filled, "--quiet", "import", write(tmp_path / "b.dat", elsewhere), "--j", "10")
    answer = run("--db", filled, "--json", "evaluate", "1")
    assert answer.code == 0
    assert [entry["j"] for entry in answer.json["by_j"]] == [1, 2, 8]
    assert answer.json["warnings"] == [
        "10 held-out transitions without a rate at the model's temperatures are left out"
    ]


def test_extrapolated_rates_are_no_truth(run: Run, filled: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dat", he_rates())
    run("--db", filled, "--quiet", "import", path, "--j", "8", "--kind", "extrapolated")
    answer = run("--db", filled, "--json", "evaluate", "1")
    assert [entry["j"] for entry in answer.json["by_j"]] == [1, 2]


def test_training_on_what_is_not_computed_is_said(run: Run, rotor_file: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", rotor_file, "--kind", "scaled")
    answer = run("--db", db, "train", "AB+He", *TRAIN, *FAST, "--dry-run")
    assert (answer.code, "of the training values are scaled" in answer.err) == (0, True)


def test_without_validation_j_the_rule_takes_those_that_are_there(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", rotor_file, "--j", "1:3,5,6,8,9,12")
    trained = run("--db", db, "--json", "train", "AB+He", "--train-j", "3,6,9,12", *FAST)
    assert trained.json["validate_j"] == [5, 8]


def test_a_target_that_is_not_among_the_levels_is_refused_before_training(run: Run, filled: Path) -> None:
    answer = run("--db", filled, "train", "AB+He", *TRAIN, *FAST, "--j", "5,500")
    assert (answer.code, "500" in answer.err) == (1, True)


def test_an_export_with_missing_pairs_says_so_and_strict_refuses_it(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    answer = run("--db", filled, "--json", "export", "AB+p-H2", "-o", tmp_path / "x.dat")
    missing = [w["detail"] for w in answer.json["warnings"] if w["rule"] == "missing pairs"]
    assert "61 of 105 pairs of levels have no rate, such as 5 -> 0" in missing[0]
    assert run("--db", filled, "export", "AB+p-H2", "-o", tmp_path / "y.dat", "--strict").code == 1


def test_the_sidecar_counts_what_is_in_the_file_and_marks_each_prediction(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    answer = run("--db", filled, "--json", "export", "AB+He", "-o", tmp_path / "x.dat").json
    partner = json.loads((tmp_path / "x.dat.provenance.json").read_text())["partners"][0]
    assert len(partner["predicted"]) == 61
    assert {entry["model_id"] for entry in partner["predicted"]} == {1}
    assert partner["extrapolated_transitions"] == answer["extrapolated_transitions"] == 13 + 14 + 0
    for entry in partner["predicted"]:
        assert 0 < entry["log10_half_width_68_median"] <= entry["log10_half_width_68_max"]
        assert entry["log10_std_median"] == entry["log10_half_width_68_median"]  # the name of 0.1


def test_a_file_with_predictions_says_so_whatever_the_length_of_its_reference(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", rotor_file, "--j", "3,4,6,7,9,12", "--reference", "long " * 60)
    run("--db", db, "--quiet", "train", "AB+He", *TRAIN, *FAST)
    run("--db", db, "--quiet", "fill", "AB+He", "--j", "1:14")
    run("--db", db, "--quiet", "export", "AB+He", "-o", tmp_path / "x.dat")
    assert "predicted in part by ratedb" in (tmp_path / "x.dat").read_text()


def changed(levels: Levels, **values: object) -> Rates:
    new = replace(levels, **values)
    rates = he_rates()
    return Rates(new, "He", rates.upper, rates.lower, rates.temperature_k, rates.rate_cm3_s)


def test_a_list_with_levels_in_another_order_is_refused(run: Run, tmp_path: Path) -> None:
    levels = rotor_levels(14, molecule="AB")
    close = 0.1 * levels.energy_cm1  # the two lowest levels lie 0.4 cm-1 apart
    db = tmp_path / "x.duckdb"
    first = write(tmp_path / "a.dat", changed(levels, energy_cm1=close))
    assert run("--db", db, "--quiet", "import", first).code == 0
    exchanged = close.copy()
    exchanged[[0, 1]] = close[[1, 0]]
    rates = changed(levels, energy_cm1=exchanged)
    path = write(tmp_path / "b.dat", rates.select(~((rates.upper == 1) & (rates.lower == 0))))
    answer = run("--db", db, "import", path)
    assert (answer.code, "another order of energy" in answer.err) == (1, True)


def test_weights_with_a_common_factor_are_scaled_and_others_refused(
    run: Run, imported: Path, tmp_path: Path
) -> None:
    levels = rotor_levels(14, molecule="AB")
    path = write(tmp_path / "three.dat", changed(levels, weight=3.0 * levels.weight))
    answer = run("--db", imported, "--json", "import", path)
    assert "3 times those in the store" in " ".join(answer.json["systems"][0]["warnings"])
    weights = run("--db", imported, "--json", "sql", "SELECT weight FROM levels ORDER BY j").json["rows"]
    assert [row["weight"] for row in weights] == levels.weight.tolist()
    wrong = levels.weight.copy()
    wrong[7] *= 3
    answer = run("--db", imported, "import", write(tmp_path / "bad.dat", changed(levels, weight=wrong)))
    assert (answer.code, "statistical weights" in answer.err) == (1, True)


def test_columns_of_one_name_are_kept_apart(run: Run, filled: Path) -> None:
    query = "SELECT a.label, b.label FROM levels a, levels b WHERE a.j = 1 AND b.j = 2"
    assert run("--db", filled, "--json", "sql", query).json["rows"] == [{"label": "1", "label_1": "2"}]


@pytest.mark.parametrize("words", [("systems",), ("import", "x" * 300)])
def test_a_path_that_the_system_refuses_is_one_message(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = run("--db", tmp_path / ("d" * 300), *words)
    assert (answer.code, "Traceback" in answer.err) == (1, False)
    assert "name too long" in answer.err


def test_a_missing_temperature_is_filled_and_the_known_ones_are_kept(run: Run, tmp_path: Path) -> None:
    rates = he_rates()
    hole = np.zeros(rates.rate_cm3_s.shape, dtype=bool)
    hole[(rates.upper == 8), 0] = True
    columns = np.array([1, 2, 3])
    db = tmp_path / "x.duckdb"
    part = Rates(
        rates.levels,
        "He",
        rates.upper,
        rates.lower,
        rates.temperature_k[columns],
        with_missing(rates, hole).rate_cm3_s[:, columns],
    )
    run("--db", db, "--quiet", "import", write(tmp_path / "a.dat", rates), "--j", "1:7,9:14")
    run("--db", db, "--quiet", "import", write(tmp_path / "b.dat", part), "--j", "8")
    run("--db", db, "--quiet", "train", "AB+He", *TRAIN, *FAST)
    answer = run("--db", db, "--json", "fill", "AB+He").json
    assert (answer["filled_transitions"], answer["filled_rates"]) == (8, 8)
    query = "SELECT temperature_k, kind FROM rates WHERE j = 8 AND j_final = 3 ORDER BY 1"
    kinds = [row["kind"] for row in run("--db", db, "--json", "sql", query).json["rows"]]
    assert kinds == ["predicted", "computed", "computed", "computed"]


@pytest.mark.slow
def test_a_demo_goes_on_whatever_step_it_was_stopped_in(
    run: Run, rotor_file: Path, tmp_path: Path, quick_demo: None
) -> None:
    folder = tmp_path / "work"
    whole = run("--json", "demo", folder, "--file", rotor_file)
    assert whole.code == 0
    state = json.loads((folder / "demo.json").read_text())
    names = list(state["steps"])
    for kept in (0, len(names) - 2):
        steps = {name: state["steps"][name] for name in names[:kept]}
        copy = tmp_path / f"stopped-{kept}"
        shutil.copytree(folder, copy)
        (copy / "demo.json").write_text(json.dumps({**state, "steps": steps}))
        again = run("--json", "demo", copy, "--file", rotor_file)
        assert (again.code, again.json["metrics"]) == (0, whole.json["metrics"]), names[kept]


def test_no_output_takes_the_place_of_a_database(run: Run, filled: Path) -> None:
    before = filled.read_bytes()
    exported = run("--db", filled, "export", "AB+He", "-o", filled)
    queried = run("--db", filled, "sql", "SELECT 1", "--format", "csv", "-o", filled)
    assert (exported.code, queried.code) == (1, 1)
    assert "overwrite a database" in exported.err
    assert filled.read_bytes() == before


def test_a_collider_with_fewer_j_does_not_keep_the_others_out(run: Run, tmp_path: Path) -> None:
    levels = rotor_levels(14, molecule="AB")
    full, short = rotor_rates(levels, "p-H2"), rotor_rates(levels, "He")
    path = tmp_path / "x.dat"
    path.write_text(lamda_text([full, short.select(short.initial_j() <= 4)]))
    answer = run("--db", tmp_path / "x.duckdb", "--json", "import", path, "--j", "3,9")
    assert [(s["system"], s["transitions"]) for s in answer.json["systems"]] == [
        ("AB+p-H2", 12),
        ("AB+He", 3),
    ]
    assert "AB+He has no transitions out of j = 9" in answer.err
    assert run("--db", tmp_path / "x.duckdb", "import", path, "--j", "99").code == 1


def test_a_file_that_calls_itself_scaled_is_asked_about(run: Run, rotor_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "scaled.dat"
    path.write_text(rotor_file.read_text().replace("made up for tests", "scaled from He"))
    assert "--kind scaled" in run("--db", tmp_path / "x.duckdb", "import", path).err
    assert "--kind scaled" not in run("--db", tmp_path / "y.duckdb", "import", path, "--kind", "scaled").err


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "X+He", "--j", "5:20", "--cost-exponent", "nan"),
        ("plan", "X+He", "--j", "5:20", "--model-hours", "nan"),
        ("verify", "a", "--against", "b", "--tolerance", "nan"),
        ("import", "a", "--molecule", "a b"),
    ],
)
def test_numbers_and_names_that_make_no_sense_are_usage_errors(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert run("--db", tmp_path / "x.duckdb", *words).code == 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_behind_the_output_is_one_message(filled: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ratedb_cli", "--db", str(filled), "systems"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


@pytest.mark.slow
def test_an_unfit_file_leaves_the_demos_folder_free_for_another(
    run: Run, rotor_file: Path, tmp_path: Path, quick_demo: None
) -> None:
    (tmp_path / "bad.dat").write_text("no rates")
    assert run("demo", tmp_path / "work", "--file", tmp_path / "bad.dat").code == 1
    assert run("demo", tmp_path / "work", "--file", rotor_file).code == 0
