"""List sources in order of precedence, set that order, and join their curves in temperature."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from ratedb.errors import RatedbError, UsageError
from ratedb.findings import Finding
from ratedb.io.mixed_sources import describe
from ratedb.options import SourcesOptions
from ratedb.quality.joining import joined_finding
from ratedb.safe_text import clean
from ratedb.store.query import QueryResult
from ratedb.store.store import Store
from ratedb.verbs.curation import curate, curates, refuse_without_effect


def sources(db: Path, system: str | None, options: SourcesOptions) -> QueryResult:
    """List the sources of a system, or of all, in order of precedence; with `prefer` set that order first.

    Sources that `prefer` does not name follow; `join` also joins the curves of its sources in temperature.
    Raises UsageError for a duplicate or where no system is named, RatedbError for a source that the system
    does not have, or one of predictions.
    """
    if curates(options):
        return curate(db, system, options)
    order = options.prefer if options.join is None else options.join
    if order is None:
        refuse_without_effect(options, "--prefer")
        with Store(db) as store:
            return store.list_sources(system)
    with Store(db, write=True) as store, store.transaction(keep=not options.dry_run):
        _put_order(store, system, order, options)
        return store.list_sources(system)


def _put_order(store: Store, system: str | None, order: tuple[int, ...], options: SourcesOptions) -> None:
    option = "--prefer" if options.join is None else "--join"
    if system is None:
        raise UsageError(f"{option} needs a system", expected="SYSTEM", got="none")
    if len(order) < (2 if options.join else 1) or len(set(order)) < len(order):
        raise UsageError("duplicate or missing source ids", expected="different ids", got=str(list(order)))
    usable = store.source_ids(store.system(system).name)
    wrong = [number for number in order if number not in usable]
    if wrong:
        raise RatedbError(
            f"{system} has no source {wrong[0]} that could be preferred",
            expected="one of " + ", ".join(map(str, usable)),
            got=str(wrong[0]),
            todo=f"`ratedb sources {system}` lists them; predictions never take precedence",
        )
    found = {} if options.join is None else _joined(store, system, order)
    store.put_source_order(system, order, clean(options.because), joined=found)


def _joined(store: Store, system: str, order: tuple[int, ...]) -> dict[int, Finding]:
    """Return how each source continues the one before it; raises RatedbError where none does."""
    tables = {number: store.source_rates(system, number) for number in order}
    rows = {row["source_id"]: row for row in store.sources(system)}
    found = {}
    for one, other in pairwise(order):
        names = f"source {one} ({describe(rows[one])})", f"source {other} ({describe(rows[other])})"
        finding = joined_finding(tables[one], tables[other], names)
        if finding is not None:
            found[other] = finding
    if not found:
        raise RatedbError(
            f"the sources of {system} do not continue each other",
            expected="sources with common transitions at different temperatures",
            got=", ".join(map(str, order)),
            todo="give one precedence with --prefer",
        )
    return found
