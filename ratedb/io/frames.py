"""Rates as pandas, Arrow and xarray objects, where these packages are installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ratedb import __version__
from ratedb.io.columns_write import column_types, rate_columns
from ratedb.rates import Rates
from ratedb.store.tabular import need_package, table_as_arrow, table_as_pandas

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import xarray


def rates_as_pandas(rates: Rates) -> pandas.DataFrame:
    """Return a data frame with a row for each value; raises RatedbError without pandas."""
    return table_as_pandas(rate_columns([rates]), column_types([rates]))


def rates_as_arrow(rates: Rates) -> pyarrow.Table:
    """Return an Arrow table with a row for each value; raises RatedbError without pyarrow."""
    return table_as_arrow(rate_columns([rates]), column_types([rates]))


def rates_as_xarray(rates: Rates) -> xarray.Dataset:
    """Return a data set with the dimensions `transition` and `temperature_k`.

    `attrs` has units and provenance as text, so that netCDF takes them. Raises
    RatedbError where xarray is not installed.
    """
    need_package("xarray")
    import xarray

    both, one = ("transition", "temperature_k"), ("transition",)
    levels: dict[str, Any] = {
        "upper_label": (one, rates.upper_label, {"long_name": "initial level"}),
        "lower_label": (one, rates.lower_label, {"long_name": "final level"}),
        "upper_energy_cm1": (one, rates.upper_energy_cm1, {"units": "cm-1"}),
        "lower_energy_cm1": (one, rates.lower_energy_cm1, {"units": "cm-1"}),
        "upper_weight": (one, rates.upper_weight),
        "lower_weight": (one, rates.lower_weight),
    }
    if rates.levels.has_vj:
        levels |= {name: (one, getattr(rates, name)) for name in ("v", "j", "v_final", "j_final")}
    else:
        for name, values in rates.levels.quantum_numbers.items():
            levels |= {name: (one, values[rates.upper]), f"{name}_final": (one, values[rates.lower])}
    names = [f"{u} -> {w}" for u, w in zip(rates.upper_label, rates.lower_label, strict=True)]
    return xarray.Dataset(
        {
            "rate_cm3_s": (both, rates.rate_cm3_s, {"units": "cm3 s-1", "long_name": "rate coefficient"}),
            "log10_half_width_68": (
                both,
                rates.log10_half_width_68,
                {"units": "dex", "long_name": "half the 68 % interval of log10 k of a predicted value"},
            ),
            "kind": (both, rates.kind),
            "source_id": (both, rates.source_id),
            "extrapolated": (both, rates.extrapolated),
            "marked": (both, rates.marked),
        },
        coords={
            "transition": (one, names),
            "temperature_k": ("temperature_k", rates.temperature_k, {"units": "K"}),
            **levels,
        },
        attrs={
            "system": rates.system,
            "molecule": rates.levels.molecule,
            "collider": rates.collider,
            "references": "; ".join(rates.references),
            "ratedb_version": __version__,
            # The arrays say what is predicted, value by value.
            "provenance": json.dumps({**rates.provenance, "predicted": []}),
        },
    )
