"""What readers of cross sections between levels of a separate list share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.io.cross_sections import Entries, each_once
from ratedb.io.registry import ReadOptions
from ratedb.io.text import Line


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


def entries_of_lines(lines: Sequence[Line], rows: Sequence[tuple[int, int, float, float]]) -> Entries:
    """Return rows of initial level, final level, kinetic energy and cross section, one for each line.

    A row that is there twice is taken once; raises RatedbError, with the line, where the two differ.
    """
    initial, final, kinetic_cm1, sigma = (np.array(column) for column in zip(*rows, strict=True))
    return each_once(
        Entries(initial, final, kinetic_cm1, sigma),
        lambda first, second, _: lines[second].refuse(
            f"a duplicate row has another cross section than line {lines[first].number}",
            f"{sigma[first]:g} Angstrom^2, as there",
        ),
    )
