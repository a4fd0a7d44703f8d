"""Merge another store into this one: what is not here is added, in one transaction."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ratedb.errors import RatedbError, UsageError, did_you_mean
from ratedb.store.connection import clear_errors, run
from ratedb.store.lake_address import is_lake
from ratedb.store.merging_levels import merge_levels
from ratedb.store.merging_maps import map_all
from ratedb.store.merging_said import Conflict, merge_said
from ratedb.store.merging_sources import add_sources
from ratedb.store.opening import open_store, schema_version
from ratedb.store.snapshot import is_snapshot, snapshot_file
from ratedb.store.store import Store
from ratedb.temporary import temporary_folder

if TYPE_CHECKING:
    from sqlmodel import Session

# What is counted of a merge, and what of the other store is compared with it.
_COUNTS = {
    "systems": ("count(*) FROM collision_system", "count(*) FROM of_system"),
    "levels": ("count(*) FROM level", "count(DISTINCT theirs) FROM of_level"),
    "sources": ("count(*) FROM source", "count(*) FROM taken_source"),
    "values": (
        "coalesce(sum(len(rate_cm3_s)), 0)::BIGINT FROM rate",
        "coalesce(sum(len(rate_cm3_s)), 0)::BIGINT FROM other.rate JOIN taken_source USING (source_id)",
    ),
    "models": ("count(*) FROM model", "count(*) FROM of_model"),
    "plans": ("count(*) FROM plan", "count(*) FROM other.plan"),
    "corpus_systems": (
        "count(*) FROM corpus_system",
        "count(*) FROM other.corpus_system JOIN taken_system USING (system_id)",
    ),
    "events": ("count(*) FROM source_event", "count(DISTINCT event_id) FROM their_event"),
    "orders": ("count(*) FROM source_order", "count(*) FROM their_order"),
    "findings": ("count(*) FROM finding", "count(*) FROM their_finding"),
    "accepted": (
        "count(accepted_because) FROM finding",
        "count(accepted_because) FROM their_finding",
    ),
}
_TAKEN = """
CREATE OR REPLACE TEMP TABLE taken_source AS
SELECT source_id FROM other.source_now JOIN other.collision_system USING (system_id) WHERE {chosen};
CREATE OR REPLACE TEMP TABLE taken_system AS
SELECT system_id FROM other.collision_system WHERE {chosen}
UNION SELECT system_id FROM other.source JOIN taken_source USING (source_id);
"""


@dataclass(frozen=True)
class Merged:
    """What a merge did: numbers added and unchanged of each thing, conflicts, and what to say.

    `sources` are the ids of the new sources by system, with those that the system had before.
    """

    added: dict[str, int]
    unchanged: dict[str, int]
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]
    sources: dict[str, tuple[list[int], list[int]]]


@contextmanager
def attached(store: Store, other: Path) -> Iterator[None]:
    """Give a store the tables of another one as `other`, read-only.

    An older store is brought up to date as a copy. Raises RatedbError where there is no store, UsageError for
    the store itself, LockedError where another process writes to it.
    """
    if is_lake(other):
        raise UsageError(
            "a lake cannot be merged directly",
            expected="a store in a file, or a published snapshot",
            got=str(other),
            todo="publish the lake, and merge the snapshot",
        )
    if other.exists() and store.path.exists() and other.samefile(store.path):
        raise UsageError("a store cannot be merged into itself", expected="another store", got=str(other))
    with _newest(other) as path:
        with Store(path) as theirs:
            theirs.need_whole_intact()
        with clear_errors(other):
            name = str(path.absolute()).replace("'", "''")
            store.connection.execute(f"ATTACH '{name}' AS other (READ_ONLY)")
        try:
            yield
        finally:
            store.connection.execute("DETACH other")


@contextmanager
def _newest(other: Path) -> Iterator[Path]:
    """Give a file with a store of the newest schema: the other one, or a copy of it."""
    if is_snapshot(other):
        yield snapshot_file(other)
        return
    version, newest = schema_version(other)
    if version == 0:
        raise RatedbError("not a ratedb store", where=str(other), todo="name another file to merge")
    if version == newest:
        yield other
        return
    with temporary_folder() as folder:
        copy = folder / "other.duckdb"
        shutil.copy(other, copy)
        if (log := other.with_name(f"{other.name}.wal")).exists():
            shutil.copy(log, f"{copy}.wal")
        open_store(copy, write=True).close()
        yield copy


def merge_attached(store: Store, session: Session, systems: Sequence[str]) -> Merged:
    """Add what the attached store has of these systems, or of all where none is named, within a transaction.

    Raises RatedbError for an unknown system, or where levels contradict those here.
    """
    _take(store, systems)
    molecules = store.column(
        "SELECT molecule FROM other.collision_system JOIN taken_system USING (system_id)"
        " GROUP BY molecule ORDER BY min(system_id)"
    )
    before = _count(store, 0)
    here = _sources(store)
    try:
        notes = merge_levels(store, session, molecules)
    except RatedbError as error:
        raise RatedbError(
            f"the stores cannot be merged: {error.what}",
            where=error.where,
            expected=error.expected,
            got=error.got,
            todo="nothing was merged; leave the systems of this molecule out with --systems",
        ) from error
    _refuse_renamed_models(store)
    map_all(store.connection)
    add_sources(store.connection, every=not systems)
    conflicts = merge_said(store)
    after, theirs = _count(store, 0), _count(store, 1)
    added = {name: after[name] - before[name] for name in _COUNTS}
    unchanged = {name: max(theirs[name] - added[name], 0) for name in _COUNTS}
    new = {name: (ids, here.get(name, [])) for name, ids in _sources(store, only_new=True).items()}
    return Merged(added, unchanged, tuple(conflicts), tuple(notes), new)


def _take(store: Store, systems: Sequence[str]) -> None:
    known = store.column("SELECT name FROM other.collision_system ORDER BY name")
    unknown = [name for name in systems if name not in known]
    if unknown:
        raise RatedbError(
            f"the other store has no system {unknown[0]!r}",
            expected=", ".join(known),
            got=unknown[0],
            todo=did_you_mean(unknown[0], known),
        )
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in systems)
    store.connection.execute(_TAKEN.format(chosen=f"name IN ({names})" if systems else "true"))


def _count(store: Store, which: int) -> dict[str, int]:
    """Return the numbers of this store (0), or of what is taken of the other one (1)."""
    parts = [f"(SELECT {sql[which]})" for sql in _COUNTS.values()]
    [row] = run(store.connection, f"SELECT {', '.join(parts)}").fetchall()
    return dict(zip(_COUNTS, map(int, row), strict=True))


def _sources(store: Store, *, only_new: bool = False) -> dict[str, list[int]]:
    """Return the ids of the sources of files of each system; with `only_new` those that the merge added."""
    which = "AND source_id IN (SELECT ours FROM of_source WHERE is_new)" if only_new else ""
    rows = store.rows(
        "SELECT system, list(source_id ORDER BY source_id) FROM sources"
        f" WHERE NOT withdrawn AND kind <> 'predicted' {which} GROUP BY system ORDER BY system"
    )
    return dict(rows)


def _refuse_renamed_models(store: Store) -> None:
    """Refuse models of a molecule that has another name here: what they were trained on names the old one."""
    found = store.column(
        "SELECT s.name FROM other.model JOIN other.collision_system AS s USING (system_id)"
        " JOIN taken_system USING (system_id) JOIN of_molecule ON theirs = molecule AND ours <> theirs"
    )
    if found:
        raise RatedbError(
            f"the stores cannot be merged: a model of {found[0]} is of another structure than here",
            expected="the same structure of levels in both stores",
            got=f"a model of {found[0]}",
            todo="nothing was merged; leave this system out with --systems",
        )
