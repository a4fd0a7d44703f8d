"""Import files of rate coefficients into a store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.findings import Finding
from ratedb.levels import Levels
from ratedb.quality.reports import counts
from ratedb.quality.sources import check_against
from ratedb.rates import Rates
from ratedb.store.plans import known_j, newest_plan
from ratedb.store.store import Incoming, PutResult, SourceInfo, Store
from ratedb.verbs.incoming import ImportOptions, read_cross_section_files, read_incoming


@dataclass(frozen=True)
class PlanProgress:
    """How far the newest plan of a system has come: its jobs' initial j that are there, and those to do."""

    plan_id: int
    done_j: tuple[int, ...]
    left_j: tuple[int, ...]


@dataclass(frozen=True)
class ImportedSystem:
    """What one partner of one file brought; `rates`, `new` and `unchanged` count values.

    `findings` are counts of what quality control found in a new source, by rule. `plan` is how far the
    system's newest plan with a chosen set has come, None where there is none.
    """

    system: str
    source_id: int | None
    levels: int
    transitions: int
    temperatures: int
    rates: int
    new: int
    unchanged: int
    warnings: tuple[str, ...]
    findings: tuple[dict[str, Any], ...] = ()
    plan: PlanProgress | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def import_files(
    db: Path,
    paths: Sequence[Path],
    options: ImportOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> list[ImportedSystem]:
    """Read files and keep all of their rates, or none.

    Raises UsageError for an unknown kind, RatedbError where a file cannot be read or contradicts the
    store; the store is then as it was.
    """
    options = options or ImportOptions()
    options.check()
    known_levels = partial(_stored_levels, db)
    incoming: list[Incoming] = []
    if options.temperature_k:
        incoming.append(read_cross_section_files(paths, options, known_levels, report))
    for path in () if options.temperature_k else paths:
        report(f"reading {path.name}")
        incoming.append(read_incoming(path, options, known_levels))
    report("storing")
    with ExitStack() as stack:
        if dry_run and not db.exists():
            db = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "dry-run.duckdb"
        store = stack.enter_context(Store(db, write=True, create=True))
        if options.quality != "off":
            incoming = [_against_stored(store, file) for file in incoming]
        results = store.put_rates(incoming, dry_run=dry_run)
        sources = [source for file in incoming for source in file.sources]
        systems = {table.system for table, _ in sources}
        progress = {} if dry_run else {system: _progress(store, system) for system in systems}
    return [
        replace(_imported(table, info, result), plan=progress.get(table.system))
        for (table, info), result in zip(sources, results, strict=True)
    ]


def _against_stored(store: Store, file: Incoming) -> Incoming:
    """Return a file with findings about sources of the same system that the store has already."""
    return replace(
        file,
        sources=tuple(
            (table, replace(info, findings=(*info.findings, *_about_stored(store, table, info))))
            for table, info in file.sources
        ),
    )


def _about_stored(store: Store, table: Rates, info: SourceInfo) -> list[Finding]:
    if not store.has_system(table.system):
        return []
    rows = store.query(
        "SELECT source_id FROM sources WHERE system = ? AND kind <> 'predicted' AND file_sha256 <> ?",
        [table.system, info.file_sha256],
    )
    found: list[Finding] = []
    for row in rows:
        stored = store.source_rates(table.system, row["source_id"])
        found += check_against(row["source_id"], stored, table)
    return found


def _progress(store: Store, system: str) -> PlanProgress | None:
    """Return which jobs of the system's newest plan have their rates."""
    plan = newest_plan(store.connection, system)
    if plan is None or plan.chosen is None:
        return None
    known = {*known_j(store.connection, system, plan.request["v_max"]), *plan.request["given"]}
    jobs = sorted({*plan.chosen["train_j"], *plan.chosen["validate_j"]} - set(plan.request["given"]))
    done = tuple(j for j in jobs if j in known)
    return PlanProgress(plan.plan_id or 0, done, tuple(j for j in jobs if j not in known))


def _stored_levels(db: Path, molecule: str) -> Levels | None:
    """Return the levels of a molecule that the store has, or None."""
    if not db.exists():
        return None
    with Store(db) as store:
        return store.levels(molecule).levels if store.has_molecule(molecule) else None


def _imported(table: Rates, info: SourceInfo, result: PutResult) -> ImportedSystem:
    return ImportedSystem(
        system=table.system,
        source_id=result.source_id,
        levels=len(table.levels),
        transitions=len(table),
        temperatures=len(table.temperature_k),
        rates=int(np.isfinite(table.rate_cm3_s).sum()),
        new=result.new,
        unchanged=result.unchanged,
        warnings=result.warnings,
        findings=tuple(counts(info.findings)) if result.new else (),
    )
