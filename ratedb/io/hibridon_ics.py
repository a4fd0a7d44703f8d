"""Read the .ics files of HIBRIDON: numbers without words, whose order gives their meaning."""

from __future__ import annotations

import re

import numpy as np

from ratedb.io.hibridon_levels import ListedLevel, level_table, other_tables
from ratedb.io.hibridon_matrix import Calculation, Found
from ratedb.io.text import Line, to_numbers
from ratedb.physics.constants import CM1_PER_HARTREE

FLAGS = re.compile(r"\s*[TF](?:\s+[TF]){4}\s*")
"""The line of flags that tells an .ics file."""
_LARGEST = 999_999


class Words:
    """The numbers of a file one after another, each with its line."""

    def __init__(self, lines: list[Line]) -> None:
        count = max((k for k, line in enumerate(lines, 1) if line.text.strip()), default=1)
        self.lines = lines[:count]
        self.next = 0

    def line(self) -> Line:
        """Return the next line."""
        line = self.lines[min(self.next, len(self.lines) - 1)]
        self.next += 1
        return line

    def take(self, count: int, what: str) -> tuple[list[float], Line]:
        """Return `count` numbers from the next lines, which contain nothing else, and the first line."""
        first = self.lines[min(self.next, len(self.lines) - 1)]
        values: list[float] = []
        while len(values) < count:
            if self.next >= len(self.lines):
                raise self.lines[-1].refuse(f"the file ends within {what}", f"{count} numbers")
            line = self.line()
            numbers = to_numbers(line.text.split())
            if not numbers or len(values) + len(numbers) > count:
                raise line.refuse(f"{what} cannot be read", f"{count - len(values)} more numbers to a line")
            values += numbers
        return values, first

    def whole(self, count: int, what: str) -> tuple[list[int], Line]:
        """Return `count` integers from the next lines, and the first line."""
        values, first = self.take(count, what)
        if any(value != int(value) or abs(value) > _LARGEST for value in values):
            raise first.refuse(f"{what} cannot be read", f"integers up to {_LARGEST}")
        return [int(value) for value in values], first

    def row(self, count: int) -> list[float]:
        """Return a row of `count` cross sections, none negative; each row begins a line."""
        values, first = self.take(count, "a row of cross sections")
        if min(values) < 0:
            raise first.refuse("a cross section is negative", "numbers >= 0")
        return values

    def need_end(self) -> None:
        """Raise RatedbError where anything follows."""
        for line in self.lines[self.next :]:
            if line.text.strip():
                raise line.refuse("something follows after the cross sections", "the end of the file")


def read_ics(words: Words, molecule: str) -> Found:
    """Return what an .ics file gives; raises RatedbError, with the line, where it is damaged."""
    for _ in range(3):
        words.line()
    (total, mass), energy_line = words.take(2, "the total energy and the reduced mass")
    flags_line = words.line()
    coupled_states, half, surface, two, _ = [word == "T" for word in flags_line.text.split()]
    if surface:
        raise flags_line.refuse("scattering off a surface has no rates", "collisions in a gas")
    settings, _ = words.whole(8, "the range of the total angular momentum")
    (listed, opened), count_line = words.whole(2, "the numbers of levels and of open levels")
    if not 0 < opened <= listed <= 100_000 or settings[2] < 1 or not mass > 0:
        raise count_line.refuse("the file's settings are invalid", "levels, some of them open")
    pairs, level_line = words.whole(2 * listed, "the list of levels")
    energies, _ = words.take(listed, "the level energies in hartree")
    energy = np.array(energies) * CM1_PER_HARTREE
    numbers = [ListedLevel(j, index, half, two) for j, index in zip(pairs[::2], pairs[1::2], strict=True)]
    levels = level_table(level_line, molecule, numbers, energy)
    others = other_tables(level_line, molecule, numbers, energy)
    if not ((energy[:opened] < total).all() and (energy[opened:] >= total).all()):
        what = f"the first {opened} levels are not those below {total:g} cm-1"
        raise count_line.refuse(what, "the open levels first, then the closed ones")
    rows = [words.row(opened) for _ in range(opened)]
    words.need_end()
    method = "CS" if coupled_states else "CC"
    made = Calculation(energy_line, mass, total, method, settings[0], settings[2])
    return Found(made, levels, list(range(opened)), list(range(opened)), np.array(rows), tuple(others))
