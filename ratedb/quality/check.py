"""Check rate coefficients, levels and lines; takes Rates, Levels and Lines, returns findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.findings import Finding, Rule
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K
from ratedb.physics.line_evidence import SuspectLevel, weigh_lines
from ratedb.quality import rules
from ratedb.quality.columns import fit_columns
from ratedb.quality.curves import curves_of
from ratedb.quality.floors import placeholders
from ratedb.quality.initial_j import odd_j_findings
from ratedb.quality.reports import SourceFindings, about, withheld
from ratedb.quality.shapes import few_shapes, shape_findings
from ratedb.quality.sources import check_against, check_title, unit_of_older
from ratedb.quality.spin_species import species_findings
from ratedb.quality.surroundings import Around, alone_findings, level_findings
from ratedb.quality.temperatures import temperature_findings
from ratedb.quality.values import check_values
from ratedb.rates import Rates

QUALITIES = ("off", "warn", "strict")
"""What an import does with findings: look for none, store them and flag values, or refuse errors."""


def check_system(
    tables: Mapping[int, Rates], sources: Sequence[Mapping[str, Any]], lines: Lines, *, mark: bool = True
) -> list[SourceFindings]:
    """Return what is found in each source of a system, and in sources against each other.

    `tables` are the rates by source id, `sources` describe them as the view of that name does. Sources from
    one file that were imported in parts are checked as one. A contradiction of two sources is listed under
    the newer one, another unit under the one that has it. Without `mark`, a rule that would flag too many
    transitions gives one finding of the set.
    """
    found: dict[int, list[Finding]] = {number: [] for number in tables}
    parts: dict[tuple[str, ...], list[int]] = {}
    for row in sources:
        temperatures = str(tables[row["source_id"]].temperature_k.tolist())
        key = (row["file_sha256"], row["kind"], row["method"], row["reference"], temperatures)
        parts.setdefault(key, []).append(row["source_id"])
    for (*_, reference, _), numbers in parts.items():
        joined = _joined([tables[number] for number in numbers])
        findings = check_source(joined, lines, reference, mark=mark)
        for number in numbers:
            found[number] += about(tables[number], findings)
    for older, newer in combinations(tables, 2):
        found[newer] += check_against(f"source {older}", tables[older], tables[newer])
        found[older] += unit_of_older(f"source {newer}", tables[older], tables[newer])
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


def check_source(rates: Rates, lines: Lines, title: str, *, mark: bool = True) -> list[Finding]:
    """Return what the rules find in one source: its rates, levels and lines, and its title.

    Without `mark`, a rule that would flag too many transitions gives one finding of the set.
    """
    of_rates = check_rates(rates)
    found = of_rates if mark else withheld(of_rates, rates)
    found = [*found, *species_findings(rates), *check_levels(rates.levels, lines, rates.system)]
    of_title = check_title(title, rates.temperature_k, rates.system)
    return found if of_title is None else [*found, of_title]


def check_rates(rates: Rates) -> list[Finding]:
    """Return what looks wrong in the rates of one system, in the order of RULES and then of levels.

    Rows with zeros, placeholders or gaps at half of the temperatures or more are checked for these only.
    Rules in j need levels with v and j; rules in T need four temperatures. The findings do not depend on
    the order of the rows.
    """
    order = np.lexsort([rates.lower, rates.upper])
    ordered = rates if (np.diff(order) > 0).all() else rates.select(order)
    floor = placeholders(ordered)
    good = np.isfinite(ordered.rate_cm3_s) & (ordered.rate_cm3_s > 0) & ~floor
    return _sorted([*check_values(ordered, floor), *_check_curves(ordered, good)], ordered.levels)


def _check_curves(rates: Rates, good: BoolArray) -> list[Finding]:
    curves = curves_of(rates, good)
    if not len(curves.rates):
        return []
    around = Around(curves) if curves.rates.levels.has_vj else None
    levels, judged = level_findings(curves, around)
    findings = [*few_shapes(curves), *odd_j_findings(curves), *levels, *alone_findings(curves, judged)]
    columns = fit_columns(curves.log_rate, curves.known, curves.rates.temperature_k)
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
    return findings if lines is None else findings + _line_findings(levels, lines, system)


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


def _line_findings(levels: Levels, lines: Lines, system: str) -> list[Finding]:
    """Return which energies, E_u and frequencies contradict each other, and which of them is the suspect."""
    evidence = weigh_lines(levels, lines)
    found = [_level_energy(levels, one, system) for one in evidence.levels]
    gap = (levels.energy_cm1[lines.upper] - levels.energy_cm1[lines.lower]) * GHZ_PER_CM1
    energy_k = levels.energy_cm1[lines.upper] * HC_OVER_KB_CM_K
    for rule, rows, said, expected, whole in (
        (rules.FREQUENCY, evidence.lines, lines.frequency_ghz, gap, evidence.frequency_column),
        (
            rules.UPPER_ENERGY,
            evidence.upper_energies,
            lines.upper_energy_k,
            energy_k,
            evidence.upper_energy_column,
        ),
    ):
        listed = _contradictions(rule, rows, said, expected, levels, lines, system)
        if len(rows) and (whole or len(rows) > rules.FEW_LINES):
            far = np.abs(said[rows] - expected[rows]) / np.maximum(np.abs(expected[rows]), 1e-30)
            first = listed[int(np.argmax(far))]
            detail = f"{len(rows)} of {len(lines)} lines contradict the level energies, most of all "
            detail += f"{first.transition}: {first.detail}"
            found.append(rule.finding(system, detail, value=first.value, expected=first.expected))
        else:
            found += listed
    return found


def _level_energy(levels: Levels, suspect: SuspectLevel, system: str) -> Finding:
    label, energy = levels.label[suspect.level], float(levels.energy_cm1[suspect.level])
    also = " and its E_u" if suspect.upper_energy else ""
    want = "wants" if suspect.lines == 1 and not suspect.upper_energy else "want"
    lines = "its line" if suspect.lines == 1 else f"all {suspect.lines} lines of it"
    shift = suspect.energy_cm1 - energy
    detail = (
        f"level {label} is listed at {energy:.9g} cm-1; {lines}{also} {want} it at"
        f" {suspect.energy_cm1:.9g} cm-1, {abs(shift):.3g} cm-1 {'higher' if shift > 0 else 'lower'}"
    )
    return rules.LEVEL_ENERGY.finding(system, detail, value=energy, expected=suspect.energy_cm1)


def _contradictions(
    rule: Rule,
    rows: IntArray,
    said: FloatArray,
    expected: FloatArray,
    levels: Levels,
    lines: Lines,
    system: str,
) -> list[Finding]:
    words = {
        rules.FREQUENCY.name: "the line is at {:.9g} GHz, its levels are {:.9g} GHz apart",
        rules.UPPER_ENERGY.name: "E_u is {:.9g} K, the energy of the upper level is {:.9g} K",
    }[rule.name]
    return [
        rule.finding(
            system,
            words.format(said[row], expected[row]),
            upper=levels.label[lines.upper[row]],
            lower=levels.label[lines.lower[row]],
            value=float(said[row]),
            expected=float(expected[row]),
        )
        for row in rows.tolist()
    ]
