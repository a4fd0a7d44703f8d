"""Levels that a store has twice under different labels: found, and merged into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb import __version__
from ratedb.arrays import BoolArray
from ratedb.origin import now
from ratedb.physics.level_matching import coincident
from ratedb.store.levels import LevelStore
from ratedb.store.seals import changing_tables

_REFERRING = (
    ("rate", ("upper_id", "lower_id")),
    ("finding", ("upper_id", "lower_id")),
    ("line", ("upper_id", "lower_id")),
    ("level_value", ("level_id",)),
)
"""The columns that name a level."""


@dataclass(frozen=True)
class Twin:
    """One level that a store has twice: the label that is kept, the other, energy in cm-1 and weight."""

    molecule: str
    kept: str
    merged: str
    energy_cm1: float
    weight: float


class LevelRepair(LevelStore):
    """The part of a store that merges levels with the same energy and weight."""

    def molecules(self) -> list[str]:
        """Return the names of all molecules."""
        return [str(name) for name in self.column("SELECT molecule FROM molecule ORDER BY molecule")]

    def merge_twins(self, molecule: str, *, dry_run: bool = False) -> tuple[list[Twin], list[Twin]]:
        """Merge levels of a molecule that are one, later ones into the first; return these, and unclear ones.

        Levels are one where their energies and weights are equal, no other level fits and no list of levels
        names two of them. Unclear pairs fit, but other levels do too: they stay. Raises RatedbError for an
        unknown molecule.
        """
        stored = self.levels(molecule)
        order = np.argsort(stored.level_id)
        levels, level_id = stored.levels.select(order), stored.level_id[order].tolist()
        groups, unclear = coincident(levels, self._named_together(molecule, level_id))
        pairs = [(kept, merged) for kept, *others in groups for merged in others]
        if pairs and not dry_run:
            tables = ["level", *(table for table, _ in _REFERRING)]
            with self.transaction(), changing_tables(self.connection, tables):
                for kept, merged in pairs:
                    self._merge(molecule, level_id[kept], level_id[merged])

        def twin(kept: int, merged: int) -> Twin:
            energy, weight = float(levels.energy_cm1[kept]), float(levels.weight[kept])
            return Twin(molecule, levels.label[kept], levels.label[merged], energy, weight)

        return [twin(*pair) for pair in sorted(pairs)], [twin(*pair) for pair in unclear]

    def _named_together(self, molecule: str, level_id: list[int]) -> BoolArray:
        """Return which levels some list of levels names both, shape (n, n)."""
        place = {number: index for index, number in enumerate(level_id)}
        together = np.zeros((len(level_id), len(level_id)), dtype=np.bool_)
        rows = self.rows(
            "SELECT list(level_id) FROM level_value JOIN level_set USING (level_set_id) WHERE molecule = ?"
            " GROUP BY level_set_id",
            [molecule],
        )
        for (members,) in rows:
            here = [place[number] for number in members]
            together[np.ix_(here, here)] = True
        return together

    def _merge(self, molecule: str, kept: int, merged: int) -> None:
        self.rows(
            "INSERT INTO level_merge SELECT nextval('level_merge_ids'), ?, k.level_id, k.label, m.level_id,"
            " m.label, ?, ? FROM level AS k, level AS m WHERE k.level_id = ? AND m.level_id = ?",
            [molecule, now(), __version__, kept, merged],
        )
        for table, columns in _REFERRING:
            for column in columns:
                self.rows(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [kept, merged])
        self.rows("DELETE FROM level WHERE level_id = ?", [merged])
