"""Levels of a pair of molecules, taken apart into those of the target and those of its partner."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError, UsageError
from ratedb.levels import LINEAR, Levels
from ratedb.physics.derived import distinct_states, number_label

_WITH = " x "
_MOST_MISFIT_CM1, _MOST_MISFIT = 0.1, 0.01


@dataclass(frozen=True, eq=False)
class Pair:
    """The levels of target and partner, and the state of each that every level of the pair has, (n,)."""

    target: Levels
    partner: Levels
    target_of: IntArray
    partner_of: IntArray


def split_pair(levels: Levels, molecule: str, collider: str) -> Pair:
    """Return the two molecules of a pair: energies of a pair are a sum, and its weights a product.

    Energies (cm-1) are from the lowest state of each. Raises RatedbError where levels are those of one
    molecule, or where they are no such sums.
    """
    names = list(levels.quantum_numbers)
    own = [name for name in names if not name.endswith("2")]
    other = [name for name in names if name.endswith("2")]
    if _WITH not in levels.kind or not own or not other:
        raise RatedbError(
            f"the levels of {levels.molecule} are not those of a pair of molecules",
            expected="both molecules' states: quantum numbers of the partner that end in 2, as j2",
            got=f"{levels.kind} ({', '.join(names) or 'labels only'})",
            todo="import rates by the states of both, with --levels and --collider-levels",
        )
    first, target_of = distinct_states(levels, own)
    second, partner_of = distinct_states(levels, other)
    energy_own, energy_other = _split(levels, levels.energy_cm1, target_of, partner_of, _MOST_MISFIT_CM1)
    weight_own, weight_other = _split(levels, np.log(levels.weight), target_of, partner_of, _MOST_MISFIT)
    # Only products of weights are known: the partner's lowest state has 2j + 1.
    lowest = int(np.argmin(energy_other))
    momentum = levels.quantum_numbers.get("j2")
    gauge = weight_other[lowest] - (0.0 if momentum is None else np.log(2.0 * momentum[second[lowest]] + 1.0))
    kinds = levels.kind.split(_WITH)
    target = _molecule(molecule, kinds[0], levels, own, first)
    partner = _molecule(collider, kinds[1], levels, other, second)
    return Pair(
        replace(target, energy_cm1=energy_own - energy_own.min(), weight=np.exp(weight_own + gauge)),
        replace(partner, energy_cm1=energy_other - energy_other.min(), weight=np.exp(weight_other - gauge)),
        target_of,
        partner_of,
    )


def _molecule(name: str, kind: str, levels: Levels, numbers: list[str], at: IntArray) -> Levels:
    """Return the states of one molecule, which are first `at` these levels, by its quantum numbers."""
    values = {one.removesuffix("2"): levels.quantum_numbers[one][at] for one in numbers}
    if kind == LINEAR and set(values) == {"j"}:
        values = {"v": np.zeros(len(at)), **values}
    labels = tuple(number_label(values, place) for place in range(len(at)))
    return Levels(name, labels, np.zeros(len(at)), np.ones(len(at)), values, kind=kind)


def _split(
    levels: Levels, values: FloatArray, target: IntArray, partner: IntArray, most: float
) -> tuple[FloatArray, FloatArray]:
    """Return the parts of both molecules that add up to values, shape (n,), but for a constant."""
    count = int(target.max()) + 1
    design = np.zeros((len(values), count + int(partner.max()) + 1))
    rows = np.arange(len(values))
    design[rows, target] = 1.0
    design[rows, count + partner] = 1.0
    both, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    off = float(np.abs(design @ both - values).max())
    if rank < design.shape[1] - 1 or off > most:
        connected = "" if rank < design.shape[1] - 1 else f", {off:.3g} off"
        raise RatedbError(
            f"the levels of {levels.molecule} are no sums of the states of two molecules{connected}",
            expected="energies that add up, and weights that multiply",
            got=f"{count} states of the target, {int(partner.max()) + 1} of the partner",
            todo="import the pair again with level lists of both molecules",
        )
    return both[:count], both[count:]


def state_called(partner: Levels, text: str | None) -> int:
    """Return the partner's state that a text names, as `1`, `0_1` or `j=1,v=0`; the lowest for None.

    Raises UsageError where it names none or several.
    """
    if text is None:
        return int(np.argmin(partner.energy_cm1))
    if text in partner.places:
        return partner.places[text]
    wanted = dict(part.partition("=")[::2] for part in str(text).replace(" ", "").split(","))
    found = np.ones(len(partner), dtype=np.bool_)
    for name, value in wanted.items():
        numbers = partner.quantum_numbers.get(name)
        try:
            found &= np.zeros(len(partner), dtype=np.bool_) if numbers is None else numbers == float(value)
        except ValueError:
            found[:] = False
    if found.sum() != 1:
        raise UsageError(
            f"{text!r} names {int(found.sum()) or 'no'} state{'s' if found.sum() > 1 else ''} of the partner",
            expected="one of " + ", ".join(partner.label[:12]) + ", or such as j=1",
            got=text,
        )
    return int(np.flatnonzero(found)[0])
