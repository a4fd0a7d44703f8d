"""Choose rates out of a store, bring them to other temperatures, and lay them out as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.errors import RatedbError, UsageError
from ratedb.formats.columns_write import COLUMNS
from ratedb.physics.temperature_grid import interpolated
from ratedb.store.rates import KINDS, StoredRates
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.tables import BoolArray, FloatArray, gap_patterns

QUALITIES = ("any", "unmarked", "unsuspected")


@dataclass(frozen=True)
class Selection:
    """Which values to take.

    `kinds` are the kinds of values, all where empty; `min_quality` is any, unmarked (no value with an error
    of quality control) or unsuspected (no warning either); `j_max` cuts the levels.
    """

    kinds: tuple[str, ...] = ()
    min_quality: str = "any"
    j_max: int | None = None

    def check(self) -> None:
        """Raise UsageError for an unknown kind or quality, or a j that is no number."""
        if self.j_max is not None and not isinstance(self.j_max, int | np.integer):
            raise UsageError("the highest j is no number", expected="an integer", got=repr(self.j_max))
        for what, given, known in (
            ("kind", self.kinds, KINDS),
            ("quality", [self.min_quality], QUALITIES),
        ):
            for one in given:
                if one not in known:
                    raise UsageError(f"unknown {what} {one!r}", expected=" or ".join(known))


def select_rates(store: Store, system: str, selection: Selection) -> StoredRates:
    """Return the best rates of a system that are selected, perhaps none.

    Raises RatedbError for an unknown system, or for a `j_max` where levels have no j.
    """
    with_predictions = "predicted" in (selection.kinds or KINDS)
    stored = store.rates(system) if with_predictions else store.known_rates(system)
    if selection.kinds:
        stored = stored.of_kinds(selection.kinds)
    if selection.min_quality != "any":
        stored = stored.without(stored.marked)
    if selection.min_quality == "unsuspected":
        stored = stored.without(_suspected(store, stored))
    if selection.j_max is not None:
        _, j = stored.rates.levels.need_vj()
        low = (j[stored.rates.upper] <= selection.j_max) & (j[stored.rates.lower] <= selection.j_max)
        stored = stored.rows(low)
    return stored


def all_sources(store: Store) -> dict[int, dict[str, Any]]:
    """Return what is said of every source, by its id."""
    return {row["source_id"]: row for row in store.query("SELECT * FROM sources ORDER BY source_id")}


def models_of(store: Store, sources: Iterable[dict[str, Any]]) -> dict[int, Model]:
    """Return the models that made these sources, by their id."""
    wanted = {row["model_id"] for row in sources if row["model_id"] is not None}
    return {model_id: store.model(model_id) for model_id in sorted(wanted)}


def kelvins(temperature_k: npt.ArrayLike) -> FloatArray:
    """Return temperatures that are asked for as an array (k,); raises UsageError where they make no sense."""
    try:
        wanted_k = np.atleast_1d(np.asarray(temperature_k, dtype=np.float64))
    except (TypeError, ValueError):
        wanted_k = np.empty(0)
    good = wanted_k.ndim == 1 and wanted_k.size and np.isfinite(wanted_k).all() and wanted_k[0] > 0
    if not good or (np.diff(wanted_k) <= 0).any():
        raise UsageError(
            "not a list of temperatures",
            expected="one or more temperatures in K, each higher than the one before, such as [20, 50]",
            got=str(temperature_k),
        )
    return wanted_k


def at_temperatures(stored: StoredRates, wanted_k: FloatArray) -> StoredRates:
    """Return rates at other temperatures (k,), each interpolated between those where it is known.

    Where a transition is not known on both sides nothing is. Raises RatedbError outside of the range of all.
    """
    known_k = stored.rates.temperature_k
    if wanted_k[0] < known_k[0] or wanted_k[-1] > known_k[-1]:
        raise RatedbError(
            f"the rates of {stored.rates.system} do not reach all temperatures",
            expected=f"{known_k[0]:g} to {known_k[-1]:g} K",
            got=f"{wanted_k[0]:g} to {wanted_k[-1]:g} K",
            todo="choose other temperatures: rates are not extrapolated",
        )
    patterns, group = gap_patterns(np.isfinite(stored.rates.rate_cm3_s))
    parts = [_part_at(stored.rows(group == n), pattern, wanted_k) for n, pattern in enumerate(patterns)]
    return _joined(parts, np.argsort(np.concatenate([np.flatnonzero(group == n) for n in range(len(parts))])))


def _part_at(part: StoredRates, known: BoolArray, wanted_k: FloatArray) -> StoredRates:
    """Return rates that are all known at the same temperatures, `known` of shape (m,), at others."""
    values = np.full((len(part.rates), len(wanted_k)), np.nan)
    if not known.any():
        return part.at(wanted_k, values).blanked(np.isnan(values))
    part = part.columns(known)
    known_k = part.rates.temperature_k
    inside = (wanted_k >= known_k[0]) & (wanted_k <= known_k[-1])
    values[:, inside] = interpolated(known_k, part.rates.rate_cm3_s, wanted_k[inside])
    return part.at(wanted_k, values).blanked(np.isnan(values))


def _joined(parts: Sequence[StoredRates], order: npt.NDArray[np.intp]) -> StoredRates:
    def column(of: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.asarray(np.concatenate(of)[order])

    rates = replace(
        parts[0].rates,
        upper=column([part.rates.upper for part in parts]),
        lower=column([part.rates.lower for part in parts]),
        rate_cm3_s=column([part.rates.rate_cm3_s for part in parts]),
    )
    return StoredRates(
        rates,
        column([part.kind for part in parts]),
        column([part.source_id for part in parts]),
        column([part.log10_std for part in parts]),
        column([part.extrapolated for part in parts]),
        column([part.marked for part in parts]),
    )


def rate_columns(
    tables: Sequence[StoredRates], sources: Mapping[int, dict[str, Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table with a row for each value, as schemas/rates.schema.json names them."""
    parts = [_columns_of(stored, sources) for stored in tables]
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def _columns_of(stored: StoredRates, sources: Mapping[int, dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
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
    upper = np.array(label)[stored.rates.upper]
    found = np.zeros(stored.kind.shape, dtype=np.bool_)
    for one in rows:
        at = np.ones(len(stored.rates.temperature_k), dtype=np.bool_)
        if one["temperature_k"] is not None:
            at = stored.rates.temperature_k == one["temperature_k"]
        row = place.get((one["upper_label"], one["lower_label"]))
        if one["lower_label"] is None:  # about all transitions out of a level
            out = (upper == one["upper_label"])[:, None]
            found |= out & at & (stored.source_id == one["source_id"])
        elif row is not None:
            found[row] |= at & (stored.source_id[row] == one["source_id"])
    return found
