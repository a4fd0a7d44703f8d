"""What stores hold, without their own numbers and times: to compare a merged store with another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb

_OWN = re.compile(r"(_ids?|_at|sha256|library_versions|seconds)$")
_NUMBERED = re.compile(r"\b((?:source|model)s?) \d+(?:(?:, | and )\d+)*")
VIEWS = (
    "rates",
    "rates_all",
    "levels",
    "radiative",
    "sources",
    "source_files",
    "source_events",
    "source_orders",
    "derivations",
    "findings",
    "models",
    "plans",
    "set_scores",
)


def contents(path: Path, *left_out: str) -> dict[str, list[str]]:
    """Return the rows of every view as sorted texts, without ids, times and the columns `left_out`."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for view in VIEWS:
            cursor = connection.execute(f"SELECT * FROM {view}")
            names = [str(column[0]) for column in cursor.description]
            kept = [n for n, name in enumerate(names) if not _OWN.search(name) and name not in left_out]
            rows = [{names[n]: row[n] for n in kept} for row in cursor.fetchall()]
            found[view] = sorted(_NUMBERED.sub(r"\1 #", json.dumps(row, default=str)) for row in rows)
    return found


def said(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()
