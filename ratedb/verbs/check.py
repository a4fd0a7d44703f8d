"""Quality control: of what a file brings, and of what a store has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.findings import Finding
from ratedb.io.contents import PartnerRates
from ratedb.levels import Lines
from ratedb.quality.check import check_levels, check_rates, check_sources, check_title
from ratedb.quality.rules import RULES
from ratedb.rates import Rates
from ratedb.store.store import Store

QUALITIES = ("off", "warn", "strict")
"""What import does with findings: look for none, keep them and mark values, or refuse errors."""

_NAMED = 3


@dataclass(frozen=True)
class SourceFindings:
    """What was found about one source of a system."""

    system: str
    source_id: int
    findings: tuple[Finding, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Return each finding as plain JSON values, with the name of its transition."""
        return [
            asdict(one) | {"system": self.system, "source_id": self.source_id, "transition": one.transition}
            for one in self.findings
        ]


def findings_of(partner: PartnerRates, lines: Lines) -> list[Finding]:
    """Return what the rules find in one partner of a file, after what its reader saw."""
    rates = partner.rates
    found = [*partner.findings, *check_rates(rates)]
    found += check_levels(rates.levels, lines, rates.system)
    title = check_title(partner.reference, rates.temperature_k, rates.system)
    return found if title is None else [*found, title]


def refuse_errors(findings: Sequence[Finding], where: str) -> None:
    """Raise RatedbError where a finding is an error."""
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        named = "; ".join(f"{one.transition or one.system}: {one.detail}" for one in errors[:_NAMED])
        raise RatedbError(
            f"quality control finds {len(errors)} errors",
            where=where,
            expected="none, with --quality strict",
            got=named,
            todo="import with --quality warn to store the values and mark these, or correct the file",
        )


def counts(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return how many findings there are of each rule and severity, errors first, with an example."""
    order = {"error": 0, "warning": 1, "note": 2}
    groups: dict[tuple[int, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((order[one.severity], one.rule), []).append(one)
    return [
        {
            "rule": rule,
            "severity": group[0].severity,
            "findings": len(group),
            "transitions": len({one.transition for one in group if one.transition}),
            "example": f"{group[0].transition}: {group[0].detail}"
            if group[0].transition
            else group[0].detail,
        }
        for (_, rule), group in sorted(groups.items())
    ]


def check_store(
    db: Path,
    system: str | None = None,
    *,
    mark: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> list[SourceFindings]:
    """Apply the rules to every source of a system, or of all; with `mark` keep what they find.

    Predictions are not looked at. Sources out of one file, imported in parts, are judged as one. Findings
    about two sources that contradict each other stand under the newer one. What someone has accepted stays
    accepted, and what only the file showed stays. Raises RatedbError for an unknown system.
    """
    with Store(db, write=mark) as store:
        names = store.system_names() if system is None else [store.system(system).name]
        found: list[SourceFindings] = []
        for number, name in enumerate(names, start=1):
            report(f"checking {name}: {number} of {len(names)}")
            found += _check_system(store, name)
        if mark:
            levels = {name: store.levels(store.system(name).molecule).levels for name in names}
            store.replace_findings([(one.source_id, levels[one.system], one.findings) for one in found])
    return found


def _check_system(store: Store, name: str) -> list[SourceFindings]:
    molecule = store.levels(store.system(name).molecule)
    rows = store.query(
        "SELECT source_id, reference, kind, method, file_sha256 FROM sources"
        " WHERE system = ? AND kind <> 'predicted' ORDER BY 1",
        [name],
    )
    tables: dict[int, Rates] = {row["source_id"]: store.source_rates(name, row["source_id"]) for row in rows}
    found: dict[int, list[Finding]] = {number: [] for number in tables}
    parts: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        temperatures = str(tables[row["source_id"]].temperature_k.tolist())
        key = (row["file_sha256"], row["kind"], row["method"], row["reference"], temperatures)
        parts.setdefault(key, []).append(row["source_id"])
    for (*_, reference, _), numbers in parts.items():
        whole = _joined([tables[number] for number in numbers])
        findings = findings_of(PartnerRates(whole, reference), molecule.lines)
        for number in numbers:
            about = About(tables[number])
            found[number] += [one for one in findings if about.has(one)]
    for older, newer in combinations(tables, 2):
        found[newer] += beside(older, check_sources(tables[older], tables[newer]))
    return [SourceFindings(name, number, tuple(findings)) for number, findings in found.items()]


class About:
    """What a table of rates has, to tell which findings are about it."""

    def __init__(self, rates: Rates) -> None:
        self._transitions = {rates.transition_name(row) for row in range(len(rates))}
        self._initial = {rates.levels.label[upper] for upper in np.unique(rates.upper)}

    def has(self, finding: Finding) -> bool:
        """Return whether a finding is about the whole set, an initial level here, or a transition here."""
        if finding.lower is None:
            return finding.upper is None or finding.upper in self._initial
        return finding.transition in self._transitions


def _joined(parts: Sequence[Rates]) -> Rates:
    """Return the rates of parts on the same temperatures as one table, a transition of several parts once."""
    upper = np.concatenate([part.upper for part in parts])
    lower = np.concatenate([part.lower for part in parts])
    _, first = np.unique(upper * len(parts[0].levels) + lower, return_index=True)
    rate = np.concatenate([part.rate_cm3_s for part in parts])
    return replace(parts[0], upper=upper[first], lower=lower[first], rate_cm3_s=rate[first])


def beside(source_id: int, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings about two sources with the name of the other one."""
    return [replace(one, detail=f"beside source {source_id}: {one.detail}") for one in findings]


def accept(db: Path, system: str, rule: str, reason: str) -> int:
    """Accept the stored findings of a rule about a system, so that they mark nothing; return how many.

    Raises UsageError for an unknown rule or without a reason, RatedbError where there is no such finding.
    """
    names = [one.name for one in RULES]
    if rule not in names:
        raise UsageError(f"unknown rule {rule!r}", expected=" ".join(names))
    if not reason.strip():
        raise UsageError("findings are accepted for a reason", expected="--because TEXT", got="none")
    with Store(db, write=True) as store:
        store.system(system)
        rows = store.query("SELECT source_id FROM sources WHERE system = ?", [system])
        count = store.accept_findings([row["source_id"] for row in rows], rule, reason)
    if not count:
        raise RatedbError(
            f"{system} has no finding of {rule} to accept",
            todo=f"`ratedb check {system} --mark` keeps what is found",
        )
    return count
