"""Which levels of two lists of one molecule are the same, and which list has the finer structure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels

_SAME_WEIGHT = 1e-3
# Energies agree within these (cm-1, relative), tried in order: an energy that a writer moved to part a tie, a
# last digit, a rounded list.
_STEPS = ((5e-6, 0.0), (1e-3, 0.0), (0.02, 1e-4))
_SUFFIXES = {1: "rot", 2: "fs", 3: "hfs"}
_WIDEST_SPLITTING_CM1 = 0.2
_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Match:
    """The index of the stored level that each new one is, -1 for none, shape (n,), and how it was found."""

    place: IntArray
    by_numbers: int = 0
    by_energy: int = 0


def match_levels(new: Levels, stored: Levels) -> Match:
    """Match levels by quantum numbers where both lists name the same, else by label, then by energy.

    By energy (cm-1, from one zero) only levels of one statistical weight are matched. Raises RatedbError,
    with the pairs, where energy and weight fit several levels.
    """
    same_names = bool(new.quantum_numbers) and set(new.quantum_numbers) == set(stored.quantum_numbers)
    named = _matched(_number_keys(new), _number_keys(stored)) if same_names else np.full(len(new), -1)
    labelled = _matched(list(new.label), list(stored.label))
    if same_names:  # a label that means other quantum numbers is another style
        labelled[_differ(new, stored, labelled)] = -1
    place = np.where(named >= 0, named, labelled)
    place[(named < 0) & np.isin(place, named[named >= 0])] = -1
    by_energy = _by_energy(new, stored, place, same_names)
    place = np.where(place < 0, by_energy, place)
    other_style = (named >= 0) & (labelled != named)
    return Match(place, int(other_style.sum()), int((by_energy >= 0).sum()))


def _number_keys(levels: Levels) -> list[tuple[float, ...]]:
    columns = [levels.quantum_numbers[name] for name in sorted(levels.quantum_numbers)]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _matched(new: list[object] | list[tuple[float, ...]] | list[str], stored: Iterable[object]) -> IntArray:
    """Return the index of the stored key that equals each new one, -1 for none or several."""
    seen: dict[object, int] = {}
    for index, key in enumerate(stored):
        seen[key] = -1 if key in seen else index
    counts: dict[object, int] = {}
    for key in new:
        counts[key] = counts.get(key, 0) + 1
    return np.array([seen.get(key, -1) if counts[key] == 1 else -1 for key in new], dtype=np.int64)


def _contradict(new: FloatArray, stored: FloatArray) -> BoolArray:
    """Return where two arrays of a quantum number differ; NaN, unknown, contradicts nothing."""
    return np.asarray((new != stored) & np.isfinite(new) & np.isfinite(stored))


def _differ(new: Levels, stored: Levels, place: IntArray) -> BoolArray:
    """Return which new levels have other quantum numbers than the stored ones at `place`."""
    differ = np.zeros(len(new), dtype=np.bool_)
    for name, values in new.quantum_numbers.items():
        differ |= _contradict(values, stored.quantum_numbers[name][place])
    return differ & (place >= 0)


def _by_energy(new: Levels, stored: Levels, place: IntArray, same_names: bool) -> IntArray:
    found = np.full(len(new), -1, dtype=np.int64)
    free = np.flatnonzero(place < 0)
    left = np.setdiff1d(np.arange(len(stored)), place[place >= 0])
    if not len(free) or not len(left):
        return found
    shift_cm1, factor = _zero_and_factor(new, stored, place)
    energy = new.energy_cm1[free] - shift_cm1
    apart = np.abs(energy[:, None] - stored.energy_cm1[left][None, :])
    weight = new.weight[free][:, None] / factor
    fits = np.abs(weight - stored.weight[left][None, :]) <= _SAME_WEIGHT * weight
    if same_names:
        for name, values in new.quantum_numbers.items():
            fits &= ~_contradict(values[free][:, None], stored.quantum_numbers[name][left][None, :])
    near = fits
    for cm1, relative in _STEPS:
        near = fits & (apart <= cm1 + relative * np.abs(energy)[:, None])
        alone = near & (near.sum(axis=1) == 1)[:, None] & (near.sum(axis=0) == 1)[None, :]
        rows, columns = np.nonzero(alone)
        found[free[rows]] = left[columns]
        fits[rows, :] = False
        fits[:, columns] = False
    rows, columns = np.nonzero(near & fits)
    if len(rows):
        raise _ambiguous(new, stored, free[rows], left[columns])
    return found


def _zero_and_factor(new: Levels, stored: Levels, place: IntArray) -> tuple[float, float]:
    """Return the difference of zeros (cm-1) and the factor between weights of levels that are matched."""
    known = np.flatnonzero(place >= 0)
    if not len(known):
        return 0.0, 1.0
    other = place[known]
    return (
        float(np.median(new.energy_cm1[known] - stored.energy_cm1[other])),
        float(np.median(new.weight[known] / stored.weight[other])),
    )


def _ambiguous(new: Levels, stored: Levels, rows: IntArray, columns: IntArray) -> RatedbError:
    pairs = [
        f"{new.label[a]!r} ({new.energy_cm1[a]:.10g} cm-1, weight {new.weight[a]:g}) and stored "
        f"{stored.label[b]!r} ({stored.energy_cm1[b]:.10g} cm-1, weight {stored.weight[b]:g})"
        for a, b in zip(rows.tolist()[:_SHOWN], columns.tolist()[:_SHOWN], strict=True)
    ]
    return RatedbError(
        f"it is not clear which levels of {new.molecule} are the same as those in the store",
        where="; ".join(pairs) + (" ..." if len(rows) > _SHOWN else ""),
        expected="labels as in the store, or one stored level at each energy and weight",
        got=f"{len(rows)} pairs of equal energy and weight with different labels",
        todo="bring the labels into one form, or import under another molecule name with --molecule",
    )


# -- structure -------------------------------------------------------------------------------------


def structure_suffix(new: Levels, stored: Levels) -> str:
    """Return `hfs`, `fs` or `rot` where a new list resolves another structure than a stored one, else "".

    By the quantum numbers where both name them: F is hyperfine structure, N with J fine structure. Else by
    energies and weights: the levels of the finer list are within 0.2 cm-1 of those of the other, and their
    weights add up to a common multiple of the others'.
    """
    ours, theirs = _fineness(new), _fineness(stored)
    if ours and theirs:
        return _SUFFIXES[ours] if ours != theirs else ""
    if _splits(stored, new):
        return "hfs"
    return "rot" if _splits(new, stored) else ""


def _fineness(levels: Levels) -> int:
    names = set(levels.quantum_numbers)
    if "F" in names:
        return 3
    return 2 if {"N", "j"} <= names else int(bool(names))


def _splits(coarse: Levels, fine: Levels) -> bool:
    """Return whether the levels of `fine` are groups near those of `coarse`, with weights that add up."""
    centre = np.sort(coarse.energy_cm1)
    if len(fine) <= 1 or len(coarse) <= 1 or np.diff(centre).min() <= 0:
        return False
    gap = np.minimum(np.diff(centre, prepend=-np.inf), np.diff(centre, append=np.inf))
    weight = coarse.weight[np.argsort(coarse.energy_cm1)]
    edges = (centre[1:] + centre[:-1]) / 2
    group = np.searchsorted(edges, fine.energy_cm1)
    reach = np.minimum(_WIDEST_SPLITTING_CM1, 0.4 * gap)
    if (np.abs(fine.energy_cm1 - centre[group]) > reach[group]).any():
        return False
    members = np.bincount(group, minlength=len(centre))
    ratio = (np.bincount(group, fine.weight, len(centre)) / weight)[members > 0]
    usual = np.median(ratio)
    whole = np.abs(ratio - usual) <= 0.01 * usual
    # the last group may be cut where a list ends
    return bool((members > 1).any() and whole[:-1].all() and (members > 0).sum() > 1)


def coincident(levels: Levels, together: BoolArray) -> tuple[list[tuple[int, ...]], list[tuple[int, int]]]:
    """Return groups of levels that are one, each in order, and pairs of which this is not clear.

    The levels of a group have equal energies and weights, contradict each other in no quantum number, and fit
    no other level. `together`, shape (n, n), says which levels some list names both, so that they are two.
    """
    energy, weight = levels.energy_cm1, levels.weight
    fits = ~together & ~np.eye(len(levels), dtype=np.bool_)
    fits &= np.abs(weight[:, None] - weight[None, :]) <= _SAME_WEIGHT * weight[:, None]
    for values in levels.quantum_numbers.values():
        fits &= ~_contradict(values[:, None], values[None, :])
    apart = np.abs(energy[:, None] - energy[None, :])
    groups: list[tuple[int, ...]] = []
    for cm1, relative in reversed(_STEPS):  # the widest first, or the closest two of three would part
        near = fits & (apart <= cm1 + relative * np.minimum(np.abs(energy)[:, None], np.abs(energy)[None, :]))
        around: dict[bytes, list[int]] = {}
        for level in np.flatnonzero(near.any(axis=1)).tolist():
            row = near[level].copy()
            row[level] = True
            around.setdefault(row.tobytes(), []).append(level)
        for row_bytes, members in around.items():
            if len(members) == sum(row_bytes):  # all of them have these neighbours and no other
                groups.append(tuple(members))
                fits[members, :] = False
                fits[:, members] = False
    unclear = np.argwhere(np.triu(fits & (apart <= _STEPS[0][0])))
    return groups, [(int(a), int(b)) for a, b in unclear]
