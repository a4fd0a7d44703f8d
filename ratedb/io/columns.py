"""Tables of rate coefficients with one row for each value: CSV, Parquet, and pandas or Arrow objects.

The columns are those of schemas/rates.schema.json. columns_rows checks the rows, columns_levels makes rates
of them.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from functools import partial

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.columns_levels import LevelsOf, file_of_rows
from ratedb.io.columns_long import bad_csv, bad_parquet, read_long_csv, read_long_parquet
from ratedb.io.columns_rows import ALIASES, need_once, rows_of
from ratedb.io.contents import MoleculeFile
from ratedb.io.door import admitted
from ratedb.io.level_lists import levels_if_known
from ratedb.io.listed_levels import open_end
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import text_lines
from ratedb.levels import Levels
from ratedb.store.tabular import TableError, csv_table, frame_table, parquet_table

_SHOWN = 90


def looks_like_parquet(content: bytes) -> bool:
    """Return whether a file is a Parquet file."""
    return content[:4] == b"PAR1"


def looks_like_csv(content: bytes) -> bool:
    """Return whether the first line of a file names the columns of the contract."""
    names = _header(content)
    return "temperature_k" in names and "rate_cm3_s" in names


@rate_reader("csv", recognises=looks_like_csv, order=30)
def read_csv(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a CSV file with the columns of the contract; raises RatedbError."""
    path, names = file.path, _header(file.start)
    if file.is_large and (long := read_long_csv(path, names, options)) is not None:
        return long
    lines = text_lines(file.content, path)
    need_once(names, f"{path}:{next((at for at, text in enumerate(lines, start=1) if text.strip()), 1)}")
    try:
        with csv_table("\n".join(text for text in lines if text.strip()) + "\n", len(names)) as table:
            rows = rows_of(table, names, str(path), lines)
    except TableError as error:
        raise bad_csv(path, lines, len(names), str(error)) from error
    found = file_of_rows(rows, options.molecule, options.collider, partial(levels_if_known, options))
    return replace(found, warnings=(*open_end(lines[-1]), *found.warnings))


@rate_reader("parquet", recognises=looks_like_parquet, order=10)
def read_parquet(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a Parquet file with the columns of the contract; raises RatedbError."""
    if file.is_large and (long := read_long_parquet(file.path, options)) is not None:
        return long
    try:
        with parquet_table(file.content) as table:
            rows = rows_of(table, table.names, str(file.path))
    except TableError as error:
        raise bad_parquet(file.path, str(error)) from error
    return file_of_rows(rows, options.molecule, options.collider, partial(levels_if_known, options))


def rates_of_frame(
    frame: object, *, molecule: str | None = None, collider: str | None = None, levels: Levels | None = None
) -> MoleculeFile:
    """Return the rates of a pandas or Arrow table with the columns of the contract; raises RatedbError."""
    known: LevelsOf = lambda name: levels  # noqa: E731
    try:
        with frame_table(frame) as table:
            rows = rows_of(table, table.names, "table")
    except TableError as error:
        raise RatedbError(
            "not a table that can be read",
            where="table",
            expected="a pandas or Arrow table with the columns of the contract",
            got=f"{type(frame).__name__}: {str(error)[:_SHOWN]}",
            todo="give a pandas.DataFrame or pyarrow.Table",
        ) from error
    return admitted(file_of_rows(rows, molecule, collider, known))


def _header(content: bytes) -> list[str]:
    """Return the names in the first line of a CSV file, aliases replaced."""
    start = content[:65536].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")
    first = re.split(rb"[\r\n]", start, maxsplit=1)[0]
    try:
        names = next(csv.reader([first.decode("latin-1")], skipinitialspace=True), [])
    except csv.Error:
        return []
    return [ALIASES.get(name.strip(), name.strip()) for name in names]
