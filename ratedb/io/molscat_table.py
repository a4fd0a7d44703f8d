"""The table of cross sections of a MOLSCAT run: thresholds, then for each energy its rows and their sums."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.io.molscat_levels import PairLevels
from ratedb.io.molscat_text import END_OF_RUN, Run
from ratedb.io.text import DAMAGED, to_index, to_number, to_numbers

TABLE = "STATE-TO-STATE INTEGRAL CROSS SECTIONS IN "
_TITLE = re.compile(r"IN ANGSTROM\*\*2 BETWEEN +(\d{1,7}) LEVELS WITH THRESHOLD ENERGIES \(IN CM-1\)")
_COLUMNS = ["ENERGY", "(CM-1)", "JTOTL", "JSTEP", "JTOTU", "F", "I", "SIG(F,I)"]
_ROW = re.compile(
    r"\s*(\d+\.\d*|\.\d+)\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})"
    r"\s+(-?(?:\d+\.\d*|\.\d+)(?:E[+-]\d{2,3})?)\s*",
    re.ASCII,
)
_SUM_AGREES = 2e-5


@dataclass(frozen=True, eq=False)
class Block:
    """The cross sections at one total energy: level numbers as printed, from 1, and values."""

    at: int
    energy_cm1: float
    jtot: tuple[int, int, int]
    final: IntArray
    initial: IntArray
    sigma: FloatArray


class Table:
    """The printed table of one run: thresholds, then for each energy its rows and the sums over them."""

    def __init__(self, run: Run, at: int, pairs: PairLevels, threshold: dict[int, float]) -> None:
        self.run = run
        self.at = at
        self.pairs = pairs
        self.threshold = threshold
        self.opened: dict[int, float] = {}
        self.incomplete = 0
        match = _TITLE.search(run.line(at).text)
        if match is None:
            raise run.refuse(at, "the unit of the cross sections is not known", "ANGSTROM**2 and CM-1")
        self.declared = int(match[1])

    def blocks(self) -> list[Block]:
        """Return the blocks in the order of the file, each checked for completeness."""
        lines = self.run.lines_from(self.at)
        next(lines)
        rows: list[tuple[int, str]] = []
        sums: dict[int, float] = {}
        blocks: list[Block] = []
        part, start = "levels", self.at
        for position, line in lines:
            if END_OF_RUN in line or line.startswith("  ===="):
                break
            if not line.strip():
                continue
            heading = "SIG(F,I)" in line
            if heading or line.lstrip().startswith("TOTAL INELASTIC"):
                if part == "levels":
                    self._need_levels(position)
                elif heading:
                    blocks.append(self._block(start, rows, sums))
                if heading:
                    self._need_columns(position, line)
                    part, start, rows, sums = "rows", position, [], {}
                else:
                    self._need_square_angstrom(position, line)
                    part = "sums"
            elif part == "rows":
                rows.append((position, line))
            elif part == "sums":
                self._add_sum(position, line, sums)
            else:
                self._add_threshold(position, line)
        if part == "levels":
            raise self.run.refuse(self.at, "the table of cross sections is empty", "blocks of cross sections")
        blocks.append(self._block(start, rows, sums))
        return blocks

    def _add_threshold(self, position: int, line: str) -> None:
        words = line.split()
        if words[0] == "***" or words[0] == "INCOMPLETE":
            return  # notes on JSTEP and on what JZCSMX leaves out
        index = to_index(words[0])
        energy = to_number(words[1]) if len(words) == 2 else None
        if index is None or energy is None or index not in self.pairs:
            expected = "the number of a pair level, its energy"
            raise self.run.refuse(position, "a threshold cannot be read", expected)
        if index in self.opened:
            raise self.run.refuse(position, "a pair level has two thresholds", "each level once")
        self.opened[index] = energy
        self.threshold[index] = energy

    def _need_levels(self, position: int) -> None:
        if len(self.opened) != self.declared:
            expected = f"{self.declared} levels before this line"
            raise self.run.refuse(position, "the list of thresholds is not complete", expected)
        self.pairs.need_energies(self.run, self.at, self.threshold)

    def _need_columns(self, position: int, line: str) -> None:
        if line.split() != _COLUMNS:
            raise self.run.refuse(position, "the columns are not those of cross sections", " ".join(_COLUMNS))

    def _need_square_angstrom(self, position: int, line: str) -> None:
        if "ANGSTROM**2" not in line:
            raise self.run.refuse(position, "the unit of the sums is not known", "ANGSTROM**2")

    def _add_sum(self, position: int, line: str, sums: dict[int, float]) -> None:
        words = line.split()
        starred = len(words) == 3 and words[1] == "*"  # a sum over incomplete cross sections
        if starred:
            words.remove("*")
        values = to_numbers(words)
        index = to_index(words[1]) if len(words) == 2 else None
        if values is None or index is None or index in sums:
            raise self.run.refuse(position, "a sum of cross sections cannot be read", "a number and a level")
        sums[index] = np.nan if starred else values[0]

    def _block(self, at: int, rows: list[tuple[int, str]], sums: dict[int, float]) -> Block:
        if not rows:
            raise self.run.refuse(at, "a block of cross sections is empty", "rows of 7 numbers")
        values = np.array([self._row(position, line) for position, line in rows])
        constant = values[:, :4] == values[0, :4]
        if not constant.all():
            position = rows[int(np.argmin(constant.all(axis=1)))][0]
            expected = "the energy and JTOT of its block"
            raise self.run.refuse(position, "a row belongs to another block", expected)
        final, initial = values[:, 4].astype(np.int64), values[:, 5].astype(np.int64)
        energy, sigma = float(values[0, 0]), values[:, 6]
        jtot = (int(values[0, 1]), int(values[0, 2]), int(values[0, 3]))
        if jtot[1] < 1 or jtot[2] < jtot[0]:
            raise self.run.refuse(rows[0][0], "JTOT runs over no values", "JTOTL <= JTOTU and JSTEP >= 1")
        complete = np.ones(len(sigma), dtype=np.bool_)
        if (sigma < 0).any():
            complete = self._complete(rows, sigma)
        self._check_pairs(at, rows, energy, final, initial)
        final, initial, sigma = final[complete], initial[complete], sigma[complete]
        self._check_sums(at, final, initial, sigma, sums)
        return Block(at, energy, jtot, final, initial, sigma)

    def _row(self, position: int, line: str) -> list[float]:
        match = _ROW.fullmatch(line)
        if match is not None:
            return [float(word) for word in match.groups()]
        words = line.split()
        values = to_numbers(words)  # accepts exponents without their letter
        whole = [to_index(word) for word in words[1:6]]
        if values is None or len(values) != len(_COLUMNS) - 1 or None in whole:
            expected = "7 numbers: energy, JTOTL, JSTEP, JTOTU, F, I and SIG(F,I)"
            raise self.run.refuse(position, "a cross section cannot be read", expected)
        return values

    def _complete(self, rows: list[tuple[int, str]], sigma: FloatArray) -> BoolArray:
        """Return which rows are complete; those that JZCSMX leaves incomplete are printed as negative."""
        if not self.pairs.affected.any():
            position = rows[int(np.argmax(sigma < 0))][0]
            raise self.run.refuse(position, "a cross section is negative", "numbers >= 0")
        self.incomplete += int((sigma < 0).sum())
        return np.asarray(sigma >= 0)

    def _check_pairs(
        self, at: int, rows: list[tuple[int, str]], energy: float, final: IntArray, initial: IntArray
    ) -> None:
        """Raise where a pair of open levels is missing or a duplicate, or has a level that is not open."""
        opened = {index for index, threshold in self.opened.items() if threshold < energy}
        found: set[tuple[int, int]] = set()
        for (position, _), pair in zip(rows, zip(final.tolist(), initial.tolist(), strict=True), strict=True):
            if pair in found or pair[0] not in opened or pair[1] not in opened:
                what = "a pair of levels is a duplicate or not open"
                raise self.run.refuse(position, what, "each pair of open levels once")
            found.add(pair)
        if len(found) == len(opened) ** 2:
            return
        limited = {index for index in opened if self.pairs.is_affected(index)}
        missing = {(f, i) for f in opened for i in opened} - found
        for f, i in sorted(missing):
            if f not in limited or i not in limited:
                raise self.run.refuse(
                    at,
                    f"the block at {energy:g} cm-1 is not complete: SIG({f},{i}) is missing",
                    f"{len(opened) ** 2} cross sections of {len(opened)} open levels; found {len(found)}",
                    DAMAGED,
                )

    def _check_sums(
        self, at: int, final: IntArray, initial: IntArray, sigma: FloatArray, sums: dict[int, float]
    ) -> None:
        """Raise where the printed sum over all final levels differs from that of the rows."""
        for index, printed in sums.items():
            rows = (initial == index) & (final != index)
            added = float(sigma[rows].sum())
            if np.isfinite(printed) and abs(added - printed) > _SUM_AGREES * max(added, printed):
                raise self.run.refuse(
                    at,
                    f"the inelastic cross sections from level {index} add up to {added:g}, not to the "
                    f"{printed:g} printed below them",
                    "rows that add up to the printed sum",
                    "compare these rows with the source",
                )
