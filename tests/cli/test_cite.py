"""Whose work stands behind an exported file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import FAST, TRAIN, Run
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

KELVIN = (10.0, 20.0, 50.0, 100.0, 200.0, 300.0)


@pytest.fixture
def db(run: Run, tmp_path: Path) -> Path:
    path, file = tmp_path / "x.duckdb", tmp_path / "ab.dat"
    file.write_text(
        lamda_text([rough_rates(rotor_levels(14, molecule="AB"), "He", KELVIN, seed=1, scatter=0.002)])
    )
    assert run("--db", path, "import", file, "--j", "1:7,9,12", "--reference", "Doe 2026").code == 0
    return path


def test_the_sources_of_a_file_are_cited_and_the_method_where_it_predicts(
    db: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "o.dat"
    run("--db", db, "export", "AB+He", "-o", target)
    answer = run("--json", "cite", target)
    assert [one["reference"] for one in answer.json["citations"]] == ["Doe 2026"]
    assert answer.json["method"] is None
    assert run("--db", db, "train", "AB+He", *TRAIN, *FAST).code == 0
    assert run("--db", db, "fill", "AB+He").code == 0
    run("--db", db, "export", "AB+He", "-o", target)
    assert "J. Chem. Phys. 162" in run("--json", "cite", target).json["method"]
    shown = run("cite", target).out
    assert "Doe 2026" in shown
    assert "method of the predictions" in shown


def test_a_file_that_was_changed_or_has_no_provenance_is_not_cited(
    db: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "o.dat"
    assert "neither a file nor a system" in run("cite", target).err
    target.write_text("a file of others")
    assert "has no provenance" in run("cite", target).err
    target.unlink()
    run("--db", db, "export", "AB+He", "-o", target)
    target.write_text(target.read_text().replace("1.0", "2.0", 1))
    answer = run("cite", target)
    assert (answer.code, "changed after its export" in answer.err) == (1, True)
    (tmp_path / "o.dat.provenance.json").write_text("[]")
    assert "not a provenance of ratedb" in run("cite", target).err


def test_temperatures_that_no_source_has_are_named_in_the_provenance(
    db: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "o.dat"
    run("--db", db, "export", "AB+He", "-o", target, "--temperatures", "10,30,50")
    provenance = json.loads(Path(f"{target}.provenance.json").read_text())
    assert provenance["partners"][0]["interpolated_temperatures_k"] == [30.0]


def test_a_system_is_cited_as_its_file_is_and_both_give_bibtex(db: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "o.dat"
    run("--db", db, "export", "AB+He", "-o", target)
    of_file, of_system = (
        run("--db", db, "--json", "cite", one, "--bibtex").json for one in (target, "AB+He")
    )
    assert of_file["citations"] == of_system["citations"]
    assert of_file["references"] == ["Doe 2026"]
    [entry] = of_system["bibtex"]
    assert entry.splitlines()[:3] == ["@misc{Doe2026,", "  author = {Doe},", "  year = {2026},"]
    assert run("--db", db, "cite", "AB+He", "--bibtex").out.strip() == entry
    assert run("--db", db, "cite", "AB+Ne").code == 1
