"""Read the state-to-state integral cross sections of MOLSCAT outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.cross_sections import CrossSections
from ratedb.files import InputFile, as_input
from ratedb.findings import PARTIAL_WAVES, SCRATCH_ORDER, Finding
from ratedb.io.cross_sections import (
    CrossSectionFile,
    Entries,
    again,
    contradictions,
    densely_sampled,
    irreversible,
    lowest_kinetic,
    table_of,
)
from ratedb.io.level_lists import levels_if_known
from ratedb.io.molscat_ios import read_ios
from ratedb.io.molscat_levels import PairLevels, read_pair_levels
from ratedb.io.molscat_text import END_OF_RUN, Run, split_runs
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import Line, decode, head, refuse, to_index, to_number, to_numbers, unpacked
from ratedb.levels import Levels

_TABLE = "STATE-TO-STATE INTEGRAL CROSS SECTIONS IN "
_COLUMNS = ["ENERGY", "(CM-1)", "JTOTL", "JSTEP", "JTOTU", "F", "I", "SIG(F,I)"]
_ROW = re.compile(
    r"\s*(\d+\.\d*|\.\d+)\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})\s+(\d{1,7})"
    r"\s+(-?(?:\d+\.\d*|\.\d+)(?:E[+-]\d{2,3})?)\s*",
    re.ASCII,
)
_PROGRESS = re.compile(r"FOR JTOT = *(\d{1,7}), SYMMETRY BLOCK = *(\d{1,7}), ENERGY\( *(\d{1,7})\)", re.ASCII)
_SUM_AGREES = 2e-5

_REVERSIBLE = ("CC", "CS")
_METHODS = (
    ("*EFFECTIVE POTENTIAL METHOD*", "EP"),
    ("COUPLED STATES APPROXIMATION", "CS"),
    ("L-DOMINANT APPROX", "DLD"),
)


def looks_like_molscat(content: bytes) -> bool:
    """Return whether the bytes of a plain or gzip file begin like an output of MOLSCAT."""
    start = head(content)
    return b"MOLSCAT" in start and b"scattering" in start


@cross_section_reader("molscat", recognises=looks_like_molscat, order=10)
def _read(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    molecule, collider = options.need_names(file.path)
    return read_molscat(file, molecule=molecule, collider=collider, levels=levels_if_known(options, molecule))


def read_molscat(
    file: InputFile | Path, *, molecule: str, collider: str, levels: Levels | None = None
) -> CrossSectionFile:
    """Return the cross sections of a MOLSCAT output, plain or gzip: one table for each run in it.

    Levels get their quantum numbers from the list of pair levels: `5` for a rotor, `1_5` (v and j) for a
    vibrating one, and all quantum numbers joined by `_` for others, without v and j; weights are 2j+1,
    multiplied for two molecules. The method is CC, CS (CS-DC with the diagonal Coriolis term), EP, DLD or
    IOS. Outputs of IOS name no level energies: they are taken by label from `levels`, or from the other
    runs of the same output.

    Raises RatedbError, with the line, where the output is cut off or contradicts itself, where it does not
    name quantum numbers, and where a scratch file has made a symmetry block wrong (see `_check_order`).
    """
    file = as_input(file)
    path = file.path
    text = decode(unpacked(file.content, path), path).replace("\r\n", "\n")
    runs = split_runs(path, text)
    notes: list[str] = []
    findings: list[Finding] = []
    tables: list[CrossSections] = []
    sudden: list[Run] = []
    for run in runs:
        if run.has("****** I O S ******"):
            sudden.append(run)
        elif run.find(_TABLE) is None:
            notes.append(
                f"the run at line {run.line(run.start).number} has no cross sections and is left out"
            )
        else:
            tables.append(_read_run(run, molecule, collider, notes, findings))
    for run in sudden:
        tables.append(read_ios(run, molecule, collider, levels, tables, notes, findings))
    if not tables:
        raise runs[0].refuse(
            runs[0].start,
            "the output holds no state-to-state integral cross sections",
            f"a table that begins with `{_TABLE}ANGSTROM**2`",
            "run MOLSCAT with ISIGPR = 1 and IPRINT >= 1",
        )
    return CrossSectionFile(tuple(tables), tuple(notes), tuple(findings), (path,))


@dataclass(frozen=True, eq=False)
class _Block:
    """The cross sections at one total energy: level numbers as printed, from 1, and values."""

    at: int
    energy_cm1: float
    jtot: tuple[int, int, int]
    final: IntArray
    initial: IntArray
    sigma: FloatArray


def _read_run(
    run: Run, molecule: str, collider: str, notes: list[str], findings: list[Finding]
) -> CrossSections:
    pairs = read_pair_levels(run)
    table = _Table(run, run.find(_TABLE) or run.start, pairs)
    blocks = table.blocks()
    _check_energies(run, table, blocks)
    system = f"{molecule}+{collider}"
    findings += _check_order(run, blocks, system)
    method = _method(run)
    level = pairs.table(molecule, table.threshold)
    if pairs.affected.any():
        names = ", ".join(level.label[i] for i in np.flatnonzero(pairs.affected))
        notes.append(
            f"{method}: JZCSMX limits the basis, so cross sections from and to {names} are less sure"
        )
    if table.incomplete:
        notes.append(f"{method}: {table.incomplete} incomplete cross sections (marked negative) are left out")
    first, step, _ = blocks[0].jtot
    if first > 0:
        findings.append(_missing_waves(system, method, first))
    entries = _entries(run, blocks, level, pairs)
    kept: list[str] = []
    entries = densely_sampled(entries, lowest_kinetic(entries, level), step, kept)
    notes += [f"{method}: {text}" for text in kept]
    made = table_of(level, collider, method, run.reduced_mass_u(), entries)
    if method in _REVERSIBLE:
        findings += irreversible(made)
    return made


def _missing_waves(system: str, method: str, first: int) -> Finding:
    return PARTIAL_WAVES.finding(
        system,
        f"{method}: the sums begin at a total angular momentum of {first}, so the waves below it are missing",
        value=float(first),
        expected=0.0,
    )


def _entries(run: Run, blocks: Sequence[_Block], levels: Levels, pairs: PairLevels) -> Entries:
    initial = np.concatenate([pairs.index(block.initial) for block in blocks])
    final = np.concatenate([pairs.index(block.final) for block in blocks])
    total = np.concatenate([np.full(len(block.sigma), block.energy_cm1) for block in blocks])
    place = np.concatenate([np.full(len(block.sigma), block.at) for block in blocks])
    sigma = np.concatenate([block.sigma for block in blocks])
    entries = Entries(initial, final, total - levels.energy_cm1[initial], sigma)
    _, one, two = again(entries)
    wrong = contradictions(entries, one, two)
    if len(wrong):
        a, b = one[wrong[0]], two[wrong[0]]
        raise run.refuse(
            int(place[b]),
            f"an energy stands twice with different cross sections, {sigma[a]:g} and {sigma[b]:g} Angstrom^2",
            "each energy once, or twice alike",
        )
    keep = np.ones(len(entries), dtype=np.bool_)
    keep[two] = False
    return entries.select(keep)


def _method(run: Run) -> str:
    for words, name in _METHODS:
        if run.has(words):
            coriolis = run.has("DIAGONAL CORIOLIS TERM INCLUDED")
            return f"{name}-DC" if coriolis else name
    match = run.search(re.compile(r"ITYPE = *(\d{1,4})", re.ASCII))
    if match is not None and int(match[1]) >= 10:
        raise run.refuse(match.start(), "an unknown approximation", "one of CC, CS, EP, DLD or IOS")
    return "CC"


class _Table:
    """The printed table of one run: thresholds, then for each energy its rows and the sums over them."""

    def __init__(self, run: Run, at: int, pairs: PairLevels) -> None:
        self.run = run
        self.at = at
        self.pairs = pairs
        self.threshold: dict[int, float] = _never_open(run)
        self.opened: dict[int, float] = {}
        self.incomplete = 0
        title = run.line(at)
        match = re.search(
            r"IN ANGSTROM\*\*2 BETWEEN +(\d{1,7}) LEVELS WITH THRESHOLD ENERGIES \(IN CM-1\)", title.text
        )
        if match is None:
            raise run.refuse(at, "the unit of the cross sections is not known", "ANGSTROM**2 and CM-1")
        self.declared = int(match[1])

    def blocks(self) -> list[_Block]:
        """Return the blocks in the order of the file, each checked for completeness."""
        lines = self.run.lines_from(self.at)
        next(lines)
        rows: list[tuple[int, str]] = []
        sums: dict[int, float] = {}
        blocks: list[_Block] = []
        part, start = "levels", self.at
        for position, line in lines:
            if END_OF_RUN in line or line.startswith("  ===="):
                break
            if not line.strip():
                continue
            if "SIG(F,I)" in line or line.lstrip().startswith("TOTAL INELASTIC"):
                if part == "levels":
                    self._need_levels(position)
                if "SIG(F,I)" in line:
                    if part != "levels":
                        blocks.append(self._block(start, rows, sums))
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
            raise self.run.refuse(
                position, "a threshold cannot be read", "the number of a pair level, its energy"
            )
        if index in self.opened:
            raise self.run.refuse(position, "a pair level has two thresholds", "each level once")
        self.opened[index] = energy
        self.threshold[index] = energy

    def _need_levels(self, position: int) -> None:
        if len(self.opened) != self.declared:
            raise self.run.refuse(
                position, "the list of thresholds is not complete", f"{self.declared} levels before this line"
            )
        self.pairs.need_energies(self.run, self.at, self.threshold)

    def _need_columns(self, position: int, line: str) -> None:
        if line.split() != _COLUMNS:
            raise self.run.refuse(position, "the columns are not those of cross sections", " ".join(_COLUMNS))

    def _need_square_angstrom(self, position: int, line: str) -> None:
        if "ANGSTROM**2" not in line:
            raise self.run.refuse(position, "the unit of the sums is not known", "ANGSTROM**2")

    def _add_sum(self, position: int, line: str, sums: dict[int, float]) -> None:
        words = line.split()
        values = to_numbers(words)
        index = to_index(words[1]) if len(words) == 2 else None
        if values is None or index is None or index in sums:
            raise self.run.refuse(position, "a sum of cross sections cannot be read", "a number and a level")
        sums[index] = values[0]

    def _block(self, at: int, rows: list[tuple[int, str]], sums: dict[int, float]) -> _Block:
        if not rows:
            raise self.run.refuse(at, "a block of cross sections is empty", "rows of 7 numbers")
        values = np.array([self._row(position, line) for position, line in rows])
        constant = values[:, :4] == values[0, :4]
        if not constant.all():
            position = rows[int(np.argmin(constant.all(axis=1)))][0]
            raise self.run.refuse(
                position, "a row belongs to another block", "the energy and JTOT of its block"
            )
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
        return _Block(at, energy, jtot, final, initial, sigma)

    def _row(self, position: int, line: str) -> list[float]:
        match = _ROW.fullmatch(line)
        if match is not None:
            return [float(word) for word in match.groups()]
        words = line.split()
        values = to_numbers(words)  # knows exponents without their letter
        whole = [to_index(word) for word in words[1:6]]
        if values is None or len(values) != len(_COLUMNS) - 1 or None in whole:
            raise self.run.refuse(
                position,
                "a cross section cannot be read",
                "7 numbers: energy, JTOTL, JSTEP, JTOTU, F, I and SIG(F,I); the run may be cut off here",
            )
        return values

    def _complete(self, rows: list[tuple[int, str]], sigma: FloatArray) -> BoolArray:
        """Return which rows are complete; negative marks what JZCSMX leaves incomplete."""
        if not self.pairs.affected.any():
            position = rows[int(np.argmax(sigma < 0))][0]
            raise self.run.refuse(position, "a cross section is negative", "numbers >= 0")
        self.incomplete += int((sigma < 0).sum())
        return np.asarray(sigma >= 0)

    def _check_pairs(
        self, at: int, rows: list[tuple[int, str]], energy: float, final: IntArray, initial: IntArray
    ) -> None:
        """Raise where a pair of open levels is absent, stands twice, or has a level that is not open."""
        opened = {index for index, threshold in self.opened.items() if threshold < energy}
        found: set[tuple[int, int]] = set()
        for (position, _), pair in zip(rows, zip(final.tolist(), initial.tolist(), strict=True), strict=True):
            if pair in found or pair[0] not in opened or pair[1] not in opened:
                raise self.run.refuse(
                    position, "a pair of levels stands twice or is not open", "each pair of open levels once"
                )
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
                    "the output is cut off or damaged: get it again, or repeat the run",
                )

    def _check_sums(
        self, at: int, final: IntArray, initial: IntArray, sigma: FloatArray, sums: dict[int, float]
    ) -> None:
        """Raise where the printed sum over all final levels is not that of the rows."""
        for index, printed in sums.items():
            rows = (initial == index) & (final != index)
            added = float(sigma[rows].sum())
            if abs(added - printed) > _SUM_AGREES * max(added, printed):
                raise self.run.refuse(
                    at,
                    f"the inelastic cross sections from level {index} add up to {added:g}, not to the "
                    f"{printed:g} printed below them",
                    "rows that add up to the printed sum",
                    "a number is damaged: get the file again from its source",
                )


def _never_open(run: Run) -> dict[int, float]:
    pattern = re.compile(
        r"^ +LEVEL +(\d{1,7}) WITH ENERGY +(\d{1,12}\.\d{1,15}) IS NEVER OPEN", re.M | re.ASCII
    )
    return {int(match[1]): float(match[2]) for match in run.matches(pattern)}


def _check_energies(run: Run, table: _Table, blocks: list[_Block]) -> None:
    """Raise where blocks sum over JTOT in different ways, or an energy that was asked for has no block.

    An energy below the lowest threshold has none; one asked for in another unit than cm-1 is not looked for.
    """
    for block in blocks[1:]:
        if block.jtot[:2] != blocks[0].jtot[:2]:
            raise run.refuse(
                block.at, "JTOTL and JSTEP differ from those of the first block", "one range of JTOT"
            )
    asked = _asked_energies(run)
    lowest = min(table.opened.values())
    given = [block.energy_cm1 for block in blocks]
    for line, energy in asked:
        if energy > lowest and not any(_same(energy, other) for other in given):
            raise refuse(
                run.path,
                line,
                "an energy that was asked for has no cross sections",
                f"a block of cross sections at {energy:g} cm-1; the output may be cut off",
            )


def _asked_energies(run: Run) -> list[tuple[Line, float]]:
    pattern = re.compile(r"^ +ENERGY +\d{1,7} += +(\d{1,12}\.\d{0,15}) +CM-1", re.M | re.ASCII)
    return [(run.line(match.start()), float(match[1])) for match in run.matches_in_header(pattern)]


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-8 * max(a, b)


def _check_order(run: Run, blocks: list[_Block], system: str) -> list[Finding]:
    """Refuse a run whose scratch file was written at an energy without open channels.

    With ISCRU > 0 MOLSCAT keeps the energy-independent matrices of each symmetry block from the first energy
    that it computes for that block and JTOT. Where no channel is open there, nothing is kept, and all later
    energies of that block are wrong without a message; positivity and reversibility still hold. Proof is a
    progress line of a later energy for a block in which the first energy still running has none.
    """
    energies = [energy for _, energy in _asked_energies(run)] or [block.energy_cm1 for block in blocks]
    if not run.has("WILL BE SAVED TEMPORARILY ON UNIT") or energies == sorted(energies, reverse=True):
        return []
    last = {
        k: block.jtot[2] for k, e in enumerate(energies, 1) for block in blocks if _same(e, block.energy_cm1)
    }
    done: dict[tuple[int, int], set[int]] = {}
    where: dict[tuple[int, int], int] = {}
    for match in run.matches(_PROGRESS):
        key = (int(match[1]), int(match[2]))
        done.setdefault(key, set()).add(int(match[3]))
        where.setdefault(key, match.start())
    for (jtot, block), found in done.items():
        running = next((k for k in range(1, len(energies) + 1) if jtot <= last.get(k, jtot)), min(found))
        if running < min(found):
            raise run.refuse(
                where[jtot, block],
                f"symmetry block {block} of JTOT {jtot} has no open channel at energy {running}, the first "
                "computed, so the matrices on the scratch file are wrong for all later energies",
                "energies from the highest down, or no scratch file (ISCRU = 0)",
                "repeat the run with the highest energy first",
            )
    if done:
        return []
    return [
        SCRATCH_ORDER.finding(
            system,
            f"{run.path}: the energies do not run downward and a scratch file was used; where a symmetry "
            "block has no open channel at the first energy, all later ones are wrong without a message",
        )
    ]
