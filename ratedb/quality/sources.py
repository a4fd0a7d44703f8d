"""Compare a source with others of the same system, and with its own title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ratedb.arrays import FloatArray, IntArray, robust_scale
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.quality import rules
from ratedb.quality.floors import usable
from ratedb.quality.values import ends, half_digit
from ratedb.rates import Rates
from ratedb.systems import is_charged

_CAP = 1.0
_TO = r"\s*K?\s*(?:-+|–|to|and|<=?\s*T?\s*<?=?|≤\s*T?\s*≤?)\s*"
_RANGE = re.compile(rf"(\d+(?:\.\d+)?){_TO}(\d+(?:\.\d+)?)\s*K\b", re.IGNORECASE)


def check_title(title: str, temperature_k: FloatArray, system: str = "") -> Finding | None:
    """Return a finding where temperatures (K) leave the range, such as `10-400 K`, that a title states."""
    stated = _RANGE.search(title)
    if stated is None or not len(temperature_k):
        return None
    low, high = float(stated[1]), float(stated[2])
    first, last = float(np.min(temperature_k)), float(np.max(temperature_k))
    factor = rules.TITLE_RANGE.threshold
    if not 0 < low < high or (first * factor >= low and last <= high * factor):
        return None
    below = first * factor < low
    detail = f"the temperatures are {first:g}-{last:g} K, the title states {low:g}-{high:g} K"
    return rules.TITLE_RANGE.finding(
        system, detail, value=first if below else last, expected=low if below else high
    )


def check_against(older: str, stored: Rates, rates: Rates) -> list[Finding]:
    """Return how a source compares with an older one, such as `source 3`, which the findings name.

    Where the older one is in another unit, the finding is not about the newer one: `unit_of_older` has it.
    """
    found = [
        replace(one, detail=f"compared with {older}: {one.detail}") for one in check_sources(stored, rates)
    ]
    if not _out_of_range(stored) or _out_of_range(rates):
        return found
    return [one for one in found if one.rule != rules.UNIT_OF_SOURCES.name]


def unit_of_older(newer: str, stored: Rates, rates: Rates) -> list[Finding]:
    """Return the finding about the unit of an older source where it, and not this one, is out of range."""
    if not _out_of_range(stored) or _out_of_range(rates):
        return []
    return [
        replace(one, detail=f"compared with {newer}: {one.detail}")
        for one in check_sources(stored, rates)
        if one.rule == rules.UNIT_OF_SOURCES.name
    ]


def _out_of_range(rates: Rates) -> bool:
    """Return whether the largest rate is one that no set in cm3 s-1 has."""
    largest = float(np.nanmax(rates.rate_cm3_s, initial=0.0))
    factor = rules.CHARGED_FACTOR if is_charged(rates.collider) else 1.0
    return not rules.UNIT_OF_SET.threshold <= largest <= rules.IMPLAUSIBLE.threshold * factor


def check_sources(first: Rates, second: Rates) -> list[Finding]:
    """Return how two sources of one system compare; transitions are named by the labels of the second.

    Common transitions are compared at the temperatures of the first within the range of the second, which
    is interpolated. Raises RatedbError where the systems differ.
    """
    if first.system != second.system:
        raise RatedbError(
            "two sources of different systems cannot be compared",
            expected=f"two sources of {first.system}",
            got=f"{first.system} and {second.system}",
        )
    first, second = (rates.blanked(~usable(rates)) for rates in (first, second))
    rows, others = _common_rows(first, second)
    first, second = first.select(rows), second.select(others)
    difference = _log_ratio(first, second)
    known = np.isfinite(difference).any(axis=1)
    first, second, difference = first.select(known), second.select(known), difference[known]
    if len(first) <= rules.SOURCES.threshold:
        return []
    ratio = np.nanmedian(np.where(np.isfinite(difference), difference, np.nan), axis=1)
    return [
        *_disagreement(second, ratio),
        *_unit(first, second, ratio),
        *_shifted(first, second),
        _summary(first, ratio),
    ]


def _common_rows(first: Rates, second: Rates) -> tuple[IntArray, IntArray]:
    """Return the rows of both tables between the same levels, in the order of the first's levels.

    Levels are the same by v and j where both tables have these, else by label.
    """
    name, other_name = _names(first, second), _names(second, first)
    there = {
        (other_name[up], other_name[low]): row
        for row, (up, low) in enumerate(zip(second.upper, second.lower, strict=True))
    }
    pairs = [
        (row, there[name[first.upper[row]], name[first.lower[row]]])
        for row in np.lexsort([first.lower, first.upper])
        if (name[first.upper[row]], name[first.lower[row]]) in there
    ]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _names(rates: Rates, other: Rates) -> Sequence[object]:
    if not (rates.levels.has_vj and other.levels.has_vj):
        return rates.levels.label
    v, j = rates.levels.need_vj()
    return list(zip(v.tolist(), j.tolist(), strict=True))


def _log_ratio(first: Rates, second: Rates) -> FloatArray:
    """Return ln(first / second) row by row at the temperatures of the first, NaN where one has no value."""
    result = np.full(first.rate_cm3_s.shape, np.nan)
    low, high = second.temperature_k[[0, -1]]
    inside = (first.temperature_k >= low) & (first.temperature_k <= high)
    if inside.any() and len(first):
        onto = second.at(first.temperature_k[inside])
        result[:, inside] = np.log(first.rate_cm3_s[:, inside] / onto.rate_cm3_s)
    return result


def _disagreement(second: Rates, ratio: FloatArray) -> list[Finding]:
    usual = float(np.median(ratio))
    scale = max(robust_scale(ratio - usual), rules.LEAST_SCALE)
    beyond = np.abs(ratio - usual)
    out = (beyond > np.log(rules.SOURCES_DISAGREE.threshold)) & (beyond > rules.UNLIKE_SIGMAS * scale)
    findings = []
    for row in np.flatnonzero(out):
        value = float(np.exp(ratio[row]))
        detail = (
            f"the two sources differ by {value:.3g} (first over second, median over T), all transitions by "
            f"{np.exp(usual):.3g}: {beyond[row] / scale:.0f} standard deviations"
        )
        parts = {"value": value, "expected": float(np.exp(usual))}
        findings.append(rules.SOURCES_DISAGREE.finding(second.system, detail, **ends(second, row), **parts))
    return findings


def _unit(first: Rates, second: Rates, ratio: FloatArray) -> list[Finding]:
    usual = float(np.median(ratio))
    if abs(abs(usual) - np.log(rules.UNIT_OF_SOURCES.threshold)) > np.log(10.0):
        return []
    wrong = [name for name, one in (("first", first), ("second", second)) if _out_of_range(one)]
    which = (
        f"the {wrong[0]} is outside the range of rates in cm3 s-1" if len(wrong) == 1 else "one is in m3 s-1"
    )
    detail = f"the two sources differ overall by {np.exp(usual):.3g} (first over second): {which}"
    return [rules.UNIT_OF_SOURCES.finding(first.system, detail, value=float(np.exp(usual)), expected=1.0)]


def _shifted(first: Rates, second: Rates) -> list[Finding]:
    """Return a finding where the columns of one source, shifted by one, agree much better with the other."""
    as_printed = _excess(first, second)
    tried = []
    for name, moves_first in (("first", True), ("second", False)):
        for by, way in ((1, "higher"), (-1, "lower")):
            one = _shifted_by(first, by) if moves_first else first
            other = second if moves_first else _shifted_by(second, by)
            tried.append((_excess(one, other), name, way))
    tried = [trial for trial in tried if np.isfinite(trial[0])]
    if not tried or not np.isfinite(as_printed):
        return []
    best, name, way = min(tried)
    if as_printed <= rules.SHIFTED_TEMPERATURES.threshold * max(best, rules.LEAST_SCALE):
        return []
    detail = (
        f"beyond rounding the two sources differ by {100 * as_printed:.2g} % (mean), but by "
        f"{100 * best:.2g} % when each column of the {name} is moved to the next {way} temperature: "
        "a row of temperatures is shifted"
    )
    return [rules.SHIFTED_TEMPERATURES.finding(first.system, detail, value=as_printed, expected=best)]


def _shifted_by(rates: Rates, by: int) -> Rates:
    """Return the rates with each column at the next higher (1) or lower (-1) temperature."""
    inner = np.arange(len(rates.temperature_k) - 1)
    kept = rates.select_temperatures(inner if by > 0 else inner + 1)
    return replace(kept, temperature_k=rates.temperature_k[inner + 1 if by > 0 else inner])


def _excess(first: Rates, second: Rates) -> float:
    """Return the mean |ln ratio| beyond rounding at temperatures that both have; NaN with under three."""
    shared, of_first, of_second = np.intersect1d(
        first.temperature_k, second.temperature_k, return_indices=True
    )
    if len(shared) < 3:
        return float("nan")
    one, other = first.rate_cm3_s[:, of_first], second.rate_cm3_s[:, of_second]
    beyond = np.abs(np.log(one / other)) - half_digit(one) - half_digit(other)
    known = beyond[np.isfinite(beyond)]
    return float(np.clip(known, 0.0, _CAP).mean()) if len(known) else float("nan")


def _summary(first: Rates, ratio: FloatArray) -> Finding:
    low, middle, high = np.exp(np.quantile(ratio, [0.1, 0.5, 0.9]))
    detail = (
        f"{len(ratio)} transitions in common: first over second {middle:.3g} (median), {low:.3g} to "
        f"{high:.3g} for 80 % of them"
    )
    return rules.SOURCES.finding(first.system, detail, value=float(middle), expected=1.0)
