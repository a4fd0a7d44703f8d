"""Read the lists of levels, and of Einstein A, that rates by level number or by v and j refer to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.basecol_levels import levels_from_basecol
from ratedb.io.csv_levels import levels_from_csv, names_levels
from ratedb.io.lamda_read import looks_like_lamda, read_lamda
from ratedb.io.listed_levels import (
    ENERGY_UNIT,
    LONGEST_HEAD,
    LevelList,
    ListedLevel,
    levels_from,
    spin_weight,
    vj_label,
)
from ratedb.io.molpop_levels import is_einstein_list, levels_from_molpop, read_einstein_list
from ratedb.io.registry import ReadOptions
from ratedb.io.text import Line, numbered_lines, to_index, to_number
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import HC_OVER_KB_CM_K

_LISTS = (
    "a LAMDA file, a level list of BASECOL or molpop, a header `V J Energy [cm^-1]`,"
    " or a CSV table with j and energy_cm1"
)


def read_levels_of(paths: Sequence[Path], molecule: str) -> LevelList:
    """Return the levels of a molecule from one file, with the Einstein A of another where one is given.

    Reads LAMDA files, the level lists of BASECOL and of molpop, lists of v, J and energy in cm-1, and CSV
    tables with the columns label or j (and v), or other quantum numbers, energy_cm1 and weight. Raises
    RatedbError where the files are no such lists, or where more than one gives levels.
    """
    files = [InputFile.read(path) for path in dict.fromkeys(paths)]
    einstein = [file for file in files if is_einstein_list(file.content)]
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
        found = replace(found, lines=read_einstein_list(file, found.levels))
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


def levels_by_numbers(options: ReadOptions, path: Path, molecule: str) -> LevelList:
    """Return the levels of rates that name v and j: those listed, else those known from elsewhere."""
    known = None if options.levels else options.known_levels(molecule)
    if known is None or not known.has_vj:
        return needed_levels(options, path, molecule)
    return LevelList(known, Lines.empty())


def levels_if_known(options: ReadOptions, molecule: str) -> Levels | None:
    """Return the levels that the caller listed or knows from elsewhere, or None."""
    if options.levels:
        return read_levels_of(options.levels, molecule).levels
    return options.known_levels(molecule)


def looks_like_levels(content: bytes) -> bool:
    """Return whether a file is a list of levels or of Einstein A, without rates."""
    head = content[:4096].decode("latin-1")
    return (
        is_einstein_list(content)
        or re.search(r"energy in\s+cm", head, re.IGNORECASE) is not None
        or re.search(r"^\s*Level\s+Energy\s", head, re.MULTILINE) is not None
        or re.search(r"^#?\s*v\s+J\s+Energy", head, re.MULTILINE | re.IGNORECASE) is not None
        or names_levels(re.split(r"[\r\n]", head.lstrip(), maxsplit=1)[0])
    )


def _read_one(file: InputFile, molecule: str) -> LevelList:
    path = file.path
    if not file.content.removeprefix(b"\xef\xbb\xbf").strip():
        raise RatedbError(
            "the list of levels is empty",
            where=str(path),
            expected=_LISTS,
            got=f"{len(file.content)} bytes, none of them text",
            todo="get the file again from its source, or name another one with --levels",
        )
    if looks_like_lamda(file.content):
        found = read_lamda(file, molecule=molecule)
        return LevelList(found.levels, found.lines, found.warnings)
    lines = numbered_lines(file.content, path)
    head = "\n".join(line.text for line in lines[:LONGEST_HEAD])
    if names_levels(next((line.text for line in lines if line.text.strip()), "")):
        return levels_from_csv(path, lines, molecule)
    if re.search(r"Number of columns", head, re.IGNORECASE):
        return LevelList(levels_from_basecol(path, lines, molecule), Lines.empty())
    if re.search(r"^\s*>", head, re.MULTILINE):
        return levels_from_molpop(path, lines, molecule)
    return LevelList(_from_v_j_energy(path, lines, molecule), Lines.empty())


# -- v, J, energy, as in the energies of H2 --------------------------------------------------------


def _from_v_j_energy(path: Path, lines: Sequence[Line], molecule: str) -> Levels:
    header = next(
        (line for line in lines[:LONGEST_HEAD] if re.match(r"#?\s*v\s+J\s+Energy", line.text, re.IGNORECASE)),
        None,
    )
    unit = None if header is None else ENERGY_UNIT.search(header.text)
    if header is None or unit is None:
        raise RatedbError(
            "this is not a list of levels that ratedb reads",
            where=str(path),
            expected=_LISTS,
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
