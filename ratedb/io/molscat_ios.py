"""Read the tables of MOLSCAT's infinite-order-sudden runs, which have a layout of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.findings import Finding, missing_waves
from ratedb.io.cross_sections import Entries, densely_sampled, irreversible, joined_levels, repeated, table_of
from ratedb.io.molscat_text import Run
from ratedb.io.text import DAMAGED, to_index, to_number
from ratedb.levels import Levels

_ITYPE = re.compile(r"INPUT +ITYPE = *(\d{1,4})", re.ASCII)
_VIBRATION = re.compile(r"^ +LEVEL +(\d{1,4}) +LEVV = +(\d{1,4}) +EV = +(\S+)", re.M | re.ASCII)
_ASKED = re.compile(r"^ +ENERGY +(\d{1,7}) += +(\S+) +CM-1", re.M | re.ASCII)
_WAVES = re.compile(r"PARTIAL WAVES FROM +(\d{1,7}) TO +\d{1,7} \(IN STEPS OF +(\d{1,7})\)", re.ASCII)
_BLOCK = re.compile(r"STATE-TO-STATE CROSS SECTIONS \(IN (.*)\) FOR KINETIC ENERGY = +(\S+) +(\S+)\.")
_PAIR = re.compile(r"BELOW FOR VIB LEVEL +(\d{1,4}) TO +(\d{1,4})", re.ASCII)
_INITIAL = re.compile(r"FOR INITIAL LEVEL J = +(\d{1,7}) +NON-ZERO CROSS SECTIONS \((.*)\) TO FINAL LEVELS")
_LARGEST_J = re.compile(r"MAXIMUM J-VALUE REQUESTED IS +(\d{1,7})", re.ASCII)


@dataclass(eq=False)
class _Found:
    initial: list[str] = field(default_factory=list)
    final: list[str] = field(default_factory=list)
    kinetic_cm1: list[float] = field(default_factory=list)
    sigma: list[float] = field(default_factory=list)
    starred: int = 0


def read_ios(
    run: Run,
    molecule: str,
    collider: str,
    levels: Levels | None,
    others: Sequence[CrossSections],
    notes: list[str],
    findings: list[Finding],
) -> CrossSections:
    """Return the table of an infinite-order-sudden run.

    The output gives kinetic energies, counted from the lowest vibrational level, and names levels by j (and
    v) without energies: those come from `levels`, else from the runs in `others`. Cross sections of other
    levels, and incomplete sums (printed with a star), are left out and counted in `notes`.
    """
    vibration = _vibration(run)
    found = _Found()
    blocks = list(run.matches(_BLOCK))
    _need_all_energies(run, blocks)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        _read_block(run, block, run.end if following is None else following.start(), vibration, found)
    if found.starred:
        notes.append(f"IOS: {found.starred} starred (incomplete) cross sections are left out")
    known = _known_levels(run, levels, others)
    entries = _entries(run, found, known, notes)
    step = _waves(run, f"{molecule}+{collider}", findings)
    entries = densely_sampled(entries, entries.kinetic_cm1, step, notes)
    table = table_of(known, collider, "IOS", run.reduced_mass_u(), entries)
    findings += irreversible(table)
    return table


def _vibration(run: Run) -> dict[int, tuple[str, float]]:
    """Return for each vibrational level, from 1, the part of labels before j, and its energy."""
    kind = run.search(_ITYPE)
    if kind is not None and kind[1] == "101":
        return {1: ("", 0.0)}
    if kind is None or kind[1] != "102":
        at = run.start if kind is None else kind.start()
        expected = "ITYPE = 101 (rotor) or 102 (vibrotor)"
        raise run.refuse(at, "the kind of this sudden run is not known", expected)
    found = {}
    for match in run.matches_in_header(_VIBRATION):
        energy = to_number(match[3])
        if energy is None:
            raise run.refuse(match.start(), "the energy of a vibrational level cannot be read", "a number")
        found[int(match[1])] = (f"{match[2]}_", energy)
    return found


def _need_all_energies(run: Run, blocks: list[re.Match[str]]) -> None:
    asked = {to_number(match[2]): match.start() for match in run.matches_in_header(_ASKED)}
    given = [to_number(block[2]) for block in blocks]
    for energy, at in asked.items():
        if energy is None or not any(other is not None and abs(other - energy) < 1e-4 for other in given):
            raise run.refuse(at, "a requested energy has no cross sections", "a block of them")
    if not blocks:
        raise run.refuse(run.start, "the run has no cross sections", "blocks FOR KINETIC ENERGY = ...")


def _read_block(
    run: Run, block: re.Match[str], end: int, vibration: dict[int, tuple[str, float]], found: _Found
) -> None:
    kinetic = to_number(block[2])
    if block[1] != "ANG**2" or block[3] != "CM-1" or kinetic is None:
        raise run.refuse(block.start(), "the energy or unit of a block cannot be read", "ANG**2 and CM-1")
    largest = _LARGEST_J.search(run.text, block.end(), end)
    if largest is None:
        expected = "MAXIMUM J-VALUE REQUESTED IS ..."
        raise run.refuse(block.start(), "the block does not give its largest J", expected)
    pairs = list(_PAIR.finditer(run.text, block.end(), end))
    if not pairs:
        raise run.refuse(block.start(), "the block is not complete", "cross sections BELOW FOR VIB LEVEL ...")
    for pair, following in zip(pairs, [*pairs[1:], None], strict=True):
        start, stop = int(pair[1]), int(pair[2])
        if start not in vibration or stop not in vibration:
            raise run.refuse(pair.start(), "an unknown vibrational level", f"1..{len(vibration)}")
        part = _Part(run, pair.start(), end if following is None else following.start(), int(largest[1]))
        names = (vibration[start][0], vibration[stop][0])
        part.read(kinetic - vibration[start][1], names, found)


@dataclass(frozen=True)
class _Part:
    """The cross sections of one block from one vibrational level to another."""

    run: Run
    at: int
    end: int
    largest: int

    def read(self, kinetic_cm1: float, names: tuple[str, str], found: _Found) -> None:
        if kinetic_cm1 <= 0:
            what = "the initial level is closed at this energy"
            raise self.run.refuse(self.at, what, "open initial levels")
        expected, step = 0, 0
        for heading in _INITIAL.finditer(self.run.text, self.at, self.end):
            if int(heading[1]) != expected or heading[2] != "ANG**2":
                raise self._incomplete(heading.start(), f"initial level J = {expected}")
            finals = self._read_row(heading, kinetic_cm1, names, found)
            # a homonuclear molecule keeps its parity, and then does so in all rows
            step = step or (1 if 1 in finals and 0 in finals else 2)
            if finals != list(range(expected % step, self.largest + 1, step)):
                raise self._incomplete(heading.start(), "every final level, or those of the same parity")
            expected += 1
        if expected != self.largest + 1:
            raise self._incomplete(self.at, f"initial levels J = 0..{self.largest}")

    def _read_row(
        self, heading: re.Match[str], kinetic_cm1: float, names: tuple[str, str], found: _Found
    ) -> list[int]:
        """Add the cross sections below a heading to `found`; return their final j, starred ones too."""
        finals: list[int] = []
        lines = self.run.lines_from(heading.start())
        next(lines)
        for position, line in lines:
            words = line.split()
            if not words or to_index(words[0]) is None:
                break
            for j, value, starred in self._numbers(position, words):
                finals.append(j)
                if starred:
                    found.starred += 1
                    continue
                found.initial.append(f"{names[0]}{heading[1]}")
                found.final.append(f"{names[1]}{j}")
                found.kinetic_cm1.append(kinetic_cm1)
                found.sigma.append(value)
        return finals

    def _numbers(self, position: int, words: list[str]) -> list[tuple[int, float, bool]]:
        rows = []
        for j, value in zip(words[::2], words[1::2], strict=False):
            number, index = to_number(value.removesuffix("*")), to_index(j)
            if number is None or number < 0 or index is None:
                break
            rows.append((index, number, value.endswith("*")))
        if 2 * len(rows) != len(words):
            expected = "pairs of a final J and a number >= 0"
            raise self.run.refuse(position, "a cross section cannot be read", expected)
        return rows

    def _incomplete(self, position: int, expected: str) -> RatedbError:
        return self.run.refuse(position, "the cross sections are not complete", expected, DAMAGED)


def _known_levels(run: Run, levels: Levels | None, others: Sequence[CrossSections]) -> Levels:
    if levels is not None:
        return levels
    listed = [(table.levels, str(run.path)) for table in others if table.levels.has_vj]
    if not listed:
        raise run.refuse(
            run.start,
            "a sudden (IOS) output does not give the energies of its levels",
            "levels with their energies, labelled by j (or v_j)",
            "give them with --levels, as a LAMDA file of the molecule, or import the CC output first",
        )
    return joined_levels(listed)


def _entries(run: Run, found: _Found, levels: Levels, notes: list[str]) -> Entries:
    initial = np.array([levels.places.get(label, -1) for label in found.initial], dtype=np.int64)
    final = np.array([levels.places.get(label, -1) for label in found.final], dtype=np.int64)
    known = (initial >= 0) & (final >= 0)
    if not known.any():
        raise run.refuse(
            run.start,
            "no level of this sudden (IOS) output is among the levels that were given",
            f"labels such as {', '.join(dict.fromkeys(found.initial))[:60]}",
            "give the levels of this molecule with --levels",
        )
    if not known.all():
        notes.append(
            f"IOS: {(~known).sum()} of {len(known)} cross sections are left out, as the energies of their "
            "levels are not known"
        )
    entries = Entries(initial, final, np.array(found.kinetic_cm1), np.array(found.sigma)).select(known)
    if len(repeated(entries)[1]):
        raise run.refuse(run.start, "duplicate kinetic energy", "each energy once")
    return entries


def _waves(run: Run, system: str, findings: list[Finding]) -> int:
    """Return the largest step of the partial waves; report missing first ones."""
    waves = [(int(match[1]), int(match[2])) for match in run.matches(_WAVES)]
    first = max((wave[0] for wave in waves), default=0)
    if first > 0:
        findings.append(missing_waves(system, "IOS", first, "partial wave"))
    return max((wave[1] for wave in waves), default=1)
