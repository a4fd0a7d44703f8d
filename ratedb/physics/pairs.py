"""Take the levels of two molecules that both change state apart: those of each, and the pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError, UsageError
from ratedb.kinds.recognise import with_kind
from ratedb.levels import Levels, vj

JOINED = " x "
"""What stands between the kinds of two molecules."""

_SAME_CM1, _SAME_WEIGHT = 1e-5, 1e-6
_DECIMALS = 9
_LABEL_NUMBERS = ("tau", "ortho")  # not in labels, since the others of a level tell it apart


@dataclass(frozen=True, eq=False)
class TwoMolecules:
    """The levels of a molecule and of its partner, and the index of each that a pair has, shape (n,)."""

    first: Levels
    first_of: IntArray
    second: Levels
    second_of: IntArray


@dataclass(frozen=True, eq=False)
class Pair:
    """The levels of target and partner, and the state of each that every level of the pair has, (n,)."""

    target: Levels
    partner: Levels
    target_of: IntArray
    partner_of: IntArray


def split_pair(levels: Levels, molecule: str, collider: str) -> Pair:
    """Return the two molecules of a pair, with energies (cm-1) from the lowest state of each.

    Raises RatedbError where levels are those of one molecule, or where energies are no sums.
    """
    if not is_pair(levels):
        raise RatedbError(
            f"the levels of {levels.molecule} are not those of a pair of molecules",
            expected="both molecules' states: quantum numbers of the partner that end in 2, as j2",
            got=f"{levels.kind} ({', '.join(levels.quantum_numbers) or 'labels only'})",
            todo="import rates by the states of both, with --levels and --collider-levels",
        )
    both = taken_apart(levels, collider)
    target = replace(
        both.first, molecule=molecule, energy_cm1=both.first.energy_cm1 - both.first.energy_cm1.min()
    )
    return Pair(target, both.second, both.first_of, both.second_of)


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


def is_pair(levels: Levels) -> bool:
    """Return whether levels are pairs of one level of each of two molecules, by their kind."""
    return JOINED in levels.kind


def taken_apart(levels: Levels, partner: str) -> TwoMolecules:
    """Return the levels of both molecules that pairs are made of; `partner` is the name of the second.

    The energies of the partner count from its lowest level and those of the first from what is left, in cm-1;
    its weights count from 2j+1. Raises RatedbError where energies are no sums or weights no products.
    """
    numbers = levels.quantum_numbers
    own = {name: values for name, values in numbers.items() if not name.endswith("2")}
    other = {name[:-1]: values for name, values in numbers.items() if name.endswith("2")}
    (first, first_of), (second, second_of) = _states(own), _states(other)
    energy = _energies(levels, first_of, second_of)
    weight = _weights(levels, first_of, second_of, _degeneracy(other, second))
    labels = _labels(levels, (first_of, second_of), (own, other), (first, second))
    molecule = levels.molecule.removesuffix(f"({partner})")
    return TwoMolecules(
        _one(molecule, labels[0], energy[0], weight[0], own, first),
        first_of,
        _one(partner, labels[1], energy[1], weight[1], other, second),
        second_of,
    )


def _one(
    molecule: str,
    labels: tuple[str, ...],
    energy_cm1: FloatArray,
    weight: FloatArray,
    numbers: Mapping[str, FloatArray],
    first: IntArray,
) -> Levels:
    """Return the levels of one molecule, in the order in which pairs name them first."""
    named = {name: values[first] for name, values in numbers.items()}
    if set(named) == {"j"} and bool((named["j"] % 1 == 0).all()):
        named = vj(np.zeros(len(first)), named["j"])
    return with_kind(Levels(molecule, labels, energy_cm1, weight, named))


def _states(numbers: Mapping[str, FloatArray]) -> tuple[IntArray, IntArray]:
    """Return where each distinct state is first, in the order of the pairs, and the state of each pair."""
    table = np.nan_to_num(np.stack(list(numbers.values()), axis=1), nan=-1e9)
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    turn = np.empty_like(order)
    turn[order] = np.arange(len(order))
    return first[order].astype(np.int64), turn[np.ravel(place)].astype(np.int64)


def _sums(values: FloatArray, first_of: IntArray, second_of: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return what values of pairs, shape (n,), are sums of; that of the first state of the second is 0."""
    count = int(first_of.max()) + 1
    design = np.zeros((len(values), count + int(second_of.max()) + 1))
    rows = np.arange(len(values))
    design[rows, first_of] = 1.0
    design[rows, count + second_of] = 1.0
    both = np.linalg.lstsq(design, values, rcond=None)[0]
    lowest = both[count]
    return both[:count] + lowest, both[count:] - lowest


def _energies(levels: Levels, first_of: IntArray, second_of: IntArray) -> tuple[FloatArray, FloatArray]:
    own, other = _sums(levels.energy_cm1, first_of, second_of)
    least = other.min()
    own, other = (np.round(one, _DECIMALS) + 0.0 for one in (own + least, other - least))  # no -0.0
    off = np.abs(own[first_of] + other[second_of] - levels.energy_cm1)
    if off.max() > _SAME_CM1:
        at = int(np.argmax(off))
        raise _no_pairs(levels, at, "energies that are a sum of those of both molecules", f"{off[at]:g} cm-1")
    return own, other


def _weights(
    levels: Levels, first_of: IntArray, second_of: IntArray, degeneracy: float
) -> tuple[FloatArray, FloatArray]:
    own, other = map(np.exp, _sums(np.log(levels.weight), first_of, second_of))
    own, other = np.round(own / degeneracy, _DECIMALS), np.round(other * degeneracy, _DECIMALS)
    off = np.abs(own[first_of] * other[second_of] / levels.weight - 1.0)
    if off.max() > _SAME_WEIGHT:
        at = int(np.argmax(off))
        raise _no_pairs(levels, at, "weights that are a product of those of both", f"{off[at]:.1%} more")
    return own, other


def _degeneracy(numbers: Mapping[str, FloatArray], states: IntArray) -> float:
    """Return 2j+1 of the first state of a molecule, 1 where it has no j."""
    return 2.0 * float(numbers["j"][states[0]]) + 1.0 if "j" in numbers else 1.0


def _labels(
    levels: Levels,
    places: tuple[IntArray, IntArray],
    numbers: tuple[Mapping[str, FloatArray], Mapping[str, FloatArray]],
    states: tuple[IntArray, IntArray],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of both molecules whose joint the labels of pairs are, else their numbers."""
    words = [label.split("_") for label in levels.label]
    for cut in range(1, min(map(len, words))):
        sides = ["_".join(row[:-cut]) for row in words], ["_".join(row[-cut:]) for row in words]
        parts = tuple(_by_state(side, place) for side, place in zip(sides, places, strict=True))
        if parts[0] and parts[1]:
            return parts[0], parts[1]
    named = [
        tuple("_".join(f"{one[name][at]:g}" for name in one if name not in _LABEL_NUMBERS) for at in state)
        for one, state in zip(numbers, states, strict=True)
    ]
    return named[0], named[1]


def _by_state(texts: Sequence[str], place: IntArray) -> tuple[str, ...]:
    """Return the one text of each state, none where a state has several or two states have the same."""
    found: dict[int, str] = {}
    for text, state in zip(texts, place.tolist(), strict=True):
        if found.setdefault(state, text) != text:
            return ()
    return tuple(found[state] for state in sorted(found)) if len(set(found.values())) == len(found) else ()


def _no_pairs(levels: Levels, at: int, expected: str, got: str) -> RatedbError:
    return RatedbError(
        f"the levels of {levels.molecule} are no pairs of levels of two molecules",
        where=f"level {levels.label[at]}",
        expected=expected,
        got=got,
        todo="correct the energies and weights, or import the set from its source",
    )
