"""Read lists of levels, and of Einstein A, that rates by level number or by v and j need beside them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import read_bytes
from ratedb.formats.labels import quantum_numbers
from ratedb.formats.lamda_read import looks_like_lamda, read_lamda
from ratedb.formats.text import Line, numbered_lines, refuse, to_index, to_number, to_numbers
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K
from ratedb.tables import LevelTable, LineTable

_HIGHEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6
_LARGEST_A_S1 = 1e15
_LONGEST_HEAD = 40  # lines that may stand above the first level
_CSV_COLUMNS = ("label", "v", "j", "energy_cm1", "weight")
_ASSIGNED = re.compile(r"(\w+)\s*=\s*([\d.]+)")
_ENERGY_UNIT = re.compile(r"cm\s*(?:\^|\*\*)?\s*\{?\s*-\s*1\}?|\bK\b|\(K\)", re.IGNORECASE)


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

    levels: LevelTable
    lines: LineTable
    notes: tuple[str, ...] = ()


def read_levels_of(paths: Sequence[Path], molecule: str) -> LevelList:
    """Return the levels of a molecule from one file, with the Einstein A of another where one is given.

    Reads LAMDA files, the level lists of BASECOL and of molpop, lists of v, J and energy in cm-1, and CSV
    tables with the columns label or j (and v), energy_cm1 and weight. Raises RatedbError where the files
    are no such lists, or where more than one gives levels.
    """
    contents = {path: read_bytes(path) for path in paths}
    einstein = [path for path, content in contents.items() if _is_einstein_list(content)]
    others = [path for path in paths if path not in einstein]
    if len(others) != 1:
        raise RatedbError(
            f"the levels of {molecule} must come from one file",
            where=", ".join(map(str, paths)) or None,
            expected="one list of levels, and perhaps one of Einstein A",
            got=f"{len(others)} lists of levels",
            todo="name the list with --levels",
        )
    found = _read_one(others[0], contents[others[0]], molecule)
    for path in einstein:
        lines = numbered_lines(contents[path], path)
        found = replace(found, lines=_einstein_lines(path, lines, found.levels))
    return found


def looks_like_levels(content: bytes) -> bool:
    """Return whether a file is a list of levels or of Einstein A, without rates."""
    head = content[:4096].decode("latin-1")
    return (
        _is_einstein_list(content)
        or re.search(r"energy in\s+cm", head, re.IGNORECASE) is not None
        or re.search(r"^\s*Level\s+Energy\s", head, re.MULTILINE) is not None
        or re.search(r"^#?\s*v\s+J\s+Energy", head, re.MULTILINE | re.IGNORECASE) is not None
        or ("energy_cm1" in head.partition("\n")[0] and "rate_cm3_s" not in head.partition("\n")[0])
    )


def levels_from(molecule: str, path: Path, listed: Sequence[ListedLevel]) -> LevelTable:
    """Return a table of levels that a file lists; raises RatedbError for what no level can be."""
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
            raise refuse(path, level.line, "levels are not numbered one after the other", f"level {place}")
        if not abs(level.energy_cm1) <= _HIGHEST_CM1 or not 0 < level.weight <= _LARGEST_WEIGHT:
            raise refuse(
                path,
                level.line,
                "a level is impossible",
                f"an energy under {_HIGHEST_CM1:g} cm-1 and a weight > 0",
            )
    labels: dict[str, ListedLevel] = {}
    for level in listed:
        if level.label in labels:
            raise refuse(
                path,
                level.line,
                f"the level {level.label} stands twice",
                f"each level once; it stands in line {labels[level.label].line.number} too",
            )
        labels[level.label] = level
    pairs = [level.vj for level in listed if level.vj is not None]
    known = len(pairs) == len(listed)
    return LevelTable(
        molecule,
        tuple(labels),
        np.array([level.energy_cm1 for level in listed]),
        np.array([level.weight for level in listed]),
        np.array([v for v, _ in pairs]) if known else None,
        np.array([j for _, j in pairs]) if known else None,
    )


def spin_weight(molecule: str, j: int) -> float:
    """Return the statistical weight of a rotational level: 2j+1, three times that for odd j of H2."""
    return (2.0 * j + 1.0) * (3.0 if j % 2 and molecule in ("H2", "o-H2") else 1.0)


def vj_label(v: int, j: int, *, with_v: bool) -> str:
    """Return the label of a level of a linear molecule: `5`, or `1_5` where v is named."""
    return f"{v}_{j}" if with_v else str(j)


def _read_one(path: Path, content: bytes, molecule: str) -> LevelList:
    if looks_like_lamda(content):
        file = read_lamda(path, molecule=molecule)
        return LevelList(file.levels, file.lines, file.warnings)
    lines = numbered_lines(content, path)
    head = "\n".join(line.text for line in lines[:_LONGEST_HEAD])
    if _is_csv(lines):
        return LevelList(_from_csv(path, lines, molecule), LineTable.empty())
    if re.search(r"Number of columns", head, re.IGNORECASE):
        return LevelList(_from_basecol(path, lines, molecule), LineTable.empty())
    if re.search(r"^\s*>", head, re.MULTILINE):
        return _from_molpop(path, lines, molecule)
    return LevelList(_from_v_j_energy(path, lines, molecule), LineTable.empty())


# -- molpop: sections that open with `>` ----------------------------------------------------------


def _from_molpop(path: Path, lines: Sequence[Line], molecule: str) -> LevelList:
    """Read `number weight energy 'label'` below a header that names the energy, and A below another."""
    start = _after(lines, r"energy in\s+cm")
    if start is None:
        raise RatedbError(
            "the list does not say in which unit its energies are",
            where=str(path),
            expected="a header with `Energy in cm^{-1}`",
            todo="name another file with --levels",
        )
    listed: list[ListedLevel] = []
    for line in lines[start:]:
        words = line.text.split(None, 3)
        if not words:
            if listed:
                break
            continue
        listed.append(_molpop_level(path, line, words))
    levels = levels_from(molecule, path, _with_vj(listed))
    at = _after(lines, r"A_ij")
    return LevelList(levels, LineTable.empty() if at is None else _einstein_lines(path, lines[at:], levels))


def _molpop_level(path: Path, line: Line, words: list[str]) -> ListedLevel:
    number = to_index(words[0])
    values = to_numbers(words[1:3])
    if number is None or values is None or len(values) != 2:
        raise refuse(path, line, "a level cannot be read", "number, weight, energy (cm-1), label")
    text = words[3].strip().strip("'\"").strip() if len(words) > 3 else ""
    return ListedLevel(line, number, values[1], values[0], text or f"L{number}")


def _with_vj(listed: Sequence[ListedLevel]) -> list[ListedLevel]:
    """Give levels labels such as `5` or `1_5` where theirs say `N = 5` or `v = 1, J = 5`."""
    assigned = [dict(_ASSIGNED.findall(level.label)) for level in listed]
    names = [tuple(pairs) for pairs in assigned]
    if not listed or len(set(names)) != 1 or not names[0]:
        return list(listed)
    labels = ["_".join(pairs.values()) for pairs in assigned]
    header = "v" if any(name.lower() == "v" for name in names[0]) else ""
    vj = quantum_numbers(labels, header, [level.weight for level in listed])
    return [
        replace(
            level,
            label=label,
            vj=None if vj is None else (int(vj[0][place]), int(vj[1][place])),
        )
        for place, (level, label) in enumerate(zip(listed, labels, strict=True))
    ]


def _after(lines: Sequence[Line], pattern: str) -> int | None:
    """Return where the rows begin that follow a header of this pattern and a line with `>`."""
    named = False
    for place, line in enumerate(lines):
        if named and line.text.strip().startswith(">"):
            return place + 1
        named = named or re.search(pattern, line.text, re.IGNORECASE) is not None
    return None


# -- BASECOL: counts, then a header with the names of the quantum numbers --------------------------


def _from_basecol(path: Path, lines: Sequence[Line], molecule: str) -> LevelTable:
    text = " ".join(line.text for line in lines[:_LONGEST_HEAD])
    unit = _ENERGY_UNIT.search(text.partition("Energy unit")[2])
    if unit is None or not unit[0].lower().startswith("cm"):
        raise RatedbError(
            "the list does not say that its energies are in cm-1",
            where=str(path),
            expected="`Energy unit :` and `cm^-1` below it",
            todo="name another file with --levels",
        )
    at = next((i for i, line in enumerate(lines) if line.text.split()[:2] == ["Level", "Energy"]), None)
    if at is None:
        raise RatedbError("the list has no header", where=str(path), expected="a line `Level Energy J ...`")
    names = lines[at].text.split()[2:]
    rows = [line for line in lines[at + 1 :] if line.text.strip()]
    parsed = [_basecol_row(path, line, len(names)) for line in rows]
    return levels_from(molecule, path, _named_levels(rows, parsed, names, molecule))


def _basecol_row(path: Path, line: Line, columns: int) -> list[float]:
    values = to_numbers(line.text.split())
    if values is None or len(values) != 2 + columns:
        raise refuse(path, line, "a level cannot be read", f"number, energy and {columns} quantum numbers")
    return values


def _named_levels(
    rows: Sequence[Line], parsed: Sequence[list[float]], names: Sequence[str], molecule: str
) -> list[ListedLevel]:
    """Return levels labelled by their quantum numbers; tau, which Ka - Kc repeats, is left out."""
    places = {name.lower(): place for place, name in enumerate(names)}
    if set(places) == {"j", "v"}:
        pairs = [(round(row[2 + places["v"]]), round(row[2 + places["j"]])) for row in parsed]
        with_v = any(v for v, _ in pairs)
        return [
            ListedLevel(
                line, round(row[0]), row[1], spin_weight(molecule, j), vj_label(v, j, with_v=with_v), (v, j)
            )
            for line, row, (v, j) in zip(rows, parsed, pairs, strict=True)
        ]
    kept = [place for name, place in places.items() if name != "tau"]
    j_at = places.get("j", 0)
    return [
        ListedLevel(
            line,
            round(row[0]),
            row[1],
            2.0 * row[2 + j_at] + 1.0,
            "_".join(f"{row[2 + place]:g}" for place in kept),
            (0, round(row[2])) if kept == [j_at] else None,
        )
        for line, row in zip(rows, parsed, strict=True)
    ]


# -- v, J, energy, as in the energies of H2 --------------------------------------------------------


def _from_v_j_energy(path: Path, lines: Sequence[Line], molecule: str) -> LevelTable:
    header = next(
        (
            line
            for line in lines[:_LONGEST_HEAD]
            if re.match(r"#?\s*v\s+J\s+Energy", line.text, re.IGNORECASE)
        ),
        None,
    )
    unit = None if header is None else _ENERGY_UNIT.search(header.text)
    if header is None or unit is None:
        raise RatedbError(
            "this is not a list of levels that ratedb reads",
            where=str(path),
            expected="a LAMDA file, a level list of BASECOL or molpop, a header `V J Energy [cm^-1]`,"
            " or a CSV table with j and energy_cm1",
            got=repr(lines[0].text[:60]) if lines else "an empty file",
            todo="name another file with --levels",
        )
    per_cm1 = 1.0 if unit[0].lower().startswith("cm") else 1.0 / HC_OVER_KB_CM_K
    listed: list[ListedLevel] = []
    for line in lines[header.number :]:
        words = line.text.partition("#")[0].split()
        if not words:
            continue
        v, j = (to_index(word) for word in [*words, "", ""][:2])
        energy = to_number(words[2]) if len(words) > 2 else None
        if v is None or j is None or energy is None:
            raise refuse(path, line, "a level cannot be read", "v, J and energy")
        label = vj_label(v, j, with_v=True)
        weight = spin_weight(molecule, j)
        listed.append(ListedLevel(line, len(listed) + 1, energy * per_cm1, weight, label, (v, j)))
    return levels_from(molecule, path, listed)


# -- CSV -------------------------------------------------------------------------------------------


def _is_csv(lines: Sequence[Line]) -> bool:
    names = [name.strip() for name in lines[0].text.split(",")] if lines else []
    return "energy_cm1" in names and ("j" in names or "label" in names)


def _from_csv(path: Path, lines: Sequence[Line], molecule: str) -> LevelTable:
    reader = csv.DictReader(io.StringIO("\n".join(line.text for line in lines)))
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    listed: list[ListedLevel] = []
    with_v = "v" in names
    for row in reader:
        line = lines[reader.line_num - 1]
        energy = to_number((row.get("energy_cm1") or "").strip())
        j = to_index((row.get("j") or "").strip())
        v = to_index((row.get("v") or "0").strip())
        weight = to_number((row.get("weight") or "").strip()) if "weight" in names else None
        label = (row.get("label") or "").strip()
        if weight is None and "weight" not in names and j is not None:
            weight = spin_weight(molecule, j)
        if energy is None or weight is None or v is None or (j is None and not label):
            raise refuse(path, line, "a level cannot be read", ", ".join(_CSV_COLUMNS))
        vj = None if j is None else (v, j)
        label = label or vj_label(v, j or 0, with_v=with_v)
        listed.append(ListedLevel(line, len(listed) + 1, energy, weight, label, vj))
    return levels_from(molecule, path, listed)


# -- Einstein A ------------------------------------------------------------------------------------


def _is_einstein_list(content: bytes) -> bool:
    head = content[:2000].decode("latin-1")
    return re.search(r"A_ij", head) is not None and re.search(r"energy in", head, re.IGNORECASE) is None


def _einstein_lines(path: Path, lines: Sequence[Line], levels: LevelTable) -> LineTable:
    """Read rows of upper and lower level number and Einstein A (s-1); other lines above them are passed."""
    upper: list[int] = []
    lower: list[int] = []
    einstein: list[float] = []
    for line in lines:
        words = line.text.split()
        numbers = [to_index(word) for word in words[:2]]
        if len(words) != 3 or None in numbers:
            if words and upper:
                raise refuse(path, line, "an Einstein A cannot be read", "upper level, lower level, A in s-1")
            continue
        value = to_number(words[2])
        first, second = (number or 0 for number in numbers)
        inside = 1 <= first <= len(levels) and 1 <= second <= len(levels)
        if value is None or not 0 <= value <= _LARGEST_A_S1 or not inside:
            raise refuse(
                path, line, "an Einstein A is impossible", f"levels 1..{len(levels)} and a number >= 0"
            )
        if levels.energy_cm1[first - 1] <= levels.energy_cm1[second - 1]:
            raise refuse(path, line, "a line does not go down in energy", "the upper level first")
        if value > 0:
            upper.append(first - 1)
            lower.append(second - 1)
            einstein.append(value)
    energy = levels.energy_cm1
    up, low = np.array(upper, dtype=np.int64), np.array(lower, dtype=np.int64)
    return LineTable(up, low, np.array(einstein), (energy[up] - energy[low]) * GHZ_PER_CM1)
