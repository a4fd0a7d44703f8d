"""Sources that a curator withdraws, restores and corrects, on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import Run
from ratedb_cli.app import main
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

from ratedb.rates import Rates
from ratedb.store.store import Store

LEVELS = rotor_levels(6, molecule="AB")
KELVIN = (10.0, 20.0, 50.0, 100.0, 200.0, 300.0)
BECAUSE = ("--because", "the erratum")


def table(seed: int = 1) -> Rates:
    return rough_rates(LEVELS, "He", KELVIN, seed=seed, scatter=0.002)


@pytest.fixture(scope="module")
def _db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("curation") / "x.duckdb"
    for number, words in enumerate(("Dayou & Balanca (2006)", "Yang et al. (2010), ApJ 718, 1062"), start=1):
        file = path.with_name(f"{number}.dat")
        file.write_text(lamda_text([table(number)]))
        call = ("import", str(file), "--reference", words, "--method", "close coupling", "--quality", "off")
        assert main(["--quiet", "--db", str(path), *call]) == 0
    return path


@pytest.fixture
def db(_db: Path, tmp_path: Path) -> Path:
    """A store of one's own with two sources of AB+He: 1 of 2006, and 2 of 2010, which is newer."""
    return Path(shutil.copy(_db, tmp_path / "x.duckdb"))


def used(db: Path, system: str = "AB+He") -> set[int]:
    with Store(db) as store:
        return {int(number) for number in store.rates(system).source_id.ravel()} - {-1}


def test_a_withdrawn_source_counts_nowhere_until_it_is_restored(db: Path, run: Run, tmp_path: Path) -> None:
    assert used(db) == {2}
    answer = run("--db", db, "--json", "sources", "AB+He", "--withdraw", "2", *BECAUSE, "--dry-run")
    assert [row["withdrawn"] for row in answer.json["sources"]] == [False, True]
    assert (answer.json["dry_run"], used(db)) == (True, {2})
    assert run("--db", db, "sources", "AB+He", "--withdraw", "2", *BECAUSE).code == 0
    assert used(db) == {1}
    assert run("--db", db, "--json", "systems").json["systems"][0]["sources"] == 1
    assert run("--db", db, "check", "AB+He").code == 0
    assert run("--db", db, "sources", "AB+He", "--withdraw", "2", *BECAUSE).code == 1
    assert run("--db", db, "sources", "AB+He", "--withdraw", "1", *BECAUSE).code == 0
    assert run("--db", db, "--json", "systems").json["systems"][0]["transitions"] == 0
    assert run("--db", db, "show", "AB+He").code == 0
    assert run("--db", db, "export", "AB+He", "-o", tmp_path / "o.dat").code == 1
    for number in (1, 2):
        assert run("--db", db, "sources", "AB+He", "--restore", number, *BECAUSE).code == 0
    assert used(db) == {2}


def test_values_of_a_withdrawn_source_are_kept(db: Path, run: Run) -> None:
    count = "SELECT count(*) AS n FROM rate WHERE source_id = 2"
    before = run("--db", db, "--json", "sql", count).json["rows"]
    run("--db", db, "sources", "AB+He", "--withdraw", "2", *BECAUSE)
    assert run("--db", db, "--json", "sql", count).json["rows"] == before


def test_a_corrected_method_changes_the_precedence_and_the_old_one_is_kept(db: Path, run: Run) -> None:
    assert run("--db", db, "sources", "AB+He", "--correct", "2", "method=IOS", *BECAUSE).code == 0
    assert used(db) == {1}
    [event] = run("--db", db, "--json", "sources", "AB+He", "--history").json["history"]
    told = [event[name] for name in ("source_id", "field", "old_value", "new_value", "reason")]
    assert told == [2, "method", "close coupling", "IOS", "the erratum"]


def test_a_grade_decides_between_sources_of_one_method(db: Path, run: Run) -> None:
    assert run("--db", db, "sources", "AB+He", "--correct", "1", "grade=A", *BECAUSE).code == 0
    assert used(db) == {1}
    assert run("--db", db, "sources", "AB+He", "--correct", "1", "grade=", *BECAUSE).code == 0
    assert used(db) == {2}


def test_a_corrected_collider_moves_the_values_to_its_system(db: Path, run: Run) -> None:
    assert run("--db", db, "sources", "AB+He", "--correct", "2", "collider=p-H2", *BECAUSE).code == 0
    assert (used(db), used(db, "AB+p-H2")) == ({1}, {2})
    for system in ("AB+He", "AB+p-H2"):
        assert len(run("--db", db, "--json", "sources", system, "--history").json["history"]) == 1
    assert run("--db", db, "sources", "AB+p-H2", "--correct", "2", "collider=He", *BECAUSE).code == 0
    assert used(db) == {2}


def test_a_corrected_reference_brings_its_own_parts(db: Path, run: Run) -> None:
    run("--db", db, "sources", "AB+He", "--correct", "2", "doi=10.1000/xyz", *BECAUSE)
    correction = "reference=Flower, D. R. 2001, J. Phys. B 34, 2731"
    assert run("--db", db, "sources", "AB+He", "--correct", "2", correction, *BECAUSE).code == 0
    query = "SELECT authors, year, journal, doi FROM sources WHERE source_id = 2"
    [row] = run("--db", db, "--json", "sql", query).json["rows"]
    assert row == {"authors": "Flower, D. R.", "year": 2001, "journal": "J. Phys. B 34, 2731", "doi": None}
    history = run("--db", db, "--json", "sources", "AB+He", "--history").json["history"]
    assert {"Yang; et al.", "10.1000/xyz"} <= {event["old_value"] for event in history}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--withdraw", "2"), 2),
        (("--withdraw", "2", "--because", " "), 2),
        (("--withdraw", "2", "--restore", "1", *BECAUSE), 2),
        (("--withdraw", "9", *BECAUSE), 1),
        (("--restore", "2", *BECAUSE), 1),
        (("--correct", "2", "method", *BECAUSE), 2),
        (("--correct", "2", "file=x", *BECAUSE), 2),
        (("--correct", "2", "year=86", *BECAUSE), 2),
        (("--correct", "2", "doi=x", *BECAUSE), 2),
        (("--correct", "2", "grade=F", *BECAUSE), 2),
        (("--correct", "2", "kind=predicted", *BECAUSE), 2),
        (("--correct", "2", "collider=?", *BECAUSE), 2),
        (("--correct", "2", "method=close coupling", *BECAUSE), 1),
        (("--history", *BECAUSE), 2),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    db: Path, run: Run, options: tuple[str, ...], code: int
) -> None:
    answer = run("--db", db, "sources", "AB+He", *options)
    assert answer.code == code
    assert "Traceback" not in answer.err
    assert run("--db", db, "--json", "sources", "--history").json["history"] == []


def test_the_doi_and_the_entry_of_an_import_are_in_the_view_of_sources(
    db: Path, run: Run, tmp_path: Path
) -> None:
    entry = tmp_path / "e.bib"
    entry.write_text(
        "@string{x = {y}}\n@article{Lique2006,\n author = {Lique, F. and Dubernet, M.-L.},\n"
        ' title = "Rates of {SO}", year = 2006, journal = \\apj, volume = {1}, pages = {2--9},\n'
        " doi = {10.1000/abc_1}\n}\n"
    )
    other, more = tmp_path / "3.dat", tmp_path / "4.dat"
    other.write_text(lamda_text([table(3)]))
    more.write_text(lamda_text([table(4)]))
    assert run("--db", db, "import", other, "--bibtex", entry).code == 0
    assert run("--db", db, "import", more, "--doi", "10.1000/def", "--reference", "Doe 2021").code == 0
    query = "SELECT authors, year, title, journal, doi FROM sources WHERE source_id > 2 ORDER BY source_id"
    first, second = run("--db", db, "--json", "sql", query).json["rows"]
    assert first == {
        "authors": "Lique, F.; Dubernet, M.-L.",
        "year": 2006,
        "title": "Rates of SO",
        "journal": "ApJ 1, 2",
        "doi": "10.1000/abc_1",
    }
    assert (second["authors"], second["doi"]) == ("Doe", "10.1000/def")
    again = run("--db", db, "import", more, "--doi", "10.1000/def", "--reference", "Doe 2021")
    assert "--correct ID doi=10.1000/def" in again.err
    entry.write_text(entry.read_text() * 2)
    assert "2 entries" in run("--db", db, "import", other, "--bibtex", entry).err
    assert run("--db", db, "import", other, "--doi", "abc").code == 2


def test_a_dry_run_of_an_order_changes_nothing(db: Path, run: Run) -> None:
    answer = run("--db", db, "--json", "sources", "AB+He", "--prefer", "1", "--dry-run")
    assert [row["source_id"] for row in answer.json["sources"]] == [1, 2]
    assert used(db) == {2}
    assert run("--db", db, "sources", "AB+He", "--dry-run").code == 2


def test_the_parts_of_a_reference_are_in_the_provenance_and_are_cited(
    db: Path, run: Run, tmp_path: Path
) -> None:
    run("--db", db, "sources", "AB+He", "--correct", "2", "doi=10.1000/a_b", *BECAUSE)
    target = tmp_path / "o.dat"
    assert run("--db", db, "export", "AB+He", "-o", target).code == 0
    [source] = json.loads((tmp_path / "o.dat.provenance.json").read_text())["partners"][0]["sources"]
    parts = ("Yang; et al.", 2010, "ApJ 718, 1062", "10.1000/a_b")
    assert tuple(source[name] for name in ("authors", "year", "journal", "doi")) == parts
    [entry] = run("--json", "cite", target, "--bibtex").json["bibtex"]
    assert entry.startswith("@article{Yang2010,")
    assert "doi = {10.1000/a_b}" in entry


def test_show_names_the_method_that_gives_the_values(db: Path, run: Run) -> None:
    answer = run("--db", db, "--json", "show", "AB+He")
    assert [(row["source_id"], row["transitions"]) for row in answer.json["sources"]] == [(2, 21), (1, 0)]
    assert answer.json["warnings"] == []
    assert (
        "21 transitions from source 2: computed, method close coupling"
        in run("--db", db, "show", "AB+He").out
    )


def test_show_warns_where_an_approximate_method_is_only_newer(db: Path, run: Run) -> None:
    for number in (1, 2):
        run("--db", db, "sources", "AB+He", "--correct", number, "method=IOS", *BECAUSE)
    assert "only because it is newer" in run("--db", db, "show", "AB+He").err
    run("--db", db, "sources", "AB+He", "--prefer", "2,1")
    assert "only because it is newer" not in run("--db", db, "show", "AB+He").err


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_an_exported_table_comes_back_with_its_sources_apart(
    db: Path, run: Run, tmp_path: Path, file_format: str
) -> None:
    part = tmp_path / "3.dat"
    part.write_text(lamda_text([table(3)]))
    call = ("import", part, "--j", "1:3", "--reference", "Doe 2021", "--method", "coupled states")
    assert run("--db", db, *call, "--quality", "off").code == 0
    run("--db", db, "sources", "AB+He", "--prefer", "3,2,1")
    file, other = tmp_path / f"o.{file_format}", tmp_path / "y.duckdb"
    assert run("--db", db, "export", "AB+He", "-o", file, "--format", file_format).code == 0
    assert run("--db", other, "import", file, "--quality", "off").code == 0
    counted = "SELECT method, reference, count(*) AS n FROM rates JOIN sources USING (source_id)"
    query = f"{counted} GROUP BY ALL ORDER BY ALL"
    rows = [run("--db", one, "--json", "sql", query).json["rows"] for one in (db, other)]
    assert rows[0] == rows[1]
    assert len(rows[1]) == 2
