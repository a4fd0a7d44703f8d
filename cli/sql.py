"""`ratedb sql`."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratedb.results import plain

from .output import Context, table

if TYPE_CHECKING:
    from ratedb.store.query import QueryResult

_SHOWN = 200


def sql_command(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="One SQL query, in DuckDB's dialect.")],
    file_format: Annotated[
        str | None, typer.Option("--format", help="table, csv, json or parquet (with -o).")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file.")] = None,
) -> None:
    """Ask the store in SQL, read-only.

    The views are rates, rates_all, levels, radiative, sources, models and plans.

    Example: ratedb sql "SELECT kind, count(*) FROM rates GROUP BY kind"
    """
    from ratedb.errors import UsageError
    from ratedb.store.query import query_to_file, run_query

    shared: Context = context.obj
    if output is not None:
        chosen = file_format or output.suffix.lstrip(".")
        count = query_to_file(shared.db, query, output, chosen)
        shared.emit(
            {"path": str(output), "row_count": count},
            lambda console: console.print(f"wrote {count} rows to {output}"),
        )
        return
    if file_format not in (None, "table", "csv", "json"):
        raise UsageError(f"cannot print {file_format!r}", expected="table, csv or json, or a file with -o")
    result = run_query(shared.db, query)
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows] if shared.as_json else []
    if shared.as_json:
        shared.emit({"columns": list(result.columns), "rows": rows}, lambda console: None)
    elif file_format == "csv":
        _print_csv(result)
    elif file_format == "json":
        for row in result.rows:
            print(json.dumps(plain(dict(zip(result.columns, row, strict=True))), allow_nan=False))
    else:
        console = shared.console()
        text = [n for n, value in enumerate(result.rows[0]) if isinstance(value, str)] if result.rows else []
        console.print(table("", result.columns, result.rows[:_SHOWN], text=text))
        if len(result.rows) > _SHOWN:
            more = len(result.rows) - _SHOWN
            shared.warn([f"{more} more rows are not shown; --format csv prints all, -o FILE writes them"])


def _print_csv(result: QueryResult) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(result.columns)
    writer.writerows(result.rows)
