"""Plans, and what they need to know of a store: by SQL alone, since a plan without data is to be quick."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.origin import now
from ratedb.store.connection import clear_errors, quoted
from ratedb.store.opening import open_store


@dataclass(frozen=True)
class Plan:
    """A plan: what was asked and what was proposed, as JSON values; `plan_id` is None before it is stored."""

    system_name: str
    strategy: str
    request: dict[str, Any]
    candidates: list[dict[str, Any]]
    chosen: dict[str, Any] | None = None
    plan_id: int | None = None


@contextmanager
def opened(path: Path, *, write: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to a store; with `write` the file is made where there is none."""
    connection = open_store(path, write=write, create=write)
    try:
        with clear_errors(path):
            yield connection
    finally:
        connection.close()


def put_plan(connection: duckdb.DuckDBPyConnection, plan: Plan) -> int:
    """Store a plan and return its id."""
    values = (
        quoted(plan.system_name),
        quoted(plan.strategy),
        quoted(json.dumps(plan.request)),
        quoted(json.dumps(plan.candidates)),
        "NULL" if plan.chosen is None else quoted(json.dumps(plan.chosen)),
        quoted(now()),
        quoted(__version__),
    )
    row = connection.execute(
        "INSERT INTO plan"
        " (plan_id, system_name, strategy, request, candidates, chosen, planned_at, ratedb_version)"
        f" VALUES (nextval('plan_ids'), {', '.join(values)}) RETURNING plan_id"
    ).fetchone()
    return int(row[0]) if row else 0


def get_plan(connection: duckdb.DuckDBPyConnection, plan_id: int) -> Plan:
    """Return a plan; raises RatedbError where the store does not have it."""
    row = connection.execute(f"{_SELECT} WHERE plan_id = {int(plan_id)}").fetchone()
    if row is None:
        raise RatedbError(f"the store has no plan {plan_id}", todo="`ratedb plan SYSTEM --j 5:20` makes one")
    return _plan(row)


def newest_plan(connection: duckdb.DuckDBPyConnection, system: str) -> Plan | None:
    """Return the newest plan of a system that has a chosen set, None where there is none."""
    row = connection.execute(
        # Older stores have a JSON null where nothing was chosen.
        f"{_SELECT} WHERE system_name = {quoted(system)} AND coalesce(chosen::VARCHAR, 'null') <> 'null'"
        " ORDER BY plan_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _plan(row)


def known_j(connection: duckdb.DuckDBPyConnection, system: str, v_max: int = 0) -> tuple[int, ...]:
    """Return the initial j with rates that are not predicted out of every v up to v_max.

    None for a system that is not there.
    """
    rows = connection.execute(
        "SELECT level.j FROM rate"
        " JOIN source USING (source_id) JOIN collision_system USING (system_id)"
        " JOIN level ON level.level_id = rate.upper_id"
        f" WHERE collision_system.name = {quoted(system)} AND source.kind <> 'predicted'"
        f" AND level.j IS NOT NULL AND level.v <= {int(v_max)}"
        # Out of v = 0, j = 0 nothing goes down.
        f" GROUP BY level.j HAVING count(DISTINCT level.v) = {int(v_max)} + (level.j > 0)::INTEGER"
        " ORDER BY level.j"
    ).fetchall()
    return tuple(row[0] for row in rows)


def predicted_by(connection: duckdb.DuckDBPyConnection, system: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the initial j of a system whose best rates are predicted, and the models that predicted them."""
    rows = connection.execute(
        "SELECT DISTINCT j, model_id FROM rates WHERE system = ? AND kind = 'predicted'", [system]
    ).fetchall()
    return frozenset(j for j, _ in rows), frozenset(model_id for _, model_id in rows)


_SELECT = "SELECT plan_id, system_name, strategy, request, candidates, chosen FROM plan"


def _plan(row: tuple[Any, ...]) -> Plan:
    plan_id, system, strategy, request, candidates, chosen = row
    chosen = None if chosen is None else json.loads(chosen)
    return Plan(system, strategy, json.loads(request), json.loads(candidates), chosen, plan_id)
