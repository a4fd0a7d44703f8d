"""Check rate coefficients, levels and lines for what is wrong in them; pure arrays in, findings out."""

from __future__ import annotations

import numpy as np

from ratedb.findings import Finding
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1
from ratedb.quality import rules
from ratedb.quality.columns import fit_columns
from ratedb.quality.curves import curves_of
from ratedb.quality.initial_j import odd_j_findings
from ratedb.quality.shapes import few_shapes, shape_findings
from ratedb.quality.sources import check_sources, check_title
from ratedb.quality.surroundings import Around, alone_findings, level_findings
from ratedb.quality.temperatures import temperature_findings
from ratedb.quality.values import check_values
from ratedb.rates import Rates

__all__ = ["check_levels", "check_rates", "check_sources", "check_title"]


def check_rates(rates: Rates) -> list[Finding]:
    """Return what looks wrong in the rates of one system, in the order of RULES and then of levels.

    Rows with zeros, placeholders or gaps at half of the temperatures or more are judged by those alone.
    Rules in j need levels with v and j; rules in T need four temperatures. Whatever the order of the
    rows, the findings are the same.
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
    # a shape is odd by its wrong values too, so only the values are named
    return [*findings, *values, *(f for f in shapes if f.transition not in wrong)]


def _sorted(findings: list[Finding], levels: Levels) -> list[Finding]:
    number = {label: index for index, label in enumerate(levels.label)}
    rule = {rule.name: index for index, rule in enumerate(rules.RULES)}
    return sorted(
        findings,
        key=lambda f: (
            rule[f.rule],
            number.get(f.upper or "", -1),
            number.get(f.lower or "", -1),
            f.temperature_k or 0.0,
        ),
    )


def check_levels(levels: Levels, lines: Lines | None, system: str) -> list[Finding]:
    """Return what looks wrong in levels (cm-1) and lines (GHz); `system` is the name that findings carry.

    Findings about one level name it in `detail` only: nothing of the rates is wrong for certain.
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
        f"{len(falls)} of {len(levels)} levels lie below the one before them, as {levels.label[at + 1]} at "
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
                f"level {levels.label[row]} has the weight {value:g} where {usual:g} (2j+1) = {expected:g}"
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
