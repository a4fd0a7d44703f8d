"""Claims about what an explicit calculation costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratedb.errors import RatedbError, UsageError
from ratedb.io.hours import read_hours
from ratedb.planning.costs import CostModel
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import candidate

TARGET = tuple(range(5, 12))
MEASURED = tuple((j, float(j)) for j in range(6, 12))


def test_measured_hours_take_the_place_of_a_power_of_j() -> None:
    costs = CostModel(TARGET, (5,), measured=MEASURED)
    assert costs.total_hours == sum(range(6, 12))
    assert costs.hours((5, 7, 9)) == pytest.approx(16.0)
    assert costs.share((5, 7, 9)) == pytest.approx(16.0 / 51.0)


def test_a_plan_counts_measured_hours() -> None:
    request = PlanRequest("AB+He", TARGET, (5,), hours_by_j=MEASURED)
    found = candidate(request, (5, 10))
    assert found.validate_j == (6, 9)
    assert (found.explicit_hours, found.avoided_hours) == (pytest.approx(25.0), pytest.approx(26.0))
    assert found.time_saved_percent == pytest.approx(100 * 26 / 51)


def test_hours_beyond_the_target_change_nothing() -> None:
    more = (*MEASURED, (40, 1e6))
    assert CostModel(TARGET, (5,), measured=more).total_hours == 51.0


def test_measured_hours_with_a_gap_are_refused_with_the_missing_j() -> None:
    with pytest.raises(UsageError, match="gaps") as caught:
        CostModel(TARGET, (5,), measured=tuple(pair for pair in MEASURED if pair[0] not in (7, 9)))
    assert caught.value.got == "none for j = 7, 9"


def test_a_total_next_to_measured_hours_is_refused() -> None:
    with pytest.raises(UsageError, match="has no effect with --hours-file"):
        CostModel(TARGET, (5,), hours_total=10.0, measured=MEASURED)


def test_a_file_with_hours_is_read_whatever_the_order_and_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    path.write_text("j, Hours\n\n7,2.5\n6, 0\n")
    assert read_hours(path) == ((6, 0.0), (7, 2.5))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "other columns"),
        ("j,time\n6,1\n", "other columns"),
        ("j,hours\n6,-1\n", "row 2"),
        ("j,hours\n6,1\n6,2\n", "duplicate"),
        ("j,hours\n6,nan\n", "row 2"),
        ("j,hours\n6,inf\n", "row 2"),
        ("j,hours\nsix,1\n", "row 2"),
        ("j,hours\n6\n", "row 2"),
        ("j,hours\n6,1,1\n", "row 2"),
        ("j,hours\n-6,1\n", "row 2"),
    ],
)
def test_an_invalid_file_with_hours_is_refused_with_its_row(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(text)
    with pytest.raises(RatedbError) as caught:
        read_hours(path)
    assert word in str(caught.value)


def test_a_missing_file_with_hours_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match=r"cannot (read|be read)"):
        read_hours(tmp_path / "none.csv")
