"""Lay out rates and lines as the files of an export, and warn of what readers would misread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import UsageError, one_of
from ratedb.io.basecol_write import LEVELS_ENDING, render_basecol
from ratedb.io.columns_write import TABLE_FORMATS, render_columns
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.io.mixed_sources import mixed_sources, on_one_grid
from ratedb.io.pair_write import refuse_pairs, render_pairs
from ratedb.io.provenance import reference_of
from ratedb.io.writer_rules import ALL_READERS, WriterWarning
from ratedb.layers import KINDS, Kind
from ratedb.levels import Lines
from ratedb.options import ExportOptions
from ratedb.physics.pairs import is_pair
from ratedb.physics.temperatures import economic_temperatures, kelvins, linear_cost
from ratedb.rates import Rates
from ratedb.systems import need_level_names

EXPORT_FORMATS = ("lamda", *TABLE_FORMATS, "basecol")

_LEVEL_ENDINGS = (".molecule", ".lev", ".aij")
_MOSTLY = 0.9
_MOST_TEMPERATURES = 61
"""The most temperatures that all readers of LAMDA files accept."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """The bytes of an export: `content`, and `beside`, further files by their ending, such as `.molecule`.

    `labels` are the labels that were changed, as written and as they were, and `computed_lines` the lines, by
    their labels as written, whose frequency no source has.

    `tables` are the rates in it. `cost` has for each system the relative error of linear interpolation
    between its temperatures: the `largest`, and what 95 of 100 transitions stay below (`p95`).
    """

    content: bytes
    tables: list[Rates]
    levels: int
    warnings: list[WriterWarning]
    beside: Mapping[str, bytes] = field(default_factory=dict)
    cost: Mapping[str, dict[str, float]] = field(default_factory=dict)
    labels: tuple[tuple[str, str], ...] = ()
    computed_lines: tuple[tuple[str, str], ...] = ()


def check_options(options: ExportOptions, systems: Sequence[str], target: Path) -> None:
    """Raise UsageError for invalid options, or what a file of their format or name cannot hold."""
    one_of("format", options.format, EXPORT_FORMATS)
    if not 0.0 < options.tolerance < 1.0:
        raise UsageError(
            "not a tolerance", expected="a number between 0 and 1, such as 0.01", got=f"{options.tolerance:g}"
        )
    if options.kind and not kinds_of(options):
        raise UsageError(
            "--computed-only leaves nothing of --kind predicted",
            expected="one of the two, or another --kind as well",
            got="both",
        )
    if options.temperatures is not None and options.temperatures != "auto":
        kelvins(options.temperatures)
    if options.format in TABLE_FORMATS and options.temperatures is not None:
        raise UsageError(
            "a table has the temperatures of its rates",
            expected="--temperatures with --format lamda or basecol",
            got=f"--format {options.format}",
        )
    if options.format == "basecol" and len(systems) != 1:
        raise UsageError(
            "a BASECOL file holds one collider",
            expected="one system",
            got=" ".join(systems),
            todo="export each system to a separate file",
        )
    if options.format == "basecol" and target.suffix.lower() in _LEVEL_ENDINGS:
        raise UsageError(
            "this is the name of a list of levels, not of rates",
            where=str(target),
            expected="a name such as co.kij; its levels are then in co.molecule",
            got=target.name,
        )


def kinds_of(options: ExportOptions) -> tuple[str, ...]:
    """Return the kinds of values to export, all where empty."""
    if not options.computed_only:
        return tuple(options.kind)
    return tuple(kind for kind in options.kind or KINDS if kind != Kind.PREDICTED.text)


def render(tables: Sequence[Rates], lines: Lines, options: ExportOptions) -> Rendered:
    """Return tables of one molecule, and its lines, as a file of the format that the options name.

    Raises RatedbError where no such file can be made, or where rates do not reach the temperatures.
    """
    for table in tables:  # a store of an earlier version may have any
        need_level_names(table.levels.molecule, table.levels.label, table.system)
    if options.format in TABLE_FORMATS:
        ends = np.concatenate([end for table in tables for end in (table.upper, table.lower)])
        content = render_columns(tables, options.format)
        warnings = [*_flagged_values(tables), *(one for table in tables for one in mixed_sources(table))]
        return Rendered(content, list(tables), len(np.unique(ends)), warnings)
    pairs = is_pair(tables[0].levels)
    joint = any(table.levels.molecule.endswith(f"({table.collider})") for table in tables)
    if options.format == "lamda" and (pairs or joint):  # pairs of an unknown kind have the name only
        raise refuse_pairs(tables[0].levels, [table.system for table in tables], "LAMDA")
    known, warnings = complete(tables)
    whole = [_at_temperatures(table, options) for table in known]
    cost = {table.system: _cost(before, table) for before, table in zip(known, whole, strict=True)}
    if not pairs:  # tables of pairs name few of them, and no reader takes the others as zero
        warnings += _missing_pairs(whole, options.j_max)
    warnings += _flagged_values(whole)
    warnings += [one for table in whole for one in mixed_sources(table)]
    warnings += _missed_tolerance(cost, options)
    file = molecule_file(whole, lines, options.j_max)
    if options.format == "basecol" and pairs:
        text = render_pairs(file)
        written = [_as_written(whole[0], text.row, text.temperature_k)]
        warnings += text.warnings
        content = text.rates_text.encode("ascii")
        return Rendered(content, written, text.levels, warnings, text.beside, cost)
    if options.format == "basecol":
        basecol = render_basecol(file)
        written = [_as_written(whole[0], basecol.row, basecol.temperature_k)]
        beside = {LEVELS_ENDING: basecol.levels_text.encode("ascii")}
        warnings += basecol.warnings
        content = basecol.rates_text.encode("ascii")
        return Rendered(content, written, basecol.levels, warnings, beside, cost)
    lamda = render_lamda(file)
    written = [_as_written(table, *lamda.partners[table.collider]) for table in whole]
    warnings += lamda.warnings
    return Rendered(
        lamda.text.encode("ascii"),
        written,
        lamda.levels,
        warnings,
        cost=cost,
        labels=lamda.labels,
        computed_lines=lamda.computed_lines,
    )


def complete(tables: Sequence[Rates]) -> tuple[list[Rates], list[WriterWarning]]:
    """Return each table at the temperatures nearly all its transitions have, and what that leaves out."""
    whole: list[Rates] = []
    warnings: list[WriterWarning] = []
    for several in tables:
        table, said = on_one_grid(several)
        warnings += said
        known = np.isfinite(table.rate_cm3_s)
        columns = known.mean(axis=0) >= _MOSTLY
        if not columns.any():
            columns = known.mean(axis=0) == known.mean(axis=0).max()
        rows = known[:, columns].all(axis=1)
        if not (columns.all() and rows.all()):
            detail = (
                f"{table.system}: {int((~columns).sum())} temperatures and {int((~rows).sum())} transitions"
                " that are not complete are left out"
            )
            warnings.append(WriterWarning("as many values as temperatures", ALL_READERS, detail))
        whole.append(table.select(rows).select_temperatures(columns))
    return whole, warnings


def molecule_file(tables: Sequence[Rates], lines: Lines, j_max: int | None) -> MoleculeFile:
    """Return the tables, and the lines, as one file with the levels up to `j_max`, all where it is None."""
    levels = tables[0].levels
    keep = np.arange(len(levels))
    if j_max is not None:
        keep = np.flatnonzero(levels.need_j() <= j_max)
    place = np.full(len(levels), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    chosen = levels.select(keep)
    upper, lower = place[lines.upper], place[lines.lower]
    kept = (upper >= 0) & (lower >= 0)
    kept_lines = replace(lines.select(kept), upper=upper[kept], lower=lower[kept])
    partners = tuple(
        PartnerRates(
            replace(table, levels=chosen, upper=place[table.upper], lower=place[table.lower]),
            reference_of(table),
        )
        for table in tables
    )
    return MoleculeFile(chosen, kept_lines, partners)


def _at_temperatures(rates: Rates, options: ExportOptions) -> Rates:
    """Return rates at the chosen temperatures; raises RatedbError outside of their range."""
    if options.temperatures is None:
        return rates
    if options.temperatures == "auto":
        return rates.at(
            economic_temperatures(
                rates.temperature_k, rates.rate_cm3_s, options.tolerance, _MOST_TEMPERATURES
            )
        )
    return rates.at(options.temperatures)


def _cost(known: Rates, written: Rates) -> dict[str, float]:
    if len(written.temperature_k) < 2 or not len(known):
        return {"largest": 0.0, "p95": 0.0}
    cost = linear_cost(known.temperature_k, known.rate_cm3_s, written.temperature_k).max(axis=1)
    return {"largest": float(cost.max()), "p95": float(np.quantile(cost, 0.95))}


def _missed_tolerance(cost: Mapping[str, dict[str, float]], options: ExportOptions) -> list[WriterWarning]:
    if options.temperatures != "auto":
        return []
    return [
        WriterWarning(
            "tolerance",
            ALL_READERS,
            f"{system}: with {_MOST_TEMPERATURES} temperatures, the most that all readers accept, linear"
            f" interpolation is off by up to {one['largest']:.2%}, not {options.tolerance:.2%}",
        )
        for system, one in cost.items()
        if one["largest"] > options.tolerance
    ]


def _missing_pairs(tables: Sequence[Rates], j_max: int | None) -> list[WriterWarning]:
    """Warn where pairs of levels have no rate: a reader takes a missing pair as a rate of zero."""
    found = []
    for table in tables:
        pairs = table.levels.downward_pairs()
        if j_max is not None:
            within = table.levels.need_j() <= j_max
            pairs = pairs.select(within[pairs.upper] & within[pairs.lower])
        missing = np.flatnonzero(~np.isin(pairs.keys(), table.transitions.keys()))
        if len(missing):
            names = ", ".join(f"{upper} -> {lower}" for upper, lower in pairs.select(missing[:3]).names())
            detail = (
                f"{table.system}: {len(missing)} of {len(pairs)} pairs of levels have no rate, such as"
                f" {names}; readers take them as zero"
            )
            found.append(WriterWarning("missing pairs", ALL_READERS, detail))
    return found


def _flagged_values(tables: Sequence[Rates]) -> list[WriterWarning]:
    """Warn of values that quality control flagged and that no other replaces."""
    found = []
    for table in tables:
        rows = np.flatnonzero(table.marked.any(axis=1))
        if len(rows):
            detail = (
                f"{table.system}: {int(table.marked.sum())} values in {len(rows)} transitions, such as"
                f" {table.transition_name(rows[0])}, are flagged as wrong and have no replacement;"
                " `ratedb check` says why, `ratedb fill` predicts them"
            )
            found.append(WriterWarning("marked values", ALL_READERS, detail))
    return found


def _as_written(table: Rates, rows: IntArray, temperature_k: FloatArray) -> Rates:
    """Return the part of a table that is in the file."""
    keep = np.isin(np.arange(len(table)), rows)
    return table.select(keep).select_temperatures(np.isin(table.temperature_k, temperature_k))
