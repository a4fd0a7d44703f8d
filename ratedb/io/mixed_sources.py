"""Rates of several sources in one file: on one grid of temperatures, and with the share of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.io.writer_rules import ALL_READERS, WriterWarning
from ratedb.layers import Kind
from ratedb.rates import Rates
from ratedb.references import OF_REFERENCE

_SHOWN = 50


def known_sources(rates: Rates) -> dict[int, BoolArray]:
    """Return which transitions, shape (n,), each source from files gives, by id, the largest share first."""
    of_files = (rates.kind_code >= 0) & (rates.kind_code < Kind.PREDICTED)
    used = np.unique(rates.source_id[of_files])
    rows = {number: ((rates.source_id == number) & of_files).any(axis=1) for number in used.tolist()}
    return dict(sorted(rows.items(), key=lambda one: (-int(one[1].sum()), one[0])))


def on_one_grid(rates: Rates) -> tuple[Rates, list[WriterWarning]]:
    """Return rates of several sources at the temperatures of the one that gives most transitions.

    Curves of other sources are interpolated, and not extrapolated. `sources` of the result have the key
    `own_temperatures_k`, where each has values of its own. Rates of one source stay as they are.
    """
    shares = known_sources(rates)
    if len(shares) < 2:
        return rates, []
    own_k = {number: _own_temperatures(rates, number) for number in shares}
    described = {n: {**row, "own_temperatures_k": own_k[n]} for n, row in rates.sources.items() if n in own_k}
    rates = replace(rates, sources={**rates.sources, **described})
    first = next(iter(shares))
    columns = np.isin(rates.temperature_k, own_k[first])
    main = shares[first]
    known = np.isfinite(rates.rate_cm3_s)
    # The temperatures of the second of two joined curves belong to the grid too.
    columns |= known[main].mean(axis=0) >= 0.5 if main.any() else False
    others = ~main & ~known[:, columns].all(axis=1)
    if not others.any() or not columns.any():
        return rates, []
    grid = rates.temperature_k[columns]
    parts = [rates.select(~others).select_temperatures(columns), rates.select(others).at(grid)]
    between = np.isfinite(parts[1].rate_cm3_s) & ~known[others][:, columns]
    if not between.any():
        return rates, []
    detail = (
        f"{rates.system}: {int(between.any(axis=1).sum())} transitions of other sources are interpolated to"
        f" the temperatures of source {first}, and not extrapolated;"
        f" {int((~columns).sum())} temperatures that only they have are left out"
    )
    return _joined(parts), [WriterWarning("one grid of temperatures", ALL_READERS, detail)]


def _own_temperatures(rates: Rates, number: int) -> list[float]:
    kelvin: list[float] = rates.temperature_k[(rates.source_id == number).any(axis=0)].tolist()
    return kelvin


def _joined(parts: list[Rates]) -> Rates:
    """Return parts at the same temperatures as one table, in the order of levels."""
    names = {name for part in parts for name in part.layers}
    whole = Rates.join([replace(part, layers={n: part.layer(n) for n in names}) for part in parts])
    return replace(
        whole.select(np.lexsort([whole.lower, whole.upper])), interpolated_k=parts[0].interpolated_k
    )


def mixed_sources(rates: Rates) -> list[WriterWarning]:
    """Warn of transitions from sources that differ, of joined curves, and of what rests on predictions."""
    shares = known_sources(rates)
    shown = {number: describe(rates.sources.get(number, {})) for number in shares}
    found = []
    if len(set(shown.values())) > 1:
        parts = [f"source {n} ({shown[n]}) gives {int(rows.sum())}" for n, rows in shares.items()]
        detail = f"{rates.system}: transitions are from different sources: {'; '.join(parts)}"
        found.append(WriterWarning("several sources", ALL_READERS, detail))
    if leaning := int(from_predictions(rates).sum()):
        detail = f"{rates.system}: {leaning} values are derived from predicted rates"
        found.append(WriterWarning("derived from predictions", ALL_READERS, detail))
    joined = int((np.sum([*shares.values()], axis=0) > 1).sum()) if len(shares) > 1 else 0
    if joined:
        detail = (
            f"{rates.system}: {joined} curves are joined in temperature from several sources;"
            " the finding joined-sources has the largest jump"
        )
        found.append(WriterWarning("joined sources", ALL_READERS, detail))
    return found


def from_predictions(rates: Rates) -> BoolArray:
    """Return which values, shape (n, m), are derived from predicted ones: only those have a half width."""
    return np.asarray((rates.kind_code == Kind.DERIVED) & np.isfinite(rates.log10_half_width_68))


def describe(source: Mapping[str, Any]) -> str:
    """Return a source in a few words: its reference, method and kind."""
    reference = str(source.get("reference", "not stated"))
    short = reference if len(reference) <= _SHOWN else f"{reference[:_SHOWN]}..."
    kind = source.get("kind", "computed")
    said = [short, f"method {source.get('method', 'not stated')}", *([kind] if kind != "computed" else [])]
    return ", ".join(said)


def transitions_by_source(rates: Rates) -> dict[int, dict[str, list[str]] | None]:
    """Return for each source of files which transitions it gives, by upper label; None for the largest.

    The largest share is that of all transitions which no other source of files gives; it is listed too where
    curves are joined.
    """
    shares = known_sources(rates)
    label = rates.levels.label
    joined = len(shares) > 1 and bool((np.sum([*shares.values()], axis=0) > 1).any())
    found: dict[int, dict[str, list[str]] | None] = {}
    for number, rows in shares.items():
        by_upper: dict[str, list[str]] = {}
        for row in np.flatnonzero(rows).tolist():
            by_upper.setdefault(label[rates.upper[row]], []).append(label[rates.lower[row]])
        found[number] = by_upper if found or joined else None
    return found


def count_by_source(rates: Rates) -> list[dict[str, Any]]:
    """Return for each source of files what it is and how many transitions it gives, the most first."""
    names = ("kind", "method", "reference")
    return [
        {
            "system": rates.system,
            "source_id": number,
            **{name: rates.sources.get(number, {}).get(name) for name in names},
            "transitions": int(rows.sum()),
        }
        for number, rows in known_sources(rates).items()
    ]


def source_provenance(rates: Rates, used: Sequence[int]) -> list[dict[str, Any]]:
    """Return each source; where several are from files, which transitions and temperatures each gives."""
    names = ("kind", "method", "reference", "file_name", "file_sha256", "model_id")
    pairs = transitions_by_source(rates)
    found = []
    for number in used:
        row = rates.sources[number]
        mine = rates.source_id == number
        said = {
            "source_id": number,
            **{name: row[name] for name in names},
            **{name: row[name] for name in OF_REFERENCE if row.get(name)},
            "imported_at": row["imported_at"].isoformat(),
            "ratedb_version": row["ratedb_version"],
            "rates": int(mine.sum()),
            "transitions": int(mine.any(axis=1).sum()),
        }
        if row.get("derived_from_system"):
            said["derived_from"] = {
                "system": row["derived_from_system"],
                "source_ids": list(row["derived_from_source_ids"]),
            }
        if len(pairs) > 1 and number in pairs:
            own = row.get("own_temperatures_k", rates.temperature_k[mine.any(axis=0)].tolist())
            said["own_temperatures_k"] = [kelvin for kelvin in own if kelvin in rates.temperature_k]
            said["pairs"] = pairs[number]
        found.append(said)
    return found
