"""List what to cite for an exported file or a system."""

from __future__ import annotations

from pathlib import Path

from ratedb.io.citations import Citations, citations_of, citations_of_system
from ratedb.io.provenance import sidecar_path
from ratedb.options import CiteOptions
from ratedb.store.store import Store


def cite(db: Path, target: Path | str, options: CiteOptions) -> Citations:
    """Return what to cite for a file that ratedb exported, else for the system of this name in the store.

    Raises RatedbError where there is neither, or the file is not the one that its provenance describes.
    """
    path = Path(target)
    if not path.exists() and not sidecar_path(path).exists() and db.exists():
        with Store(db) as store:
            if store.has_system(str(target)):
                return citations_of_system(store.rates(str(target)))
    return citations_of(path)
