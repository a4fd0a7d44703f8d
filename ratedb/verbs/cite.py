"""List what to cite for an exported file or a system."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError, did_you_mean
from ratedb.io.citations import Citations, citations_of, citations_of_system
from ratedb.io.sidecar import sidecar_path
from ratedb.options import CiteOptions
from ratedb.store.store import Store, store_exists


def cite(db: Path, target: Path | str, options: CiteOptions) -> Citations:
    """Return what to cite for a file that ratedb exported, else for the system of this name in the store.

    Raises RatedbError where there is neither, or the file is not the one that its provenance describes.
    """
    path = Path(target)
    if path.exists() or sidecar_path(path).exists():
        return citations_of(path)
    todo = "name a file that ratedb exported, or a system that `ratedb systems` lists"
    if store_exists(db):
        with Store(db) as store:
            if store.has_system(str(target)):
                return citations_of_system(store.rates(str(target)))
            todo = did_you_mean(str(target), store.system_names()) or todo
    what = "this is neither a file nor a system of the store"
    raise RatedbError(what, where=str(target), todo=todo)
