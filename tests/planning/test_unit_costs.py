"""Claims about what the explicit calculation of an initial state costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_tops import shipped_levels
from top_store import PARTNER_CM1, SYSTEM, levels

from ratedb.errors import RatedbError, UsageError
from ratedb.io.hours import read_unit_hours
from ratedb.kinds.units import units_of
from ratedb.levels import Levels
from ratedb.planning.unit_costs import open_channels, unit_costs, unit_weights
from ratedb.planning.unit_plan import Landscape, UnitRequest

TOP = levels(3)
UNITS = units_of(TOP)


def weights(made: Levels, cost_by: str = "j", exponent: float = 4.0) -> np.ndarray:
    return unit_weights(made, units_of(made), cost_by, exponent, None)


def slow_channels(made: Levels, energy_cm1: float) -> float:
    """Return how many open channels a full coupling has, level by level."""
    total = 0
    for place in range(len(made)):
        if made.energy_cm1[place] <= energy_cm1:
            numbers = {name: float(values[place]) for name, values in made.quantum_numbers.items()}
            total += int(2 * numbers["j"] + 1) * int(2 * numbers.get("j2", 0) + 1)
    return total


def test_the_cost_by_j_is_a_power_of_the_j_of_the_target() -> None:
    made = levels(3, PARTNER_CM1)
    found = weights(made, exponent=3.0)
    slow = [int(label.split("_")[0]) ** 3 for label in units_of(made).label]
    np.testing.assert_allclose(found, slow)


def test_hyperfine_levels_cost_as_much_as_the_initial_state_that_they_share() -> None:
    made = shipped_levels("hcl@hfs.dat")
    found = weights(made)
    assert len(found) == len(units_of(made)) < len(made)
    np.testing.assert_allclose(found, np.arange(8.0) ** 4)


@pytest.mark.parametrize("partner", [(), PARTNER_CM1])
def test_the_cost_by_channels_is_the_cube_of_a_slow_count(partner: tuple[float, ...]) -> None:
    made = levels(3, partner)
    units = units_of(made)
    slow = [slow_channels(made, energy) for energy in units.energy_cm1.tolist()]
    np.testing.assert_array_equal(open_channels(made, units), slow)
    np.testing.assert_allclose(weights(made, "channels"), np.array(slow, dtype=float) ** 3)


def test_unknown_costs_and_exponents_out_of_range_are_refused() -> None:
    for cost_by, exponent in (("mass", 4.0), ("j", 0.0), ("j", 21.0), ("j", float("nan"))):
        with pytest.raises(UsageError):
            weights(TOP, cost_by, exponent)


def test_shares_count_only_what_is_to_be_paid() -> None:
    costs = unit_costs(np.array([1.0, 2.0, 4.0, 8.0]), UNITS, frozenset({1, 3}), 100.0, measured=False)
    assert costs.share((0, 2)) == 0.0
    assert costs.share((0, 1)) == pytest.approx(0.2)
    assert costs.share((1, 1, 3)) == pytest.approx(1.0)
    assert costs.hours((1, 2)) == pytest.approx(20.0)
    assert unit_costs(np.ones(4), UNITS, frozenset({1}), None, measured=False).hours((1,)) is None
    assert unit_costs(np.ones(4), UNITS, frozenset(), None, measured=False).share((1,)) == 0.0


def test_given_initial_states_are_free() -> None:
    landscape = Landscape(TOP, UnitRequest(SYSTEM, given_units=("2_1_1", "3_1_2"), hours_total=10.0))
    given = UNITS.places(("2_1_1", "3_1_2"), "a test").tolist()
    assert landscape.costs.share(given) == 0.0
    assert landscape.costs.share(landscape.of_interest.tolist()) == pytest.approx(1.0)
    assert landscape.costs.hours(landscape.of_interest.tolist()) == pytest.approx(10.0)


def measured(hours: dict[str, float], given: tuple[str, ...] = (), total: float | None = None) -> Landscape:
    pairs = tuple(hours.items())
    return Landscape(TOP, UnitRequest(SYSTEM, given_units=given, hours_by_unit=pairs, hours_total=total))


HOURS = {label: 1.0 + place for place, label in enumerate(UNITS.label)}


def test_measured_hours_take_the_place_of_a_law() -> None:
    landscape = measured(HOURS, given=("2_1_1",))
    paid = sum(hours for label, hours in HOURS.items() if label not in ("2_1_1", "1_1_1"))
    assert landscape.costs.total_hours == pytest.approx(paid)  # 1_1_1 is the lowest: nothing goes out of it
    place = UNITS.label.index("3_1_2")
    assert landscape.costs.hours((place,)) == pytest.approx(HOURS["3_1_2"])


def test_gaps_of_measured_hours_are_named_unless_those_states_are_given() -> None:
    rest = {label: hours for label, hours in HOURS.items() if label not in ("2_1_1", "3_1_2", "1_1_1")}
    with pytest.raises(UsageError, match="gaps") as caught:
        assert measured(rest).costs
    assert "2_1_1, 3_1_2" in (caught.value.got or "")
    assert measured(rest, given=("2_1_1", "3_1_2")).costs.total_hours == pytest.approx(sum(rest.values()))


def test_measured_hours_of_unknown_states_or_beside_a_total_are_refused() -> None:
    with pytest.raises(UsageError, match="--hours-file names initial states") as caught:
        assert measured(HOURS | {"9_9_9": 1.0}).costs
    assert caught.value.got == "9_9_9"
    with pytest.raises(UsageError, match="--hours-total has no effect with --hours-file"):
        assert measured(HOURS, total=10.0).costs
    for total in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="invalid total hours"):
            assert Landscape(TOP, UnitRequest(SYSTEM, hours_total=total)).costs


def hours_file(folder: Path, text: str) -> Path:
    path = folder / "hours.csv"
    path.write_text(text)
    return path


def test_a_file_with_hours_keeps_its_order_and_skips_empty_lines(tmp_path: Path) -> None:
    path = hours_file(tmp_path, "Unit, Hours\n3_1_2,6.5\n\n 1_1_0 ,0\n")
    assert read_unit_hours(path) == (("3_1_2", 6.5), ("1_1_0", 0.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "other columns"),
        ("j,hours\n3,1\n", "other columns"),
        ("unit,hours\n3_1_2,1\n3_1_2,2\n", "duplicate initial state 3_1_2"),
        ("unit,hours\n3_1_2,-1\n", "invalid row"),
        ("unit,hours\n3_1_2,nan\n", "invalid row"),
        ("unit,hours\n3_1_2\n", "invalid row"),
        ("unit,hours\n,4\n", "invalid row"),
        ("unit,hours\n3_1_2,4,5\n", "invalid row"),
    ],
)
def test_a_bad_file_with_hours_is_one_error_that_says_where(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RatedbError, match=words) as caught:
        read_unit_hours(hours_file(tmp_path, text))
    assert "hours.csv" in (caught.value.where or "")


def test_a_file_with_hours_that_is_no_text_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "hours.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "hours.csv", tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(RatedbError, match=r"cannot (read|be read)|directory"):
            read_unit_hours(path)
