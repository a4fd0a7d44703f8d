"""Lists of levels and of Einstein A as molpop has them: sections that open with `>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.listed_levels import LARGEST_NUMBER, LevelList, ListedLevel, levels_from, need_declared
from ratedb.io.text import Line, numbered_lines, to_index, to_number, to_numbers
from ratedb.kinds.labels import (
    assigned_labels,
    assigned_numbers,
    fit_with_spins,
    named_numbers,
    quantum_numbers,
)
from ratedb.kinds.recognise import Recognition, with_kind
from ratedb.levels import UNKNOWN_KIND, Levels, Lines, vj
from ratedb.physics.constants import GHZ_PER_CM1

_HEAVIEST = 1e6  # u
_LARGEST_A_S1 = 1e15
_ASSIGNS_V = re.compile(r"\bv\s*=", re.IGNORECASE)


def levels_from_molpop(path: Path, lines: Sequence[Line], molecule: str) -> LevelList:
    """Read `number weight energy 'label'` below a header that names the energy, and A below another."""
    start = _after(lines, r"energy in\s+cm")
    if start is None:
        raise RatedbError(
            "the list does not say in which unit its energies are",
            where=str(path),
            expected="a header with `Energy in cm^{-1}`",
            todo="name another file with --levels",
        )
    listed: list[ListedLevel] = []
    for line in lines[start:]:
        words = line.text.split(None, 3)
        if words and words[0][0].isalpha() and not to_numbers(words[1:3]):
            break  # the header of the next section
        if words:
            listed.append(_molpop_level(line, words))
    count = _first_below(lines[: start - 1], r"N\.?\s+levels")
    number = count.text.split()[0] if count else ""
    if to_index(number) is not None:
        need_declared(count, number, len(listed))
    listed, found = _named(listed)
    levels = with_kind(levels_from(molecule, path, listed, found))
    levels = replace(levels, molecular_weight=_molecular_weight(lines[: start - 1]))
    at = _after(lines, r"A_ij")
    return LevelList(levels, Lines.empty() if at is None else _einstein_lines(lines[at:], levels))


def _molecular_weight(lines: Sequence[Line]) -> float | None:
    """Return the mass (u) after the number of levels, None without one or where it is zero."""
    first = _first_below(lines, r"N\.?\s+levels and molecular mass")
    words = [] if first is None else first.text.split()
    mass = to_number(words[1]) if len(words) > 1 else None
    return mass if mass is not None and 0 < mass < _HEAVIEST else None


def _first_below(lines: Sequence[Line], pattern: str) -> Line | None:
    at = _after(lines, pattern)
    return None if at is None else next((line for line in lines[at:] if line.text.strip()), None)


def _molpop_level(line: Line, words: list[str]) -> ListedLevel:
    number = to_index(words[0])
    values = to_numbers(words[1:3])
    if number is None or values is None or len(values) != 2:
        raise line.refuse("a level cannot be read", "number, weight, energy (cm-1), label")
    text = words[3].strip().strip("'\"").strip() if len(words) > 3 else ""
    return ListedLevel(line, number, values[1], values[0], text or f"L{number}")


def _named(listed: Sequence[ListedLevel]) -> tuple[list[ListedLevel], Recognition | None]:
    """Return the levels, labelled by the numbers that their texts assign, and their quantum numbers."""
    if not listed or min(level.weight for level in listed) <= 0:
        return list(listed), None  # levels_from refuses such a weight
    labels, numbers = named_labels([level.label for level in listed], [level.weight for level in listed])
    named = [replace(level, label=label) for level, label in zip(listed, labels, strict=True)]
    return named, Recognition(UNKNOWN_KIND, "", numbers)


def named_labels(texts: Sequence[str], weights: Sequence[float]) -> tuple[list[str], dict[str, FloatArray]]:
    """Return labels such as `5` or `1_5` where texts say `N = 5` or `v = 1, J = 5`, and quantum numbers.

    Other texts are labels as they are. There are no quantum numbers where the texts do not name them, or
    where the weights, shape (n,) and positive, contradict them.
    """
    labels = assigned_labels(texts)
    header = "v" if all(_ASSIGNS_V.search(text) for text in texts) else ""
    linear = quantum_numbers(labels, header, weights)
    numbers = named_numbers(texts, header, weights) if linear is None else vj(*linear)
    return labels, numbers or _with_spins(texts, weights)


def _with_spins(texts: Sequence[str], weights: Sequence[float]) -> dict[str, FloatArray]:
    """Return v and j where texts assign them and weights fit with the nuclear spins of H2; else none."""
    numbers = assigned_numbers(texts)
    if len(texts) < 2 or set(numbers) not in ({"j"}, {"v", "j"}):
        return {}
    v, j = numbers.get("v", np.zeros(len(texts))), numbers["j"]
    whole = all(bool((one % 1 == 0).all() and (one >= 0).all()) for one in (v, j))
    fits = whole and max(v.max(), j.max()) <= LARGEST_NUMBER and fit_with_spins(j.astype(np.int64), weights)
    return vj(v, j) if fits else {}


def _after(lines: Sequence[Line], pattern: str) -> int | None:
    """Return where the rows begin that follow a header of this pattern and a line with `>`."""
    named = False
    for place, line in enumerate(lines):
        if named and line.text.strip().startswith(">"):
            return place + 1
        named = named or re.search(pattern, line.text, re.IGNORECASE) is not None
    return None


def is_einstein_list(content: bytes) -> bool:
    """Return whether a file lists Einstein A and no energies of levels."""
    head = content[:2000].decode("latin-1")
    return re.search(r"A_ij", head) is not None and re.search(r"energy in", head, re.IGNORECASE) is None


def read_einstein_list(file: InputFile, levels: Levels) -> Lines:
    """Return the lines of a list of Einstein A between these levels; raises RatedbError."""
    lines = numbered_lines(file.content, file.path)
    below = _after(lines, r"A_ij")
    headers = [place for place, line in enumerate(lines) if "A_ij" in line.text]
    return _einstein_lines(lines[headers[-1] + 1 if below is None else below :], levels)


def _einstein_lines(lines: Sequence[Line], levels: Levels) -> Lines:
    """Read rows of upper and lower level number and Einstein A (s-1); a zero means no line."""
    found: dict[tuple[int, int], tuple[float, Line]] = {}
    for line in lines:
        words = line.text.split()
        if not words:
            continue
        numbers = [to_index(word) for word in words[:2]]
        if len(words) != 3 or None in numbers:
            raise line.refuse("an Einstein A cannot be read", "upper level, lower level, A in s-1")
        value = to_number(words[2])
        first, second = (number or 0 for number in numbers)
        inside = 1 <= first <= len(levels) and 1 <= second <= len(levels)
        if value is None or not 0 <= value <= _LARGEST_A_S1 or not inside:
            raise line.refuse("an Einstein A is impossible", f"levels 1..{len(levels)} and a number >= 0")
        if levels.energy_cm1[first - 1] <= levels.energy_cm1[second - 1]:
            raise line.refuse("a line does not go down in energy", "the upper level first")
        before = found.setdefault((first - 1, second - 1), (value, line))
        if before[0] != value:
            raise line.refuse(
                "duplicate Einstein A with different values",
                f"each line once; line {before[1].number} is `{before[1].text.strip()}`",
                "remove one of the two lines",
            )
    pairs = [pair for pair, (value, _) in found.items() if value > 0]
    energy = levels.energy_cm1
    up, low = (np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1))
    einstein = np.array([found[pair][0] for pair in pairs])
    frequency = (energy[up] - energy[low]) * GHZ_PER_CM1
    return Lines(up, low, einstein, frequency, frequency_computed=np.ones(len(up), dtype=np.bool_))
