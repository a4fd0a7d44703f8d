"""Features of jumps for a process: energies, quantum numbers, strengths, and what the partner does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.kinds.species import kind_with
from ratedb.models.tops.structure import SPECIES, Jumps, Rotor
from ratedb.models.tops.sudden import shape_of_law

RESONANCE_WIDTHS_CM1 = (8.0, 40.0, 200.0)
"""How far in energy a jump of the partner may be off for its strength to count, each a feature."""

_STRENGTH_FLOOR, _RESONANCE_FLOOR = 0.01, 1e-3
_ORDERS = (1, 2, 3, 4)
_RESONANCE_ORDERS = (1, 2)
_OTHER_STRENGTH = 0.02
_NEAR_CM1, _FAR_CM1 = 3.0, 1e4
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
    """Return how strongly the partner's jumps answer each jump in resonance, shape (n, k).

    For L = 1, 2 and each width w: log10 of the target's S_L, plus a little for what higher orders do, times
    the sum over the partner's jumps, within its species, of S_L exp(-|energy defect|/w). Then, for its dipole
    jumps, log of the least defect. None for a partner of few states or without wavefunctions: shape (n, 0).
    """
    partner = jumps.structure.partner
    if partner is None or partner.states is None or len(partner.energy_cm1) <= _RESONANCE_STATES:
        return np.empty((len(jumps), 0))
    strengths = _strengths_within_species(partner)[jumps.partner_initial]
    lost = partner.energy_cm1[:, None] - partner.energy_cm1[None, :]
    defect = np.abs(jumps.gap_cm1[:, None] + lost[jumps.partner_initial])
    own = np.ones((len(jumps), strengths.shape[2])) if jumps.strengths is None else jumps.strengths
    columns = [
        np.log10(
            (own[:, order] + _OTHER_STRENGTH) * (strengths[:, :, order] * np.exp(-defect / width)).sum(axis=1)
            + _RESONANCE_FLOOR
        )
        for order in _RESONANCE_ORDERS
        for width in RESONANCE_WIDTHS_CM1
    ]
    dipole = np.where(strengths[:, :, 1] > _STRENGTH_FLOOR, defect, _FAR_CM1)
    return np.column_stack([*columns, np.log(dipole.min(axis=1) + _NEAR_CM1)])


def _strengths_within_species(rotor: Rotor) -> FloatArray:
    """Return S_L between all states of a molecule, shape (k, k, L+1), zero where the species would change.

    A dipole that can only lie along the axis of symmetry changes nothing but j: S_1 is that of M = 0. In an
    asymmetric top of two species it lies along the axis that leaves the species as it is.
    """
    count = len(rotor.energy_cm1)
    before, after = (one.ravel() for one in np.divmod(np.arange(count * count), count))
    found = rotor.amplitudes(before, after)
    assert found is not None  # noqa: S101
    square = found[0] ** 2
    kind = kind_with(frozenset(rotor.numbers))
    if kind is not None and kind.dipole_axes == ("a",):
        square[:, 1, 1:] = 0.0
    if "ortho" in rotor.numbers:
        species = rotor.numbers["ortho"]
        square *= (species[before] == species[after])[:, None, None]
    return np.asarray(square.sum(axis=2).reshape(count, count, -1))


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
