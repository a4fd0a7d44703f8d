"""Read the state-to-state integral cross sections of MOLSCAT outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ratedb.cross_sections import CrossSections
from ratedb.files import InputFile, as_input
from ratedb.findings import Finding, missing_waves
from ratedb.io.cross_sections import (
    CrossSectionFile,
    Entries,
    densely_sampled,
    each_once,
    irreversible,
    lowest_kinetic,
    table_of,
)
from ratedb.io.level_lists import levels_if_known
from ratedb.io.molscat_energies import check_energies, check_order, never_open
from ratedb.io.molscat_ios import read_ios
from ratedb.io.molscat_levels import PairLevels, read_pair_levels
from ratedb.io.molscat_table import TABLE, Block, Table
from ratedb.io.molscat_text import Run, split_runs
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import decode
from ratedb.levels import Levels

_HEAD_BYTES = 4096
# A line of this name alone: a text about MOLSCAT names it among other words.
_BANNER = re.compile(rb"^[^A-Za-z\r\n]*(?:MOLSCAT[^A-Za-z\r\n]*)+\r?$", re.MULTILINE)
_REVERSIBLE = ("CC", "CS")
_METHODS = (
    ("*EFFECTIVE POTENTIAL METHOD*", "EP"),
    ("COUPLED STATES APPROXIMATION", "CS"),
    ("L-DOMINANT APPROX", "DLD"),
)
_ITYPE = re.compile(r"ITYPE = *(\d{1,4})", re.ASCII)


def looks_like_molscat(content: bytes) -> bool:
    """Return whether bytes begin like an output of MOLSCAT."""
    start = content[:_HEAD_BYTES]
    return _BANNER.search(start) is not None and b"scattering" in start


@cross_section_reader("molscat", recognises=looks_like_molscat, order=10)
def _read(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    molecule, collider = options.need_names(file.path)
    return read_molscat(file, molecule=molecule, collider=collider, levels=levels_if_known(options, molecule))


def read_molscat(
    file: InputFile | Path, *, molecule: str, collider: str, levels: Levels | None = None
) -> CrossSectionFile:
    """Return the cross sections of a MOLSCAT output: one table for each run in it.

    Levels get their quantum numbers from the list of pair levels: `5` for a rotor, `1_5` (v and j) for a
    vibrating one, and all quantum numbers joined by `_` for others, without v and j; weights are 2j+1,
    multiplied for two molecules. The method is CC, CS (CS-DC with the diagonal Coriolis term), EP, DLD or
    IOS. Outputs of IOS do not give level energies: they are taken by label from `levels`, or from the other
    runs of the same output.

    Raises RatedbError, with the line, where the output is cut off or contradicts itself, where it does not
    give quantum numbers, and where a scratch file has made a symmetry block wrong (see `check_order`).
    """
    file = as_input(file)
    path = file.path
    runs = split_runs(path, decode(file.content, path).replace("\r\n", "\n"))
    notes: list[str] = []
    findings: list[Finding] = []
    tables: list[CrossSections] = []
    sudden: list[Run] = []
    for run in runs:
        if run.has("****** I O S ******"):
            sudden.append(run)
        elif run.find(TABLE) is None:
            line = run.line(run.start).number
            notes.append(f"the run at line {line} has no cross sections and is left out")
        else:
            tables.append(_read_run(run, molecule, collider, notes, findings))
    for run in sudden:
        tables.append(read_ios(run, molecule, collider, levels, tables, notes, findings))
    if not tables:
        raise runs[0].refuse(
            runs[0].start,
            "the output has no state-to-state integral cross sections",
            f"a table that begins with `{TABLE}ANGSTROM**2`",
            "run MOLSCAT with ISIGPR = 1 and IPRINT >= 1",
        )
    return CrossSectionFile(tuple(tables), tuple(notes), tuple(findings), (path,))


def _read_run(
    run: Run, molecule: str, collider: str, notes: list[str], findings: list[Finding]
) -> CrossSections:
    pairs = read_pair_levels(run)
    table = Table(run, run.find(TABLE) or run.start, pairs, never_open(run))
    blocks = table.blocks()
    check_energies(run, blocks, lowest_cm1=min(table.opened.values()))
    system = f"{molecule}+{collider}"
    findings += check_order(run, blocks, system)
    method = _method(run)
    levels = pairs.table(molecule, table.threshold)
    kept: list[str] = []
    if pairs.affected.any():
        names = ", ".join(levels.label[i] for i in np.flatnonzero(pairs.affected))
        kept.append(f"JZCSMX limits the basis: incomplete cross sections between {names} are left out")
    if table.incomplete:
        kept.append(f"{table.incomplete} incomplete cross sections (printed as negative) are left out")
    first, step, _ = blocks[0].jtot
    if first > 0:
        findings.append(missing_waves(system, method, first))
    entries = _entries(run, blocks, levels, pairs)
    entries = densely_sampled(entries, lowest_kinetic(entries, levels), step, kept)
    notes += [f"{method}: {text}" for text in kept]
    made = table_of(levels, collider, method, run.reduced_mass_u(), entries)
    if method in _REVERSIBLE:
        findings += irreversible(made)
    return made


def _entries(run: Run, blocks: Sequence[Block], levels: Levels, pairs: PairLevels) -> Entries:
    parts = []
    for block in blocks:
        initial, final = pairs.index(block.initial), pairs.index(block.final)
        parts.append(Entries(initial, final, block.energy_cm1 - levels.energy_cm1[initial], block.sigma))
    entries, sigma = Entries.join(parts), np.concatenate([block.sigma for block in blocks])
    place = np.repeat([block.at for block in blocks], [len(part) for part in parts])
    return each_once(
        entries,
        lambda a, b, _: run.refuse(
            int(place[b]),
            f"duplicate energy with different cross sections, {sigma[a]:g} and {sigma[b]:g} Angstrom^2",
            "each energy once, or twice alike",
        ),
    )


def _method(run: Run) -> str:
    for words, name in _METHODS:
        if run.has(words):
            return f"{name}-DC" if run.has("DIAGONAL CORIOLIS TERM INCLUDED") else name
    match = run.search(_ITYPE)
    if match is not None and int(match[1]) >= 10:
        raise run.refuse(match.start(), "an unknown approximation", "one of CC, CS, EP, DLD or IOS")
    return "CC"
