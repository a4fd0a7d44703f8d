"""Tables of rate coefficients that are too large for memory, and what is wrong with tables of any size."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import overload

from ratedb.errors import RatedbError
from ratedb.io.columns_levels import file_of_rows
from ratedb.io.columns_rows import need_once, records, rows_of
from ratedb.io.contents import MoleculeFile
from ratedb.io.level_lists import levels_if_known
from ratedb.io.listed_levels import open_end
from ratedb.io.registry import ReadOptions
from ratedb.io.text import Line
from ratedb.store.long_tables import LongTable, OddTableError, long_table
from ratedb.store.tabular import TableError

_SHOWN = 90
_END_BYTES = 100_000


@dataclass(frozen=True)
class FileLines(Sequence[str]):
    """The lines of a text file, read from it each time they are asked for."""

    path: Path

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8-sig", errors="replace") as handle:
            for text in handle:
                yield text.removesuffix("\n")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return list(self)[place]
        return next(text for at, text in enumerate(self) if at == place)

    def end(self) -> str:
        """Return what follows the last line end."""
        with self.path.open("rb") as handle:
            handle.seek(max(self.path.stat().st_size - _END_BYTES, 0))
            return handle.read().replace(b"\r", b"\n").rpartition(b"\n")[2].decode("utf-8", "replace")


def read_long_csv(path: Path, names: Sequence[str], options: ReadOptions) -> MoleculeFile | None:
    """Return the rates of a large CSV file whose columns have these names.

    None where its rows must be read one by one. Raises RatedbError.
    """
    lines = FileLines(path)
    if not next(iter(lines), "").strip():
        return None
    need_once(names, f"{path}:1")
    try:
        with long_table(path, len(names)) as table:
            found = _read_long(table, names, path, lines, options)
    except TableError as error:
        if (wrong := _bad_row(path, lines, len(names))) is not None:
            raise wrong from error
        return None
    return found and replace(found, warnings=(*open_end(lines.end()), *found.warnings))


def read_long_parquet(path: Path, options: ReadOptions) -> MoleculeFile | None:
    """Return the rates of a large Parquet file; None where its rows must be read one by one.

    Raises RatedbError.
    """
    try:
        with long_table(path) as table:
            return _read_long(table, table.names, path, (), options)
    except TableError as error:
        raise bad_parquet(path, str(error)) from error


def _read_long(
    table: LongTable, names: Sequence[str], path: Path, lines: Sequence[str], options: ReadOptions
) -> MoleculeFile | None:
    known = partial(levels_if_known, options)
    try:
        heads = rows_of(table, names, str(path))
        return file_of_rows(heads, options.molecule, options.collider, known, table)
    except (OddTableError, RatedbError) as error:
        # Heads do not know where they are in the file.
        if table.is_described:
            some = rows_of(table.some_rows(), names, str(path), lines)
            file_of_rows(some, options.molecule, options.collider, known)
        if isinstance(error, RatedbError):
            raise
        return None


def bad_parquet(path: Path, got: str) -> RatedbError:
    """Return the error for a Parquet file that cannot be read."""
    return RatedbError(
        "the Parquet file cannot be read",
        where=str(path),
        expected="a whole Parquet file with the columns of the contract",
        got=got,
        todo="write the file again, or get it again from its source",
    )


def bad_csv(path: Path, lines: Sequence[str], columns: int, got: str) -> RatedbError:
    """Return the error for a CSV file that cannot be read: its first wrong row, or else the words `got`."""
    return _bad_row(path, lines, columns) or RatedbError(
        "the table cannot be read",
        where=str(path),
        expected=f"{columns} cells, as the first line names them",
        got=got[:_SHOWN],
        todo=_TODO,
    )


_TODO = "correct the row; a decimal comma must be a point, and a comma within a cell needs quotes"


def _bad_row(path: Path, lines: Sequence[str], columns: int) -> RatedbError | None:
    """Return the error for the first row that a CSV file with so many columns cannot have, if any."""
    expected = f"{columns} cells, as the first line names them"
    at = 0
    try:
        for number, row in records(lines):
            if len(row) != columns:
                what = f"a row has {len(row)} cells"
                return Line(number, lines[number - 1], path).refuse(what, expected, _TODO)
            at = number
    except csv.Error:
        number = next(number for number, text in enumerate(lines, start=1) if number > at and text.strip())
        what = "a quote is not closed, or is inside a cell"
        return Line(number, lines[number - 1], path).refuse(what, expected, _TODO)
    return None
