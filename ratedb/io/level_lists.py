"""Read lists of levels, and of Einstein A, that rates by level number or by v and j need beside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.labels import fit_with_spins, quantum_numbers
from ratedb.io.lamda_read import looks_like_lamda, read_lamda
from ratedb.io.registry import ReadOptions
from ratedb.io.text import Line, numbered_lines, to_index, to_number, to_numbers
from ratedb.levels import Levels, Lines, vj
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K

_HIGHEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6
_HEAVIEST = 1e6  # u
_LARGEST_A_S1 = 1e15
_LARGEST_NUMBER = 999_999  # of v and j
_LONGEST_HEAD = 40  # lines that may stand above the first level
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

    levels: Levels
    lines: Lines
    notes: tuple[str, ...] = ()


def read_levels_of(paths: Sequence[Path], molecule: str) -> LevelList:
    """Return the levels of a molecule from one file, with the Einstein A of another where one is given.

    Reads LAMDA files, the level lists of BASECOL and of molpop, lists of v, J and energy in cm-1, and CSV
    tables with the columns label or j (and v), energy_cm1 and weight. Raises RatedbError where the files
    are no such lists, or where more than one gives levels.
    """
    files = [InputFile.read(path) for path in dict.fromkeys(paths)]
    einstein = [file for file in files if _is_einstein_list(file.content)]
    others = [file for file in files if file not in einstein]
    if len(others) != 1 or len(einstein) > 1:
        raise RatedbError(
            f"the levels of {molecule} must come from one file",
            where=", ".join(map(str, paths)) or None,
            expected="one list of levels, and perhaps one of Einstein A",
            got=f"{len(others)} lists of levels and {len(einstein)} of Einstein A",
            todo="name the list with --levels",
        )
    found = _read_one(others[0], molecule)
    for file in einstein:
        lines = numbered_lines(file.content, file.path)
        rows = lines[_einstein_start(lines) :]
        found = replace(found, lines=_einstein_lines(rows, found.levels))
    return found


def needed_levels(options: ReadOptions, path: Path, molecule: str) -> LevelList:
    """Return the levels that rates in `path` refer to; raises RatedbError where the caller gave no list."""
    if not options.levels:
        raise RatedbError(
            "this file has no levels of its own",
            where=str(path),
            expected="the list of levels that its rates refer to",
            todo="name it with --levels (a level list of BASECOL or molpop, v J energy, LAMDA or CSV)",
        )
    return read_levels_of(options.levels, molecule)


def levels_if_known(options: ReadOptions, molecule: str) -> Levels | None:
    """Return the levels that the caller listed or knows from elsewhere, or None."""
    if options.levels:
        return read_levels_of(options.levels, molecule).levels
    return options.known_levels(molecule)


def looks_like_levels(content: bytes) -> bool:
    """Return whether a file is a list of levels or of Einstein A, without rates."""
    head = content[:4096].decode("latin-1")
    return (
        _is_einstein_list(content)
        or re.search(r"energy in\s+cm", head, re.IGNORECASE) is not None
        or re.search(r"^\s*Level\s+Energy\s", head, re.MULTILINE) is not None
        or re.search(r"^#?\s*v\s+J\s+Energy", head, re.MULTILINE | re.IGNORECASE) is not None
        or _names_levels(_csv_names(re.split(r"[\r\n]", head.lstrip(), maxsplit=1)[0]))
    )


def levels_from(molecule: str, path: Path, listed: Sequence[ListedLevel]) -> Levels:
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
            raise level.line.refuse("levels are not numbered one after the other", f"level {place}")
        possible = abs(level.energy_cm1) <= _HIGHEST_CM1 and 0 < level.weight <= _LARGEST_WEIGHT
        if not possible or not all(0 <= number <= _LARGEST_NUMBER for number in level.vj or ()):
            raise level.line.refuse(
                "a level is impossible",
                f"an energy under {_HIGHEST_CM1:g} cm-1, a weight > 0, and v and j >= 0",
            )
    labels: dict[str, ListedLevel] = {}
    for level in listed:
        if level.label in labels:
            raise level.line.refuse(
                f"the level {level.label} stands twice",
                f"each level once; it stands in line {labels[level.label].line.number} too",
            )
        labels[level.label] = level
    pairs = [level.vj for level in listed if level.vj is not None]
    known = len(pairs) == len(listed)
    return Levels(
        molecule,
        tuple(labels),
        np.array([level.energy_cm1 for level in listed]),
        np.array([level.weight for level in listed]),
        vj(
            np.array([v for v, _ in pairs]) if known else None,
            np.array([j for _, j in pairs]) if known else None,
        ),
    )


def open_end(last_line: str) -> list[str]:
    """Return the note that the last line of a file, which declares no number of rows, has no line end."""
    return ["the last line has no line end: the file may be cut short"] if last_line.strip() else []


def spin_weight(molecule: str, j: int) -> float:
    """Return the statistical weight of a rotational level: 2j+1, three times that for odd j of H2."""
    return (2.0 * j + 1.0) * (3.0 if j % 2 and molecule in ("H2", "o-H2") else 1.0)


def vj_label(v: int, j: int, *, with_v: bool) -> str:
    """Return the label of a level of a linear molecule: `5`, or `1_5` where v is named."""
    return f"{v}_{j}" if with_v else str(j)


def _read_one(file: InputFile, molecule: str) -> LevelList:
    path = file.path
    if looks_like_lamda(file.content):
        found = read_lamda(file, molecule=molecule)
        return LevelList(found.levels, found.lines, found.warnings)
    lines = numbered_lines(file.content, path)
    head = "\n".join(line.text for line in lines[:_LONGEST_HEAD])
    if _names_levels(_csv_names(next((line.text for line in lines if line.text.strip()), ""))):
        return LevelList(_from_csv(path, lines, molecule), Lines.empty())
    if re.search(r"Number of columns", head, re.IGNORECASE):
        return LevelList(_from_basecol(path, lines, molecule), Lines.empty())
    if re.search(r"^\s*>", head, re.MULTILINE):
        return _from_molpop(path, lines, molecule)
    return LevelList(_from_v_j_energy(path, lines, molecule), Lines.empty())


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
        if words and words[0][0].isalpha() and not to_numbers(words[1:3]):
            break  # the header of the next section
        if words:
            listed.append(_molpop_level(line, words))
    _need_declared(lines[: start - 1], listed)
    levels = levels_from(molecule, path, _with_vj(listed))
    levels = replace(levels, molecular_weight=_molecular_weight(lines[: start - 1]))
    at = _after(lines, r"A_ij")
    return LevelList(levels, Lines.empty() if at is None else _einstein_lines(lines[at:], levels))


def _need_declared(lines: Sequence[Line], listed: Sequence[ListedLevel]) -> None:
    """Refuse a list with fewer or more levels than a section `N. levels` above it declares."""
    first = _first_below(lines, r"N\.?\s+levels")
    declared = None if first is None else to_index(first.text.split()[0])
    if first is not None and declared is not None and declared != len(listed):
        raise first.refuse(
            "the list does not have as many levels as it declares",
            f"{len(listed)}, as were found",
            "get the file again from its source: it may be cut short",
        )


def _molecular_weight(lines: Sequence[Line]) -> float | None:
    """Return the mass (u) that stands behind the number of levels, None without one or where it is zero."""
    first = _first_below(lines, r"N\.?\s+levels and molecular mass")
    words = [] if first is None else first.text.split()
    mass = to_number(words[1]) if len(words) > 1 else None
    return mass if mass is not None and 0 < mass < _HEAVIEST else None


def _first_below(lines: Sequence[Line], pattern: str) -> Line | None:
    at = _after(lines, pattern)
    return None if at is None else next((line for line in lines[at:] if line.text.strip()), None)


def _molpop_level(line: Line, words: list[str]) -> ListedLevel:
    number = to_index(words[0])
    values = to_numbers(words[1:3])
    if number is None or values is None or len(values) != 2:
        raise line.refuse("a level cannot be read", "number, weight, energy (cm-1), label")
    text = words[3].strip().strip("'\"").strip() if len(words) > 3 else ""
    return ListedLevel(line, number, values[1], values[0], text or f"L{number}")


def _with_vj(listed: Sequence[ListedLevel]) -> list[ListedLevel]:
    if not listed or min(level.weight for level in listed) <= 0:
        return list(listed)  # levels_from refuses such a weight
    labels, vj = named_labels([level.label for level in listed], [level.weight for level in listed])
    return [
        replace(level, label=label, vj=None if vj is None else (int(vj[0][place]), int(vj[1][place])))
        for place, (level, label) in enumerate(zip(listed, labels, strict=True))
    ]


def named_labels(
    texts: Sequence[str], weights: Sequence[float]
) -> tuple[list[str], tuple[IntArray, IntArray] | None]:
    """Return labels such as `5` or `1_5` where texts say `N = 5` or `v = 1, J = 5`, and (v, j), each (n,).

    Other texts are labels as they stand. (v, j) is None where the texts do not name them, or where the
    weights, shape (n,) and positive, contradict them.
    """
    assigned = [dict(_ASSIGNED.findall(text)) for text in texts]
    names = [tuple(pairs) for pairs in assigned]
    if not texts or len(set(names)) != 1 or not names[0]:
        return list(texts), None
    labels = ["_".join(pairs.values()) for pairs in assigned]
    if len(set(labels)) < len(labels):
        return list(texts), None  # the labels would be lost
    header = "v" if any(name.lower() == "v" for name in names[0]) else ""
    return labels, quantum_numbers(labels, header, weights) or _named_vj(assigned, weights)


def _named_vj(
    assigned: Sequence[dict[str, str]], weights: Sequence[float]
) -> tuple[IntArray, IntArray] | None:
    """Return (v, j) where they are called by these names and j fits the weights, nuclear spins included."""
    numbers = [{name.lower(): to_index(text) for name, text in pairs.items()} for pairs in assigned]
    if len(numbers) < 2 or set(numbers[0]) not in ({"j"}, {"v", "j"}):
        return None
    v, j = ([one.get(name, 0) for one in numbers] for name in ("v", "j"))
    whole = [number for number in (*v, *j) if number is not None and number <= _LARGEST_NUMBER]
    if len(whole) < 2 * len(numbers):
        return None
    pair = np.array(whole[: len(v)], dtype=np.int64), np.array(whole[len(v) :], dtype=np.int64)
    return pair if fit_with_spins(pair[1], weights) else None


def _after(lines: Sequence[Line], pattern: str) -> int | None:
    """Return where the rows begin that follow a header of this pattern and a line with `>`."""
    named = False
    for place, line in enumerate(lines):
        if named and line.text.strip().startswith(">"):
            return place + 1
        named = named or re.search(pattern, line.text, re.IGNORECASE) is not None
    return None


# -- BASECOL: counts, then a header with the names of the quantum numbers --------------------------


def _from_basecol(path: Path, lines: Sequence[Line], molecule: str) -> Levels:
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
    _need_rows(lines[:at], rows)
    parsed = [_basecol_row(line, len(names)) for line in rows]
    return levels_from(molecule, path, _named_levels(rows, parsed, names, molecule))


def _need_rows(head: Sequence[Line], rows: Sequence[Line]) -> None:
    """Refuse a list with fewer or more rows than the line below `Number of Lines` declares."""
    at = next((i for i, line in enumerate(head) if re.match(r"\s*number of lines\b", line.text, re.I)), None)
    below = next((line for line in head[at + 1 :] if line.text.strip()), None) if at is not None else None
    if below is not None and to_index(below.text.strip()) != len(rows):
        raise below.refuse(
            "the list does not have as many levels as it declares",
            f"{len(rows)}, as were found",
            "get the file again from its source: it may be cut short",
        )


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


# -- v, J, energy, as in the energies of H2 --------------------------------------------------------


def _from_v_j_energy(path: Path, lines: Sequence[Line], molecule: str) -> Levels:
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
            got=repr(lines[0].text[:60]),
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
            raise line.refuse("a level cannot be read", "v, J and energy")
        label = vj_label(v, j, with_v=True)
        weight = spin_weight(molecule, j)
        listed.append(ListedLevel(line, len(listed) + 1, energy * per_cm1, weight, label, (v, j)))
    return levels_from(molecule, path, listed)


# -- CSV -------------------------------------------------------------------------------------------


def _csv_names(line: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], skipinitialspace=True), [])]
    except csv.Error:
        return []


def _names_levels(names: Sequence[str]) -> bool:
    return "energy_cm1" in names and ("j" in names or "label" in names)


def _from_csv(path: Path, lines: Sequence[Line], molecule: str) -> Levels:
    kept = [line for line in lines if line.text.strip()]
    names = _csv_names(kept[0].text)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise kept[0].refuse(f"the column {twice[0]} stands twice", "each column once")
    listed: list[ListedLevel] = []
    for line in kept[1:]:
        cells = _csv_names(line.text)
        if len(cells) != len(names):
            raise line.refuse(f"a row has {len(cells)} cells", f"{len(names)}: {', '.join(names)}")
        row = dict(zip(names, cells, strict=True))
        listed.append(_csv_level(line, row, len(listed) + 1, molecule))
    return levels_from(molecule, path, listed)


def _csv_level(line: Line, row: dict[str, str], number: int, molecule: str) -> ListedLevel:
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
    return ListedLevel(line, number, energy, weight, label, vj)


# -- Einstein A ------------------------------------------------------------------------------------


def _is_einstein_list(content: bytes) -> bool:
    head = content[:2000].decode("latin-1")
    return re.search(r"A_ij", head) is not None and re.search(r"energy in", head, re.IGNORECASE) is None


def _einstein_start(lines: Sequence[Line]) -> int:
    """Return where the rows begin: below the `>` behind the header with A_ij, or below that header."""
    below = _after(lines, r"A_ij")
    headers = [place for place, line in enumerate(lines) if "A_ij" in line.text]
    return headers[-1] + 1 if below is None else below


def _einstein_lines(lines: Sequence[Line], levels: Levels) -> Lines:
    """Read rows of upper and lower level number and Einstein A (s-1); a zero means no line."""
    found: dict[tuple[int, int], tuple[float, Line]] = {}
    for line in lines:
        words = line.text.split()
        if not words:
            continue
        numbers = [to_index(word) for word in words[:2]]
        if len(words) != 3 or None in numbers:
            raise line.refuse("an Einstein A cannot be read", "upper level, lower level, A in s-1")
        value = to_number(words[2])
        first, second = (number or 0 for number in numbers)
        inside = 1 <= first <= len(levels) and 1 <= second <= len(levels)
        if value is None or not 0 <= value <= _LARGEST_A_S1 or not inside:
            raise line.refuse("an Einstein A is impossible", f"levels 1..{len(levels)} and a number >= 0")
        if levels.energy_cm1[first - 1] <= levels.energy_cm1[second - 1]:
            raise line.refuse("a line does not go down in energy", "the upper level first")
        before = found.setdefault((first - 1, second - 1), (value, line))
        if before[0] != value:
            raise line.refuse(
                "an Einstein A stands twice with different values",
                f"each line once; line {before[1].number} is `{before[1].text.strip()}`",
                "remove one of the two lines",
            )
    pairs = [pair for pair, (value, _) in found.items() if value > 0]
    energy = levels.energy_cm1
    up, low = (np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1))
    einstein = np.array([found[pair][0] for pair in pairs])
    return Lines(up, low, einstein, (energy[up] - energy[low]) * GHZ_PER_CM1)
