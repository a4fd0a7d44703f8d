"""Rules that the writers of rate files share: which rows can be written, in which order and direction.

Where data cannot keep a rule, the least harmful change is made, and a WriterWarning says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.io.lamda_partner import clean_molecule
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates

SMALLEST = 1e-99
"""The smallest number with an exponent of two digits; a smaller Einstein A is none."""

LARGEST = 9e99
"""The largest number with an exponent of two digits."""

TIE_CM1 = 1e-7
"""What a level is lifted over the one before it where both have the same energy."""

_FINEST_CM1 = 1e-9
"""Energies that were computed are rounded to this without a warning."""

REAL_BYTES = 16
"""The longest real that every reader of LAMDA files takes."""

ALL_READERS = "all readers"
"""The reader that a warning names where the rule is everybody's."""


@dataclass(frozen=True)
class WriterWarning:
    """A rule that the data could not keep: its name, the reader that needs it, and what was done."""

    rule: str
    reader: str
    detail: str


@dataclass(frozen=True, eq=False)
class WrittenPartner:
    """The rates of one partner on their way to the file, and their reference.

    `row`, shape (n,), are their rows in the table that was to be written.
    """

    rates: Rates
    reference: str
    row: IntArray

    def select(self, keep: BoolArray | IntArray) -> WrittenPartner:
        """Return the rows at a mask or at indices."""
        return replace(self, rates=self.rates.select(keep), row=self.row[keep])


Warnings = list[WriterWarning]
"""The list to which every rule appends what it could not keep."""


def usable_lines(lines: Lines, warnings: Warnings) -> Lines:
    """Keep lines between two levels, each pair once, with 0 < A."""
    with np.errstate(invalid="ignore"):
        emits = (
            (lines.einstein_a_s1 >= SMALLEST)
            & (lines.einstein_a_s1 <= LARGEST)
            & (lines.upper != lines.lower)
        )
    if not emits.all():
        detail = (
            f"{(~emits).sum()} line(s) whose A is not within {SMALLEST:g} to {LARGEST:g} s-1, or not between"
            " two levels, are left out"
        )
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
        lines = lines.select(emits)
    pair = np.sort(np.stack([lines.upper, lines.lower], axis=1), axis=1)
    _, first = np.unique(pair, axis=0, return_index=True)
    if len(first) < len(pair):
        detail = f"{len(pair) - len(first)} line(s) of a pair listed before are left out"
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
        lines = lines.select(np.sort(first))
    return lines


def require_partner(file_format: str, levels: Levels, partners: Collection[object]) -> None:
    """Raise RatedbError where a file of this format would have no rates."""
    if not partners:
        raise RatedbError(
            f"no {file_format} file can be made",
            where=levels.molecule,
            expected="at least one collision partner with rates",
            got="none",
            todo="fill or import rates first",
        )


def on_levels(rates: Rates, reference: str, levels: Levels) -> WrittenPartner:
    """Return the rates with indices into the levels of the file, joined by label where tables differ."""
    upper, lower = rates.upper, rates.lower
    if rates.levels is not levels and rates.levels.label != levels.label:
        index = {label: i for i, label in enumerate(levels.label)}
        absent = [label for label in rates.levels.label if label not in index]
        if absent:
            raise RatedbError(
                f"the rates of {rates.system} refer to levels that are not in the file",
                expected="one set of levels for all partners",
                got=", ".join(absent[:4]),
            )
        new = np.array([index[label] for label in rates.levels.label], dtype=np.int64)
        upper, lower = new[upper], new[lower]
    bare = replace(rates, levels=levels, upper=upper, lower=lower, layers={})
    return WrittenPartner(bare, reference, np.arange(len(rates), dtype=np.int64))


def complete_rows(
    partner: WrittenPartner, distinct: BoolArray, largest_cm3_s: float, warnings: Warnings
) -> WrittenPartner:
    """Leave out temperatures without any rate, and rows with an unknown or impossibly large rate.

    `distinct`, shape (m,), says which temperatures differ in print from the one before.
    """
    rates, collider = partner.rates, partner.rates.collider
    columns = distinct & (np.isfinite(rates.rate_cm3_s).any(axis=0) if len(rates) else True)
    if not columns.all():
        gone = ", ".join(f"{t:g}" for t in rates.temperature_k[~columns])
        detail = f"{collider}: no rates at {gone} K, or not distinct in print; left out"
        warnings.append(WriterWarning("temperatures", ALL_READERS, detail))
        rates = rates.select_temperatures(columns)
        partner = replace(partner, rates=rates)
    with np.errstate(invalid="ignore"):
        complete = (rates.rate_cm3_s <= largest_cm3_s).all(axis=1) & (rates.upper != rates.lower)
    if not complete.all():
        detail = f"{collider}: {(~complete).sum()} row(s) with an unknown rate, or elastic, are left out"
        warnings.append(WriterWarning("complete rows", ALL_READERS, detail))
    return partner.select(complete & bool(len(rates.temperature_k)))


def sorted_energies(
    levels: Levels,
    keep: BoolArray,
    warnings: Warnings,
    *,
    file_format: str,
    readers: str,
    real_bytes: int = REAL_BYTES,
) -> tuple[IntArray, tuple[FloatArray, list[str]]]:
    """Return the kept levels in order of energy, and their strictly increasing energies as written.

    Energies have nine decimals, up to twelve where the source has more, fewer where `real_bytes` do not hold
    them; `readers` are those that equal energies harm.
    """
    order = np.flatnonzero(keep)[np.argsort(levels.energy_cm1[keep], kind="stable")]
    highest = float(np.abs(levels.energy_cm1).max())
    listed = levels.energy_cm1[order]
    last_bits = 2 * np.spacing(np.abs(listed))
    most = real_bytes - 2 - len(f"{highest:.0f}")
    exact = (d for d in range(9, most + 1) if (np.abs(np.round(listed, d) - listed) <= last_bits).all())
    decimals = next(exact, min(9, most))
    if decimals < 1:
        raise RatedbError(
            f"no {file_format} file can be made", expected="energies in cm-1", got=f"{highest:g}"
        )
    step = max(TIE_CM1, 2 * 10.0**-decimals)
    energy = [round(float(e), decimals) + 0.0 for e in listed]  # no -0.0
    changed = sum(abs(a - b) > _FINEST_CM1 for a, b in zip(energy, listed.tolist(), strict=True))
    if changed:
        detail = f"{changed} energies are rounded to {decimals} decimals"
        warnings.append(WriterWarning("rounded", ALL_READERS, detail))
    lifted = []
    for i in range(1, len(energy)):
        if energy[i] <= energy[i - 1]:
            energy[i] = round(energy[i - 1] + step, decimals)
            lifted.append(levels.label[order[i]])
    if lifted:
        detail = f"{len(lifted)} level(s) are lifted by {step:g} cm-1 over an equal one, as {lifted[0]}"
        warnings.append(WriterWarning("increasing energies", readers, detail))
    text = [f"{e:.{decimals}f}" for e in energy]
    return order, (np.array([float(t) for t in text]), text)


def written_molecule(molecule: str, size: int, reader: str, expected: str, warnings: Warnings) -> str:
    """Return the name of a molecule as one word of at most `size` characters."""
    name = clean_molecule(printable(molecule))[:size] or "unnamed"
    if name != molecule:
        warnings.append(WriterWarning("molecule name", reader, f"{expected}: written as `{name}`"))
    return name


def warn_weights(levels: Levels, reader: str, warnings: Warnings) -> None:
    """Warn of statistical weights that are not whole."""
    fractional = levels.weight != np.round(levels.weight)
    if fractional.any():
        example = levels.weight[fractional][0]
        detail = f"{fractional.sum()} statistical weight(s) are not whole, as {example:g}"
        warnings.append(WriterWarning("whole weights", reader, detail))


def warn_temperatures(
    rates: Rates, most: int, rule: str, reader: str, words: str, warnings: Warnings
) -> None:
    """Warn of fewer than two temperatures, or of more than `most`."""
    count = len(rates.temperature_k)
    if count < 2:
        detail = f"{rates.collider}: one temperature only; readers interpolate between at least 2"
        warnings.append(WriterWarning("temperatures", ALL_READERS, detail))
    if count > most:
        warnings.append(WriterWarning(rule, reader, f"{rates.collider}: {count} temperatures; {words}"))


def new_numbers(order: IntArray, count: int) -> IntArray:
    """Return the place in `order` of each of `count` levels, -1 for those left out."""
    numbers = np.full(count, -1, dtype=np.int64)
    numbers[order] = np.arange(len(order))
    return numbers


def lines_downward(lines: Lines, new_index: IntArray, warnings: Warnings) -> Lines:
    """Number the lines by the levels as written, upper over lower, sorted."""
    upper, lower = new_index[lines.upper], new_index[lines.lower]
    turned = upper < lower
    if turned.any():
        detail = f"{turned.sum()} line(s) go up in energy as written; up and low are exchanged"
        warnings.append(WriterWarning("lines", ALL_READERS, detail))
    lines = replace(lines, upper=np.maximum(upper, lower), lower=np.minimum(upper, lower))
    return lines.select(np.lexsort([lines.lower, lines.upper]))


def rates_downward(
    partner: WrittenPartner, levels: Levels, new_index: IntArray, warnings: Warnings
) -> WrittenPartner:
    """Number the rates by the levels as written, downward, each pair once, sorted.

    Rows between equal energies may be upward: they are converted by detailed balance.
    """
    rates = partner.rates
    rates = replace(rates, levels=levels, upper=new_index[rates.upper], lower=new_index[rates.lower])
    upward, row = rates.upper < rates.lower, partner.row
    if upward.any():
        down = rates.select(~upward)
        opposite = rates.lower * len(levels) + rates.upper
        added = np.flatnonzero(upward & ~np.isin(opposite, down.transitions.keys()))
        converted = rates.upward_rate_cm3_s[added]
        possible = (converted <= LARGEST).all(axis=1)  # not where the energies are far apart
        if not possible.all():
            count = int((~possible).sum())
            detail = f"{rates.collider}: {count} upward row(s) that cannot be converted are left out"
            warnings.append(WriterWarning("downward rates", ALL_READERS, detail))
            added, converted = added[possible], converted[possible]
        detail = (
            f"{rates.collider}: of {upward.sum()} upward row(s), {len(added)} are converted by detailed "
            f"balance, the others left out because the downward row exists"
        )
        warnings.append(WriterWarning("downward rates", "RADEX", detail))
        up = replace(rates, upper=rates.lower[added], lower=rates.upper[added], rate_cm3_s=converted)
        rates, row = Rates.join([down, up]), np.concatenate([row[~upward], row[added]])
    return replace(partner, rates=rates, row=row).select(np.lexsort([rates.lower, rates.upper]))


def printable(text: str) -> str:
    """Return a text in printable ASCII: accents dropped, other characters and runs of blanks as one blank."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^ -~]|!", " ", plain).split())


def unique_labels(labels: Sequence[str], size: int) -> list[str]:
    """Return the labels; those not unique in their first `size` characters become `L17` and alike."""
    taken = {label[:size] for label in labels}
    seen: set[str] = set()
    result = []
    spare = 0
    for label in labels:
        name = label
        if not label or label[:size] in seen:
            spare += 1
            while f"L{spare}" in taken:
                spare += 1
            name = f"L{spare}"
            taken.add(name)
        seen.add(name[:size])
        result.append(name)
    return result
