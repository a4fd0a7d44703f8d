"""Read the output of MQCT itself, CROSS_SECTIONS.out: blocks of one effective energy U each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ratedb.files import InputFile
from ratedb.io.cross_sections import CrossSectionFile, Entries, table_of
from ratedb.io.level_lists import needed_levels
from ratedb.io.listed_cross_sections import entries_of_lines, needed_mass
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import Line, need_whole_lines, numbered_lines, to_index, to_number, to_numbers
from ratedb.levels import Levels

_BLOCK = re.compile(r"\s*U\s*=\s*(\S+)\s+cm\^-1\s*")
_TITLE = re.compile(
    r"\s*ilv\s+flv\s+sigma\(U\),?\s*ANG\^2\s+E_coll,?\s*cm\^?-1\s+sigma\(E_coll\),?\s*ANG\^2\s*"
)
_TOTALS = ("TOTAL", "*")
_NUMBERS = 5
_SAME_ENERGY = 2e-3


def looks_like_mqct_output(content: bytes) -> bool:
    """Return whether the bytes of a file are those of the cross sections that MQCT writes."""
    head = content[:8192].decode("latin-1").splitlines()
    return any(_BLOCK.fullmatch(line) for line in head) and any(_TITLE.fullmatch(line) for line in head)


@cross_section_reader("mqct-output", recognises=looks_like_mqct_output, order=31)
def read_mqct_output(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    """Return sigma(E_coll) at the kinetic energy E_coll; level numbers count the rows of the list of levels.

    E_coll = U + dE/2 + dE^2 / (16 U) with the effective energy U of the block and dE = E_final - E_initial
    (cm-1): rows that contradict the energies of the levels are refused. Zeros are placeholders and left out.
    Raises RatedbError, with the line, for what cannot be read, and without levels or reduced mass.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    levels = needed_levels(options, path, molecule).levels
    mass = needed_mass(options, path)
    lines = numbered_lines(file.content, path)
    need_whole_lines(file.content, lines)
    entries, zeros = _entries(lines, levels)
    notes = (f"{zeros} cross sections are zero, which is a placeholder, and are left out",) if zeros else ()
    return CrossSectionFile((table_of(levels, collider, "MQCT", mass, entries),), notes, (), (Path(path),))


def _entries(lines: Sequence[Line], levels: Levels) -> tuple[Entries, int]:
    """Return the single cross sections of all blocks, and how many are zero."""
    found: list[tuple[int, int, float, float]] = []
    places: list[Line] = []
    effective_cm1, zeros = 0.0, 0
    for line in lines:
        words = line.text.split()
        if match := _BLOCK.fullmatch(line.text):
            effective_cm1 = to_number(match[1]) or 0.0
            if effective_cm1 <= 0:
                raise line.refuse("the effective energy cannot be read", "U = a number > 0 cm^-1")
        elif words and not words[0].startswith(_TOTALS) and not _TITLE.fullmatch(line.text):
            initial, final, kinetic, sigma = _row(line, words, levels, effective_cm1)
            zeros += sigma == 0
            if sigma > 0:
                found.append((initial, final, kinetic, sigma))
                places.append(line)
    if not found:
        raise lines[-1].refuse("the file has no cross sections", "rows of ilv, flv, sigma(U), E_coll, sigma")
    return entries_of_lines(places, found), zeros


def _row(
    line: Line, words: Sequence[str], levels: Levels, effective_cm1: float
) -> tuple[int, int, float, float]:
    values = to_numbers(words)
    numbers = [to_index(word) for word in words[:2]]
    if (
        values is None
        or len(values) != _NUMBERS
        or None in numbers
        or min(values[2:]) < 0
        or not effective_cm1
    ):
        raise line.refuse(
            "a row cannot be read", "ilv, flv, sigma(U), E_coll and sigma(E_coll) below U = ..."
        )
    initial, final = (number or 0 for number in numbers)
    if not (1 <= initial <= len(levels) and 1 <= final <= len(levels)):
        what = f"a row refers to a level of {levels.molecule} that is not in its list"
        raise line.refuse(what, f"levels 1..{len(levels)}", "name the list of this calculation with --levels")
    gap = float(levels.energy_cm1[final - 1] - levels.energy_cm1[initial - 1])
    expected = effective_cm1 * (1 + gap / (4 * effective_cm1)) ** 2
    if abs(values[3] - expected) > _SAME_ENERGY * max(expected, 1.0):
        raise line.refuse(
            f"E_coll contradicts the energies of the levels, which give {expected:.6f} cm-1",
            "E_coll = U + dE/2 + dE^2 / (16 U)",
            "name the list of levels of this calculation, in its order, with --levels",
        )
    return initial - 1, final - 1, values[3], values[4]
