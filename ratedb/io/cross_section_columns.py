"""Read cross sections from CSV: one row for each transition and energy."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.cross_sections import CrossSectionFile, table_of
from ratedb.io.level_lists import needed_levels
from ratedb.io.listed_cross_sections import entries_of_lines, needed_mass
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import Line, numbered_lines, to_number
from ratedb.levels import Levels
from ratedb.methods import NOT_STATED

_SIGMA = "sigma_angstrom2"
_TOTAL, _KINETIC = "total_energy_cm1", "kinetic_energy_cm1"
_ALIASES = {
    "cross_section_angstrom2": _SIGMA,
    "cross_section_a2": _SIGMA,
    "sigma_a2": _SIGMA,
    "collision_energy_cm1": _KINETIC,
    "v_initial": "v",
    "j_initial": "j",
    "initial": "initial_label",
    "final": "final_label",
}
_ENDS = (("initial_label", "final_label"), ("j", "j_final"))


def looks_like_cross_section_columns(content: bytes) -> bool:
    """Return whether a file is a CSV table with a column of cross sections."""
    return _SIGMA in _names(content[:4096].decode("latin-1").split("\n", 1)[0])


def _names(title: str) -> list[str]:
    names = [name.strip().lower() for name in title.lstrip("\ufeff").strip().split(",")]
    return [_ALIASES.get(name, name) for name in names]


@cross_section_reader("cross-sections-csv", recognises=looks_like_cross_section_columns, order=40)
def read_cross_section_columns(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    """Return the cross sections of a CSV table, Angstrom^2, with the levels of a separate list.

    Columns: sigma_angstrom2; total_energy_cm1 (counted from the lowest level) or kinetic_energy_cm1 (before
    the collision); and v, j, v_final, j_final (without v: v = 0) or initial_label, final_label. Raises
    RatedbError, with the line, for what cannot be read, and without levels or reduced mass.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    levels = needed_levels(options, path, molecule).levels
    mass = needed_mass(options, path)
    lines = [line for line in numbered_lines(file.content, path) if line.text.strip()]
    names = _names(lines[0].text) if lines else []
    energies = [name for name in (_TOTAL, _KINETIC) if name in names]
    if not lines:
        raise RatedbError("the file is empty", where=str(path), expected=f"a CSV table with {_SIGMA}")
    if len(energies) != 1 or len(set(names)) < len(names) or not any(set(two) <= set(names) for two in _ENDS):
        raise lines[0].refuse(
            "the columns of the table are not complete",
            f"{_SIGMA}, {_TOTAL} or {_KINETIC}, and j, j_final or initial_label, final_label; each once",
        )
    cells = [(line, _cells(line)) for line in lines[1:]]
    found = [
        _row(line, dict(zip(names, row, strict=False)), len(row) == len(names), energies[0], levels)
        for line, row in cells
    ]
    if not found:
        raise lines[0].refuse("the table has no rows", "one row for each transition and energy")
    entries = entries_of_lines(lines[1:], found)
    return CrossSectionFile((table_of(levels, collider, NOT_STATED, mass, entries),), (), (), (path,))


def _cells(line: Line) -> list[str]:
    """Return the cells of a line; one that continues on the next line is refused."""
    try:
        [cells] = csv.reader([line.text], strict=True)
    except (csv.Error, ValueError) as error:
        raise line.refuse("a row cannot be read", "cells separated by commas, in one line") from error
    return cells


def _row(
    line: Line, row: Mapping[str, str], whole: bool, energy: str, levels: Levels
) -> tuple[int, int, float, float]:
    values = [to_number(row.get(name, "").strip()) for name in (_SIGMA, energy)]
    sigma, energy_cm1 = (value if value is not None else -1.0 for value in values)
    if not whole or sigma < 0 or energy_cm1 <= 0:
        raise line.refuse("a row cannot be read", f"as many cells as titles, {_SIGMA} >= 0, {energy} > 0")
    initial, final = (_place(line, row, end, levels) for end in ("", "_final"))
    ground = float(levels.energy_cm1.min())
    if energy == _TOTAL:
        energy_cm1 -= float(levels.energy_cm1[initial]) - ground
        if energy_cm1 <= 0:
            label = levels.label[initial]
            raise line.refuse(f"level {label} is not open", f"a total energy above that of level {label}")
    return initial, final, energy_cm1, sigma


def _place(line: Line, row: Mapping[str, str], end: str, levels: Levels) -> int:
    """Return the index of the initial (end "") or final level of a row."""
    if "initial_label" in row:
        label = row["final_label" if end else "initial_label"].strip()
        place = levels.places.get(label, -1)
    else:
        numbers = [to_number((row.get(f"{n}{end}") or "0").strip()) for n in ("v", "j")]
        label = f"v, j = {row.get(f'v{end}', '0')}, {row.get(f'j{end}')}"
        v, j = levels.need_vj()
        same = np.flatnonzero((v == numbers[0]) & (j == numbers[1]))
        place = int(same[0]) if len(same) else -1
    if place < 0:
        raise line.refuse(f"the level {label} is not in the list of levels", "levels of the list")
    return place
