"""Read the formatted cross-section tables of MQCT for a top and a linear molecule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input
from ratedb.findings import DUPLICATE, Finding
from ratedb.io.cross_sections import CrossSectionFile, Entries, table_of
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import Line, need_whole_lines, numbered_lines, to_index, to_numbers
from ratedb.kinds.recognise import recognised
from ratedb.levels import Levels

_COLUMNS = ("j_i", "ka_i", "kc_i", "j_f", "ka_f", "kc_f")
_NUMBERS = "j ka kc j2"
_LAST = ("sigmaU(Ang^2)", "sigmaE(Ang^2)")
_KEY = 8
_WIDTH = 14

ENERGY_ROUNDING_CM1 = 2e-3
"""How far the kinetic energy of a row may be from that of its level energies, printed to 0.001 cm-1."""


def looks_like_mqct(content: bytes) -> bool:
    """Return whether the bytes of a file begin like a formatted cross-section table of MQCT."""
    return _is_title(content[:4096].decode("latin-1").split("\n", 1)[0].split())


def _is_title(words: list[str]) -> bool:
    return (
        len(words) == _WIDTH
        and tuple(words[:6]) == _COLUMNS
        and tuple(words[8:10]) == _LAST
        and all(word.startswith("E_") for word in words[10:])
    )


@cross_section_reader("mqct", recognises=looks_like_mqct, order=30)
def _read(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    molecule, collider = options.need_names(file.path)
    return read_mqct(file, molecule=molecule, collider=collider, reduced_mass_u=options.reduced_mass_u)


def read_mqct(
    file: InputFile | Path, *, molecule: str, collider: str, reduced_mass_u: float | None = None
) -> CrossSectionFile:
    """Return the cross sections of one MQCT table: one column, whose kinetic energies differ by transition.

    The molecule is called `p-H2O(p-H2)`; its levels are pairs of both molecules, labelled `j_ka_kc_j2`, with
    the sum of their energies and the product of 2j+1. The table gives sigmaU at the effective energy U, which
    is the same for all rows, and sigmaE at the kinetic energy before the collision,

        E = U + dE/2 + dE^2 / (16 U),    sigmaE / sigmaU = U / E,    dE = E_final - E_initial.

    U is not printed; it is found from the rows, and each row must then obey the relation. Elastic rows of
    zeros are placeholders and left out, as are rows that contradict the relation where a duplicate obeys it.

    Raises RatedbError, with the line, for other contradictions, and where `reduced_mass_u`, which is not in
    the file, is not given.
    """
    file = as_input(file)
    path, content = file.path, file.content
    lines = numbered_lines(content, path)
    if not _is_title(lines[0].text.split()):
        raise lines[0].refuse(
            "this is not a table of MQCT cross sections",
            "the columns j_i ka_i kc_i j_f ka_f kc_f ... sigmaU(Ang^2) sigmaE(Ang^2) and four energies",
        )
    if reduced_mass_u is None:
        raise RatedbError(
            "an MQCT table does not give the reduced mass",
            where=str(path),
            expected="the reduced mass of the two molecules in u",
            todo="give it with --reduced-mass: for H2O and H2 it is 1.813",
        )
    need_whole_lines(content, lines)
    rows = _rows(lines)
    notes: list[str] = []
    findings: list[Finding] = []
    pair = f"{molecule}({collider})"  # as in the two-body tables of BASECOL
    levels, initial, final = _levels(rows, pair)
    effective = _effective_energy(rows)
    keep = _consistent(rows, effective, f"{pair}+{collider}", notes, findings)
    gap, sigma_u, sigma_e = rows.gap_cm1[keep], rows.sigma_u[keep], rows.sigma_e[keep]
    with np.errstate(invalid="ignore", divide="ignore"):
        kinetic = np.where(sigma_e > 0, effective * sigma_u / sigma_e, _kinetic(effective, gap))
    entries = Entries(initial[keep], final[keep], kinetic, sigma_e)
    table = table_of(levels, collider, "MQCT", reduced_mass_u, entries)
    return CrossSectionFile((table,), tuple(notes), tuple(findings), (path,))


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of a table: quantum numbers (k, 8), both cross sections, and energies (k, 4) in cm-1."""

    lines: list[Line]
    quantum: IntArray
    sigma_u: FloatArray
    sigma_e: FloatArray
    energy_cm1: FloatArray

    @property
    def gap_cm1(self) -> FloatArray:
        """Final minus initial energy."""
        return np.asarray(self.energy_cm1[:, 2:].sum(axis=1) - self.energy_cm1[:, :2].sum(axis=1))

    def name(self, row: int) -> str:
        """Return the name of the transition in a row."""
        return " -> ".join(_labels(self.quantum[row]))


def _labels(quantum: IntArray) -> tuple[str, str]:
    q = quantum.tolist()
    return "_".join(map(str, (*q[:3], q[6]))), "_".join(map(str, (*q[3:6], q[7])))


def _rows(lines: list[Line]) -> _Rows:
    kept = [line for line in lines[1:] if line.text.strip()]
    values: list[list[float]] = []
    for line in kept:
        words = line.text.split()
        numbers = to_numbers(words) if len(words) == _WIDTH else None
        whole = [to_index(word) for word in words[:_KEY]]
        if numbers is None or None in whole or min(numbers[_KEY:]) < 0:
            raise line.refuse(
                "a row of cross sections cannot be read",
                f"{_WIDTH} numbers: 8 quantum numbers, sigmaU, sigmaE and 4 energies, none negative",
            )
        values.append(numbers)
    if not values:
        raise lines[-1].refuse("the table has no rows", "cross sections")
    array = np.array(values)
    return _Rows(kept, array[:, :_KEY].astype(np.int64), array[:, 8], array[:, 9], array[:, 10:])


def _levels(rows: _Rows, molecule: str) -> tuple[Levels, IntArray, IntArray]:
    found: dict[str, tuple[float, float]] = {}
    ends: list[tuple[str, str]] = []
    for line, quantum, energy in zip(rows.lines, rows.quantum, rows.energy_cm1, strict=True):
        names = _labels(quantum)
        ends.append(names)
        for name, j, j2, total in (
            (names[0], quantum[0], quantum[6], float(energy[0] + energy[1])),
            (names[1], quantum[3], quantum[7], float(energy[2] + energy[3])),
        ):
            level = (total, float((2 * j + 1) * (2 * j2 + 1)))
            if found.setdefault(name, level) != level:
                raise line.refuse(f"level {name} has two energies", f"{found[name][0]:.9g} cm-1")
    labels = sorted(found, key=lambda name: (found[name][0], name))
    place = {name: k for k, name in enumerate(labels)}
    energy, weight = zip(*(found[name] for name in labels), strict=True)
    levels = recognised(Levels(molecule, tuple(labels), np.array(energy), np.array(weight)), _NUMBERS)
    initial = np.array([place[start] for start, _ in ends], dtype=np.int64)
    final = np.array([place[end] for _, end in ends], dtype=np.int64)
    return levels, initial, final


def _kinetic(effective_cm1: float, gap_cm1: FloatArray) -> FloatArray:
    return np.asarray(effective_cm1 * (1 + gap_cm1 / (4 * effective_cm1)) ** 2)


def _effective_energy(rows: _Rows) -> float:
    """Return U in cm-1: dE / 4 (sqrt(sigmaU / sigmaE) - 1) of most rows."""
    gap = rows.gap_cm1
    usable = (rows.sigma_u > 0) & (rows.sigma_e > 0) & (gap != 0) & (rows.sigma_u != rows.sigma_e)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        each = gap[usable] / (4 * (np.sqrt(rows.sigma_u[usable] / rows.sigma_e[usable]) - 1))
    each = each[np.isfinite(each) & (each > 0)]
    if not len(each):
        raise rows.lines[0].refuse(
            "the effective energy U cannot be found from the rows", "inelastic rows with sigmaU and sigmaE"
        )
    return float(np.median(each))


def _consistent(
    rows: _Rows, effective_cm1: float, system: str, notes: list[str], findings: list[Finding]
) -> BoolArray:
    """Return which rows to keep: each transition once, obeying the relation of U and E."""
    elastic = (rows.quantum[:, :3] == rows.quantum[:, 3:6]).all(axis=1) & (
        rows.quantum[:, 6] == rows.quantum[:, 7]
    )
    zero = (rows.sigma_u == 0) & (rows.sigma_e == 0)
    placeholder = elastic & zero
    if placeholder.any():
        notes.append(f"{placeholder.sum()} elastic rows are zero, which is a placeholder, and are left out")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        printed = effective_cm1 * rows.sigma_u / rows.sigma_e
    expected = _kinetic(effective_cm1, rows.gap_cm1)
    obeys = zero | (np.abs(printed - expected) <= ENERGY_ROUNDING_CM1)
    threshold = (rows.sigma_u == 0) & (rows.sigma_e > 0) & (expected <= ENERGY_ROUNDING_CM1)
    if threshold.any():
        row = int(np.argmax(threshold))
        notes.append(
            f"{threshold.sum()} rows at their threshold, as {rows.name(row)}, are left out: sigmaU is zero "
            "but sigmaE is not, as the kinetic energy rounds to zero"
        )
    keep = ~placeholder & ~threshold
    keep = _without_duplicates(rows, obeys, keep, system, notes, findings)
    wrong = keep & ~obeys
    if wrong.any():
        row = int(np.argmax(wrong))
        raise rows.lines[row].refuse(
            f"the two cross sections contradict the kinetic energy, {expected[row]:.6g} cm-1",
            f"sigmaE / sigmaU = U / E with U = {effective_cm1:.6g} cm-1, as in the other rows",
        )
    return keep


def _without_duplicates(
    rows: _Rows, obeys: BoolArray, keep: BoolArray, system: str, notes: list[str], findings: list[Finding]
) -> BoolArray:
    """Return `keep` with one row of each transition, where possible neither zero nor contradictory."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for row in np.flatnonzero(keep):
        groups.setdefault(tuple(rows.quantum[row].tolist()), []).append(int(row))
    keep = keep.copy()
    for group in groups.values():
        if len(group) == 1:
            continue
        best = [row for row in group if obeys[row]] or group
        best = [row for row in best if rows.sigma_e[row] > 0] or best
        first = best[0]
        for row in best[1:]:
            if (rows.sigma_u[row], rows.sigma_e[row]) != (rows.sigma_u[first], rows.sigma_e[first]):
                raise rows.lines[row].refuse(
                    "duplicate transition with different cross sections",
                    f"each transition once; line {rows.lines[first].number} has {rows.sigma_e[first]:.9g}",
                    "remove one of the two lines",
                )
        keep[group] = False
        keep[first] = True
        if len(best) < len(group):
            findings.append(_two_values(rows, group, first, system))
    if findings:
        notes.append(
            f"{len(findings)} transitions are duplicates; the row whose sigmaU and sigmaE agree with its "
            "kinetic energy is kept, not a zero or a row that contradicts it"
        )
    return keep


def _two_values(rows: _Rows, group: list[int], first: int, system: str) -> Finding:
    other = next(row for row in group if row != first)
    upper, lower = _labels(rows.quantum[first])
    return DUPLICATE.finding(
        system,
        f"lines {', '.join(str(rows.lines[row].number) for row in group)} give the same transition; sigmaE "
        f"in Angstrom^2 of line {rows.lines[first].number} is kept",
        upper=upper,
        lower=lower,
        value=float(rows.sigma_e[other]),
        expected=float(rows.sigma_e[first]),
    )
