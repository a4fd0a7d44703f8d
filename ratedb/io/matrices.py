"""Square matrices of rate coefficients, one for each temperature, below their own list of levels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.contents import MoleculeFile
from ratedb.io.listed_levels import ListedLevel, levels_from, spin_weight, vj_label
from ratedb.io.rate_rows import partner_of_rates
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, numbered_lines, to_number, to_numbers
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.rates import Rates

# Three headers of published files, each with the columns of its rows.
_NUMBER_V_J = re.compile(r"\s*lev\w*\s+no\.?\s+v\s+J\s+Energy\s*\(K\)", re.IGNORECASE)
_J = re.compile(r"\s*J\s+E\s*\(K\)\s*$", re.IGNORECASE)
_COUNT = re.compile(r"\s*([0-9]{1,3})\s*$")
_TEMPERATURE = re.compile(r"(?:.*temperature[^=]*=)?\s*(\d+\.?\d*)\s*(?:deg\w*\s*k\w*)?\s*$", re.IGNORECASE)
_PAIR = re.compile(r"\(\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*\)")
_LABELLED = re.compile(rf"\s*(?:{_PAIR.pattern}|jf\s*/\s*ji\b)")
_TITLE_LINES = 3


@dataclass(frozen=True)
class _Head:
    """The levels of a file and where the matrices begin; each row has `lead` numbers before its rates."""

    levels: Levels
    after: int
    lead: int


@dataclass(frozen=True)
class _Block:
    """One matrix: the line of its temperature, the temperature, and its rows with their lines."""

    line: Line
    temperature_k: float
    rows: list[list[float]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def looks_like_matrices(content: bytes) -> bool:
    """Return whether a file lists levels with energies in K and then square matrices of rates."""
    lines = content[:8192].decode("latin-1").splitlines()[:40]
    text = "\n".join(lines)
    if any(_NUMBER_V_J.match(line) or _J.match(line) for line in lines):
        return True
    return re.search(r"^[ \t]*\(\s*0,\s*0\)\s+\(\s*\d+,\s*\d+\)", text, re.MULTILINE) is not None


@rate_reader("matrix", recognises=looks_like_matrices, order=50, own_levels=True)
def read_matrices(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a file of matrices, whose columns are initial and whose rows are final levels.

    Energies are in K in these files. Elastic rates are left out; of both directions, de-excitation is kept.
    Raises RatedbError, with file and line, where the content is ambiguous or damaged.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    lines = numbered_lines(file.content, path)
    head = _head(path, lines, molecule)
    blocks = list(_blocks(path, lines[head.after :], head))
    if not blocks or len(head.levels) < 2:
        raise RatedbError(
            "the file has no matrices",
            where=str(path),
            expected="a temperature and its matrix",
            todo="check that this is the right file, or get it again from its source",
        )
    for before, block in pairwise(blocks):
        if block.temperature_k <= before.temperature_k:
            expected = f"more than {before.temperature_k:g} K"
            raise block.line.refuse("the temperatures do not increase", expected)
    for block in blocks:
        _need_possible(path, block, head.levels)
    values = np.array([block.rows for block in blocks])  # temperature, final, initial
    final, initial = np.nonzero(~np.eye(len(head.levels), dtype=np.bool_))
    notes = ["elastic rates are left out"]
    temperature_k = np.array([block.temperature_k for block in blocks])
    curves = values[:, final, initial].T
    rates = Rates(head.levels, collider, initial, final, temperature_k, curves)
    partner = partner_of_rates(rates, _title(lines), notes)
    return MoleculeFile(head.levels, Lines.empty(), (partner,), tuple(notes))


def _need_possible(path: Path, block: _Block, levels: Levels) -> None:
    """Refuse rates that are negative or impossibly large; elastic ones are not looked at."""
    values = np.array(block.rows)
    wrong = ((values < 0) | (values > IMPOSSIBLE_CM3_S)) & ~np.eye(len(levels), dtype=np.bool_)
    if wrong.any():
        final, initial = (int(place) for place in np.argwhere(wrong)[0])
        value = values[final, initial]
        what = "negative" if value < 0 else "impossibly large"
        raise RatedbError(
            f"a rate coefficient is {what}",
            where=f"{path}:{block.lines[final].number}",
            expected=f"numbers of 0 to {IMPOSSIBLE_CM3_S:g} cm3 s-1",
            got=f"{value:g} for {levels.label[initial]} -> {levels.label[final]}"
            f" at {block.temperature_k:g} K; {int(wrong.sum())} such values at this temperature",
            todo="ask the source of the table for correct rates",
        )


def _title(lines: Sequence[Line]) -> str:
    named = [" ".join(line.text.split()) for line in lines[:_TITLE_LINES]]
    return "; ".join(text for text in named if re.search(r"[A-Za-z]{4}", text) and "Energy" not in text)


def _head(path: Path, lines: Sequence[Line], molecule: str) -> _Head:
    """Read the levels: number, v, J, E (K); J, E; or a count and rows of ten, J the 6th, E the last."""
    for place, line in enumerate(lines[:40]):
        if _NUMBER_V_J.match(line.text):
            return _listed(path, lines, place + 1, molecule, (1, 2, 3, 4), 0)
        if _J.match(line.text):
            return _listed(path, lines, place + 1, molecule, (None, 0, 1, 2), 1)
    for place, line in enumerate(lines[:5]):
        count = _COUNT.match(line.text)
        below = next((line.text.split() for line in lines[place + 1 :] if line.text.strip()), [])
        if count is not None and len(below) == 10:
            return _listed(path, lines, place + 1, molecule, (None, 5, 9, 10), 0, int(count[1]))
    raise RatedbError(
        "this is not a file of matrices that ratedb reads",
        where=str(path),
        expected="a list of levels with energies in K, then a matrix for each temperature",
        got=repr(lines[0].text[:60]),
        todo="see docs/formats.md for the three forms that are read",
    )


def _listed(
    path: Path,
    lines: Sequence[Line],
    start: int,
    molecule: str,
    columns: tuple[int | None, int, int, int],
    lead: int,
    count: int | None = None,
) -> _Head:
    """Read level rows; `columns` are the places of v, J and E, and how many numbers a row has."""
    v_at, j_at, e_at, width = columns
    found: list[tuple[Line, int, int, float]] = []
    place = start
    while place < len(lines) and (count is None or len(found) < count):
        values = to_numbers(lines[place].text.split())
        if values == []:  # a blank line
            place += 1
            continue
        if values is None or len(values) != width:
            break
        v, j = 0.0 if v_at is None else values[v_at], values[j_at]
        numbered = v_at is None or values[0] == len(found) + 1
        if not (v.is_integer() and j.is_integer() and numbered):
            expected = "levels numbered one after the other, whole v and J, and an energy in K"
            raise lines[place].refuse("a level cannot be read", expected)
        found.append((lines[place], int(v), int(j), values[e_at]))
        place += 1
    if count is not None and len(found) != count:
        expected = f"{count} levels as declared; {len(found)} were found before this line"
        raise lines[min(place, len(lines) - 1)].refuse("a level cannot be read", expected)
    with_v = any(v for _, v, _, _ in found)
    listed = [
        ListedLevel(
            line,
            number,
            energy_k / HC_OVER_KB_CM_K,
            spin_weight(molecule, j),
            vj_label(v, j, with_v=with_v),
            (v, j),
        )
        for number, (line, v, j, energy_k) in enumerate(found, start=1)
    ]
    return _Head(levels_from(molecule, path, listed), place, lead)


def _need_labels(line: Line, levels: Levels) -> None:
    """Refuse labels above the columns of a matrix that are not the levels in their order."""
    v, j = levels.need_vj()
    pairs = [(int(pair[0]), int(pair[1])) for pair in _PAIR.findall(line.text)]
    numbers = to_numbers(line.text.split("ji", maxsplit=1)[-1].split())
    states = list(zip(v.tolist(), j.tolist(), strict=True))
    if (pairs and pairs != states) or (not pairs and numbers != j.tolist()):
        raise line.refuse("the columns of a matrix are not the levels in their order", "every level")


def _blocks(path: Path, lines: Sequence[Line], head: _Head) -> Iterator[_Block]:
    """Yield each matrix, with as many rows as there are levels."""
    size, lead = len(head.levels), head.lead
    j = head.levels.need_vj()[1]
    block: _Block | None = None
    for line in lines:
        words = line.text.split()
        if not words:
            continue
        if _LABELLED.match(line.text):
            _need_labels(line, head.levels)
            continue
        if block is None:
            match = _TEMPERATURE.fullmatch(line.text.strip())
            value = None if match is None else to_number(match[1])
            if value is None or value <= 0:
                if to_number(words[0]) is None:
                    continue  # words between the matrices
                raise line.refuse("a temperature was expected", "a temperature in K on its own line")
            block = _Block(line, value)
            continue
        values = to_numbers(words)
        if values is None or len(values) != size + lead:
            found = f"{len(block.rows)} rows were found before this line"
            expected = f"{size} rates at {block.temperature_k:g} K; {found}"
            raise line.refuse("a row of a matrix cannot be read", expected)
        if lead and values[0] != j[len(block.rows)]:
            raise line.refuse("a row of a matrix is not where it belongs", f"final j = {j[len(block.rows)]}")
        block.rows.append(values[lead:])
        block.lines.append(line)
        if len(block.rows) == size:
            yield block
            block = None
    if block is not None:
        raise RatedbError(
            "the file ends within a matrix",
            where=f"{path}:{lines[-1].number}",
            expected=f"{size} rows at {block.temperature_k:g} K",
            got=str(len(block.rows)),
            todo="get the file again from its source, or complete the matrix",
        )
