"""Tables of rate coefficients whose rows start with v, J, v', J', as those of H2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.contents import MoleculeFile
from ratedb.io.level_lists import levels_by_numbers
from ratedb.io.listed_levels import open_end
from ratedb.io.rate_rows import Rows, file_of_rows, increasing_temperatures, rate_row
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, numbered_lines, to_index, to_numbers
from ratedb.levels import Levels

_FEWEST_TEMPERATURES = 2
_LOOKED_AT = 60  # lines
_READ = 1 << 20  # bytes
_MAGIC = "magic number"  # in the first line of some files, which is no temperature


@dataclass(frozen=True)
class _Body:
    temperatures: Line
    rows: list[Line]
    title: str


def looks_like_vj_table(content: bytes) -> bool:
    """Return whether a file has a row of temperatures and then rows of v, J, v', J' and as many rates."""
    head = content[:_READ].decode("latin-1").splitlines()[:_LOOKED_AT]
    if len(content) > _READ and len(head) > 1:
        head = head[:-1]  # it may end within a number
    numeric = [words for words in (_words(text) for text in head if _MAGIC not in text) if to_numbers(words)]
    if len(numeric) < 2:
        return False
    first, second = numeric[0], numeric[1]
    indices = [to_index(word) for word in second[:4]]
    return len(second) == len(first) + 4 and None not in indices and len(first) >= _FEWEST_TEMPERATURES


@rate_reader("vj", recognises=looks_like_vj_table, order=60)
def read_vj_table(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a table of v, J, v', J' and one number for each temperature (K, cm3 s-1).

    Raises RatedbError, with file and line, where a row cannot be read or its level is not listed.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    levels = levels_by_numbers(options, path, molecule)
    lines = numbered_lines(file.content, path)
    body = _body(lines)
    temperature_k = increasing_temperatures(body.temperatures, _words(body.temperatures.text))
    states = states_of(path, levels.levels)
    rows = Rows(len(levels.levels))
    for line in body.rows:
        found, values = rate_row(line, _words(line.text), 4, len(temperature_k), "v, J, v', J'")
        rows.add(line, *level_numbers(line, found, states, levels.levels), values)
    whole = replace(levels, notes=(*levels.notes, *open_end(lines[-1].text)))
    return file_of_rows(path, whole, collider, temperature_k, rows, body.title)


def states_of(path: Path, levels: Levels) -> dict[tuple[int, int], int]:
    """Return the number from 1 of each level by its v and j; raises RatedbError where levels have none."""
    if not levels.has_vj:
        raise RatedbError(
            f"the levels of {levels.molecule} are not labelled by v and j",
            where=str(path),
            expected="v and j, which the rows of this table name",
            got=", ".join(levels.label[:4]),
            todo="name a list of levels with v and j with --levels",
        )
    v, j = levels.need_vj()
    return {pair: place + 1 for place, pair in enumerate(zip(v.tolist(), j.tolist(), strict=True))}


def level_numbers(
    line: Line, vj: Sequence[int], states: Mapping[tuple[int, int], int], levels: Levels
) -> tuple[int, int]:
    """Return the numbers of the levels v, J and v', J'; raises RatedbError where one is not listed."""
    for state in (vj[0], vj[1]), (vj[2], vj[3]):
        if state not in states:
            raise line.refuse(
                "a rate refers to a level that is not in the list of levels",
                f"v, J among those of {levels.molecule}, not {state[0]}, {state[1]}",
                "name a complete list with --levels",
            )
    return states[vj[0], vj[1]], states[vj[2], vj[3]]


def _body(lines: Sequence[Line]) -> _Body:
    """Part the rows of numbers from comments; a magic number above them is a comment too."""
    titles: list[str] = []
    numeric: list[Line] = []
    for line in lines:
        if line.text.strip().startswith(("#", "*")) or (_MAGIC in line.text and not numeric):
            titles.append(line.text.strip().strip("#*> \t"))
        elif _words(line.text):
            numeric.append(line)
    named = [" ".join(re.sub(r"^refer\s+", "", text).split()) for text in titles if text.startswith("refer")]
    return _Body(numeric[0] if numeric else replace(lines[0], text=""), numeric[1:], "; ".join(named))


def _words(text: str) -> list[str]:
    """Return the words of a line before a comment."""
    return re.split(r"#|//", text, maxsplit=1)[0].split()
