"""`ratedb sql`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database
from ratedb.results import plain
from ratedb.safe_text import to_cell, visible

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.store.query import QueryResult

_SHOWN = 200


def _show(console: Console, result: QueryResult, options: Mapping[str, Any]) -> None:
    if result.path is not None:
        console.print(f"wrote {result.about['row_count']} rows to {result.path}")
    elif options.get("format") == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(_cell, result.columns))
        writer.writerows(map(_cell, row) for row in result.rows)
    elif options.get("format") == "json":
        for row in result.dicts():
            print(json.dumps(plain(row), allow_nan=False))
    else:
        text = [n for n, value in enumerate(result.rows[0]) if isinstance(value, str)] if result.rows else []
        console.print(table("", result.columns, result.rows[:_SHOWN], text=text))
        if len(result) > _SHOWN:
            more = f"{len(result) - _SHOWN} more rows are not shown"
            print(f"warning: {more}; --format csv prints all, -o FILE writes them", file=sys.stderr)


def _cell(value: Any) -> Any:
    """Return a value as a cell of CSV: no formula for a spreadsheet, and on a terminal nothing hidden."""
    if not isinstance(value, str):
        return value
    return to_cell(visible(value) if sys.stdout.isatty() else value)


sql_command = command(
    Database.sql,
    _show,
    arguments={"query": "One SQL query, in DuckDB's dialect."},
    example='ratedb sql "SELECT kind, count(*) FROM rates GROUP BY kind"',
)
