"""What one explicit calculation covers: initial states, by the quantum numbers that the kind names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError, UsageError
from ratedb.kinds.species import kind_of
from ratedb.levels import Levels

_NAMED = 6


@dataclass(frozen=True, eq=False)
class Units:
    """The initial states of a level list: one explicit calculation gives the rates out of one of them.

    `label` (u,) names them, by the level's label where a unit is one level; `of_level` (n,) is the unit of
    each level, and `energy_cm1` (u,) the lowest energy of its levels. Units rise in energy.
    """

    molecule: str
    names: tuple[str, ...]
    label: tuple[str, ...]
    of_level: IntArray
    energy_cm1: FloatArray

    def __len__(self) -> int:
        return len(self.label)

    def places(self, labels: Sequence[str], role: str) -> IntArray:
        """Return which units labels name, sorted; raises UsageError for one that is not there."""
        place = {label: number for number, label in enumerate(self.label)}
        if unknown := [label for label in labels if label not in place]:
            raise UsageError(
                f"{role} names initial states that {self.molecule} does not have",
                expected=f"labels such as {', '.join(self.label[:_NAMED])}",
                got=", ".join(unknown[:_NAMED]),
                todo=f"`ratedb show` lists the initial states; each is named by {', '.join(self.names)}",
            )
        return np.unique([place[label] for label in labels]).astype(np.int64)

    def named(self, places: IntArray) -> tuple[str, ...]:
        """Return the labels of units."""
        return tuple(self.label[place] for place in places.tolist())

    def named_once(self, places: IntArray) -> tuple[str, ...]:
        """Return the label of each unit that occurs, in the order of energy."""
        return self.named(np.unique(places).astype(np.int64))


def units_of(levels: Levels) -> Units:
    """Return the units of a level list; raises RatedbError where the kind of its molecule is unknown."""
    kind = kind_of(levels)
    names = () if kind is None else tuple(name for name in kind.unit if name in levels.quantum_numbers)
    if not names:
        raise RatedbError(
            f"the kind of {levels.molecule} is not known, so that its initial states cannot be planned or"
            " predicted",
            expected="levels whose labels, weights and energies prove a kind of molecule",
            got=f"levels such as {', '.join(levels.label[:_NAMED])}: {levels.kind_reason or levels.kind}",
            todo="import the file with --kind-of-molecule, such as asymmetric-top; docs/kinds.md lists them",
        )
    table = np.stack([levels.quantum_numbers[name] for name in names], axis=1)
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    place = np.ravel(place)
    lowest = np.full(len(first), np.inf)
    np.minimum.at(lowest, place, levels.energy_cm1)
    order = np.lexsort((first, lowest))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    if len(first) == len(levels):
        labels = tuple(levels.label[first[one]] for one in order)
    else:
        labels = tuple("_".join(f"{number:g}" for number in table[first[one]]) for one in order)
    return Units(levels.molecule, names, labels, rank[place].astype(np.int64), lowest[order])
