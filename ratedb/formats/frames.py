"""What a query gives as a pandas or Arrow table, where these packages are installed."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb

from ratedb.errors import RatedbError

if TYPE_CHECKING:
    import pandas
    import pyarrow


def need_package(name: str) -> ModuleType:
    """Return a package of the extra `notebook`; raises RatedbError where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RatedbError(
            f"{name} cannot be imported",
            expected="the packages of the extra `notebook`",
            got=str(error),
            todo="pip install 'ratedb[notebook]'",
        ) from error


def as_pandas(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> pandas.DataFrame:
    """Return what a query gives as a data frame; raises RatedbError without pandas."""
    need_package("pandas")
    return connection.execute(sql, parameters or []).df()


def as_arrow(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> pyarrow.Table:
    """Return what a query gives as an Arrow table; raises RatedbError without pyarrow."""
    need_package("pyarrow")
    return connection.execute(sql, parameters or []).to_arrow_table()
