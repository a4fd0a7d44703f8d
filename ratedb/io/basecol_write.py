"""Write rates by level number (`.kij`) and the levels and lines they refer to (`.molecule`), as molpop does.

The form is one that ratedb reads again and molpop accepts: records in a fixed order, rates from a higher to a
lower level number, and no two levels of the same energy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.io.basecol import looks_like_basecol, own_title
from ratedb.io.contents import MoleculeFile
from ratedb.io.molpop_levels import named_labels
from ratedb.io.pair_write import render_pairs
from ratedb.io.registry import writer
from ratedb.io.writer_rules import (
    ALL_READERS,
    Warnings,
    WriterWarning,
    complete_rows,
    lines_downward,
    new_numbers,
    on_levels,
    printable,
    rates_downward,
    require_partner,
    sorted_energies,
    unique_labels,
    usable_lines,
    warn_temperatures,
    warn_weights,
    written_molecule,
)
from ratedb.levels import Levels, Lines
from ratedb.physics.pairs import is_pair
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.rates import Rates

LEVELS_ENDING = ".molecule"
"""How the name of the file with the levels ends."""

_ENERGY_BYTES = 24
_LABEL_BYTES = 78  # molpop holds 80
_NAME_BYTES = 30
_REFERENCE_BYTES = 2000
_MOST_TEMPERATURES = 100
_WIDTH = 13


@dataclass(frozen=True)
class BasecolText:
    """The text of a `.kij` file and of its `.molecule` (ASCII), and the warnings raised while they were made.

    `levels` counts the levels; `row`, shape (n,), are the rows of the table that are in the file, and
    `temperature_k`, shape (m,), its temperatures.
    """

    rates_text: str
    levels_text: str
    warnings: tuple[WriterWarning, ...]
    levels: int
    row: IntArray
    temperature_k: FloatArray


def render_basecol(file: MoleculeFile) -> BasecolText:
    """Return the rates of a molecule with one collider as a `.kij` file, and its levels and lines.

    Levels are numbered in order of energy, all of them; energies have nine decimals in cm-1, rates seven
    digits in cm3 s-1, Einstein A nine; temperatures (K) and weights are exact. The same tables give the same
    bytes. Rates of zero are kept; a row with an unknown rate (NaN) is left out.

    Raises RatedbError where the molecule has another number of colliders, or no rate can be written.
    """
    if len(file.partners) != 1:
        raise RatedbError(
            "a BASECOL file holds one collider",
            where=file.levels.molecule,
            expected="the rates with one",
            got=str(len(file.partners)),
        )
    warnings: Warnings = []
    source, partner = file.levels, file.partners[0]
    name = written_molecule(source.molecule, _NAME_BYTES, "molpop", "one short word", warnings)
    exact = np.ones(len(partner.rates.temperature_k), dtype=np.bool_)
    written = on_levels(partner.rates, partner.reference, source)
    written = complete_rows(written, exact, IMPOSSIBLE_CM3_S, warnings)
    require_partner("BASECOL", source, written.row.tolist())
    lines = usable_lines(file.lines, warnings)
    order, energy = sorted_energies(
        source,
        np.ones(len(source), dtype=np.bool_),
        warnings,
        file_format="BASECOL",
        readers="molpop",
        real_bytes=_ENERGY_BYTES,
    )
    levels = source.select(order)
    new_index = new_numbers(order, len(source))
    lines = lines_downward(lines, new_index, warnings)
    written = rates_downward(written, levels, new_index, warnings)
    return BasecolText(
        rates_text=_joined(_rates_text(name, written.rates, written.reference, warnings)),
        levels_text=_joined(_levels_text(name, levels, energy[1], lines, warnings)),
        warnings=tuple(warnings),
        levels=len(levels),
        row=written.row,
        temperature_k=written.rates.temperature_k,
    )


@writer("basecol")
def _basecol(file: MoleculeFile) -> Mapping[str, bytes]:
    if is_pair(file.levels) and len(file.partners) == 1:
        pairs = render_pairs(file)
        return {"": pairs.rates_text.encode("ascii"), **pairs.beside}
    written = render_basecol(file)
    return {
        "": written.rates_text.encode("ascii"),
        LEVELS_ENDING: written.levels_text.encode("ascii"),
    }


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Return a number exactly, in as few digits as that takes and without an exponent."""
    return np.format_float_positional(value, trim="-")


# -- the rates -------------------------------------------------------------------------------------


def _rates_text(molecule: str, rates: Rates, reference: str, warnings: Warnings) -> list[str]:
    """Return the lines of a `.kij` file; molpop counts three from the number of columns to the values."""
    words = f"it holds {_MOST_TEMPERATURES}"
    warn_temperatures(rates, _MOST_TEMPERATURES, "limits", "molpop", words, warnings)
    values = rates.rate_cm3_s.tolist()
    upper, lower = (rates.upper + 1).tolist(), (rates.lower + 1).tolist()
    form = "%8d%8d" + f" %{_WIDTH}.6e" * len(rates.temperature_k)
    return [
        own_title(molecule, rates.collider),
        *_reference_lines(rates.collider, reference, warnings),
        ">",
        f"Number of temperature columns = {len(rates.temperature_k)}",
        "",
        "      I1      J1  Temperature (K)",
        "",
        " " * 16 + "".join(f" {_number(kelvin):>{_WIDTH}}" for kelvin in rates.temperature_k),
        "",
        *(form % (upper[i], lower[i], *values[i]) for i in range(len(upper))),
    ]


def _reference_lines(collider: str, reference: str, warnings: Warnings) -> list[str]:
    text = printable(reference)[:_REFERENCE_BYTES].strip()
    if looks_like_basecol(text.encode("ascii")):
        text = ""  # a reader would take it for the header of the table
    if text != " ".join(reference.split()):
        detail = f"{collider}: the reference is written as `{text}`"
        warnings.append(WriterWarning("reference", ALL_READERS, detail))
    return [f"References :   {text}"] if text else []


# -- the levels and lines --------------------------------------------------------------------------


def _levels_text(
    molecule: str, levels: Levels, energy: Sequence[str], lines: Lines, warnings: Warnings
) -> list[str]:
    rows = zip(levels.weight.tolist(), energy, _labels(levels, warnings), strict=True)
    _warn_levels(levels, lines, warnings)
    upper, lower = (lines.upper + 1).tolist(), (lines.lower + 1).tolist()
    return [
        f"Energy levels and Einstein coefficients of {molecule}, written by ratedb",
        "",
        "Molecular species",
        ">",
        molecule,
        "",
        "N. levels and molecular mass",
        ">",
        f"{len(levels)}  {_number(levels.molecular_weight or 0.0)}",
        "",
        "     N        g     Energy in cm^{-1}     Level details",
        ">",
        *(f"{i:6d} {_number(g):>8} {e:>21}     '{text}'" for i, (g, e, text) in enumerate(rows, start=1)),
        "",
        f"Einstein coefficients A_ij of {molecule}",
        "",
        "       i       j       A_ij in s^{-1}",
        ">",
        *(f"{upper[i]:8d}{lower[i]:8d}       {lines.einstein_a_s1[i]:.8e}" for i in range(len(upper))),
    ]


def _warn_levels(levels: Levels, lines: Lines, warnings: Warnings) -> None:
    if not levels.molecular_weight:
        detail = "the molecular mass is not known; 0 is written, which no thermal line width can be had from"
        warnings.append(WriterWarning("molecular mass", "molpop", detail))
    warn_weights(levels, "molpop", warnings)
    if not len(lines.upper):
        warnings.append(
            WriterWarning("lines", "molpop", "there are no lines, so there is nothing to compute")
        )


def _labels(levels: Levels, warnings: Warnings) -> list[str]:
    """Return the texts that name the levels, and warn where a reader gets other labels, v or j from them."""
    weights = levels.weight.tolist()
    without_names = [label.replace("=", "-") for label in levels.label]
    ways = [_texts_of_vj(levels), _texts_of_labels(levels.label), _texts_of_labels(without_names)]
    texts = next((way for way in ways if _is_safe(way, levels)), ways[1])
    labels, numbers = named_labels(texts, weights)
    changed = [(a, b) for a, b in zip(levels.label, labels, strict=True) if a != b]
    if changed:
        detail = (
            f"{len(changed)} label(s) are rewritten, as `{printable(changed[0][0])}` -> `{changed[0][1]}`"
        )
        warnings.append(WriterWarning("labels", ALL_READERS, detail))
    if levels.has_vj and not numbers:
        detail = "v and j are not read from this list: the statistical weights do not prove them"
        warnings.append(WriterWarning("quantum numbers", "ratedb", detail))
    return texts


def _is_safe(texts: Sequence[str], levels: Levels) -> bool:
    """Return whether texts are unique and give no other v and j than those of the levels."""
    if len(set(texts)) < len(levels):
        return False
    numbers = named_labels(texts, levels.weight.tolist())[1]
    own = levels.quantum_numbers
    return all(name in own and np.array_equal(own[name], values) for name, values in numbers.items())


def _texts_of_vj(levels: Levels) -> list[str]:
    """Return `J = 5` where labels are j alone, `v = 0, J = 5` otherwise, and nothing without v and j."""
    if levels.v is None or levels.j is None:
        return []
    bare = not levels.v.any() and not any("_" in label for label in levels.label)
    return [f"J = {j}" if bare else f"v = {v}, J = {j}" for v, j in zip(levels.v, levels.j, strict=True)]


def _texts_of_labels(labels: Sequence[str]) -> list[str]:
    """Return unique labels that can be quoted."""
    plain = [printable(label).replace("'", "_").replace('"', "_") for label in labels]
    return unique_labels([text[:_LABEL_BYTES].strip() for text in plain], _LABEL_BYTES)
