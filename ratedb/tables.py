"""The frozen arrays that all parts of ratedb exchange, validated once when they are made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.errors import RatedbError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

COLLIDERS = ("H2", "p-H2", "o-H2", "e", "H", "He", "H+")
"""Collision partners by the names that readers of LAMDA files know, in the order of their ids 1..7."""


def split_system(name: str) -> tuple[str, str]:
    """Return (molecule, collider) of a system's name such as HCO++p-H2; raises RatedbError."""
    for collider in sorted(COLLIDERS, key=len, reverse=True):
        molecule, sign = name[: -len(collider) - 1], name[-len(collider) - 1 : -len(collider)]
        if name.endswith(collider) and sign == "+" and molecule:
            return molecule, collider
    raise RatedbError(
        f"{name!r} is not the name of a system",
        expected="MOLECULE+COLLIDER, with a collider among " + " ".join(COLLIDERS),
        got=name,
        todo="write for example CO+p-H2 or SiO+He",
    )


def _frozen(values: npt.ArrayLike, dtype: Any) -> npt.NDArray[Any]:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def _require(condition: bool, what: str, expected: str, got: object) -> None:
    if not condition:
        raise RatedbError(what, expected=expected, got=str(got))


def gap_patterns(known: BoolArray) -> tuple[BoolArray, IntArray]:
    """Return the different rows of `known`, shape (n, m), and which of them each row is, shape (n,)."""
    if known.all():  # nearly always; sorting a million rows to see it takes seconds
        return np.ones((min(len(known), 1), known.shape[1]), dtype=np.bool_), np.zeros(len(known), np.int64)
    patterns, group = np.unique(known, axis=0, return_inverse=True)
    return patterns, np.ravel(group).astype(np.int64)


def _need_levels(where: str, ends: IntArray, count: int) -> None:
    inside = bool(ends.min() >= 0 and ends.max() < count)
    _require(inside, f"{where}: a level index is outside the levels", f"0..{count - 1}", ends.max())


def _need_once(where: str, pairs: IntArray) -> None:
    once = len(np.unique(pairs)) == len(pairs)
    _require(once, f"{where}: a transition stands twice", "each pair once", "duplicates")


@dataclass(frozen=True, eq=False)
class LevelTable:
    """The energy levels of one molecule, in the order of their source.

    `energy_cm1` and `weight` (statistical weight) have shape (n,). `v` and `j` have shape (n,) where
    every level has both quantum numbers, and are None otherwise; `label` always names the level.

    Raises RatedbError where shapes differ, a number is not finite, a weight is not positive or a label
    stands twice.
    """

    molecule: str
    label: tuple[str, ...]
    energy_cm1: FloatArray
    weight: FloatArray
    v: IntArray | None = None
    j: IntArray | None = None
    molecular_weight: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", tuple(self.label))
        object.__setattr__(self, "energy_cm1", _frozen(self.energy_cm1, np.float64))
        object.__setattr__(self, "weight", _frozen(self.weight, np.float64))
        n = len(self.label)
        where = f"levels of {self.molecule}"
        for name in ("energy_cm1", "weight"):
            array = getattr(self, name)
            _require(array.shape == (n,), f"{where}: {name} has a wrong shape", f"({n},)", array.shape)
            _require(
                bool(np.isfinite(array).all()),
                f"{where}: {name} has a value that is not finite",
                "numbers",
                array,
            )
        _require((self.v is None) == (self.j is None), f"{where}: v and j go together", "both or none", "one")
        if self.v is not None and self.j is not None:
            object.__setattr__(self, "v", _frozen(self.v, np.int64))
            object.__setattr__(self, "j", _frozen(self.j, np.int64))
            for name in ("v", "j"):
                shape = getattr(self, name).shape
                _require(shape == (n,), f"{where}: {name} has a wrong shape", f"({n},)", shape)
        _require(
            bool((self.weight > 0).all()),
            f"{where}: a statistical weight is not positive",
            "> 0",
            self.weight,
        )
        twice = (
            sorted({label for label in self.label if self.label.count(label) > 1})
            if len(set(self.label)) < n
            else []
        )
        _require(not twice, f"{where}: labels stand twice", "each label once", ", ".join(twice))

    def __len__(self) -> int:
        return len(self.label)

    @property
    def has_vj(self) -> bool:
        """Whether every level carries v and j."""
        return self.j is not None

    def need_vj(self) -> tuple[IntArray, IntArray]:
        """Return (v, j), each of shape (n,); raises RatedbError where the levels have none."""
        if self.v is None or self.j is None:
            raise RatedbError(
                f"the levels of {self.molecule} are not labelled by v and j",
                expected="labels such as 5 or 1_5, with weights in proportion to 2j+1",
                got=", ".join(self.label[:4]),
                todo="such a system can be stored, queried and exported, but not planned or predicted by j",
            )
        return self.v, self.j

    def select(self, keep: npt.ArrayLike) -> LevelTable:
        """Return the levels at the indices `keep`, shape (m,), in that order."""
        index = np.asarray(keep, dtype=np.int64)
        return replace(
            self,
            label=tuple(self.label[i] for i in index),
            energy_cm1=self.energy_cm1[index],
            weight=self.weight[index],
            v=None if self.v is None else self.v[index],
            j=None if self.j is None else self.j[index],
        )


@dataclass(frozen=True, eq=False)
class LineTable:
    """Radiative lines between the levels of a LevelTable.

    `upper` and `lower` are level indices of shape (n,); `einstein_a_s1` (s-1) and `frequency_ghz` (GHz)
    have the same shape.
    """

    upper: IntArray
    lower: IntArray
    einstein_a_s1: FloatArray
    frequency_ghz: FloatArray

    def __post_init__(self) -> None:
        for name, dtype in (
            ("upper", np.int64),
            ("lower", np.int64),
            ("einstein_a_s1", np.float64),
            ("frequency_ghz", np.float64),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
            shape = getattr(self, name).shape
            _require(
                shape == self.upper.shape, f"lines: {name} has a wrong shape", str(self.upper.shape), shape
            )

    def __len__(self) -> int:
        return len(self.upper)

    @staticmethod
    def empty() -> LineTable:
        """Return a table without lines."""
        none = np.empty(0, dtype=np.int64)
        return LineTable(none, none, np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class RateTable:
    """Rate coefficients of one molecule and one collider on one temperature grid.

    `upper` and `lower` are level indices of shape (n,), downward in energy; `temperature_k` (K, strictly
    increasing) has shape (m,); `rate_cm3_s` (cm3 s-1) has shape (n, m), NaN where the source has no value.
    A rate of zero is kept as the source has it.

    Raises RatedbError where shapes differ, an index is outside the levels, a pair stands twice, the
    temperatures do not increase, or a rate is negative or infinite.
    """

    levels: LevelTable
    collider: str
    upper: IntArray
    lower: IntArray
    temperature_k: FloatArray
    rate_cm3_s: FloatArray

    def __post_init__(self) -> None:
        for name, dtype in (
            ("upper", np.int64),
            ("lower", np.int64),
            ("temperature_k", np.float64),
            ("rate_cm3_s", np.float64),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
        where = f"rates of {self.system}"
        n, m = len(self.upper), len(self.temperature_k)
        _require(self.collider in COLLIDERS, f"{where}: unknown collider", " ".join(COLLIDERS), self.collider)
        _require(self.lower.shape == (n,), f"{where}: lower has a wrong shape", f"({n},)", self.lower.shape)
        shape = self.rate_cm3_s.shape
        _require(shape == (n, m), f"{where}: rate_cm3_s has a wrong shape", f"({n}, {m})", shape)
        rising = bool((np.diff(self.temperature_k) > 0).all() and (self.temperature_k > 0).all())
        _require(
            rising,
            f"{where}: temperatures must be positive and increase",
            "T1 < T2 < ...",
            self.temperature_k,
        )
        if n:
            _need_levels(where, np.concatenate([self.upper, self.lower]), len(self.levels))
            _need_once(where, self.upper * len(self.levels) + self.lower)
        wrong = (self.rate_cm3_s < 0) | np.isinf(self.rate_cm3_s)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise RatedbError(
                f"{where}: a rate coefficient is negative or infinite",
                where=f"{self.transition_name(row)} at {self.temperature_k[column]:g} K",
                expected="a number >= 0 in cm3 s-1",
                got=str(self.rate_cm3_s[row, column]),
            )

    def __len__(self) -> int:
        return len(self.upper)

    @property
    def system(self) -> str:
        """The name of the system, such as CO+p-H2."""
        return f"{self.levels.molecule}+{self.collider}"

    def transition_name(self, row: int) -> str:
        """Return a name for people of the transition in a row, such as `5 -> 3`."""
        return f"{self.levels.label[self.upper[row]]} -> {self.levels.label[self.lower[row]]}"

    def initial_j(self) -> IntArray:
        """Return j of the initial (upper) level of each transition, shape (n,)."""
        return self.levels.need_vj()[1][self.upper]

    def select(self, keep: npt.ArrayLike) -> RateTable:
        """Return the transitions at `keep`, a boolean mask of shape (n,) or indices."""
        rows = np.asarray(keep)
        if rows.dtype != np.bool_:
            rows = rows.astype(np.int64)  # an empty list would be an array of floats
        return replace(self, upper=self.upper[rows], lower=self.lower[rows], rate_cm3_s=self.rate_cm3_s[rows])

    def sha256(self) -> str:
        """Return a hash of the transitions, temperatures and values, independent of their order."""
        label = self.levels.label
        names = [f"{label[u]}>{label[w]}" for u, w in zip(self.upper, self.lower, strict=True)]
        order = sorted(range(len(names)), key=names.__getitem__)
        digest = hashlib.sha256("\n".join([self.system, *(names[i] for i in order)]).encode())
        digest.update(self.temperature_k.tobytes())
        digest.update(np.ascontiguousarray(self.rate_cm3_s[order]).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted rate coefficients of transitions, with their uncertainty.

    `upper` and `lower` are level indices of shape (n,); `log10_mean` and `log10_std` have shape (n, m)
    for the m temperatures; `extrapolated`, shape (n,), marks transitions outside what the model was
    trained on (a |dj| never seen, or an initial j beyond the training range).
    """

    levels: LevelTable
    collider: str
    upper: IntArray
    lower: IntArray
    temperature_k: FloatArray
    log10_mean: FloatArray
    log10_std: FloatArray
    extrapolated: BoolArray

    def __post_init__(self) -> None:
        for name, dtype in (
            ("upper", np.int64),
            ("lower", np.int64),
            ("temperature_k", np.float64),
            ("log10_mean", np.float64),
            ("log10_std", np.float64),
            ("extrapolated", np.bool_),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
        shape = (len(self.upper), len(self.temperature_k))
        for name in ("log10_mean", "log10_std"):
            array = getattr(self, name)
            what = f"prediction for {self.levels.molecule}+{self.collider}: {name}"
            _require(array.shape == shape, f"{what} has a wrong shape", str(shape), array.shape)
            _require(
                bool(np.isfinite(array).all()),
                f"{what} has a value that is not finite",
                "numbers",
                "nan or inf",
            )
        _require(
            bool((self.log10_std >= 0).all()), "a predicted standard deviation is negative", ">= 0", "< 0"
        )

    def __len__(self) -> int:
        return len(self.upper)

    def rates(self) -> RateTable:
        """Return the predicted means as a RateTable in cm3 s-1."""
        return RateTable(
            self.levels, self.collider, self.upper, self.lower, self.temperature_k, 10.0**self.log10_mean
        )


@dataclass(frozen=True, eq=False)
class CrossSectionTable:
    """State-to-state integral cross sections of one molecule and one collider, by one method.

    `initial` and `final` are level indices of shape (n,), in any direction, elastic ones too; the columns
    are the m energies of the calculation. `kinetic_cm1` (n, m) is the kinetic energy (cm-1) before the
    collision and increases along each row; `sigma_angstrom2` (n, m) is in square Angstrom; both are NaN where
    the source has no value. `method` is CC, CS, IOS or another short name.

    Raises RatedbError where shapes differ, an index is outside the levels, a pair stands twice, kinetic
    energies are not positive and increasing, or a cross section is negative.
    """

    levels: LevelTable
    collider: str
    method: str
    reduced_mass_u: float
    initial: IntArray
    final: IntArray
    kinetic_cm1: FloatArray
    sigma_angstrom2: FloatArray

    def __post_init__(self) -> None:
        for name, dtype in (
            ("initial", np.int64),
            ("final", np.int64),
            ("kinetic_cm1", np.float64),
            ("sigma_angstrom2", np.float64),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
        where = f"cross sections of {self.levels.molecule}+{self.collider}"
        _require(self.collider in COLLIDERS, f"{where}: unknown collider", " ".join(COLLIDERS), self.collider)
        _require(
            0 < self.reduced_mass_u < 1e6, f"{where}: impossible reduced mass", "> 0 u", self.reduced_mass_u
        )
        n, shape = len(self.initial), self.sigma_angstrom2.shape
        _require(self.final.shape == (n,), f"{where}: final has a wrong shape", f"({n},)", self.final.shape)
        _require(
            len(shape) == 2 and shape[0] == n and self.kinetic_cm1.shape == shape,
            f"{where}: arrays have wrong shapes",
            f"({n}, m)",
            (shape, self.kinetic_cm1.shape),
        )
        if n:
            _need_levels(where, np.concatenate([self.initial, self.final]), len(self.levels))
            _need_once(where, self.initial * len(self.levels) + self.final)
        known = np.isfinite(self.kinetic_cm1)
        _require(
            np.array_equal(known, np.isfinite(self.sigma_angstrom2))
            and not np.isinf(self.kinetic_cm1).any()
            and not np.isinf(self.sigma_angstrom2).any(),
            f"{where}: energies and cross sections have not the same gaps",
            "NaN in both or numbers in both",
            "one without the other",
        )
        _require(
            bool((self.sigma_angstrom2[known] >= 0).all()),
            f"{where}: a cross section is negative",
            ">= 0",
            "< 0",
        )
        for kinetic, there in zip(self.kinetic_cm1, known, strict=True):
            energies = kinetic[there]
            _require(
                bool((energies > 0).all() and (np.diff(energies) > 0).all()),
                f"{where}: kinetic energies must be positive and increase",
                "E1 < E2 < ...",
                energies,
            )

    def __len__(self) -> int:
        return len(self.initial)

    @property
    def system(self) -> str:
        """The name of the system, such as SiO+He."""
        return f"{self.levels.molecule}+{self.collider}"

    def transition_name(self, row: int) -> str:
        """Return a name for people of the transition in a row, such as `5 -> 3`."""
        return f"{self.levels.label[self.initial[row]]} -> {self.levels.label[self.final[row]]}"


@dataclass(frozen=True)
class Finding:
    """What a rule of quality control found: where, what stands there, what was expected, and why.

    `severity` is `error` (the value is wrong beyond doubt, and marked), `warning` (it deserves a look) or
    `note`. `upper` and `lower` are level labels, None where the finding is about a whole file or system;
    only `lower` is None where it is about all transitions out of `upper`;
    `temperature_k` is None where it is about all temperatures. `value` and `expected` are numbers in the
    unit of what the rule looks at, which `detail` names.
    """

    rule: str
    severity: str
    system: str
    detail: str
    upper: str | None = None
    lower: str | None = None
    temperature_k: float | None = None
    value: float | None = None
    expected: float | None = None

    @property
    def transition(self) -> str | None:
        """The name of the transition for people, such as `5 -> 3`, or `out of 5` for an initial level."""
        if self.lower is None:
            return None if self.upper is None else f"out of {self.upper}"
        return f"{self.upper} -> {self.lower}"


@dataclass(frozen=True, eq=False)
class PartnerRates:
    """The rates for one collision partner as a file gives them, with the reference and kind it names.

    `findings` are what the reader saw that the table no longer shows, such as two directions that contradict
    each other.
    """

    rates: RateTable
    reference: str = ""
    kind: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class MoleculeFile:
    """All that one file says about a molecule: levels, radiative lines, and rates for each partner.

    `warnings` are sentences for people: what the reader mended, recomputed or left out.
    """

    levels: LevelTable
    lines: LineTable
    partners: tuple[PartnerRates, ...]
    warnings: tuple[str, ...] = ()
