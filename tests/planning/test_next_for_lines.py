"""Claims about the j to compute next for lines: from what `impact` says, with the rules of `next`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ratedb.errors import RatedbError
from ratedb.options import NextOptions
from ratedb.planning.next_for_lines import LineUncertainty, next_for_lines, parse_impact
from ratedb.planning.next_j import NextResult
from ratedb.planning.request import PlanRequest
from ratedb.planning.state import State
from ratedb.verbs.next import next_

TARGET = tuple(range(2, 11))
REQUEST = PlanRequest("AB+He", TARGET, (2, 3, 4), hours_total=100.0, validate_j=(5, 8))
STATE = State(REQUEST, 1, (4, 7, 10, 5, 8), (1, 2, 3, 4, 5, 7, 8), (2, 3, 4, 7), (5, 8))
# What is left: 6, 9 and 10. 10 makes the lines most certain, 9 nearly as much for less.
PREDICTED, MODELS = frozenset({6, 8, 9, 10, 12}), frozenset({1})
AFTER = {6: 0.09, 9: 0.045, 10: 0.04}


def impact(folder: Path, **change: Any) -> Path:
    """Write what the command `impact` would, as far as plans read it."""
    next_j = [
        {"system": "AB+He", "j": j, "share": 1.0 - after, "uncertainty_after": after}
        for j, after in AFTER.items()
    ]
    data = {"systems": ["AB+He"], "uncertainty_p95": 0.10, "next_j": next_j, "model_ids": [1]} | change
    path = folder / "lines.json"
    path.write_text(json.dumps(data))
    return path


def read(path: Path) -> LineUncertainty:
    return parse_impact(path.read_bytes(), str(path))


def asked(path: Path, state: State = STATE, **limits: float) -> NextResult:
    return next_for_lines(state, NextOptions(for_lines=path, **limits), read(path), PREDICTED, MODELS)  # type: ignore[arg-type]


def test_errors_are_those_of_the_lines_in_percent_and_the_best_comes_first(tmp_path: Path) -> None:
    result = asked(impact(tmp_path))
    assert (result.target, result.expected_error) == ("lines", pytest.approx(10.0))
    assert [(one.j, one.expected_error, one.gain, one.planned) for one in result.candidates] == [
        (10, pytest.approx(4.0), pytest.approx(6.0), True),
        (9, pytest.approx(4.5), pytest.approx(5.5), False),
        (6, pytest.approx(9.0), pytest.approx(1.0), False),
    ]
    assert result.candidates[0].hours == pytest.approx(100 * 10**4 / sum(j**4 for j in range(5, 11)))


@pytest.mark.parametrize(
    ("limits", "next_j", "why"),
    [
        ({}, 10, "of the plan's j"),
        ({"target_error": 4.6}, 9, "cheapest"),
        ({"target_error": 4.2}, 10, "cheapest"),
        ({"target_error": 12.0}, None, "the target 12 %"),
        ({"budget_hours": 10.0}, 6, "error reduction"),
        ({"budget_hours": 1.0}, None, "costs 1 h or less"),
    ],
)
def test_target_and_budget_decide_as_for_rates(
    tmp_path: Path, limits: dict[str, float], next_j: int | None, why: str
) -> None:
    result = asked(impact(tmp_path), **limits)
    assert (result.next_j, result.stop, why in result.reason) == (next_j, next_j is None, True), result


def test_it_stops_where_no_j_makes_the_lines_much_more_certain(tmp_path: Path) -> None:
    little = [{"system": "AB+He", "j": 9, "share": 0.1, "uncertainty_after": 0.095}]
    result = asked(impact(tmp_path, next_j=little))
    assert (result.next_j, result.stop) == (None, True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"next_j": [{"system": "AB+p-H2", "j": 9, "share": 1, "uncertainty_after": 0.1}]},
            "does not contain",
        ),
        (
            {"next_j": [{"system": "AB+He", "j": 7, "share": 1, "uncertainty_after": 0.1}]},
            "older than the store",
        ),
        (
            {"next_j": [{"system": "AB+He", "j": 12, "share": 1, "uncertainty_after": 0.1}]},
            "none of the j of interest",
        ),
        ({"next_j": [{"system": "AB+He"}]}, "not a file of line uncertainties"),
        ({"next_j": None}, "not a file of line uncertainties"),
        ({"uncertainty_p95": float("nan")}, "not a file of line uncertainties"),
        (
            {"next_j": [{"system": "AB+He", "j": float("inf"), "share": 1, "uncertainty_after": 0.1}]},
            "not a file of line uncertainties",
        ),
        ({"uncertainty_p95": "much"}, "not a file of line uncertainties"),
    ],
)
def test_an_impact_of_something_else_is_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(RatedbError, match=says):
        asked(impact(tmp_path, **change))


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"systems": []}', b"3"])
def test_a_file_that_is_no_impact_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RatedbError, match="not a file of line uncertainties"):
        read(path)


def test_a_missing_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match=r"missing\.json"):
        next_(tmp_path / "no.duckdb", "AB+He", NextOptions(for_lines=tmp_path / "missing.json"))


def test_an_impact_of_an_older_model_is_refused(tmp_path: Path) -> None:
    path = impact(tmp_path)
    with pytest.raises(RatedbError, match="older than the store"):
        next_for_lines(STATE, NextOptions(for_lines=path), read(path), PREDICTED, frozenset({1, 2}))
