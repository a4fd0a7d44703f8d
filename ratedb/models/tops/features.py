"""Features of jumps for a process: energies, quantum numbers, strengths, and what the partner does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.models.tops.structure import SPECIES, Jumps, Rotor
from ratedb.models.tops.sudden import shape_of_law

RESONANCE_WIDTHS_CM1 = (8.0, 40.0, 200.0)
"""How far in energy a jump of the partner may be off for its strength to count, each a feature."""

_STRENGTH_FLOOR, _RESONANCE_FLOOR = 0.01, 1e-3
_ORDERS = (1, 2, 3, 4)
_RESONANCE_ORDERS = (1, 2)
_RESONANCE_STATES = 4  # a partner with so few states has no resonances worth a feature
_ENERGY_SHIFT = 0.1


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Standardised features of jumps: which columns vary in training, their means and spreads.

    `summed` says that the partner's final state is not resolved, and `with_mean` that the mean of log10 k
    over temperatures is a feature too.
    """

    summed: bool
    with_mean: bool
    keep: IntArray
    centre: FloatArray
    spread: FloatArray

    @staticmethod
    def of(jumps: Jumps, mean: FloatArray | None = None) -> FeatureMap:
        """Return the map for training jumps, with their mean of log10 k, shape (n, m), if it is a feature."""
        summed = jumps.partner_unresolved
        table = _table(jumps, summed, mean)
        spread = table.std(axis=0)
        keep = np.flatnonzero(spread > 1e-9)
        return FeatureMap(summed, mean is not None, keep, table.mean(axis=0)[keep], spread[keep])

    def __call__(self, jumps: Jumps, mean: FloatArray | None = None) -> FloatArray:
        """Return features, shape (n, d)."""
        table = _table(jumps, self.summed, mean if self.with_mean else None)
        return np.asarray((table[:, self.keep] - self.centre) / self.spread)


def _table(jumps: Jumps, summed: bool, mean: FloatArray | None) -> FloatArray:
    """Return all features, shape (n, d), before standardisation."""
    target, partner = jumps.structure.target, jumps.structure.partner
    scale = energy_scale(target)
    energy = target.energy_cm1 - target.energy_cm1.min()
    columns = [
        np.sqrt(np.maximum(jumps.gap_cm1, 0.0) / scale),
        *(np.log(energy[end] / scale + _ENERGY_SHIFT) for end in (jumps.initial, jumps.final)),
        np.log(2.0 * target.numbers["j"][jumps.final] + 1.0),
    ]
    for name, numbers in target.numbers.items():
        before, after = numbers[jumps.initial], numbers[jumps.final]
        if name in SPECIES:
            columns.append(np.not_equal(before, after).astype(np.float64))
            continue
        difference = before - after
        columns += [after, difference, np.abs(difference), np.abs(difference) % 2]
    strengths, alignment = jumps.strengths, target.alignment
    if strengths is not None and alignment is not None:
        if target.constants is None:  # in a symmetric top M is the change of k
            columns += [np.log10(strengths[:, order] + _STRENGTH_FLOOR) for order in _ORDERS]
        else:
            columns += list(shape_of_law(jumps).T)
        columns += [alignment[jumps.initial], alignment[jumps.final]]
    if mean is not None:
        columns.append(mean.mean(axis=1))
    if partner is not None:
        columns += _of_partner(jumps, partner, scale, summed)
    return np.column_stack(columns).astype(np.float64)


def energy_scale(target: Rotor) -> float:
    """Return the median energy of the target's levels above the lowest, in cm-1, at least 1."""
    return float(np.median(target.energy_cm1 - target.energy_cm1.min())) + 1.0


def _of_partner(jumps: Jumps, partner: Rotor, scale: float, summed: bool) -> list[FloatArray]:
    """Return the partner's features, and those of the pair's energy."""
    j, energy = partner.numbers["j"], partner.energy_cm1
    before, after = jumps.partner_initial, jumps.partner_final
    columns = [j[before].astype(np.float64), np.log(energy[before] / scale + _ENERGY_SHIFT)]
    if summed:
        return columns + list(resonances(jumps).T)
    difference = j[before] - j[after]
    total = jumps.gap_cm1 + jumps.partner_gap_cm1
    return [
        *columns,
        difference.astype(np.float64),
        np.abs(difference).astype(np.float64),
        (j[before] == 0).astype(np.float64),
        (before == after).astype(np.float64),
        np.sign(total) * np.sqrt(np.abs(total) / scale),
        np.sqrt(np.maximum(-jumps.partner_gap_cm1, 0.0) / scale),
        np.sqrt(np.maximum(jumps.partner_gap_cm1, 0.0) / scale),
    ]


def resonances(jumps: Jumps) -> FloatArray:
    """Return log10 of the partner's strength that is close to resonance with each jump, shape (n, k).

    For L = 1, 2 and each width w: the sum over the partner's jumps, within its species, of S_L
    exp(-|energy defect|/w). None for a partner of few states or without wavefunctions: shape (n, 0).
    """
    partner = jumps.structure.partner
    if partner is None or partner.states is None or len(partner.energy_cm1) <= _RESONANCE_STATES:
        return np.empty((len(jumps), 0))
    count = len(partner.energy_cm1)
    before, after = (one.ravel() for one in np.divmod(np.arange(count * count), count))
    found = partner.amplitudes(before, after)
    assert found is not None  # noqa: S101
    allowed = np.ones(count * count)
    for name in SPECIES:
        if name in partner.numbers:
            allowed *= partner.numbers[name][before] == partner.numbers[name][after]
    strengths = (found[0] ** 2).sum(axis=2) * allowed[:, None]
    lost = partner.energy_cm1[:, None] - partner.energy_cm1[None, :]
    defect = np.abs(jumps.gap_cm1[:, None] + lost[jumps.partner_initial])
    columns = [
        (strengths[:, order].reshape(count, count)[jumps.partner_initial] * np.exp(-defect / width)).sum(
            axis=1
        )
        for order in _RESONANCE_ORDERS
        for width in RESONANCE_WIDTHS_CM1
    ]
    return np.asarray(np.log10(np.column_stack(columns) + _RESONANCE_FLOOR))


CATEGORIES = ("group", "inner", "unit", "partner")
"""What jumps have in common: all differences; all but that of j; the initial state; the partner's jump."""


def categories(jumps: Jumps) -> dict[str, IntArray]:
    """Return a number for each category that the kind of molecule has, shape (n,) each."""
    differences = jumps.differences()
    found = {"group": _number(differences), "unit": jumps.unit}
    if differences.shape[1] > 1:
        found["inner"] = _number(differences[:, 1:])
    if jumps.structure.partner is not None:
        found["partner"] = _number(np.stack([jumps.partner_initial, jumps.partner_final], axis=1))
    return {name: found[name] for name in CATEGORIES if name in found}


def _number(columns: IntArray) -> IntArray:
    """Return one number for each row of small whole numbers, shape (n,)."""
    number = np.zeros(len(columns), dtype=np.int64)
    for column in columns.T:
        number = number * 1000 + column
    return number
