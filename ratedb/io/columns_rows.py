"""The rows of a table of rate coefficients: which columns they have, and what no row may be."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.documents import load_schema
from ratedb.errors import RatedbError
from ratedb.io.text import to_number
from ratedb.kinds.reading import known_kinds
from ratedb.kinds.recognise import vocabulary
from ratedb.layers import KINDS
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.store.tabular import Objects, Tabular

ALIASES = {
    "j_initial": "j",
    "v_initial": "v",
    "initial_label": "upper_label",
    "final_label": "lower_label",
}
"""Other names under which columns of the contract are read."""

OF_LEVELS = ("upper_energy_cm1", "lower_energy_cm1", "upper_weight", "lower_weight")
"""The columns with the energies and weights of levels."""

_INTEGERS = ("v", "j", "v_final", "j_final")
_NUMBERS = ("temperature_k", "rate_cm3_s", *OF_LEVELS, *_INTEGERS)
_LARGEST_INTEGER = 999_999
_LARGEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6
_SHOWN = 90
_CORRECT = "correct the row"


def contract() -> dict[str, Any]:
    """Return the JSON Schema of a row."""
    return load_schema("rates")


def need_once(names: Sequence[str], where: str) -> None:
    """Raise RatedbError where a column of the contract is a duplicate."""
    known = [*contract()["properties"], *ALIASES]
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise RatedbError(
            "duplicate column",
            where=where,
            expected="each column once",
            got=", ".join(twice),
            todo="keep one of the two columns; " + ", ".join(f"{a} is also {n}" for a, n in ALIASES.items()),
        )


def records(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of a CSV file, the header too, with the number of the line where it starts."""
    taken: list[int] = []

    def given() -> Iterator[str]:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                taken.append(number)
                yield text + "\n"

    for row in csv.reader(given(), skipinitialspace=True, strict=True):
        yield taken[0], row
        taken.clear()


@dataclass(frozen=True, eq=False)
class TableRows:
    """Rows of a table, of shape (n,) each: numbers with NaN and texts with None where there is no value.

    `row` counts them in the table from 0. `lines` are the lines of a CSV file, and empty for other tables.
    `further` are the quantum numbers, besides v and j, that have columns for the initial and the final level.
    """

    where: str
    lines: Sequence[str]
    row: IntArray
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, Objects]
    further: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    @property
    def labelled(self) -> bool:
        """Whether all rows have the labels of their levels."""
        return not any((self.texts[name] == None).any() for name in ("upper_label", "lower_label"))  # noqa: E711

    @property
    def by_label(self) -> bool:
        """Whether labels name the levels though j is there: it is not all that tells them apart."""
        with np.errstate(invalid="ignore"):  # an infinite j is refused where levels are made
            halves = any((self.numbers[name] % 1 > 0).any() for name in ("j", "j_final"))
        return self.labelled and (bool(self.further) or halves)

    def select(self, keep: BoolArray) -> TableRows:
        """Return the rows at a mask."""
        if keep.all():
            return self
        return replace(
            self,
            row=self.row[keep],
            numbers={name: values[keep] for name, values in self.numbers.items()},
            texts={name: values[keep] for name, values in self.texts.items()},
        )

    def need(
        self, wrong: BoolArray, what: str, expected: str, column: str = "", todo: str = _CORRECT
    ) -> None:
        """Raise RatedbError for the first row that is wrong; it shows the line, or the cell of a column."""
        if wrong.any():
            at = int(np.argmax(wrong))
            cell = self.numbers.get(column, self.texts.get(column, self.row + 1))[at]
            raise self.broken(int(self.row[at]), what, expected, str(cell), todo)

    def broken(self, row: int, what: str, expected: str, cell: str, todo: str = _CORRECT) -> RatedbError:
        """Return the error for a row of the table, which shows its line in a CSV file, else a cell of it."""
        at = self._line(row)
        text = cell if at is None else self.lines[at - 1]
        got = f"`{text}`" if len(text) <= _SHOWN else f"`{text[:_SHOWN]}...`"
        return RatedbError(
            what, where=f"{self.where}{self.place(row)}", expected=expected, got=got, todo=todo
        )

    def refuse(self, what: str, expected: str, got: str, todo: str) -> RatedbError:
        """Return the error about the whole table."""
        return RatedbError(what, where=self.where, expected=expected, got=got, todo=todo)

    def place(self, row: int) -> str:
        """Return where a row is, as the end of a file's name: `:12` or ` row 12`."""
        at = self._line(row)
        return f" row {row + 1}" if at is None else f":{at}"

    def _line(self, row: int) -> int | None:
        """Return the number of the line where a row of a CSV file starts, None for other tables."""
        try:
            return next((at for place, (at, _) in enumerate(records(self.lines)) if place == row + 1), None)
        except csv.Error:  # a cell too long for Python's reader
            return None


def rows_of(table: Tabular, names: Sequence[str], where: str, lines: Sequence[str] = ()) -> TableRows:
    """Return the rows of a table whose columns have these names.

    Raises RatedbError where columns are missing or duplicates, or a row cannot be right; TableError where the
    table cannot be read.
    """
    known = [ALIASES.get(name.strip(), name.strip()) for name in names]
    need_once(known, where)
    _need_columns(set(known), where)
    more = _more_numbers(known)
    place = {name: known.index(name) for name in (*contract()["properties"], *more) if name in known}
    numeric = {name: at for name, at in place.items() if name in _NUMBERS or name in more}
    cells = table.fetch(numeric, {name: at for name, at in place.items() if name not in numeric})
    count = len(cells.numbers["temperature_k"])
    no_number, no_text = np.full(count, np.nan), np.full(count, None, dtype=object)
    numbers = dict.fromkeys(_NUMBERS, no_number) | dict(cells.numbers)
    texts = dict.fromkeys(contract()["properties"], no_text) | dict(cells.texts)
    further = [name for name in more[::2] if not np.isnan(numbers[name]).all()]
    rows = TableRows(where, lines, table.rows(count), numbers, texts, tuple(further))
    for name, unread in cells.unread.items():
        _read_rest(rows, name, unread)
    rows = _with_labels(rows)
    without_v = rows.by_label and all(np.isnan(rows.numbers[name]).all() for name in ("v", "v_final"))
    _need_possible(rows, with_v="v" in place and not without_v)
    return rows


def _with_labels(rows: TableRows) -> TableRows:
    """Return rows that label their levels by all quantum numbers, as 1_0_1, where they have no label."""
    j = [np.isnan(rows.numbers[name]).any() for name in ("j", "j_final")]
    if not rows.further or any(j) or rows.labelled:
        return rows
    names = [name for name in ("v", "j", *rows.further) if not np.isnan(rows.numbers[name]).all()]
    texts = dict(rows.texts)
    for label, end in (("upper_label", ""), ("lower_label", "_final")):
        columns = zip(*(rows.numbers[f"{name}{end}"].tolist() for name in names), strict=True)
        texts[label] = np.array(["_".join(f"{one:g}" for one in row) for row in columns], dtype=object)
    return replace(rows, texts=texts)


def _more_numbers(names: Sequence[str]) -> list[str]:
    """Return the columns of quantum numbers besides v and j, in pairs such as ka and ka_final."""
    words = vocabulary(known_kinds())
    found = [name for name in names if name.lower() in words and f"{name}_final" in names]
    return [column for name in found if name not in ("v", "j") for column in (name, f"{name}_final")]


def _need_columns(given: set[str], where: str) -> None:
    def missing(what: str, expected: str, todo: str) -> RatedbError:
        return RatedbError(what, where=where, expected=expected, got=", ".join(sorted(given)), todo=todo)

    for name in ("temperature_k", "rate_cm3_s"):
        if name not in given:
            listed = ", ".join(contract()["properties"])
            raise missing(f"the table has no column {name}", listed, f"add the column {name}")
    if not ({"j", "j_final"} <= given or {"upper_label", "lower_label"} <= given):
        expected = "columns j and j_final, or upper_label and lower_label"
        raise missing("the table does not name the levels", expected, "add them")
    if len({"v", "v_final"} & given) == 1:
        expected = "both, or none where v is 0"
        raise missing("the table has one of v and v_final", expected, "add the other column")


def _read_rest(rows: TableRows, name: str, unread: Sequence[tuple[int, str]]) -> None:
    """Put the numbers in Fortran style where they belong; refuse other words."""
    for row, text in unread:
        number = to_number(text)
        if number is None and text.lower() != "nan":
            raise rows.broken(row, f"{name} is not a number", "a number such as 1.5e-10", text)
        rows.numbers[name][row] = np.nan if number is None else number


def _need_possible(rows: TableRows, *, with_v: bool) -> None:
    """Refuse the first row with an impossible number or an unknown kind."""
    number = rows.numbers
    with np.errstate(invalid="ignore"):
        for name in _INTEGERS:
            values, expected = number[name], f"0 to {_LARGEST_INTEGER}"
            step = 2.0 if rows.labelled else 1.0  # levels with labels may have half-integers
            whole = (step * values == np.floor(step * values)) & (np.abs(values) <= _LARGEST_INTEGER)
            rows.need(~whole & ~np.isnan(values), f"{name} is not a whole number", expected, name)
            rows.need(values < 0, f"{name} is negative", expected, name)
        kelvin, rate = number["temperature_k"], number["rate_cm3_s"]
        wrong = ~(np.isfinite(kelvin) & (kelvin > 0))
        rows.need(wrong, "a temperature is not positive", "K > 0", "temperature_k")
        rows.need(rate < 0, "a rate coefficient is negative", "numbers >= 0 in cm3 s-1", "rate_cm3_s")
        expected = f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1"
        rows.need(rate > IMPOSSIBLE_CM3_S, "a rate coefficient is impossibly large", expected, "rate_cm3_s")
        kind = rows.texts["kind"]
        for unknown in sorted({*kind.tolist()} - {None, *KINDS}):
            expected = "computed, scaled, extrapolated, derived or predicted"
            rows.need(kind == unknown, "an unknown kind", expected, "kind")
        for name in OF_LEVELS[:2]:
            expected = f"cm-1, under {_LARGEST_CM1:g}"
            rows.need(np.abs(number[name]) > _LARGEST_CM1, "an energy is impossible", expected, name)
        for name in OF_LEVELS[2:]:
            expected, values = f"0 < weight < {_LARGEST_WEIGHT:g}", number[name]
            wrong = (values <= 0) | (values > _LARGEST_WEIGHT)
            rows.need(wrong, "a statistical weight is impossible", expected, name)
    if with_v:
        gap = {name: np.isnan(number[name]) for name in _INTEGERS}
        wrong = (gap["v"] & ~gap["j"]) | (gap["v_final"] & ~gap["j_final"])
        rows.need(wrong, "a row has no v", "v and v_final in every row, or in none", "v")
