"""Energy levels of a molecule, the pairs of them that transitions connect, and radiative lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray, IntArray, freeze, frozen, need_shape, require
from ratedb.errors import RatedbError

_UNKNOWN: Any = None

LINEAR = "linear"
"""The molecule kind whose levels are v and j."""
UNKNOWN_KIND = "unknown"
"""The molecule kind of levels that only their labels name."""


def vj(v: npt.ArrayLike | None, j: npt.ArrayLike | None) -> dict[str, FloatArray]:
    """Return v and j, shape (n,) each, as quantum numbers of a linear molecule; none where one is None."""
    if v is None or j is None:
        return {}
    return {"v": np.asarray(v, dtype=np.float64), "j": np.asarray(j, dtype=np.float64)}


@dataclass(frozen=True, eq=False)
class Levels:
    """The energy levels of one molecule, in the order of their source.

    `energy_cm1` (cm-1) and `weight` (statistical weight) have shape (n,). `quantum_numbers` has named
    quantum numbers such as v, j, ka, kc, F, shape (n,) each, NaN where a level lacks one; half-integers are
    allowed. The quantum numbers of a collider that changes state too have names that end in 2, as j2.
    `label` always names the level. `kind` is the molecule kind: `linear` where there are v and j unless
    another is given; `kind_reason` is why, in the words of whoever recognised it, and no part of the store.

    Raises RatedbError where shapes differ, a number is not finite, a weight is not positive or a label is a
    duplicate.
    """

    molecule: str
    label: tuple[str, ...]
    energy_cm1: FloatArray
    weight: FloatArray
    quantum_numbers: Mapping[str, FloatArray] = field(default_factory=dict)
    molecular_weight: float | None = None
    kind: str = ""
    kind_reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", tuple(self.label))
        freeze(self, energy_cm1=np.float64, weight=np.float64)
        named = {name: frozen(values, np.float64) for name, values in self.quantum_numbers.items()}
        object.__setattr__(self, "quantum_numbers", named)
        where, n = f"levels of {self.molecule}", len(self.label)
        for name, array in {"energy_cm1": self.energy_cm1, "weight": self.weight, **named}.items():
            need_shape(where, name, array, (n,))
        for name in ("energy_cm1", "weight"):
            array = getattr(self, name)
            require(
                bool(np.isfinite(array).all()), f"{where}: {name} has a non-finite value", "numbers", array
            )
        require(bool((self.weight > 0).all()), f"{where}: invalid statistical weight", "> 0", self.weight)
        if len(set(self.label)) < n:
            duplicates = sorted({label for label in self.label if self.label.count(label) > 1})
            require(False, f"{where}: duplicate labels", "each label once", ", ".join(duplicates))
        if not self.kind:
            object.__setattr__(self, "kind", LINEAR if self.has_vj else UNKNOWN_KIND)

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        names = ", ".join(self.quantum_numbers) or "labels only"
        return f"<Levels of {self.molecule}: {len(self)} levels, {self.kind} ({names})>"

    @cached_property
    def has_vj(self) -> bool:
        """Whether v and j, both integers, are the quantum numbers of every level."""
        return set(self.quantum_numbers) == {"v", "j"} and all(
            bool((values % 1 == 0).all()) for values in self.quantum_numbers.values()
        )

    @cached_property
    def v(self) -> IntArray | None:
        """The vibrational quantum number of each level, shape (n,), None where levels have no v and j."""
        return frozen(self.quantum_numbers["v"], np.int64) if self.has_vj else None

    @cached_property
    def j(self) -> IntArray | None:
        """The rotational quantum number of each level, shape (n,), None where levels have no v and j."""
        return frozen(self.quantum_numbers["j"], np.int64) if self.has_vj else None

    @cached_property
    def places(self) -> dict[str, int]:
        """The index of each level by its label."""
        return {label: index for index, label in enumerate(self.label)}

    def need_vj(self) -> tuple[IntArray, IntArray]:
        """Return (v, j), each of shape (n,); raises RatedbError where the levels have none."""
        v, j = self.v, self.j
        if v is None or j is None:
            raise RatedbError(
                f"the levels of {self.molecule} are not labelled by v and j",
                expected="labels such as 5 or 1_5, with weights in proportion to 2j+1",
                got=", ".join(self.label[:4]),
                todo="such a system can be stored, queried and exported, but not planned or predicted by j",
            )
        return v, j

    def need_j(self) -> FloatArray:
        """Return j of each level, shape (n,), of any kind that has it; raises RatedbError for others."""
        j = self.quantum_numbers.get("j")
        return self.need_vj()[1].astype(np.float64) if j is None or np.isnan(j).any() else j

    def select(self, keep: npt.ArrayLike) -> Levels:
        """Return the levels at the indices `keep`, shape (m,), in that order."""
        index = np.asarray(keep, dtype=np.int64)
        return replace(
            self,
            label=tuple(self.label[i] for i in index),
            energy_cm1=self.energy_cm1[index],
            weight=self.weight[index],
            quantum_numbers={name: values[index] for name, values in self.quantum_numbers.items()},
        )

    def downward_pairs(self) -> Transitions:
        """Return all pairs of levels that go down in energy."""
        upper, lower = np.nonzero(self.energy_cm1[:, None] > self.energy_cm1[None, :])
        return Transitions(self, upper.astype(np.int64), lower.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Transitions:
    """Transitions of one molecule, without values: `upper` and `lower` are level indices of shape (n,)."""

    levels: Levels
    upper: IntArray
    lower: IntArray

    def __len__(self) -> int:
        return len(self.upper)

    def select(self, keep: IntArray | BoolArray) -> Transitions:
        """Return the transitions at `keep`, indices or a mask."""
        return Transitions(self.levels, self.upper[keep], self.lower[keep])

    def vj(self) -> IntArray:
        """Return v, j, v', j' of each transition, shape (n, 4); raises RatedbError where levels have none."""
        v, j = self.levels.need_vj()
        return np.stack([v[self.upper], j[self.upper], v[self.lower], j[self.lower]], axis=1)

    def initial_j(self) -> IntArray:
        """Return the initial j of each transition, shape (n,); raises RatedbError where levels have none."""
        return self.levels.need_vj()[1][self.upper]

    def keys(self) -> IntArray:
        """Return one number for each transition, shape (n,), by which they are matched."""
        return self.upper * len(self.levels) + self.lower

    def names(self) -> list[tuple[str, str]]:
        """Return the labels of the initial and the final level of each transition."""
        label = self.levels.label
        return [(label[u], label[w]) for u, w in zip(self.upper.tolist(), self.lower.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Lines:
    """Radiative lines between the levels of a Levels.

    `upper` and `lower` are level indices of shape (n,); `einstein_a_s1` (s-1), `frequency_ghz` (GHz) and
    `upper_energy_k` (the energy of the upper level in K as the source prints it, NaN where it has none) have
    the same shape, and so has `frequency_computed`: whether a frequency is the difference of the level
    energies, because the source has none. Raises RatedbError where shapes differ.
    """

    upper: IntArray
    lower: IntArray
    einstein_a_s1: FloatArray
    frequency_ghz: FloatArray
    upper_energy_k: FloatArray = _UNKNOWN
    frequency_computed: BoolArray = _UNKNOWN

    def __post_init__(self) -> None:
        freeze(self, upper=np.int64, lower=np.int64, einstein_a_s1=np.float64, frequency_ghz=np.float64)
        n = len(self.upper)
        if self.upper_energy_k is _UNKNOWN:
            object.__setattr__(self, "upper_energy_k", np.full(n, np.nan))
        if self.frequency_computed is _UNKNOWN:
            object.__setattr__(self, "frequency_computed", np.zeros(n, dtype=np.bool_))
        freeze(self, upper_energy_k=np.float64, frequency_computed=np.bool_)
        for one in fields(self)[1:]:
            need_shape("lines", one.name, getattr(self, one.name), self.upper.shape)

    def __len__(self) -> int:
        return len(self.upper)

    def select(self, keep: IntArray | BoolArray) -> Lines:
        """Return the lines at `keep`, indices or a mask."""
        return Lines(*(getattr(self, one.name)[keep] for one in fields(self)))

    @staticmethod
    def empty() -> Lines:
        """Return no lines."""
        none = np.empty(0, dtype=np.int64)
        return Lines(none, none, np.empty(0), np.empty(0))
