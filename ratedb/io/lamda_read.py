"""Read LAMDA files with all deviations of published ones, or refuse them and name the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input
from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda_cursor import Cursor
from ratedb.io.lamda_levels import read_levels, read_lines
from ratedb.io.lamda_partner import Partner, clean_molecule, read_partner
from ratedb.io.rate_rows import Rows, partner_of_rows
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, declared_rows, decode, to_index, to_number, to_numbers
from ratedb.io.writer_rules import SMALLEST
from ratedb.levels import Levels
from ratedb.systems import COLLIDER_NAMES, need_collider

_FIRST_HEADER = re.compile(rb"\s*!?\s*(?:MOLECULE|ATOM|ION)\b[^\n\r]*[\n\r]", re.IGNORECASE)
_LEVELS_HEADER = re.compile(rb"^\s*!?\s*NUMBER OF (?:ENERGY )?LEVELS", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class _Section:
    partner: Partner
    line: Line
    temperature_k: list[float]
    rows: Rows


def looks_like_lamda(content: bytes) -> bool:
    """Return whether the first lines of a file are those of a LAMDA file."""
    start = content[:8192].removeprefix(b"\xef\xbb\xbf")
    if b"\0" in start or _LEVELS_HEADER.search(start) is None:
        return False
    return start.lstrip().startswith(b"!") or _FIRST_HEADER.match(start) is not None


@rate_reader("lamda", recognises=looks_like_lamda, order=20, own_levels=True)
def _read(file: InputFile, options: ReadOptions) -> MoleculeFile:
    return read_lamda(file, collider=options.collider, molecule=options.molecule)


def read_lamda(
    file: InputFile | Path, *, collider: str | None = None, molecule: str | None = None
) -> MoleculeFile:
    """Return the levels, lines and rates of a LAMDA file; its `warnings` list what was corrected.

    Energies are in cm-1, frequencies in GHz, temperatures in K and rates in cm3 s-1. Levels keep the order of
    the file; all rates are converted to de-excitation. `molecule` takes precedence over the name in the file,
    `collider` over the partner of a file with one partner. In a file with several partners, `collider` names
    the one that the file does not name or, where it names all, selects one.

    Raises RatedbError, with file and line, where the content is ambiguous or damaged.
    """
    if collider is not None:
        need_collider(collider)
    file = as_input(file)
    cursor = Cursor(file.path, decode(file.content, file.path))
    notes: list[str] = []
    name = _molecule(cursor, molecule, notes)
    molecular_weight = _molecular_weight(cursor)
    levels = read_levels(cursor, name, molecular_weight, notes)
    lines = read_lines(cursor, levels, notes)
    sections = _read_sections(cursor, levels, name)
    _refuse_more(cursor, sections)
    if not sections:
        notes.append("the file has no collision partner, so it holds levels and lines only")
    chosen = _choose(cursor, sections, collider, notes)
    partners = [
        partner_of_rows(levels, one, section.temperature_k, section.rows, section.partner.reference, notes)
        for section, one in chosen
    ]
    if cursor.bare_headers:
        notes.append(f"{cursor.bare_headers} header line(s) without their `!` are taken as headers")
    return MoleculeFile(levels, lines, tuple(partners), tuple(notes))


def _read_sections(cursor: Cursor, levels: Levels, molecule: str) -> list[_Section]:
    declared = cursor.count("collision partners")
    sections: list[_Section] = []
    while len(sections) < declared:
        sections.append(_read_section(cursor, levels, molecule))
    return sections


def _molecule(cursor: Cursor, override: str | None, notes: list[str]) -> str:
    line = cursor.take("the name of the molecule")
    if not cursor.comments:
        raise line.refuse("this is not a LAMDA file", "a first line `!MOLECULE`")
    own = clean_molecule(line.text)
    if override and own and own != override:
        notes.append(f"{cursor.path.name} says it is of {own}; it is read as {override}, as requested")
    name = override or own
    if not name:
        raise line.refuse("the molecule has no name", "a name such as CO", "give the name with --molecule")
    return name


def _molecular_weight(cursor: Cursor) -> float:
    line = cursor.take("the molecular weight")
    fields = line.fields()
    weight = to_number(fields[0]) if fields else None
    if weight is None or not 0 <= weight < 1e6:
        raise line.refuse("the molecular weight is not a number", "a number such as 28.0")
    return weight


def _read_section(cursor: Cursor, levels: Levels, molecule: str) -> _Section:
    line = cursor.take("a collision partner, as the file declares")
    if _is_rate_row(line, len(levels)):
        raise line.refuse(
            "a row of numbers in place of a collision partner",
            "a line such as `2 CO-pH2 from Yang et al. (2010)`",
            "correct the declared number of collisional transitions of the partner before it",
        )
    partner = read_partner(line.text, molecule)
    declared = cursor.count("collisional transitions")
    temperatures = _temperatures(cursor, cursor.count("collision temperatures"))
    return _Section(partner, line, temperatures, _rate_rows(cursor, declared, len(temperatures), len(levels)))


def _is_rate_row(line: Line, n_levels: int) -> bool:
    fields = line.fields()
    indices = [to_index(word) for word in fields[:3]]
    inside = all(index is not None and 1 <= index <= n_levels for index in indices[1:])
    return len(fields) > 3 and indices[0] is not None and inside and to_number(fields[3]) is not None


def _temperatures(cursor: Cursor, declared: int) -> list[float]:
    line = cursor.take("the collision temperatures in K")
    words = line.fields()
    while len(words) < declared and (more := cursor.continuation()) is not None:
        words += more.fields()
    values = to_numbers(words)
    what = "the collision temperatures cannot be read"
    if values is None or len(values) != declared or declared == 0:
        raise line.refuse(what, f"{declared} temperatures as declared, found {len(words)}")
    if min(values) <= 0 or max(values) > 1e9 or any(a >= b for a, b in pairwise(values)):
        raise line.refuse(what, "temperatures in 0..1e9 K that increase")
    return values


def _rate_rows(cursor: Cursor, declared: int, columns: int, n_levels: int) -> Rows:
    rows = Rows(n_levels)
    while len(rows) < declared:
        line = cursor.take(declared_rows("collisional transitions", declared, len(rows)))
        fields = line.text.split()
        if len(fields) != 3 + columns or "_" in line.text or not line.text.isascii() or "!" in line.text:
            fields = _joined(cursor, line, 3 + columns)
        values = _rates_of(fields)
        upper, lower = (to_index(word) for word in [*fields, "", "", ""][1:3])
        if values is None or len(values) != columns or upper is None or lower is None:
            found = declared_rows("collisional transitions", declared, len(rows))
            raise line.refuse(
                "a row of rate coefficients cannot be read",
                f"number, up, low and {columns} numbers, one for each temperature; {found}",
            )
        rows.add(line, upper, lower, [0.0 if value == SMALLEST else value for value in values])
    return rows


def _rates_of(fields: Sequence[str]) -> list[float] | None:
    """Return the numbers after the first three words; float first, for speed."""
    try:
        values = list(map(float, fields[3:]))
    except ValueError:
        return to_numbers(fields[3:])
    # a finite sum means no nan or inf; a word that float alone takes, as 1_0, was sent past this door
    numbered = bool(fields) and to_index(fields[0]) is not None
    return values if numbered and sum(values) < 1e300 else None


def _joined(cursor: Cursor, line: Line, width: int) -> list[str]:
    """Return the words of a row that may be wrapped over the following lines."""
    fields = line.fields()
    while len(fields) < width and to_numbers(fields) is not None and (more := cursor.continuation()):
        words = more.fields()
        if words and to_index(words[0]):
            break  # a rate is never printed as 2: that is the next row, and this one is short
        fields += words
    return fields if to_numbers(fields) is not None else []


def _refuse_more(cursor: Cursor, sections: Sequence[_Section]) -> None:
    """Refuse rows and partners after those that the file declares; notes are allowed there."""
    while (line := cursor.next_line()) is not None:
        opens = any(re.match(r"!\s*COLLISIONS? (?:BETWEEN|WITH)", text, re.I) for text in cursor.comments)
        following = cursor.lines[cursor.position : cursor.position + 2]
        partner = opens and any(text.strip().isdigit() for text in following)
        words = line.fields()
        width = 3 + len(sections[-1].temperature_k) if sections else 0
        row = len(words) == width and to_numbers(words) is not None
        if partner or row:
            raise line.refuse(
                "the file continues after its declared counts",
                f"no more {'collision partners' if partner else 'rates'} than declared",
                "correct the declared count, or remove what follows",
            )


def _choose(
    cursor: Cursor, sections: Sequence[_Section], collider: str | None, notes: list[str]
) -> list[tuple[_Section, str]]:
    """Return the partners to keep, each with its collider, by the words of the file and `--collider`."""
    if collider is not None and len(sections) == 1:
        if sections[0].partner.collider not in (None, collider):
            notes.append(f"`{sections[0].line.text}` is taken as {collider}, as requested")
        return [(sections[0], collider)]
    unknown = [section for section in sections if section.partner.collider is None]
    if len(unknown) > 1 or (unknown and collider is None):
        raise unknown[0].line.refuse(
            "the collision partner is not known",
            COLLIDER_NAMES,
            "name it with --collider"
            if len(unknown) == 1
            else "split the file: more than one partner is not known",
        )
    notes += [section.partner.warning for section in sections if section.partner.warning]
    chosen = [(section, section.partner.collider or collider or "") for section in sections]
    if collider is not None and not unknown:
        chosen = _select(cursor, chosen, collider, notes)
    for position, (section, name) in enumerate(chosen):
        first = next(other for other, taken in chosen if taken == name)
        if first is not chosen[position][0]:
            raise section.line.refuse(
                f"two collision partners are both {name}",
                f"each collider once; the first is line {first.line.number}, `{first.line.text}`",
                "split the file, or correct the id and text of one of them",
            )
    return chosen


def _select(
    cursor: Cursor, chosen: list[tuple[_Section, str]], collider: str, notes: list[str]
) -> list[tuple[_Section, str]]:
    selected = [(section, name) for section, name in chosen if name == collider]
    if not selected:
        raise RatedbError(
            f"the file has no collision partner {collider}",
            where=str(cursor.path),
            expected=" ".join(name for _, name in chosen) or "at least one partner",
            got=collider,
        )
    left_out = [name for _, name in chosen if name != collider]
    if left_out:
        notes.append(f"only {collider} is read, as requested; left out: {', '.join(left_out)}")
    return selected
