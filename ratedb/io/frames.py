"""Rates as pandas, Arrow, astropy and xarray objects, where these packages are installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratedb import __version__
from ratedb.io.columns_write import column_types, rate_columns
from ratedb.layers import KINDS
from ratedb.rates import Rates
from ratedb.store.tabular import Coded, need_package, table_as_arrow, table_as_pandas

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import xarray
    from astropy.table import QTable

_UNITS = {
    "upper_energy_cm1": "cm-1",
    "lower_energy_cm1": "cm-1",
    "temperature_k": "K",
    "rate_cm3_s": "cm3 s-1",
}
"""The units of columns, in words that astropy and UDUNITS both read; the others are pure numbers."""
_LONG_NAMES = {
    "rate_cm3_s": "rate coefficient from the initial to the final level",
    "log10_half_width_68": "half the 68 % interval of the decadic logarithm of the rate coefficient, in dex",
    "kind": "what the value is",
    "kind_code": "what the value is, as a number",
    "source_id": "source of the value, by its number in the attribute provenance, -1 for none",
    "extrapolated": "whether the value is predicted outside what its model was trained on",
    "marked": "whether quality control flagged the value as wrong",
    "transition": "transition from the initial to the final level",
    "temperature_k": "kinetic temperature",
    "upper_label": "label of the initial level",
    "lower_label": "label of the final level",
    "upper_energy_cm1": "energy of the initial level as a wavenumber",
    "lower_energy_cm1": "energy of the final level as a wavenumber",
    "upper_weight": "statistical weight of the initial level",
    "lower_weight": "statistical weight of the final level",
}
_BESIDE = ("kind_code", "source_id", "extrapolated", "marked")
_WITHOUT_UNIT = frozenset((*_BESIDE, "kind", "transition", "upper_label", "lower_label"))
_CONVENTIONS = "CF-1.11"


def rates_as_pandas(rates: Rates) -> pandas.DataFrame:
    """Return a data frame with a row for each value; raises RatedbError without pandas."""
    return table_as_pandas(rate_columns([rates]), column_types([rates]))


def rates_as_arrow(rates: Rates) -> pyarrow.Table:
    """Return an Arrow table with a row for each value; raises RatedbError without pyarrow."""
    return table_as_arrow(rate_columns([rates]), column_types([rates]))


def _about(rates: Rates) -> dict[str, Any]:
    """Return what a table says of itself; the values say themselves what is predicted."""
    return {
        "system": rates.system,
        "molecule": rates.levels.molecule,
        "collider": rates.collider,
        "references": list(rates.references),
        "ratedb_version": __version__,
        "provenance": json.loads(json.dumps({**rates.provenance, "predicted": []})),
    }


def rates_as_qtable(rates: Rates) -> QTable:
    """Return an astropy table with a row for each value, the columns of an export as CSV, and their units.

    Columns with a unit are Quantity; unknown integers are masked, other unknown numbers NaN. `meta` has the
    system, references, provenance and the version of ratedb. Raises RatedbError where astropy is not
    installed.
    """
    need_package("astropy.table", "astropy")
    from astropy import units
    from astropy.table import MaskedColumn, QTable

    types, columns = column_types([rates]), rate_columns([rates])
    table = QTable(meta=_about(rates))
    for name, of in types.items():
        values = _values(columns[name])
        if name in _UNITS:
            table[name] = values * units.Unit(_UNITS[name])
        elif name == "log10_half_width_68":
            table[name] = values * units.dex
        elif of == "INTEGER" and (missing := ~np.isfinite(values)).any():
            table[name] = MaskedColumn(np.where(missing, 0, values).astype(np.int64), mask=missing)
        else:
            table[name] = values.astype(np.int64) if of == "INTEGER" else values
        table[name].info.description = _LONG_NAMES.get(name, "")
    return table


def _values(column: npt.NDArray[Any] | Coded) -> npt.NDArray[Any]:
    """Return a column as an array, an empty text for one that is not there."""
    if not isinstance(column, Coded):
        return column
    return np.array([name or "" for name in column.names], dtype=np.str_)[column.code]


def rates_as_xarray(rates: Rates) -> xarray.Dataset:
    """Return a data set with the dimensions `transition` and `temperature_k`.

    Attributes follow the CF conventions and survive netCDF: units, long names, what stands beside the rates,
    and what the flags mean; provenance is JSON. Raises RatedbError where xarray is not installed.
    """
    need_package("xarray")
    import xarray

    both = ("transition", "temperature_k")
    values = {
        "rate_cm3_s": rates.rate_cm3_s,
        "log10_half_width_68": rates.log10_half_width_68,
        "kind": rates.kind,
        "kind_code": rates.kind_code.astype(np.int8),
        "source_id": rates.source_id,
        "extrapolated": rates.extrapolated,
        "marked": rates.marked,
    }
    about = _about(rates)
    return xarray.Dataset(
        {name: (both, array, _attributes(name)) for name, array in values.items()},
        coords={
            "temperature_k": ("temperature_k", rates.temperature_k, _attributes("temperature_k")),
            **{name: ("transition", array, _attributes(name)) for name, array in _of_levels(rates).items()},
        },
        attrs={
            "Conventions": _CONVENTIONS,
            "title": f"Collisional rate coefficients of {rates.system}",
            "source": f"ratedb {__version__}",
            **about,
            "references": "; ".join(about["references"]),
            "provenance": json.dumps(about["provenance"]),
        },
    )


def _of_levels(rates: Rates) -> dict[str, npt.NDArray[Any]]:
    """Return the coordinates of each transition, shape (n,): its name, and what its two levels are."""
    names = [f"{u} -> {w}" for u, w in zip(rates.upper_label, rates.lower_label, strict=True)]
    found: dict[str, npt.NDArray[Any]] = {
        "transition": np.array(names, dtype=np.str_),
        "upper_label": rates.upper_label,
        "lower_label": rates.lower_label,
        "upper_energy_cm1": rates.upper_energy_cm1,
        "lower_energy_cm1": rates.lower_energy_cm1,
        "upper_weight": rates.upper_weight,
        "lower_weight": rates.lower_weight,
    }
    if rates.levels.has_vj:
        return found | {name: getattr(rates, name) for name in ("v", "j", "v_final", "j_final")}
    for name, values in rates.levels.quantum_numbers.items():
        found |= {name: values[rates.upper], f"{name}_final": values[rates.lower]}
    return found


def _attributes(name: str) -> dict[str, Any]:
    """Return the CF attributes of a variable."""
    first = name.removesuffix("_final")
    level = "initial" if first == name else "final"
    found: dict[str, Any] = {
        "long_name": _LONG_NAMES.get(name, f"quantum number {first} of the {level} level")
    }
    if name not in _WITHOUT_UNIT:
        found["units"] = _UNITS.get(name, "1")
    if name == "rate_cm3_s":
        found["ancillary_variables"] = " ".join(["log10_half_width_68", *_BESIDE])
    if name == "kind_code":
        found["flag_values"] = np.arange(-1, len(KINDS), dtype=np.int8)
        found["flag_meanings"] = " ".join(["not_known", *KINDS])
    if name in ("extrapolated", "marked"):
        found["flag_values"], found["flag_meanings"] = np.array([0, 1], dtype=np.int8), "no yes"
    return found
