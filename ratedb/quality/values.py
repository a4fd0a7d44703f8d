"""Rules that look at single values: zeros, placeholders, gaps, and what no collision can reach."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.findings import Finding, Rule
from ratedb.quality import rules
from ratedb.rates import Rates
from ratedb.systems import is_charged


def check_values(rates: Rates, floor: BoolArray) -> list[Finding]:
    """Return the findings about values that need no curve; `floor`, shape (n, m), are placeholders."""
    rate = rates.rate_cm3_s
    if not rate.size:
        return []
    return [
        *_each(rates, rate == 0, rules.NON_POSITIVE, "the rate coefficient is zero"),
        *_each(rates, floor, rules.PLACEHOLDER, "a placeholder and no result"),
        *_missing(rates),
        *_large(rates),
        *_unit_of_set(rates),
    ]


def half_digit(rate: FloatArray, unit: FloatArray | None = None) -> FloatArray:
    """Return half a unit in the last printed digit of each value, relative to it, shape (n, m).

    `unit` is the last digit of each column where these are some of its values, else that of `last_digits`.
    Zeros and NaN have none: NaN.
    """
    unit = last_digits(rate) if unit is None else unit
    return np.asarray(0.5 * unit / _mantissa(rate))


def _mantissa(rate: FloatArray) -> FloatArray:
    rate = np.where(rate > 0, rate, np.nan)
    return np.asarray(rate / 10.0 ** np.floor(np.log10(rate) + 1e-12))


def last_digits(rate: FloatArray) -> FloatArray:
    """Return a unit in the last digit of each column of rates (n, m), as 0.001 for four digits, shape (m,).

    The digits are those that 99 % of a column need, up to seven. Of a very long column, evenly spaced values
    are looked at.
    """
    some = _mantissa(rate[:: -(-len(rate) // rules.ENOUGH_ROWS) or 1])
    unit = np.full(rate.shape[1], 1e-6)
    for digits in (6, 5, 4, 3, 2, 1):
        scaled = some * 10.0 ** (digits - 1)
        off = np.abs(scaled - np.round(scaled)) >= 1e-4  # false for NaN
        unit[off.mean(axis=0) < 0.01] = 10.0 ** (1 - digits)
    return unit


def _each(rates: Rates, wrong: BoolArray, rule: Rule, what: str) -> list[Finding]:
    """Return one finding for a transition that is wrong throughout, else one for each wrong value."""
    findings = []
    m = len(rates.temperature_k)
    for row in np.flatnonzero(wrong.any(axis=1)):
        columns = np.flatnonzero(wrong[row])
        where = ends(rates, row)
        value = float(rates.rate_cm3_s[row, columns[0]])
        if len(columns) == m:
            detail = f"{what} at all {m} temperatures, such as {value:g} cm3 s-1"
            findings.append(rule.finding(rates.system, detail, **where, value=value))
            continue
        for column in columns:
            kelvin, value = float(rates.temperature_k[column]), float(rates.rate_cm3_s[row, column])
            detail = f"{what}: {value:g} cm3 s-1 at {kelvin:g} K, at {len(columns)} of {m} temperatures"
            findings.append(rule.finding(rates.system, detail, **where, temperature_k=kelvin, value=value))
    return findings


def ends(rates: Rates, row: int) -> dict[str, str]:
    """Return the labels of the two levels of a row, as a finding takes them."""
    label = rates.levels.label
    return {"upper": label[rates.upper[row]], "lower": label[rates.lower[row]]}


def _missing(rates: Rates) -> list[Finding]:
    missing = np.isnan(rates.rate_cm3_s)
    count = int(missing.sum())
    if count <= rules.MISSING.threshold:
        return []
    detail = f"{count} of {missing.size} values are missing, in {missing.any(axis=1).sum()} transitions"
    return [rules.MISSING.finding(rates.system, detail, value=float(count))]


def _large(rates: Rates) -> list[Finding]:
    factor = rules.CHARGED_FACTOR if is_charged(rates.collider) else 1.0
    impossible = rules.IMPLAUSIBLE.threshold * factor
    rate = rates.rate_cm3_s
    what = (
        f"the rate coefficient is above {impossible:g} cm3 s-1, more than any collision with {rates.collider}"
    )
    findings = _each(rates, rate > impossible, rules.IMPLAUSIBLE, what)
    limit = rules.LARGE.threshold * factor
    highest = np.nan_to_num(np.fmax.reduce(rate, axis=1))
    for row in np.flatnonzero((highest > limit) & (highest <= impossible)):
        kelvin, value = float(rates.temperature_k[np.nan_to_num(rate[row]).argmax()]), float(highest[row])
        detail = f"the rate coefficient reaches {value:.3g} cm3 s-1 at {kelvin:g} K, above {limit:g}"
        parts = {"temperature_k": kelvin, "value": value, "expected": limit}
        findings.append(rules.LARGE.finding(rates.system, detail, **ends(rates, row), **parts))
    return findings


def _unit_of_set(rates: Rates) -> list[Finding]:
    highest = np.fmax.reduce(rates.rate_cm3_s, axis=1)
    if rates.levels.has_vj:
        # rates that change v may be as small as 1e-20 in the right unit
        highest = highest[rates.v == rates.v_final]
    largest = float(np.nan_to_num(highest).max(initial=0.0))
    if largest == 0.0 or largest >= rules.UNIT_OF_SET.threshold:
        return []
    detail = (
        f"the largest rate coefficient is {largest:.3g} cm3 s-1, below {rules.UNIT_OF_SET.threshold:g}: if "
        f"it is in m3 s-1, it is {largest * 1e6:.3g} cm3 s-1"
    )
    return [rules.UNIT_OF_SET.finding(rates.system, detail, value=largest, expected=largest * 1e6)]
