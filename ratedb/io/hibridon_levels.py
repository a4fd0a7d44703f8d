"""The levels of HIBRIDON files: codes of j, indices, labels and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.io.text import Line
from ratedb.levels import Levels, vj


@dataclass(frozen=True)
class ListedLevel:
    """A level as listed: the code of j, the index, and whether j is half-integer or a code of two j."""

    code: int
    index: int
    half: bool
    two: bool = False

    @property
    def label(self) -> str:
        """The label `j_index`, or `j1_index_j2`."""
        if self.two:
            return f"{self.code // 10}_{self.index}_{self.code % 10}"
        return f"{self.code}.5_{self.index}" if self.half else f"{self.code}_{self.index}"

    @property
    def weight(self) -> float:
        """2j+1, or the product of both."""
        if self.two:
            return (2 * (self.code // 10) + 1) * (2 * (self.code % 10) + 1)
        return 2 * self.code + (2 if self.half else 1)


def level_table(line: Line, molecule: str, listed: list[ListedLevel], energy_cm1: FloatArray) -> Levels:
    """Return listed levels with their energies (cm-1); raises RatedbError for a duplicate or negative j."""
    if min(level.code for level in listed) < 0:
        raise line.refuse("a j is negative", "j >= 0")
    plain = not any(level.index or level.half or level.two for level in listed)
    label = [str(level.code) if plain else level.label for level in listed]
    if len(set(label)) < len(label):
        raise line.refuse("duplicate level in the list", "each pair of j and index once")
    j = np.array([level.code for level in listed]) if plain else None
    weight = np.array([level.weight for level in listed])
    return Levels(molecule, tuple(label), energy_cm1, weight, vj(np.zeros(len(label)), j))


def find_levels(line: Line, levels: Levels, names: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the index of each level, named by j and index as printed; raises RatedbError for a missing one.

    Labels are those of one molecule, of two, or of a rotor.
    """
    for spell in (_as_one, _as_two, _as_rotor):
        places = {name: levels.places.get(spell(*name), -1) for name in names}
        if min(places.values()) >= 0:
            return places
    missing = next(name for name in names if _as_one(*name) not in levels.places)
    raise line.refuse(
        f"the level j = {missing[0]}, index {missing[1]} is not among the levels that were given",
        f"a label such as {_as_one(*missing)}",
    )


def _as_one(j: str, index: str) -> str:
    return f"{j}_{index}"


def _as_two(j: str, index: str) -> str:
    return f"{j[:-1] or '0'}_{index}_{j[-1:]}"


def _as_rotor(j: str, index: str) -> str:
    return j if index == "0" else ""
