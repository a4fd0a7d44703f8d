"""Cells of CSV files as DuckDB writes and reads them: no spreadsheet takes a text for a formula."""

from __future__ import annotations

import re

import duckdb

from ratedb.safe_text import IS_FORMULA, IS_NUMBER, IS_QUOTED_FORMULA, to_cell

# Types whose values are never taken for a formula: numbers, times, and what begins with a bracket.
_HARMLESS = re.compile(
    r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM|BOOLEAN|UUID|DATE|TIME.*"
    r"|STRUCT.*|MAP.*|.*\])"
)


def quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def is_harmless(of: str) -> bool:
    """Return whether no value of a type of DuckDB begins as a formula does."""
    return _HARMLESS.fullmatch(of) is not None


def cell_of(column: str) -> str:
    """Return the SQL expression of a column of texts as cells of a CSV file; see safe_text.to_cell."""
    text = f"({column})::VARCHAR"
    formula = f"regexp_matches({text}, {_literal(IS_FORMULA)})"
    number = f"regexp_matches({text}, {_literal(IS_NUMBER)})"
    return f"CASE WHEN {formula} AND NOT {number} THEN chr(39) || {text} ELSE {text} END"


def text_of(column: str) -> str:
    """Return the SQL expression of the texts of cells of a CSV file; see safe_text.from_cell."""
    is_one = f"starts_with({column}, chr(39)) AND regexp_matches({column}, {_literal(IS_QUOTED_FORMULA)})"
    return f"CASE WHEN {is_one} THEN {column}[2:] ELSE {column} END"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def as_cells(connection: duckdb.DuckDBPyConnection, select: str) -> str:
    """Return a query for the rows of another one, in their order, as cells of a CSV file."""
    described = connection.execute(f"DESCRIBE ({select}\n)").fetchall()
    places = [f"c{place}" for place in range(len(described))]  # names may occur twice
    chosen = [
        f"{place if is_harmless(str(of)) else cell_of(place)} AS {quoted(to_cell(str(name)))}"
        for place, (name, of, *_) in zip(places, described, strict=True)
    ]
    return f"SELECT {', '.join(chosen)} FROM ({select}\n) AS given({', '.join(places)})"
