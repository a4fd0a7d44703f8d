"""Check rate coefficients, levels and lines; takes Rates, Levels and Lines, returns findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ratedb.findings import Finding
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1
from ratedb.quality import rules
from ratedb.quality.columns import fit_columns
from ratedb.quality.curves import curves_of
from ratedb.quality.initial_j import odd_j_findings
from ratedb.quality.reports import SourceFindings, about
from ratedb.quality.shapes import few_shapes, shape_findings
from ratedb.quality.sources import check_against, check_title
from ratedb.quality.surroundings import Around, alone_findings, level_findings
from ratedb.quality.temperatures import temperature_findings
from ratedb.quality.values import check_values
from ratedb.rates import Rates

QUALITIES = ("off", "warn", "strict")
"""What an import does with findings: look for none, store them and flag values, or refuse errors."""


def check_system(
    tables: Mapping[int, Rates], sources: Sequence[Mapping[str, Any]], lines: Lines
) -> list[SourceFindings]:
    """Return what is found in each source of a system, and in sources against each other.

    `tables` are the rates by source id, `sources` describe them as the view of that name does. Sources from
    one file that were imported in parts are checked as one. A contradiction of two sources is listed under
    the newer one.
    """
    found: dict[int, list[Finding]] = {number: [] for number in tables}
    parts: dict[tuple[str, ...], list[int]] = {}
    for row in sources:
        temperatures = str(tables[row["source_id"]].temperature_k.tolist())
        key = (row["file_sha256"], row["kind"], row["method"], row["reference"], temperatures)
        parts.setdefault(key, []).append(row["source_id"])
    for (*_, reference, _), numbers in parts.items():
        findings = check_source(_joined([tables[number] for number in numbers]), lines, reference)
        for number in numbers:
            found[number] += about(tables[number], findings)
    for older, newer in combinations(tables, 2):
        found[newer] += check_against(older, tables[older], tables[newer])
    return [
        SourceFindings(tables[number].system, number, tuple(findings)) for number, findings in found.items()
    ]


def _joined(parts: Sequence[Rates]) -> Rates:
    """Return the rates of parts at the same temperatures as one table, each transition once."""
    seen = np.empty(0, dtype=np.int64)
    new = []
    for part in parts:
        keys = part.transitions.keys()
        new.append(part.select(~np.isin(keys, seen)))
        seen = np.append(seen, keys)
    return Rates.join(new)


def check_source(rates: Rates, lines: Lines, title: str) -> list[Finding]:
    """Return what the rules find in one source: its rates, levels and lines, and its title."""
    found = check_rates(rates) + check_levels(rates.levels, lines, rates.system)
    of_title = check_title(title, rates.temperature_k, rates.system)
    return found if of_title is None else [*found, of_title]


def check_rates(rates: Rates) -> list[Finding]:
    """Return what looks wrong in the rates of one system, in the order of RULES and then of levels.

    Rows with zeros, placeholders or gaps at half of the temperatures or more are checked for these only.
    Rules in j need levels with v and j; rules in T need four temperatures. The findings do not depend on
    the order of the rows.
    """
    ordered = rates.select(np.lexsort([rates.lower, rates.upper]))
    return _sorted([*check_values(ordered), *_check_curves(ordered)], ordered.levels)


def _check_curves(rates: Rates) -> list[Finding]:
    curves = curves_of(rates)
    if not len(curves.rates):
        return []
    around = Around(curves) if curves.rates.levels.has_vj else None
    levels, judged = level_findings(curves, around)
    findings = [*few_shapes(curves), *odd_j_findings(curves), *levels, *alone_findings(curves, judged)]
    columns = fit_columns(curves.log_rate, curves.rates.temperature_k)
    if columns is None:
        return findings
    moved, shapes = shape_findings(curves, columns, around)
    values = temperature_findings(curves, columns, around, moved)
    wrong = {f.transition for f in values}
    # wrong values make a shape odd too: only the values are findings then
    return [*findings, *values, *(f for f in shapes if f.transition not in wrong)]


def _sorted(findings: list[Finding], levels: Levels) -> list[Finding]:
    rule = {rule.name: index for index, rule in enumerate(rules.RULES)}
    return sorted(
        findings,
        key=lambda f: (
            rule[f.rule],
            levels.places.get(f.upper or "", -1),
            levels.places.get(f.lower or "", -1),
            f.temperature_k or 0.0,
        ),
    )


def check_levels(levels: Levels, lines: Lines | None, system: str) -> list[Finding]:
    """Return what looks wrong in levels (cm-1) and lines (GHz) of a molecule; `system` names the findings.

    Findings about one level name it in `detail` only, as none of its rates is certainly wrong.
    """
    findings = [*_energy_order(levels, system), *_weights(levels, system)]
    return findings if lines is None else findings + _frequencies(levels, lines, system)


def _energy_order(levels: Levels, system: str) -> list[Finding]:
    step = np.diff(levels.energy_cm1)
    falls = np.flatnonzero(step < -rules.ENERGY_ORDER.threshold)
    if not len(falls):
        return []
    at = int(falls[np.argmin(step[falls])])
    energy = levels.energy_cm1
    detail = (
        f"{len(falls)} of {len(levels)} levels lie below the previous one, such as {levels.label[at + 1]} at "
        f"{energy[at + 1]:g} cm-1 after {levels.label[at]} at {energy[at]:g} cm-1"
    )
    return [
        rules.ENERGY_ORDER.finding(system, detail, value=float(energy[at + 1]), expected=float(energy[at]))
    ]


def _weights(levels: Levels, system: str) -> list[Finding]:
    if levels.j is None:
        return []
    per_state = levels.weight / (2.0 * levels.j + 1.0)
    findings = []
    for parity in (0, 1):
        members = levels.j % 2 == parity  # nuclear spin may give odd and even j other weights
        if not members.any():
            continue
        usual = float(np.median(per_state[members]))
        wrong = members & (np.abs(per_state - usual) > rules.WEIGHT.threshold * usual)
        for row in np.flatnonzero(wrong):
            value, expected = float(levels.weight[row]), usual * float(2 * levels.j[row] + 1)
            detail = (
                f"level {levels.label[row]} has the weight {value:g}, not {usual:g} (2j+1) = {expected:g}"
            )
            findings.append(rules.WEIGHT.finding(system, detail, value=value, expected=expected))
    return findings


def _frequencies(levels: Levels, lines: Lines, system: str) -> list[Finding]:
    gap = (levels.energy_cm1[lines.upper] - levels.energy_cm1[lines.lower]) * GHZ_PER_CM1
    wrong = ~(np.abs(lines.frequency_ghz - gap) <= rules.FREQUENCY.threshold * np.abs(gap))
    findings = []
    for row in np.flatnonzero(wrong):
        value, expected = float(lines.frequency_ghz[row]), float(gap[row])
        detail = f"the line is at {value:.9g} GHz, its levels are {expected:.9g} GHz apart"
        findings.append(
            rules.FREQUENCY.finding(
                system,
                detail,
                upper=levels.label[lines.upper[row]],
                lower=levels.label[lines.lower[row]],
                value=value,
                expected=expected,
            )
        )
    return findings
