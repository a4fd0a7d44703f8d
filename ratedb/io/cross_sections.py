"""Hold the cross sections that a file gives, and join those of several files over their energies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.findings import REVERSIBILITY, Finding
from ratedb.levels import Levels, vj

SAME_ENERGY_CM1 = 1e-6
"""Two energies, of a level or of a collision, are the same where they differ by no more than this."""

SAME_MASS = 1e-6
"""How far, relatively, two reduced masses of one system may be apart: what printing rounds away."""

SAME_DIGITS = 1e-9
"""How far, relatively, two cross sections may be apart that were printed with the same digits."""

SPARSE_CM1 = 30.0
"""Kinetic energy below which a sum over every n-th total angular momentum is too coarse to be used.

So few partial waves reach the collision there that the sum over every 3rd was found wrong by tens of
per cent; above it the same sums agree with the full ones to a few per cent at worst.
"""


@dataclass(frozen=True, eq=False)
class CrossSectionFile:
    """All cross sections that one file gives, or several joined: a table for each run or method.

    `warnings` are sentences for people: what the reader left out or mended. `findings` are what it saw that
    the tables no longer show. `paths` are the files that were read.
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


def again(entries: Entries) -> tuple[IntArray, IntArray, IntArray]:
    """Return (order, first, second): which entries give the same transition at the same energy twice.

    `order` sorts the entries by transition and energy; `first` and `second` are indices of neighbours in
    that order that stand at one energy (SAME_ENERGY_CM1).
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


def contradictions(entries: Entries, first: IntArray, second: IntArray) -> IntArray:
    """Return where `first` and `second` of `again` give different values, indices of shape (c,)."""
    a, b = entries.sigma_angstrom2[first], entries.sigma_angstrom2[second]
    return np.flatnonzero(np.abs(a - b) > SAME_DIGITS * np.maximum(a, b))


def table_of(
    levels: Levels, collider: str, method: str, reduced_mass_u: float, entries: Entries
) -> CrossSections:
    """Return a table of entries that give no transition twice at one energy (see `again`).

    Its rows are sorted by initial and final level. Its columns are the total energies where the entries
    were computed on a grid of them; otherwise each row is packed from the left, as energies then differ
    from row to row.
    """
    n = len(levels)
    entries = entries.select(again(entries)[0])
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
    """Return a finding where the two directions of transitions break microscopic reversibility,

    g_i E_i sigma(i -> f) = g_f E_f sigma(f -> i) at one total energy; at one kinetic energy in IOS, which
    knows no thresholds. Quantum methods obey it to the printed digits, so a damaged number, a wrong weight
    or swapped directions show here. Obeying it says nothing about convergence.
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
    key, turned = table.initial * n + table.final, table.final * n + table.initial
    order = np.argsort(key)
    place = order[np.minimum(np.searchsorted(key[order], turned), max(len(key) - 1, 0))]
    forth = np.flatnonzero((key[place] == turned) & (table.initial < table.final))
    return forth, place[forth]


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


@dataclass(frozen=True, eq=False)
class _Source:
    table: CrossSections
    name: str


def _joined(sources: list[_Source]) -> CrossSections:
    if len(sources) == 1:
        return sources[0].table
    first = sources[0]
    for other in sources[1:]:
        _need_same_mass(first, other)
    levels = _joined_levels(sources)
    index = {label: i for i, label in enumerate(levels.label)}
    parts = []
    for source in sources:
        own = entries_of(source.table)
        place = np.array([index[label] for label in source.table.levels.label], dtype=np.int64)
        parts.append(Entries(place[own.initial], place[own.final], own.kinetic_cm1, own.sigma_angstrom2))
    entries = Entries(
        np.concatenate([part.initial for part in parts]),
        np.concatenate([part.final for part in parts]),
        np.concatenate([part.kinetic_cm1 for part in parts]),
        np.concatenate([part.sigma_angstrom2 for part in parts]),
    )
    origin = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    _, one, two = again(entries)
    wrong = contradictions(entries, one, two)
    if len(wrong):
        a, b = one[wrong[0]], two[wrong[0]]
        raise _contradiction(levels, entries, (a, b), (sources[origin[a]], sources[origin[b]]), len(wrong))
    keep = np.ones(len(entries), dtype=np.bool_)
    keep[two] = False
    table = first.table
    return table_of(levels, table.collider, table.method, table.reduced_mass_u, entries.select(keep))


def _contradiction(
    levels: Levels,
    entries: Entries,
    pair: tuple[int, int],
    sources: tuple[_Source, _Source],
    count: int,
) -> RatedbError:
    a = pair[0]
    name = f"{levels.label[entries.initial[a]]} -> {levels.label[entries.final[a]]}"
    values = [f"{entries.sigma_angstrom2[i]:.9g} Angstrom^2" for i in pair]
    total = entries.kinetic_cm1[a] + levels.energy_cm1[entries.initial[a]]
    return RatedbError(
        f"two calculations give different cross sections for {name} at the same energy",
        where=f"{sources[0].name} and {sources[1].name}",
        expected=f"one value at a kinetic energy of {entries.kinetic_cm1[a]:.9g} cm-1 "
        f"(total {total:.9g} cm-1), {sources[0].table.method}",
        got=f"{values[0]} and {values[1]}; {count} cross section(s) differ so",
        todo="join files of one calculation only; leave one of the two out",
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


def _joined_levels(sources: list[_Source]) -> Levels:
    """Return all levels, ordered by energy; those of equal energy in the order of the files."""
    found: dict[str, tuple[float, float, int, int, _Source]] = {}
    with_vj = all(source.table.levels.has_vj for source in sources)
    for source in sources:
        levels = source.table.levels
        v, j = levels.need_vj() if with_vj else (np.zeros(len(levels), np.int64),) * 2
        for i, label in enumerate(levels.label):
            energy, weight = float(levels.energy_cm1[i]), float(levels.weight[i])
            known = found.setdefault(label, (energy, weight, int(v[i]), int(j[i]), source))
            if abs(known[0] - energy) > SAME_ENERGY_CM1 or known[1] != weight:
                raise RatedbError(
                    f"two files disagree on level {label} of {source.table.system}",
                    where=f"{known[4].name} and {source.name}",
                    expected="one energy and one weight for each level",
                    got=f"{known[0]:.9g} cm-1 with weight {known[1]:g}, and {energy:.9g} cm-1 with weight "
                    f"{weight:g}",
                    todo="join files of one calculation only",
                )
    labels = sorted(found, key=lambda label: found[label][0])
    columns = list(zip(*(found[label][:4] for label in labels), strict=True))
    weights = [source.table.levels.molecular_weight for source in sources]
    return Levels(
        sources[0].table.levels.molecule,
        tuple(labels),
        np.array(columns[0]),
        np.array(columns[1]),
        vj(np.array(columns[2]) if with_vj else None, np.array(columns[3]) if with_vj else None),
        next((weight for weight in weights if weight is not None), None),
    )
