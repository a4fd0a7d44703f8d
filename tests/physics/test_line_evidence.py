"""Which of energies, frequencies and E_u is wrong where they contradict each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratedb.levels import Levels, Lines, vj
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K
from ratedb.physics.line_evidence import half_digit, weigh_lines

J = np.arange(8)
LEVELS = Levels("XY", tuple(map(str, J)), np.round(0.7012 * J * (J + 1), 4), 2 * J + 1, vj(0 * J, J))
UP = J[1:]
LINES = Lines(
    UP,
    UP - 1,
    1e-6 * UP,
    np.round(np.diff(LEVELS.energy_cm1) * GHZ_PER_CM1, 6),
    np.round(LEVELS.energy_cm1[1:] * HC_OVER_KB_CM_K, 2),
)


def moved(level: int, shift_cm1: float) -> Levels:
    return replace(LEVELS, energy_cm1=LEVELS.energy_cm1 + shift_cm1 * (level == J))


def test_what_agrees_has_no_suspect() -> None:
    found = weigh_lines(LEVELS, LINES)
    assert (found.levels, len(found.lines), len(found.upper_energies)) == ((), 0, 0)
    assert not found.frequency_column
    assert not found.upper_energy_column


@pytest.mark.parametrize("shift", [0.0224, -0.3, 5.0])
@pytest.mark.parametrize("level", [1, 3, 6])
def test_one_wrong_energy_is_the_only_suspect_and_its_lines_say_the_right_one(
    level: int, shift: float
) -> None:
    found = weigh_lines(moved(level, shift), LINES)
    [suspect] = found.levels
    assert (suspect.level, suspect.lines) == (level, 2)
    assert suspect.energy_cm1 == pytest.approx(LEVELS.energy_cm1[level], abs=2e-4)
    assert len(found.lines) == len(found.upper_energies) == 0


def test_a_wrong_energy_that_puts_a_level_below_others_is_found_although_its_lines_are_turned() -> None:
    wrong = moved(4, -10.3)  # from 14.024 to 3.724, below level 2
    up, low = LINES.upper.copy(), LINES.lower.copy()
    up[3], low[3] = 3, 4
    [suspect] = weigh_lines(wrong, replace(LINES, upper=up, lower=low)).levels
    assert suspect.level == 4
    assert suspect.energy_cm1 == pytest.approx(LEVELS.energy_cm1[4], abs=2e-3)


def test_the_energy_of_a_level_with_one_line_is_the_suspect_only_if_its_upper_energy_wants_the_same() -> None:
    top = moved(7, 0.5)
    [suspect] = weigh_lines(top, LINES).levels
    assert (suspect.level, suspect.lines, suspect.upper_energy) == (7, 1, True)
    found = weigh_lines(top, replace(LINES, upper_energy_k=np.full(7, np.nan)))
    assert (found.levels, found.lines.tolist()) == ((), [6])


def test_one_wrong_frequency_is_the_only_suspect() -> None:
    frequency = LINES.frequency_ghz * np.where(J[1:] == 4, 1.002, 1.0)
    found = weigh_lines(LEVELS, replace(LINES, frequency_ghz=frequency))
    assert (found.levels, found.lines.tolist()) == ((), [3])


def test_one_wrong_upper_energy_is_the_only_suspect() -> None:
    found = weigh_lines(LEVELS, replace(LINES, upper_energy_k=LINES.upper_energy_k + 1.0 * (J[1:] == 4)))
    assert (found.levels, len(found.lines), found.upper_energies.tolist()) == ((), 0, [3])


def test_upper_energies_may_count_from_the_lowest_level_or_another_zero() -> None:
    high = replace(LEVELS, energy_cm1=LEVELS.energy_cm1 + 10.539)
    assert len(weigh_lines(high, LINES).upper_energies) == 0
    from_zero = replace(LINES, upper_energy_k=LINES.upper_energy_k + np.round(10.539 * HC_OVER_KB_CM_K, 2))
    assert len(weigh_lines(high, from_zero).upper_energies) == 0
    assert len(weigh_lines(LEVELS, from_zero).upper_energies) == 0


def test_measured_frequencies_within_the_digits_of_the_energies_are_no_contradiction() -> None:
    energy = [0.0, 3.1072, 3.1073, 3.1074]
    levels = Levels("N2H+", tuple("abcd"), energy, [3, 1, 5, 3])
    lines = Lines([1, 2, 3, 3], [0, 0, 0, 2], [1e-5] * 4, [93.1711234, 93.1734567, 93.1762345, 0.0027778])
    found = weigh_lines(levels, lines)
    assert (found.levels, len(found.lines)) == ((), 0)


def test_a_computed_frequency_is_no_evidence() -> None:
    found = weigh_lines(moved(3, 0.5), replace(LINES, frequency_computed=np.ones(7, dtype=np.bool_)))
    assert (found.levels, len(found.lines)) == ((), 0)


def test_a_column_that_contradicts_as_a_whole_names_no_level() -> None:
    found = weigh_lines(LEVELS, replace(LINES, frequency_ghz=LINES.frequency_ghz * 2))
    assert found.frequency_column
    assert found.levels == ()


def test_the_last_digit_of_a_column_is_that_of_its_longest_number() -> None:
    assert half_digit(np.array([0.0, 1.4, 8.4224, 21.0])) == pytest.approx(5e-5)
    assert half_digit(np.array([3.0, 12.0])) == 0.5
    assert half_digit(np.array([1 / 3, 0.5])) == pytest.approx(5e-10)
