"""Rates between rotational levels from those between their hyperfine levels: the way back.

    k(j -> j') = sum over F of (2F+1) [sum over F' of k(j F -> j' F')] / sum over F of (2F+1)

The hyperfine levels of one j are populated by their weights, which all collisions and no line keep so.
"""

from __future__ import annotations

import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import RatedbError
from ratedb.levels import LINEAR, Levels
from ratedb.physics.derived import Derived, distinct_states, downward, half_widths, number_label, summed
from ratedb.rates import Rates

_OF_SPINS = ("F1", "F")
_SHOWN = 4


def rotational_rates(rates: Rates, molecule: str) -> Derived:
    """Return rates without hyperfine structure, summed over final and averaged over initial levels.

    Left out is each transition that lacks a rate between two of its hyperfine levels. Raises RatedbError
    where the levels have no F, or no sum is complete.
    """
    levels = rates.levels
    names = [name for name in levels.quantum_numbers if name not in _OF_SPINS]
    if "F" not in levels.quantum_numbers or not names:
        raise RatedbError(
            f"the levels of {levels.molecule} have no hyperfine structure",
            expected="the quantum number F, named by the header of the list",
            got=", ".join(levels.quantum_numbers) or f"labels such as {levels.label[0]!r}",
        )
    first, state = distinct_states(levels, names)
    weight = 2.0 * levels.quantum_numbers["F"] + 1.0
    whole = _without_spins(levels, molecule, names, first, state)
    mean_energy = whole.energy_cm1[state]
    change = state[rates.upper] != state[rates.lower]
    rates = rates.select(change)
    back = mean_energy[rates.upper] < mean_energy[rates.lower]
    initial, final = np.where(back, (rates.lower, rates.upper), (rates.upper, rates.lower))
    k = np.where(back[:, None], rates.upward_rate_cm3_s, rates.rate_cm3_s)
    share = weight / np.bincount(state, weight)[state]
    pairs, group = np.unique(np.stack([state[initial], state[final]], axis=1), axis=0, return_inverse=True)
    group = np.ravel(group)
    terms = share[initial][:, None] * k
    total, half_width = summed(group, len(pairs), terms, half_widths(rates))
    there = np.zeros(total.shape)
    np.add.at(there, group, np.isfinite(terms).astype(np.float64))
    members = np.bincount(state)
    complete = there == (members[pairs[:, 0]] * members[pairs[:, 1]])[:, None]
    values = np.where(complete, total, np.nan)
    ends = pairs[:, 0], pairs[:, 1]
    table = downward(whole, rates.collider, ends, rates.temperature_k, values, half_width)
    left_out = [f"{whole.label[a]} -> {whole.label[b]}" for a, b in pairs[~complete.any(axis=1)].tolist()]
    return Derived(table, tuple(_warnings(left_out)), {"left_out": left_out})


def _without_spins(
    levels: Levels, molecule: str, names: list[str], first: IntArray, state: IntArray
) -> Levels:
    """Return the levels without F: weights add up, and energies are means by 2F+1."""
    weight = 2.0 * levels.quantum_numbers["F"] + 1.0
    numbers = {name: levels.quantum_numbers[name][first] for name in names}
    kind = levels.kind.split(" + ")[0]
    if kind == LINEAR and "v" not in numbers:
        numbers = {"v": np.zeros(len(first)), **numbers}
    energy = np.bincount(state, weight * levels.energy_cm1) / np.bincount(state, weight)
    return Levels(
        molecule,
        tuple(number_label(numbers, place) for place in range(len(first))),
        energy,
        np.bincount(state, levels.weight).astype(np.float64),
        numbers,
        levels.molecular_weight,
        kind=kind,
    )


def _warnings(left_out: list[str]) -> list[str]:
    if not left_out:
        return []
    names = ", ".join(left_out[:_SHOWN])
    return [
        f"{len(left_out)} transitions are left out, as {names}: a rate between hyperfine levels is missing"
    ]
