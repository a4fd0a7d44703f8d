"""Read the integral cross sections of HIBRIDON: its .ics, .xsc and .xxsc files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input
from ratedb.findings import PARTIAL_WAVES, Finding
from ratedb.io.cross_sections import (
    CrossSectionFile,
    Entries,
    densely_sampled,
    irreversible,
    lowest_kinetic,
    table_of,
)
from ratedb.io.level_lists import levels_if_known
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import (
    Line,
    decode,
    head,
    need_whole_lines,
    numbered_lines,
    refuse,
    to_index,
    to_number,
    to_numbers,
)
from ratedb.levels import Levels, vj
from ratedb.physics.constants import CM1_PER_HARTREE

_KINDS = (
    ("INTEGRAL CROSS SECTIONS READ FROM FILE", "xsc"),
    ("INTEGRAL CROSS SECTIONS CALCULATED FROM S-MATRICES", "xxsc"),
    ("HYPERFINE-RESOLVED CROSS SECTIONS", "hfx"),
)
_LARGEST = 999_999
_FLAGS = re.compile(r"\s*[TF](?:\s+[TF]){4}\s*")
_SETTINGS = re.compile(
    r"RMU= *(\S+) +E= *(\S+) +(?:JLPAR= *(\S+) +)?JTOT-1= *(\S+) +JTOT-2= *(\S+) +JTOT-D= *(\S+)"
)
_EXPECTED_SETTINGS = "RMU= ... E= ... JTOT-1= ... JTOT-2= ... JTOT-D= ..."


def looks_like_hibridon(content: bytes) -> bool:
    """Return whether the bytes of a file are those of a HIBRIDON table of integral cross sections."""
    return _kind(head(content, 16384).decode("latin-1")) is not None


def _kind(text: str) -> str | None:
    lines = text.replace("\r", "").split("\n", 5)
    if len(lines) == 6 and _FLAGS.fullmatch(lines[4]):
        numbers = to_numbers(lines[3].split())
        if numbers is not None and len(numbers) == 2:
            return "ics"
    return next((kind for words, kind in _KINDS if words in text), None)


@cross_section_reader("hibridon", recognises=looks_like_hibridon, order=20)
def _read(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    molecule, collider = options.need_names(file.path)
    return read_hibridon(
        file, molecule=molecule, collider=collider, levels=levels_if_known(options, molecule)
    )


def read_hibridon(
    file: InputFile | Path, *, molecule: str, collider: str, levels: Levels | None = None
) -> CrossSectionFile:
    """Return the cross sections of one HIBRIDON file: one table, at one total energy, between open levels.

    Levels are labelled `j_index` (`0.5_-1`), those of two molecules `j1_index_j2`, and plainly by j where
    every index is 0; j is half-integer where the file says so. Weights are 2j+1, multiplied for two
    molecules. An .xsc file names no level energies: they are taken by label from `levels`, for example those
    of the .ics file of the same run.

    Raises RatedbError, with the line, where the file is damaged or is none of these; .hfx files are
    refused, as they name neither level energies nor the reduced mass.
    """
    file = as_input(file)
    path, content = file.path, file.content
    lines = numbered_lines(content, path)
    kind = _kind(decode(content, path)[:16384])
    if kind in ("ics", "xxsc", "xsc"):
        need_whole_lines(content, path, lines)
    if kind == "ics":
        found = _read_ics(_Words(path, lines), molecule)
    elif kind == "xxsc":
        found = _read_xxsc(path, lines, molecule)
    elif kind == "xsc":
        found = _read_xsc(path, lines, levels)
    else:
        raise _no_table(path, lines[0], kind)
    return found.file(path, collider)


def _no_table(path: Path, line: Line, kind: str | None) -> RatedbError:
    if kind == "hfx":
        return refuse(
            path,
            line,
            "a HIBRIDON file of hyperfine cross sections names neither level energies nor the reduced mass",
            "an .ics, .xsc or .xxsc file",
            "read the .ics file of the same run; its levels have no hyperfine structure",
        )
    return refuse(
        path, line, "this is not a HIBRIDON table of integral cross sections", ".ics, .xsc or .xxsc"
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """What a file says: levels, and cross sections as matrix[final, initial] between some of them."""

    levels: Levels
    final: list[int]
    initial: list[int]
    matrix: FloatArray
    total_cm1: float
    reduced_mass_u: float
    method: str
    jtot_first: float
    jtot_step: int
    at: Line

    def file(self, path: Path, collider: str) -> CrossSectionFile:
        """Return the table; raises RatedbError for a level that is not open, or one that is missing."""
        final = np.repeat(self.final, len(self.initial))
        initial = np.tile(self.initial, len(self.final))
        kinetic = self.total_cm1 - self.levels.energy_cm1
        for level in (*self.initial, *self.final):
            if kinetic[level] <= 0:
                what = f"level {self.levels.label[level]} is not open at {self.total_cm1:g} cm-1"
                raise refuse(path, self.at, what, "cross sections between open levels only")
        if len(self.final) < (kinetic > 0).sum():
            raise refuse(
                path,
                self.at,
                f"cross sections into {len(self.final)} levels only are listed",
                f"those into all {(kinetic > 0).sum()} open levels",
                "the file is cut off or damaged: get it again",
            )
        notes: list[str] = []
        entries = Entries(initial, final, kinetic[initial], self.matrix.reshape(-1))
        entries = densely_sampled(entries, lowest_kinetic(entries, self.levels), self.jtot_step, notes)
        table = table_of(self.levels, collider, self.method, self.reduced_mass_u, entries)
        opened = int((kinetic > 0).sum())
        if len(self.initial) < opened:
            notes.append(f"only cross sections out of {len(self.initial)} of {opened} open levels are listed")
        findings = (*self._findings(table.system), *irreversible(table))
        return CrossSectionFile((table,), tuple(notes), findings, (path,))

    def _findings(self, system: str) -> tuple[Finding, ...]:
        if self.jtot_first < 1:
            return ()
        return (
            PARTIAL_WAVES.finding(
                system,
                f"{self.method}: the sums begin at a total angular momentum of {self.jtot_first:g}, so the "
                "waves below it are missing",
                value=self.jtot_first,
                expected=0.0,
            ),
        )


class _Words:
    """The words of a file one after another, each with its line."""

    def __init__(self, path: Path, lines: list[Line]) -> None:
        self.path = path
        count = max((k for k, line in enumerate(lines, 1) if line.text.strip()), default=1)
        self.lines = lines[:count]
        self.next = 0

    def line(self) -> Line:
        """Return the next line."""
        line = self.lines[min(self.next, len(self.lines) - 1)]
        self.next += 1
        return line

    def take(self, count: int, what: str) -> tuple[list[float], Line]:
        """Return `count` numbers from the next lines, which hold nothing else, and the first line."""
        first = self.lines[min(self.next, len(self.lines) - 1)]
        values: list[float] = []
        while len(values) < count:
            if self.next >= len(self.lines):
                raise refuse(self.path, self.lines[-1], f"the file ends within {what}", f"{count} numbers")
            line = self.line()
            numbers = to_numbers(line.text.split())
            if not numbers or len(values) + len(numbers) > count:
                raise refuse(
                    self.path,
                    line,
                    f"{what} cannot be read",
                    f"{count - len(values)} more numbers to a line",
                )
            values += numbers
        return values, first

    def whole(self, count: int, what: str) -> tuple[list[int], Line]:
        """Return `count` integers from the next lines."""
        values, first = self.take(count, what)
        if any(value != int(value) or abs(value) > _LARGEST for value in values):
            raise refuse(self.path, first, f"{what} cannot be read", f"integers up to {_LARGEST}")
        return [int(value) for value in values], first

    def row(self, count: int) -> list[float]:
        """Return a row of `count` cross sections, none negative; each row begins a line."""
        values, first = self.take(count, "a row of cross sections")
        if min(values) < 0:
            raise refuse(self.path, first, "a cross section is negative", "numbers >= 0")
        return values

    def need_end(self) -> None:
        """Raise RatedbError where anything follows."""
        for line in self.lines[self.next :]:
            if line.text.strip():
                raise refuse(
                    self.path, line, "something follows after the cross sections", "the end of the file"
                )


def _read_ics(words: _Words, molecule: str) -> _Found:
    for _ in range(3):
        words.line()
    (total, mass), energy_line = words.take(2, "the total energy and the reduced mass")
    flags_line = words.line()
    coupled_states, half, surface, two, _ = [word == "T" for word in flags_line.text.split()]
    if surface:
        raise refuse(words.path, flags_line, "scattering off a surface has no rates", "collisions in a gas")
    settings, _ = words.whole(8, "the range of the total angular momentum")
    (listed, opened), count_line = words.whole(2, "the numbers of levels and of open levels")
    if not 0 < opened <= listed <= 100_000 or settings[2] < 1 or not mass > 0:
        raise refuse(words.path, count_line, "the file's settings make no sense", "levels, some of them open")
    pairs, level_line = words.whole(2 * listed, "the list of levels")
    energies, _ = words.take(listed, "the level energies in hartree")
    energy = np.array(energies) * CM1_PER_HARTREE
    numbers = [_Level(j, index, half, two) for j, index in zip(pairs[::2], pairs[1::2], strict=True)]
    levels = _level_table(words.path, level_line, molecule, numbers, energy)
    if not ((energy[:opened] < total).all() and (energy[opened:] >= total).all()):
        raise refuse(
            words.path,
            count_line,
            f"the first {opened} levels are not those below {total:g} cm-1",
            "the open levels first, then the closed ones",
        )
    rows = [words.row(opened) for _ in range(opened)]
    words.need_end()
    places = list(range(opened))
    method = "CS" if coupled_states else "CC"
    return _Found(
        levels, places, places, np.array(rows), total, mass, method, settings[0], settings[2], energy_line
    )


@dataclass(frozen=True)
class _Level:
    """A level as listed: the code of j, the index, and whether j is half-integer or a code of two j."""

    code: int
    index: int
    half: bool
    two: bool

    @property
    def label(self) -> str:
        """The label `j_index`, or `j1_index_j2`."""
        if self.two:
            return f"{self.code // 10}_{self.index}_{self.code % 10}"
        return f"{self.code}.5_{self.index}" if self.half else f"{self.code}_{self.index}"

    @property
    def weight(self) -> float:
        """2j+1, or the product of both."""
        if self.two:
            return (2 * (self.code // 10) + 1) * (2 * (self.code % 10) + 1)
        return 2 * self.code + (2 if self.half else 1)


def _level_table(
    path: Path, line: Line, molecule: str, levels: list[_Level], energy_cm1: FloatArray
) -> Levels:
    if min(level.code for level in levels) < 0:
        raise refuse(path, line, "a j is negative", "j >= 0")
    plain = not any(level.index or level.half or level.two for level in levels)
    label = [str(level.code) if plain else level.label for level in levels]
    if len(set(label)) < len(label):
        raise refuse(
            path, line, "a level stands twice in the list of levels", "each pair of j and index once"
        )
    j = np.array([level.code for level in levels])
    return Levels(
        molecule,
        tuple(label),
        energy_cm1,
        np.array([level.weight for level in levels]),
        vj(np.zeros_like(j) if plain else None, j if plain else None),
    )


@dataclass(frozen=True)
class _Settings:
    """What the head of a listing says."""

    at: Line
    reduced_mass_u: float
    total_cm1: float
    jtot_first: float
    jtot_step: int
    half: bool
    method: str
    final_rows: bool


def _settings(path: Path, lines: list[Line]) -> _Settings:
    at, match = _first(path, lines, _SETTINGS, _EXPECTED_SETTINGS)
    numbers = to_numbers([match[k] for k in (1, 2, 4, 5, 6)])
    if numbers is None or numbers[0] <= 0 or not 1 <= numbers[4] <= _LARGEST or numbers[4] != int(numbers[4]):
        raise refuse(path, at, "the settings cannot be read", _EXPECTED_SETTINGS)
    mass, total, first, _, step = numbers
    _, method = _first(
        path, lines, re.compile(r"\b(CC|CS) (?:CALCULATION|INTEGRAL CROSS SECTIONS)"), "CC or CS"
    )
    rows_line, rows = _first(
        path,
        lines,
        re.compile(r"COLUMN HEADINGS ARE (\w+) STATES, ROW HEADINGS ARE (\w+) STATES"),
        "headings",
    )
    kinds = {"INTIAL": "INITIAL"}  # older versions of HIBRIDON misspell it
    column, row = (kinds.get(word, word) for word in rows.groups())
    if {column, row} != {"INITIAL", "FINAL"}:
        raise refuse(path, rows_line, "the headings of the matrix are not known", "INITIAL and FINAL STATES")
    return _Settings(at, mass, total, first, int(step), first != int(first), method[1], row == "FINAL")


def _first(
    path: Path, lines: list[Line], pattern: re.Pattern[str], expected: str
) -> tuple[Line, re.Match[str]]:
    for line in lines:
        match = pattern.search(line.text)
        if match is not None:
            return line, match
    raise refuse(path, lines[-1], "the file does not say how its cross sections were computed", expected)


def _read_xxsc(path: Path, lines: list[Line], molecule: str) -> _Found:
    """Read a listing with numbered levels; where JTOT is half-integer, a j printed as 1.0 stands for 1.5."""
    settings = _settings(path, lines)
    rows = iter(lines)
    for line in rows:
        if "LEVEL LIST FOR INTEGRAL CROSS SECTIONS" in line.text:
            break
    next(rows, None)
    numbers: list[_Level] = []
    energy: list[float] = []
    at = lines[-1]
    for line in rows:
        words = line.text.split()
        if not words:
            break
        at = line
        values = to_numbers(words)
        if (
            values is None
            or len(values) != 4
            or values[0] != len(numbers) + 1
            or values[2] != int(values[2])
            or abs(values[2]) > _LARGEST
        ):
            raise refuse(path, line, "a level cannot be read", "its number, j, index and energy in cm-1")
        numbers.append(
            _Level(_code(path, line, words[1], settings.half), int(values[2]), settings.half, False)
        )
        energy.append(values[3])
    if not numbers:
        raise refuse(path, at, "the list of levels is missing", "LEVEL LIST FOR INTEGRAL CROSS SECTIONS")
    levels = _level_table(path, at, molecule, numbers, np.array(energy))
    titles = {str(k + 1): k for k in range(len(numbers))}
    matrix = _Matrix(path, len(numbers), len(numbers))
    for line in rows:
        if "COLUMN HEADINGS ARE" in line.text:
            break
    for line in rows:
        words = line.text.split()
        if len(words) >= 1 and all(to_index(word) is not None for word in words):
            matrix.columns(line, [titles.get(word, -1) for word in words])
        elif words and words[0] in titles:
            matrix.row(line, titles[words[0]], words[1:])
        elif words:
            raise refuse(
                path, line, "a row of cross sections cannot be read", "the number of a level, then numbers"
            )
    return _listed(matrix, levels, settings, list(range(len(numbers))), list(range(len(numbers))))


def _code(path: Path, line: Line, word: str, half: bool) -> int:
    value = to_number(word)
    if (
        value is None
        or not 0 <= value <= _LARGEST
        or value not in (int(value), int(value) + (0.5 if half else 0.0))
    ):
        raise refuse(path, line, "j cannot be read", "a number >= 0, half-integer only where JTOT is so")
    return int(value)


def _listed(
    matrix: _Matrix, levels: Levels, settings: _Settings, rows: list[int], columns: list[int]
) -> _Found:
    values = matrix.whole()
    if settings.final_rows:
        final, initial = rows, columns
    else:
        final, initial, values = columns, rows, values.T
    return _Found(
        levels,
        final,
        initial,
        np.ascontiguousarray(values),
        settings.total_cm1,
        settings.reduced_mass_u,
        settings.method,
        settings.jtot_first,
        settings.jtot_step,
        settings.at,
    )


@dataclass(eq=False)
class _Matrix:
    """A matrix that is printed a few columns at a time."""

    path: Path
    n_rows: int
    n_columns: int
    places: list[int] = field(default_factory=list)
    values: FloatArray = field(init=False)
    at: Line = field(default_factory=lambda: Line(1, ""))

    def __post_init__(self) -> None:
        self.values = np.full((self.n_rows, self.n_columns), np.nan)

    def columns(self, line: Line, places: list[int]) -> None:
        """Begin a stretch of columns."""
        self.at, self.places = line, places
        if min(places) < 0 or len(set(places)) < len(places) or np.isfinite(self.values[:, places]).any():
            raise refuse(self.path, line, "a column stands twice or belongs to no level", "each level once")

    def row(self, line: Line, place: int, words: list[str]) -> None:
        """Add one row of the present columns."""
        numbers = to_numbers(words)
        self.at = line
        if numbers is None or len(numbers) != len(self.places) or not numbers:
            raise refuse(
                self.path,
                line,
                "a row of cross sections cannot be read",
                f"{len(self.places)} numbers in this row",
            )
        if np.isfinite(self.values[place, self.places]).any():
            raise refuse(self.path, line, "a row stands twice", "each level once")
        if min(numbers) < 0:
            raise refuse(self.path, line, "a cross section is negative", "numbers >= 0")
        self.values[place, self.places] = numbers

    def whole(self) -> FloatArray:
        """Return the matrix; raises RatedbError where a part is missing."""
        missing = int(np.isnan(self.values).sum())
        if missing or not self.values.size:
            raise refuse(
                self.path,
                self.at,
                f"the matrix of cross sections is not complete: {missing} of {self.values.size} are missing",
                f"{self.n_rows} rows and {self.n_columns} columns before the end of the file",
                "the file is cut off or damaged: get it again",
            )
        return self.values


def _read_xsc(path: Path, lines: list[Line], levels: Levels | None) -> _Found:
    """Read a listing whose columns and rows are named by j and index, without level energies."""
    settings = _settings(path, lines)
    stretches = list(_stretches(path, lines))
    rows = [name for name, _, _ in stretches[0].rows] if stretches else []
    columns = [name for stretch in stretches for name in stretch.columns]
    if not rows or not columns:
        raise refuse(
            path, lines[-1], "the matrix of cross sections is missing", "J= ... and I= ... above columns"
        )
    if levels is None:
        raise refuse(
            path,
            settings.at,
            "an .xsc file of HIBRIDON does not name the energies of its levels",
            "the levels and their energies",
            "read the .ics file of the same run, or give its levels",
        )
    place = _places(path, stretches[0].at, levels, [*rows, *columns])
    matrix = _Matrix(path, len(rows), len(columns))
    order = {name: k for k, name in enumerate(rows)}
    begin = 0
    for stretch in stretches:
        matrix.columns(stretch.at, list(range(begin, begin + len(stretch.columns))))
        begin += len(stretch.columns)
        for name, words, line in stretch.rows:
            if name not in order:
                raise refuse(path, line, "a row belongs to no level", "the rows of the first columns again")
            matrix.row(line, order[name], words)
    for names in (rows, columns):
        if len(set(names)) < len(names):
            raise refuse(path, stretches[0].at, "a level stands twice", "each pair of j and index once")
    return _listed(
        matrix, levels, settings, [place[name] for name in rows], [place[name] for name in columns]
    )


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Some columns of an .xsc matrix, named by (j, index) as printed, and the rows below them."""

    at: Line
    columns: list[tuple[str, str]]
    rows: list[tuple[tuple[str, str], list[str], Line]]


def _stretches(path: Path, lines: list[Line]) -> Iterator[_Stretch]:
    heading: tuple[Line, list[str]] | None = None
    stretch: _Stretch | None = None
    titled = False
    for line in lines:
        words = line.text.split()
        if not titled:
            titled = "COLUMN HEADINGS ARE" in line.text
        elif words and words[0] == "J=":
            if stretch is not None:
                yield stretch
            heading, stretch = (line, words[1:]), None
        elif heading is not None and words[:4] == ["J", "I", "|", "I="]:
            if len(words[4:]) != len(heading[1]) or len(words) == 4:
                raise refuse(
                    path, line, "the columns have not as many indices as j", f"{len(heading[1])} indices"
                )
            stretch = _Stretch(line, list(zip(heading[1], words[4:], strict=True)), [])
        elif stretch is not None and words:
            if len(words) < 3:
                raise refuse(path, line, "a row of cross sections cannot be read", "j, index and numbers")
            stretch.rows.append(((words[0], words[1]), words[2:], line))
        elif words:
            raise refuse(
                path, line, "the headings of columns are missing", "J= ... and below it J    I | I= ..."
            )
    if stretch is not None:
        yield stretch


def _places(
    path: Path, line: Line, levels: Levels, names: list[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return the level of each (j, index) by the label that it would have, one molecule or two."""
    index = {label: k for k, label in enumerate(levels.label)}
    for spell in (_as_one, _as_two, _as_rotor):
        places = {name: index.get(spell(*name), -1) for name in names}
        if min(places.values()) >= 0:
            return places
    missing = next(name for name in names if _as_one(*name) not in index)
    raise refuse(
        path,
        line,
        f"the level j = {missing[0]}, index {missing[1]} is not among the levels that were given",
        f"a label such as {_as_one(*missing)}",
    )


def _as_one(j: str, index: str) -> str:
    return f"{j}_{index}"


def _as_two(j: str, index: str) -> str:
    return f"{j[:-1] or '0'}_{index}_{j[-1:]}"


def _as_rotor(j: str, index: str) -> str:
    return j if index == "0" else ""
