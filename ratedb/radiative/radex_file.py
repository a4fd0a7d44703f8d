"""What RADEX reads in a LAMDA file: by the position of each line, as RADEX does.

From an invalid file RADEX crashes or goes on with a wrong number; here it is an error that names the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.bounds import LARGEST_TEXT_BYTES
from ratedb.errors import RatedbError
from ratedb.files import read_bytes
from ratedb.io.text import to_number
from ratedb.radiative.conditions import Conditions
from ratedb.systems import COLLIDERS

MAX_LINES = 500
"""The wrapper's output array holds this many lines; RADEX writes beyond its end without a check."""
MAX_LEVELS = 2999
MAX_FREQUENCY_GHZ = 3.0e7
"""RADEX leaves out lines at or above this frequency (the Lyman limit), and those at 0."""

# The bounds of RADEX's own arrays, which it checks by ending the process.
_MAX_PARTNERS, _MAX_RATES, _MAX_TEMPERATURES = 7, 99999, 99


@dataclass(frozen=True, eq=False)
class RateTable:
    """The rates for one collider, shape (n, m), and the places of their levels, shape (n,)."""

    upper: IntArray
    lower: IntArray
    temperature_k: FloatArray
    k_cm3_s: FloatArray


@dataclass(frozen=True)
class FileOutline:
    """What RADEX reads in a file: levels, lines, and for each collider the range of temperatures.

    `upper` and `lower` are indices into `label` and `energy_cm1`; `temperature_range_k` maps colliders, by
    the id digit that RADEX reads, to the first and last temperature of their rates, and `pairs` to the pairs
    of level numbers that have rates. `rates` has the rates themselves where they were asked for.
    """

    label: tuple[str, ...]
    energy_cm1: tuple[float, ...]
    weight: tuple[float, ...]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    einstein_a_s1: tuple[float, ...]
    frequency_ghz: tuple[float, ...]
    temperature_range_k: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    rates: Mapping[str, RateTable] = field(default_factory=dict)


def file_outline(path: Path) -> FileOutline:
    """Return what RADEX reads in a LAMDA file; raises RatedbError where it would misread it."""
    return outline_of(read_bytes(path, largest=LARGEST_TEXT_BYTES), str(path))


class _Records:
    """Reads a file as RADEX does, by the position of each line; errors name the line."""

    def __init__(self, content: bytes, where: str) -> None:
        # Split as bytes: Python text has more kinds of line end than Fortran.
        self._lines = [line.decode("latin-1") for line in content.splitlines()]
        self._next = 0
        self._where = where

    def wrong(self, expected: str) -> RatedbError:
        """Return the error for the line last read."""
        number = min(self._next, len(self._lines))
        return RatedbError(
            "RADEX cannot read this file",
            where=f"{self._where}, line {number}",
            expected=expected,
            got=(self._lines[number - 1].strip()[:100] or "a blank line") if number else "an empty file",
            todo="import the file and export it again: `ratedb export` writes what RADEX reads",
        )

    def skip(self, what: str) -> str:
        """Pass over one line and return it."""
        self._next += 1
        if self._next > len(self._lines):
            raise self.wrong(f"{what}, not the end of the file")
        return self._lines[self._next - 1]

    def words(self, count: int, what: str, *, one_line: bool = False) -> list[str]:
        """Return at least `count` words, from the next line that has any and, if allowed, those after."""
        found: list[str] = []
        while len(found) < count:
            row = self.skip(what).replace(",", " ").split()
            # Fortran fills a short line from the next one and drops the rest of that.
            if found and (one_line or len(found) + len(row) > count):
                self._next -= 1
                raise self.wrong(f"{what}: {count} entries")
            found += row
        return found

    def integer(self, word: str, low: int, high: int, what: str) -> int:
        """Return an integer between two bounds, inclusive."""
        if not re.fullmatch(r"[+-]?\d+", word) or not low <= int(word) <= high:
            raise self.wrong(f"{what}: an integer from {low} to {high}")
        return int(word)

    def real(self, word: str, what: str) -> float:
        """Return a finite number in C or Fortran style, such as `1.5D-10`."""
        value = to_number(word)
        if value is None:
            raise self.wrong(f"{what}: a number")
        return value


def outline_of(content: bytes, where: str, *, with_rates: bool = False) -> FileOutline:
    """Return what RADEX reads in the content of a file, which errors name as `where`."""
    records = _Records(content, where)
    for what in ("the header", "the molecule", "the header of the weight"):
        records.skip(what)
    records.real(records.words(1, "the molecular weight")[0], "the molecular weight")
    label, energy, weight = _outline_levels(records)
    upper, lower, einstein_a, frequency = _outline_lines(records, energy)
    partners = _outline_partners(records, len(label), with_rates)
    return FileOutline(label, energy, weight, upper, lower, einstein_a, frequency, *partners)


def _count(records: _Records, what: str, high: int) -> int:
    records.skip(f"the header of the number of {what}")
    name = f"the number of {what}"
    return records.integer(records.words(1, name)[0], 1, high, name)


def _outline_levels(records: _Records) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
    count = _count(records, "levels", 10**9)
    records.skip("the header of the levels")
    labels: list[str] = []
    energies: list[float] = []
    weights: list[float] = []
    for number in range(1, count + 1):
        what = f"level {number}: number, energy, weight and label"
        words = records.words(4, what, one_line=True)
        records.integer(words[0], number, number, what)
        energies.append(records.real(words[1], what))
        weights.append(records.real(words[2], what))
        labels.append(_label(" ".join(words[3:])))
    # Two levels with one label would be one level in a table by label.
    twice = {label for label in labels if labels.count(label) > 1} if len(set(labels)) < count else set()
    named = [f"{label}@{i + 1}" if label in twice else label for i, label in enumerate(labels)]
    return tuple(named), tuple(energies), tuple(weights)


def _label(text: str) -> str:
    # Some files put the label in quotes, or a remark after it.
    plain = text.split("!")[0].strip("'\" ")
    return plain or text.strip()


def _outline_lines(
    records: _Records, energies: tuple[float, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    count = _count(records, "lines", 10**9)
    records.skip("the header of the lines")
    rows: list[tuple[int, int, float, float]] = []
    for number in range(1, count + 1):
        what = f"line {number}: number, upper level, lower level, A, frequency and energy"
        words = records.words(6, what, one_line=True)
        records.integer(words[0], 1, count, what)
        upper, lower = (records.integer(word, 1, len(energies), what) - 1 for word in words[1:3])
        einstein_a, frequency, _ = (records.real(word, what) for word in words[3:6])
        if not energies[upper] > energies[lower] or not einstein_a >= 0:
            raise records.wrong(f"{what}, with the upper level above the lower and A not negative")
        if not 0.0 < frequency < MAX_FREQUENCY_GHZ:
            raise records.wrong(f"{what}, with a frequency above 0 and below {MAX_FREQUENCY_GHZ:g} GHz")
        rows.append((upper, lower, einstein_a, frequency))
    uppers, lowers, strengths, frequencies = zip(*rows, strict=True)
    return uppers, lowers, strengths, frequencies


def _outline_partners(
    records: _Records, levels: int, with_rates: bool
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[tuple[int, int], ...]], dict[str, RateTable]]:
    ranges: dict[str, tuple[float, float]] = {}
    pairs: dict[str, tuple[tuple[int, int], ...]] = {}
    rates: dict[str, RateTable] = {}
    for _ in range(_count(records, "collision partners", _MAX_PARTNERS)):
        records.skip("the header of a collision partner")
        first = records.skip("a collision partner")[:1]
        name = COLLIDERS[records.integer(first, 1, 7, "a collision partner, its id at the line's start") - 1]
        if name in ranges:
            raise records.wrong(f"one set of rates for {name}, not two")
        size = _count(records, "rates", _MAX_RATES)
        count = _count(records, "temperatures", _MAX_TEMPERATURES)
        records.skip("the header of the temperatures")
        words = records.words(count, f"{count} temperatures")
        temperatures = [records.real(word, "a temperature") for word in words[:count]]
        if any(b <= a for a, b in pairwise(temperatures)) or temperatures[0] <= 0:
            raise records.wrong("temperatures that increase")
        records.skip("the header of the rates")
        listed, values = [], []
        for number in range(1, size + 1):
            what = f"rate {number} for {name}: number, two levels and {count} rates"
            row = records.words(3 + count, what)
            records.integer(row[0], 1, size, what)
            upper, lower = (records.integer(word, 1, levels, what) for word in row[1:3])
            listed.append((upper, lower))
            if with_rates:
                values.append([records.real(word, what) for word in row[3 : 3 + count]])
        ranges[name] = (temperatures[0], temperatures[-1])
        pairs[name] = tuple(sorted(listed))
        if with_rates:
            places = np.array(listed, dtype=np.int64) - 1
            rates[name] = RateTable(places[:, 0], places[:, 1], np.array(temperatures), np.array(values))
    return ranges, pairs, rates


def check_conditions(outline: FileOutline, conditions: Conditions, where: str) -> None:
    """Raise RatedbError where a file does not have what conditions ask for, which RADEX would not notice."""
    known = outline.temperature_range_k
    for name in conditions.colliders:
        if name not in known:
            raise RatedbError(
                f"the file has no rates for {name}",
                where=where,
                expected=f"densities of {', '.join(known)} only",
                got=conditions.describe(),
                todo="take this collider out of the conditions: RADEX would ignore it",
            )
        low, high = known[name]
        if not low <= conditions.temperature_k <= high:
            raise RatedbError(
                f"the rates for {name} do not reach {conditions.temperature_k:g} K",
                where=where,
                expected=f"{low:g} to {high:g} K",
                got=conditions.describe(),
                todo="choose a temperature in this range: RADEX would use the rates at its end",
            )
    # RADEX sets the density of H2 to p-H2 + o-H2, or the reverse, whatever is given.
    nuclear_spin = {"p-H2", "o-H2"} & set(known)
    if "H2" in known and nuclear_spin and {"H2", *nuclear_spin} & set(conditions.colliders):
        raise RatedbError(
            "RADEX would count H2 twice in this file",
            where=where,
            expected="rates for H2, or for p-H2 and o-H2",
            got=", ".join(known),
            todo="use a file with only one of the two",
        )
