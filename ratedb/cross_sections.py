"""State-to-state cross sections on a grid of energies, before they are averaged to rate coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray, freeze, need_levels, need_shape, require
from ratedb.levels import Levels
from ratedb.systems import need_collider


@dataclass(frozen=True, eq=False)
class CrossSections:
    """State-to-state integral cross sections of one molecule and one collider, by one method.

    `initial` and `final` are level indices of shape (n,), in any direction, elastic ones too; the columns
    are the m energies of the calculation. `kinetic_cm1` (n, m) is the kinetic energy (cm-1) before the
    collision and increases along each row; `sigma_angstrom2` (n, m) is in square Angstrom; both are NaN where
    the source has no value. `method` is CC, CS, IOS or another short name.

    Raises RatedbError where shapes differ, an index is outside the levels, a pair is a duplicate, kinetic
    energies are not positive and increasing, or a cross section is negative.
    """

    levels: Levels
    collider: str
    method: str
    reduced_mass_u: float
    initial: IntArray
    final: IntArray
    kinetic_cm1: FloatArray
    sigma_angstrom2: FloatArray

    def __post_init__(self) -> None:
        freeze(self, initial=np.int64, final=np.int64, kinetic_cm1=np.float64, sigma_angstrom2=np.float64)
        where = f"cross sections of {self.levels.molecule}+{self.collider}"
        need_collider(self.collider, where)
        mass = self.reduced_mass_u
        require(0 < mass < 1e6, f"{where}: invalid reduced mass", "> 0 u", mass)
        n, shape = len(self.initial), self.sigma_angstrom2.shape
        need_shape(where, "final", self.final, (n,))
        need_shape(where, "kinetic_cm1", self.kinetic_cm1, shape)
        require(len(shape) == 2 and shape[0] == n, f"{where}: wrong shape", f"({n}, m)", shape)
        need_levels(where, self.initial, self.final, len(self.levels))
        known = np.isfinite(self.kinetic_cm1)
        same = np.array_equal(known, np.isfinite(self.sigma_angstrom2))
        infinite = np.isinf(self.kinetic_cm1).any() or np.isinf(self.sigma_angstrom2).any()
        what = f"{where}: energies and cross sections do not have the same gaps"
        require(same and not infinite, what, "NaN in both or numbers in both", "one without the other")
        positive = bool((self.sigma_angstrom2[known] >= 0).all())
        require(positive, f"{where}: a cross section is negative", ">= 0", "< 0")
        what = f"{where}: kinetic energies must be positive and increase"
        for row, columns in zip(self.kinetic_cm1, known, strict=True):
            increasing = bool((np.diff(row[columns], prepend=0.0) > 0).all())
            require(increasing, what, "E1 < E2 < ...", row[columns])

    def __len__(self) -> int:
        return len(self.initial)

    @property
    def system(self) -> str:
        """The name of the system, such as SiO+He."""
        return f"{self.levels.molecule}+{self.collider}"

    def transition_name(self, row: int) -> str:
        """Return the name of the transition in a row, such as `5 -> 3`."""
        return f"{self.levels.label[self.initial[row]]} -> {self.levels.label[self.final[row]]}"
