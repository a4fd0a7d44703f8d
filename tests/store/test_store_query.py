from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from children import rates_number
from stores import by_transition

from ratedb.errors import RatedbError, UsageError
from ratedb.options import SqlOptions
from ratedb.store.query import FILE_FORMATS, QueryResult, query_to_file, sql
from ratedb.store.store import Store

WRITES = (
    "INSERT INTO kind_rank VALUES ('x', 9)",
    "UPDATE kind_rank SET rank = 9",
    "DELETE FROM rate",
    "CREATE TABLE t (x INTEGER)",
    "CREATE OR REPLACE VIEW rates AS SELECT 1",
    "DROP VIEW rates",
    "ALTER TABLE rate RENAME TO r",
    "ATTACH ':memory:' AS m",
)
OUTSIDE = (
    "COPY rates TO '{outside}/out.csv'",
    "COPY (SELECT 1) TO '{outside}/out.parquet'",
    "COPY kind_rank FROM '{outside}/secret.csv'",
    "EXPORT DATABASE '{outside}/out'",
    "IMPORT DATABASE '{outside}'",
    "ATTACH '{outside}/other.duckdb' AS o",
    "ATTACH '{outside}/new.duckdb' AS o",
    "SELECT * FROM read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_text('{outside}/secret.csv')",
    "SELECT * FROM read_blob('{outside}/*')",
    "SELECT * FROM '{outside}/secret.csv'",
    "FROM glob('{outside}/*')",
    "SELECT * FROM sniff_csv('{outside}/secret.csv')",
    "EXPLAIN ANALYZE COPY rates TO '{outside}/out.csv'",
    "PREPARE p AS COPY rates TO '{outside}/out.csv'",
    "SELECT * FROM query('COPY rates TO ''{outside}/out.csv''')",
    "SET enable_external_access = true",
    "SET allowed_paths = ['{outside}/out.csv']",
    "SET allowed_directories = ['{outside}']",
    "SET temp_directory = '{outside}/temporary'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{outside}/secret.csv'",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
)
SEVERAL = (
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY rates TO '{outside}/out.csv'",
    "SET threads = 1; SELECT 1",
    "",
    "-- nothing but a comment",
)
ESCAPES = (
    "SELECT 1) TO '{outside}/out.csv' (FORMAT csv); --",
    "SELECT 1) TO '{outside}/out.csv' (FORMAT csv) --",
    "SELECT 1) TO '{outside}/out.csv' /*",
    "SELECT 1 /*",
    "*/ SELECT 1",
)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.csv").write_text("secret\n42\n")
    with duckdb.connect(str(folder / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS secret")
    return folder


@pytest.fixture
def untouched(store_path: Path, outside: Path) -> Iterator[Path]:
    """A store; afterwards it is the same to the byte, and so is everything beside it."""

    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in store_path.parent.rglob("*") if path.is_file()}

    before = state()
    yield store_path
    assert state() == before


def ask(db: Path, query: str) -> QueryResult:
    return sql(db, query, SqlOptions())


def ask_both(db: Path, query: str, error: type[RatedbError] = RatedbError) -> None:
    """Assert that a query is refused, for its rows and for a file."""
    with pytest.raises(error) as caught:
        ask(db, query)
    assert len(str(caught.value)) > 20
    with pytest.raises(error):
        query_to_file(db, query, db.parent / "result", "csv")


@pytest.mark.parametrize("sql", WRITES)
def test_a_query_cannot_change_the_store(untouched: Path, sql: str) -> None:
    ask_both(untouched, sql)


@pytest.mark.parametrize("sql", OUTSIDE)
def test_a_query_cannot_reach_other_files(untouched: Path, outside: Path, sql: str) -> None:
    ask_both(untouched, sql.format(outside=outside))


@pytest.mark.parametrize("sql", SEVERAL)
def test_only_one_statement_is_a_query(untouched: Path, outside: Path, sql: str) -> None:
    ask_both(untouched, sql.format(outside=outside), UsageError)


@pytest.mark.parametrize("sql", ESCAPES)
def test_comments_and_brackets_do_not_lead_out_of_a_query(untouched: Path, outside: Path, sql: str) -> None:
    ask_both(untouched, sql.format(outside=outside))


def test_settings_of_one_query_do_not_last_to_the_next(untouched: Path) -> None:
    ask(untouched, "SET threads = 1")
    ask(untouched, "CALL enable_logging(storage = 'file', storage_path = 'nowhere')")
    assert ask(untouched, "SELECT current_setting('enable_external_access')").rows == [(False,)]
    assert not Path("nowhere").exists()


def test_a_query_does_not_see_the_variables_of_python(untouched: Path) -> None:
    with pytest.raises(RatedbError, match="does not exist"):
        ask(untouched, "SELECT * FROM columns")


def test_a_query_gives_columns_and_rows(untouched: Path) -> None:
    result = ask(untouched, "SELECT upper_label, lower_label, temperature_k, rate_cm3_s FROM rates -- all")
    assert result.columns == ("upper_label", "lower_label", "temperature_k", "rate_cm3_s")
    assert {row[:3]: row[3] for row in result.rows} == by_transition(rates_number(0))
    assert ask(untouched, "SHOW TABLES").columns == ("name",)


def test_a_file_holds_every_value_to_the_bit(
    untouched: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("results")
    expected = by_transition(rates_number(0))
    query = "SELECT upper_label, lower_label, temperature_k, rate_cm3_s FROM rates;"
    for file_format in FILE_FORMATS:
        target = folder / f"it's.{file_format}"
        assert query_to_file(untouched, query, target, file_format).to_json() == {
            "path": str(target),
            "row_count": len(expected),
        }
        assert read_back(target, file_format) == expected
    assert len(os.listdir(folder)) == len(FILE_FORMATS)


def read_back(path: Path, file_format: str) -> dict[tuple[str, str, float], float]:
    """Read a result file, JSON without DuckDB."""
    if file_format == "json":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        rows = [tuple(line.values()) for line in lines]
    elif file_format == "csv":
        header, *lines_ = path.read_text().splitlines()
        assert header == "upper_label,lower_label,temperature_k,rate_cm3_s"
        rows = [tuple(line.split(",")) for line in lines_]
    else:
        rows = duckdb.read_parquet(str(path)).fetchall()
    return {(row[0], row[1], float(row[2])): float(row[3]) for row in rows}


def test_an_existing_result_is_replaced_only_by_a_whole_new_one(store_path: Path) -> None:
    target = store_path.with_name("result.csv")
    target.write_text("old")
    with pytest.raises(RatedbError):
        query_to_file(store_path, "SELECT no_such FROM rates", target, "csv")
    assert target.read_text() == "old"
    query_to_file(store_path, "SELECT 1 AS one", target, "csv")
    assert target.read_text() == "one\n1\n"


def test_an_unknown_format_is_a_usage_error(store_path: Path) -> None:
    with pytest.raises(UsageError):
        query_to_file(store_path, "SELECT 1", store_path.with_name("x"), "xlsx")


def test_a_wrong_query_is_refused_with_duckdbs_words(store_path: Path) -> None:
    with pytest.raises(RatedbError, match="no_such") as caught:
        ask(store_path, "SELECT no_such FROM rates")
    assert caught.value.exit_code == 1
    assert caught.value.todo


def test_queries_work_beside_a_store_that_is_open_for_reading_elsewhere(store_path: Path) -> None:
    ask(store_path, "SELECT 1")
    with Store(store_path) as store:
        assert store.system_names() == ["XY+He"]
    assert ask(store_path, "SELECT 1").rows == [(1,)]
