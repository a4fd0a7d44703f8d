"""Write tables of rate coefficients with one row for each value, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import IntArray
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import writer
from ratedb.layers import KINDS
from ratedb.levels import Levels
from ratedb.rates import Rates
from ratedb.store.tabular import Coded, table_bytes

TABLE_FORMATS = ("csv", "parquet")

COLUMNS = {
    "molecule": "VARCHAR",
    "collider": "VARCHAR",
    "v": "INTEGER",
    "j": "INTEGER",
    "v_final": "INTEGER",
    "j_final": "INTEGER",
    "upper_label": "VARCHAR",
    "lower_label": "VARCHAR",
    "upper_energy_cm1": "DOUBLE",
    "lower_energy_cm1": "DOUBLE",
    "upper_weight": "DOUBLE",
    "lower_weight": "DOUBLE",
    "temperature_k": "DOUBLE",
    "rate_cm3_s": "DOUBLE",
    "kind": "VARCHAR",
    "log10_half_width_68": "DOUBLE",
    "extrapolated": "BOOLEAN",
    "marked": "BOOLEAN",
    "source_id": "INTEGER",
    "reference": "VARCHAR",
}
"""The columns that are written: those of schemas/rates.schema.json, and where each value is from."""


def column_types(tables: Sequence[Rates]) -> dict[str, str]:
    """Return the columns of tables with their types: COLUMNS, and one for each further quantum number.

    Those of the initial level have its name, as `ka`, those of the final one end in `_final`.
    """
    numbers: dict[str, bool] = {}
    for rates in tables:
        for name, values in (rates.levels.quantum_numbers if not rates.levels.has_vj else {}).items():
            whole = bool((values[np.isfinite(values)] % 1 == 0).all())
            numbers[name] = numbers.get(name, True) and whole
    types = {name: "INTEGER" if whole else "DOUBLE" for name, whole in numbers.items()}
    more = {f"{name}{end}": of for end in ("", "_final") for name, of in types.items()}
    found: dict[str, str] = {}
    for name, of in COLUMNS.items():
        found[name] = more.get(name, of)
        if name == "j_final":
            found |= more
    return found


def rate_columns(tables: Sequence[Rates]) -> dict[str, npt.NDArray[Any] | Coded]:
    """Return the columns of a table with a row for each value, as schemas/rates.schema.json names them."""
    names = column_types(tables)
    parts = [_columns_of(rates, names) for rates in tables]
    texts = [_texts_of(rates) for rates in tables]
    return {
        name: Coded.join([part[name] for part in texts])
        if name in texts[0]
        else np.concatenate([part[name] for part in parts])
        for name in names
    }


def _places(rates: Rates) -> tuple[IntArray, IntArray]:
    """Return the row and column of each value, shape (k,), in the order of levels and temperatures."""
    order = np.lexsort([rates.lower, rates.upper])
    row, column = np.nonzero(np.isfinite(rates.rate_cm3_s[order]))
    return order[row], column


def _texts_of(rates: Rates) -> dict[str, Coded]:
    row, column = _places(rates)
    used, place = np.unique(rates.source_id[row, column], return_inverse=True)
    one = np.zeros(len(row), dtype=np.int64)
    kind = rates.kind_code[row, column]
    return {
        "molecule": Coded(one, [rates.levels.molecule]),
        "collider": Coded(one, [rates.collider]),
        "upper_label": Coded(rates.upper[row], rates.levels.label),
        "lower_label": Coded(rates.lower[row], rates.levels.label),
        "kind": Coded(np.where(kind < 0, len(KINDS), kind), [*KINDS, ""]),
        "reference": Coded(place, [rates.sources.get(one, {}).get("reference") for one in used.tolist()]),
    }


def _columns_of(rates: Rates, names: Collection[str]) -> dict[str, npt.NDArray[Any]]:
    levels = rates.levels
    row, column = _places(rates)
    upper, lower = rates.upper[row], rates.lower[row]
    return _numbers(levels, names, upper, lower) | {
        "upper_energy_cm1": levels.energy_cm1[upper],
        "lower_energy_cm1": levels.energy_cm1[lower],
        "upper_weight": levels.weight[upper],
        "lower_weight": levels.weight[lower],
        "temperature_k": rates.temperature_k[column],
        "rate_cm3_s": rates.rate_cm3_s[row, column],
        "log10_half_width_68": rates.log10_half_width_68[row, column],
        "extrapolated": rates.extrapolated[row, column],
        "marked": rates.marked[row, column],
        "source_id": rates.source_id[row, column],
    }


def _numbers(
    levels: Levels, names: Collection[str], upper: IntArray, lower: IntArray
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of quantum numbers for the initial and the final level of each row, NaN for none."""
    none = np.full(len(levels), np.nan)
    return {
        f"{name}{end}": levels.quantum_numbers.get(name, none)[at]
        for name in names
        if f"{name}_final" in names
        for end, at in (("", upper), ("_final", lower))
    }


def render_columns(tables: Sequence[Rates], file_format: str) -> bytes:
    """Return rates as the bytes of a CSV or Parquet file; the same values give the same bytes."""
    return table_bytes(rate_columns(tables), column_types(tables), file_format)


@writer("csv")
def _csv(file: MoleculeFile) -> Mapping[str, bytes]:
    return {"": render_columns(_tables(file), "csv")}


@writer("parquet")
def _parquet(file: MoleculeFile) -> Mapping[str, bytes]:
    return {"": render_columns(_tables(file), "parquet")}


def _tables(file: MoleculeFile) -> list[Rates]:
    """Return the rates of each partner, with the kind and reference of the partner where they have none."""
    tables = []
    for partner in file.partners:
        rates = partner.rates
        if "source_id" not in rates.layers:
            known = np.isfinite(rates.rate_cm3_s)
            kind = -1 if partner.kind is None else KINDS.index(partner.kind)
            layers = {"kind_code": np.where(known, kind, -1), "source_id": np.where(known, 0, -1)}
            rates = replace(rates, layers=layers, sources={0: {"reference": partner.reference}})
        tables.append(rates)
    return tables
