"""Lists of levels as CSV: a column for each quantum number or for the label, energies and weights."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.listed_levels import LevelList, ListedLevel, levels_from, spin_weight, vj_label
from ratedb.io.text import Line, to_index, to_number
from ratedb.kinds.reading import known_kinds
from ratedb.kinds.recognise import Recognition, recognise, vocabulary
from ratedb.levels import UNKNOWN_KIND, Lines
from ratedb.safe_text import from_cell

_SPECIES = "ortho"
_NO_NUMBERS = ("label", "level", "energy_cm1", "weight")  # columns that are no quantum numbers
_NOT_IN_LABELS = ("tau", _SPECIES)  # these follow from the other numbers of a level


@dataclass(frozen=True)
class _Table:
    """The rows of a list by the names of its columns, and the columns that no row has."""

    lines: Sequence[Line]
    names: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]
    absent: tuple[str, ...] = ()


def names_levels(first_line: str) -> bool:
    """Return whether the first line of a CSV file is that of a list of levels."""
    names = _cells(first_line)
    return "energy_cm1" in names and ("j" in names or "label" in names)


def levels_from_csv(path: Path, lines: Sequence[Line], molecule: str) -> LevelList:
    """Return the levels of a CSV list; raises RatedbError where it is damaged or tells no levels apart.

    Columns that all rows lack at their end are left out, with a note.
    """
    table = _table(lines)
    found = _named_in_columns(table)
    if found is not None:  # quantum numbers besides v and j name the levels
        table = replace(table, rows=_labelled(table))
    _need_distinct(table, molecule)
    listed = [
        _level(line, row, number, molecule)
        for number, (line, row) in enumerate(zip(table.lines, table.rows, strict=True), start=1)
    ]
    levels = levels_from(molecule, path, listed, found)
    absent = ", ".join(table.absent)
    notes = (f"{path}: no row has {absent}, which the first line names",) if table.absent else ()
    return LevelList(levels, Lines.empty(), notes)


def _cells(line: str) -> list[str]:
    try:
        return [from_cell(name.strip()) for name in next(csv.reader([line], skipinitialspace=True), [])]
    except csv.Error:
        return []


def _table(lines: Sequence[Line]) -> _Table:
    kept = [line for line in lines if line.text.strip()]
    names = _cells(kept[0].text)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise kept[0].refuse(f"duplicate column {twice[0]}", "each column once")
    cells = [_cells(line.text) for line in kept[1:]]
    width = len(cells[0]) if cells else len(names)
    absent = names[width:] if all(len(row) == width for row in cells) else []
    if not all(map(number_named, absent)):  # an energy or a label cannot be left out
        absent = []
    names = names[: len(names) - len(absent)]
    for line, row in zip(kept[1:], cells, strict=True):
        if len(row) != len(names):
            raise line.refuse(f"a row has {len(row)} cells", f"{len(names)}: {', '.join(names)}")
    rows = [dict(zip(names, row, strict=True)) for row in cells]
    return _Table(kept[1:], tuple(names), rows, tuple(absent))


def number_named(column: str) -> str:
    """Return the quantum number that a column has, empty for none."""
    return vocabulary(known_kinds()).get(column.replace("_", "").lower(), "")


def _named_in_columns(table: _Table) -> Recognition | None:
    """Return the kind of levels whose numbers have columns of their own; None where v and j are all."""
    rows = table.rows
    given = [name for name in table.names if number_named(name)]
    named = [name for name in given if all(row[name] for row in rows)]
    weights, energies_cm1 = (
        [to_number(row.get(name, "")) or 0.0 for row in rows] for name in ("weight", "energy_cm1")
    )
    if not {*map(number_named, named)} - {"v", "j", _SPECIES} or min(weights, default=0.0) <= 0:
        return None
    labels = ["_".join(row[name] for name in named) for row in rows]
    found = recognise(labels, " ".join(named), weights, energies_cm1)
    return found if found.kind != UNKNOWN_KIND else replace(found, numbers={})


def _labelled(table: _Table) -> list[dict[str, str]]:
    """Return rows labelled by their quantum numbers, in place of v and j."""
    given = [name for name in table.names if number_named(name)]
    short = [name for name in given if number_named(name) not in _NOT_IN_LABELS]
    if len({tuple(row[name] for name in short) for row in table.rows}) < len(table.rows):
        short = given
    return [
        {**row, "label": row.get("label") or "_".join(row[name] for name in short), "v": "", "j": ""}
        for row in table.rows
    ]


def _need_distinct(table: _Table, molecule: str) -> None:
    """Refuse levels that have the same names because columns are absent or were never there."""
    shown = [name for name in table.names if number_named(name)]
    unknown = [name for name in table.names if name not in (*_NO_NUMBERS, *shown)]
    further = table.absent or unknown or {*map(number_named, shown)} - {"v", "j"}
    if "label" in table.names or not further:
        return  # duplicate labels, and duplicate v and j, have their own message
    first: dict[tuple[str, ...], int] = {}
    for place, (line, row) in enumerate(zip(table.lines, table.rows, strict=True)):
        key = (row.get("label", ""), *(row[name] for name in shown))
        if key in first:
            numbers = ", ".join(f"{name} = {row[name] or 'nothing'}" for name in shown)
            same = f"the label {row['label']}" if row.get("label") else numbers
            absent = ", ".join(table.absent) or "quantum numbers"
            no_number = f"; no quantum number is called {', '.join(unknown)}" if unknown else ""
            raise RatedbError(
                f"the list does not tell the levels of {molecule} apart",
                where=f"{line.path}:{line.number}",
                expected=f"{absent} in each row, or a column `label`",
                got=f"levels {first[key] + 1} and {place + 1} both have {same}{no_number}",
                todo="add what is missing, by the names of docs/kinds.md; with unique labels alone, rates can"
                " be stored and exported",
            )
        first[key] = place


def _level(line: Line, row: Mapping[str, str], number: int, molecule: str) -> ListedLevel:
    energy = to_number(row["energy_cm1"])
    j, v = to_index(row.get("j", "")), to_index(row.get("v", "0"))
    weight = to_number(row["weight"]) if "weight" in row else None
    if j is not None and "weight" not in row:
        weight = spin_weight(molecule, j)
    wrong = (row.get("j") and j is None) or (row.get("v") and v is None)
    named = bool(row.get("label")) or (j is not None and v is not None)
    if energy is None or weight is None or wrong or not named:
        expected = "label or j (and v), energy_cm1, and weight where there is no j"
        raise line.refuse("a level cannot be read", expected)
    vj = None if j is None or v is None else (v, j)
    label = row.get("label") or vj_label(v or 0, j or 0, with_v="v" in row)
    listed = row.get("level", "")  # rates refer to this number where the list has it
    given = to_index(listed) if listed else number
    if given is None:
        raise line.refuse("the number of a level cannot be read", f"{number} in the column level")
    return ListedLevel(line, given, energy, weight, label, vj)
