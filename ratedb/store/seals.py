"""Hashes of what is stored: a row that another program changed, added or deleted is found, and named.

They guard against mistakes, not against someone who computes them anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ratedb.errors import IntegrityError
from ratedb.store.connection import run

SEALED: Mapping[str, str] = {
    "collision_system": "system_id",
    "molecule": "molecule",
    "level": "level_id",
    "level_set": "level_set_id",
    "level_value": "level_set_id",
    "line": "level_set_id",
    "temperature_grid": "grid_id",
    "source": "source_id",
    "source_event": "event_id",
    "source_reference": "source_id",
    "source_file": "source_id",
    "source_order": "order_id",
    "finding": "source_id",
    "derivation": "source_id",
    "method_class": "method",
    "method_rank": "class",
    "kind_rank": "kind",
    "model": "model_id",
    "plan": "plan_id",
    "corpus_system": "corpus_system_id",
    "rate": "source_id",
}
"""The tables whose rows have hashes, each with the column that names a row or a block of rows."""

DECIDING = (
    "collision_system",
    "molecule",
    "temperature_grid",
    "source",
    "source_event",
    "source_reference",
    "source_file",
    "source_order",
    "derivation",
    "method_class",
    "method_rank",
    "kind_rank",
)
"""Small tables that say what numbers mean and which of them count."""

RATE_HASH = (
    "md5_number_lower(concat_ws(',', source_id, upper_id, lower_id, grid_id, to_json(rate_cm3_s),"
    " coalesce(to_json(log10_half_width_68)::VARCHAR, '-'), extrapolated))"
)
"""The hash of a row of the table rate, kept in its column row_hash."""

_OF_SYSTEM = "SELECT source_id FROM source_now WHERE system_id = ?"
_OF_MOLECULE = "SELECT level_set_id FROM level_set WHERE molecule = ?"
_LEVELS_OF_MOLECULE = (
    "SELECT level_id FROM level WHERE molecule = ?"
    " UNION SELECT level_id FROM level_value JOIN level_set USING (level_set_id) WHERE molecule = ?"
)
_TODO = "restore the database from a backup; `ratedb doctor --deep` lists all such rows"
_MOST_NAMED = 5


@dataclass(frozen=True)
class Broken:
    """Rows with one key that are not as ratedb stored them: `how` is changed, added or deleted."""

    table: str
    key: str
    how: str

    @property
    def where(self) -> str:
        """The table and its rows, such as `table source, source_id 3`."""
        return f"table {self.table}, {SEALED.get(self.table, 'row')} {self.key}"


def seal_new(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the hashes of the rows that have none yet."""
    for table in unsealed(connection):
        connection.execute(
            f"INSERT INTO seal SELECT '{table}', * FROM ({_contents(connection, table)})"
            f" WHERE key NOT IN (SELECT key FROM seal WHERE table_name = '{table}')"
        )


def seal_rates(connection: duckdb.DuckDBPyConnection) -> None:
    """Give all rows of the table rate their hashes."""
    connection.execute(f"UPDATE rate SET row_hash = {RATE_HASH} WHERE row_hash IS DISTINCT FROM {RATE_HASH}")


def unsealed(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the tables with rows that have no hash, each with the key of one such row."""
    found = connection.execute(
        " UNION ALL ".join(
            f"SELECT '{table}', min(key) FROM ({_keys(table)})"
            f" WHERE key NOT IN (SELECT key FROM seal WHERE table_name = '{table}') HAVING count(*) > 0"
            for table in SEALED
        )
    ).fetchall()
    return dict(found)


def need_no_strange_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise IntegrityError where another program added rows: a write would give them hashes."""
    _need_none([Broken(table, key, "added") for table, key in unsealed(connection).items()])


@contextmanager
def changing(connection: duckdb.DuckDBPyConnection, table: str, keys: Sequence[object]) -> Iterator[None]:
    """Let the block change rows with these keys; the transaction gives them new hashes at its end.

    Raises IntegrityError where they are not as stored.
    """
    of = [str(key) for key in keys]
    wanted = "SELECT unnest(?::VARCHAR[])"
    _need_none(_allowed(_broken(connection, table, wanted, [of]), writing=True))
    yield
    changed = [one.key for one in _broken(connection, table, wanted, [of])]
    run(
        connection,
        "DELETE FROM seal WHERE table_name = ? AND key IN (SELECT unnest(?::VARCHAR[]))",
        [table, changed],
    )


@contextmanager
def changing_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Iterator[None]:
    """Let the block change any rows of these tables; the transaction gives them new hashes at its end.

    Raises IntegrityError where a row is not as stored.
    """
    _need_none(_broken_of(connection, tables))
    if "rate" in tables:
        need_intact_rates(connection, "true", ())
    yield
    if "rate" in tables:
        seal_rates(connection)
    run(connection, "DELETE FROM seal WHERE table_name IN (SELECT unnest(?::VARCHAR[]))", [list(tables)])


def need_intact_tables(connection: duckdb.DuckDBPyConnection, *, writing: bool) -> None:
    """Raise IntegrityError where a small table is not as stored; `writing` allows new rows."""
    _need_none(_allowed(_broken_of(connection, DECIDING), writing))


def need_intact_system(connection: duckdb.DuckDBPyConnection, system_id: int, *, writing: bool) -> None:
    """Raise IntegrityError where findings or blocks of rates of a system are not as stored.

    The rates themselves are not read: `need_intact_rates` does that.
    """
    found = [
        one for table in ("finding", "rate") for one in _broken(connection, table, _OF_SYSTEM, [system_id])
    ]
    _need_none(_allowed(found, writing))


def need_intact_levels(connection: duckdb.DuckDBPyConnection, molecule: str, *, writing: bool) -> None:
    """Raise IntegrityError where levels or lines of a molecule are not as stored."""
    found = _broken(connection, "level", _LEVELS_OF_MOLECULE, [molecule, molecule])
    for table in ("level_set", "level_value", "line"):
        found += _broken(connection, table, _OF_MOLECULE, [molecule])
    _need_none(_allowed(found, writing))


def need_intact_row(connection: duckdb.DuckDBPyConnection, table: str, key: object) -> None:
    """Raise IntegrityError where the rows of a table with this key are not as stored."""
    _need_none(_broken(connection, table, "SELECT ?", [str(key)]))


def need_intact_rates(
    connection: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[object]
) -> None:
    """Raise IntegrityError where a row of the table rate that meets a condition is not as stored."""
    _need_none(broken_rates(connection, condition, parameters, most=1))


def broken_rates(
    connection: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[object], most: int
) -> list[Broken]:
    """Return rows of the table rate that meet a condition and are not as stored, at most so many."""
    rows = run(
        connection,
        f"SELECT source_id, upper_id, lower_id FROM rate WHERE ({condition})"
        f" AND row_hash IS DISTINCT FROM {RATE_HASH} ORDER BY ALL LIMIT {int(most)}",
        parameters,
    ).fetchall()
    return [Broken("rate", f"{of}, upper_id {up}, lower_id {low}", "changed") for of, up, low in rows]


def need_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise IntegrityError where any row is not as stored."""
    _need_none(all_broken(connection, most=1))


def all_broken(connection: duckdb.DuckDBPyConnection, most: int = 100) -> list[Broken]:
    """Return all rows that are not as stored, of the table rate at most so many."""
    return [
        *_broken_of(connection, tuple(SEALED)),
        *broken_rates(connection, "true", (), most),
        *_without_source(connection),
    ]


def _without_source(connection: duckdb.DuckDBPyConnection) -> list[Broken]:
    rows = connection.execute(
        "SELECT DISTINCT source_id FROM rate WHERE source_id NOT IN (SELECT source_id FROM source) ORDER BY 1"
    ).fetchall()
    return [Broken("rate", str(key), "added") for (key,) in rows]


def _allowed(found: list[Broken], writing: bool) -> list[Broken]:
    return [one for one in found if not (writing and one.how == "added")]


def _need_none(found: Sequence[Broken]) -> None:
    if not found:
        return
    first = found[0]
    others = ", ".join(one.where for one in found[1:_MOST_NAMED])
    raise IntegrityError(
        f"the database has a row that another program {first.how}",
        where=first.where,
        expected="rows that ratedb wrote, as it wrote them",
        got=f"also {others}" if others else None,
        todo=_TODO,
    )


def _broken_of(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> list[Broken]:
    rows = connection.execute(
        " UNION ALL ".join(_compared(connection, table, None) for table in tables)
    ).fetchall()
    return [Broken(*row) for row in rows]


def _broken(
    connection: duckdb.DuckDBPyConnection, table: str, keys: str, parameters: Sequence[object]
) -> list[Broken]:
    """Return what of a table is not as stored, among the rows whose keys a query gives."""
    sql = f"WITH wanted AS MATERIALIZED (SELECT #1::VARCHAR AS key FROM ({keys})) "
    return [
        Broken(*row)
        for row in run(connection, sql + _compared(connection, table, "wanted"), parameters).fetchall()
    ]


def _compared(connection: duckdb.DuckDBPyConnection, table: str, wanted: str | None) -> str:
    """Return a query for the rows of a table that are not as stored: table, key, how."""
    among = f" AND key IN (SELECT key FROM {wanted})" if wanted else ""
    return f"""
        SELECT '{table}', coalesce(kept.key, here.key),
               CASE WHEN kept.key IS NULL THEN 'added' WHEN here.key IS NULL THEN 'deleted' ELSE 'changed' END
        FROM ({_contents(connection, table, wanted)}) AS here
        FULL JOIN (SELECT key, row_count, content FROM seal WHERE table_name = '{table}'{among}) AS kept
            ON kept.key = here.key
        WHERE here.row_count IS DISTINCT FROM kept.row_count OR here.content IS DISTINCT FROM kept.content
    """


def _keys(table: str) -> str:
    # A source without rates has a hash too, and the many rows of rates are not read for their keys.
    return f"SELECT DISTINCT {SEALED[table]}::VARCHAR AS key FROM {'source' if table == 'rate' else table}"


def _contents(connection: duckdb.DuckDBPyConnection, table: str, wanted: str | None = None) -> str:
    """Return a query for key, row_count and content of a table's rows."""
    name = SEALED[table]
    among = f" WHERE {name}::VARCHAR IN (SELECT key FROM {wanted})" if wanted else ""
    if table == "rate":
        return (
            "SELECT source.source_id::VARCHAR AS key, coalesce(row_count, 0) AS row_count,"
            " coalesce(content, '0') AS content"
            " FROM source LEFT JOIN (SELECT source_id, count(*) AS row_count,"
            f" sum(row_hash)::VARCHAR AS content FROM rate{among} GROUP BY source_id) USING (source_id)"
            + among.replace(name, f"source.{name}")
        )
    return (
        f"SELECT {name}::VARCHAR AS key, count(*) AS row_count,"
        f" sum(md5_number_lower({_row_text(connection, table)}))::VARCHAR AS content"
        f" FROM {table}{among} GROUP BY {name}"
    )


def _row_text(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return SQL for the text of a row; what is NULL is left out, so that a new column changes no hash."""
    columns = connection.execute(f"DESCRIBE {table}").fetchall()
    parts = [f"'{name}=' || {_text(name, kind)}" for name, kind, *_ in columns]
    return f"concat_ws(';', {', '.join(parts)})"


def _text(name: str, kind: str) -> str:
    if kind == "BLOB":
        return f"md5({name})"
    if kind.endswith("]") or kind.startswith("MAP"):
        return f"to_json({name})::VARCHAR"
    return f"{name}::VARCHAR"
