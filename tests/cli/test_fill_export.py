"""Filling and exporting: what is computed stays, every number has its source, readers get what they need."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
from commands import FAST, Run

from ratedb.files import sha256
from ratedb.io.lamda import read_lamda
from ratedb.store.store import Store


def test_fill_predicts_what_is_missing_and_keeps_what_is_computed(filled: Path, rotor_file: Path) -> None:
    truth = next(p.rates for p in read_lamda(rotor_file).partners if p.rates.collider == "He")
    with Store(filled) as store:
        stored = store.rates("AB+He")
    assert len(stored) == len(truth) == 105
    computed = np.isin(stored.initial_j(), (1, 2, 3, 4, 6, 7, 9, 12))
    assert (stored.kind[computed] == "computed").all()
    assert (stored.kind[~computed] == "predicted").all()
    pairs = {(u, w): row for row, (u, w) in enumerate(zip(truth.upper, truth.lower, strict=True))}
    rows = [pairs[pair] for pair in zip(stored.upper, stored.lower, strict=True)]
    assert np.array_equal(stored.rate_cm3_s[computed], truth.rate_cm3_s[rows][computed])
    error = np.abs(np.log10(stored.rate_cm3_s / truth.rate_cm3_s[rows]))[~computed]
    assert np.sqrt((error**2).mean()) < 0.1
    assert np.isnan(stored.log10_half_width_68[computed]).all()
    assert (stored.log10_half_width_68[~computed] > 0).all()


def test_filling_again_with_the_same_model_changes_nothing(run: Run, filled: Path) -> None:
    tables = "SELECT (SELECT count(*) FROM source), (SELECT count(*) FROM rate)"
    before = run("--db", filled, "--json", "sql", tables).json["rows"]
    answer = run("--db", filled, "--json", "fill", "AB+He").json
    assert (answer["filled_transitions"], answer["unchanged"], answer["kept_computed"]) == (0, 61, 44)
    assert run("--db", filled, "--json", "sql", tables).json["rows"] == before


def test_a_newer_model_supersedes_and_the_older_values_stay_in_rates_all(run: Run, filled: Path) -> None:
    run("--db", filled, "--quiet", "train", "AB+He", "--train-j", "3,7,12", "--validate-j", "4,9", *FAST)
    assert run("--db", filled, "--json", "fill", "AB+He").json["filled_transitions"] == 61
    count = "SELECT model_id, count(*) AS n FROM {} WHERE kind = 'predicted' GROUP BY 1 ORDER BY 1"
    best = run("--db", filled, "--json", "sql", count.format("rates")).json["rows"]
    every = run("--db", filled, "--json", "sql", count.format("rates_all")).json["rows"]
    assert best == [{"model_id": 2, "n": 244}]
    assert every == [{"model_id": 1, "n": 244}, {"model_id": 2, "n": 244}]


def test_a_computed_value_that_comes_later_takes_the_place_of_a_prediction(
    run: Run, filled: Path, rotor_file: Path
) -> None:
    run("--db", filled, "--quiet", "import", rotor_file)
    kinds = run("--db", filled, "--json", "sql", "SELECT DISTINCT kind FROM rates").json["rows"]
    assert kinds == [{"kind": "computed"}]
    everything = "SELECT count(*) AS n FROM rates_all WHERE kind = 'predicted'"
    assert run("--db", filled, "--json", "sql", everything).json["rows"] == [{"n": 244}]


def test_transitions_past_the_training_are_counted_and_marked_as_extrapolated(run: Run, filled: Path) -> None:
    query = "SELECT DISTINCT j FROM rates WHERE extrapolated ORDER BY j"
    marked = [row["j"] for row in run("--db", filled, "--json", "sql", query).json["rows"]]
    assert marked == [13, 14]


def test_an_export_reads_back_with_the_same_numbers(run: Run, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "ab.dat"
    answer = run("--db", filled, "--json", "export", "AB+He", "-o", target)
    assert answer.code == 0
    assert answer.json["sha256"] == sha256(target.read_bytes())
    back = read_lamda(target).partners[0].rates
    with Store(filled) as store:
        stored = store.rates("AB+He")
    assert np.array_equal(back.upper, stored.upper)
    assert np.allclose(back.rate_cm3_s, stored.rate_cm3_s, rtol=1e-5)
    assert answer.json["predicted_fraction"] == 244 / 420


def test_an_export_has_its_provenance_beside_it_by_the_schema(run: Run, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "ab.dat"
    run("--db", filled, "--quiet", "export", "AB+He", "-o", target)
    provenance = json.loads((tmp_path / "ab.dat.provenance.json").read_text())
    schema = json.loads((resources.files("ratedb_schemas") / "provenance.schema.json").read_text())
    jsonschema.validate(provenance, schema)
    assert provenance["sha256"] == sha256(target.read_bytes())
    partner = provenance["partners"][0]
    assert sum(source["rates"] for source in partner["sources"]) == partner["rates"] == 420
    assert [source["kind"] for source in partner["sources"]] == ["computed", "predicted"]
    assert partner["models"][0]["train_j"] == [3, 6, 9, 12]
    assert len(partner["models"][0]["training_sha256"]) == 64


def test_the_same_store_gives_the_same_bytes(run: Run, filled: Path, tmp_path: Path) -> None:
    for name in ("one.dat", "two.dat"):
        run("--db", filled, "--quiet", "export", "AB+He", "AB+p-H2", "-o", tmp_path / name)
    assert (tmp_path / "one.dat").read_bytes() == (tmp_path / "two.dat").read_bytes()


def test_computed_only_and_j_max_leave_out_the_rest(run: Run, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "ab.dat"
    run("--db", filled, "--quiet", "export", "AB+He", "-o", target, "--computed-only", "--j-max", "9")
    file = read_lamda(target)
    assert set(file.partners[0].rates.initial_j().tolist()) == {1, 2, 3, 4, 6, 7, 9}
    assert len(file.levels) == 10


def test_strict_refuses_a_file_with_a_warning_and_the_old_file_stays(
    run: Run, imported: Path, rotor_file: Path, tmp_path: Path
) -> None:
    # The rotor's rates with one zero: readers take logarithms of rates, so the writer warns.
    text = rotor_file.read_text().splitlines()
    row = text.index("!NUMBER OF COLL TRANS") + 7
    words = text[row].split()
    text[row] = " ".join([*words[:3], "0.0", *words[4:]])
    (tmp_path / "zero.dat").write_text("\n".join(text) + "\n")
    run(
        "--db",
        imported,
        "--quiet",
        "import",
        tmp_path / "zero.dat",
        "--reference",
        "newer",
        "--quality",
        "off",
    )
    target = tmp_path / "ab.dat"
    target.write_text("old")
    answer = run("--db", imported, "export", "AB+p-H2", "-o", target, "--strict")
    assert answer.code == 1
    assert "rule" in answer.err
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []


def test_systems_of_two_molecules_do_not_fit_into_one_file(run: Run, filled: Path, rotor_file: Path) -> None:
    run("--db", filled, "--quiet", "import", rotor_file, "--molecule", "CD")
    answer = run("--db", filled, "export", "AB+He", "CD+He", "-o", "x.dat")
    assert (answer.code, "one molecule" in answer.err) == (2, True)


def test_a_kind_of_transition_never_trained_stays_missing_with_code_4(
    run: Run, tmp_path: Path, rotor_file: Path
) -> None:
    """Rates of even dj only: what is odd has nothing alike in the training set and is not invented."""
    lines = rotor_file.read_text().splitlines()
    start = lines.index("!NUMBER OF COLL TRANS")
    rows = [line for line in lines[start + 7 : start + 112] if sum(map(int, line.split()[1:3])) % 2 == 0]
    head = [*lines[: start + 1], str(len(rows)), *lines[start + 2 : start + 7]]
    head[head.index("!NUMBER OF COLL PARTNERS") + 1] = "1"
    (tmp_path / "even.dat").write_text("\n".join([*head, *rows]) + "\n")
    db = tmp_path / "even.duckdb"
    run("--db", db, "--quiet", "import", tmp_path / "even.dat", "--j", "2:4,6,7,9,12")
    trained = run(
        "--db", db, "--quiet", "train", "AB+p-H2", "--train-j", "3,6,9,12", "--validate-j", "4", *FAST
    )
    assert trained.code == 0
    answer = run("--db", db, "--json", "fill", "AB+p-H2")
    assert answer.code == 4
    assert answer.json["unsupported"] == sum((j + 1) // 2 for j in range(15))
    query = "SELECT count(*) AS n FROM rates WHERE (j - j_final) % 2 = 1"
    assert run("--db", db, "--json", "sql", query).json["rows"] == [{"n": 0}]


def test_provenance_of_a_predicted_value_leads_to_its_training_set(run: Run, filled: Path) -> None:
    query = (
        "SELECT m.training_source_ids, m.training_sha256 FROM rates JOIN models AS m USING (model_id)"
        " WHERE j = 8 LIMIT 1"
    )
    row = run("--db", filled, "--json", "sql", query).json["rows"][0]
    with Store(filled) as store:
        sources = store.query("SELECT source_id FROM sources WHERE kind = 'computed' AND system = 'AB+He'")
    assert row["training_source_ids"] == [source["source_id"] for source in sources]
    with Store(filled) as store:
        known = store.rates("AB+He").of_kinds(["computed"])
    training = known.select(np.isin(known.initial_j(), (3, 6, 9, 12)))
    assert row["training_sha256"] == training.sha256()
