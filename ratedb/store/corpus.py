"""List the corpus, add systems of one's own store, and remove them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import UsageError
from ratedb.models.corpus.own import learn_own
from ratedb.models.corpus.table import SUMMARY, shipped_corpus
from ratedb.options import CorpusOptions, Progress
from ratedb.rates import Rates
from ratedb.store.opening import store_exists
from ratedb.store.query import QueryResult
from ratedb.store.store import Store

_MOST_NAMED = 2


def corpus(db: Path, options: CorpusOptions, progress: Progress) -> QueryResult:
    """List the systems that `train` learns from; with `add` or `remove` change those of the store first.

    Raises UsageError for both at once, RatedbError for a system that has no use or is not there.
    """
    if options.add is not None and options.remove is not None:
        raise UsageError(
            "one change at a time", expected="--add SYSTEM or --remove SYSTEM", got="--add and --remove"
        )
    done: dict[str, Any] = {}
    if options.add is not None:
        done = _add(db, options.add, progress)
    if options.remove is not None:
        with Store(db, write=True) as store:
            store.remove_own_system(options.remove)
        done = {"system": options.remove, "changed": "removed", "notes": []}
    rows = [one.summary() for one in shipped_corpus().systems]
    if store_exists(db):
        with Store(db) as store:
            rows += [one.learnt.summary("own store") for one in store.own_systems()]
    return QueryResult(tuple(SUMMARY), rows, tuple(SUMMARY.values()), name="corpus", about=done)


def _add(db: Path, system: str, progress: Progress) -> dict[str, Any]:
    with Store(db) as store:
        known = store.known_rates(system).known()
    progress(f"learning from {system}")
    own, notes = learn_own(known, _references(known), shipped_corpus())
    with Store(db, write=True) as store:
        replaced = store.put_own_system(own, known.sha256(), _source_ids(known))
    return {"system": system, "changed": "replaced" if replaced else "added", "notes": notes}


def _source_ids(rates: Rates) -> list[int]:
    return [number for number in np.unique(rates.source_id).tolist() if number >= 0]


def _references(rates: Rates) -> str:
    """Return in short what the rates are from."""
    names = list(dict.fromkeys(str(rates.sources[number]["reference"]) for number in _source_ids(rates)))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return "; ".join(names[:_MOST_NAMED]) + more
