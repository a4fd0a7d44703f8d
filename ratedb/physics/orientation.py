"""Which way a transition goes: down in the energy of the target, or down in the energy of both molecules.

Stores and files keep transitions that go down in the energy of all that changes. An explicit calculation is
for an initial state of the target, and models learn rates by which the target loses energy. The two differ
only where a partner changes state too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.kinds.units import Units, units_of
from ratedb.levels import Levels, Transitions
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.rates import Rates


def states(numbers: Mapping[str, IntArray | FloatArray], names: list[str]) -> tuple[IntArray, IntArray]:
    """Return where each distinct state of one molecule is first, and the state of each level, shape (n,)."""
    table = np.stack([numbers[name] for name in names], axis=1)
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return first.astype(np.int64), np.ravel(place).astype(np.int64)


def split_energies(
    energy_cm1: FloatArray, target: IntArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the energies of both molecules' states, from those of pairs, each from its lowest state."""
    design = np.zeros((len(energy_cm1), target.max() + partner.max() + 2))
    rows = np.arange(len(energy_cm1))
    design[rows, target] = 1.0
    design[rows, target.max() + 1 + partner] = 1.0
    both = np.linalg.lstsq(design, energy_cm1, rcond=None)[0]
    own, other = both[: target.max() + 1], both[target.max() + 1 :]
    return own - own.min(), other - other.min()


def target_energy_cm1(levels: Levels) -> FloatArray:
    """Return the energy of the target at each level, shape (n,), in cm-1; without a partner the level's."""
    names = list(levels.quantum_numbers)
    other = [name for name in names if name.endswith("2")]
    if not other:
        return levels.energy_cm1
    numbers = {name: np.nan_to_num(values) for name, values in levels.quantum_numbers.items()}
    target = states(numbers, [name for name in names if name not in other])[1]
    return split_energies(levels.energy_cm1, target, states(numbers, other)[1])[0][target]


def target_rises(transitions: Transitions) -> BoolArray:
    """Return where the target gains energy from the first level to the second, shape (n,)."""
    energy = target_energy_cm1(transitions.levels)
    return np.asarray(energy[transitions.upper] < energy[transitions.lower])


def turned(transitions: Transitions, rows: BoolArray) -> Transitions:
    """Return transitions with some of them in the opposite direction."""
    upper, lower = transitions.upper, transitions.lower
    return Transitions(transitions.levels, np.where(rows, lower, upper), np.where(rows, upper, lower))


def turned_rates(rates: Rates, rows: BoolArray) -> Rates:
    """Return rates with some transitions in the opposite direction, by detailed balance."""
    if not rows.any():
        return rates
    way = turned(rates.transitions, rows)
    weights = rates.upper_weight[:, None], rates.lower_weight[:, None]
    energies = rates.upper_energy_cm1[:, None], rates.lower_energy_cm1[:, None]
    other = reverse_rate(rates.rate_cm3_s, *weights, *energies, rates.temperature_k)
    values = np.where(rows[:, None], other, rates.rate_cm3_s)
    return replace(rates, upper=way.upper, lower=way.lower, rate_cm3_s=values)


def with_target_falling(rates: Rates) -> Rates:
    """Return rates in the direction in which the target loses energy; where both are there, that one."""
    rises, size = target_rises(rates.transitions), len(rates.levels)
    twice = rises & np.isin(rates.lower * size + rates.upper, rates.transitions.keys())
    return turned_rates(rates.select(~twice), rises[~twice])


def downward(transitions: Transitions) -> Transitions:
    """Return transitions in the direction in which stores keep them: the energy of all falls."""
    energy = transitions.levels.energy_cm1
    return turned(transitions, energy[transitions.upper] < energy[transitions.lower])


def units_out_of(transitions: Transitions, units: Units) -> IntArray:
    """Return the unit out of which an explicit calculation gives each transition, shape (n,)."""
    return units.of_level[turned(transitions, target_rises(transitions)).upper]


def units_with_rates(rates: Rates) -> tuple[str, ...]:
    """Return the labels of the initial states that some rates go out of, in the order of energy."""
    units = units_of(rates.levels)
    return units.named_once(units_out_of(rates.transitions, units))
