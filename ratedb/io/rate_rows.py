"""Make Rates of the rows of a file: each pair once and downward, with notes of what was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.findings import DETAILED_BALANCE, UPWARD_ROWS, Finding
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.listed_levels import LevelList
from ratedb.io.text import Line, to_index, to_numbers
from ratedb.levels import Levels
from ratedb.physics.pairs import is_pair
from ratedb.physics.plausibility import (
    IMPLAUSIBLE_CM3_S,
    IMPOSSIBLE_CM3_S,
    PLACEHOLDER_CM3_S,
    repeated_tiny,
)
from ratedb.rates import Rates
from ratedb.systems import is_charged

_AGREES = 0.01
_MOSTLY_DOWN = 0.6
"""A file with a larger share of rows that are listed upward only lists rates of excitation."""
_LARGEST = 1e300  # in place of infinity, which Rates refuse


@dataclass(frozen=True)
class Rows:
    """Rate rows as listed: level indices from 0, one list of values (cm3 s-1) for each, and their lines."""

    n_levels: int
    upper: list[int] = field(default_factory=list)
    lower: list[int] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.upper)

    def add(self, line: Line, initial: int, final: int, values: list[float]) -> None:
        """Add a row, its levels counted from 1; raises RatedbError for what no rate can be."""
        if not (1 <= initial <= self.n_levels and 1 <= final <= self.n_levels):
            raise line.refuse("a rate refers to a level that does not exist", f"levels 1..{self.n_levels}")
        if min(values) < 0:
            raise line.refuse("a rate coefficient is negative", "numbers >= 0 in cm3 s-1")
        if max(values) > IMPOSSIBLE_CM3_S:
            raise line.refuse(
                "a rate coefficient is impossibly large", f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1"
            )
        self.upper.append(initial - 1)
        self.lower.append(final - 1)
        self.values.append(values)
        self.lines.append(line)


def partner_of_rows(
    levels: Levels,
    collider: str,
    temperature_k: Sequence[float],
    rows: Rows,
    reference: str,
    notes: list[str],
) -> PartnerRates:
    """Return the rates that rows of a file list for one partner; `notes` gets what was corrected.

    Equal duplicates are read once, different ones refused; the rest is as in partner_of_rates.
    """
    keep = _each_once(rows, f"{collider}: ", notes)
    values = np.array(rows.values, dtype=np.float64).reshape(len(rows), len(temperature_k))
    upper, lower = (np.array(ends, dtype=np.int64)[keep] for ends in (rows.upper, rows.lower))
    rates = Rates(levels, collider, upper, lower, np.array(temperature_k), values[keep])
    return partner_of_rates(rates, reference, notes)


def file_of_rows(
    path: Path,
    levels: LevelList,
    collider: str,
    temperature_k: Sequence[float],
    rows: Rows,
    reference: str,
) -> MoleculeFile:
    """Return the contents of a file whose rows refer to a list of levels; RatedbError without rows."""
    if not len(rows):
        raise RatedbError(
            "the table has no rates",
            where=str(path),
            expected="rows of levels and rates",
            todo="check that this is the right file, or get it again from its source",
        )
    notes = list(levels.notes)
    partner = partner_of_rows(levels.levels, collider, temperature_k, rows, reference, notes)
    return MoleculeFile(levels.levels, levels.lines, (partner,), tuple(notes))


def increasing_temperatures(line: Line, words: Sequence[str], count: int | None = None) -> list[float]:
    """Return the temperatures (K) in a line; raises RatedbError unless they increase and are `count`."""
    values = to_numbers(words)
    rising = values and values[0] > 0 and all(a < b for a, b in pairwise(values))
    if not values or not rising or count not in (None, len(values)):
        expected = f"{'' if count is None else f'{count} '}temperatures in K that increase"
        raise line.refuse("the temperatures cannot be read", expected)
    return values


def rate_row(
    line: Line, words: Sequence[str], numbers: int, columns: int, names: str
) -> tuple[list[int], list[float]]:
    """Return the whole numbers, called `names`, and then the rates of a row; raises RatedbError."""
    first = [to_index(word) for word in words[:numbers]]
    known = [number for number in first if number is not None]
    values = to_numbers(words[numbers:])
    if len(known) != numbers or values is None or len(values) != columns:
        expected = f"{names} and {columns} numbers, one for each temperature"
        raise line.refuse("a row of rate coefficients cannot be read", expected)
    return known, values


def _each_once(rows: Rows, start: str, notes: list[str]) -> IntArray:
    """Return the first row of each pair of levels; raises RatedbError where duplicates differ."""
    key = np.array(rows.upper, dtype=np.int64) * rows.n_levels + np.array(rows.lower, dtype=np.int64)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    first_row = first[inverse.reshape(-1)]
    again = np.flatnonzero(first_row != np.arange(len(key)))
    for row in again:
        line = rows.lines[first_row[row]]
        if not np.array_equal(rows.values[row], rows.values[first_row[row]], equal_nan=True):
            raise rows.lines[row].refuse(
                "a duplicate collisional transition has different rates",
                f"each transition once; line {line.number} is `{line.text[:60]}...`",
                "remove one of the two lines",
            )
    if len(again):
        number = rows.lines[again[0]].number
        notes.append(f"{start}{len(again)} duplicate row(s) with equal rates are read once, as line {number}")
    return np.sort(first)


def partner_of_rates(
    listed: Rates, reference: str, notes: list[str], kind: str | None = None
) -> PartnerRates:
    """Return rates of any direction as downward ones; `notes` gets what was corrected.

    Elastic rows are left out. Upward rows are converted to de-excitation by detailed balance, or left out
    where the downward row is listed too; its findings are transitions whose two directions contradict each
    other.
    """
    said: list[str] = []
    findings: list[Finding] = []
    highest = IMPLAUSIBLE_CM3_S if not is_charged(listed.collider) else IMPOSSIBLE_CM3_S
    _note_values(listed.rate_cm3_s, highest, said)
    elastic = listed.upper == listed.lower
    if elastic.any():
        said.append(f"{elastic.sum()} elastic row(s), from a level to itself, are left out")
    rates = _downward(listed.select(~elastic) if elastic.any() else listed, highest, said, findings)
    notes += [f"{listed.collider}: {text}" for text in said]
    if len(listed) and not len(rates):
        raise RatedbError(
            "no rates are left",
            where=listed.system,
            expected="rates between different levels",
            got="; ".join(said),
            todo="check that this is the right file",
        )
    return PartnerRates(rates, reference, kind, tuple(findings))


def _note_values(rate: FloatArray, highest: float, notes: list[str]) -> None:
    zero, tiny = rate == 0, (rate > 0) & (rate < PLACEHOLDER_CM3_S)
    huge = rate > highest
    if zero.any():
        rows = int(zero.all(axis=1).sum())
        notes.append(f"{zero.sum()} of {rate.size} rates are zero and kept ({rows} rows at all temperatures)")
    if tiny.any():
        example = rate[tiny][0]
        notes.append(f"{tiny.sum()} of {rate.size} rates are below 1e-40, as {example:g}: kept")
    if huge.any():
        notes.append(
            f"{huge.sum()} of {rate.size} rates are above {highest:g} cm3 s-1, as {rate[huge][0]:g}: check"
        )


def _downward(listed: Rates, highest: float, notes: list[str], findings: list[Finding]) -> Rates:
    upward = listed.upper_energy_cm1 < listed.lower_energy_cm1
    if not upward.any():
        return listed
    findings += _upward_levels(listed, upward)
    converted, down = _converted(listed.select(upward), highest), listed.select(~upward)
    key, converted_key = down.transitions.keys(), converted.transitions.keys()
    both = np.isin(converted_key, key)
    if both.any():
        order = np.argsort(key)
        rows = order[np.searchsorted(key[order], converted_key[both])]
        twins, both_ways = down.select(rows), converted.select(both)
        notes.append(_agreement(both_ways.rate_cm3_s, twins.rate_cm3_s))
        findings += _contradictions(both_ways, twins)
        down = _filled(down, rows, both_ways.rate_cm3_s, highest, notes)
    if both.all():
        return down
    added = _plausible(converted.select(~both), highest, notes)
    if len(added):
        lost = int(np.isnan(added.rate_cm3_s).sum())
        notes.append(
            f"{len(added)} upward row(s) are converted to de-excitation by detailed balance"
            + (f"; {lost} of their values are zero or placeholders upward and stay unknown" if lost else "")
        )
    return Rates.join([down, added])


def _upward_levels(listed: Rates, upward: BoolArray) -> list[Finding]:
    """Return the levels that many upward rows have in common, in a file that lists mostly downward rows.

    Rows whose downward row is listed too say nothing about the order of levels.
    """
    energy, label, findings = listed.levels.energy_cm1, listed.levels.label, []
    opposite = listed.lower * len(label) + listed.upper
    upward = upward & ~np.isin(opposite, listed.transitions.keys())
    if upward.mean() > _MOSTLY_DOWN or is_pair(listed.levels):  # those go down in one molecule only
        return []
    rows = listed.select(upward)
    left = np.ones(len(rows), dtype=np.bool_)
    while left.any():
        out, into = (np.bincount(ends[left], minlength=len(label)) for ends in (rows.upper, rows.lower))
        counts = np.stack([out, into])
        side, level = np.unravel_index(int(np.argmax(counts)), counts.shape)
        if counts[side, level] < UPWARD_ROWS.threshold:
            break
        here, others = (rows.upper, rows.lower) if side == 0 else (rows.lower, rows.upper)
        common = left & (here == level)
        left &= ~common
        far = int(others[common][np.argmax(np.abs(energy[others[common]] - energy[level]))])
        detail = (
            f"{common.sum()} rows {'out of' if side == 0 else 'into'} level {label[level]} (at "
            f"{energy[level]:.9g} cm-1) go up in energy: they list it {'above' if side == 0 else 'below'} "
            f"level {label[far]} (at {energy[far]:.9g} cm-1)"
        )
        value, limit = float(energy[level]), float(energy[far])
        findings.append(UPWARD_ROWS.finding(listed.system, detail, value=value, expected=limit))
    return findings


def _filled(down: Rates, rows: IntArray, converted: FloatArray, highest: float, notes: list[str]) -> Rates:
    """Return the downward rows with gaps filled from the same transitions' upward values."""
    rate = down.rate_cm3_s.copy()
    gaps = np.isnan(rate[rows]) & (converted <= highest)  # false for NaN
    if not gaps.any():
        return down
    rate[rows] = np.where(gaps, converted, rate[rows])
    notes.append(f"{gaps.sum()} values given upward only are converted to de-excitation by detailed balance")
    return replace(down, rate_cm3_s=rate)


def _converted(upward: Rates, highest: float) -> Rates:
    """Return upward rows as downward ones.

    A zero or placeholder upward says only that the rate is below what was printed, so the downward rate
    is unknown (NaN); a row that is zero throughout stays zero. Not every tiny value is a placeholder: at 5 K
    a true upward rate between high levels is below 1e-40, and its downward rate is an ordinary one.
    """
    rate = np.minimum(upward.upward_rate_cm3_s, _LARGEST)
    tiny = upward.rate_cm3_s < PLACEHOLDER_CM3_S
    ordinary = (rate >= PLACEHOLDER_CM3_S) & (rate <= highest)
    rate[tiny & (~ordinary | repeated_tiny(upward.rate_cm3_s))] = np.nan
    rate[(upward.rate_cm3_s == 0).all(axis=1)] = 0.0
    return replace(upward, upper=upward.lower, lower=upward.upper, rate_cm3_s=rate)


def _plausible(converted: Rates, highest: float, notes: list[str]) -> Rates:
    """Leave out converted rows with impossible values: they were never upward rates, whatever their order.

    Published files scaled from another molecule keep its order of levels, and so list downward rates as
    upward ones.
    """
    impossible = converted.rate_cm3_s > highest
    rows = impossible.any(axis=1)
    if not rows.any():
        return converted
    row = int(np.argmax(rows))
    label = converted.levels.label
    name = f"{label[converted.lower[row]]} -> {label[converted.upper[row]]}"
    notes.append(
        f"{rows.sum()} upward row(s), as {name}, are left out: by detailed balance their de-excitation would "
        f"reach {converted.rate_cm3_s[impossible].max():.3g} cm3 s-1, so they are no upward rates"
    )
    return converted.select(~rows)


def _agreement(converted: FloatArray, down: FloatArray) -> str:
    known = np.isfinite(converted) & np.isfinite(down)
    agrees = np.abs(converted[known] - down[known]) <= _AGREES * down[known]
    return (
        f"{len(down)} transitions are listed in both directions; the downward row is kept; "
        f"{agrees.sum()} of {agrees.size} values agree with detailed balance within 1 %"
    )


def _contradictions(converted: Rates, down: Rates) -> list[Finding]:
    """Return the transitions whose two directions contradict each other, by the median over temperature."""
    known = (converted.rate_cm3_s >= PLACEHOLDER_CM3_S) & (down.rate_cm3_s >= PLACEHOLDER_CM3_S)
    ratio = np.where(known, converted.rate_cm3_s, 1.0) / np.where(known, down.rate_cm3_s, 1.0)
    names = down.transitions.names()
    findings = []
    for row in np.flatnonzero(known.any(axis=1)):
        values = ratio[row, known[row]]
        middle = float(np.median(values))
        if max(middle, 1.0 / middle) <= DETAILED_BALANCE.threshold:
            continue
        detail = (
            f"the upward rate, converted by detailed balance, is {middle:.3g} times the downward one "
            f"(median over T; {values.min():.3g} to {values.max():.3g})"
        )
        upper, lower = names[row]
        ends = {"upper": upper, "lower": lower}
        findings.append(DETAILED_BALANCE.finding(down.system, detail, value=middle, expected=1.0, **ends))
    return findings
