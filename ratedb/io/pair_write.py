"""Write the rates of two molecules that both change state as BASECOL does: level numbers of each, two lists.

The lists are CSV tables, which keep labels, weights and all quantum numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.io.basecol import own_title
from ratedb.io.contents import MoleculeFile
from ratedb.io.writer_rules import (
    ALL_READERS,
    Warnings,
    WriterWarning,
    complete_rows,
    on_levels,
    printable,
    require_partner,
    warn_temperatures,
)
from ratedb.levels import Levels
from ratedb.physics.pairs import TwoMolecules, taken_apart
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.rates import Rates

LEVELS_ENDING, COLLIDER_ENDING = ".levels.csv", ".collider_levels.csv"
"""How the names of the files with the levels of the molecule and of its collider end."""

_MOST_TEMPERATURES = 100
_REFERENCE_BYTES = 2000
_WIDTH = 22  # all digits of a rate


@dataclass(frozen=True, eq=False)
class PairText:
    """The text of a table of BASECOL for two molecules, the lists of their levels, and warnings.

    `levels` counts the pairs; `row`, shape (n,), are the rows of the table that are in the file, and
    `temperature_k`, shape (m,), its temperatures.
    """

    rates_text: str
    beside: Mapping[str, bytes]
    warnings: tuple[WriterWarning, ...]
    levels: int
    row: IntArray
    temperature_k: FloatArray


def render_pairs(file: MoleculeFile) -> PairText:
    """Return the rates of two molecules by the numbers of their levels, and a list of levels of each.

    Energies have nine decimals in cm-1, those of the collider count from its lowest level; rates in
    cm3 s-1 have all digits. Raises RatedbError where levels are no pairs or no rate can be written.
    """
    warnings: Warnings = []
    (partner,) = file.partners
    exact = np.ones(len(partner.rates.temperature_k), dtype=np.bool_)
    written = on_levels(partner.rates, partner.reference, file.levels)
    written = complete_rows(written, exact, IMPOSSIBLE_CM3_S, warnings)
    require_partner("BASECOL", file.levels, written.row.tolist())
    rates = written.rates
    both = _in_order(taken_apart(file.levels, rates.collider))
    _warn_grid(file.levels, both, rates, warnings)
    warn_temperatures(rates, _MOST_TEMPERATURES, "limits", "molpop", "it holds 100", warnings)
    return PairText(
        rates_text="\n".join(_rates_text(both, rates, written.reference)) + "\n",
        beside={LEVELS_ENDING: _list_of(both.first), COLLIDER_ENDING: _list_of(both.second)},
        warnings=tuple(warnings),
        levels=len(file.levels),
        row=written.row,
        temperature_k=rates.temperature_k,
    )


def refuse_pairs(levels: Levels, systems: Sequence[str], file_format: str) -> RatedbError:
    """Return the error for a format whose levels are those of one molecule."""
    return RatedbError(
        f"a {file_format} file has the levels of one molecule, and here the collider changes state too",
        where=", ".join(systems),
        expected="rates of the molecule alone, averaged over the states of the collider",
        got=f"pairs of levels, such as {levels.label[0]} ({levels.kind})",
        todo=f"derive effective rates first: `ratedb derive '{systems[0]}' --to effective`; csv, parquet and"
        " basecol hold the pairs",
    )


def _in_order(both: TwoMolecules) -> TwoMolecules:
    """Return both lists in order of energy."""
    parts = []
    for levels, place in ((both.first, both.first_of), (both.second, both.second_of)):
        order = np.argsort(levels.energy_cm1, kind="stable")
        turn = np.empty_like(order)
        turn[order] = np.arange(len(order))
        parts.append((levels.select(order), turn[place]))
    return TwoMolecules(*parts[0], *parts[1])


def _warn_grid(levels: Levels, both: TwoMolecules, rates: Rates, warnings: Warnings) -> None:
    """Warn where a reader, which makes pairs of all levels that rows name, gets others than these."""
    used = np.unique(np.concatenate([rates.upper, rates.lower]))
    firsts, seconds = np.unique(both.first_of[used]), np.unique(both.second_of[used])
    read = {(a, b) for a in firsts.tolist() for b in seconds.tolist()}
    here = set(zip(both.first_of.tolist(), both.second_of.tolist(), strict=True))
    if read != here:
        detail = (
            f"{len(read - here)} pairs of levels that are not in the store will be read, and"
            f" {len(here - read)} that are will not, since no row names their levels"
        )
        warnings.append(WriterWarning("pairs of levels", "ratedb", detail))
    joint = [f"{both.first.label[a]}_{both.second.label[b]}" for a, b in _places(both)]
    changed = [one for one, other in zip(levels.label, joint, strict=True) if one != other]
    if changed:
        detail = f"{len(changed)} labels of pairs, such as {changed[0]}, are rewritten by quantum numbers"
        warnings.append(WriterWarning("labels", ALL_READERS, detail))


def _places(both: TwoMolecules) -> list[tuple[int, int]]:
    return list(zip(both.first_of.tolist(), both.second_of.tolist(), strict=True))


def _rates_text(both: TwoMolecules, rates: Rates, reference: str) -> list[str]:
    """Return the lines of a table as BASECOL has it."""
    numbers = np.stack(
        [
            both.first_of[rates.upper] + 1,
            both.first_of[rates.lower] + 1,
            both.second_of[rates.upper] + 1,
            both.second_of[rates.lower] + 1,
        ],
        axis=1,
    )
    order = np.lexsort(numbers.T[::-1])
    one, two = (printable(levels.molecule).replace(" ", "") for levels in (both.first, both.second))
    text = printable(reference)[:_REFERENCE_BYTES].strip()
    form = "%8d%8d%8d%8d" + f" %{_WIDTH}r" * len(rates.temperature_k)
    values = rates.rate_cm3_s.tolist()
    kelvin = "".join(f" {np.format_float_positional(one, trim='-'):>{_WIDTH}}" for one in rates.temperature_k)
    return [
        own_title(one, rates.collider),
        f"References :   {text}" if text else "",
        "",
        "number of temperatures :",
        str(len(rates.temperature_k)),
        "number of transitions :",
        str(len(rates)),
        "",
        "order :   initial Level;   final Level;   initial Level;   final Level",
        "",
        f"IS_{one}  FS_{one}  IS_{two} FS_{two}{kelvin}",
        *(form % (*numbers[row].tolist(), *values[row]) for row in order.tolist()),
    ]


def _list_of(levels: Levels) -> bytes:
    """Return a list of levels as CSV."""
    numbers = levels.quantum_numbers
    if levels.has_vj and not numbers["v"].any():
        numbers = {"j": numbers["j"]}
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["level", "energy_cm1", "weight", "label", *numbers])
    for place, label in enumerate(levels.label):
        exact = [
            np.format_float_positional(one, trim="-")
            for one in (levels.energy_cm1[place], levels.weight[place])
        ]
        own = ["" if np.isnan(values[place]) else f"{values[place]:g}" for values in numbers.values()]
        writer.writerow([place + 1, *exact, label, *own])
    return target.getvalue().encode()
