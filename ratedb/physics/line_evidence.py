"""Where the energies, frequencies and upper energies (E_u) of one molecule contradict each other.

The three are printed separately, and measured frequencies are finer than energies. Where all lines of one
level want another energy, and the same one, the energy of that level is the suspect; else the line is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K

CONTRADICTION = 1e-3
"""A frequency contradicts its levels beyond this, relatively, and beyond the digits of the energies."""

_AGREEMENT = 1e-4
"""Measured frequencies and the energies of the same file agree to this, relatively."""

_SAME_SHIFT = 0.1
"""Lines want the same energy where their shifts differ by less than this part of them."""

_TIMES_USUAL = 20.0
"""The digits of energies leave open no more than this many times what a quarter of the lines differs by."""

_CLEAR = 3.0
"""A shift of a level is more than this many times what its lines leave open."""

_WHOLE = 1.0 / 3.0
"""Above this share of contradictions, the fault is of the whole column."""

_FEW = 5
"""So few contradictions are named one by one, whatever their share."""

_MOST_SUSPECTS = 20
"""The search for suspect levels ends after so many."""

_MOST_DECIMALS = 9


@dataclass(frozen=True)
class SuspectLevel:
    """A level whose lines want another energy: its index, that energy (cm-1), and how many want it.

    `upper_energy` is whether its E_u wants it too.
    """

    level: int
    energy_cm1: float
    lines: int
    upper_energy: bool


@dataclass(frozen=True, eq=False)
class LineEvidence:
    """Suspect levels; lines (indices) that contradict two levels that nothing else doubts; E_u that do.

    `upper_energies` are lines, one for each level. `frequency_column` and `upper_energy_column` are true
    where more than a third of the column contradicts the energies.
    """

    levels: tuple[SuspectLevel, ...] = ()
    lines: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    upper_energies: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    frequency_column: bool = False
    upper_energy_column: bool = False


@dataclass(frozen=True, eq=False)
class _Column:
    """What lines say of energies: `wanted_cm1`, NaN for nothing, and `open_cm1`, half the last digits."""

    wanted_cm1: FloatArray
    open_cm1: float


def weigh_lines(levels: Levels, lines: Lines) -> LineEvidence:
    """Return which levels and lines contradict the others, beyond their printed digits."""
    half = half_digit(levels.energy_cm1)
    usable = ~lines.frequency_computed & (lines.frequency_ghz > 0)
    wanted = np.where(usable, lines.frequency_ghz / GHZ_PER_CM1, np.nan)
    usual = np.abs(wanted - _gap(levels.energy_cm1, lines))[usable]
    if len(usual):  # energies such as 4.0 may be exact: then the lines say so
        half = min(half, _TIMES_USUAL * float(np.quantile(usual, 0.25)))
    said = _Column(wanted, 2 * half + half_digit(lines.frequency_ghz) / GHZ_PER_CM1)
    upper = _upper_energies(levels, lines, half)
    energy, suspects = levels.energy_cm1.copy(), list[SuspectLevel]()
    wrong = _contradicts(_gap(energy, lines), said)
    column = _is_whole(wrong, usable)
    while wrong.any() and not column and len(suspects) < _MOST_SUSPECTS:
        found = _suspect(energy, lines, said, upper, wrong)
        if found is None:
            break
        suspects.append(found)
        energy[found.level] = found.energy_cm1
        wrong = _contradicts(_gap(energy, lines), said)
    suspected = [one.level for one in suspects]
    named = np.isin(lines.upper, suspected) | np.isin(lines.lower, suspected)
    doubted = _contradicts(levels.energy_cm1[lines.upper], upper)
    whole = _is_whole(doubted, np.isfinite(upper.wanted_cm1))
    rows = np.flatnonzero(doubted & ~named)
    _, first = np.unique(lines.upper[rows], return_index=True)
    return LineEvidence(tuple(suspects), np.flatnonzero(wrong), rows[np.sort(first)], column, whole)


def half_digit(values: FloatArray) -> float:
    """Return half of the last printed digit of a column, by the number with the most decimals.

    A number alone does not show the zeros at its end, and sources print the same decimals for all.
    """
    known = values[np.isfinite(values)]
    for places in range(_MOST_DECIMALS):
        if np.isclose(np.round(known, places), known, rtol=1e-14, atol=0.0).all():
            return float(0.5 * 10.0**-places)
    return float(0.5 * 10.0**-_MOST_DECIMALS)


def _gap(energy_cm1: FloatArray, lines: Lines) -> FloatArray:
    return np.asarray(np.abs(energy_cm1[lines.upper] - energy_cm1[lines.lower]))


def _upper_energies(levels: Levels, lines: Lines, half_cm1: float) -> _Column:
    """Return E_u in cm-1, counted from the zero of the level energies."""
    wanted = lines.upper_energy_k / HC_OVER_KB_CM_K
    energy = levels.energy_cm1[lines.upper]
    known = np.isfinite(wanted)
    zeros = [0.0, float(levels.energy_cm1.min())]
    if known.sum() > _FEW:
        zeros.append(float(np.median((energy - wanted)[known])))  # a list that was counted from another zero
    open_cm1 = half_cm1 + half_digit(lines.upper_energy_k) / HC_OVER_KB_CM_K
    wrong = [int(_contradicts(energy, _Column(wanted + zero, open_cm1)).sum()) for zero in zeros]
    return _Column(wanted + zeros[int(np.argmin(wrong))], open_cm1)


def _contradicts(energy_cm1: FloatArray, said: _Column) -> BoolArray:
    tolerance = np.maximum(CONTRADICTION * np.abs(energy_cm1), said.open_cm1)
    return np.asarray(np.abs(said.wanted_cm1 - energy_cm1) > tolerance)  # false for NaN


def _is_whole(wrong: BoolArray, known: BoolArray) -> bool:
    return bool(wrong.sum() > max(_FEW, _WHOLE * known.sum()))


def _suspect(
    energy_cm1: FloatArray, lines: Lines, said: _Column, upper: _Column, wrong: BoolArray
) -> SuspectLevel | None:
    """Return the level that most lines want elsewhere, and all its lines at the same place; None without."""
    found: list[SuspectLevel] = []
    for level in np.unique([lines.upper[wrong], lines.lower[wrong]]).tolist():
        here = ((lines.upper == level) | (lines.lower == level)) & np.isfinite(said.wanted_cm1)
        wanted = _wanted_energy(energy_cm1, lines.select(here), said.wanted_cm1[here], said.open_cm1, level)
        if wanted is None:
            continue
        own = (lines.upper == level) & np.isfinite(upper.wanted_cm1)
        shift, by_upper = wanted - energy_cm1[level], upper.wanted_cm1[own] - energy_cm1[level]
        room = np.maximum(_SAME_SHIFT * abs(shift), upper.open_cm1)
        agrees = bool(own.any() and (np.abs(by_upper - shift) <= room).all())
        agrees = agrees and bool((np.abs(by_upper) > upper.open_cm1).all())
        if here.sum() + agrees >= 2:
            found.append(SuspectLevel(level, wanted, int(here.sum()), agrees))
    return max(found, key=lambda one: (one.lines, abs(one.energy_cm1 - energy_cm1[one.level])), default=None)


def _wanted_energy(
    energy_cm1: FloatArray, lines: Lines, wanted_cm1: FloatArray, open_cm1: float, level: int
) -> float | None:
    """Return the energy at which all lines of a level want it, None where it has that or they disagree.

    A wrong energy may have put a level on the other side of another: then a line goes the other way.
    """
    up = lines.upper == level
    partner = energy_cm1[np.where(up, lines.lower, lines.upper)]
    as_listed = np.where(up, partner + wanted_cm1, partner - wanted_cm1)
    turned = 2 * partner - as_listed
    slack = open_cm1 + _AGREEMENT * np.abs(_gap(energy_cm1, lines))
    middle = float(np.median(as_listed))
    shift = abs(middle - energy_cm1[level])
    if shift <= _CLEAR * float(np.median(slack)):
        return None
    if (np.abs(as_listed - middle) <= np.maximum(_SAME_SHIFT * shift, slack)).all():
        return middle
    slack = open_cm1 + _AGREEMENT * wanted_cm1
    for one in np.concatenate([as_listed, turned]).tolist() if len(lines) > 1 else ():
        if (np.minimum(np.abs(as_listed - one), np.abs(turned - one)) <= _CLEAR * slack).all():
            return float(one)
    return None
