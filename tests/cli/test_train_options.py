"""`train` and `evaluate`: every option that chooses a model, on a made-up rotor."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from commands import FAST, METRIC_KEYS, TRAIN, Run
from synthetic import lamda_text, rotor_levels, rotor_rates

ONE = ("--kernels", "M32", "--features", "physics", "--mean", "linear")


def trained(run: Run, db: Path, *options: str) -> dict[str, object]:
    """Train AB+He and return the JSON answer."""
    answer = run("--db", db, "--json", "train", "AB+He", *TRAIN, *options)
    assert answer.code == 0, answer.err
    return dict(answer.json)


def test_one_candidate_gives_a_model_of_one_member(run: Run, imported: Path) -> None:
    found = trained(run, imported, *ONE)
    assert (found["kernel"], found["features"], found["mean"], found["engine"]) == (
        "M32",
        "physics",
        "linear",
        "basis",
    )
    assert [entry["weight"] for entry in found["tried"]] == [1.0]  # type: ignore[attr-defined]


def test_the_same_training_again_is_the_same_model_and_another_is_a_new_one(run: Run, imported: Path) -> None:
    first, again = trained(run, imported, *ONE), trained(run, imported, *ONE)
    assert again["model_id"] == first["model_id"] == 1
    assert f"model {first['model_id']} is the same" in " ".join(again["warnings"])  # type: ignore[arg-type]
    assert "is the same" not in " ".join(first["warnings"])  # type: ignore[arg-type]
    for number, options in enumerate(
        (("--kernels", "M52"), ("--seed", "7"), ("--mean", "constant")), start=2
    ):
        assert trained(run, imported, *ONE, *options)["model_id"] == number
    rows = run("--db", imported, "--json", "sql", "SELECT model_id FROM models ORDER BY model_id").json[
        "rows"
    ]
    assert [row["model_id"] for row in rows] == [1, 2, 3, 4]
    assert trained(run, imported, *ONE)["model_id"] == 1


def test_a_composite_search_says_every_kernel_it_tried(run: Run, imported: Path) -> None:
    options = ("--kernels", "M32,RBF", "--features", "physics", "--mean", "constant", "--search", "composite")
    tried = {entry["kernel"] for entry in trained(run, imported, *options)["tried"]}  # type: ignore[attr-defined]
    assert {"M32", "RBF"} < tried
    assert any("+" in kernel for kernel in tried)
    assert any("*" in kernel for kernel in tried)


def test_the_information_criterion_takes_the_candidate_with_the_lowest(run: Run, imported: Path) -> None:
    found = trained(run, imported, "--kernels", "M32,RBF", "--criterion", "bic")
    tried = found["tried"]
    best = min(tried, key=lambda entry: entry["bic"])  # type: ignore[call-overload]
    assert [entry for entry in tried if entry["weight"]] == [best]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dense", "sparse"])
def test_every_engine_trains_fills_and_is_evaluated(run: Run, filled: Path, engine: str) -> None:
    found = trained(run, filled, "--kernels", "M32", "--engine", engine)
    assert found["engine"] == engine
    number = str(found["model_id"])
    evaluation = run("--db", filled, "--json", "evaluate", number).json
    assert evaluation["model"]["dex_rms"] < 0.1
    assert run("--db", filled, "--json", "fill", "AB+He", "--model", number).json["filled_transitions"] > 0


def test_the_paper_s_optimiser_is_there(run: Run, imported: Path) -> None:
    assert trained(run, imported, *ONE, "--optimiser", "rmsprop")["kernel"] == "M32"


@pytest.mark.slow
def test_jobs_do_not_change_the_model(run: Run, imported: Path) -> None:
    alone = trained(run, imported, *FAST)
    together = trained(run, imported, *FAST, "--jobs", "2")
    assert together["validation"] == pytest.approx(alone["validation"], rel=1e-9)


def test_another_system_as_prior_mean_is_used_and_kept_in_the_provenance(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", rotor_file)
    found = trained(run, db, *ONE, "--prior", "AB+p-H2")
    assert found["prior"] == "AB+p-H2"
    assert "prior+linear" in str(found["mean"])
    query = "SELECT mean, prior FROM models"
    assert run("--db", db, "--json", "sql", query).json["rows"][0]["prior"] == "AB+p-H2"
    assert run("--db", db, "--json", "show", "AB+He").json["models"][0]["prior"] == "AB+p-H2"
    assert run("--db", db, "--json", "evaluate", "1").code == 0


def test_who_fills_from_a_prior_is_told_what_it_lacks_and_cites_it(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    """AB+p-H2 has the computed j alone; the others are interpolated; its authors are cited too."""
    trained(run, filled, *ONE, "--prior", "AB+p-H2")
    answer = run("--db", filled, "--json", "fill", "AB+He", "--model", "2").json
    assert answer["filled_transitions"] > 0
    assert any("AB+p-H2" in warning and "interpolated in j" in warning for warning in answer["warnings"])
    target = tmp_path / "ab.dat"
    assert run("--db", filled, "--quiet", "export", "AB+He", "-o", target).code == 0
    assert "AB-p-H2 made up for tests" in target.read_text()
    provenance = json.loads((tmp_path / "ab.dat.provenance.json").read_text())
    jsonschema.validate(
        provenance, json.loads((resources.files("ratedb_schemas") / "provenance.schema.json").read_text())
    )
    priors = [model["prior"] for model in provenance["partners"][0]["models"]]
    assert [prior["citations"] for prior in priors if prior] == [["AB-p-H2 made up for tests"]]


def test_a_prior_that_is_itself_unknown_or_unlike_is_refused(
    run: Run, imported: Path, tmp_path: Path
) -> None:
    for prior, code, word in (
        ("AB+He", 2, "own prior"),
        ("XY+He", 1, "XY+He"),
    ):
        answer = run("--db", imported, "train", "AB+He", *TRAIN, *ONE, "--prior", prior)
        assert (answer.code, word in answer.err) == (code, True)
    levels = rotor_levels(3, molecule="CD", v_max=1)
    other = tmp_path / "cd.dat"
    other.write_text(lamda_text([rotor_rates(levels, "He", (500.0, 600.0))]))
    run("--db", imported, "--quiet", "import", other)
    answer = run("--db", imported, "train", "AB+He", *TRAIN, *ONE, "--prior", "CD+He")
    assert (answer.code, "temperatures" in answer.err) == (1, True)


@pytest.mark.parametrize(
    "option",
    [
        ("--engine", "magic"),
        ("--criterion", "luck"),
        ("--search", "wide"),
        ("--optimiser", "adam"),
        ("--mean", "median"),
        ("--features", "physics+magic"),
        ("--jobs", "0"),
    ],
)
def test_an_unknown_choice_is_a_usage_error_that_lists_the_choices(
    run: Run, imported: Path, option: tuple[str, str]
) -> None:
    answer = run("--db", imported, "train", "AB+He", *TRAIN, *option)
    assert (answer.code, "expected" in answer.err) == (2, True)


def test_an_evaluation_has_baselines_slices_and_the_paper_s_columns(
    run: Run, filled: Path, rotor_file: Path
) -> None:
    found = run("--db", filled, "--json", "evaluate", "1", "--truth", rotor_file, "--dense").json
    assert set(found["baselines"]) == {"interpolation", "ios", "dense"}
    assert all(set(metrics) >= METRIC_KEYS for metrics in found["baselines"].values())
    assert [entry["abs_dj"] for entry in found["by_abs_dj"]] == list(range(1, 15))
    assert [entry["temperature_k"] for entry in found["by_temperature"]] == [10.0, 20.0, 50.0, 100.0]
    assert [entry["dv"] for entry in found["by_dv"]] == [0]
    for name in ("by_j", "by_abs_dj"):
        assert sum(entry["transitions"] for entry in found[name]) == found["test_transitions"]
    assert found["paper"]["train_j"] == [3, 6, 9, 12]
    assert found["paper"]["explicit_percent"] + found["paper"]["avoided_percent"] == pytest.approx(100.0)


def test_a_truth_between_the_model_s_temperatures_is_a_test_too(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    levels = rotor_levels(14, molecule="AB")
    path = tmp_path / "between.dat"
    # The same seed gives each transition the same size as in the training file.
    path.write_text(lamda_text([rotor_rates(levels, "He", (15.0, 70.0, 300.0), seed=1)]))
    found = run("--db", filled, "--json", "evaluate", "1", "--truth", path).json
    assert [entry["temperature_k"] for entry in found["by_temperature"]] == [15.0, 70.0]
    assert found["model"]["dex_rms"] < 0.1


def test_the_table_of_what_was_tried_says_weights_and_engine(run: Run, imported: Path) -> None:
    answer = run("--db", imported, "train", "AB+He", *TRAIN, *FAST, "--dry-run")
    assert "weight" in answer.out
    assert "basis engine" in answer.out


def test_a_model_of_an_older_format_says_to_train_again(run: Run, filled: Path) -> None:
    from ratedb.errors import RatedbError
    from ratedb.models.storage import from_stored

    with pytest.raises(RatedbError) as refused:
        from_stored(json.loads('{"format": 1}'), b"")
    assert "train it again" in str(refused.value)


def test_a_mark_for_no_value_in_the_validation_j_is_no_rate(
    run: Run, rotor_file: Path, tmp_path: Path
) -> None:
    rates = rotor_rates(rotor_levels(14, molecule="AB"), "He", (10.0, 20.0, 50.0, 100.0), seed=1)
    values = rates.rate_cm3_s.copy()
    rows = np.flatnonzero(np.isin(rates.initial_j(), (4, 7)))
    values[rows[0], 1] = values[rows[-1], 2] = 1e-60
    path, db = tmp_path / "marked.dat", tmp_path / "x.duckdb"
    path.write_text(lamda_text([replace(rates, rate_cm3_s=values)]))
    assert run("--db", db, "--quiet", "import", path, "--quality", "off").code == 0
    answer = run("--db", db, "--json", "train", "AB+He", *TRAIN, *ONE)
    assert answer.json["validation"]["dex_rms"] < 0.1
    assert any("placeholders (1e-60)" in warning for warning in answer.json["warnings"])


def test_a_fill_reads_what_is_supported_from_the_model_not_from_what_came_later(
    run: Run, tmp_path: Path
) -> None:
    levels = rotor_levels(12, molecule="CD", v_max=1)
    rates = rotor_rates(levels, "He", (10.0, 20.0, 50.0))
    v, _ = levels.need_vj()
    for name, rows in (("low", v[rates.upper] == 0), ("high", v[rates.upper] == 1)):
        (tmp_path / f"{name}.dat").write_text(lamda_text([rates.select(rows)]))
    db = tmp_path / "x.duckdb"
    run("--db", db, "--quiet", "import", tmp_path / "low.dat", "--j", "1:4,6,7,9,12")
    run("--db", db, "--quiet", "train", "CD+He", *TRAIN, *ONE)
    before = run("--db", db, "--json", "fill", "CD+He", "--dry-run")
    run("--db", db, "--quiet", "import", tmp_path / "high.dat", "--j", "3,6,9")
    after = run("--db", db, "--json", "fill", "CD+He", "--dry-run")
    assert (before.code, after.code) == (4, 4)
    assert after.json["unsupported"] == before.json["unsupported"] > 0


def test_the_name_of_a_mean_over_a_prior_is_refused_with_the_right_words(run: Run, imported: Path) -> None:
    words = ("--prior", "AB+p-H2", "--mean", "prior+linear")
    answer = run("--db", imported, "train", "AB+He", *TRAIN, *words)
    assert (answer.code, "--prior SYSTEM --mean linear" in answer.err) == (2, True)
