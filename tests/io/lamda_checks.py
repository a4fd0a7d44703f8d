"""The rules of the LAMDA writer as small checks of raw text, each of one rule, without a reader of ratedb."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

REAL = re.compile(r"-?\d+\.\d+(?:E[+-]\d\d)?")
HEADERS = (
    "!MOLECULE",
    "!MOLECULAR WEIGHT",
    "!NUMBER OF ENERGY LEVELS",
    r"!LEVEL \+ ENERGIES\(cm\^-1\) \+ WEIGHT \+ (J|QNUM|QNUM\(\w+\))",
    "!NUMBER OF RADIATIVE TRANSITIONS",
    r"!TRANS \+ UP \+ LOW \+ EINSTEINA\(s\^-1\) \+ FREQ\(GHz\) \+ E_u\(K\)",
    "!NUMBER OF COLL PARTNERS",
    "!COLLISIONS BETWEEN",
    "!NUMBER OF COLL TRANS",
    "!NUMBER OF COLL TEMPS",
    "!COLL TEMPS",
    r"!TRANS \+ UP \+ LOW \+ COLLRATES\(cm\^3 s\^-1\)",
)
PARTNERS = ("H2", "p-H2", "o-H2", "e", "H", "He", "H+")


@dataclass(frozen=True)
class Section:
    """One partner by the places of its rows."""

    line: str
    temperature: list[str]
    declared: int
    rows: list[list[str]]

    def pairs(self) -> list[tuple[int, int]]:
        return [(int(row[1]), int(row[2])) for row in self.rows]


@dataclass(frozen=True)
class Slots:
    """A text cut at its declared counts, as a reader does that goes by the place of each row."""

    text: str
    rows: list[str]
    headers: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    levels: list[list[str]] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    @cached_property
    def energy(self) -> list[float]:
        return [float(row[1]) for row in self.levels]

    @cached_property
    def reals(self) -> list[str]:
        words = [self.rows[3]]
        words += [word for row in self.levels for word in row[1:3]]
        words += [word for row in self.lines for word in row[3:]]
        for section in self.sections:
            words += section.temperature + [word for row in section.rows for word in row[3:]]
        return words

    def line_pairs(self) -> list[tuple[int, int]]:
        return [(int(row[1]), int(row[2])) for row in self.lines]


def slots(text: str) -> Slots:
    """Cut a text; raises ValueError or IndexError where its counts do not fit."""
    found = Slots(text, text.removesuffix("\n").split("\n"))
    at = 2

    def take() -> str:
        nonlocal at
        found.headers.append(found.rows[at])
        at += 2
        return found.rows[at - 1]

    def count() -> int:
        found.counts.append(take())
        return int(found.counts[-1].split()[0])

    def block(n: int) -> list[list[str]]:
        nonlocal at
        found.headers.append(found.rows[at])
        at += 1 + n
        return [row.split() for row in found.rows[at - n : at]]

    found.headers.append(found.rows[0])
    take()
    found.levels.extend(block(count()))
    found.lines.extend(block(count()))
    for _ in range(count()):
        line, n_rates, n_temperatures = take(), count(), count()
        [temperature] = block(1)
        found.sections.append(Section(line, temperature, n_temperatures, block(n_rates)))
    if at > len(found.rows):
        raise IndexError("the text ends before its rows do")
    return found


def _length(found: Slots) -> int:
    return 12 + sum(map(len, (found.levels, found.lines))) + sum(9 + len(one.rows) for one in found.sections)


def _form_of(line: str, molecule: str) -> re.Match[str] | None:
    partners = "|".join(map(re.escape, PARTNERS))
    return re.fullmatch(rf"([1-7]) {re.escape(molecule)} \+ ({partners})(?: \S.*)?", line)


def _connected(found: Slots) -> set[frozenset[int]]:
    """Return the groups of levels that lines and rates join."""
    group = {i: {i} for i in range(1, len(found.levels) + 1)}
    joined = found.line_pairs() + [pair for section in found.sections for pair in section.pairs()]
    for a, b in joined:
        small, large = sorted((group[a], group[b]), key=len)
        if small is not large:
            large |= small
            group.update(dict.fromkeys(small, large))
    return {frozenset(members) for members in group.values()}


def _rising(values: list[float]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


def _numbered(rows: list[list[str]]) -> bool:
    return [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))


def _frequencies(found: Slots) -> bool:
    gap = [found.energy[up - 1] - found.energy[low - 1] for up, low in found.line_pairs()]
    return all(
        abs(float(row[4]) - cm1 * 29.9792458) <= 1e-3 * cm1 * 29.9792458
        for row, cm1 in zip(found.lines, gap, strict=True)
    )


def _positive(word: str) -> bool:
    return 0 < float(word) < float("inf")


Check = Callable[[Slots], bool]

ALWAYS: dict[str, Check] = {
    "ASCII": lambda s: s.text.isascii(),
    "LF": lambda s: "\r" not in s.text,
    "final newline": lambda s: s.text.endswith("\n"),
    "no tab": lambda s: "\t" not in s.text,
    "no BOM": lambda s: s.text[:1] == "!",
    "no blank line": lambda s: all(row.strip() for row in s.text.split("\n")[:-1]),
    "no comment": lambda s: (
        sum("!" in row for row in s.rows) == 7 + 5 * len(s.sections)
        and all("!" not in row[1:] for row in s.rows)
    ),
    "nothing after the last row": lambda s: len(s.rows) == _length(s),
    "headers at column 1": lambda s: all(header[:1] == "!" for header in s.headers),
    "fixed headers": lambda s: all(
        any(re.fullmatch(fixed, header) for fixed in HEADERS) for header in s.headers
    ),
    "first line": lambda s: s.rows[0] == "!MOLECULE",
    "partner opening": lambda s: s.headers[7::5] == ["!COLLISIONS BETWEEN"] * len(s.sections),
    "header bytes": lambda s: all(len(header.encode()) < 199 for header in s.headers),
    "molecule name": lambda s: re.fullmatch(r"\S{1,78}", s.rows[1]) is not None,
    "counts alone": lambda s: all(re.fullmatch(r"\d+", count) for count in s.counts),
    "reals have a point": lambda s: all("." in word for word in s.reals),
    "reals of 16 characters": lambda s: all(len(word) <= 16 for word in s.reals),
    "exponents": lambda s: all(REAL.fullmatch(word) for word in s.reals),
    "levels numbered": lambda s: _numbered(s.levels),
    "energies increase": lambda s: _rising(s.energy),
    "labels one token": lambda s: all(
        len(row) == 4 and re.fullmatch(r"[A-Za-z0-9_.+-]+", row[3]) for row in s.levels
    ),
    "labels unique in six": lambda s: len({row[3][:6] for row in s.levels}) == len(s.levels),
    "lines of six columns": lambda s: all(len(row) == 6 for row in s.lines),
    "lines numbered": lambda s: _numbered(s.lines),
    "lines downward": lambda s: all(s.energy[up - 1] > s.energy[low - 1] for up, low in s.line_pairs()),
    "no line twice": lambda s: len({frozenset(pair) for pair in s.line_pairs()}) == len(s.lines),
    "A positive": lambda s: all(_positive(row[3]) for row in s.lines),
    "frequency positive": lambda s: all(float(row[4]) > 0 for row in s.lines),
    "partner form": lambda s: all(_form_of(one.line, s.rows[1]) for one in s.sections),
    "partner of its id": lambda s: all(
        one.line.split(" + ")[1].split()[0] == PARTNERS[int(one.line[0]) - 1] for one in s.sections
    ),
    "id at byte 0": lambda s: all(re.match(r"[1-7] \S", one.line) for one in s.sections),
    "no id twice": lambda s: len({one.line.split()[0] for one in s.sections}) == len(s.sections),
    "1 to 7 partners": lambda s: 1 <= len(s.sections) <= 7,
    "partner bytes": lambda s: all(len(one.line.encode()) < 120 for one in s.sections),
    "temperatures increase": lambda s: all(
        _rising([float(word) for word in one.temperature]) for one in s.sections
    ),
    "temperatures as declared": lambda s: all(
        len(one.temperature) == one.declared >= 1 for one in s.sections
    ),
    "rates numbered": lambda s: all(one.rows and _numbered(one.rows) for one in s.sections),
    "rates downward": lambda s: all(
        s.energy[up - 1] > s.energy[low - 1] for one in s.sections for up, low in one.pairs()
    ),
    "no rate twice": lambda s: all(
        len({frozenset(pair) for pair in one.pairs()}) == len(one.rows) for one in s.sections
    ),
    "rates positive": lambda s: all(
        _positive(word) for one in s.sections for row in one.rows for word in row[3:]
    ),
    "rates complete": lambda s: all(len(row) == 3 + one.declared for one in s.sections for row in one.rows),
    "every level connected": lambda s: all(len(group) > 1 for group in _connected(s)),
}
"""The rules that every file keeps, whatever the data."""

OF_TIES: dict[str, Check] = {
    "energies parted by 1e-7": lambda s: all(b - a > 0.99e-7 for a, b in itertools.pairwise(s.energy)),
}
"""What the writer does where energies are equal; a source may have levels closer to each other."""

WARNED: dict[str, Check] = {
    "rows of 512": lambda s: all(len(row) <= 512 for row in s.rows),
    "whole weights": lambda s: all(re.fullmatch(r"\d+\.0", row[2]) for row in s.levels),
    "no H+": lambda s: all(one.line[0] != "7" for one in s.sections),
    "H2 or its spins": lambda s: not {"1"} < {one.line[0] for one in s.sections if one.line[0] in "123"},
    "2 temperatures": lambda s: all(len(one.temperature) >= 2 for one in s.sections),
    "61 temperatures": lambda s: all(len(one.temperature) <= 61 for one in s.sections),
    "whole temperatures": lambda s: all(
        re.fullmatch(r"\d+\.0", word) for one in s.sections for word in one.temperature
    ),
    "all levels connected": lambda s: len(_connected(s)) == 1,
    "a line": lambda s: len(s.lines) > 0,
    "RADEX levels": lambda s: len(s.levels) <= 2999,
    "frequency of the levels": _frequencies,
    "RADEX lines": lambda s: len(s.lines) <= 99999,
    "RADEX rates": lambda s: all(len(one.rows) <= 99999 for one in s.sections),
    "Cloudy levels": lambda s: len(s.levels) <= 999,
    "SpectralRadex lines": lambda s: len(s.lines) <= 500,
}
"""The rules that data can make impossible; then the writer warns."""


def keeps(check: Check, text: str) -> bool:
    """Return whether a text keeps a rule; one that cannot even be cut keeps none."""
    try:
        return bool(check(slots(text)))
    except (ValueError, IndexError, KeyError):
        return False


def keeps_every_rule(text: str) -> None:
    """Assert the strictest common subset of LAMDA.md but for what data can make impossible."""
    found = slots(text)
    broken = [name for name, check in ALWAYS.items() if not check(found)]
    assert broken == []
