"""Compare two sources of a system in a store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratedb.errors import UsageError
from ratedb.options import CompareOptions
from ratedb.quality.comparison import SourceComparison, compare_rates
from ratedb.references import Reference, parse_reference
from ratedb.store.store import Store
from ratedb.verbs.targets import check_targets, write_result

_DESCRIBED = ("source_id", "kind", "method", "reference", "file_name")


def compare(db: Path, system: str, first: int, second: int, options: CompareOptions) -> SourceComparison:
    """Compare two sources of a system by their ids; raises RatedbError where they have nothing in common."""
    if first == second:
        raise UsageError("a source cannot be compared with itself", got=str(first))
    check_targets(options.output, options.picture)
    with Store(db) as store:
        rates = [store.source_rates(system, number) for number in (first, second)]
        rows = {row["source_id"]: row for row in store.sources(system)}
    names = [_name(rows[number]) for number in (first, second)]
    if names[0] == names[1]:
        names = [f"{name} (source {number})" for name, number in zip(names, (first, second), strict=True)]
    named = [
        {**{key: rows[number][key] for key in _DESCRIBED}, "name": name}
        for name, number in zip(names, (first, second), strict=True)
    ]
    found = compare_rates(rates[0], rates[1], (named[0], named[1]))
    write_result(found, options.output, options.picture, _draw)
    return found


def _name(row: Mapping[str, Any]) -> str:
    """Return a source by authors and year, else its file, else its id."""
    known = Reference(authors=row["authors"] or "", year=row["year"])
    short = known.short() or parse_reference(row["reference"]).short()
    return short or row["file_name"] or f"source {row['source_id']}"


def _draw(found: SourceComparison, path: Path) -> None:
    from ratedb.plots.comparison import draw_comparison

    draw_comparison(found, path)
