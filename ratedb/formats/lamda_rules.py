"""The rules of the LAMDA writer that change its data, one function each: what is left out, lifted or turned.

Where the data cannot keep a rule, what harms least is done and a WriterWarning says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ratedb.errors import RatedbError
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.tables import COLLIDERS, BoolArray, FloatArray, IntArray, LevelTable, MoleculeFile, RateTable

SMALLEST = 1e-99
"""The smallest rate written: below it an exponent has three digits. A zero is written and read as this."""

TIE_CM1 = 1e-7
"""What a level is lifted over the one before it where both have the same energy."""

REAL_BYTES = 16
"""The longest real that every reader takes."""

ALL_READERS = "all readers"
"""The reader that a warning names where the rule is everybody's."""

_LARGEST = 9e99


@dataclass(frozen=True)
class WriterWarning:
    """A rule that the data could not keep: its name, the reader that needs it, and what was done."""

    rule: str
    reader: str
    detail: str


@dataclass(frozen=True, eq=False)
class WrittenRates:
    """The rates of one partner on the way to the file: indices (n,), temperatures (m,) in K, rates (n, m).

    `row`, shape (n,), says where each row stands in the table that was handed over.
    """

    collider: str
    reference: str
    upper: IntArray
    lower: IntArray
    temperature_k: FloatArray
    rate_cm3_s: FloatArray
    row: IntArray

    def select(self, keep: BoolArray | IntArray) -> WrittenRates:
        """Return the rows at a mask or at indices."""
        return replace(
            self,
            upper=self.upper[keep],
            lower=self.lower[keep],
            rate_cm3_s=self.rate_cm3_s[keep],
            row=self.row[keep],
        )


@dataclass(frozen=True, eq=False)
class WrittenLines:
    """The lines on the way to the file: all of shape (n,), A in s-1, frequency of the source in GHz."""

    upper: IntArray
    lower: IntArray
    a_s1: FloatArray
    frequency_ghz: FloatArray

    def select(self, keep: BoolArray | IntArray) -> WrittenLines:
        """Return the rows at a mask or at indices."""
        return WrittenLines(self.upper[keep], self.lower[keep], self.a_s1[keep], self.frequency_ghz[keep])


Warnings = list[WriterWarning]
"""The list to which every rule appends what it could not keep."""


def usable_lines(lines: WrittenLines, warnings: Warnings) -> WrittenLines:
    """Keep lines between two levels, each pair once, with 0 < A."""
    with np.errstate(invalid="ignore"):
        emits = (lines.a_s1 >= SMALLEST) & (lines.a_s1 <= _LARGEST) & (lines.upper != lines.lower)
    if not emits.all():
        detail = (
            f"{(~emits).sum()} line(s) whose A is not within {SMALLEST:g} to {_LARGEST:g} s-1, or not between"
            " two levels, are left out"
        )
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
        lines = lines.select(emits)
    pair = np.sort(np.stack([lines.upper, lines.lower], axis=1), axis=1)
    _, first = np.unique(pair, axis=0, return_index=True)
    if len(first) < len(pair):
        detail = f"{len(pair) - len(first)} line(s) of a pair listed before are left out"
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
        lines = lines.select(np.sort(first))
    return lines


def usable_partners(file: MoleculeFile, warnings: Warnings) -> list[WrittenRates]:
    """Return the partners by id, each once, with the rows and temperatures that can be written."""
    chosen: dict[str, WrittenRates] = {}
    for partner in file.partners:
        collider = partner.rates.collider
        if collider in chosen:
            detail = f"{collider} comes more than once; only its first table is written"
            warnings.append(WriterWarning("partners", ALL_READERS, detail))
            continue
        rates = _usable_rows(_on_levels(partner.rates, partner.reference, file.levels), warnings)
        if len(rates.upper):
            chosen[collider] = rates
        else:
            detail = f"{collider} has no complete row of rates and is left out"
            warnings.append(WriterWarning("partners", ALL_READERS, detail))
    _require_partner(file.levels, chosen)
    if "H+" in chosen:
        warnings.append(WriterWarning("partners", "Cloudy", "Cloudy stops at partner id 7 (H+)"))
    if "H2" in chosen and {"p-H2", "o-H2"} & chosen.keys():
        detail = "H2 stands beside p-H2 or o-H2: RADEX counts H2 twice; write two files"
        warnings.append(WriterWarning("partners", "RADEX", detail))
    return [chosen[collider] for collider in COLLIDERS if collider in chosen]


def _require_partner(levels: LevelTable, partners: Collection[object]) -> None:
    if not partners:
        raise RatedbError(
            "no LAMDA file can be made",
            where=levels.molecule,
            expected="at least one collision partner with rates",
            got="none",
            todo="fill or import rates first",
        )


def _on_levels(rates: RateTable, reference: str, levels: LevelTable) -> WrittenRates:
    """Return the rates with indices into the levels of the file, joined by label where tables differ."""
    upper, lower = rates.upper, rates.lower
    if rates.levels is not levels and rates.levels.label != levels.label:
        index = {label: i for i, label in enumerate(levels.label)}
        absent = [label for label in rates.levels.label if label not in index]
        if absent:
            raise RatedbError(
                f"the rates of {rates.system} refer to levels that the file has not",
                expected="one set of levels for all partners",
                got=", ".join(absent[:4]),
            )
        new = np.array([index[label] for label in rates.levels.label], dtype=np.int64)
        upper, lower = new[upper], new[lower]
    return WrittenRates(
        rates.collider,
        reference,
        upper,
        lower,
        rates.temperature_k,
        rates.rate_cm3_s,
        np.arange(len(rates), dtype=np.int64),
    )


def _usable_rows(rates: WrittenRates, warnings: Warnings) -> WrittenRates:
    """Leave out temperatures without any rate, and rows with an unknown or impossibly large rate."""
    known = np.isfinite(rates.rate_cm3_s)
    distinct = _distinct_as_printed(rates.temperature_k)
    columns = distinct & (known.any(axis=0) if len(known) else True)
    if not columns.all():
        gone = ", ".join(f"{t:g}" for t in rates.temperature_k[~columns])
        detail = f"{rates.collider}: no rates at {gone} K, or not distinct in print; left out"
        warnings.append(WriterWarning("temperatures", ALL_READERS, detail))
        rates = replace(
            rates, temperature_k=rates.temperature_k[columns], rate_cm3_s=rates.rate_cm3_s[:, columns]
        )
    with np.errstate(invalid="ignore"):
        complete = (rates.rate_cm3_s <= _LARGEST).all(axis=1) & (rates.upper != rates.lower)
    if not complete.all():
        detail = (
            f"{rates.collider}: {(~complete).sum()} row(s) with an unknown rate, or elastic, are left out"
        )
        warnings.append(WriterWarning("complete rows", ALL_READERS, detail))
        rates = rates.select(complete)
    return rates if len(rates.temperature_k) else rates.select(np.zeros(len(rates.upper), dtype=np.bool_))


def _distinct_as_printed(temperature_k: FloatArray) -> BoolArray:
    printed = [float(real(t)) for t in temperature_k]
    keep = [True] + [a < b for a, b in pairwise(printed)]
    return np.array(keep[: len(printed)], dtype=np.bool_)


def connected_levels(
    levels: LevelTable, lines: WrittenLines, partners: Sequence[WrittenRates], warnings: Warnings
) -> BoolArray:
    """Return which levels a line or a positive rate connects; RADEX's matrix is singular with others."""
    rows = [rates.select((rates.rate_cm3_s > 0).any(axis=1)) for rates in partners]
    upper = np.concatenate([lines.upper, *(row.upper for row in rows)])
    lower = np.concatenate([lines.lower, *(row.lower for row in rows)])
    connected = np.zeros(len(levels), dtype=np.bool_)
    connected[upper] = connected[lower] = True
    if not connected.any():
        raise RatedbError(
            "no LAMDA file can be made",
            where=levels.molecule,
            expected="levels that a line or a positive rate connects",
            got="none",
        )
    alone = np.flatnonzero(~connected)
    if len(alone):
        detail = (
            f"{len(alone)} level(s) without line or positive rate are left out, as {levels.label[alone[0]]}"
        )
        warnings.append(WriterWarning("connected", "RADEX", detail))
    groups = len(set(_group_of(upper, lower, len(levels))[connected].tolist()))
    if groups > 1:
        detail = f"the levels fall into {groups} groups that nothing connects; write one file for each"
        warnings.append(WriterWarning("connected", "RADEX", detail))
    return connected


def on_connected(
    levels: LevelTable, partners: Sequence[WrittenRates], connected: BoolArray, warnings: Warnings
) -> list[WrittenRates]:
    """Leave out the rows, all zero, of levels that nothing connects, and partners that had no others."""
    kept = []
    for rates in partners:
        inside = connected[rates.upper] & connected[rates.lower]
        if not inside.all():
            detail = f"{rates.collider}: {(~inside).sum()} row(s) of zeros go with the levels left out"
            warnings.append(WriterWarning("connected", "RADEX", detail))
        if inside.any():
            kept.append(rates.select(inside))
    _require_partner(levels, kept)
    return kept


def _group_of(upper: IntArray, lower: IntArray, n: int) -> IntArray:
    """Return a number for each level that is equal for levels joined by a chain of pairs (union-find)."""
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in zip(upper.tolist(), lower.tolist(), strict=True):
        parent[root(a)] = root(b)
    return np.array([root(i) for i in range(n)], dtype=np.int64)


def sorted_energies(
    levels: LevelTable, keep: BoolArray, warnings: Warnings
) -> tuple[IntArray, tuple[FloatArray, list[str]]]:
    """Return the kept levels in order of energy, and their strictly increasing energies as written."""
    order = np.flatnonzero(keep)[np.argsort(levels.energy_cm1[keep], kind="stable")]
    highest = float(np.abs(levels.energy_cm1).max())
    decimals = min(9, REAL_BYTES - 2 - len(f"{highest:.0f}"))
    if decimals < 1:
        raise RatedbError("no LAMDA file can be made", expected="energies in cm-1", got=f"{highest:g}")
    step = max(TIE_CM1, 2 * 10.0**-decimals)
    energy = [round(float(e), decimals) + 0.0 for e in levels.energy_cm1[order]]  # no -0.0
    lifted = []
    for i in range(1, len(energy)):
        if energy[i] <= energy[i - 1]:
            energy[i] = round(energy[i - 1] + step, decimals)
            lifted.append(levels.label[order[i]])
    if lifted:
        detail = f"{len(lifted)} level(s) are lifted by {step:g} cm-1 over an equal one, as {lifted[0]}"
        warnings.append(WriterWarning("increasing energies", "Cloudy, RADEX", detail))
    text = [f"{e:.{decimals}f}" for e in energy]
    return order, (np.array([float(t) for t in text]), text)


def lines_downward(lines: WrittenLines, new_index: IntArray, warnings: Warnings) -> WrittenLines:
    """Number the lines by the levels as written, upper over lower, sorted."""
    upper, lower = new_index[lines.upper], new_index[lines.lower]
    turned = upper < lower
    if turned.any():
        detail = f"{turned.sum()} line(s) run up in energy as written; up and low are exchanged"
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
    lines = replace(lines, upper=np.maximum(upper, lower), lower=np.minimum(upper, lower))
    return lines.select(np.lexsort([lines.lower, lines.upper]))


def rates_downward(
    rates: WrittenRates, levels: LevelTable, new_index: IntArray, warnings: Warnings
) -> WrittenRates:
    """Turn rows that run upward (between equal energies) by detailed balance, each pair once, sorted."""
    rates = replace(rates, upper=new_index[rates.upper], lower=new_index[rates.lower])
    upward = rates.upper < rates.lower
    if upward.any():
        up, down = rates.select(upward), rates.select(~upward)
        listed = set(zip(down.upper.tolist(), down.lower.tolist(), strict=True))
        new = [pair not in listed for pair in zip(up.lower.tolist(), up.upper.tolist(), strict=True)]
        up = _reversed(up.select(np.array(new, dtype=np.bool_)), levels)
        detail = (
            f"{rates.collider}: of {upward.sum()} upward row(s), {len(up.upper)} are turned by detailed "
            f"balance, the others left out because the downward row is there"
        )
        warnings.append(WriterWarning("downward rates", "RADEX", detail))
        rates = replace(
            rates,
            upper=np.concatenate([down.upper, up.upper]),
            lower=np.concatenate([down.lower, up.lower]),
            rate_cm3_s=np.concatenate([down.rate_cm3_s, up.rate_cm3_s]),
            row=np.concatenate([down.row, up.row]),
        )
    return rates.select(np.lexsort([rates.lower, rates.upper]))


def _reversed(rates: WrittenRates, levels: LevelTable) -> WrittenRates:
    start, end = rates.upper[:, None], rates.lower[:, None]
    weight, energy = levels.weight, levels.energy_cm1
    rate = reverse_rate(
        rates.rate_cm3_s, weight[start], weight[end], energy[start], energy[end], rates.temperature_k
    )
    return replace(
        rates, upper=rates.lower, lower=rates.upper, rate_cm3_s=np.clip(np.nan_to_num(rate), 0.0, _LARGEST)
    )


def positive(rates: WrittenRates, warnings: Warnings) -> WrittenRates:
    """Write zeros and rates below 1e-99 as 1e-99: positive, and an exponent of two digits."""
    zero = rates.rate_cm3_s == 0
    tiny = (rates.rate_cm3_s < SMALLEST) & ~zero
    if zero.any():
        detail = f"{rates.collider}: {zero.sum()} rate(s) of zero are written as 1E-99"
        warnings.append(WriterWarning("positive rates", ALL_READERS, detail))
    if tiny.any():
        detail = f"{rates.collider}: {tiny.sum()} rate(s) below 1E-99 are written as 1E-99"
        warnings.append(WriterWarning("two-digit exponents", "myRadex", detail))
    return replace(rates, rate_cm3_s=np.maximum(rates.rate_cm3_s, SMALLEST))


def warn_limits(
    levels: LevelTable, lines: WrittenLines, partners: Sequence[WrittenRates], warnings: Warnings
) -> None:
    """Warn where a reader's fixed arrays are too short."""
    n_rates = max(len(rates.upper) for rates in partners)
    for reader, what, count, limit in (
        ("RADEX", "levels", len(levels), 2999),
        ("Cloudy", "levels", len(levels), 999),
        ("RADEX", "lines", len(lines.upper), 99999),
        ("SpectralRadex", "lines", len(lines.upper), 500),
        ("RADEX", "rates of one partner", n_rates, 99999),
    ):
        if count > limit:
            warnings.append(WriterWarning("limits", reader, f"{count} {what}; it holds {limit}"))


def real(value: float, decimals: int | None = None) -> str:
    """Return a real in at most 16 bytes with a point: exactly where that is possible, or with `decimals`.

    Raises RatedbError for a number whose exponent has three digits.
    """
    if not (value == 0 or SMALLEST <= abs(value) <= _LARGEST):
        raise RatedbError(
            "no LAMDA file can hold a number", expected="exponents of two digits", got=f"{value:g}"
        )
    choices = range(1, 13) if decimals is None else range(decimals, 0, -1)
    for places in choices:
        text = f"{value:.{places}f}"
        if len(text) <= REAL_BYTES and (decimals is not None or float(text) == value):
            return text
    if decimals is None and 0.1 <= abs(value) < 1e6:
        return f"{value:.9f}"
    return f"{value:.8E}"
