"""Import files of rate coefficients into a store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.levels import Levels
from ratedb.options import ImportOptions, Progress, silent
from ratedb.physics.orientation import units_with_rates
from ratedb.planning.progress import PlanProgress, UnitPlanProgress, progress_by_j, unit_progress
from ratedb.quality.reports import counts
from ratedb.rates import Rates
from ratedb.results import Result
from ratedb.store.store import PutResult, SourceInfo, Store, store_exists
from ratedb.store.structures import side_by_side
from ratedb.temporary import temporary_folder
from ratedb.verbs.incoming import check_options, read_incoming, read_incoming_cross_sections
from ratedb.verbs.incoming_quality import against_each_other, against_stored
from ratedb.verbs.referencing import stated_reference


@dataclass(frozen=True)
class ImportedSystem:
    """What one partner of one file brought; `rates`, `new` and `unchanged` count values.

    `findings` are counts of what quality control found in a new source, by rule. `plan` is how far the
    system's newest plan with a chosen set has come, None without one.
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
    plan: PlanProgress | UnitPlanProgress | None = None


@dataclass(frozen=True, repr=False)
class ImportResult(Result):
    """What an import brought, by partner of each file; a dry run stored none of it."""

    systems: tuple[ImportedSystem, ...]
    dry_run: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about all files, each once."""
        return tuple(dict.fromkeys(text for system in self.systems for text in system.warnings))

    def summary(self) -> str:
        """Return how many new values each system got."""
        done = ", ".join(f"{one.system} {one.new} new of {one.rates} rates" for one in self.systems)
        return f"{done} (dry run)" if self.dry_run else done


def import_files(
    db: Path, paths: Sequence[Path], options: ImportOptions | None = None, progress: Progress = silent
) -> ImportResult:
    """Read files and store all of their rates, or none.

    Raises UsageError for options that do not fit, RatedbError where a file cannot be read or contradicts the
    store; the store is then as it was.
    """
    options = options or ImportOptions()
    check_options(options)
    options, reference = stated_reference(options)
    known_levels = cache(partial(_stored_levels, db))
    if options.cross_sections:
        incoming = [read_incoming_cross_sections(paths, options, known_levels, progress)]
    else:
        incoming = []
        for path in paths:
            progress(f"reading {path.name}")
            incoming.append(read_incoming(path, options, known_levels))
    incoming = reference.given_to(incoming)
    incoming = side_by_side(incoming, known_levels)
    progress("storing")
    with ExitStack() as stack:
        if options.dry_run and not store_exists(db):
            db = stack.enter_context(temporary_folder()) / "dry-run.duckdb"
        store = stack.enter_context(Store(db, write=True, create=True))
        if options.quality != "off":
            incoming = against_each_other([against_stored(store, file) for file in incoming])
        results = store.put_rates(incoming, dry_run=options.dry_run)
        sources = [source for file in incoming for source in file.sources]
        systems = dict.fromkeys(rates.system for rates, _ in sources)
        plans = {} if options.dry_run else {name: _progress(store, name) for name in systems}
    imported = (
        _imported(rates, info, result, plans.get(rates.system), reference.warnings(rates.system, result))
        for (rates, info), result in zip(sources, results, strict=True)
    )
    return ImportResult(tuple(imported), options.dry_run)


def _progress(store: Store, system: str) -> PlanProgress | UnitPlanProgress | None:
    """Return which jobs of the system's newest plan have their rates."""
    plan = store.newest_plan(system)
    if plan is None or plan.chosen is None:
        return None
    if "train_units" in plan.chosen:
        return unit_progress(plan, units_with_rates(store.known_rates(system).known()))
    return progress_by_j(plan, store.known_j(system, plan.request["v_max"]))


def _stored_levels(db: Path, molecule: str) -> Levels | None:
    """Return the levels of a molecule that the store has, or None."""
    if not store_exists(db):
        return None
    with Store(db) as store:
        return store.levels(molecule).levels if store.has_molecule(molecule) else None


def _imported(
    rates: Rates,
    info: SourceInfo,
    result: PutResult,
    plan: PlanProgress | UnitPlanProgress | None,
    warnings: tuple[str, ...],
) -> ImportedSystem:
    return ImportedSystem(
        system=rates.system,
        source_id=result.source_id,
        levels=len(rates.levels),
        transitions=len(rates),
        temperatures=len(rates.temperature_k),
        rates=int(np.isfinite(rates.rate_cm3_s).sum()),
        new=result.new,
        unchanged=result.unchanged,
        warnings=(*result.warnings, *warnings),
        findings=tuple(counts(info.findings)) if result.new else (),
        plan=plan,
    )
