"""List sources in order of precedence, and set that order."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError, UsageError
from ratedb.options import SourcesOptions
from ratedb.store.query import QueryResult
from ratedb.store.store import Store
from ratedb.verbs.curation import curate, curates


def sources(db: Path, system: str | None, options: SourcesOptions) -> QueryResult:
    """List the sources of a system, or of all, in order of precedence; with `prefer` set that order first.

    Sources that `prefer` does not name follow. Raises UsageError for a duplicate or where no system is
    named, RatedbError for a source that the system does not have, or one of predictions.
    """
    if curates(options):
        return curate(db, system, options)
    prefer = options.prefer
    if prefer is None and options.because != SourcesOptions.because:
        raise UsageError("--because has no effect without --prefer", expected="--prefer IDS", got="--because")
    with Store(db, write=prefer is not None) as store:
        if prefer is not None:
            if system is None:
                raise UsageError("--prefer needs a system", expected="SYSTEM", got="none")
            if not prefer or len(set(prefer)) < len(prefer):
                raise UsageError(
                    "duplicate or missing source ids", expected="different ids", got=str(list(prefer))
                )
            usable = store.source_ids(store.system(system).name)
            wrong = [number for number in prefer if number not in usable]
            if wrong:
                raise RatedbError(
                    f"{system} has no source {wrong[0]} that could be preferred",
                    expected="one of " + ", ".join(map(str, usable)),
                    got=str(wrong[0]),
                    todo=f"`ratedb sources {system}` lists them; predictions never take precedence",
                )
            store.put_source_order(system, prefer, options.because)
        return store.list_sources(system)
