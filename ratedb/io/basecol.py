"""BASECOL tables of rate coefficients by level number (`.kij`), for one or for two molecules that change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.contents import MoleculeFile
from ratedb.io.level_lists import needed_levels
from ratedb.io.listed_levels import LevelList, open_end
from ratedb.io.pair_levels import collider_levels, pairs_in
from ratedb.io.rate_rows import Rows, file_of_rows, increasing_temperatures, rate_row
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, numbered_lines, to_index
from ratedb.io.vj_tables import level_numbers, states_of
from ratedb.levels import Levels, Lines

_COLUMNS = re.compile(r"\btemperature columns?\s*=\s*(\d{1,6})\b", re.IGNORECASE)
_BY_VJ = re.compile(r"\bv_?u\w*[\s,]+j_?u\w*[\s,]+v_?[dl]\w*[\s,]+j_?[dl]\w*", re.IGNORECASE)
_TITLE = re.compile(r"(?:\bT\s*=\s*)?(?<![\w.])(\d+(?:\.\d*)?)\s?K\b")
_TITLES = re.compile(rf"(?:[A-Za-z]\S*\s+){{2,5}}(?:{_TITLE.pattern}\s*)+")
_TWO_BODIES = re.compile(r"\bIS_\S+[ \t]+FS_\S+[ \t]+IS_\S+[ \t]+FS_\S+")
_HEAD = 60
_OWN_TITLE = "Rate coefficients (cm^3 s^-1) of {} with {}, written by ratedb"
_IS_OWN_TITLE = re.compile(r"Rate coefficients \(cm\^3 s\^-1\) of \S+ with \S+, written by ratedb")


def looks_like_basecol(content: bytes) -> bool:
    """Return whether a file is a table of rates by level number, as BASECOL and molpop give them."""
    head = content[:8192].decode("latin-1")
    titles = any(_TITLES.fullmatch(line.strip()) for line in head.splitlines()[:_HEAD])
    return titles or _COLUMNS.search(head) is not None or _TWO_BODIES.search(head) is not None


def own_title(molecule: str, collider: str) -> str:
    """Return the first line of a table that ratedb writes; when read again it is no part of a reference."""
    return _OWN_TITLE.format(molecule, collider)


@rate_reader("basecol", recognises=looks_like_basecol, order=40)
def read_basecol(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a `.kij` file; its level numbers count the rows of the list of levels.

    Where both molecules change their state, the levels of the result are pairs of one level of each: labelled
    `1_1_1_2` for 1_1_1 with 2, with the sum of the energies and the product of the weights. Raises
    RatedbError, with file and line, where the content is ambiguous or damaged.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    levels = needed_levels(options, path, molecule)
    lines = numbered_lines(file.content, path)
    head = "\n".join(line.text for line in lines[:_HEAD])
    if _TWO_BODIES.search(head) is None:
        return _read_one(path, lines, collider, levels)
    return _read_two(path, lines, collider, levels, collider_levels(options, path, collider))


def _read_one(path: Path, lines: Sequence[Line], collider: str, levels: LevelList) -> MoleculeFile:
    table = _table(lines)
    temperature_k, columns = table.temperature_k, len(table.temperature_k)
    width = 4 if table.by_vj else 2
    states = states_of(path, levels.levels) if table.by_vj else None
    skipped = _numbering(table.rows, width + columns)
    rows = Rows(len(levels.levels))
    for line in table.rows:
        words = line.text.split()[skipped:]
        names = "v, J, v', J'" if states else "2 level numbers"
        numbers, values = rate_row(line, words, width, columns, names)
        initial, final = (
            numbers[:2] if states is None else level_numbers(line, numbers, states, levels.levels)
        )
        rows.add(line, initial, final, values)
    whole = replace(levels, notes=(*levels.notes, *open_end(lines[-1].text)))
    return file_of_rows(path, whole, collider, temperature_k, rows, _title(table.head))


@dataclass(frozen=True)
class _Table:
    """The temperatures (K) of a table, its rows, the lines above it, and whether rows name v and j."""

    temperature_k: list[float]
    rows: list[Line]
    head: Sequence[Line]
    by_vj: bool


def _table(lines: Sequence[Line]) -> _Table:
    """Part a table; its temperatures stand on a line of their own, or as titles such as `10K`."""
    for place, line in enumerate(lines):
        if match := _COLUMNS.search(line.text):
            body = [line for line in lines[place + 1 :] if line.text.strip()]
            names = list(takewhile(lambda line: line.text.lstrip()[0].isalpha(), body))
            body = body[len(names) :]
            first = body[0] if body else lines[-1]
            temperature_k = increasing_temperatures(first, first.text.split(), int(match[1]))
            by_vj = any(_BY_VJ.search(name.text) for name in names)
            return _Table(temperature_k, body[1:], lines[:place], by_vj)
        if _TITLES.fullmatch(line.text.strip()):
            temperature_k = increasing_temperatures(line, _TITLE.findall(line.text))
            body = [line for line in lines[place + 1 :] if line.text.strip(" -=_|+")]
            return _Table(temperature_k, body, lines[:place], _BY_VJ.search(line.text) is not None)
    expected = "`Number of temperature columns = N` and N temperatures below it, or titles such as 10K 20K"
    raise lines[0].refuse("the table does not name its temperatures", expected)


def _numbering(rows: Sequence[Line], width: int) -> int:
    """Return 1 where each row has one word more than `width` and the first counts 1..n, else 0."""
    words = [line.text.split() for line in rows]
    more = words and all(len(row) == width + 1 for row in words)
    return int(bool(more) and all(to_index(row[0]) == n for n, row in enumerate(words, start=1)))


def _read_two(
    path: Path, lines: Sequence[Line], collider: str, levels: LevelList, others: Levels
) -> MoleculeFile:
    at = next(place for place, line in enumerate(lines) if _TWO_BODIES.search(line.text))
    declared = [_declared(path, lines[:at], name) for name in ("temperatures", "transitions")]
    words = lines[at].text.split("IS_", maxsplit=1)[1].split()[4:]
    temperature_k = increasing_temperatures(lines[at], words, declared[0])
    listed = []
    for line in lines[at + 1 :]:
        if line.text.strip():
            numbers, values = rate_row(line, line.text.split(), 4, declared[0], "4 level numbers")
            _need_numbers(line, numbers[:2], levels.levels)
            _need_numbers(line, numbers[2:], others)
            listed.append((line, numbers, values))
    if len(listed) != declared[1]:
        raise RatedbError(
            "the file does not have as many rows as it declares",
            where=f"{path}:{lines[-1].number}",
            expected=f"{declared[1]} transitions",
            got=str(len(listed)),
            todo="get the file again from its source, or correct the declared number",
        )
    pairs = pairs_in((numbers for _, numbers, _ in listed), levels.levels, others)
    rows = Rows(len(pairs.levels))
    for line, numbers, values in listed:
        rows.add(line, *pairs.ends(numbers), values)
    whole = LevelList(pairs.levels, Lines.empty(), levels.notes)
    return file_of_rows(path, whole, collider, temperature_k, rows, _title(lines[:3]))


def _need_numbers(line: Line, numbers: Sequence[int], levels: Levels) -> None:
    if min(numbers) < 1 or max(numbers) > len(levels):
        raise line.refuse(
            f"a rate refers to a level of {levels.molecule} that is not in its list",
            f"levels 1..{len(levels)}",
            "check that the list of levels is the one of this table",
        )


def _declared(path: Path, lines: Sequence[Line], name: str) -> int:
    """Return the count on the line below `number of NAME :`."""
    for line, below in pairwise(line for line in lines if line.text.strip()):
        if re.match(rf"\s*number of {name}\s*:", line.text, re.IGNORECASE):
            count = to_index(below.text.strip())
            if count is None:
                raise below.refuse(f"the number of {name} is not a count", "a whole number")
            return count
    raise RatedbError(
        f"the file does not say its number of {name}",
        where=str(path),
        expected=f"`number of {name} :` and the number below it",
        todo="get the file again from its source",
    )


def _title(lines: Sequence[Line]) -> str:
    """Return what the head of a file says, as the reference that its rates carry."""
    words = (" ".join(line.text.split()) for line in lines)
    said = (text for text in words if text and text != ">" and not _IS_OWN_TITLE.fullmatch(text))
    return "; ".join(text.removeprefix("References :").strip() for text in said)
