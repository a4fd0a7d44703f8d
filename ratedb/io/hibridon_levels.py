"""The levels of HIBRIDON files: codes of j, indices, labels and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.io.text import Line
from ratedb.levels import Levels, vj


@dataclass(frozen=True)
class ListedLevel:
    """A level as listed: the code of j, the index, and what they stand for.

    `half` says that j is half-integer, `two` that the code is 10 j1 + j2 of two molecules (`base` 10), `atom`
    that the index is the j of an atom, 2j where `half_atom` is set.
    """

    code: int
    index: int
    half: bool
    two: bool = False
    base: int = 10
    atom: bool = False
    half_atom: bool = False

    @property
    def label(self) -> str:
        """The label `j_index`, or `j1_index_j2`."""
        half = ".5" if self.half else ""
        if self.two:
            return f"{self.code // self.base}{half}_{self.index}_{self.code % self.base}"
        return f"{self.code}{half}_{self.index}"

    @property
    def weight(self) -> float:
        """2j+1, or the product of both."""
        spin = 2 if self.half else 1
        if self.two:
            return (2 * (self.code // self.base) + spin) * (2 * (self.code % self.base) + 1)
        other = (self.index if self.half_atom else 2 * self.index) + 1 if self.atom else 1
        return (2 * self.code + spin) * other


def other_tables(
    line: Line, molecule: str, listed: list[ListedLevel], energy_cm1: FloatArray
) -> list[Levels]:
    """Return other readings of a list that its codes and indices allow: two molecules, or an atom."""
    pairs = [(base, half) for base in (10, 100) for half in (False, True)]
    readings = [[replace(x, two=True, base=base, half=half) for x in listed] for base, half in pairs]
    if min(level.index for level in listed) >= 0:
        atoms = (False, True)
        readings += [[replace(x, two=False, atom=True, half_atom=half) for x in listed] for half in atoms]
    tables = []
    for read in readings:
        if read != listed and len({level.label for level in read}) == len(read):
            tables.append(level_table(line, molecule, read, energy_cm1))
    return tables


def level_table(line: Line, molecule: str, listed: list[ListedLevel], energy_cm1: FloatArray) -> Levels:
    """Return listed levels with their energies (cm-1); raises RatedbError for a duplicate or negative j."""
    if min(level.code for level in listed) < 0:
        raise line.refuse("a j is negative", "j >= 0")
    plain = not any(level.index or level.half or level.two or level.atom for level in listed)
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
    for spell in (_as_one, _as_two, _as_two_half, _as_rotor):
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


def _as_two_half(j: str, index: str) -> str:
    return f"{j[:-1] or '0'}.5_{index}_{j[-1:]}"


def _as_rotor(j: str, index: str) -> str:
    return j if index == "0" else ""
