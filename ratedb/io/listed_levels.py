"""A list of levels, and what every reader of one does with its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.io.text import Line, to_index
from ratedb.kinds.recognise import Recognition, as_found
from ratedb.levels import Levels, Lines, vj

LARGEST_NUMBER = 999_999
"""The largest v and j that a list may have."""

LONGEST_HEAD = 40
"""So many lines may precede the first level."""

ENERGY_UNIT = re.compile(r"cm\s*(?:\^|\*\*)?\s*\{?\s*-\s*1\}?|\bK\b|\(K\)", re.IGNORECASE)
"""How lists name the unit of their energies."""

_HIGHEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6


@dataclass(frozen=True)
class ListedLevel:
    """A level as a list gives it: its number from 1, energy, weight, label, and v and j where known."""

    line: Line
    number: int
    energy_cm1: float
    weight: float
    label: str
    vj: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class LevelList:
    """The levels of a molecule in the order of their numbers 1..n, and its lines where the file has them."""

    levels: Levels
    lines: Lines
    notes: tuple[str, ...] = ()


def levels_from(
    molecule: str,
    path: Path,
    listed: Sequence[ListedLevel],
    found: Recognition | None = None,
) -> Levels:
    """Return a table of levels that a file lists; raises RatedbError for what no level can be.

    `found` is their kind with its quantum numbers, in place of the v and j of the levels.
    """
    if not listed:
        raise RatedbError(
            "the file lists no levels",
            where=str(path),
            expected="rows of number, weight and energy, as in the level lists of BASECOL or molpop,"
            " or v, J and energy",
            todo="name another file with --levels",
        )
    for place, level in enumerate(listed, start=1):
        if level.number != place:
            raise level.line.refuse("levels are not numbered one after the other", f"level {place}")
        possible = abs(level.energy_cm1) <= _HIGHEST_CM1 and 0 < level.weight <= _LARGEST_WEIGHT
        if not possible or not all(0 <= number <= LARGEST_NUMBER for number in level.vj or ()):
            raise level.line.refuse(
                "a level is impossible",
                f"an energy under {_HIGHEST_CM1:g} cm-1, a weight > 0, and v and j >= 0",
            )
    labels: dict[str, ListedLevel] = {}
    for level in listed:
        if level.label in labels:
            raise level.line.refuse(
                f"duplicate level {level.label}",
                f"each level once; the first is in line {labels[level.label].line.number}",
            )
        labels[level.label] = level
    pairs = [level.vj for level in listed if level.vj is not None]
    known = len(pairs) == len(listed)
    levels = Levels(
        molecule,
        tuple(labels),
        np.array([level.energy_cm1 for level in listed]),
        np.array([level.weight for level in listed]),
        vj(*np.array(pairs).T) if known else {},
    )
    if found is None:
        return levels
    return as_found(levels, found) if found.numbers else replace(levels, kind_reason=found.reason)


def open_end(last_line: str) -> list[str]:
    """Return the note that the last line of a file, which declares no number of rows, has no line end."""
    return (
        ["the last line has no line end: compare the number of rows with the source"]
        if last_line.strip()
        else []
    )


def spin_weight(molecule: str, j: int) -> float:
    """Return the statistical weight of a rotational level: 2j+1, three times that for odd j of H2."""
    return (2.0 * j + 1.0) * (3.0 if j % 2 and molecule in ("H2", "o-H2") else 1.0)


def vj_label(v: int, j: int, *, with_v: bool) -> str:
    """Return the label of a level of a linear molecule: `5`, or `1_5` where v is named."""
    return f"{v}_{j}" if with_v else str(j)


def need_declared(declared: Line | None, text: str, found: int) -> None:
    """Raise RatedbError where a list has fewer or more levels than the text of a line declares."""
    if declared is not None and to_index(text) != found:
        raise declared.refuse(
            "the list does not have as many levels as it declares",
            f"{found}, as were found",
            "get the file again from its source, or correct the declared number",
        )
