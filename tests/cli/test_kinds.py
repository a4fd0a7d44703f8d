"""The kind of a molecule on the command line: shown, overridden, and kept by every table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import Run
from real import shared_folder
from synthetic import lamda_text

import ratedb
from ratedb.kinds.recognise import recognised
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates

LABELS = ("0_0_0", "1_1_1", "2_0_2", "2_1_1", "2_2_0")
ENERGIES = (0.0, 37.1, 70.1, 95.2, 136.2)


def table(weights: tuple[float, ...] = (1, 3, 5, 5, 5), labels: tuple[str, ...] = LABELS) -> Rates:
    levels = recognised(Levels("p-H2O", labels, ENERGIES, weights))
    upper, lower = np.tril_indices(len(levels), -1)
    values = 1e-11 * (1 + np.arange(len(upper)))[:, None] * np.array([1.0, 1.1])
    return Rates(levels, "He", upper, lower, np.array([10.0, 20.0]), values)


def written(folder: Path, rates: Rates) -> Path:
    path = folder / "h2o.csv"
    rates.to_pandas().to_csv(path, index=False)
    return path


def test_show_says_which_kind_and_why(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "s.duckdb"
    assert run("--db", db, "import", written(tmp_path, table())).code == 0
    said = run("--db", db, "show", "p-H2O+He").out
    assert "Kind of molecule: asymmetric top: labels j_ka_kc" in said
    found = run("--db", db, "--json", "show", "p-H2O+He").json
    assert found["molecule_kind"] == "asymmetric top"
    assert "weights are 1 (2j+1)" in found["why_kind"]


def test_show_gives_constants_and_spin_species(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "s.duckdb"
    assert run("--db", db, "import", written(tmp_path, table())).code == 0
    said = " ".join(run("--db", db, "show", "p-H2O+He").out.split())
    assert "Rotational constants of p-H2O: A = 27." in said
    assert "(fitted to 5 levels, rms " in said
    assert "Nuclear spins of p-H2O: one nuclear spin species: ka + kc even in 5 levels" in said
    (found,) = run("--db", db, "--json", "show", "p-H2O+He").json["molecules"]
    assert set(found["constants_cm1"]) == {"A", "B", "C"}
    assert found["residual_cm1"] < 1.0


def test_an_energy_that_contradicts_the_constants_is_told_at_import(run: Run, tmp_path: Path) -> None:
    path = shared_folder("h2co-h2-rot-wiesenfeld2013") / "oh2co-h2.dat"
    wrong = tmp_path / "wrong.dat"
    lines = path.read_text().splitlines(keepends=True)
    at = next(place for place, line in enumerate(lines) if line.split()[-1:] == ["3_1_2"])
    lines[at] = lines[at].replace(lines[at].split()[1], "33.0", 1)
    wrong.write_text("".join(lines))
    told = " ".join(run("--db", tmp_path / "s.duckdb", "import", wrong, "--quality", "off").err.split())
    assert "contradict its kind, asymmetric top: no rotational constants give level 3_1_2" in told
    assert "given 33 cm-1" in told


def test_a_kind_that_is_named_is_taken_and_one_that_does_not_fit_is_refused(run: Run, tmp_path: Path) -> None:
    path, db = written(tmp_path, table((1, 2, 3, 4, 5))), tmp_path / "s.duckdb"
    told = run("--db", db, "import", path)
    assert "the kind of molecule of p-H2O is not recognised" in " ".join(told.err.split())
    assert run("--db", db, "--json", "show", "p-H2O+He").json["molecule_kind"] == "unknown"
    assert run("--db", db, "import", path, "--kind-of-molecule", "asymmetric-top").code == 0
    assert run("--db", db, "--json", "show", "p-H2O+He").json["molecule_kind"] == "asymmetric top"
    refused = run("--db", tmp_path / "t.duckdb", "import", path, "--kind-of-molecule", "symmetric-top")
    assert refused.code == 1
    assert "do not fit the kind symmetric top" in refused.err
    assert not (tmp_path / "t.duckdb").exists()
    assert run("--db", db, "import", path, "--kind-of-molecule", "cubic").code == 2


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_exports_of_a_top_keep_kind_and_numbers(run: Run, tmp_path: Path, file_format: str) -> None:
    first, again, out = tmp_path / "a.duckdb", tmp_path / "b.duckdb", tmp_path / f"out.{file_format}"
    run("--db", first, "import", written(tmp_path, table()))
    assert run("--db", first, "export", "p-H2O+He", "-o", out, "--format", file_format).code == 0
    assert run("--db", first, "--json", "import", out).json["systems"][0]["new"] == 0
    Path(f"{out}.provenance.json").unlink()
    assert run("--db", again, "import", out).code == 0
    before, after = (ratedb.open(db).rates("p-H2O+He") for db in (first, again))
    assert after.levels.kind == "asymmetric top"
    assert after.levels.label == before.levels.label
    for name, values in before.levels.quantum_numbers.items():
        np.testing.assert_array_equal(after.levels.quantum_numbers[name], values)
    np.testing.assert_array_equal(after.rate_cm3_s, before.rate_cm3_s)


def test_data_frames_have_a_column_for_each_number_of_both_levels() -> None:
    frame = table().to_pandas()
    columns = list(frame.columns)
    assert columns[2:10] == ["v", "j", "v_final", "j_final", "ka", "kc", "ka_final", "kc_final"]
    assert frame.loc[0, ["j", "ka", "kc", "j_final", "ka_final", "kc_final"]].tolist() == [1, 1, 1, 0, 0, 0]
    assert list(table().to_arrow().column_names) == columns
    assert table().to_xarray()["kc_final"].values.tolist()[:2] == [0, 0]


def test_a_table_without_labels_names_its_levels_by_all_numbers() -> None:
    frame = table().to_pandas().drop(columns=["upper_label", "lower_label"])
    levels = _read(frame)
    assert (levels.label, levels.kind) == (LABELS, "asymmetric top")


def _read(frame: object) -> Levels:
    from ratedb.io.columns import rates_of_frame

    return rates_of_frame(frame).levels


@pytest.mark.parametrize("system", ["p-H2O+He", "AB+He"])
def test_what_a_query_of_the_view_gives_is_a_table_to_read(
    run: Run, tmp_path: Path, rotor_file: Path, system: str
) -> None:
    db, out = tmp_path / "s.duckdb", tmp_path / "all.csv"
    run("--db", db, "import", written(tmp_path, table()))
    run("--db", db, "import", rotor_file)
    run("--db", db, "sql", f"SELECT * FROM rates WHERE system = '{system}'", "-o", out)
    levels = tmp_path / "levels.csv"
    run("--db", db, "sql", f"SELECT * FROM levels WHERE molecule = '{system[:-3]}'", "-o", levels)
    again = tmp_path / "t.duckdb"
    assert run("--db", again, "import", out, "--levels", levels).code == 0
    before, after = (ratedb.open(one).rates(system).levels for one in (db, again))
    assert (before.label, before.kind) == (after.label, after.kind)
    assert {*before.quantum_numbers} == {*after.quantum_numbers}


def test_half_integers_go_through_a_table() -> None:
    levels = Levels("C+", ("0.5", "1.5"), (0.0, 63.4), (2, 4), {"j": np.array([0.5, 1.5])})
    rates = Rates(levels, "He", np.array([1]), np.array([0]), np.array([10.0]), np.array([[1e-10]]))
    found = _read(rates.to_pandas())
    assert found.quantum_numbers["j"].tolist() == [0.5, 1.5]


def test_tables_of_linear_molecules_have_the_columns_they_had() -> None:
    levels = recognised(Levels("CO", ("0", "1"), (0.0, 3.8), (1, 3)))
    rates = Rates(levels, "He", np.array([1]), np.array([0]), np.array([10.0]), np.array([[1e-10]]))
    assert list(rates.to_pandas().columns)[2:8] == [
        "v", "j", "v_final", "j_final", "upper_label", "lower_label",
    ]  # fmt: skip


def test_a_published_top_goes_through_store_and_table(run: Run, tmp_path: Path) -> None:
    path, db = shared_folder("h2co-h2-rot-wiesenfeld2013") / "oh2co-h2.dat", tmp_path / "s.duckdb"
    assert run("--db", db, "import", path, "--quality", "off").code == 0
    (row,) = run(
        "--db", db, "--json", "sql",
        "SELECT ka, kc, ka_final, kc_final FROM rates WHERE upper_label = '2_1_1' AND lower_label = '1_1_1'"
        " AND system = 'o-H2CO+p-H2' AND temperature_k = 10",
    ).json["rows"]  # fmt: skip
    assert row == {"ka": 1, "kc": 1, "ka_final": 1, "kc_final": 1}


def test_lamda_labels_are_recognised_without_a_header(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "h2o.dat"
    path.write_text(
        lamda_text([table()], lines=Lines.empty())
        .replace("+ v_J\n", "+ QNUM\n", 1)
        .replace("None", "18.0", 1)
    )
    assert run("--db", tmp_path / "s.duckdb", "import", path).code == 0
    assert ratedb.open(tmp_path / "s.duckdb").rates("p-H2O+He").levels.kind == "asymmetric top"
