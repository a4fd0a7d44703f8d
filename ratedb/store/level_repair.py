"""Levels that a store has twice under different labels: found, and merged into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb import __version__
from ratedb.origin import now
from ratedb.physics.level_matching import coincident
from ratedb.store.levels import LevelStore

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

    def merge_twins(self, molecule: str, *, dry_run: bool = False) -> list[Twin]:
        """Merge levels of a molecule that are one, the later into the earlier; return what was merged.

        Two levels are one where their energies (within 0.001 cm-1) and weights are equal, no other level fits
        and no list of levels names both. Raises RatedbError for an unknown molecule.
        """
        stored = self.levels(molecule)
        order = np.argsort(stored.level_id)
        levels, level_id = stored.levels.select(order), stored.level_id[order].tolist()
        place = {number: index for index, number in enumerate(level_id)}
        together = np.zeros((len(levels), len(levels)), dtype=np.bool_)
        rows = self.rows(
            "SELECT list(level_id) FROM level_value JOIN level_set USING (level_set_id) WHERE molecule = ?"
            " GROUP BY level_set_id",
            [molecule],
        )
        for (members,) in rows:
            here = [place[number] for number in members]
            together[np.ix_(here, here)] = True
        pairs = coincident(levels, together)
        if pairs and not dry_run:
            with self.transaction():
                for kept, merged in pairs:
                    self._merge(molecule, level_id[kept], level_id[merged])
        label, energy, weight = levels.label, levels.energy_cm1, levels.weight
        return [Twin(molecule, label[a], label[b], float(energy[a]), float(weight[a])) for a, b in pairs]

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
