"""What a model of tops has to beat: the nearest computed initial state, and group means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.models.tops.means import GroupMeans
from ratedb.models.tops.predictor import usable_training
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.physics.orientation import target_rises, turned, turned_rates
from ratedb.rates import Rates

_Law = Callable[[Jumps, FloatArray, Jumps], FloatArray]
"""Training jumps, their log10 k without the threshold, other jumps -> log10 k of these, shape (n, m)."""


def nearest_unit(training: Rates, wanted: Transitions) -> FloatArray:
    """Return log10 k, shape (n, m), of the nearest computed unit's transition by the same differences.

    Nearest in energy, among units with the partner in the same states; the mean of all where none has one.
    """
    return _in_both_directions(_nearest, training, wanted)


def group_means(training: Rates, wanted: Transitions) -> FloatArray:
    """Return log10 k, shape (n, m), as the mean of all with the same differences of quantum numbers."""
    return _in_both_directions(_groups, training, wanted)


def _in_both_directions(law: _Law, training: Rates, wanted: Transitions) -> FloatArray:
    structure = Structure.of(training.levels)
    used = usable_training(training, structure)
    known, rises = Jumps.of(structure, used.transitions), target_rises(wanted)
    falling = turned(wanted, rises)
    asked, kelvin = Jumps.of(structure, falling), used.temperature_k
    log10_k = np.log10(used.rate_cm3_s) - known.threshold_dex(kelvin)
    found = 10.0 ** (law(known, log10_k, asked) + asked.threshold_dex(kelvin))
    rates = Rates(wanted.levels, training.collider, falling.upper, falling.lower, kelvin, found)
    return turned_rates(rates, rises).log10_rate


def _groups(known: Jumps, log10_k: FloatArray, asked: Jumps) -> FloatArray:
    return GroupMeans.fit(known, log10_k)(asked)


def _nearest(known: Jumps, log10_k: FloatArray, asked: Jumps) -> FloatArray:
    energy = known.structure.target.energy_cm1
    rows: dict[tuple[int, ...], list[int]] = {}
    for row, key in enumerate(_keys(known).tolist()):
        rows.setdefault(tuple(key), []).append(row)
    result = np.tile(log10_k.mean(axis=0), (len(asked), 1))
    for row, key in enumerate(_keys(asked).tolist()):
        same = np.array(rows.get(tuple(key), []), dtype=np.int64)
        if len(same):
            apart = np.abs(energy[known.initial[same]] - energy[asked.initial[row]])
            result[row] = log10_k[same[apart.argmin()]]
    return result


def _keys(jumps: Jumps) -> IntArray:
    return np.column_stack([jumps.differences(), jumps.partner_initial, jumps.partner_final])
