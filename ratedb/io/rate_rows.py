"""Turn the rate rows of a file into a Rates: each pair once, downward, doubts counted in notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.findings import DETAILED_BALANCE, Finding
from ratedb.io.text import Line
from ratedb.levels import Levels
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.physics.plausibility import (
    CHARGED,
    IMPLAUSIBLE_CM3_S,
    IMPOSSIBLE_CM3_S,
    PLACEHOLDER_CM3_S,
    repeated_tiny,
)
from ratedb.rates import Rates

_AGREES = 0.01


@dataclass(frozen=True)
class Rows:
    """Rate rows as listed: level indices from 0, one list of values (cm3 s-1) for each, and their lines."""

    path: Path
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
            raise self._refuse(
                line, "a rate refers to a level that is not there", f"levels 1..{self.n_levels}"
            )
        if min(values) < 0:
            raise self._refuse(line, "a rate coefficient is negative", "numbers >= 0 in cm3 s-1")
        if max(values) > IMPOSSIBLE_CM3_S:
            raise self._refuse(
                line, "a rate coefficient is impossibly large", f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1"
            )
        self.upper.append(initial - 1)
        self.lower.append(final - 1)
        self.values.append(values)
        self.lines.append(line)

    def _refuse(self, line: Line, what: str, expected: str) -> RatedbError:
        return line.refuse(what, expected)


@dataclass(frozen=True, eq=False)
class _Listed:
    upper: IntArray
    lower: IntArray
    rate_cm3_s: FloatArray

    def select(self, keep: BoolArray | IntArray) -> _Listed:
        return _Listed(self.upper[keep], self.lower[keep], self.rate_cm3_s[keep])


def rate_table(
    levels: Levels,
    collider: str,
    temperature_k: FloatArray,
    rows: Rows,
    notes: list[str],
    findings: list[Finding],
) -> Rates:
    """Return the rates of one partner; append to `notes` what was mended and to `findings` what looks wrong.

    Equal duplicates are read once, different ones refused; elastic rows are left out; upward rows are
    turned by detailed balance, or left out where the downward row is listed too.
    """
    mended: list[str] = []
    listed = _Listed(
        np.array(rows.upper, dtype=np.int64),
        np.array(rows.lower, dtype=np.int64),
        np.array(rows.values, dtype=np.float64).reshape(len(rows.values), len(temperature_k)),
    )
    listed = _each_once(rows, listed, mended)
    notes += [f"{collider}: {text}" for text in mended]
    return downward_table(
        levels, collider, temperature_k, listed.upper, listed.lower, listed.rate_cm3_s, notes, findings
    )


def downward_table(
    levels: Levels,
    collider: str,
    temperature_k: FloatArray,
    initial: IntArray,
    final: IntArray,
    rate_cm3_s: FloatArray,
    notes: list[str],
    findings: list[Finding],
) -> Rates:
    """Return rates of any direction as downward ones; `notes` and `findings` are as for `rate_table`.

    `initial` and `final` are level indices of shape (n,), each pair once; `rate_cm3_s` has shape (n, m), NaN
    where nothing is given.
    """
    mended: list[str] = []
    highest = IMPOSSIBLE_CM3_S if collider in CHARGED else IMPLAUSIBLE_CM3_S
    listed = _Listed(initial, final, rate_cm3_s)
    _note_values(listed.rate_cm3_s, highest, mended)
    listed = _without_elastic(listed, mended)
    listed = _downward(
        listed, levels, temperature_k, highest, mended, f"{levels.molecule}+{collider}", findings
    )
    notes += [f"{collider}: {text}" for text in mended]
    if len(initial) and not len(listed.upper):
        raise RatedbError(
            "nothing is left of the rates",
            where=f"{levels.molecule}+{collider}",
            expected="rates between different levels",
            got="; ".join(mended),
            todo="look whether this is the right file",
        )
    return Rates(levels, collider, listed.upper, listed.lower, temperature_k, listed.rate_cm3_s)


def _note_values(rate: FloatArray, highest: float, notes: list[str]) -> None:
    zero, tiny = rate == 0, (rate > 0) & (rate < PLACEHOLDER_CM3_S)
    huge = rate > highest
    if zero.any():
        rows = int(zero.all(axis=1).sum())
        notes.append(
            f"{zero.sum()} of {rate.size} rates are zero and kept so ({rows} rows at all temperatures)"
        )
    if tiny.any():
        example = rate[tiny][0]
        notes.append(
            f"{tiny.sum()} of {rate.size} rates are below 1e-40, as {example:g}: kept, likely placeholders"
        )
    if huge.any():
        notes.append(
            f"{huge.sum()} of {rate.size} rates are above {highest:g} cm3 s-1, as {rate[huge][0]:g}: check"
        )


def _each_once(rows: Rows, listed: _Listed, notes: list[str]) -> _Listed:
    key = listed.upper * rows.n_levels + listed.lower
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    first_row = first[inverse.reshape(-1)]
    again = np.flatnonzero(first_row != np.arange(len(key)))
    for row in again:
        other = first_row[row]
        if not np.array_equal(listed.rate_cm3_s[row], listed.rate_cm3_s[other]):
            line = rows.lines[other]
            raise rows.lines[row].refuse(
                "a collisional transition stands twice with different rates",
                f"each transition once; line {line.number} is `{line.text[:60]}...`",
                "remove one of the two lines",
            )
    if not len(again):
        return listed
    line = rows.lines[again[0]]
    notes.append(f"{len(again)} duplicate row(s) with equal rates are read once, as line {line.number}")
    return listed.select(np.sort(first))


def _without_elastic(listed: _Listed, notes: list[str]) -> _Listed:
    elastic = listed.upper == listed.lower
    if not elastic.any():
        return listed
    notes.append(f"{elastic.sum()} elastic row(s), from a level to itself, are left out")
    return listed.select(~elastic)


def _downward(
    listed: _Listed,
    levels: Levels,
    temperature_k: FloatArray,
    highest: float,
    notes: list[str],
    system: str,
    findings: list[Finding],
) -> _Listed:
    upward = levels.energy_cm1[listed.upper] < levels.energy_cm1[listed.lower]
    if not upward.any():
        return listed
    turned = _turned(listed.select(upward), levels, temperature_k, highest)
    down = listed.select(~upward)
    key = down.upper * len(levels) + down.lower
    order = np.argsort(key)
    turned_key = turned.upper * len(levels) + turned.lower
    at = np.minimum(np.searchsorted(key[order], turned_key), max(len(key) - 1, 0))
    both = key[order][at] == turned_key if len(key) else np.zeros(len(turned_key), dtype=np.bool_)
    if both.any():
        twins = down.select(order[at[both]])
        notes.append(_agreement(turned.rate_cm3_s[both], twins.rate_cm3_s))
        findings += _contradictions(turned.select(both), twins, levels, system)
        down = _filled(down, order[at[both]], turned.rate_cm3_s[both], highest, notes)
    if both.all():
        return down
    added = _plausible(turned.select(~both), levels, highest, notes)
    if len(added.upper):
        lost = int(np.isnan(added.rate_cm3_s).sum())
        notes.append(
            f"{len(added.upper)} upward row(s) are turned downward by detailed balance"
            + (f"; {lost} of their values are zero or placeholders upward and stay unknown" if lost else "")
        )
    return _Listed(
        np.concatenate([down.upper, added.upper]),
        np.concatenate([down.lower, added.lower]),
        np.concatenate([down.rate_cm3_s, added.rate_cm3_s]),
    )


def _filled(down: _Listed, rows: IntArray, turned: FloatArray, highest: float, notes: list[str]) -> _Listed:
    """Return the downward rows with gaps filled from the same transitions' upward values."""
    rate = down.rate_cm3_s.copy()
    gaps = np.isnan(rate[rows]) & (turned <= highest)  # false for NaN
    if not gaps.any():
        return down
    rate[rows] = np.where(gaps, turned, rate[rows])
    notes.append(f"{gaps.sum()} values that are given upward only are turned downward by detailed balance")
    return _Listed(down.upper, down.lower, rate)


def _turned(upward: _Listed, levels: Levels, temperature_k: FloatArray, highest: float) -> _Listed:
    """Return upward rows as downward ones.

    A zero or placeholder upward says only that the rate is below what was printed, so the downward rate
    is unknown (NaN); a row that is zero throughout stays zero. Not every tiny value is a placeholder: far
    up and at 5 K a true upward rate is below 1e-40, and turned it is an ordinary rate.
    """
    start, end = upward.upper[:, None], upward.lower[:, None]
    rate = reverse_rate(
        upward.rate_cm3_s,
        levels.weight[start],
        levels.weight[end],
        levels.energy_cm1[start],
        levels.energy_cm1[end],
        temperature_k,
    )
    tiny = upward.rate_cm3_s < PLACEHOLDER_CM3_S
    ordinary = (rate >= PLACEHOLDER_CM3_S) & (rate <= highest)
    rate[tiny & (~ordinary | repeated_tiny(upward.rate_cm3_s))] = np.nan
    rate[(upward.rate_cm3_s == 0).all(axis=1)] = 0.0
    return _Listed(upward.lower, upward.upper, rate)


def _plausible(turned: _Listed, levels: Levels, highest: float, notes: list[str]) -> _Listed:
    """Leave out turned rows with impossible values: they were never upward rates, whatever their order.

    Published files scaled from another molecule keep its order of levels, and so list downward rates as
    upward ones.
    """
    impossible = turned.rate_cm3_s > highest
    rows = impossible.any(axis=1)
    if not rows.any():
        return turned
    row = int(np.argmax(rows))
    name = f"{levels.label[turned.lower[row]]} -> {levels.label[turned.upper[row]]}"
    notes.append(
        f"{rows.sum()} upward row(s), as {name}, are left out: turned by detailed balance they would reach "
        f"{turned.rate_cm3_s[impossible].max():.3g} cm3 s-1, so they are no upward rates"
    )
    return turned.select(~rows)


def _agreement(turned: FloatArray, down: FloatArray) -> str:
    known = np.isfinite(turned) & np.isfinite(down)
    agrees = np.abs(turned[known] - down[known]) <= _AGREES * down[known]
    return (
        f"{len(down)} transitions are listed in both directions; the downward row is kept; "
        f"{agrees.sum()} of {agrees.size} values agree with detailed balance within 1 %"
    )


def _contradictions(turned: _Listed, down: _Listed, levels: Levels, system: str) -> list[Finding]:
    """Return the transitions whose two directions contradict each other, by the median over temperature."""
    known = (turned.rate_cm3_s >= PLACEHOLDER_CM3_S) & (down.rate_cm3_s >= PLACEHOLDER_CM3_S)
    ratio = np.where(known, turned.rate_cm3_s, 1.0) / np.where(known, down.rate_cm3_s, 1.0)
    findings = []
    for row in np.flatnonzero(known.any(axis=1)):
        values = ratio[row, known[row]]
        middle = float(np.median(values))
        if max(middle, 1.0 / middle) <= DETAILED_BALANCE.threshold:
            continue
        detail = (
            f"the upward rate, turned by detailed balance, is {middle:.3g} times the downward one "
            f"(median over T; {values.min():.3g} to {values.max():.3g})"
        )
        upper, lower = levels.label[down.upper[row]], levels.label[down.lower[row]]
        findings.append(
            DETAILED_BALANCE.finding(system, detail, upper=upper, lower=lower, value=middle, expected=1.0)
        )
    return findings
