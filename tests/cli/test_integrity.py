"""What another program changed in a store is found where it is used, and named."""

from __future__ import annotations

import io
import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from commands import Run
from seal_again import seal_again

from ratedb.store.seals import DECIDING, SEALED

SHOW, EXPORT, FILL = ("show", "AB+He"), ("export", "AB+He", "-o", "ab.dat"), ("fill", "AB+He")
EVALUATE, SOURCES, RATES = ("evaluate", "1"), ("sources", "AB+He"), ("export", "AB+He", "-o", "ab.csv")

# Each change, the row that the message names, and a command that uses the row.
CHANGES = {
    "a rate": (
        "UPDATE rate SET rate_cm3_s = list_transform(rate_cm3_s, lambda k: 2 * k)"
        " WHERE source_id = 2 AND upper_id = 5 AND lower_id = 3",
        "table rate, source_id 2, upper_id 5, lower_id 3",
        EXPORT,
    ),
    "the last digit of a rate": (
        "UPDATE rate SET rate_cm3_s = list_transform(rate_cm3_s, lambda k: k * (1 + 4e-16))"
        " WHERE source_id = 2 AND upper_id = 5",
        "table rate, source_id 2, upper_id 5",
        RATES,
    ),
    "rates of two transitions exchanged": (
        "UPDATE rate SET lower_id = 5 - lower_id WHERE source_id = 2 AND upper_id = 5 AND lower_id IN (2, 3)",
        "table rate, source_id 2, upper_id 5",
        EXPORT,
    ),
    "a half width": (
        "UPDATE rate SET log10_half_width_68 = list_transform(log10_half_width_68, lambda k: 0.001)"
        " WHERE source_id = 3",
        "table rate, source_id 3, upper_id",
        EXPORT,
    ),
    "a rate deleted": (
        "DELETE FROM rate WHERE source_id = 2 AND upper_id = 5",
        "table rate, source_id 2",
        SHOW,
    ),
    "a rate added": (
        "INSERT INTO rate SELECT * FROM rate WHERE source_id = 2",
        "table rate, source_id 2",
        SHOW,
    ),
    "temperatures": (
        "UPDATE temperature_grid SET temperature_k = list_transform(temperature_k, lambda k: k + 1)"
        " WHERE grid_id = 1",
        "table temperature_grid, grid_id 1",
        EXPORT,
    ),
    "a prediction called computed": (
        "UPDATE source SET kind = 'computed', model_id = NULL WHERE source_id = 3",
        "table source, source_id 3",
        SOURCES,
    ),
    "a method": (
        "UPDATE source SET method = 'IOS' WHERE source_id = 2",
        "table source, source_id 2",
        SOURCES,
    ),
    "a reference": (
        "UPDATE source SET reference = 'me' WHERE source_id = 2",
        "table source, source_id 2",
        EXPORT,
    ),
    "the hash of a file": (
        "UPDATE source SET file_sha256 = 'a' WHERE source_id = 2",
        "table source, source_id 2",
        SHOW,
    ),
    "a source deleted": (
        "DELETE FROM source WHERE source_id = 3",
        "table source, source_id 3",
        SHOW,
    ),
    "a source added": (
        "INSERT INTO source SELECT 99 AS source_id, * EXCLUDE (source_id) FROM source WHERE source_id = 2",
        "table source, source_id 99",
        SHOW,
    ),
    "an event deleted": (
        "DELETE FROM source_event",
        "table source_event, event_id 1",
        SOURCES,
    ),
    "a reason": (
        "UPDATE source_event SET reason = 'none'",
        "table source_event, event_id 1",
        SOURCES,
    ),
    "an order": (
        "UPDATE source_order SET source_ids = [3, 1]",
        "table source_order, order_id 1",
        SOURCES,
    ),
    "an energy": (
        "UPDATE level_value SET energy_cm1 = energy_cm1 + 1 WHERE level_id = 4",
        "table level_value, level_set_id 1",
        EXPORT,
    ),
    "a statistical weight": (
        "UPDATE level_value SET weight = 1",
        "table level_value, level_set_id 1",
        EXPORT,
    ),
    "a label": (
        "UPDATE level SET label = 'x' WHERE level_id = 4",
        "table level, level_id 4",
        EXPORT,
    ),
    "a frequency": (
        "UPDATE line SET frequency_ghz = 2 * frequency_ghz",
        "table line, level_set_id 1",
        EXPORT,
    ),
    "the weights of a model": (
        """UPDATE model SET state = json_merge_patch(state, '{"weights": [7.0]}')""",
        "table model, model_id 1",
        FILL,
    ),
    "arrays of a model": (
        "UPDATE model SET arrays = 'x'::BLOB",
        "table model, model_id 1",
        FILL,
    ),
    "the test error of a model": (
        """UPDATE model SET validation = json_merge_patch(validation, '{"dex_rms": 0.001}')""",
        "table model, model_id 1",
        EVALUATE,
    ),
    "the kernel of a model": (
        "UPDATE model SET kernel = 'M12'",
        "table model, model_id 1",
        EVALUATE,
    ),
    "the name of a system": (
        "UPDATE collision_system SET collider = 'H2' WHERE system_id = 1",
        "table collision_system, system_id 1",
        SHOW,
    ),
    "the class of a method": (
        "UPDATE method_class SET class = 'close coupling'",
        "table method_class, method",
        SHOW,
    ),
    "the kind of a molecule": (
        "UPDATE molecule SET kind = 'unknown'",
        "table molecule, molecule AB",
        SHOW,
    ),
}


@pytest.fixture
def curated(run: Run, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A filled store in which a source was corrected, and an order set."""
    monkeypatch.chdir(tmp_path)
    for words in (("--correct", 2, "year=2001", "--because", "a test"), ("--prefer", 2)):
        assert run("--db", filled, "sources", "AB+He", *words).code == 0
    return filled


def change(db: Path, sql: str) -> None:
    with duckdb.connect(str(db)) as connection:
        connection.execute(sql)


@pytest.mark.parametrize("name", CHANGES)
def test_what_another_program_changed_stops_a_command_that_uses_it(
    run: Run, curated: Path, name: str
) -> None:
    sql, where, command = CHANGES[name]
    assert run("--db", curated, *command).code == 0
    written = {path: path.read_bytes() for path in curated.parent.glob("ab.*")}
    change(curated, sql)
    answer = run("--db", curated, "--json", *command)
    assert answer.code == 1
    assert {path: path.read_bytes() for path in curated.parent.glob("ab.*")} == written
    error = answer.json["error"]
    assert where in f"{error['where']} {error['got']}"


@pytest.mark.parametrize("name", CHANGES)
def test_doctor_finds_every_changed_row_in_the_whole_store(run: Run, curated: Path, name: str) -> None:
    intact = run("--db", curated, "--json", "doctor", "--deep")
    assert (intact.code, [one["status"] for one in of_integrity(intact.json)]) == (0, ["ok"])
    sql, where, _ = CHANGES[name]
    change(curated, sql)
    found = run("--db", curated, "--json", "doctor", "--deep")
    assert found.code == 1
    assert any(where in one["detail"] for one in of_integrity(found.json))


def of_integrity(report: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    return [one for one in report["checks"] if one["name"] == "integrity"]


def test_a_write_gives_no_hashes_to_rows_of_another_program(
    run: Run, curated: Path, rotor_file: Path
) -> None:
    change(curated, "INSERT INTO source_event SELECT 99 AS event_id, * EXCLUDE (event_id) FROM source_event")
    answer = run("--db", curated, "--json", "sources", "AB+p-H2", "--prefer", "1")
    assert answer.code == 1
    assert answer.json["error"]["where"] == "table source_event, event_id 99"


def test_a_finding_that_was_deleted_is_missed(run: Run, curated: Path) -> None:
    change(
        curated,
        "INSERT INTO finding SELECT 2, 'r', 'error', 5, 3, NULL, NULL, NULL, '', now()::TIMESTAMP, '', NULL",
    )
    with duckdb.connect(str(curated)) as connection:
        seal_again(connection, "finding")
    assert run("--db", curated, *SHOW).code == 0
    change(curated, "DELETE FROM finding WHERE source_id = 2")
    answer = run("--db", curated, "--json", *SHOW)
    assert (answer.code, answer.json["error"]["where"]) == (1, "table finding, source_id 2")


def test_every_command_of_a_curator_leaves_a_store_without_findings(run: Run, curated: Path) -> None:
    for words in (
        ("check", "AB+He"),
        ("sources", "AB+He", "--withdraw", 2, "--because", "a test"),
        ("sources", "AB+He", "--restore", 2, "--because", "a test"),
        ("sources", "AB+He", "--correct", 2, "reference=A. Author (2001)", "--because", "a test"),
        ("plan", "AB+He", "--j", "1:8"),
        ("corpus",),
        ("repair",),
        ("fill", "AB+He"),
    ):
        assert run("--db", curated, *words).code == 0, words
        assert run("--db", curated, "doctor", "--deep").code == 0, words


# -- behind the hashes: someone who computes them anew ------------------------------------------------


def edited(db: Path, edit: object) -> None:
    """Change the JSON values and arrays of model 1, and give it a new hash."""
    with duckdb.connect(str(db)) as connection:
        [(state, content)] = connection.execute(
            "SELECT state, arrays FROM model WHERE model_id = 1"
        ).fetchall()
        with np.load(io.BytesIO(content)) as archive:
            arrays = {name: archive[name].copy() for name in archive.files}
        values = json.loads(state)
        edit(values, arrays)  # type: ignore[operator]
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)
        connection.execute("UPDATE model SET state = ?, arrays = ?", [json.dumps(values), packed.getvalue()])
        seal_again(connection, "model")


def heavier(values: dict[str, object], arrays: object) -> None:
    values["weights"] = [7.0 for _ in values["weights"]]  # type: ignore[attr-defined]


def renamed(values: dict[str, object], arrays: object) -> None:
    values["molecule"] = "CD"


def moved(values: dict[str, object], arrays: object) -> None:
    values["collider"] = "H2"


def endless(values: object, arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> None:
    arrays["temperature_k"][0] = np.nan


@pytest.mark.parametrize("edit", [heavier, renamed, moved, endless])
def test_an_implausible_model_fills_nothing(run: Run, curated: Path, edit: object) -> None:
    edited(curated, edit)
    for words in (FILL, EVALUATE):
        assert run("--db", curated, *words).code == 1
    assert run("--db", curated, "doctor", "--deep").code == 1


def without_predictions(db: Path, factor: float) -> None:
    """Multiply the known rates, so that the model learnt others, and take the predictions out."""
    with duckdb.connect(str(db)) as connection:
        connection.execute("DELETE FROM rate WHERE source_id = 3")
        connection.execute(
            "UPDATE rate SET rate_cm3_s = list_transform(rate_cm3_s, lambda k: k * ?)", [factor]
        )
        seal_again(connection, "rate")


def test_a_prediction_far_above_all_known_rates_stops_the_fill(run: Run, curated: Path) -> None:
    without_predictions(curated, 1e-6)
    answer = run("--db", curated, "--json", *FILL)
    assert answer.code == 1
    assert answer.json["error"]["what"] == "a prediction of AB+He cannot be a rate coefficient"
    with duckdb.connect(str(curated)) as connection:
        assert connection.execute("SELECT count(*) FROM rate WHERE source_id > 3").fetchone() == (0,)


def test_fill_says_that_the_rates_of_its_model_have_changed(run: Run, curated: Path) -> None:
    said = "the rates that model 1 was trained on have changed since"
    without_predictions(curated, 1.0)
    assert said not in run("--db", curated, *FILL, "--dry-run").err
    without_predictions(curated, 1.1)
    assert said in run("--db", curated, *FILL).err


def test_all_tables_that_people_see_have_hashes(curated: Path) -> None:
    derived = {"schema_migration", "seal", "level_merge", "set_score"}
    with duckdb.connect(str(curated)) as connection:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert tables == {*SEALED, *derived}
    assert set(DECIDING) <= set(SEALED)
