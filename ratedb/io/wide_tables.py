"""Wide CSV tables of rate coefficients: a row for each transition, a column for each temperature."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.contents import MoleculeFile
from ratedb.io.level_lists import needed_levels
from ratedb.io.listed_levels import LevelList, open_end
from ratedb.io.pair_levels import collider_levels, pairs_in
from ratedb.io.rate_rows import Rows, file_of_rows, increasing_temperatures
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, numbered_lines, to_index, to_number, to_numbers
from ratedb.kinds.reading import known_kinds
from ratedb.kinds.recognise import vocabulary
from ratedb.levels import Levels, Lines
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.safe_text import from_cell

_HEAD = 1 << 16  # bytes
_NUMBERS = ("initial", "final")
_PARTNER_NUMBERS = ("partner_initial", "partner_final")
_LABELS = (("upper_label", "lower_label"), ("initial_label", "final_label"))
_NAMED = "a row names a level that is not in the list"
_ONE_ROW = "one row for each transition: two levels, and a number for each temperature"


@dataclass(frozen=True)
class _Ends:
    """The columns that name the initial and the final level of one molecule, in the order of `names`.

    `names` are `initial` for the numbers of levels in their list, `label`, or quantum numbers.
    """

    names: tuple[str, ...]
    initial: tuple[int, ...]
    final: tuple[int, ...]


@dataclass(frozen=True)
class _Header:
    """What the first line of a wide table says: columns of levels, and of temperatures from `first` on."""

    target: _Ends
    partner: _Ends | None
    first: int
    names: tuple[str, ...]


def looks_like_wide_table(content: bytes) -> bool:
    """Return whether the first line of a file names two levels and then temperatures."""
    text = content[:_HEAD].decode("latin-1").lstrip()
    return _header(_cells(text.splitlines()[0] if text else "")) is not None


@rate_reader("wide", recognises=looks_like_wide_table, order=35)
def read_wide_table(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates (cm3 s-1) of a CSV table whose columns are temperatures in K.

    The columns before these name the levels: `initial, final`, numbers of levels in their list, with
    `partner_initial, partner_final`, 0 where the collider's state is not resolved; or labels; or quantum
    numbers, as `v, j, v_final, j_final`. Raises RatedbError, with file and line, for what cannot be read.
    """
    path = file.path
    molecule, collider = options.need_names(path)
    lines = [line for line in numbered_lines(file.content, path) if line.text.strip()]
    header = _header(_cells(lines[0].text)) if lines else None
    if header is None:
        raise _no_header(path, lines)
    levels = _levels(options, path, molecule, header)
    words = [name.removesuffix("K").strip() for name in header.names[header.first :]]
    temperature_k = increasing_temperatures(lines[0], words)
    listed = [(line, row, _values(line, row, header)) for line, row in _split(lines[1:], header)]
    full = [one for one in listed if not np.isnan(one[2]).all()]
    body, cells, values = (list(part) for part in zip(*full, strict=True)) if full else ([], [], [])
    notes = [*levels.notes, *open_end(numbered_lines(file.content, path)[-1].text)]
    if len(full) < len(listed):
        notes.append(f"{len(listed) - len(full)} rows have no rate and are left out")
    if _is_resolved(body, cells, header):
        second = collider_levels(options, path, collider)
        fours = _fours(path, header, levels.levels, second, body, cells)
        pairs = pairs_in(fours, levels.levels, second)
        whole = LevelList(pairs.levels, Lines.empty(), tuple(notes))
        ends = [pairs.ends(four) for four in fours]
        return file_of_rows(path, whole, collider, temperature_k, _rows(whole, body, ends, values), "")
    if options.collider_levels is not None:
        notes.append(f"{options.collider_levels} is not used: the table does not resolve the collider")
    whole = LevelList(levels.levels, levels.lines, tuple(notes))
    ends = _numbers(path, header.target, levels.levels, body, cells)
    return file_of_rows(path, whole, collider, temperature_k, _rows(whole, body, ends, values), "")


def _rows(
    levels: LevelList, lines: Sequence[Line], ends: Sequence[tuple[int, int]], values: Sequence[list[float]]
) -> Rows:
    rows = Rows(len(levels.levels))
    for line, (initial, final), row in zip(lines, ends, values, strict=True):
        rows.add(line, initial, final, row)
    return rows


# -- the header ------------------------------------------------------------------------------------


def _cells(text: str) -> list[str]:
    try:
        row = next(csv.reader([text.removeprefix("\ufeff")], skipinitialspace=True), [])
    except csv.Error:
        return []
    return [from_cell(cell.strip()) for cell in row]


def _header(names: Sequence[str]) -> _Header | None:
    """Return what a first line says, None where it is not that of a wide table."""
    first = next((place for place, name in enumerate(names) if _is_kelvin(name)), len(names))
    place = {name.lower(): at for at, name in enumerate(names[:first])}
    if first == len(names) or not all(map(_is_kelvin, names[first:])) or len(place) < first:
        return None
    target = _columns(place, _NUMBERS, partner=False)
    partner = _columns(place, _PARTNER_NUMBERS, partner=True)
    used = [at for ends in (target, partner) if ends for at in (*ends.initial, *ends.final)]
    if target is None or sorted(used) != list(range(first)):
        return None
    return _Header(target, partner, first, tuple(names))


def _is_kelvin(name: str) -> bool:
    value = to_number(name.removesuffix("K").strip())
    return value is not None and value > 0


def _columns(place: Mapping[str, int], numbers: tuple[str, str], *, partner: bool) -> _Ends | None:
    """Return the columns that name the levels of the molecule, or those of its partner; None without."""
    for name, pair in (("number", numbers), *(() if partner else [("label", one) for one in _LABELS])):
        if set(pair) <= set(place):
            return _Ends((name,), (place[pair[0]],), (place[pair[1]],))
    words = vocabulary(known_kinds())
    found: dict[str, tuple[int, int]] = {}
    for name, at in place.items():
        bare = name.removesuffix("_initial")
        number = words.get(bare.replace("_", ""), "")
        of_partner = number.endswith("2") and number != "v2"  # the second vibration is no second molecule
        if number and of_partner == partner and f"{bare}_final" in place:
            found[number.removesuffix("2") if partner else number] = (at, place[f"{bare}_final"])
    if not found:
        return None
    initial, final = zip(*found.values(), strict=True)
    return _Ends(tuple(found), initial, final)


def _no_header(path: Path, lines: Sequence[Line]) -> RatedbError:
    return RatedbError(
        "the first line does not name levels and temperatures",
        where=f"{path}:{lines[0].number if lines else 1}",
        expected="such as initial,final,partner_initial,partner_final,10,20,50 or v,j,v_final,j_final,10,20",
        got=f"`{lines[0].text[:80]}`" if lines else "an empty file",
        todo="name the columns; temperatures are in K",
    )


# -- the rows --------------------------------------------------------------------------------------


def _levels(options: ReadOptions, path: Path, molecule: str, header: _Header) -> LevelList:
    """Return the list of levels; rows with labels or quantum numbers may refer to those in the store."""
    known = None
    if header.target.names != ("number",) and not options.levels:
        known = options.known_levels(molecule)
    return needed_levels(options, path, molecule) if known is None else LevelList(known, Lines.empty())


def _split(lines: Sequence[Line], header: _Header) -> Iterator[tuple[Line, list[str]]]:
    """Yield each line with its cells; raises RatedbError where they are not as many as names."""
    for line in lines:
        cells = _cells(line.text)
        if len(cells) != len(header.names):
            expected = f"{len(header.names)} cells, as the first line names them: {_ONE_ROW}"
            raise line.refuse(f"a row has {len(cells)} cells", expected)
        yield line, cells


def _values(line: Line, cells: Sequence[str], header: _Header) -> list[float]:
    """Return the numbers of a row, NaN where a cell is empty; raises RatedbError for what is no rate."""
    words = cells[header.first :]
    known = to_numbers([word for word in words if word])
    if known is None:
        raise line.refuse("a rate coefficient cannot be read", _ONE_ROW)
    if min(known, default=0.0) < 0:
        raise line.refuse("a rate coefficient is negative", "numbers >= 0 in cm3 s-1")
    if max(known, default=0.0) > IMPOSSIBLE_CM3_S:
        raise line.refuse(
            "a number is too large for a rate coefficient",
            f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1, and temperatures in K in the first line",
            "if these are cross sections, average them first, or import them with --cross-sections as a"
            " table with a row for each value (docs/formats.md)",
        )
    number = iter(known)
    return [next(number) if word else np.nan for word in words]


def _fours(
    path: Path,
    header: _Header,
    first: Levels,
    second: Levels,
    lines: Sequence[Line],
    cells: Sequence[list[str]],
) -> list[tuple[int, int, int, int]]:
    """Return the numbers of the initial and final level of the molecule, then of the collider, by row."""
    own = _numbers(path, header.target, first, lines, cells)
    others = _numbers(path, header.partner or header.target, second, lines, cells)
    return [(*ends, *more) for ends, more in zip(own, others, strict=True)]


def _is_resolved(lines: Sequence[Line], cells: Sequence[list[str]], header: _Header) -> bool:
    """Return whether rows name the states of the collider; RatedbError where only some of them do."""
    partner = header.partner
    if partner is None:
        return False
    if partner.names != ("number",):
        return True
    named = [(row[partner.initial[0]] != "0", row[partner.final[0]] != "0") for row in cells]
    for line, (initial, final) in zip(lines, named, strict=True):
        if initial and not final:
            raise line.refuse(
                "the rates are summed over the final states of the collider",
                "partner_initial and partner_final both resolved, or both 0",
                "import the rates out of each initial state of the collider as a table of its own, with"
                " both 0 and a collider such as 'H2(j=2)'",
            )
        if (initial, final) != named[0]:
            raise line.refuse("only some rows resolve the state of the collider", "all rows, or none")
    return bool(named) and named[0][0]


def _numbers(
    path: Path, ends: _Ends, levels: Levels, lines: Sequence[Line], cells: Sequence[list[str]]
) -> list[tuple[int, int]]:
    """Return the numbers, from 1, of the initial and final level of each row; RatedbError for no level."""
    if ends.names == ("number",):
        return [_listed(line, row, ends, levels) for line, row in zip(lines, cells, strict=True)]
    number_of = _by_key(path, ends.names, levels)
    found = []
    for line, row in zip(lines, cells, strict=True):
        keys = [_key(ends.names, [row[at] for at in side]) for side in (ends.initial, ends.final)]
        for key in keys:
            if key not in number_of:
                expected = f"levels of {levels.molecule} by {', '.join(ends.names)}, not {key}"
                raise line.refuse(_NAMED, expected, "name a complete list with --levels")
        found.append((number_of[keys[0]], number_of[keys[1]]))
    return found


def _listed(line: Line, row: Sequence[str], ends: _Ends, levels: Levels) -> tuple[int, int]:
    initial, final = (to_index(row[at]) for at in (ends.initial[0], ends.final[0]))
    if initial is None or final is None or not all(1 <= one <= len(levels) for one in (initial, final)):
        expected = f"numbers 1..{len(levels)} of levels of {levels.molecule}"
        raise line.refuse(_NAMED, expected, "check that the list of levels is the one of this table")
    return initial, final


_Key = str | tuple[float, ...]


def _key(names: tuple[str, ...], words: Sequence[str]) -> _Key:
    if names == ("label",):
        return words[0]
    return tuple(to_numbers(words) or ())


def _by_key(path: Path, names: tuple[str, ...], levels: Levels) -> dict[_Key, int]:
    """Return the number from 1 of each level by label or by these quantum numbers; RatedbError for twins."""
    if names == ("label",):
        return {label: place for place, label in enumerate(levels.label, start=1)}
    numbers = levels.quantum_numbers
    absent = [name for name in names if name not in numbers]
    keys = [] if absent else list(zip(*(numbers[name].tolist() for name in names), strict=True))
    if absent or len(set(keys)) < len(keys):
        raise RatedbError(
            f"the columns {', '.join(names)} do not name the levels of {levels.molecule}",
            where=str(path),
            expected=f"all of {', '.join(numbers) or 'their labels'}, each with a column that ends in _final",
            got=f"no {', '.join(absent)} in the list" if absent else "levels that have the same numbers",
            todo="name levels by initial, final (their numbers in the list), by labels or by all numbers",
        )
    return {key: place for place, key in enumerate(keys, start=1)}
