"""Findings of quality control as they are kept and shown: by source, counted by rule, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ratedb.errors import RatedbError
from ratedb.findings import ERROR, NOTE, WARNING, Finding
from ratedb.quality import rules
from ratedb.rates import Rates

_NAMED = 3
_ORDER = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class SourceFindings:
    """What was found about one source of a system."""

    system: str
    source_id: int
    findings: tuple[Finding, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return each finding as plain JSON values, with the name of its transition."""
        return [
            asdict(one) | {"system": self.system, "source_id": self.source_id, "transition": one.transition}
            for one in self.findings
        ]

    def counts(self) -> list[dict[str, Any]]:
        """Return how many findings there are of each rule, as `counts` does."""
        return counts(self.findings)


def counts(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return how many findings there are of each rule and severity, errors first, with an example."""
    groups: dict[tuple[int, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((_ORDER.index(one.severity), one.rule), []).append(one)
    return [
        {
            "rule": rule,
            "severity": group[0].severity,
            "findings": len(group),
            "transitions": len({one.transition for one in group if one.transition}),
            "example": ": ".join(filter(None, (group[0].transition, group[0].detail))),
        }
        for (_, rule), group in sorted(groups.items())
    ]


def withheld(findings: Sequence[Finding], rates: Rates) -> list[Finding]:
    """Return the findings, with one of the set in place of those of a rule that would flag too many rows."""
    named: dict[str, set[str | None]] = {}
    for one in findings:
        if one.rule in rules.JUDGEMENTS:
            named.setdefault(one.rule, set()).add(one.transition)
    share = rules.TOO_MANY.threshold * len(rates)
    many = {rule for rule, of in named.items() if len(of) >= rules.FEWEST_TOO_MANY and len(of) > share}
    kept = [one for one in findings if one.rule not in many]
    for rule in sorted(many):
        first, count = next(one for one in findings if one.rule == rule), len(named[rule])
        detail = (
            f"{rule} would flag {count} of {len(rates)} transitions ({count / len(rates):.0%}), such as"
            f" {first.transition}: {first.detail}. Nothing is flagged by it before `ratedb check --mark`"
        )
        kept.append(rules.TOO_MANY.finding(rates.system, detail, value=float(count), expected=share))
    return kept


def refuse_errors(findings: Sequence[Finding], where: str) -> None:
    """Raise RatedbError where a finding is an error."""
    errors = [one for one in findings if one.severity == ERROR]
    if errors:
        named = "; ".join(f"{one.transition or one.system}: {one.detail}" for one in errors[:_NAMED])
        raise RatedbError(
            f"quality control finds {len(errors)} errors",
            where=where,
            expected="none, with --quality strict",
            got=named,
            todo="import with --quality warn to store the values and flag these, or correct the file",
        )


def about(rates: Rates, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings about a whole set, or about an initial level or a transition of these rates.

    One about the upward direction, as readers of cross sections may name it, is given the downward one.
    """
    transitions, initial = set(rates.transitions.names()), set(rates.upper_label.tolist())
    found = []
    for one in findings:
        if one.lower is None:
            kept = one.upper is None or one.upper in initial
        else:
            kept = (one.upper, one.lower) in transitions
            if (one.lower, one.upper) in transitions:
                kept, one = True, replace(one, upper=one.lower, lower=one.upper)
        if kept:
            found.append(one)
    return found
