"""Levels of two lists are matched by what they are, and lists of another structure are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.levels import Levels, vj
from ratedb.physics.level_matching import coincident, match_levels, structure_suffix


def levels(label: str, energy_cm1: list[float], weight: list[float], **numbers: list[float]) -> Levels:
    columns = {name: np.array(values, dtype=np.float64) for name, values in numbers.items()}
    return Levels("XY", tuple(label.split(",")), np.array(energy_cm1), np.array(weight), columns)


FINE = levels("0 1/2,1 3/2,1 5/2", [0.0, 20.0, 20.9], [2, 4, 6], j=[0, 1, 1], F=[0.5, 1.5, 2.5])


def test_the_same_numbers_are_the_same_level_in_any_order_and_style() -> None:
    other = levels("1_2.5,0_0.5,1_1.5", [20.91, 0.0, 20.01], [6, 2, 4], j=[1, 0, 1], F=[2.5, 0.5, 1.5])
    assert match_levels(other, FINE).place.tolist() == [2, 0, 1]


def test_a_label_does_not_match_against_the_numbers() -> None:
    swapped = levels("0 1/2,1 5/2,1 3/2", [0.0, 20.0, 20.9], [2, 4, 6], j=[0, 1, 1], F=[0.5, 1.5, 2.5])
    assert match_levels(swapped, FINE).place.tolist() == [0, 1, 2]


def test_levels_without_numbers_are_matched_by_energy_and_weight() -> None:
    other = levels("a,b,c,d", [0.0, 20.9000001, 20.0, 60.0], [2, 6, 4, 8])
    match = match_levels(other, FINE)
    assert match.place.tolist() == [0, 2, 1, -1]
    assert match.by_energy == 3


def test_an_energy_that_a_writer_moved_to_part_a_tie_still_matches() -> None:
    tied = levels("a,b,c", [0.0, 5.0, 5.0], [1, 3, 3])
    moved = levels("a,B,c", [0.0, 5.0000001, 5.0], [1, 3, 3])
    assert match_levels(moved, tied).place.tolist() == [0, 1, 2]


def test_levels_that_fit_several_are_refused_with_the_pairs() -> None:
    tied = levels("a,b,c", [0.0, 5.0, 5.0], [1, 3, 3])
    with pytest.raises(RatedbError, match="not clear") as caught:
        match_levels(levels("a,B,C", [0.0, 5.0, 5.0], [1, 3, 3]), tied)
    assert "'B' (5 cm-1, weight 3) and stored 'b' (5 cm-1, weight 3)" in str(caught.value)


@pytest.mark.parametrize("numbers", [True, False])
def test_hyperfine_and_rotational_lists_are_told_apart(numbers: bool) -> None:
    rotor = levels("0,1,2", [0.0, 3.0, 9.0], [1, 3, 5])
    hyperfine = levels(
        "0_1,1_0,1_2,1_1,2_2,2_3,2_1",
        [0.0, 3.0001, 3.0002, 3.0003, 9.0, 9.0001, 9.0002],
        [3, 1, 5, 3, 5, 7, 3],
    )
    if numbers:
        rotor = Levels("XY", rotor.label, rotor.energy_cm1, rotor.weight, vj([0, 0, 0], [0, 1, 2]))
        more = {"j": np.array([0, 1, 1, 1, 2, 2, 2.0]), "F": np.array([1, 0, 2, 1, 2, 3, 1.0])}
        hyperfine = Levels("XY", hyperfine.label, hyperfine.energy_cm1, hyperfine.weight, more)
    assert structure_suffix(hyperfine, rotor) == "hfs"
    assert structure_suffix(rotor, hyperfine) == "rot"
    assert structure_suffix(rotor, rotor) == structure_suffix(hyperfine, hyperfine) == ""


def test_a_longer_list_of_the_same_structure_is_the_same_molecule() -> None:
    short = levels("a,b,c", [0.0, 3.0, 9.0], [1, 3, 5])
    long = levels("a,b,c,d,e", [0.0, 3.0, 9.0, 18.0, 30.0], [1, 3, 5, 7, 9])
    assert structure_suffix(long, short) == structure_suffix(short, long) == ""


def lists(*members: list[int]) -> np.ndarray:
    """Return which levels some list names both."""
    size = max(max(one) for one in members) + 1
    together = np.zeros((size, size), dtype=np.bool_)
    for one in members:
        together[np.ix_(one, one)] = True
    return together


def test_levels_that_three_lists_name_in_three_ways_are_one() -> None:
    three = levels("0,1,a,b,x,y", [0.0, 3.0, 0.0, 3.0001, 0.0, 3.0], [1, 3, 1, 3, 1, 3])
    groups, unclear = coincident(three, lists([0, 1], [2, 3], [4, 5]))
    assert sorted(groups) == [(0, 2, 4), (1, 3, 5)]
    assert unclear == []


def test_levels_of_equal_energy_in_one_list_are_two_and_their_twins_unclear() -> None:
    doublet = levels("g,e,f,G,E,F", [0.0, 5.0, 5.0, 0.0, 5.0, 5.0], [1, 3, 3, 1, 3, 3])
    groups, unclear = coincident(doublet, lists([0, 1, 2], [3, 4, 5]))
    assert groups == [(0, 3)]
    assert unclear == [(1, 4), (1, 5), (2, 4), (2, 5)]


def test_levels_of_other_quantum_numbers_are_two() -> None:
    top = levels("a,b", [5.0, 5.0], [3, 3], ka=[0, 1])
    assert coincident(top, lists([0], [1])) == ([], [])
