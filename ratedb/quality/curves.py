"""The curves of a set that can be checked, and how findings describe them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, gap_patterns
from ratedb.findings import Finding, Rule
from ratedb.quality.values import ends
from ratedb.rates import Rates


@dataclass(frozen=True, eq=False)
class Curves:
    """ln k, shape (n, m), of the transitions that can be checked, gaps filled, and where it is known."""

    rates: Rates
    log_rate: FloatArray
    known: BoolArray

    @property
    def system(self) -> str:
        """The name of the system."""
        return self.rates.system

    def finding(self, rule: Rule, row: int, detail: str, **parts: float) -> Finding:
        """Return a finding about a transition; `parts` are temperature_k, value and expected."""
        return rule.finding(self.system, detail, **ends(self.rates, row), **parts)

    def value(self, row: int, column: int) -> dict[str, float]:
        """Return a rate coefficient (cm3 s-1) and its temperature, as a finding takes them."""
        kelvin, value = self.rates.temperature_k[column], self.rates.rate_cm3_s[row, column]
        return {"temperature_k": float(kelvin), "value": float(value)}


def curves_of(rates: Rates, good: BoolArray) -> Curves:
    """Return the curves of a table, without transitions that are `good`, (n, m), at half of T or less."""
    enough = good.sum(axis=1) * 2 > good.shape[1] if good.size else np.zeros(len(rates), dtype=np.bool_)
    kept, known = (rates, good) if enough.all() else (rates.select(enough), good[enough])
    with np.errstate(divide="ignore"):
        log_rate = np.log(kept.rate_cm3_s)
    return Curves(kept, _filled(log_rate, known, np.log(rates.temperature_k)), known)


def _filled(log_rate: FloatArray, known: BoolArray, log_t: FloatArray) -> FloatArray:
    """Fill the gaps of ln k: interpolated in ln T, beyond the known values with their last slope."""
    for pattern, rows in zip(*_rows_by_gaps(known), strict=True):
        there = np.flatnonzero(pattern)
        for column in np.flatnonzero(~pattern):
            after = int(np.clip(np.searchsorted(there, column), 1, len(there) - 1)) if len(there) > 1 else 0
            low, high = there[max(after - 1, 0)], there[after]
            part = 0.0 if low == high else (log_t[column] - log_t[low]) / (log_t[high] - log_t[low])
            log_rate[rows, column] = (1.0 - part) * log_rate[rows, low] + part * log_rate[rows, high]
    return log_rate


def _rows_by_gaps(known: BoolArray) -> tuple[BoolArray, list[IntArray]]:
    """Return the different rows of `known` with gaps, and which rows have each."""
    gaps = np.flatnonzero(~known.all(axis=1))
    patterns, group = gap_patterns(known[gaps])
    return patterns, [gaps[group == number] for number in range(len(patterns))] if len(gaps) else []


def times(log_ratio: float) -> str:
    """Return a ratio in words: `4.1 times`, or `1/4.1 times` below one."""
    return f"{np.exp(log_ratio):.3g} times" if log_ratio >= 0 else f"1/{np.exp(-log_ratio):.3g} times"
