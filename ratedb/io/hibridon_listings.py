"""Read the listings of HIBRIDON, whose matrices are printed a few columns at a time: .xsc and .xxsc files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.io.hibridon_levels import ListedLevel, find_levels, level_table, other_tables
from ratedb.io.hibridon_matrix import Calculation, Found, Matrix
from ratedb.io.text import Line, to_index, to_number, to_numbers
from ratedb.levels import Levels

_SETTINGS = re.compile(
    r"RMU= *(\S+) +E= *(\S+) +(?:JLPAR= *(\S+) +)?JTOT-1= *(\S+) +JTOT-2= *(\S+) +JTOT-D= *(\S+)"
)
_EXPECTED_SETTINGS = "RMU= ... E= ... JTOT-1= ... JTOT-2= ... JTOT-D= ..."
_METHOD = re.compile(r"\b(CC|CS) (?:CALCULATION|INTEGRAL CROSS SECTIONS)")
_HEADINGS = re.compile(r"COLUMN HEADINGS ARE (\w+) STATES, ROW HEADINGS ARE (\w+) STATES")
_LARGEST = 999_999
_BAD_ROW = "a row of cross sections cannot be read"


def _settings(lines: list[Line]) -> tuple[Calculation, bool]:
    """Return how the cross sections of a listing were computed, and whether its rows are final levels."""
    at, match = _first(lines, _SETTINGS, _EXPECTED_SETTINGS)
    numbers = to_numbers([match[k] for k in (1, 2, 4, 5, 6)])
    if numbers is None or numbers[0] <= 0 or not 1 <= numbers[4] <= _LARGEST or numbers[4] != int(numbers[4]):
        raise at.refuse("the settings cannot be read", _EXPECTED_SETTINGS)
    mass, total, first, _, step = numbers
    _, method = _first(lines, _METHOD, "CC or CS")
    rows_line, headings = _first(lines, _HEADINGS, "headings")
    # older versions of HIBRIDON misspell INITIAL
    column, row = ("INITIAL" if word == "INTIAL" else word for word in headings.groups())
    if {column, row} != {"INITIAL", "FINAL"}:
        raise rows_line.refuse("the headings of the matrix are not known", "INITIAL and FINAL STATES")
    return Calculation(at, mass, total, method[1], first, int(step)), row == "FINAL"


def _first(lines: list[Line], pattern: re.Pattern[str], expected: str) -> tuple[Line, re.Match[str]]:
    for line in lines:
        match = pattern.search(line.text)
        if match is not None:
            return line, match
    raise lines[-1].refuse("the file does not say how its cross sections were computed", expected)


def _found(
    settings: tuple[Calculation, bool],
    levels: Levels,
    rows: list[int],
    columns: list[int],
    matrix: Matrix,
    others: Sequence[Levels] = (),
) -> Found:
    made, final_rows = settings
    values = matrix.whole()
    if final_rows:
        return Found(made, levels, rows, columns, values, tuple(others))
    return Found(made, levels, columns, rows, np.ascontiguousarray(values.T), tuple(others))


def read_xxsc(lines: list[Line], molecule: str) -> Found:
    """Read a listing with numbered levels; where JTOT is half-integer, a j printed as 1.0 is 1.5."""
    settings = _settings(lines)
    rows = iter(lines)
    _skip_to(rows, "LEVEL LIST FOR INTEGRAL CROSS SECTIONS")
    next(rows, None)
    levels, others = _listed_levels(rows, lines[-1], molecule, settings[0].jtot_first % 1 != 0)
    count = len(levels)
    titles = {str(k + 1): k for k in range(count)}
    matrix = Matrix(settings[0].at, count, count)
    _skip_to(rows, "COLUMN HEADINGS ARE")
    for line in rows:
        words = line.text.split()
        if words and all(to_index(word) is not None for word in words):
            matrix.columns(line, [titles.get(word, -1) for word in words])
        elif words and words[0] in titles:
            matrix.row(line, titles[words[0]], words[1:])
        elif words:
            raise line.refuse(_BAD_ROW, "the number of a level, then numbers")
    return _found(settings, levels, list(range(count)), list(range(count)), matrix, others)


def _skip_to(rows: Iterator[Line], words: str) -> None:
    for line in rows:
        if words in line.text:
            return


def _listed_levels(rows: Iterator[Line], at: Line, molecule: str, half: bool) -> tuple[Levels, list[Levels]]:
    listed: list[ListedLevel] = []
    energy: list[float] = []
    for line in rows:
        words = line.text.split()
        if not words:
            break
        at = line
        values = to_numbers(words)
        whole = values is not None and len(values) == 4 and values[2] == int(values[2])
        if values is None or not whole or values[0] != len(listed) + 1 or abs(values[2]) > _LARGEST:
            raise line.refuse("a level cannot be read", "its number, j, index and energy in cm-1")
        listed.append(ListedLevel(_code(line, words[1], half), int(values[2]), half))
        energy.append(values[3])
    if not listed:
        raise at.refuse("the list of levels is missing", "LEVEL LIST FOR INTEGRAL CROSS SECTIONS")
    energy_cm1 = np.array(energy)
    return level_table(at, molecule, listed, energy_cm1), other_tables(at, molecule, listed, energy_cm1)


def _code(line: Line, word: str, half: bool) -> int:
    value = to_number(word)
    allowed = (0.0, 0.5) if half else (0.0,)
    if value is None or not 0 <= value <= _LARGEST or value % 1 not in allowed:
        raise line.refuse("j cannot be read", "a number >= 0, half-integer only where JTOT is")
    return int(value)


def read_xsc(lines: list[Line], levels: Levels | None) -> Found:
    """Read a listing whose columns and rows are named by j and index, without level energies."""
    settings = _settings(lines)
    blocks = list(_blocks(lines))
    rows = [name for name, _, _ in blocks[0].rows] if blocks else []
    columns = [name for block in blocks for name in block.columns]
    if not rows or not columns:
        raise lines[-1].refuse("the matrix of cross sections is missing", "J= ... and I= ... above columns")
    if levels is None:
        raise settings[0].at.refuse(
            "an .xsc file of HIBRIDON does not give the energies of its levels",
            "the levels and their energies",
            "read the .ics file of the same run, or give its levels",
        )
    place = find_levels(blocks[0].at, levels, [*rows, *columns])
    matrix = Matrix(blocks[0].at, len(rows), len(columns))
    order = {name: k for k, name in enumerate(rows)}
    begin = 0
    for block in blocks:
        matrix.columns(block.at, list(range(begin, begin + len(block.columns))))
        begin += len(block.columns)
        for name, words, line in block.rows:
            if name not in order:
                raise line.refuse("a row belongs to no level", "the rows of the first columns again")
            matrix.row(line, order[name], words)
    for names in (rows, columns):
        if len(set(names)) < len(names):
            raise blocks[0].at.refuse("duplicate level", "each pair of j and index once")
    return _found(settings, levels, [place[name] for name in rows], [place[name] for name in columns], matrix)


@dataclass(frozen=True, eq=False)
class _Block:
    """Some columns of an .xsc matrix, named by (j, index) as printed, and the rows below them."""

    at: Line
    columns: list[tuple[str, str]]
    rows: list[tuple[tuple[str, str], list[str], Line]]


def _blocks(lines: list[Line]) -> Iterator[_Block]:
    heading: tuple[Line, list[str]] | None = None
    block: _Block | None = None
    rows = iter(lines)
    _skip_to(rows, "COLUMN HEADINGS ARE")
    for line in rows:
        words = line.text.split()
        if not words:
            continue
        if words[0] == "J=":
            if block is not None:
                yield block
            heading, block = (line, words[1:]), None
        elif heading is not None and words[:4] == ["J", "I", "|", "I="]:
            if len(words[4:]) != len(heading[1]) or len(words) == 4:
                what = "the columns do not have one index for each j"
                raise line.refuse(what, f"{len(heading[1])} indices")
            block = _Block(line, list(zip(heading[1], words[4:], strict=True)), [])
        elif block is not None:
            if len(words) < 3:
                raise line.refuse(_BAD_ROW, "j, index and numbers")
            block.rows.append(((words[0], words[1]), words[2:], line))
        else:
            raise line.refuse("the headings of columns are missing", "J= ... and below it J    I | I= ...")
    if block is not None:
        yield block
