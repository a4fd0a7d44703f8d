"""Merge another store into this one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError, one_of
from ratedb.findings import Finding
from ratedb.options import MergeOptions, Progress, silent
from ratedb.quality.sources import check_against
from ratedb.rates import Rates
from ratedb.results import Result
from ratedb.store.lake_address import is_lake
from ratedb.store.merging import Merged, attached, merge_attached
from ratedb.store.merging_said import Conflict
from ratedb.store.opening import store_exists
from ratedb.store.store import Store
from ratedb.temporary import temporary_folder


@dataclass(frozen=True, repr=False)
class MergeResult(Result):
    """What a merge did; a dry run stored none of it.

    `added` and `unchanged` count systems, levels, sources, models, plans, events, orders and findings
    together, without values; `records` has them one by one, with the values. `conflicts` are where the two
    stores say different things, and whose counts.
    """

    other: str
    added: int
    unchanged: int
    conflicts: tuple[Conflict, ...]
    records: Mapping[str, Mapping[str, int]]
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    def summary(self) -> str:
        """Return how much was added."""
        sources, values = (self.records[name]["added"] for name in ("sources", "values"))
        done = f"{sources} sources and {values} values from {self.other}, {len(self.conflicts)} conflicts"
        return f"{done} (dry run)" if self.dry_run else done


def merge(db: Path, other: Path, options: MergeOptions, progress: Progress = silent) -> MergeResult:
    """Add what another store, or a published snapshot, has and this one has not: all of it or nothing.

    Raises UsageError for the store itself, RatedbError where there is no other store, for an unknown system,
    or where its levels contradict those here; LockedError where another process holds one of them.
    """
    one_of("quality", options.quality, ("warn", "off"))
    if not is_lake(other) and not other.exists():
        todo = "name a ratedb store, or a published snapshot"
        raise RatedbError("there is no such store to merge from", where=str(other), todo=todo)
    with ExitStack() as stack:
        if options.dry_run and not store_exists(db):
            db = stack.enter_context(temporary_folder()) / "dry-run.duckdb"
        if not store_exists(db):
            stack.enter_context(Store(other)).close()  # before a store is made for nothing
        store = stack.enter_context(Store(db, write=True, create=True))
        stack.enter_context(attached(store, other))
        session = stack.enter_context(store.transaction(keep=not options.dry_run))
        progress(f"merging {other.name}")
        merged = merge_attached(store, session, options.systems)
        if options.quality != "off":
            _compare(store, merged, progress)
    counted = [name for name in merged.added if name != "values"]
    return MergeResult(
        other=other.name,
        added=sum(merged.added[name] for name in counted),
        unchanged=sum(merged.unchanged[name] for name in counted),
        conflicts=merged.conflicts,
        records={
            name: {"added": merged.added[name], "unchanged": merged.unchanged[name]} for name in merged.added
        },
        warnings=(*merged.warnings, *_words(merged)),
        dry_run=options.dry_run,
    )


def _words(merged: Merged) -> list[str]:
    n = len(merged.conflicts)
    return [f"the stores differ in what is said of {n} things; see the conflicts"] if n else []


def _compare(store: Store, merged: Merged, progress: Progress) -> None:
    """Compare new sources with those that their systems had, as an import does; store the findings."""
    for system, (new, old) in merged.sources.items():
        if not old:
            continue
        progress(f"comparing the sources of {system}")
        tables: dict[int, Rates] = {number: store.source_rates(system, number) for number in (*new, *old)}
        files = {row["source_id"]: row["file_sha256"] for row in store.sources(system)}
        for number in new:
            found: list[Finding] = [
                finding
                for other in old
                if files[other] is None or files[other] != files[number]
                for finding in check_against(f"source {other}", tables[other], tables[number])
            ]
            levels = tables[number].levels
            store.put_new_findings(number, levels, store.level_ids(levels), found)
