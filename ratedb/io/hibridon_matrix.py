"""The matrix of cross sections of a HIBRIDON file, and the table that it gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.findings import missing_waves
from ratedb.io.cross_sections import (
    CrossSectionFile,
    Entries,
    densely_sampled,
    irreversible,
    lowest_kinetic,
    table_of,
)
from ratedb.io.hibridon_weights import levels_by_reversibility
from ratedb.io.text import DAMAGED, Line, to_numbers
from ratedb.levels import Levels


@dataclass(frozen=True)
class Calculation:
    """How the cross sections were computed, and the line that says so."""

    at: Line
    reduced_mass_u: float
    total_cm1: float
    method: str
    jtot_first: float
    jtot_step: int


@dataclass(frozen=True, eq=False)
class Found:
    """What a file gives: cross sections as matrix[final, initial] between some of its levels.

    `others` are other readings of the list of levels, which its codes allow too.
    """

    made: Calculation
    levels: Levels
    final: list[int]
    initial: list[int]
    matrix: FloatArray
    others: tuple[Levels, ...] = ()

    def file(self, collider: str) -> CrossSectionFile:
        """Return the table; raises RatedbError for a level that is not open, or one that is missing."""
        made, kinetic = self.made, self.made.total_cm1 - self.levels.energy_cm1
        opened = int((kinetic > 0).sum())
        for level in (*self.initial, *self.final):
            if kinetic[level] <= 0:
                what = f"level {self.levels.label[level]} is not open at {made.total_cm1:g} cm-1"
                raise made.at.refuse(what, "cross sections between open levels only")
        if len(self.final) < opened:
            what = f"cross sections into {len(self.final)} levels only are listed"
            raise made.at.refuse(what, f"those into all {opened} open levels", DAMAGED)
        initial, final = np.tile(self.initial, len(self.final)), np.repeat(self.final, len(self.initial))
        levels, notes = self._weighed()
        entries = Entries(initial, final, kinetic[initial], self.matrix.reshape(-1))
        entries = densely_sampled(entries, lowest_kinetic(entries, levels), made.jtot_step, notes)
        table = table_of(levels, collider, made.method, made.reduced_mass_u, entries)
        if len(self.initial) < opened:
            notes.append(f"only cross sections out of {len(self.initial)} of {opened} open levels are listed")
        findings = irreversible(table)
        if made.jtot_first >= 1:
            findings = (missing_waves(table.system, made.method, made.jtot_first), *findings)
        return CrossSectionFile((table,), tuple(notes), findings, (made.at.path,))

    def _weighed(self) -> tuple[Levels, list[str]]:
        """Return the reading of the levels whose weights both directions obey, and what is said of it."""
        both = [level for level in self.initial if level in self.final]
        rows = [self.final.index(level) for level in both]
        columns = [self.initial.index(level) for level in both]
        sigma = self.matrix[np.ix_(rows, columns)].T
        made = self.made
        return levels_by_reversibility(made.at, (self.levels, *self.others), both, sigma, made.total_cm1)


@dataclass(eq=False)
class Matrix:
    """A matrix that is printed a few columns at a time."""

    at: Line
    n_rows: int
    n_columns: int
    places: list[int] = field(default_factory=list)
    values: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.full((self.n_rows, self.n_columns), np.nan)

    def columns(self, line: Line, places: list[int]) -> None:
        """Begin a block of columns."""
        self.at, self.places = line, places
        if min(places) < 0 or len(set(places)) < len(places) or np.isfinite(self.values[:, places]).any():
            raise line.refuse("a column is a duplicate or of no level", "each level once")

    def row(self, line: Line, place: int, words: list[str]) -> None:
        """Add one row of the present columns."""
        numbers = to_numbers(words)
        self.at = line
        if not numbers or len(numbers) != len(self.places):
            expected = f"{len(self.places)} numbers in this row"
            raise line.refuse("a row of cross sections cannot be read", expected)
        if np.isfinite(self.values[place, self.places]).any():
            raise line.refuse("duplicate row", "each level once")
        if min(numbers) < 0:
            raise line.refuse("a cross section is negative", "numbers >= 0")
        self.values[place, self.places] = numbers

    def whole(self) -> FloatArray:
        """Return the matrix; raises RatedbError where a part is missing."""
        missing = int(np.isnan(self.values).sum())
        if missing or not self.values.size:
            what = f"the matrix is not complete: {missing} of {self.values.size} cross sections are missing"
            expected = f"{self.n_rows} rows and {self.n_columns} columns before the end of the file"
            raise self.at.refuse(what, expected, DAMAGED)
        return self.values
