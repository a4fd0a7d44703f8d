"""Read the levels and the radiative lines of a LAMDA file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError
from ratedb.io.lamda_cursor import Cursor
from ratedb.io.text import Line, declared_rows, to_index, to_number, to_numbers
from ratedb.kinds.recognise import Recognition, recognise
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K

_FREQUENCY_UNITS = {"MHz": 1e3, "kHz": 1e6, "Hz": 1e9, "cm-1": 1.0 / GHZ_PER_CM1}
_UPPER_ENERGY_UNITS = {
    "cm-1": 1.0 / HC_OVER_KB_CM_K,
    "GHz": GHZ_PER_CM1 / HC_OVER_KB_CM_K,
    "MHz": 1e3 * GHZ_PER_CM1 / HC_OVER_KB_CM_K,
    "eV": 1.0 / 11604.518,
}
"""Other units than GHz and K in which files list frequencies and E_u, by what multiplies the numbers."""
_UNIT_TOLERANCE = 0.02
_MOST = 0.9

_HIGHEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6
_LARGEST_A_S1 = 1e15


def read_levels(cursor: Cursor, molecule: str, molecular_weight: float, notes: list[str]) -> Levels:
    """Return the levels that come next in a file, in the order of their numbers 1..n.

    `notes` gets what was corrected; raises RatedbError where a level cannot be read.
    """
    declared = cursor.count("energy levels")
    if declared == 0:
        raise Line(cursor.position, cursor.lines[cursor.position - 1], cursor.path).refuse(
            "no level is declared", "a count > 0"
        )
    header = ""
    numbers: list[int] = []
    energies: list[float] = []
    weights: list[float] = []
    labels: list[str] = []
    while len(numbers) < declared:
        line = cursor.take(declared_rows("levels", declared, len(numbers)))
        header = header or _level_header(cursor.comments)
        number, energy, weight, label = _level(line, declared, len(numbers))
        numbers.append(number)
        energies.append(energy)
        weights.append(weight)
        labels.append(label)
    order = _level_order(cursor, numbers, notes)
    named = [label or f"L{number}" for label, number in zip(labels, numbers, strict=True)]
    if not all(labels):
        notes.append(f"{labels.count('')} level(s) have no label and are called by their number, as `L1`")
    found = recognise(labels, header, weights, energies) if all(labels) else Recognition("", "")
    table = Levels(
        molecule,
        tuple(_unique(named, notes)),
        np.array(energies),
        np.array(weights),
        found.numbers,
        molecular_weight or None,
        found.kind,
        found.reason,
    )
    return table.select(order)


def _level_header(comments: Sequence[str]) -> str:
    speaking = [text for text in comments if re.search("WEIGHT|QNUM|QUANTUM", text, re.IGNORECASE)]
    return " ".join(speaking or comments[-1:])


def _level(line: Line, declared: int, found: int) -> tuple[int, float, float, str]:
    words = line.text.split(None, 3)
    number = to_index(words[0])
    energy = to_number(words[1]) if len(words) > 2 else None
    weight = to_number(words[2].partition("!")[0]) if len(words) > 2 else None
    if number is None or energy is None or weight is None:
        raise line.refuse(
            "a level cannot be read",
            f"number, energy (cm-1), weight, label; {declared_rows('levels', declared, found)}",
        )
    if abs(energy) > _HIGHEST_CM1 or not 0 < weight <= _LARGEST_WEIGHT or not 1 <= number <= declared:
        raise line.refuse(
            "a level is impossible",
            f"a number in 1..{declared}, an energy under {_HIGHEST_CM1:g} cm-1, a weight > 0",
        )
    return number, energy, weight, _label(words[3]) if len(words) > 3 else ""


def _label(text: str) -> str:
    """Return a label without quotes, inline comment and runs of blanks."""
    if text[0] in "'\"" and text.find(text[0], 1) > 0:
        text = text[1 : text.find(text[0], 1)]
    return " ".join(text.partition("!")[0].split())


def _level_order(cursor: Cursor, numbers: Sequence[int], notes: list[str]) -> list[int]:
    """Return the indices that put the levels in the order of their numbers; these must be 1..n."""
    if len(set(numbers)) < len(numbers):
        twice = next(a for a, b in pairwise(sorted(numbers)) if a == b)
        raise RatedbError(
            "duplicate level number",
            where=f"{cursor.path}:{cursor.position}",
            expected=f"levels numbered 1..{len(numbers)}",
            got=f"number {twice} more than once in the list that ends here",
            todo="correct the numbers: the transitions refer to them",
        )
    order = sorted(range(len(numbers)), key=lambda i: numbers[i])
    if order != list(range(len(numbers))):
        notes.append("the levels are not listed by their numbers; they are put in the order of the numbers")
    return order


def _unique(labels: Sequence[str], notes: list[str]) -> list[str]:
    """Return the labels, with `.2`, `.3` ... appended to duplicates."""
    if len(set(labels)) == len(labels):
        return list(labels)
    taken = set(labels)
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        name = label
        while seen[label] > 1 and name in taken:
            name = f"{label}.{seen[label]}"
            seen[label] += name in taken
        taken.add(name)
        result.append(name)
    changed = [name for name, label in zip(result, labels, strict=True) if name != label]
    notes.append(f"{len(changed)} duplicate level label(s) are numbered, as `{changed[0]}`")
    return result


def read_lines(cursor: Cursor, levels: Levels, notes: list[str]) -> Lines:
    """Return the radiative lines that come next in a file, each once and downward, as they are listed.

    A frequency is computed from the energies only where the file has none in GHz. `notes` gets what was
    corrected; raises RatedbError where a line cannot be read.
    """
    declared = cursor.count("radiative transitions")
    rows: dict[tuple[int, int], tuple[Line, list[float]]] = {}
    swapped, repeated, found = 0, 0, 0
    energy = levels.energy_cm1
    while found < declared:
        line = cursor.take(declared_rows("radiative transitions", declared, found))
        upper, lower, values = _line(line, len(levels), declared_rows("lines", declared, found))
        found += 1
        if energy[upper] < energy[lower]:
            upper, lower = lower, upper
            swapped += 1
        if (upper, lower) in rows:
            repeated += 1
            _same_or_refuse(rows[upper, lower], line, values)
        else:
            rows[upper, lower] = (line, values)
    if swapped:
        notes.append(f"{swapped} line(s) list the lower level first; up and low are exchanged")
    if repeated:
        notes.append(f"{repeated} duplicate line(s) with equal values are read once")
    if not rows:
        return Lines.empty()
    pairs = np.array(list(rows), dtype=np.int64)
    listed_values = [values for _, values in rows.values()]
    a_s1 = np.array([row[0] for row in listed_values])
    listed, listed_k = (
        np.array([row[place] if len(row) > place else np.nan for row in listed_values]) for place in (1, 2)
    )
    gap = energy[pairs[:, 0]] - energy[pairs[:, 1]]
    frequency, computed = _frequencies(gap * GHZ_PER_CM1, listed, notes)
    upper_k = _upper_energies(energy[pairs[:, 0]], listed_k, notes)
    return Lines(pairs[:, 0], pairs[:, 1], a_s1, frequency, upper_k, computed)


def _line(line: Line, n_levels: int, expected: str) -> tuple[int, int, list[float]]:
    """Return (upper, lower, [A, frequency, E_up]) of a line; the last two may be missing."""
    fields = line.fields()
    pair = [to_index(word) for word in fields[1:3]]
    values = to_numbers(fields[3:6])
    if len(fields) < 4 or to_index(fields[0]) is None or None in pair or values is None:
        raise line.refuse(
            "a radiative transition cannot be read", f"number, up, low, A (s-1), frequency; {expected}"
        )
    upper, lower = (index or 0 for index in pair)
    possible_a = 0 <= values[0] <= _LARGEST_A_S1
    if not (1 <= upper <= n_levels and 1 <= lower <= n_levels and upper != lower) or not possible_a:
        raise line.refuse(
            "a radiative transition is impossible", f"two different levels of 1..{n_levels}, A >= 0"
        )
    return upper - 1, lower - 1, values


def _same_or_refuse(first: tuple[Line, list[float]], line: Line, values: list[float]) -> None:
    if first[1] != values:
        raise line.refuse(
            "a duplicate radiative transition has different values",
            f"each transition once; line {first[0].number} is `{first[0].text}`",
            "remove one of the two lines",
        )


def _frequencies(gap_ghz: FloatArray, listed: FloatArray, notes: list[str]) -> tuple[FloatArray, BoolArray]:
    """Return the frequencies in GHz as listed, and where they are computed because none is listed in GHz."""
    absent = ~(listed > 0)
    unit = _unit_of(listed, gap_ghz, _FREQUENCY_UNITS)
    if unit:
        notes.append(
            f"the frequencies are listed in {unit}, as {listed[~absent][0]:.9g}, not in GHz; they are "
            "computed from the energies"
        )
        absent[:] = True
    elif absent.any():
        notes.append(f"{absent.sum()} line(s) have no frequency; it is computed from the energies")
    return np.where(absent, np.maximum(gap_ghz, 0.0), listed), absent


def _upper_energies(energy_cm1: FloatArray, listed_k: FloatArray, notes: list[str]) -> FloatArray:
    """Return E_u as listed in K, NaN where it is absent or in another unit."""
    unit = _unit_of(listed_k, energy_cm1 * HC_OVER_KB_CM_K, _UPPER_ENERGY_UNITS)
    if unit:
        notes.append(f"E_u is listed in {unit}, not in K; it is computed from the energies where needed")
    absent = np.isnan(listed_k) | (listed_k == 0) | bool(unit)
    return np.where(absent, np.nan, listed_k)


def _unit_of(listed: FloatArray, expected: FloatArray, units: Mapping[str, float]) -> str:
    """Return the unit of a whole column, by what nine of ten numbers are times the expected ones; or none."""
    known = (listed > 0) & (expected > 0)
    ratio = listed[known] / expected[known]
    for unit, factor in units.items():
        if len(ratio) and (np.abs(ratio / factor - 1.0) < _UNIT_TOLERANCE).mean() >= _MOST:
            return unit
    return ""
