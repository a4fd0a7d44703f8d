"""Check the sources of a store, keep what is found, and accept findings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.levels import Levels
from ratedb.options import CheckOptions, Progress, silent
from ratedb.quality.check import check_system
from ratedb.quality.reports import SourceFindings
from ratedb.quality.rules import OF_FILE, RULE_NAMES
from ratedb.results import Result
from ratedb.safe_text import clean
from ratedb.store.store import Store


@dataclass(frozen=True, repr=False)
class CheckResult(Result):
    """The findings about each source, or how many findings of a rule were accepted."""

    sources: tuple[SourceFindings, ...] = ()
    system: str | None = None
    rule: str | None = None
    accepted: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all findings with their system, source and transition, or what was accepted."""
        if self.accepted is not None:
            return {"system": self.system, "rule": self.rule, "accepted": self.accepted}
        return {"findings": [row for one in self.sources for row in one.rows()]}

    def summary(self) -> str:
        """Return in a few words what was found or done."""
        if self.accepted is not None:
            return f"{self.accepted} findings of {self.rule} about {self.system} are accepted"
        return f"{len(self.sources)} sources, {sum(len(one.findings) for one in self.sources)} findings"


def check(db: Path, system: str | None, options: CheckOptions, progress: Progress = silent) -> CheckResult:
    """Apply the rules to every source of a system, or of all; store the findings with `mark`.

    Predictions are not checked. Accepted findings stay accepted, and those that only a file shows are kept.
    Raises RatedbError for an unknown system.
    """
    if options.accept is not None:
        return _accept(db, system, options.accept, options.because)
    if options.because:
        raise UsageError(
            "--because has no effect without --accept", expected="--accept RULE", got="--because"
        )
    with Store(db, write=options.mark) as store:
        names = store.system_names() if system is None else [store.system(system).name]
        found: list[SourceFindings] = []
        levels: dict[str, Levels] = {}
        for number, name in enumerate(names, start=1):
            progress(f"checking {name}: {number} of {len(names)}")
            used = store.source_ids(name)
            rows = [row for row in store.sources(name) if row["source_id"] in used]
            tables = {row["source_id"]: store.source_rates(name, row["source_id"]) for row in rows}
            molecule = store.levels(store.system(name).molecule)
            found += check_system(tables, rows, molecule.lines, mark=options.mark)
            levels[name] = molecule.levels
        if options.mark:
            store.replace_findings(
                [(one.source_id, levels[one.system], one.findings) for one in found], OF_FILE
            )
    return CheckResult(tuple(found))


def _accept(db: Path, system: str | None, rule: str, reason: str) -> CheckResult:
    """Accept the stored findings of a rule about a system, so that they flag no values.

    Raises UsageError for an unknown rule or without a system or reason, RatedbError without a finding.
    """
    if system is None:
        raise UsageError("--accept needs a system", expected="SYSTEM", got="none")
    one_of("rule", rule, RULE_NAMES)
    if not reason.strip():
        raise UsageError("--accept needs a reason", expected="--because TEXT", got="none")
    with Store(db, write=True) as store:
        store.system(system)
        count = store.accept_findings(
            [row["source_id"] for row in store.sources(system)], rule, clean(reason)
        )
    if not count:
        raise RatedbError(
            f"{system} has no finding of {rule} to accept",
            todo=f"`ratedb check {system} --mark` stores what is found",
        )
    return CheckResult(system=system, rule=rule, accepted=count)
