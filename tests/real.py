"""Where real data for tests are; tests that need data that are not here say so and skip."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ratedb.io.lamda import read_lamda
from ratedb.radiative.radex import lamda_folder
from ratedb.rates import Rates

NAIVE_N4 = {"log10_percent_error": 0.781, "dex_rms": 0.210, "factor_median": 1.056, "wmef": 1.044}
"""Naive interpolation on CO + p-H2 from j = 5, 9, 14, 19; every other j of 5..20; 10-1000 K."""


def shared_folder(name: str) -> Path:
    """Return a folder of the collection of real data that RATEDB_TEST_DATA names, or skip."""
    default = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("RATEDB_TEST_DATA", default)) / name
    if not folder.is_dir():
        pytest.skip(f"no folder {name} with real data; name the folder above it in RATEDB_TEST_DATA")
    return folder


def co_file() -> Path:
    """Return the CO file of Yang et al. (2010) that spectralradex ships, or skip."""
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which ships the CO rates, is not installed (Linux, CPython 3.11 only)")
    return folder / "co.dat"


def co_rates(collider: str = "p-H2", *, j_max: int = 20, low_k: float = 10, high_k: float = 1000) -> Rates:
    """Return CO rates out of j <= j_max within a range of temperatures."""
    for partner in read_lamda(co_file()).partners:
        if partner.rates.collider == collider:
            rates = partner.rates.select(partner.rates.initial_j() <= j_max)
            keep = (rates.temperature_k >= low_k) & (rates.temperature_k <= high_k)
            return Rates(
                rates.levels,
                collider,
                rates.upper,
                rates.lower,
                rates.temperature_k[keep],
                np.asarray(rates.rate_cm3_s[:, keep]),
            )
    raise LookupError(collider)
