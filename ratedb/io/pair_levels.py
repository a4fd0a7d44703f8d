"""Pairs of one level of a molecule and one of its collider, for tables in which both change state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.io.level_lists import read_levels_of
from ratedb.io.registry import ReadOptions
from ratedb.kinds.recognise import as_pair, why
from ratedb.levels import UNKNOWN_KIND, Levels

Four = Sequence[int]
"""Numbers, from 1, of the initial and final level of the molecule, then of the collider."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Levels of two molecules in order of energy, and the number from 1 of each pair of their numbers."""

    levels: Levels
    number: Mapping[tuple[int, int], int]

    def ends(self, numbers: Four) -> tuple[int, int]:
        """Return the numbers, from 1, of the initial and the final pair of a row."""
        initial, final, second_initial, second_final = numbers
        return self.number[initial, second_initial], self.number[final, second_final]


def pairs_in(rows: Iterable[Four], first: Levels, second: Levels) -> Pairs:
    """Return all pairs of the levels of a molecule and those of its collider that rows name."""
    listed = list(rows)
    firsts = sorted({number for numbers in listed for number in numbers[:2]})
    seconds = sorted({number for numbers in listed for number in numbers[2:]})
    names = [(a, b) for a in firsts for b in seconds]
    levels = pair_levels(first, second, names)
    by_energy = np.argsort(levels.energy_cm1, kind="stable")
    return Pairs(levels.select(by_energy), {names[at]: place for place, at in enumerate(by_energy, start=1)})


def pair_levels(first: Levels, second: Levels, numbers: Sequence[tuple[int, int]]) -> Levels:
    """Return pairs of levels, by their numbers from 1: energies are added, weights multiplied."""
    chosen = [(a - 1, b - 1) for a, b in numbers]
    levels = Levels(
        f"{first.molecule}({second.molecule})",
        tuple(f"{first.label[a]}_{second.label[b]}" for a, b in chosen),
        np.array([first.energy_cm1[a] + second.energy_cm1[b] for a, b in chosen]),
        np.array([first.weight[a] * second.weight[b] for a, b in chosen]),
    )
    at_first, at_second = np.array(chosen).T
    pairs = as_pair(
        levels,
        {name: values[at_first] for name, values in first.quantum_numbers.items()},
        {name: values[at_second] for name, values in second.quantum_numbers.items()},
    )
    unknown = [f"{one.molecule}: {why(one)}" for one in (first, second) if one.kind == UNKNOWN_KIND]
    return replace(pairs, kind_reason="; ".join(unknown)) if pairs.kind == UNKNOWN_KIND and unknown else pairs


def collider_levels(options: ReadOptions, path: Path, collider: str) -> Levels:
    """Return the levels of a collider that changes state; raises RatedbError where none are given."""
    if options.collider_levels is None:
        raise RatedbError(
            "in this table the collider changes state too",
            where=str(path),
            expected="the levels of the collider",
            todo="name their list with --collider-levels",
        )
    return read_levels_of([options.collider_levels], collider).levels
