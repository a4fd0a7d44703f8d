"""Say which sources of a system win, and set their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError
from ratedb.store.store import Store


def list_sources(db: Path, system: str) -> list[dict[str, Any]]:
    """Return a system's sources in the order in which they win.

    Each has its kind, reference, transitions, temperatures, how many of its values are the best known, and
    how many are marked. Raises RatedbError for an unknown system.
    """
    with Store(db) as store:
        system_id = store.system(system).system_id
        return store.query(
            """
            WITH held AS (
                SELECT source_id, count(DISTINCT (upper_id, lower_id)) AS transitions,
                       min(temperature_k) AS temperature_min_k, max(temperature_k) AS temperature_max_k,
                       count(rate_cm3_s) AS rates, count(*) FILTER (marked) AS marked
                FROM rate_value WHERE system_id = $system GROUP BY source_id
            ), won AS (
                SELECT source_id, count(*) AS best FROM best_value WHERE system_id = $system
                GROUP BY source_id
            )
            SELECT source_id, kind, method, reference, file_name, place, transitions, temperature_min_k,
                   temperature_max_k, rates, marked, coalesce(best, 0) AS best
            FROM source JOIN kind_rank USING (kind) JOIN held USING (source_id)
            LEFT JOIN won USING (source_id) LEFT JOIN source_place USING (source_id)
            WHERE system_id = $system
            ORDER BY kind = 'predicted', place NULLS LAST, rank, source_id DESC
            """,
            {"system": system_id},
        )


def prefer_sources(db: Path, system: str, source_ids: Sequence[int], reason: str) -> None:
    """Keep an order in which sources win, the best first; sources that are not named follow.

    Raises UsageError for a source that stands twice, RatedbError where one is none of the system's or holds
    predictions, which lose to everything else.
    """
    if not source_ids or len(set(source_ids)) < len(source_ids):
        raise UsageError(
            "not an order of sources", expected="ids of sources, each once", got=str(list(source_ids))
        )
    with Store(db, write=True) as store:
        system_id = store.system(system).system_id
        rows = store.query("SELECT source_id, kind FROM source WHERE system_id = ?", [system_id])
        usable = {row["source_id"] for row in rows if row["kind"] != "predicted"}
        wrong = [number for number in source_ids if number not in usable]
        if wrong:
            raise RatedbError(
                f"{system} has no source {wrong[0]} that could be preferred",
                expected="one of " + ", ".join(map(str, sorted(usable))),
                got=str(wrong[0]),
                todo=f"`ratedb sources {system}` lists them",
            )
        store.put_source_order(system, source_ids, reason)
