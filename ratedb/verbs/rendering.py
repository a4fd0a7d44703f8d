"""Turn what an export takes from the store into the bytes of its files, and say what readers stumble over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.io.basecol_write import LEVELS_ENDING, render_basecol
from ratedb.io.columns_write import render_columns
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.io.provenance import reference_of
from ratedb.levels import Lines
from ratedb.physics.temperatures import economic_temperatures, linear_cost
from ratedb.rates import Rates
from ratedb.verbs.taking import ExportOptions, Taken

_MOSTLY = 0.9
_MOST_TEMPERATURES = 61
"""The most that all readers of LAMDA files take."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """The bytes of an export, what of the tables is in it, and what readers would stumble over.

    `beside` are the files that stand beside it, by their ending, such as `.molecule`. `cost` and
    `interpolated_k` are by system: what straight lines between the temperatures cost, and the temperatures
    that no source has.
    """

    content: bytes
    tables: list[Rates]
    levels: int
    warnings: list[dict[str, str]]
    beside: dict[str, bytes] = field(default_factory=dict)
    cost: dict[str, dict[str, float]] = field(default_factory=dict)


def render(taken: Taken, options: ExportOptions) -> Rendered:
    """Return what is taken as a file of the format that the options name.

    Raises RatedbError where no such file can be made, or where rates do not reach the temperatures asked for.
    """
    if options.file_format == "lamda":
        return _as_lamda(taken, options)
    if options.file_format == "basecol":
        return _as_basecol(taken, options)
    return _as_table(taken, options)


@dataclass(frozen=True, eq=False)
class _Whole:
    """Tables without gaps, at the temperatures that are asked for; the rest is as in Rendered."""

    tables: list[Rates]
    warnings: list[dict[str, str]]
    cost: dict[str, dict[str, float]]


def _whole(taken: Taken, options: ExportOptions) -> _Whole:
    tables, warnings = complete(taken.tables)
    whole = [_at_temperatures(table, options) for table in tables]
    warnings += [warning for table in whole for warning in _missing_pairs(table, options)]
    warnings += [warning for table in whole for warning in _marked_values(table)]
    pairs = list(zip(tables, whole, strict=True))
    cost = {table.system: _cost(before, table) for before, table in pairs}
    if options.temperature_k == "auto":
        warnings += [
            _missed(system, one, options)
            for system, one in cost.items()
            if one["largest"] > options.tolerance
        ]
    return _Whole(
        whole,
        warnings,
        cost,
    )


def _as_lamda(taken: Taken, options: ExportOptions) -> Rendered:
    whole = _whole(taken, options)
    written = render_lamda(molecule_file(whole.tables, taken.lines, options))
    return Rendered(
        written.text.encode("ascii"),
        [_as_written(table, *written.partners[table.collider]) for table in whole.tables],
        written.levels,
        whole.warnings + [asdict(warning) for warning in written.warnings],
        {},
        whole.cost,
    )


def _as_basecol(taken: Taken, options: ExportOptions) -> Rendered:
    whole = _whole(taken, options)
    written = render_basecol(molecule_file(whole.tables, taken.lines, options))
    return Rendered(
        written.rates_text.encode("ascii"),
        [_as_written(whole.tables[0], written.row, written.temperature_k)],
        written.levels,
        whole.warnings + [asdict(warning) for warning in written.warnings],
        {LEVELS_ENDING: written.levels_text.encode("ascii")},
        whole.cost,
    )


def _as_table(taken: Taken, options: ExportOptions) -> Rendered:
    tables = taken.tables
    ends = np.concatenate([end for table in tables for end in (table.upper, table.lower)])
    content = render_columns(tables, options.file_format)
    warnings = [warning for table in tables for warning in _marked_values(table)]
    return Rendered(content, tables, len(np.unique(ends)), warnings)


def _at_temperatures(stored: Rates, options: ExportOptions) -> Rates:
    """Return rates at the temperatures that are asked for; raises RatedbError outside of their range."""
    if options.temperature_k is None:
        return stored
    rates = stored
    if options.temperature_k == "auto":
        wanted = economic_temperatures(
            rates.temperature_k, rates.rate_cm3_s, options.tolerance, _MOST_TEMPERATURES
        )
    else:
        wanted = np.array(options.temperature_k)
    return stored.at(wanted)


def _missed(system: str, cost: dict[str, float], options: ExportOptions) -> dict[str, str]:
    detail = (
        f"{system}: with {_MOST_TEMPERATURES} temperatures, the most that all readers take, straight lines"
        f" are off by up to {cost['largest']:.2%}, not {options.tolerance:.2%}"
    )
    return {"rule": "tolerance", "reader": "all readers", "detail": detail}


def _cost(before: Rates, written: Rates) -> dict[str, float]:
    rates = before
    if len(written.temperature_k) < 2 or not len(rates):
        return {"largest": 0.0, "p95": 0.0}
    cost = linear_cost(rates.temperature_k, rates.rate_cm3_s, written.temperature_k).max(axis=1)
    return {"largest": float(cost.max()), "p95": float(np.quantile(cost, 0.95))}


def complete(tables: list[Rates]) -> tuple[list[Rates], list[dict[str, str]]]:
    """Return each table on the temperatures nearly all its transitions have, and what that leaves out."""
    whole, warnings = [], []
    for stored in tables:
        known = np.isfinite(stored.rate_cm3_s)
        columns = known.mean(axis=0) >= _MOSTLY
        if not columns.any():
            columns = known.mean(axis=0) == known.mean(axis=0).max()
        rows = known[:, columns].all(axis=1)
        if not (columns.all() and rows.all()):
            warnings.append(
                {
                    "rule": "as many values as temperatures",
                    "reader": "all readers",
                    "detail": f"{stored.system}: {int((~columns).sum())} temperatures and"
                    f" {int((~rows).sum())} transitions that are not complete are left out",
                }
            )
        whole.append(stored.select(rows).select_temperatures(columns))
    return whole, warnings


def _missing_pairs(stored: Rates, options: ExportOptions) -> list[dict[str, str]]:
    """Warn where levels that have rates lack others: a reader takes a missing pair as a rate of zero."""
    levels, rates = stored.levels, stored
    within = np.ones(len(levels), dtype=np.bool_)
    if options.j_max is not None:
        within = levels.need_vj()[1] <= options.j_max
    pairs = levels.downward_pairs()
    pairs = pairs.select(within[pairs.upper] & within[pairs.lower])
    missing = np.flatnonzero(~np.isin(pairs.keys(), rates.transitions.keys()))
    if not len(missing):
        return []
    names = ", ".join(f"{upper} -> {lower}" for upper, lower in pairs.select(missing[:3]).names())
    detail = (
        f"{rates.system}: {len(missing)} of {len(pairs)} pairs of levels have no rate, such as"
        f" {names}; readers take them as zero"
    )
    return [{"rule": "missing pairs", "reader": "all readers", "detail": detail}]


def _marked_values(stored: Rates) -> list[dict[str, str]]:
    """Warn of values that quality control marked and that nothing better takes the place of."""
    if not stored.marked.any():
        return []
    rows = np.flatnonzero(stored.marked.any(axis=1))
    upper, lower = int(stored.upper[rows[0]]), int(stored.lower[rows[0]])
    label = stored.levels.label
    detail = (
        f"{stored.system}: {int(stored.marked.sum())} values in {len(rows)} transitions, such as"
        f" {label[upper]} -> {label[lower]}, are marked as wrong and have no other; `ratedb check` says why,"
        " `ratedb fill` predicts in their place"
    )
    return [{"rule": "marked values", "reader": "all readers", "detail": detail}]


def _as_written(stored: Rates, rows: IntArray, temperature_k: FloatArray) -> Rates:
    """Return the part of a table that is in the file."""
    keep = np.zeros(len(stored), dtype=np.bool_)
    keep[rows] = True
    return stored.select(keep).select_temperatures(np.isin(stored.temperature_k, temperature_k))


def molecule_file(
    tables: list[Rates],
    lines: Lines,
    options: ExportOptions,
) -> MoleculeFile:
    """Return the tables as one file, cut to the levels that the options leave in."""
    levels = tables[0].levels
    keep = np.arange(len(levels))
    if options.j_max is not None:
        keep = np.flatnonzero(levels.need_vj()[1] <= options.j_max)
    place = np.full(len(levels), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    chosen = levels.select(keep)
    there = (place[lines.upper] >= 0) & (place[lines.lower] >= 0)
    kept_lines = Lines(
        place[lines.upper[there]],
        place[lines.lower[there]],
        lines.einstein_a_s1[there],
        lines.frequency_ghz[there],
    )
    partners = tuple(
        PartnerRates(
            Rates(
                chosen,
                stored.collider,
                place[stored.upper],
                place[stored.lower],
                stored.temperature_k,
                stored.rate_cm3_s,
            ),
            reference_of(stored),
        )
        for stored in tables
    )
    return MoleculeFile(chosen, kept_lines, partners)
