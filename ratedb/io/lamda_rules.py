"""The rules of the LAMDA writer that change its data, one function each.

Rules shared with other writers are in writer_rules. Where data cannot keep a rule, the least harmful change
is made, and a WriterWarning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile
from ratedb.io.writer_rules import (
    ALL_READERS,
    LARGEST,
    REAL_BYTES,
    SMALLEST,
    Warnings,
    WriterWarning,
    WrittenPartner,
    complete_rows,
    on_levels,
    require_partner,
)
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1
from ratedb.physics.line_evidence import CONTRADICTION, weigh_lines
from ratedb.systems import COLLIDERS


def usable_partners(file: MoleculeFile, warnings: Warnings) -> list[WrittenPartner]:
    """Return the partners by id, each once, with the rows and temperatures that can be written."""
    chosen: dict[str, WrittenPartner] = {}
    for partner in file.partners:
        collider = partner.rates.collider
        if collider in chosen:
            detail = f"{collider} comes more than once; only its first table is written"
            warnings.append(WriterWarning("partners", ALL_READERS, detail))
            continue
        written = on_levels(partner.rates, partner.reference, file.levels)
        distinct = _distinct_as_printed(partner.rates.temperature_k)
        written = complete_rows(written, distinct, LARGEST, warnings)
        if len(written.rates):
            chosen[collider] = written
        else:
            detail = f"{collider} has no complete row of rates and is left out"
            warnings.append(WriterWarning("partners", ALL_READERS, detail))
    require_partner("LAMDA", file.levels, chosen)
    unknown = [collider for collider in chosen if collider not in COLLIDERS]
    if unknown:
        raise RatedbError(
            f"LAMDA files have no id for the collider {unknown[0]}",
            where=f"{file.levels.molecule}+{unknown[0]}",
            expected="colliders among " + " ".join(COLLIDERS),
            got=unknown[0],
            todo="export it with --format csv, parquet or basecol",
        )
    if "H+" in chosen:
        warnings.append(WriterWarning("partners", "Cloudy", "Cloudy stops at partner id 7 (H+)"))
    if "H2" in chosen and {"p-H2", "o-H2"} & chosen.keys():
        detail = "H2 next to p-H2 or o-H2: RADEX counts H2 twice; write two files"
        warnings.append(WriterWarning("partners", "RADEX", detail))
    return [chosen[collider] for collider in COLLIDERS if collider in chosen]


def _distinct_as_printed(temperature_k: FloatArray) -> BoolArray:
    printed = [float(real(t)) for t in temperature_k]
    keep = [True] + [a < b for a, b in pairwise(printed)]
    return np.array(keep[: len(printed)], dtype=np.bool_)


def connected_levels(
    levels: Levels, lines: Lines, partners: Sequence[WrittenPartner], warnings: Warnings
) -> BoolArray:
    """Return which levels a line or a positive rate connects; RADEX's matrix is singular with others."""
    rows = [one.rates.select((one.rates.rate_cm3_s > 0).any(axis=1)) for one in partners]
    upper = np.concatenate([lines.upper, *(rates.upper for rates in rows)])
    lower = np.concatenate([lines.lower, *(rates.lower for rates in rows)])
    connected = np.zeros(len(levels), dtype=np.bool_)
    connected[upper] = connected[lower] = True
    if not connected.any():
        raise RatedbError(
            "no LAMDA file can be made",
            where=levels.molecule,
            expected="levels that a line or a positive rate connects",
            got="none",
        )
    alone = np.flatnonzero(~connected)
    if len(alone):
        detail = (
            f"{len(alone)} level(s) without line or positive rate are left out, as {levels.label[alone[0]]}"
        )
        warnings.append(WriterWarning("connected", "RADEX", detail))
    groups = len(set(_group_of(upper, lower, len(levels))[connected].tolist()))
    if groups > 1:
        detail = f"the levels fall into {groups} groups that nothing connects; write one file for each"
        warnings.append(WriterWarning("connected", "RADEX", detail))
    return connected


def on_connected(
    levels: Levels, partners: Sequence[WrittenPartner], connected: BoolArray, warnings: Warnings
) -> list[WrittenPartner]:
    """Leave out the rows, all zero, of levels that nothing connects, and partners that had no others."""
    kept = []
    for partner in partners:
        rates = partner.rates
        inside = connected[rates.upper] & connected[rates.lower]
        if not inside.all():
            detail = f"{rates.collider}: {(~inside).sum()} row(s) of zeros go with the levels left out"
            warnings.append(WriterWarning("connected", "RADEX", detail))
        if inside.any():
            kept.append(partner.select(inside))
    require_partner("LAMDA", levels, kept)
    return kept


def _group_of(upper: IntArray, lower: IntArray, n: int) -> IntArray:
    """Return a number for each level that is equal for levels joined by a chain of pairs (union-find)."""
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in zip(upper.tolist(), lower.tolist(), strict=True):
        parent[root(a)] = root(b)
    return np.array([root(i) for i in range(n)], dtype=np.int64)


def positive(partner: WrittenPartner, warnings: Warnings) -> WrittenPartner:
    """Write zeros and rates below 1e-99 as 1e-99: positive, and an exponent of two digits."""
    rates = partner.rates
    zero = rates.rate_cm3_s == 0
    tiny = (rates.rate_cm3_s < SMALLEST) & ~zero
    if zero.any():
        detail = f"{rates.collider}: {zero.sum()} rate(s) of zero are written as 1E-99"
        warnings.append(WriterWarning("positive rates", ALL_READERS, detail))
    if tiny.any():
        detail = f"{rates.collider}: {tiny.sum()} rate(s) below 1E-99 are written as 1E-99"
        warnings.append(WriterWarning("two-digit exponents", "myRadex", detail))
    raised = replace(rates, rate_cm3_s=np.maximum(rates.rate_cm3_s, SMALLEST))
    return replace(partner, rates=raised)


def warn_limits(levels: Levels, lines: Lines, partners: Sequence[WrittenPartner], warnings: Warnings) -> None:
    """Warn where a reader's fixed arrays are too short."""
    n_rates = max(len(partner.rates) for partner in partners)
    for reader, what, count, limit in (
        ("RADEX", "levels", len(levels), 2999),
        ("Cloudy", "levels", len(levels), 999),
        ("RADEX", "lines", len(lines.upper), 99999),
        ("SpectralRadex", "lines", len(lines.upper), 500),
        ("RADEX", "rates of one partner", n_rates, 99999),
    ):
        if count > limit:
            warnings.append(WriterWarning("limits", reader, f"{count} {what}; it holds {limit}"))


def warn_contradictions(levels: Levels, lines: Lines, warnings: Warnings) -> None:
    """Warn where pythonradex drops all frequencies: one is far from the level energies as written."""
    gap = (levels.energy_cm1[lines.upper] - levels.energy_cm1[lines.lower]) * GHZ_PER_CM1
    off = np.abs(lines.frequency_ghz - gap) > CONTRADICTION * gap
    off &= (lines.frequency_ghz > 0) & ~lines.frequency_computed
    if not off.any():
        return
    at = int(np.flatnonzero(off)[np.argmax(np.abs(lines.frequency_ghz / gap - 1.0)[off])])
    name = f"{levels.label[lines.upper[at]]} -> {levels.label[lines.lower[at]]}"
    suspects = ", ".join(levels.label[one.level] for one in weigh_lines(levels, lines).levels)
    detail = (
        f"{off.sum()} of {len(lines)} frequencies differ by more than {CONTRADICTION:g} from the energies, so"
        f" it takes no frequency of the file, such as {name}: {lines.frequency_ghz[at]:.9g} GHz, levels"
        f" {gap[at]:.9g} GHz apart" + (f"; the suspect is the energy of level {suspects}" if suspects else "")
    )
    warnings.append(WriterWarning("frequencies", "pythonradex", detail))


def real(value: float) -> str:
    """Return a real in at most 16 bytes with a point: the shortest that gives it back.

    Where no text of 16 bytes gives a number back, the closest one is returned. Raises RatedbError for a
    number whose exponent has three digits.
    """
    if not (value == 0 or SMALLEST <= abs(value) <= LARGEST):
        raise RatedbError(
            "no LAMDA file can hold a number", expected="exponents of two digits", got=f"{value:g}"
        )
    text = _closest(value)
    # What is read from the text is to be written as the same text again.
    return text if float(text) == value else _closest(float(text))


def _closest(value: float) -> str:
    """Return the shortest of the texts of at most 16 bytes that are closest to a number."""
    shortest = repr(float(value))
    if "." in shortest and "e" not in shortest and len(shortest) <= REAL_BYTES:
        return shortest
    choices = [f"{value:.{places}f}" for places in range(1, 13)]
    choices += [f"{value:.{places}E}" for places in range(1, 11)]
    fitting = [text for text in choices if len(text) <= REAL_BYTES]
    return min(fitting, key=lambda text: abs(float(text) - value))  # the first of equals, so the shortest


def rounded(texts: Sequence[str], values: Sequence[float]) -> list[int]:
    """Return the places where a text differs from its number by more than the last digits of a float."""
    pairs = enumerate(zip(texts, values, strict=True))
    return [i for i, (text, value) in pairs if abs(float(text) - value) > 1e-12 * abs(value)]
