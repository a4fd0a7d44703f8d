"""`ratedb sql` on a lake reads this store: it writes nothing, and reaches no other file, server or table."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lakes import need_ducklake, rotor_file

import ratedb
from ratedb.errors import RatedbError
from ratedb.store.opening import open_sandboxed
from ratedb.store.query import _single

need_ducklake()

READS = [
    "SELECT count(*) FROM rates",
    "FROM levels LIMIT 3;  -- a comment",
    "WITH x AS (SELECT unnest([1, 2]) AS a) SELECT * FROM x JOIN range(3) AS r(b) ON a = b",
    "SELECT list_transform([1, 2], lambda x: x + 1), quantum_numbers['j'] FROM levels",
    "SELECT * FROM lake.main.sources QUALIFY row_number() OVER (ORDER BY source_id) = 1",
    "VALUES (1), (2)",
    "SHOW TABLES",
    "DESCRIBE rates",
    "SUMMARIZE sources",
    "SELECT table_name FROM information_schema.tables",
    "SELECT * FROM duckdb_columns()",
]
REFUSED = [
    "COPY (SELECT 1) TO '{data}/evil.parquet'",
    "COPY sources TO '{data}/evil.csv'",
    "EXPORT DATABASE '{data}/evil'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{data}/evil.parquet'",
    "INSERT INTO source_reference (source_id) VALUES (1)",
    "DELETE FROM source",
    "DROP TABLE source",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "UPDATE lake_writer SET token = ''",
    "ATTACH ':memory:' AS x",
    "USE memory",
    "CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "CALL lake.set_option('data_inlining_row_limit', 5)",
    "FROM ducklake_expire_snapshots('lake', older_than => now())",
    "FROM ducklake_settings('lake')",
    "FROM duckdb_databases()",
    "FROM read_text('/etc/passwd')",
    "FROM '/etc/passwd'",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "FROM read_parquet('{data}/**')",
    "FROM glob('/etc/*')",
    "FROM query('SELECT 1')",
    "SUMMARIZE SELECT * FROM read_text('/etc/passwd')",
    "WITH x AS (FROM read_text('/etc/passwd')) SELECT * FROM x",
    "SELECT 1 UNION ALL FROM read_csv('/etc/hosts')",
    "SELECT * FROM __ducklake_metadata_lake.main.ducklake_metadata",
    "SELECT * FROM __ducklake_metadata_lake.ducklake_metadata",
    "SELECT * FROM public.ducklake_metadata",
    "FROM postgres_query('__ducklake_metadata_lake', 'SELECT pg_read_file(''/etc/passwd'')')",
    "FROM postgres_scan('host=elsewhere', 'public', 'x')",
    "CALL postgres_execute('__ducklake_metadata_lake', 'DROP TABLE ducklake_snapshot')",
    "CALL postgres_attach('host=elsewhere')",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SELECT 1; SELECT 2",
    "CHECKPOINT",
]


def content(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def assert_closed(address: str, folder: Path) -> None:
    """Try all queries on one connection; opening another for each would take minutes."""
    before = content(folder)
    connection = open_sandboxed(Path(address))
    for query in READS:
        assert connection.execute(_single(connection, query, Path(address))).fetchall(), query
    for query in REFUSED:
        with pytest.raises((RatedbError, duckdb.Error)):
            connection.execute(_single(connection, query.format(data=folder), Path(address))).fetchall()
    connection.close()
    assert content(folder) == before


@pytest.mark.slow
def test_queries_on_a_lake_only_read_it(address: str, tmp_path: Path) -> None:
    db = ratedb.open(address)
    db.import_(rotor_file(tmp_path / "ab.dat"))
    folder = Path(f"{address.removeprefix('ducklake:')}.files")
    assert_closed(address, folder)
    for query in REFUSED[:3]:
        with pytest.raises(RatedbError):
            db.sql(query.format(data=folder))
        with pytest.raises(RatedbError):
            db.sql(query.format(data=folder), output=tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.slow
def test_queries_on_a_lake_in_postgresql_only_read_it(server: Any, tmp_path: Path) -> None:
    address = server("sql", tmp_path / "data")
    ratedb.open(address, create=True).import_(rotor_file(tmp_path / "ab.dat"))
    assert_closed(address, tmp_path / "data")


def test_the_rows_of_a_query_go_to_a_file(address: str, tmp_path: Path) -> None:
    db = ratedb.open(address)
    db.sql("SELECT * FROM kind_rank ORDER BY rank", output=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[:2] == ["kind,rank", "computed,0"]
