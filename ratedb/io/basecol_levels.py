"""Lists of levels of BASECOL: counts, then a header with the names of the quantum numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.listed_levels import (
    ENERGY_UNIT,
    LONGEST_HEAD,
    ListedLevel,
    levels_from,
    need_declared,
    spin_weight,
)
from ratedb.io.text import Line, to_numbers
from ratedb.kinds.recognise import Recognition, recognise
from ratedb.levels import Levels


def levels_from_basecol(path: Path, lines: Sequence[Line], molecule: str) -> Levels:
    """Return the levels of a molecule that a list of BASECOL gives; raises RatedbError."""
    text = " ".join(line.text for line in lines[:LONGEST_HEAD])
    unit = ENERGY_UNIT.search(text.partition("Energy unit")[2])
    if unit is None or not unit[0].lower().startswith("cm"):
        raise RatedbError(
            "the list does not say that its energies are in cm-1",
            where=str(path),
            expected="`Energy unit :` and `cm^-1` below it",
            todo="name another file with --levels",
        )
    at = next((i for i, line in enumerate(lines) if line.text.split()[:2] == ["Level", "Energy"]), None)
    if at is None:
        raise RatedbError(
            "the list has no header",
            where=str(path),
            expected="a line `Level Energy J ...`",
            todo="name another file with --levels",
        )
    names = lines[at].text.split()[2:]
    if "j" not in [name.lower() for name in names] or len({name.lower() for name in names}) < len(names):
        raise lines[at].refuse(
            "the quantum numbers are not named",
            "`Level Energy` and J, which gives the weights, each name once",
            "name another file with --levels",
        )
    rows = [line for line in lines[at + 1 :] if line.text.strip()]
    declared = _declared(lines[:at])
    need_declared(declared, declared.text.strip() if declared else "", len(rows))
    parsed = [_basecol_row(line, len(names)) for line in rows]
    listed = _named_levels(rows, parsed, names, molecule)
    return levels_from(molecule, path, listed, _recognised(listed, parsed, names))


def _declared(head: Sequence[Line]) -> Line | None:
    """Return the line below `Number of Lines`, None without one."""
    at = next((i for i, line in enumerate(head) if re.match(r"\s*number of lines\b", line.text, re.I)), None)
    return None if at is None else next((line for line in head[at + 1 :] if line.text.strip()), None)


def _basecol_row(line: Line, columns: int) -> list[float]:
    values = to_numbers(line.text.split())
    if values is None or len(values) != 2 + columns or not values[0].is_integer():
        raise line.refuse("a level cannot be read", f"number, energy and {columns} quantum numbers")
    return values


def _named_levels(
    rows: Sequence[Line], parsed: Sequence[list[float]], names: Sequence[str], molecule: str
) -> list[ListedLevel]:
    """Return levels labelled by their quantum numbers; tau, which Ka - Kc repeats, is left out."""
    places = {name.lower(): 2 + place for place, name in enumerate(names)}
    j_at = places["j"]
    linear = set(places) <= {"j", "v"}
    v_at = places.get("v") if linear else None
    kept = [place for name, place in places.items() if name != "tau" and place != v_at]
    with_v = v_at is not None and any(row[v_at] for row in parsed)
    listed = []
    for line, row in zip(rows, parsed, strict=True):
        v, j = 0.0 if v_at is None else row[v_at], row[j_at]
        label = "_".join(f"{row[place]:g}" for place in ([v_at] if with_v and v_at else []) + kept)
        # Half-integer j have neither v and j of their own nor the nuclear spins of H2.
        whole = linear and v.is_integer() and j.is_integer()
        weight = spin_weight(molecule, int(j)) if whole else 2.0 * j + 1.0
        listed.append(
            ListedLevel(line, int(row[0]), row[1], weight, label, (int(v), int(j)) if whole else None)
        )
    return listed


def _recognised(
    listed: Sequence[ListedLevel], parsed: Sequence[list[float]], names: Sequence[str]
) -> Recognition | None:
    """Return kind and quantum numbers of molecules that are not linear; None where v and j are all."""
    if all(level.vj is not None for level in listed):
        return None
    labels = [" ".join(f"{value:g}" for value in row[2:]) for row in parsed]
    weights, energies_cm1 = zip(*((level.weight, level.energy_cm1) for level in listed), strict=True)
    return recognise(labels, " ".join(names), weights, energies_cm1)
