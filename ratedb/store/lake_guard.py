"""Which queries `ratedb sql` runs on a lake: those that read this store and nothing else.

DuckDB has to reach the folder of a lake to read its data, and so a query could write there; and functions of
the extension for PostgreSQL reach any server. The query is therefore read as a tree before it is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from ratedb.errors import RatedbError, UsageError

_TABLES = ("unnest", "range", "generate_series", "json_each", "json_tree", "repeat", "histogram", "summary")
_ABOUT = ("duckdb_columns", "duckdb_tables", "duckdb_views", "duckdb_types", "pragma_table_info")
_ALLOWED = frozenset(_TABLES + _ABOUT)
_OWN = {"", "lake", "main", "information_schema"}


def need_reading(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise UsageError for a statement that does not only select, RatedbError where it reaches elsewhere."""
    [(text,)] = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise UsageError(
            "the query was refused",
            expected="one SELECT, FROM, VALUES, SHOW, DESCRIBE or SUMMARIZE",
            got=tree["error_message"],
            todo="on a lake, queries only select; the other commands change it",
        )
    for kind, name in _used(tree):
        if name not in _ALLOWED:
            raise RatedbError(
                "the query was refused",
                expected="tables and views of this store, and functions such as unnest",
                got=f"{kind} {name}",
                todo="queries read only this store; see the views in docs/store.md",
            )


def _used(node: Any) -> Iterator[tuple[str, str]]:
    """Yield each function that makes a table, and each table of another database."""
    if isinstance(node, list):
        for one in node:
            yield from _used(one)
    elif isinstance(node, dict):
        if node.get("type") == "TABLE_FUNCTION":
            yield "the function", str(node["function"]["function_name"]).lower()
        if node.get("type") == "BASE_TABLE" and _elsewhere(node):
            yield "the table", f"{node['catalog_name']}.{node['schema_name']}.{node['table_name']}"
        for one in node.values():
            yield from _used(one)


def _elsewhere(table: dict[str, Any]) -> bool:
    """Return whether a table is named as one of the catalogue, or of another database."""
    return not {table["catalog_name"].lower(), table["schema_name"].lower()} <= _OWN
