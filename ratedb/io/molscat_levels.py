"""Read the list of pair levels of a MOLSCAT run, and name each level by its quantum numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, positions
from ratedb.io.molscat_text import Run
from ratedb.io.text import to_index, to_number
from ratedb.kinds.recognise import with_kind
from ratedb.levels import Levels, vj

_ENERGY_AGREES_CM1 = 1e-6
_COUNT = re.compile(r"EACH PAIR STATE IS LABELLED BY +(\d{1,3}) QUANTUM NUMBER", re.ASCII)
_TITLE = re.compile(r"^ +PAIR STATE +.*PAIR LEVEL +PAIR ENERGY \((.*)\)", re.M)
_NAMES = {"J": "j", "V": "v", "K": "k", "J1": "j", "J2": "j2"}
_RECOUPLED = ("J12",)
"""Quantum numbers that tell states of one level apart but do not belong to the level."""


@dataclass(frozen=True, eq=False)
class PairLevels:
    """The pair levels of a run: numbers as printed, from 1; quantum numbers, names and energies of each.

    `affected` levels have a negative number: JZCSMX limits their basis.
    """

    number: IntArray
    names: tuple[str, ...]
    quantum: tuple[tuple[int, ...], ...]
    energy_cm1: tuple[float, ...]
    affected: BoolArray
    places: dict[int, int] = field(default_factory=dict)

    def __contains__(self, number: object) -> bool:
        return number in self.places

    def is_affected(self, number: int) -> bool:
        """Return whether JZCSMX limits the basis of a level."""
        return bool(self.affected[self.places[number]])

    def index(self, numbers: IntArray) -> IntArray:
        """Return the places in the list of levels, from 0, of numbers as printed."""
        return positions(self.number, numbers)

    def need_energies(self, run: Run, at: int, threshold: Mapping[int, float]) -> None:
        """Raise RatedbError where the thresholds of the table are not the energies of the list."""
        for number, energy in threshold.items():
            listed = self.energy_cm1[self.places[number]] if number in self else None
            if listed is None or abs(listed - energy) > _ENERGY_AGREES_CM1:
                raise run.refuse(
                    at,
                    f"the threshold of level {number} is {energy:.9g} cm-1",
                    "a pair level" if listed is None else f"{listed:.9g} cm-1, as in the list of pair levels",
                )

    def table(self, molecule: str, threshold: Mapping[int, float]) -> Levels:
        """Return the levels with their labels, in the order of the list; energies as precise as known."""
        columns = dict(zip(self.names, np.array(self.quantum).T, strict=True))
        weight = np.prod([2 * columns[name] + 1 for name in _rotations(self.names)], axis=0)
        order = ["V", "J"] if sorted(self.names) == ["J", "V"] else list(self.names)
        label = tuple("_".join(map(str, row)) for row in zip(*(columns[name] for name in order), strict=True))
        linear = self.names == ("J",) or order == ["V", "J"]
        named = vj(columns.get("V", np.zeros(len(label))), columns["J"]) if linear else _named(columns)
        energy = [
            threshold.get(int(n), listed) for n, listed in zip(self.number, self.energy_cm1, strict=True)
        ]
        return with_kind(Levels(molecule, label, np.array(energy), weight, named))


def _named(columns: Mapping[str, IntArray]) -> dict[str, FloatArray]:
    """Return quantum numbers by their names in Levels; none where one has no such name."""
    known = all(name in _NAMES for name in columns)
    return {_NAMES[name]: values.astype(np.float64) for name, values in columns.items()} if known else {}


def _rotations(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in ("J", "J1", "J2")]


def read_pair_levels(run: Run) -> PairLevels:
    """Return the pair levels of a run; raises RatedbError where they are not listed or contradict."""
    count, title = run.search(_COUNT), run.search(_TITLE)
    if count is None or title is None:
        raise run.refuse(
            run.start,
            "the run does not list its pair levels, so that its levels are unknown",
            "the table of PAIR STATE QUANTUM NUMBERS",
            "run MOLSCAT with IPRINT >= 1",
        )
    if title[1] != "CM-1":
        raise run.refuse(title.start(), "the unit of the level energies is not known", "PAIR ENERGY (CM-1)")
    lines = run.lines_from(title.start())
    next(lines)
    at, heading = next(lines, (title.start(), ""))
    names = [word for word in heading.split() if word.strip("-")]
    if len(names) > int(count[1]) or len(set(names)) != len(names) or not _rotations(tuple(names)):
        what = "the quantum numbers of the pair levels are not known"
        raise run.refuse(at, what, "J, or J1 and J2, among them")
    rows: list[_Row] = []
    for position, line in lines:
        words = line.split()
        if not words:
            break
        rows.append(_row(run, position, words, int(count[1]), len(rows) + 1))
    return _levels(run, tuple(names), rows)


@dataclass(frozen=True)
class _Row:
    at: int
    quantum: tuple[int, ...]
    number: int
    energy_cm1: float


def _row(run: Run, at: int, words: list[str], count: int, state: int) -> _Row:
    whole = [_integer(word) for word in words[:-1]]
    energy = to_number(words[-1])
    known = [number for number in whole if number is not None]
    complete = len(words) == count + 3 and len(known) == len(whole)
    if not complete or energy is None or known[0] != state or not known[-1]:
        expected = f"its number {state}, {count} quantum number(s), its level and its energy"
        raise run.refuse(at, "a pair state cannot be read", expected)
    return _Row(at, tuple(known[1:-1]), known[-1], energy)


def _integer(word: str) -> int | None:
    value = to_index(word.removeprefix("-"))
    return -value if value is not None and word.startswith("-") else value


def _levels(run: Run, names: tuple[str, ...], rows: list[_Row]) -> PairLevels:
    kept = [k for k, name in enumerate(names) if name not in _RECOUPLED]
    found: dict[int, tuple[tuple[int, ...], float, bool]] = {}
    labels: dict[tuple[int, ...], int] = {}
    for row in rows:
        number = abs(row.number)
        quantum = tuple(row.quantum[k] for k in kept)
        level = (quantum, row.energy_cm1, row.number < 0)
        rotation = [q for k, q in zip(kept, quantum, strict=True) if names[k] in ("J", "J1", "J2", "V")]
        if found.setdefault(number, level) != level or labels.setdefault(quantum, number) != number:
            raise run.refuse(
                row.at,
                "a pair level has two sets of quantum numbers or energies, or two levels have the same",
                "one set of quantum numbers and one energy for each pair level",
            )
        if min(rotation) < 0:
            raise run.refuse(row.at, "a quantum number is negative", "J and V from 0")
    if not found:
        raise run.refuse(run.start, "the list of pair levels is empty", "at least one pair level")
    return PairLevels(
        np.array(list(found), dtype=np.int64),
        tuple(names[k] for k in kept),
        tuple(level[0] for level in found.values()),
        tuple(level[1] for level in found.values()),
        np.array([level[2] for level in found.values()]),
        {number: place for place, number in enumerate(found)},
    )
