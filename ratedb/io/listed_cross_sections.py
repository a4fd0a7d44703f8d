"""What readers of cross sections between levels of a separate list share."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.registry import ReadOptions


def needed_mass(options: ReadOptions, path: Path) -> float:
    """Return the reduced mass (u) that the caller gave; raises RatedbError without it."""
    if options.reduced_mass_u is None:
        raise RatedbError(
            "this file does not give the reduced mass",
            where=str(path),
            expected="the reduced mass of the two collision partners in u",
            todo="give it with --reduced-mass",
        )
    return options.reduced_mass_u
