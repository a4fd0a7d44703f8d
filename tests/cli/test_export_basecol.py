"""An export as BASECOL: rates by level number, the levels they refer to, and where both are from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from commands import Run
from ratedb_cli.app import main
from real import shared_folder
from synthetic import lamda_text, rotor_levels, rotor_rates, with_missing

from ratedb.files import read_bytes, sha256
from ratedb.io.registry import ReadOptions, read_rates
from ratedb.levels import Lines
from ratedb.rates import Rates
from ratedb.store.store import Store

BASECOL = ("--format", "basecol")


@pytest.fixture(scope="module")
def imported(rotor_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the whole rotor file, which exports only read."""
    db = tmp_path_factory.mktemp("basecol") / "imported.duckdb"
    assert main(["--quiet", "--db", str(db), "import", str(rotor_file)]) == 0
    return db


def table(db: Path, system: str) -> tuple[Rates, Lines]:
    with Store(db) as store:
        return store.rates(system), store.levels(system.split("+")[0]).lines


def by_labels(rates: Rates) -> dict[str, np.ndarray]:
    return {rates.transition_name(row): rates.rate_cm3_s[row] for row in range(len(rates))}


def einstein(rates: Rates, lines: Lines) -> dict[tuple[str, str], float]:
    label = rates.levels.label
    ends = zip(lines.upper, lines.lower, strict=True)
    return {(label[u], label[w]): a for (u, w), a in zip(ends, lines.einstein_a_s1, strict=True)}


def again(run: Run, folder: Path, kij: Path, system: str) -> Path:
    """Import an export into a new store, by the levels beside it."""
    molecule, collider = system.split("+", 1)
    db = folder / "again.duckdb"
    words = ("--molecule", molecule, "--collider", collider, "--levels", kij.with_suffix(".molecule"))
    answer = run("--db", db, "import", kij, *words)
    assert answer.code == 0, answer.err
    return db


def same(first: tuple[Rates, Lines], second: tuple[Rates, Lines]) -> None:
    """Assert that levels, lines and rates are the same, to the digits that are printed."""
    (old, old_lines), (new, new_lines) = first, second
    assert new.levels.label == old.levels.label
    assert [x.tolist() for x in new.levels.need_vj()] == [x.tolist() for x in old.levels.need_vj()]
    assert new.levels.weight.tolist() == old.levels.weight.tolist()
    assert new.levels.molecular_weight == old.levels.molecular_weight
    np.testing.assert_allclose(new.levels.energy_cm1, old.levels.energy_cm1, rtol=0, atol=6e-10)
    expected, found = einstein(old, old_lines), einstein(new, new_lines)
    assert found == pytest.approx(expected, rel=1e-8)
    assert new.temperature_k.tolist() == old.temperature_k.tolist()
    expected_rates, found_rates = by_labels(old), by_labels(new)
    assert found_rates.keys() == expected_rates.keys()
    found_values = np.array([found_rates[name] for name in expected_rates])
    np.testing.assert_allclose(found_values, list(expected_rates.values()), rtol=5.1e-7, atol=0)


def names(folder: Path, start: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith((start, f".{start}")))


def test_an_export_imported_again_is_the_same_and_gives_the_same_bytes(
    run: Run, imported: Path, tmp_path: Path
) -> None:
    target = tmp_path / "ab.kij"
    answer = run("--db", imported, "--json", "export", "AB+He", "-o", target, *BASECOL)
    assert (answer.code, answer.json["warnings"]) == (0, [])
    assert (answer.json["levels"], answer.json["transitions"], answer.json["rates"]) == (15, 105, 420)
    beside = [tmp_path / "ab.molecule", tmp_path / "ab.kij.provenance.json"]
    assert answer.json["files"] == [str(path) for path in (target, *beside)]
    assert names(tmp_path, "ab.") == ["ab.kij", "ab.kij.provenance.json", "ab.molecule"]
    db = again(run, tmp_path, target, "AB+He")
    same(table(imported, "AB+He"), table(db, "AB+He"))
    other = tmp_path / "other.kij"
    assert run("--db", db, "--quiet", "export", "AB+He", "-o", other, *BASECOL).code == 0
    assert other.read_bytes() == target.read_bytes()
    assert other.with_suffix(".molecule").read_bytes() == beside[0].read_bytes()


@pytest.mark.parametrize(
    ("folder", "rates", "lists", "system", "counts", "rules"),
    [
        (
            "co-h2-rot-flower2001",
            "CO_34.kij",
            ["CO_rotation.molecule"],
            "CO+p-H2",
            (36, 435, 17835),
            ["missing pairs"],
        ),
        (
            "sio-h2-rovib-bieniek-green",
            "SiO_H2_vib.kij",
            ["SiO_vib.lev", "SiO_vib.aij"],
            "SiO+H2",
            (100, 4950, 84150),
            ["molecular mass"],
        ),
    ],
)
def test_a_real_table_is_the_same_after_import_and_export(
    run: Run,
    tmp_path: Path,
    folder: str,
    rates: str,
    lists: Sequence[str],
    system: str,
    counts: tuple[int, int, int],
    rules: list[str],
) -> None:
    source, db, target = shared_folder(folder), tmp_path / "x.duckdb", tmp_path / "o.kij"
    molecule, collider = system.split("+", 1)
    words: list[object] = ["--molecule", molecule, "--collider", collider, "--quality", "off"]
    for name in lists:
        words += ["--levels", source / name]
    assert run("--db", db, "import", source / rates, *words).code == 0
    answer = run("--db", db, "--json", "export", system, "-o", target, *BASECOL)
    assert [warning["rule"] for warning in answer.json["warnings"]] == rules
    assert tuple(answer.json[key] for key in ("levels", "transitions", "rates")) == counts
    options = ReadOptions(molecule, collider, (target.with_suffix(".molecule"),))
    file = read_rates(target, options)
    same(table(db, system), (file.partners[0].rates, file.lines))
    as_printed = {tuple(row.split()[:2]): row.split()[2:] for row in rows(source / rates)}
    written = {tuple(row.split()[:2]): row.split()[2:] for row in rows(target)}
    assert written.keys() == as_printed.keys()
    assert all(
        [float(value) for value in written[pair]] == [float(value) for value in values]
        for pair, values in as_printed.items()
    )


def rows(kij: Path) -> list[str]:
    """Return the rows of rates: behind the temperatures, the first row of numbers."""
    numbers = [
        row for row in kij.read_text().partition("columns")[2].split("\n") if row.strip()[:1].isdigit()
    ]
    return numbers[1:]


def test_the_provenance_names_all_files_by_the_schema_and_cite_reads_it(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    target = tmp_path / "ab.kij"
    assert run("--db", filled, "export", "AB+He", "-o", target, *BASECOL).code == 0
    provenance = json.loads((tmp_path / "ab.kij.provenance.json").read_text())
    schema = json.loads((resources.files("ratedb_schemas") / "provenance.schema.json").read_text())
    jsonschema.validate(provenance, schema)
    levels = tmp_path / "ab.molecule"
    assert provenance["sha256"] == sha256(target.read_bytes())
    assert provenance["files"] == [{"file": "ab.molecule", "sha256": sha256(levels.read_bytes())}]
    assert provenance["partners"][0]["kinds"]["predicted"] == 244
    assert target.read_text().split("\n")[1].startswith("References :   predicted in part by ratedb; ")
    assert "J. Chem. Phys. 162" in run("--json", "cite", target).json["method"]
    levels.write_text(levels.read_text().replace("28", "29", 1))
    answer = run("cite", target)
    assert (answer.code, "ab.molecule" in answer.err, "changed after" in answer.err) == (1, True, True)


def test_kinds_j_temperatures_and_tolerance_choose_as_for_lamda(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    words = ("--computed-only", "--j-max", "9", "--temperatures", "15:45:10")
    target = tmp_path / "ab.kij"
    found = run("--db", filled, "--json", "export", "AB+He", "-o", target, *words, *BASECOL).json
    lamda = run("--db", filled, "--json", "export", "AB+He", "-o", tmp_path / "ab.dat", *words).json
    for key in ("levels", "transitions", "rates", "predicted_fraction", "interpolation_cost"):
        assert found[key] == lamda[key], key
    assert found["interpolation_cost"]["AB+He"]["largest"] > 0
    bare = tmp_path / "bare.kij"  # without the provenance, by which interpolated rates would be left out
    for file in (target, target.with_suffix(".molecule")):
        shutil.copy(file, bare.with_suffix(file.suffix))
    new, _ = table(again(run, tmp_path, bare, "AB+He"), "AB+He")
    assert new.temperature_k.tolist() == [15.0, 25.0, 35.0, 45.0]
    assert set(new.initial_j().tolist()) == {1, 2, 3, 4, 6, 7, 9}
    provenance = json.loads((tmp_path / "ab.kij.provenance.json").read_text())
    assert provenance["partners"][0]["interpolated_temperatures_k"] == [15.0, 25.0, 35.0, 45.0]
    auto = ("--temperatures", "auto", "--tolerance", "0.03")
    cost = run("--db", filled, "--json", "export", "AB+He", "-o", target, *auto, *BASECOL).json
    assert cost["interpolation_cost"]["AB+He"]["largest"] <= 0.03


def test_rows_with_gaps_are_left_out_with_a_warning_and_refused_where_strict_or_nothing_is_left(
    run: Run, tmp_path: Path
) -> None:
    """AB+He lacks one value; each of the twenty rows of AB+H lacks another of its twenty temperatures."""
    levels = rotor_levels(6, molecule="AB")
    one = rotor_rates(levels, "He")
    all_of_them = rotor_rates(levels, "H", tuple(10.0 * k for k in range(1, 21))).select(np.arange(20))
    gap = np.arange(one.rate_cm3_s.size).reshape(one.rate_cm3_s.shape) == 13
    lines = ["molecule,collider,j,j_final,temperature_k,rate_cm3_s"]
    for rates in (with_missing(one, gap), with_missing(all_of_them, np.eye(20, dtype=np.bool_))):
        ends = zip(rates.upper, rates.lower, strict=True)
        for (upper, lower), row in zip(ends, rates.rate_cm3_s, strict=True):
            lines += [
                f"AB,{rates.collider},{upper},{lower},{kelvin},{value}"
                for kelvin, value in zip(rates.temperature_k, row, strict=True)
                if np.isfinite(value)
            ]
    (tmp_path / "ab.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "ab.dat").write_text(lamda_text([one]))
    db, target = tmp_path / "x.duckdb", tmp_path / "o.kij"
    assert run("--db", db, "import", tmp_path / "ab.csv", "--levels", tmp_path / "ab.dat").code == 0
    answer = run("--db", db, "--json", "export", "AB+He", "-o", target, *BASECOL)
    assert (answer.code, answer.json["transitions"]) == (0, len(one) - 1)
    rules = [warning["rule"] for warning in answer.json["warnings"]]
    # The levels of a CSV file come without lines.
    assert rules[:2] == ["as many values as temperatures", "missing pairs"]
    before = read_bytes(target)
    answer = run("--db", db, "export", "AB+He", "-o", target, "--strict", *BASECOL)
    assert (answer.code, "not keep every rule of its readers" in answer.err) == (1, True)
    for words in (BASECOL, ()):
        answer = run("--db", db, "export", "AB+H", "-o", target, *words)
        assert (answer.code, "file can be made" in answer.err) == (1, True), answer.err
    assert read_bytes(target) == before


def test_what_cannot_be_exported_is_one_message_and_all_files_stay(
    run: Run, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for old in ("o.kij", "o.lev", "o.MOLECULE", "mine.molecule", "mine.kij", "mine.kij.provenance.json"):
        (tmp_path / old).write_text("{}")
    for name in ("base.molecule", "base2.kij"):
        (tmp_path / name).write_bytes(read_bytes(imported))
    (tmp_path / "folder.molecule").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    both = ("AB+He", "AB+p-H2")
    for name, words, says, code in (
        ("o.kij", both, "export each system to a separate file", 2),
        ("o.lev", ("AB+He",), "name of a list of levels", 2),
        ("o.MOLECULE", ("AB+He", "--dry-run"), "name of a list of levels", 2),
        (".", ("AB+He",), "directory", 1),
        ("no/o.kij", ("AB+He",), "cannot write", 1),
        ("folder.kij", ("AB+He",), "directory", 1),
        ("mine.kij", ("AB+He",), "another file exists where the levels", 1),
        ("base.kij", ("AB+He",), "overwrite a database", 1),
        ("base2.kij", ("AB+He",), "overwrite a database", 1),
    ):
        answer = run("--db", imported, "export", *words, "-o", name, *BASECOL)
        assert (answer.code, says in answer.err, answer.out) == (code, True, ""), (name, answer.err)
        assert "Traceback" not in answer.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_an_export_may_take_the_place_of_an_earlier_one_but_not_of_a_list_changed_since(
    run: Run, imported: Path, tmp_path: Path
) -> None:
    target, levels = tmp_path / "o.kij", tmp_path / "o.molecule"
    words = ("--db", imported, "export", "AB+He", "-o", target, *BASECOL)
    assert run(*words).code == 0
    whole = levels.read_bytes()
    assert run(*words, "--j-max", "5").code == 0
    assert levels.read_bytes() != whole
    Path(f"{target}.provenance.json").unlink()
    levels.write_bytes(whole)
    assert run(*words, "--j-max", "5").code == 1
    assert levels.read_bytes() == whole


def test_two_exports_never_share_a_list_of_levels(run: Run, imported: Path, tmp_path: Path) -> None:
    words = ("--db", imported, "export", "AB+He", *BASECOL, "-o")
    assert run(*words, tmp_path / "o.he").code == 0
    second = run(*words, tmp_path / "o.other")
    assert (second.code, "another file exists" in second.err) == (1, True)
    assert names(tmp_path, "o.") == ["o.he", "o.he.provenance.json", "o.molecule"]


def test_a_dry_run_writes_nothing_and_names_all_files(run: Run, imported: Path, tmp_path: Path) -> None:
    answer = run(
        "--db", imported, "--json", "export", "AB+He", "-o", tmp_path / "o.kij", *BASECOL, "--dry-run"
    )
    assert (answer.code, len(answer.json["files"])) == (0, 3)
    assert names(tmp_path, "o.") == []
