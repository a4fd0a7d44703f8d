"""The store: what its tables hold, in one object."""

from __future__ import annotations

from pathlib import Path

from ratedb.store.base import load_records
from ratedb.store.curation import CurationStore, SourceEvent
from ratedb.store.derived import DerivedInfo, DerivedStore
from ratedb.store.level_repair import LevelRepair
from ratedb.store.opening import store_exists
from ratedb.store.own_corpus import CorpusStore
from ratedb.store.plans import PlanStore, StoredScore
from ratedb.store.sources import Incoming, PutResult
from ratedb.store.staging import SourceInfo

__all__ = [
    "DerivedInfo",
    "Incoming",
    "PutResult",
    "SourceEvent",
    "SourceInfo",
    "Store",
    "StoredScore",
    "store_exists",
]


class Store(CurationStore, DerivedStore, PlanStore, CorpusStore, LevelRepair):
    """A ratedb database; use it as a context manager.

    `Store(path)` opens an existing store for reading, `write=True` for writing; `create=True` also makes the
    file where there is none. Raises RatedbError where the file is not a store or was written by a newer
    ratedb, LockedError where another process holds it.
    """

    def __init__(self, path: Path | str, *, write: bool = False, create: bool = False) -> None:
        if write:
            load_records()
        super().__init__(path, write=write, create=create)
