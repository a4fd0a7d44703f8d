"""The schema of a store on DuckLake, which has no keys, checks, sequences and indexes: docs/lake.md."""

from __future__ import annotations

import re

import duckdb

from ratedb.store.migrations import Migration

_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*")
_NOT_CARRIED = re.compile(r"CREATE\s+(SEQUENCE|(UNIQUE\s+)?INDEX)\b")
_TABLE = re.compile(r"CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?\w+\s*\(")
_TEXT = r"'(?:[^']|'')*'"
_INNER = rf"\((?:[^()']|{_TEXT})*\)"
_PARENTHESES = rf"\((?:[^()']|{_TEXT}|\((?:[^()']|{_TEXT}|{_INNER})*\))*\)"
_REFERENCES = rf"REFERENCES\s+\w+\s*{_PARENTHESES}"
# What a table loses, in this order; a key is never NULL, which DuckLake can carry.
_LOST = (
    (rf",\s*(UNIQUE|PRIMARY\s+KEY|CHECK)\s*{_PARENTHESES}", ""),
    (rf",\s*FOREIGN\s+KEY\s*{_PARENTHESES}\s*{_REFERENCES}", ""),
    (rf"\s+CHECK\s*{_PARENTHESES}", ""),
    (rf"\s+{_REFERENCES}", ""),
    (r"\s+DEFAULT\s+nextval\('\w+'\)", ""),
    (r"\s+UNIQUE\b", ""),
    (r"\bPRIMARY\s+KEY\b", "NOT NULL"),
)
_NEW_COLUMN = re.compile(r"(ALTER\s+TABLE\s+\w+\s+ADD\s+COLUMN\s[^;]*\bDEFAULT\s+)(\w+)\s*(?=;)")
_SEQUENCE = re.compile(r"CREATE\s+SEQUENCE\s+(\w+)_ids\b")
_INEXACT = """
SELECT DISTINCT table_name FROM duckdb_tables() JOIN duckdb_columns() USING (database_name, table_name)
WHERE database_name = 'lake' AND data_type SIMILAR TO '.*(DOUBLE|FLOAT).*' AND 'main.' || table_name NOT IN (
    SELECT scope_entry FROM lake.options() WHERE option_name = 'data_inlining_row_limit' AND value = '0'
)
"""
# A level that was merged into another keeps its number: it is not given to a new one.
_ALSO = {"level": "SELECT max(merged_id) FROM level_merge"}


def carry(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Run the statements of a migration without what DuckLake cannot carry."""
    plain = _COMMENT.sub(lambda found: found[1] or "", sql)
    # The default of a new column has to be a text or a number: false is an expression.
    plain = _NEW_COLUMN.sub(r"\1'\2'", plain)
    for statement in connection.extract_statements(plain):
        if text := for_lake(statement.query):
            connection.execute(text)


def for_lake(statement: str) -> str:
    """Return a statement without comments as DuckLake takes it, empty where nothing is left."""
    text = statement.strip()
    if _NOT_CARRIED.match(text):
        return ""
    if _TABLE.match(text):
        for pattern, instead in _LOST:
            text = re.sub(pattern, instead, text)
    return text


def keep_exact(connection: duckdb.DuckDBPyConnection) -> None:
    """Have rows of tables with 64-bit numbers stored as Parquet, however few they are.

    DuckLake stores up to ten rows as text in the catalogue, and reads 0.0023595548721228646 back as
    0.002359554872122864.
    """
    for (table,) in connection.execute(_INEXACT).fetchall():
        connection.execute(
            f"CALL lake.set_option('data_inlining_row_limit', 0, schema => 'main', table_name => '{table}')"
        )


def number_on(connection: duckdb.DuckDBPyConnection, migrations: tuple[Migration, ...]) -> None:
    """Make the sequences of the schema in this connection, each beginning after the ids that are stored.

    Ids stay unique because only one connection at a time may write.
    """
    keys = id_columns(migrations)
    newest = ", ".join(f"coalesce({_newest(table, column)}, 0)" for table, column in keys.items())
    ids = connection.execute(f"SELECT {newest}").fetchone() or ()
    for table, last in zip(keys, ids, strict=True):
        connection.execute(f"CREATE OR REPLACE TEMP SEQUENCE {table}_ids START {int(last) + 1}")


def _newest(table: str, column: str) -> str:
    newest = f"(SELECT max({column}) FROM {table})"
    return f"greatest({newest}, ({_ALSO[table]}))" if table in _ALSO else newest


def id_columns(migrations: tuple[Migration, ...]) -> dict[str, str]:
    """Return the tables that a sequence numbers, each with its column of ids."""
    text = "\n".join(migration.sql for migration in migrations)
    found = {}
    for table in _SEQUENCE.findall(text):
        column = re.search(rf"CREATE\s+TABLE\s+{table}\s*\(\s*(\w+)\s+INTEGER\s+PRIMARY\s+KEY", text)
        if column:
            found[table] = column[1]
    return found
