"""The cross sections that a file gives, and how those of several files are joined over their energies."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, positions
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.findings import REVERSIBILITY, Finding
from ratedb.levels import Levels

SAME_ENERGY_CM1 = 1e-6
"""Two energies, of a level or of a collision, are the same where they differ by no more than this."""

SAME_MASS = 1e-6
"""How far, relatively, two reduced masses of one system may be apart: what printing rounds away."""

SAME_DIGITS = 1e-9
"""How far, relatively, two cross sections may be apart that were printed with the same digits."""

SPARSE_CM1 = 30.0
"""Kinetic energy below which a sum over every n-th total angular momentum is too coarse.

So few partial waves contribute there that the sum over every 3rd was wrong by tens of per cent; above it
the same sums agree with the full ones to a few per cent.
"""


@dataclass(frozen=True, eq=False)
class CrossSectionFile:
    """All cross sections that one file gives, or several joined: a table for each run or method.

    `warnings` say what the reader left out or corrected, `findings` what it found that the tables no longer
    show. `paths` are the files that were read.
    """

    tables: tuple[CrossSections, ...]
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Entries:
    """Single cross sections in no order: level indices, kinetic energies and values, each of shape (k,)."""

    initial: IntArray
    final: IntArray
    kinetic_cm1: FloatArray
    sigma_angstrom2: FloatArray

    def __len__(self) -> int:
        return len(self.initial)

    def select(self, keep: BoolArray | IntArray) -> Entries:
        """Return the entries at `keep`, a boolean mask of shape (k,) or indices."""
        return Entries(
            self.initial[keep], self.final[keep], self.kinetic_cm1[keep], self.sigma_angstrom2[keep]
        )

    @staticmethod
    def join(parts: Sequence[Entries]) -> Entries:
        """Return the entries of all parts, one after another."""
        names = [one.name for one in fields(Entries)]
        return Entries(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def repeated(entries: Entries) -> tuple[IntArray, IntArray, IntArray]:
    """Return (order, first, second): which entries give the same transition at the same energy twice.

    `order` sorts the entries by transition and energy; `first` and `second` are indices of neighbours in
    that order at one energy (SAME_ENERGY_CM1).
    """
    order = np.lexsort((entries.kinetic_cm1, entries.final, entries.initial))
    row = entries.select(order)
    same = (
        (np.diff(row.initial) == 0)
        & (np.diff(row.final) == 0)
        & (np.diff(row.kinetic_cm1) <= SAME_ENERGY_CM1)
    )
    at = np.flatnonzero(same)
    return order, order[at], order[at + 1]


def each_once(entries: Entries, refuse: Callable[[int, int, int], RatedbError]) -> Entries:
    """Return the entries without repeated ones.

    Where values differ, raises the error that `refuse` returns for the first two such entries and the number
    of such pairs.
    """
    _, first, second = repeated(entries)
    a, b = entries.sigma_angstrom2[first], entries.sigma_angstrom2[second]
    wrong = np.flatnonzero(np.abs(a - b) > SAME_DIGITS * np.maximum(a, b))
    if len(wrong):
        raise refuse(int(first[wrong[0]]), int(second[wrong[0]]), len(wrong))
    keep = np.ones(len(entries), dtype=np.bool_)
    keep[second] = False
    return entries.select(keep)


def table_of(
    levels: Levels, collider: str, method: str, reduced_mass_u: float, entries: Entries
) -> CrossSections:
    """Return a table of entries that give no transition twice at one energy (see `each_once`).

    Its rows are sorted by initial and final level. Its columns are the total energies where the entries
    were computed on a grid of them; otherwise each row is packed from the left, as energies then differ
    from row to row.
    """
    n = len(levels)
    entries = entries.select(repeated(entries)[0])
    pair, row, count = np.unique(entries.initial * n + entries.final, return_inverse=True, return_counts=True)
    row = row.reshape(-1)
    column = np.arange(len(entries)) - np.repeat(np.cumsum(count) - count, count)
    total, width = _total_columns(entries.kinetic_cm1 + levels.energy_cm1[entries.initial])
    if len(entries) and width <= 2 * count.max() and len(np.unique(row * width + total)) == len(entries):
        column = total
    shape = (len(pair), int(column.max()) + 1 if len(entries) else 0)
    kinetic, sigma = np.full(shape, np.nan), np.full(shape, np.nan)
    kinetic[row, column] = entries.kinetic_cm1
    sigma[row, column] = entries.sigma_angstrom2
    return CrossSections(levels, collider, method, reduced_mass_u, pair // n, pair % n, kinetic, sigma)


def _total_columns(total_cm1: FloatArray) -> tuple[IntArray, int]:
    order = np.argsort(total_cm1)
    step = np.diff(total_cm1[order], prepend=-np.inf) > SAME_ENERGY_CM1
    column = np.empty(len(order), dtype=np.int64)
    column[order] = np.cumsum(step) - 1
    return column, int(step.sum())


def entries_of(table: CrossSections) -> Entries:
    """Return the single cross sections of a table, without its gaps."""
    row, column = np.nonzero(np.isfinite(table.kinetic_cm1))
    return Entries(
        table.initial[row],
        table.final[row],
        table.kinetic_cm1[row, column],
        table.sigma_angstrom2[row, column],
    )


def densely_sampled(entries: Entries, lowest_cm1: FloatArray, step: int, notes: list[str]) -> Entries:
    """Return the entries without those whose sum over one in `step` angular momenta is too coarse.

    That is where `lowest_cm1`, shape (k,), the lower of the kinetic energies before and after the collision,
    is below SPARSE_CM1; they are counted in `notes`. With a step of 1 nothing is left out.
    """
    sparse = (lowest_cm1 < SPARSE_CM1) & (step > 1)
    if sparse.any():
        notes.append(
            f"{sparse.sum()} of {len(sparse)} cross sections are left out: one in {step} total angular "
            f"momenta was computed, too few where a level lies within {SPARSE_CM1:g} cm-1 of the energy"
        )
    return entries.select(~sparse)


def lowest_kinetic(entries: Entries, levels: Levels) -> FloatArray:
    """Return the lower of the kinetic energies (cm-1) before and after each collision, shape (k,)."""
    energy = levels.energy_cm1
    after = entries.kinetic_cm1 + energy[entries.initial] - energy[entries.final]
    return np.minimum(entries.kinetic_cm1, after)


def irreversible(table: CrossSections) -> tuple[Finding, ...]:
    """Return a finding where the two directions of transitions violate microscopic reversibility,

    g_i E_i sigma(i -> f) = g_f E_f sigma(f -> i) at one total energy; at one kinetic energy in IOS, which
    has no thresholds. Quantum methods obey it to the printed digits, so that a damaged number, a wrong weight
    or exchanged directions show here; convergence does not.
    """
    forth, back = _both_directions(table)
    levels, start = table.levels, table.initial
    shift = 0.0 if table.method == "IOS" else levels.energy_cm1[start][:, None]
    energy = table.kinetic_cm1 + shift
    flux = levels.weight[start][:, None] * table.kinetic_cm1 * table.sigma_angstrom2
    with np.errstate(invalid="ignore"):
        apart = np.abs(flux[forth] - flux[back]) / np.maximum(flux[forth], flux[back])
        same = np.abs(energy[forth] - energy[back]) <= SAME_ENERGY_CM1
        apart = np.where(same & (apart > REVERSIBILITY.threshold), apart, 0.0)
    if not apart.any():
        return ()
    pair, column = np.unravel_index(int(np.argmax(apart)), apart.shape)
    row, other = forth[pair], back[pair]
    kinetic = float(table.kinetic_cm1[row, column])
    weight = float(levels.weight[start[row]])
    start_label, end_label = levels.label[start[row]], levels.label[table.final[row]]
    return (
        REVERSIBILITY.finding(
            table.system,
            f"{table.method}: {np.count_nonzero(apart)} cross sections do not fit those of the opposite "
            f"direction; the worst, {start_label} -> {end_label} in Angstrom^2, at {kinetic:.9g} cm-1",
            upper=start_label,
            lower=end_label,
            value=float(table.sigma_angstrom2[row, column]),
            expected=float(flux[other, column]) / (weight * kinetic),
        ),
    )


def _both_directions(table: CrossSections) -> tuple[IntArray, IntArray]:
    """Return the rows of the transitions that have both directions, and the rows of the other direction."""
    n = len(table.levels)
    back = positions(table.initial * n + table.final, table.final * n + table.initial)
    forth = np.flatnonzero((back >= 0) & (table.initial < table.final))
    return forth, back[forth]


def join(files: Sequence[CrossSectionFile]) -> CrossSectionFile:
    """Return the union over energies of all tables of the same system and method.

    Levels are identified by their labels; the lists may have different lengths. What two files give alike is
    kept once. Raises RatedbError, naming both files, where they disagree on the energy or weight of a level,
    on the reduced mass, or on a cross section.
    """
    if not files:
        raise RatedbError("no cross sections to join", expected="at least one file")
    groups: dict[tuple[str, str], list[_Source]] = {}
    for file in files:
        name = " and ".join(str(path) for path in file.paths) or "a table without a file"
        for table in file.tables:
            groups.setdefault((table.system, table.method), []).append(_Source(table, name))
    return CrossSectionFile(
        tuple(_joined(sources) for sources in groups.values()),
        _summed_up(files),
        tuple(dict.fromkeys(finding for file in files for finding in file.findings)),
        tuple(dict.fromkeys(path for file in files for path in file.paths)),
    )


def _summed_up(files: Sequence[CrossSectionFile]) -> tuple[str, ...]:
    """Return the warnings of all files; of those that differ in numbers only, the first and how many."""
    if len(files) == 1:
        return files[0].warnings
    alike: dict[str, list[str]] = {}
    for file in files:
        name = " and ".join(path.name for path in file.paths)
        for text in file.warnings:
            alike.setdefault(re.sub(r"\d+", "", text), []).append(f"{name}: {text}")
    return tuple(
        texts[0] + (f" (and {len(texts) - 1} more like this)" if len(texts) > 1 else "")
        for texts in alike.values()
    )


class _Source(NamedTuple):
    table: CrossSections
    name: str


def _joined(sources: list[_Source]) -> CrossSections:
    first = sources[0].table
    if len(sources) == 1:
        return first
    for other in sources[1:]:
        _need_same_mass(sources[0], other)
    levels = joined_levels([(source.table.levels, source.name) for source in sources])
    parts = []
    for source in sources:
        own = entries_of(source.table)
        place = np.array([levels.places[label] for label in source.table.levels.label], dtype=np.int64)
        parts.append(replace(own, initial=place[own.initial], final=place[own.final]))
    entries = Entries.join(parts)
    origin = np.repeat(np.arange(len(parts)), [len(part) for part in parts])

    def contradiction(a: int, b: int, count: int) -> RatedbError:
        name = f"{levels.label[entries.initial[a]]} -> {levels.label[entries.final[a]]}"
        kinetic, (one, other) = entries.kinetic_cm1[a], entries.sigma_angstrom2[[a, b]]
        total = kinetic + levels.energy_cm1[entries.initial[a]]
        return RatedbError(
            f"two calculations give different cross sections for {name} at the same energy",
            where=f"{sources[origin[a]].name} and {sources[origin[b]].name}",
            expected=f"one value at a kinetic energy of {kinetic:.9g} cm-1 (total {total:.9g} cm-1), "
            f"{first.method}",
            got=f"{one:.9g} Angstrom^2 and {other:.9g} Angstrom^2; {count} cross section(s) differ so",
            todo="join files of one calculation only; leave one of the two out",
        )

    return table_of(
        levels, first.collider, first.method, first.reduced_mass_u, each_once(entries, contradiction)
    )


def _need_same_mass(first: _Source, other: _Source) -> None:
    a, b = first.table.reduced_mass_u, other.table.reduced_mass_u
    if abs(a - b) > SAME_MASS * a:
        raise RatedbError(
            f"two files of {first.table.system} have different reduced masses",
            where=f"{first.name} and {other.name}",
            expected="one reduced mass",
            got=f"{a:.9g} u and {b:.9g} u",
            todo="join files of one calculation only",
        )


def joined_levels(parts: Sequence[tuple[Levels, str]]) -> Levels:
    """Return the levels of several files, each by its label once, ordered by energy.

    `parts` are levels and the name of their file. Raises RatedbError where two disagree on a level.
    """
    found: dict[str, tuple[Levels, int, str]] = {}
    for levels, name in parts:
        for row, label in enumerate(levels.label):
            known, at, where = found.setdefault(label, (levels, row, name))
            energy, weight = levels.energy_cm1[row], levels.weight[row]
            if abs(known.energy_cm1[at] - energy) > SAME_ENERGY_CM1 or known.weight[at] != weight:
                raise RatedbError(
                    f"two files disagree on level {label} of {levels.molecule}",
                    where=f"{where} and {name}",
                    expected="one energy and one weight for each level",
                    got=f"{known.energy_cm1[at]:.9g} cm-1 with weight {known.weight[at]:g}, and {energy:.9g} "
                    f"cm-1 with weight {weight:g}",
                    todo="join files of one calculation only",
                )
    rows = sorted(found.values(), key=lambda one: one[0].energy_cm1[one[1]])
    named = [
        name
        for name in parts[0][0].quantum_numbers
        if all(name in levels.quantum_numbers for levels, _ in parts)
    ]
    masses = [levels.molecular_weight for levels, _ in parts]
    return Levels(
        parts[0][0].molecule,
        tuple(levels.label[row] for levels, row, _ in rows),
        np.array([levels.energy_cm1[row] for levels, row, _ in rows]),
        np.array([levels.weight[row] for levels, row, _ in rows]),
        {name: np.array([levels.quantum_numbers[name][row] for levels, row, _ in rows]) for name in named},
        next((mass for mass in masses if mass is not None), None),
        parts[0][0].kind if len({levels.kind for levels, _ in parts}) == 1 else "",
    )
