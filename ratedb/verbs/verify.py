"""Solve for the lines of two LAMDA files and compare the results."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from ratedb.bounds import LARGEST_TEXT_BYTES
from ratedb.errors import UsageError
from ratedb.files import read_bytes
from ratedb.options import Progress, VerifyOptions, silent
from ratedb.radiative.solving import chosen_solver, name_of_solver
from ratedb.radiative.verify import Verification, compare
from ratedb.verbs.targets import check_targets, write_result


def verify(file: Path, options: VerifyOptions, progress: Progress = silent) -> Verification:
    """Compare level populations and line fluxes of two files over a grid of conditions.

    Raises UsageError without a file to compare with or for an invalid option, RatedbError where a file cannot
    be read, or the solver is not installed or fails.
    """
    against, tolerance = options.against, options.tolerance
    if against is None:
        raise UsageError("no file to compare with", expected="against, such as co.dat")
    if tolerance is not None and not tolerance >= 1.0:
        raise UsageError("invalid tolerance", expected="a ratio >= 1", got=str(tolerance))
    check_targets(options.output, options.picture, (file, against))
    for path in (file, against):
        read_bytes(path, largest=LARGEST_TEXT_BYTES)
    progress(f"running {name_of_solver(chosen_solver(options.solver))}")
    found = replace(compare(file, against, options=options), tolerance=tolerance)
    write_result(found, options.output, options.picture, partial(_draw, file, against))
    return found


def _draw(file: Path, against: Path, found: Verification, picture: Path) -> None:
    from ratedb.plots.verification import draw_verification

    draw_verification(found, file, against, picture)
