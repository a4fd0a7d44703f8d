"""Run real RADEX on two LAMDA files and compare what an observer would see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ratedb.files import read_bytes
from ratedb.radiative.grid import GridAxes
from ratedb.radiative.verify import Verification, compare


def verify_files(
    file: Path,
    against: Path,
    axes: GridAxes | None = None,
    *,
    report: Callable[[str], None] = lambda text: None,
) -> Verification:
    """Compare level populations and line fluxes of two files over a grid of conditions.

    Raises RatedbError where RADEX is not installed, a file cannot be read or RADEX fails.
    """
    for path in (file, against):
        read_bytes(path)
    report("running RADEX")
    return compare(file, against, axes=axes)
