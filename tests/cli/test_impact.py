"""What predicted rates do to lines, by real RADEX."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from commands import Run
from seal_again import seal_again

from ratedb.plots import figures
from ratedb.plots.figures import plots_available
from ratedb.radiative import sampled_lines
from ratedb.radiative.radex import radex_available

needs_radex = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")
FEW = ("--samples", 24, "--temperatures", "20,80", "--densities", "1e3,1e5")


@needs_radex
def test_every_line_has_an_interval_around_what_is_exported(run: Run, filled: Path, tmp_path: Path) -> None:
    answer = run("--db", filled, "--json", "impact", "AB+He", *FEW, "-o", tmp_path / "i.json")
    assert answer.code == 0, answer.err
    data = answer.json
    assert (data["samples"], len(data["conditions"]), data["failed_samples"]) == (24, 4, 0)
    for line in data["lines"]:
        for name in ("flux", "tex"):
            unit = "" if name == "flux" else "_k"
            low95, high95 = line[f"{name}_95{unit}"]
            low68, high68 = line[f"{name}_68{unit}"]
            assert low95 <= low68 <= line[f"{name}_median{unit}"] <= high68 <= high95
    assert any(line["uncertainty"] > 1e-4 for line in data["lines"])
    shares = [one["share"] for one in data["next_j"]]
    assert shares == sorted(shares, reverse=True)
    assert all(0.0 <= share <= 1.0 for share in shares)
    predicted = {row["j"] for row in run("--db", filled, "--json", "sql", PREDICTED).json["rows"]}
    assert {one["j"] for one in data["next_j"]} == predicted
    assert json.loads((tmp_path / "i.json").read_text())["lines"] == data["lines"]
    again = run("--db", filled, "--json", "impact", "AB+He", *FEW)
    assert again.json == data


@needs_radex
def test_plan_aims_at_the_lines_that_impact_was_asked_for(run: Run, filled: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.json"
    asked = run("--db", filled, "--json", "impact", "AB+He", *FEW, "--lines", "9-8, 10-9", "-o", lines)
    assert {(line["upper"], line["lower"]) for line in asked.json["lines"]} == {("9", "8"), ("10", "9")}
    of_j = {one["j"]: one["uncertainty_after"] for one in asked.json["next_j"]}
    assert all(0.0 <= after <= asked.json["uncertainty_p95"] for after in of_j.values())
    # A line's own two levels, or a neighbour's, make it uncertain, not those far below.
    assert min(of_j, key=lambda j: of_j[j]) in {8, 10, 11}
    follow = ("next", "AB+He", "--j", "3:14", "--given-j", "", "--for-lines", lines)
    jobs = tmp_path / "jobs.csv"
    answer = run("--db", filled, "--json", *follow, "--worklist", jobs)
    assert answer.code == 0, answer.err
    assert answer.json["target"] == "lines"
    assert answer.json["expected_error"] == pytest.approx(100 * asked.json["uncertainty_p95"])
    errors = {one["j"]: one["expected_error"] for one in answer.json["candidates"]}
    assert errors == {j: pytest.approx(100 * after) for j, after in of_j.items()}
    assert f",{answer.json['next_j']}," in jobs.read_text()
    assert "% of the flux" in run("--db", filled, *follow).out
    assert run("--db", filled, "plan", "AB+He", "--j", "3:14", "--for-lines", lines).code == 2
    assert "--like" in run("--db", filled, *follow, "--like", "AB+p-H2").err


@pytest.mark.slow
@needs_radex
def test_a_band_leaves_the_lines_inside(run: Run, filled: Path) -> None:
    every = run("--db", filled, "--json", "impact", "AB+He", *FEW).json["lines"]
    middle = sorted(line["frequency_ghz"] for line in every)[len(every) // 2]
    some = run("--db", filled, "--json", "impact", "AB+He", *FEW, "--ghz", f"0:{middle}").json["lines"]
    assert [line for line in every if line["frequency_ghz"] <= middle] == some
    none = run("--db", filled, "impact", "AB+He", *FEW, "--ghz", "0.001:0.002")
    assert (none.code, "no line in this band" in none.err) == (1, True)
    upper = f"{middle:.3f}:1e6"
    apart = run("--db", filled, "impact", "AB+He", *FEW, "--lines", "1-0", "--ghz", upper)
    assert (apart.code, "none of the chosen lines is in this band" in apart.err) == (1, True)
    for choice in (("--lines", "AB(2-1)"), ("--ghz", f"{every[1]['frequency_ghz'] * 1.0005}")):
        one = run("--db", filled, "--json", "impact", "AB+He", *FEW, *choice).json["lines"]
        assert {(line["upper"], line["lower"]) for line in one} == {("2", "1")}
    absent = run("--db", filled, "impact", "AB+He", *FEW, "--lines", "99-98")
    assert (absent.code, "there is no such line" in absent.err) == (1, True)


PREDICTED = "SELECT DISTINCT j FROM rates WHERE system = 'AB+He' AND kind = 'predicted'"


@pytest.mark.slow
@needs_radex
def test_the_table_names_lines_drivers_and_the_next_j(run: Run, filled: Path, tmp_path: Path) -> None:
    picture = tmp_path / "i.png"
    options = ("--picture", picture) if plots_available() else ()
    shown = run("--db", filled, "impact", "AB+He", *FEW, *options).out
    if options:
        assert picture.read_bytes().startswith(b"\x89PNG")
    for words in ("least certain lines", "Drives the lines", "Compute next"):
        assert words in shown


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("AB+p-H2",), "nothing of these systems is predicted", 1),
        (("AB+He", "--samples", 3), "too few samples", 2),
        (("AB+He", "--densities", "many"), "not a list of densities", 2),
        (("AB+He", "--temperatures", "0"), "not a list of temperatures", 2),
        (("AB+He", "--ghz", "116:84"), "not a frequency or band", 2),
        (("AB+He", "--ghz", "116;84"), "not a frequency or band", 2),
        (("AB+He", "--seed", "-1"), "invalid seed", 2),
        (("AB+He", "--temperatures", "5000"), "no rates reach any of the temperatures", 1),
        (("AB+e",), "AB+e", 1),
        (("AB+He", "--picture", "i.gif"), "not the name of a picture", 2),
        (("AB+He", "--picture", "no/i.png"), "cannot write the file", 1),
        (("AB+He", "-o", "no/i.json"), "cannot write the file", 1),
    ],
)
def test_what_cannot_be_asked_is_one_message(
    run: Run,
    filled: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    says: str,
    code: int,
) -> None:
    monkeypatch.setattr(sampled_lines, "solve", lambda *_, **__: pytest.fail("the solver ran"))
    monkeypatch.setattr(figures, "plots_available", lambda: True)
    answer = run("--db", filled, "impact", *words)
    assert (answer.code, says in answer.err) == (code, True), answer.err


def test_a_molecule_without_lines_is_one_message_before_radex_runs(
    run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(filled)) as connection:
        connection.execute("DELETE FROM line")
        seal_again(connection, "line")
    monkeypatch.setattr(sampled_lines, "solve", lambda *_, **__: pytest.fail("the solver ran"))
    answer = run("--db", filled, "impact", "AB+He", *FEW)
    assert answer.code == 1
    assert "the store has no lines of AB" in answer.err
    assert "RADEX" not in answer.err
