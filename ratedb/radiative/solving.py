"""Solve for the lines of LAMDA files: by real RADEX where it is installed, else by ratedb's own solver."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ratedb.bounds import LARGEST_TEXT_BYTES
from ratedb.errors import RatedbError, one_of
from ratedb.files import read_bytes
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.escape import solve_lines
from ratedb.radiative.radex import radex_available, run_radex_each
from ratedb.radiative.radex_file import FileOutline, check_conditions, outline_of
from ratedb.radiative.radex_lines import RadexLines, failed_under

SOLVERS = ("auto", "radex", "escape")
_NAMES = {"radex": "RADEX", "escape": "ratedb's escape-probability solver"}
_FINITE = ("optical_depth", "population_upper", "population_lower", "flux_k_km_s")


def chosen_solver(solver: str) -> str:
    """Return `radex` or `escape`: what was asked for, or for `auto` RADEX where it is installed.

    Raises UsageError for an unknown name.
    """
    one_of("solver", solver, SOLVERS)
    if solver != "auto":
        return solver
    return "radex" if radex_available() else "escape"


def name_of_solver(solver: str) -> str:
    """Return what people call a solver."""
    return _NAMES[solver]


def solve_each(
    paths: Sequence[Path], grid: Sequence[Conditions], solver: str, *, timeout_s: float = 600.0
) -> list[list[RadexLines] | RatedbError]:
    """Return the lines of several LAMDA files under each of the conditions.

    Where a solver fails for a file, the error is in place of its lines. `timeout_s` is for RADEX, for each
    file. Raises RatedbError where RADEX is asked for and is not installed, a file cannot be read, or it does
    not have the colliders and temperatures of the conditions.
    """
    if chosen_solver(solver) == "radex":
        return run_radex_each(paths, grid, timeout_s=timeout_s)
    contents = [(read_bytes(path, largest=LARGEST_TEXT_BYTES), str(path)) for path in paths]
    return [lines_of_content(content, where, grid) for content, where in contents]


def solve(
    path: Path, grid: Sequence[Conditions], solver: str, *, timeout_s: float = 600.0
) -> list[RadexLines]:
    """Return the lines of one file as `solve_each` does; raises RatedbError where the solver fails too."""
    (outcome,) = solve_each([path], grid, solver, timeout_s=timeout_s)
    if isinstance(outcome, RatedbError):
        raise outcome
    return outcome


def lines_of_content(
    content: bytes, where: str, grid: Sequence[Conditions]
) -> list[RadexLines] | RatedbError:
    """Return the lines of the content of a LAMDA file by ratedb's own solver, or why there are none.

    Raises RatedbError where the content cannot be read or does not have what the conditions ask for.
    """
    outline = outline_of(content, where, with_rates=True)
    for conditions in grid:
        check_conditions(outline, conditions, where)
    answers = solve_lines(outline, grid)
    reasons = [one if isinstance(one, str) else _not_finite(one, outline) for one in answers]
    if any(reasons):
        return failed_under("the escape-probability solver", reasons, grid, where)
    return [one for one in answers if not isinstance(one, str)]


def _not_finite(lines: RadexLines, outline: FileOutline) -> str | None:
    wrong = ~np.all([np.isfinite(getattr(lines, name)) for name in _FINITE], axis=0)
    if not wrong.any():
        return None
    names = [f"{outline.frequency_ghz[place]:g} GHz" for place in np.flatnonzero(wrong)[:5]]
    return f"values that are not finite for {int(wrong.sum())} lines ({', '.join(names)})"
