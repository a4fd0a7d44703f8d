"""LAMDA files of tops and hyperfine kinds that spectralradex ships; tests skip where they are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratedb.io.registry import read_rates
from ratedb.levels import Levels
from ratedb.radiative.radex import lamda_folder


def shipped(name: str) -> Path:
    """Return a shipped LAMDA file, or skip."""
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which ships LAMDA files, is not installed (Linux, CPython 3.11 only)")
    return folder / name


def shipped_levels(name: str) -> Levels:
    """Return the levels of a shipped LAMDA file, or skip."""
    return read_rates(shipped(name)).levels
