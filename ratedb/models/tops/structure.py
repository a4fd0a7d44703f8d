"""What a level list says of a molecule and its partner: states, energies, wavefunctions, and its jumps.

Quantum numbers of the target are j, ka, kc (asymmetric top), j, k, inv (symmetric top) or j; those of a
partner that changes state have the same names with a 2. `ortho` says which nuclear spin species a state is
of; where the levels do not name it, the rules of the partner's kind and its weights do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.kinds.species import conserved, kind_with
from ratedb.kinds.units import units_of
from ratedb.levels import UNKNOWN_KIND, Levels, Transitions
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.orientation import split_energies, states
from ratedb.physics.rigid_rotor import (
    RotationalConstants,
    amplitudes,
    asymmetric_wavefunctions,
    fit_rotational_constants,
    symmetric_wavefunctions,
)

HIGHEST_ORDER = 10
"""Strengths are computed for L and M up to this."""

SPECIES = ("inv", "ortho")
"""Numbers of a state that are no angular momentum: inversion, and which nuclear spin species it is of."""

# What kinds call the numbers that are named otherwise here, and numbers that repeat others.
_NAMES = {"inversion": "inv", "inversion2": "inv2"}
_REPEATED = ("tau", "tau2")
_LEAST_LEVELS = 6
_MOST_MISFIT = 0.2


@dataclass(frozen=True, eq=False)
class Rotor:
    """The states of one molecule: quantum numbers (k,) by name, energies (k,) and wavefunctions.

    `states` is None where nothing says what they are; `constants` are those of an asymmetric top.
    """

    numbers: Mapping[str, IntArray]
    energy_cm1: FloatArray
    states: tuple[FloatArray, ...] | None
    constants: RotationalConstants | None = None

    @staticmethod
    def of(numbers: Mapping[str, IntArray], energy_cm1: FloatArray) -> Rotor:
        """Return the rotor with wavefunctions for its kind, where its quantum numbers and energies allow."""
        constants = None
        states: tuple[FloatArray, ...] | None = None
        if {"j", "ka", "kc"} <= set(numbers):
            constants = _constants(numbers, energy_cm1)
            if constants is not None:
                states = asymmetric_wavefunctions(constants, numbers["j"], numbers["ka"], numbers["kc"])
        elif {"j", "k"} <= set(numbers):
            odd = numbers.get("inv", np.zeros_like(numbers["j"]))
            states = symmetric_wavefunctions(numbers["j"], numbers["k"], odd)
        elif set(numbers) - set(SPECIES) == {"j"} and len(np.unique(numbers["j"])) == len(numbers["j"]):
            zero = np.zeros_like(numbers["j"])
            states = symmetric_wavefunctions(numbers["j"], zero, zero)
        return Rotor(numbers, energy_cm1, states, constants)

    @cached_property
    def alignment(self) -> FloatArray | None:
        """(<J_b^2> - <J_c^2>) / j(j+1) of each state, shape (k,), None without wavefunctions.

        It tells the two states of a doublet apart: +-1/2 for k = 1, close to 0 for higher k of a near-prolate
        top.
        """
        if self.states is None:
            return None
        result = np.zeros(len(self.states))
        for place, (j, state) in enumerate(zip(self.numbers["j"].tolist(), self.states, strict=True)):
            if j > 0:
                square, k = j * (j + 1.0), np.arange(-j, j - 1.0)
                steps = (square - k * (k + 1.0)) * (square - (k + 1.0) * (k + 2.0))
                result[place] = float((state[:-2] * state[2:] * np.sqrt(steps)).sum()) / square
        return result

    def amplitudes(self, initial: IntArray, final: IntArray) -> tuple[FloatArray, FloatArray] | None:
        """Return a_LM and whether cosine terms cause them, shape (n, L+1, M+1) each; None without states."""
        if self.states is None:
            return None
        table, place = np.unique(np.stack([initial, final], axis=1), axis=0, return_inverse=True)
        found = amplitudes(self.numbers["j"], self.states, table[:, 0], table[:, 1], HIGHEST_ORDER)
        place = np.ravel(place)
        return found[0][place], found[1][place]


def _constants(numbers: Mapping[str, IntArray], energy_cm1: FloatArray) -> RotationalConstants | None:
    """Return fitted constants, None for few levels or energies that contradict a rigid rotor."""
    j, ka, kc = (numbers[name] for name in ("j", "ka", "kc"))
    if len(j) < _LEAST_LEVELS or not np.isin(ka + kc - j, (0, 1)).all():
        return None
    found = fit_rotational_constants(j, ka, kc, energy_cm1)
    return found if found.residual_cm1 <= _MOST_MISFIT * float(energy_cm1.std()) else None


@dataclass(frozen=True, eq=False)
class Structure:
    """The target and the partner of a level list, and the state of each that every level has, shape (n,).

    `unit_of` (n,) is what one explicit calculation covers: the level itself where its kind is unknown.
    """

    target: Rotor
    target_of: IntArray
    partner: Rotor | None
    partner_of: IntArray
    unit_of: IntArray

    @staticmethod
    def of(levels: Levels) -> Structure:
        """Return the structure; raises RatedbError where energies are not a sum of target and partner."""
        numbers = {
            _NAMES.get(name, name): np.nan_to_num(values).astype(np.int64)
            for name, values in levels.quantum_numbers.items()
            if name not in _REPEATED
        }
        own = [name for name in numbers if not name.endswith("2")]
        other = [name for name in numbers if name.endswith("2")]
        every = np.arange(len(levels))
        unit_of = every if levels.kind == UNKNOWN_KIND else units_of(levels).of_level
        if not other:
            rotor = Rotor.of({name: numbers[name] for name in own}, levels.energy_cm1)
            return Structure(rotor, every, None, np.zeros(len(levels), dtype=np.int64), unit_of)
        first, target_of = states(numbers, own)
        second, partner_of = states(numbers, other)
        energies = split_energies(levels.energy_cm1, target_of, partner_of)
        target = Rotor.of({name: numbers[name][first] for name in own}, energies[0])
        of_partner = {name[:-1]: numbers[name][second] for name in other}
        if "ortho" not in of_partner and (levels.weight > 0).all():
            weight = np.exp(split_energies(np.log(levels.weight), target_of, partner_of)[1])
            of_partner |= _species(of_partner, weight)
        partner = Rotor.of(of_partner, energies[1])
        return Structure(target, target_of, partner, partner_of, unit_of)

    def unit_energy_cm1(self, levels: Levels) -> FloatArray:
        """Return the lowest energy of each unit's levels in cm-1, shape (u,)."""
        lowest = np.full(int(self.unit_of.max()) + 1, np.inf)
        np.minimum.at(lowest, self.unit_of, levels.energy_cm1)
        return lowest

    @cached_property
    def level_of_unit(self) -> IntArray:
        """The first level of each unit, shape (u,)."""
        return np.unique(self.unit_of, return_index=True)[1].astype(np.int64)


def _species(numbers: Mapping[str, IntArray], weight: FloatArray) -> dict[str, IntArray]:
    """Return `ortho` of a molecule's states, shape (k,), where its kind and their weights tell species apart.

    Weights may be off by one factor.
    """
    kind = kind_with(frozenset(numbers))
    if kind is None:
        return {}
    own = {name: one.astype(np.float64) for name, one in numbers.items()}
    found = conserved(kind, own, weight)
    return {"ortho": found.value} if found.words else {}


@dataclass(frozen=True, eq=False)
class Jumps:
    """Transitions in terms of both molecules: states before and after, shape (n,) each."""

    structure: Structure
    unit: IntArray
    initial: IntArray
    final: IntArray
    partner_initial: IntArray
    partner_final: IntArray

    @staticmethod
    def of(structure: Structure, transitions: Transitions) -> Jumps:
        """Return the jumps of transitions; `unit` is that of the initial level."""
        upper, lower = transitions.upper, transitions.lower
        target, partner = structure.target_of, structure.partner_of
        unit = structure.unit_of[upper]
        return Jumps(structure, unit, target[upper], target[lower], partner[upper], partner[lower])

    def __len__(self) -> int:
        return len(self.unit)

    def select(self, rows: IntArray) -> Jumps:
        """Return some of the jumps."""
        own = (self.unit, self.initial, self.final, self.partner_initial, self.partner_final)
        return Jumps(self.structure, *(one[rows] for one in own))

    @cached_property
    def gap_cm1(self) -> FloatArray:
        """The energy that the target loses, shape (n,)."""
        energy = self.structure.target.energy_cm1
        return np.asarray(energy[self.initial] - energy[self.final])

    @cached_property
    def partner_gap_cm1(self) -> FloatArray:
        """The energy that the partner loses, shape (n,)."""
        if self.structure.partner is None:
            return np.zeros(len(self))
        energy = self.structure.partner.energy_cm1
        return np.asarray(energy[self.partner_initial] - energy[self.partner_final])

    @cached_property
    def partner_unresolved(self) -> bool:
        """Whether no jump has another state of the partner after it: none, or a sum over its final states."""
        return bool((self.partner_initial == self.partner_final).all())

    def threshold_dex(self, temperature_k: FloatArray) -> FloatArray:
        """Return log10 of exp(-max(0, dE)/kT), shape (n, m), dE the energy that the pair has to gain."""
        needed = np.maximum(0.0, -(self.gap_cm1 + self.partner_gap_cm1))
        needed = np.where(self.partner_gap_cm1 < 0, needed, 0.0)
        return np.asarray(-HC_OVER_KB_CM_K / np.log(10.0) * needed[:, None] / temperature_k)

    @cached_property
    def amplitudes(self) -> tuple[FloatArray, FloatArray] | None:
        """a_LM of the target's jump and whether cosine terms cause it, None where unknown."""
        return self.structure.target.amplitudes(self.initial, self.final)

    @cached_property
    def strengths(self) -> FloatArray | None:
        """S_L of the target's jump, summed over M, shape (n, L+1), None where unknown."""
        return None if self.amplitudes is None else np.asarray((self.amplitudes[0] ** 2).sum(axis=2))

    def differences(self) -> IntArray:
        """Return the absolute differences of the target's quantum numbers, shape (n, q)."""
        numbers = [one for name, one in self.structure.target.numbers.items() if name != "ortho"]
        columns = [np.abs(one[self.initial] - one[self.final]) for one in numbers]
        return np.stack(columns, axis=1)
