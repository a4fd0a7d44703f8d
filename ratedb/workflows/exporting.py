"""Write rates as a LAMDA file for radiative-transfer codes or as a table, and their provenance beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ratedb import __version__
from ratedb.errors import RatedbError, UsageError
from ratedb.files import refuse_database, sha256, write_atomically
from ratedb.formats.columns_write import COLUMNS, TABLE_FORMATS, render_columns
from ratedb.formats.lamda import render_lamda
from ratedb.origin import now
from ratedb.physics.temperature_grid import economic_temperatures, interpolated, linear_cost
from ratedb.physics.transitions import downward_pairs
from ratedb.store.rates import KINDS, StoredRates
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.tables import BoolArray, FloatArray, IntArray, LineTable, MoleculeFile, PartnerRates, RateTable
from ratedb.workflows.provenance import partner_provenance, reference_of

EXPORT_FORMATS = ("lamda", *TABLE_FORMATS)
EXPORT_QUALITIES = ("any", "unmarked", "unsuspected")

_MOSTLY = 0.9
_MOST_TEMPERATURES = 61
"""The most that all readers of LAMDA files take."""


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and as what.

    `j_max` cuts the levels; `kinds` are the kinds of values to take, all where empty; `min_quality` is any,
    unmarked (no value with an error of quality control) or unsuspected (no warning either); `strict` refuses
    a file for which the writer has any warning. `temperature_k` are the temperatures to write, `auto` those
    that keep what straight lines between them cost below `tolerance`, None those of the rates.
    """

    file_format: str = "lamda"
    kinds: tuple[str, ...] = ()
    min_quality: str = "any"
    strict: bool = False
    j_max: int | None = None
    temperature_k: tuple[float, ...] | Literal["auto"] | None = None
    tolerance: float = 0.01

    def check(self) -> None:
        """Raise UsageError for an unknown format, kind or quality, or an impossible tolerance."""
        for what, given, known in (
            ("format", [self.file_format], EXPORT_FORMATS),
            ("kind", self.kinds, KINDS),
            ("quality", [self.min_quality], EXPORT_QUALITIES),
        ):
            for one in given:
                if one not in known:
                    raise UsageError(f"unknown {what} {one!r}", expected=" or ".join(known))
        if not 0.0 < self.tolerance < 1.0:
            raise UsageError(
                "not a tolerance", expected="a part between 0 and 1, such as 0.01", got=f"{self.tolerance:g}"
            )
        if self.file_format != "lamda" and self.temperature_k is not None:
            raise UsageError(
                "a table has the temperatures of its rates",
                expected="--temperatures with --format lamda only",
                got=f"--format {self.file_format}",
            )


@dataclass(frozen=True)
class ExportResult:
    """A written file: `rates` counts values, `predicted_fraction` is the share of predicted ones.

    `extrapolated_transitions` are predicted outside what their model was trained on. `interpolation_cost` is
    how far off, relatively, readers are that draw straight lines between the temperatures of a LAMDA file:
    `largest`, and what 95 of 100 transitions stay below (`p95`), for each system.
    """

    path: str
    provenance_path: str
    sha256: str
    systems: list[str]
    levels: int
    transitions: int
    rates: int
    predicted_fraction: float
    extrapolated_transitions: int
    interpolation_cost: dict[str, dict[str, float]] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Taken:
    """What an export takes from the store."""

    tables: list[StoredRates]
    lines: LineTable
    sources: dict[int, dict[str, Any]]
    models: dict[int, Model]


def export_systems(
    db: Path,
    systems: Sequence[str],
    target: Path,
    options: ExportOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> ExportResult:
    """Write the best rates known of systems of one molecule, with `FILE.provenance.json` beside them.

    An export that fails leaves both old files whole. Raises UsageError where the systems are of different
    molecules, RatedbError where there is nothing to write or, with `strict`, where the writer warns.
    """
    options = options or ExportOptions()
    options.check()
    refuse_database(target)
    report("reading the store")
    taken = take(db, systems, options)
    report("writing")
    rendered = _as_lamda(taken, options) if options.file_format == "lamda" else _as_table(taken, options)
    content, in_file, warnings = rendered.content, rendered.tables, list(rendered.warnings)
    if options.strict and warnings:
        raise _too_many_warnings(warnings, target)
    partners = [
        partner_provenance(table, taken.sources, taken.models, rendered.interpolated_k) for table in in_file
    ]
    values = sum(partner["rates"] for partner in partners)
    predicted = sum(partner["kinds"]["predicted"] for partner in partners)
    result = ExportResult(
        path=str(target),
        provenance_path=f"{target}.provenance.json",
        sha256=sha256(content),
        systems=list(systems),
        levels=rendered.levels,
        transitions=sum(partner["transitions"] for partner in partners),
        rates=values,
        predicted_fraction=predicted / values,
        extrapolated_transitions=sum(partner["extrapolated_transitions"] for partner in partners),
        interpolation_cost=rendered.cost,
        warnings=warnings,
    )
    if not dry_run:
        sidecar = _provenance(result, partners)
        # The sidecar first: should the second move never come, its hash shows that it is of another file.
        write_atomically({Path(result.provenance_path): sidecar, target: content})
    return result


@dataclass(frozen=True, eq=False)
class _Rendered:
    """The bytes of a file, what of the tables is in it, and what readers would stumble over."""

    content: bytes
    tables: list[StoredRates]
    levels: int
    warnings: list[dict[str, str]]
    cost: dict[str, dict[str, float]] = field(default_factory=dict)
    interpolated_k: dict[str, list[float]] = field(default_factory=dict)


def _as_lamda(taken: Taken, options: ExportOptions) -> _Rendered:
    tables, warnings = complete(taken.tables)
    whole = [_at_temperatures(table, options) for table in tables]
    warnings += [warning for table in whole for warning in _missing_pairs(table, options)]
    warnings += [warning for table in whole for warning in _marked_values(table)]
    cost = {table.rates.system: _cost(before, table) for before, table in zip(tables, whole, strict=True)}
    written = render_lamda(molecule_file(whole, taken.lines, taken.sources, taken.models, options))
    warnings += [asdict(warning) for warning in written.warnings]
    in_file = [_as_written(table, *written.partners[table.rates.collider]) for table in whole]
    between = {
        table.rates.system: sorted(set(table.rates.temperature_k) - set(before.rates.temperature_k))
        for before, table in zip(tables, whole, strict=True)
    }
    return _Rendered(written.text.encode("ascii"), in_file, written.levels, warnings, cost, between)


def _as_table(taken: Taken, options: ExportOptions) -> _Rendered:
    tables = taken.tables
    ends = np.concatenate([end for table in tables for end in (table.rates.upper, table.rates.lower)])
    content = render_columns(_columns(tables, taken.sources), options.file_format)
    warnings = [warning for table in tables for warning in _marked_values(table)]
    return _Rendered(content, tables, len(np.unique(ends)), warnings)


def _at_temperatures(stored: StoredRates, options: ExportOptions) -> StoredRates:
    """Return rates at the temperatures that are asked for; raises RatedbError outside of their range."""
    if options.temperature_k is None:
        return stored
    rates = stored.rates
    known = rates.temperature_k
    if options.temperature_k == "auto":
        wanted = economic_temperatures(known, rates.rate_cm3_s, options.tolerance, _MOST_TEMPERATURES)
    else:
        wanted = np.array(options.temperature_k)
    if wanted[0] < known[0] or wanted[-1] > known[-1]:
        raise RatedbError(
            f"the rates of {rates.system} do not reach all temperatures",
            expected=f"{known[0]:g} to {known[-1]:g} K",
            got=f"{wanted[0]:g} to {wanted[-1]:g} K",
            todo="name others with --temperatures; rates are not extrapolated",
        )
    return stored.at(wanted, interpolated(known, rates.rate_cm3_s, wanted))


def _cost(before: StoredRates, written: StoredRates) -> dict[str, float]:
    rates = before.rates
    if len(written.rates.temperature_k) < 2:
        return {"largest": 0.0, "p95": 0.0}
    cost = linear_cost(rates.temperature_k, rates.rate_cm3_s, written.rates.temperature_k).max(axis=1)
    return {"largest": float(cost.max()), "p95": float(np.quantile(cost, 0.95))}


def _columns(tables: list[StoredRates], sources: dict[int, dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table with a row for each value, as schemas/rates.schema.json names them."""
    parts = [_columns_of(stored, sources) for stored in tables]
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def _columns_of(stored: StoredRates, sources: dict[int, dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    rates, levels = stored.rates, stored.rates.levels
    row, column = np.nonzero(np.isfinite(rates.rate_cm3_s))
    order = np.lexsort([column, rates.lower[row], rates.upper[row]])
    row, column = row[order], column[order]
    none = np.full(len(levels), np.nan)
    v, j = (none, none) if levels.v is None or levels.j is None else (1.0 * levels.v, 1.0 * levels.j)
    label = np.array(levels.label, dtype=object)
    upper, lower = rates.upper[row], rates.lower[row]
    source_id = stored.source_id[row, column]
    used, place = np.unique(source_id, return_inverse=True)
    references = np.array([sources[number]["reference"] for number in used.tolist()], dtype=object)
    return {
        "molecule": np.full(len(row), levels.molecule, dtype=object),
        "collider": np.full(len(row), rates.collider, dtype=object),
        "v": v[upper],
        "j": j[upper],
        "v_final": v[lower],
        "j_final": j[lower],
        "upper_label": label[upper],
        "lower_label": label[lower],
        "upper_energy_cm1": levels.energy_cm1[upper],
        "lower_energy_cm1": levels.energy_cm1[lower],
        "upper_weight": levels.weight[upper],
        "lower_weight": levels.weight[lower],
        "temperature_k": rates.temperature_k[column],
        "rate_cm3_s": rates.rate_cm3_s[row, column],
        "kind": np.array(KINDS, dtype=object)[stored.kind[row, column]],
        "log10_std": stored.log10_std[row, column],
        "extrapolated": stored.extrapolated[row, column],
        "marked": stored.marked[row, column],
        "source_id": source_id,
        "reference": references[place],
    }


def take(db: Path, systems: Sequence[str], options: ExportOptions) -> Taken:
    """Return what an export takes from the store; raises UsageError for systems of different molecules."""
    with Store(db) as store:
        molecules = {store.system(name).molecule for name in systems}
        if len(molecules) != 1 or len(set(systems)) != len(systems):
            raise UsageError(
                "one file holds one molecule, each collider once",
                expected="systems such as CO+p-H2 CO+o-H2",
                got=" ".join(systems),
            )
        with_predictions = "predicted" in (options.kinds or KINDS)
        rates = store.rates if with_predictions else store.known_rates
        tables = [_selected(store, rates(name), options) for name in systems]
        sources = {row["source_id"]: row for row in store.query("SELECT * FROM sources ORDER BY source_id")}
        models = {row["model_id"] for row in sources.values() if row["model_id"] is not None}
        return Taken(
            tables,
            store.levels(molecules.pop()).lines,
            sources,
            {model_id: store.model(model_id) for model_id in models},
        )


def _too_many_warnings(warnings: list[dict[str, str]], target: Path) -> RatedbError:
    first = warnings[0]
    return RatedbError(
        f"the file would not keep every rule of its readers ({len(warnings)} warnings)",
        where=str(target),
        expected="no warning, with --strict",
        got=f"{first['rule']} ({first['reader']}): {first['detail']}",
        todo="export without --strict to accept what was done, which is then listed",
    )


def _selected(store: Store, stored: StoredRates, options: ExportOptions) -> StoredRates:
    if options.kinds:
        stored = stored.of_kinds(options.kinds)
    if options.min_quality != "any":
        stored = stored.without(stored.marked)
    if options.min_quality == "unsuspected":
        stored = stored.without(_suspected(store, stored))
    if options.j_max is not None:
        _, j = stored.rates.levels.need_vj()
        low = (j[stored.rates.upper] <= options.j_max) & (j[stored.rates.lower] <= options.j_max)
        stored = stored.rows(low)
    if not len(stored.rates):
        raise RatedbError(
            f"there are no rates of {stored.rates.system} to export",
            expected="rates in the store that the options leave in",
            todo="check --kind, --min-quality and --j-max; `ratedb show` tells what is there",
        )
    return stored


def _suspected(store: Store, stored: StoredRates) -> BoolArray:
    """Return which values have a warning of quality control about their transition, shape (n, m)."""
    rows = store.query(
        "SELECT source_id, upper_label, lower_label, temperature_k FROM findings WHERE system = ?"
        " AND severity IN ('error', 'warning') AND upper_label IS NOT NULL AND accepted_because IS NULL",
        [stored.rates.system],
    )
    label = stored.rates.levels.label
    ends = zip(stored.rates.upper, stored.rates.lower, strict=True)
    place = {(label[up], label[low]): row for row, (up, low) in enumerate(ends)}
    found = np.zeros(stored.kind.shape, dtype=np.bool_)
    for one in rows:
        row = place.get((one["upper_label"], one["lower_label"]))
        if row is None:
            continue
        at = np.ones(len(stored.rates.temperature_k), dtype=np.bool_)
        if one["temperature_k"] is not None:
            at = stored.rates.temperature_k == one["temperature_k"]
        found[row] |= at & (stored.source_id[row] == one["source_id"])
    return found


def complete(tables: list[StoredRates]) -> tuple[list[StoredRates], list[dict[str, str]]]:
    """Return each table on the temperatures nearly all its transitions have, and what that leaves out."""
    whole, warnings = [], []
    for stored in tables:
        known = np.isfinite(stored.rates.rate_cm3_s)
        columns = known.mean(axis=0) >= _MOSTLY
        if not columns.any():
            columns = known.mean(axis=0) == known.mean(axis=0).max()
        rows = known[:, columns].all(axis=1)
        if not (columns.all() and rows.all()):
            warnings.append(
                {
                    "rule": "as many values as temperatures",
                    "reader": "all readers",
                    "detail": f"{stored.rates.system}: {int((~columns).sum())} temperatures and"
                    f" {int((~rows).sum())} transitions that are not complete are left out",
                }
            )
        whole.append(stored.rows(rows).columns(columns))
    return whole, warnings


def _missing_pairs(stored: StoredRates, options: ExportOptions) -> list[dict[str, str]]:
    """Warn where levels that have rates lack others: a reader takes a missing pair as a rate of zero."""
    levels, rates = stored.rates.levels, stored.rates
    within = np.ones(len(levels), dtype=np.bool_)
    if options.j_max is not None:
        within = levels.need_vj()[1] <= options.j_max
    upper, lower = downward_pairs(levels)
    inside = within[upper] & within[lower]
    upper, lower = upper[inside], lower[inside]
    there = np.isin(upper * len(levels) + lower, rates.upper * len(levels) + rates.lower)
    missing = np.flatnonzero(~there)
    if not len(missing):
        return []
    names = ", ".join(f"{levels.label[upper[i]]} -> {levels.label[lower[i]]}" for i in missing[:3])
    detail = (
        f"{rates.system}: {len(missing)} of {len(upper)} pairs of levels have no rate, such as"
        f" {names}; readers take them as zero"
    )
    return [{"rule": "missing pairs", "reader": "all readers", "detail": detail}]


def _marked_values(stored: StoredRates) -> list[dict[str, str]]:
    """Warn of values that quality control marked and that nothing better takes the place of."""
    if not stored.marked.any():
        return []
    rows = np.flatnonzero(stored.marked.any(axis=1))
    upper, lower = int(stored.rates.upper[rows[0]]), int(stored.rates.lower[rows[0]])
    label = stored.rates.levels.label
    detail = (
        f"{stored.rates.system}: {int(stored.marked.sum())} values in {len(rows)} transitions, such as"
        f" {label[upper]} -> {label[lower]}, are marked as wrong and have no other; `ratedb check` says why,"
        " `ratedb fill` predicts in their place"
    )
    return [{"rule": "marked values", "reader": "all readers", "detail": detail}]


def _as_written(stored: StoredRates, rows: IntArray, temperature_k: FloatArray) -> StoredRates:
    """Return the part of a table that is in the file."""
    keep = np.zeros(len(stored.rates), dtype=np.bool_)
    keep[rows] = True
    return stored.rows(keep).columns(np.isin(stored.rates.temperature_k, temperature_k))


def molecule_file(
    tables: list[StoredRates],
    lines: LineTable,
    sources: dict[int, dict[str, Any]],
    models: dict[int, Model],
    options: ExportOptions,
) -> MoleculeFile:
    """Return the tables as one file, cut to the levels that the options leave in."""
    levels = tables[0].rates.levels
    keep = np.arange(len(levels))
    if options.j_max is not None:
        keep = np.flatnonzero(levels.need_vj()[1] <= options.j_max)
    place = np.full(len(levels), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    chosen = levels.select(keep)
    there = (place[lines.upper] >= 0) & (place[lines.lower] >= 0)
    kept_lines = LineTable(
        place[lines.upper[there]],
        place[lines.lower[there]],
        lines.einstein_a_s1[there],
        lines.frequency_ghz[there],
    )
    partners = tuple(
        PartnerRates(
            RateTable(
                chosen,
                stored.rates.collider,
                place[stored.rates.upper],
                place[stored.rates.lower],
                stored.rates.temperature_k,
                stored.rates.rate_cm3_s,
            ),
            reference_of(stored, sources, models),
        )
        for stored in tables
    )
    return MoleculeFile(chosen, kept_lines, partners)


def _provenance(result: ExportResult, partners: list[dict[str, Any]]) -> bytes:
    document = {
        "format": "ratedb-provenance",
        "format_version": 1,
        "file": Path(result.path).name,
        "sha256": result.sha256,
        "exported_at": now().isoformat(),
        "ratedb_version": __version__,
        "predicted_fraction": result.predicted_fraction,
        "partners": partners,
        "warnings": result.warnings,
    }
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
