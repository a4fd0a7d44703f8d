"""`ratedb lines`: critical densities with their definition, and one message for a name that is no line."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Run


def test_the_table_names_its_definition_and_json_has_both(run: Run, small_co: Path, tmp_path: Path) -> None:
    shown = run("--db", small_co, "lines", "CO+p-H2", "--temperatures", "10,50").out
    assert "sum of k_ui over all other levels i, down and up (Shirley 2015" in " ".join(shown.split())
    target = tmp_path / "lines.json"
    answer = run("--db", small_co, "--json", "lines", "CO+p-H2", "--lines", "CO(3-2)", "-o", target).json
    [line] = answer["lines"]
    assert line["name"] == "CO(3-2)"
    assert len(line["critical_density_cm3"]) == len(answer["temperatures_k"]) == 4
    assert line["critical_density_cm3"][0] < line["two_level_density_cm3"][0]
    assert json.loads(target.read_text()) == answer


def test_rates_that_are_missing_are_warned_of(run: Run, small_co: Path) -> None:
    answer = run("--db", small_co, "--json", "lines", "CO+p-H2")
    assert "the critical densities are upper limits" in answer.err
    assert {line["missing_rates"] for line in answer.json["lines"]} != {0}


def test_the_lines_of_a_molecule_are_listed_without_a_collider(run: Run, small_co: Path) -> None:
    assert len(run("--db", small_co, "--json", "lines", "CO").json["lines"]) == 12
    assert "12 lines, as they are stored" in run("--db", small_co, "lines", "CO").out
    refused = run("--db", small_co, "lines", "CO", "--ghz", "115.27")
    assert (refused.code, "need a collider" in refused.err) == (2, True)


def test_a_line_that_is_not_there_brings_others(run: Run, small_co: Path) -> None:
    absent = run("--db", small_co, "lines", "CO+p-H2", "--lines", "CO(3-1)")
    assert (absent.code, "did you mean" in absent.err) == (1, True)
    far = run("--db", small_co, "lines", "CO+p-H2", "--ghz", "1.5")
    assert (far.code, "the nearest are CO(1-0)" in far.err) == (1, True)
