"""Compare two LAMDA files of one molecule: a solver on both, level populations and lines side by side.

How lines are compared is described in `ratedb.radiative.line_comparison`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.errors import IncompleteError, RatedbError
from ratedb.options import VerifyOptions
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.grid import common_limits, grid_of, temperatures_left_out
from ratedb.radiative.line_comparison import (
    FLUX_FLOOR,
    POPULATION_FLOOR,
    LineComparison,
    compare_condition,
    relative_population_difference,
)
from ratedb.radiative.line_matching import match_lines
from ratedb.radiative.radex_file import file_outline
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.solving import chosen_solver, solve
from ratedb.results import Result


@dataclass(frozen=True)
class UnmatchedLine:
    """A line that only one of the files has: `only_in` is `file` or `against`."""

    only_in: str
    upper: str
    lower: str
    frequency_ghz: float


@dataclass(frozen=True, repr=False)
class Verification(Result):
    """The comparison of a file with a reference file.

    Populations are fractions of all molecules: `max_population_difference` is absolute,
    `max_relative_population_difference` is relative to the reference, over levels with at least
    `population_floor` there. Both are over levels of matched lines, as solvers return no others. The three
    flux ratios are None where no line could be compared by its ratio, and
    `max_excitation_temperature_difference` where no line could by its excitation temperature. `lines_...`
    count each line once for each condition. `worst_...` are the lines with the maxima. `colliders_left_out`
    are in one of the files and were not tested. `tolerance` is the flux ratio that may not be exceeded,
    `solver` one of solving.SOLVERS.
    """

    conditions: tuple[Conditions, ...]
    max_population_difference: float
    max_relative_population_difference: float
    max_flux_ratio: float | None
    median_flux_ratio: float | None
    p95_flux_ratio: float | None
    max_flux_difference: float
    lines_compared: int
    lines_in_absorption: int
    lines_below_floor: int
    lines: tuple[LineComparison, ...]
    unmatched: tuple[UnmatchedLine, ...]
    worst_flux: LineComparison | None
    worst_population: LineComparison
    max_excitation_temperature_difference: float | None
    worst_excitation_temperature: LineComparison | None
    lines_inverted: int
    lines_inverted_in_one_file: int
    max_optical_depth_difference: float
    worst_optical_depth: LineComparison
    flux_floor: float = FLUX_FLOOR
    population_floor: float = POPULATION_FLOOR
    tolerance: float | None = None
    solver: str = "radex"
    colliders_left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return in a few words what was found."""
        ratio = "no flux ratio" if self.max_flux_ratio is None else f"fluxes within {self.max_flux_ratio:.4g}"
        return f"{self.lines_compared} lines compared, {ratio}"

    @property
    def incomplete(self) -> IncompleteError | None:
        """Why the fluxes are not known to be within the tolerance, None where they are or there is none."""
        worst = self.worst_flux
        if self.tolerance is None or (worst is not None and (worst.flux_ratio or 1.0) <= self.tolerance):
            return None
        expected = f"fluxes within a factor {self.tolerance:g}"
        if worst is None:
            return IncompleteError(
                "no line could be compared by its flux, so the tolerance cannot be checked",
                expected=expected,
                got=f"{self.lines_in_absorption} lines in absorption, {self.lines_below_floor} too weak",
            )
        above = sum((line.flux_ratio or 1.0) > self.tolerance for line in self.lines)
        name = f"{worst.upper}-{worst.lower} ({worst.frequency_ghz:.3f} GHz)"
        flux, reference = worst.flux_k_km_s, worst.flux_against_k_km_s
        return IncompleteError(
            f"{above} of {self.lines_compared} compared lines change by more than the tolerance",
            where=f"the largest change: {name} at {self.conditions[worst.condition].describe()}",
            expected=expected,
            got=f"{flux:.4g} against {reference:.4g} K km/s, a factor {worst.flux_ratio:.6g}",
        )


def compare(
    path: Path,
    against: Path,
    grid: Sequence[Conditions] | None = None,
    *,
    options: VerifyOptions | None = None,
    timeout_s: float = 600.0,
) -> Verification:
    """Solve for the lines of a file and of a reference file and compare the results, line by line.

    Without a grid it is `grid_of` the options, for the colliders and temperatures that both files have.
    Raises RatedbError where a temperature of the grid is outside the rates of either file, a collider is
    missing in one, the solver fails, or the files have no line in common. `timeout_s` is for each file.
    """
    limits, limits_against = (file_outline(one).temperature_range_k for one in (path, against))
    warnings: list[str] = []
    options = options or VerifyOptions()
    solver = chosen_solver(options.solver)
    if grid is None:
        common = common_limits(limits, limits_against)
        grid = grid_of(options, common, common)
        warnings = temperatures_left_out(options, grid, common)
    ours = solve(path, grid, solver, timeout_s=timeout_s)
    theirs = solve(against, grid, solver, timeout_s=timeout_s)
    tested = {name for conditions in grid for name in conditions.colliders}
    left_out = tuple(name for name in {**limits, **limits_against} if name not in tested)
    compared = compare_lines(ours, theirs, grid)
    if compared.unmatched:
        warnings.append(
            f"{len(compared.unmatched)} lines are in one file only: if its levels end higher, the highest"
            " lines of the other differ for that alone; export both to the same --j-max"
        )
    return replace(compared, solver=solver, colliders_left_out=left_out, warnings=tuple(warnings))


def compare_lines(
    ours: Sequence[RadexLines], against: Sequence[RadexLines], grid: Sequence[Conditions]
) -> Verification:
    """Compare a solver's answers for two files under the same conditions; all three have the same length.

    Raises RatedbError where there is no condition or the files have no line in common.
    """
    if not grid or not len(ours) == len(against) == len(grid):
        raise RatedbError(
            "nothing to compare",
            expected="answers for the same conditions, at least one",
            got=f"{len(ours)}, {len(against)} and {len(grid)} conditions",
        )
    match = match_lines(ours[0], against[0])
    if not match.pairs:
        raise RatedbError(
            "the two files have no line in common",
            expected="the same molecule in both",
            got=f"{_span(ours[0])} and {_span(against[0])}",
        )
    lines = [
        line
        for index, (a, b) in enumerate(zip(ours, against, strict=True))
        for line in compare_condition(index, grid[index], a, b, match)
    ]
    relative = max(relative_population_difference(a, b, match) for a, b in zip(ours, against, strict=True))
    unmatched = _unmatched("file", ours[0], match.only_ours)
    unmatched += _unmatched("against", against[0], match.only_against)
    return _verification(grid, lines, relative, unmatched)


def _span(lines: RadexLines) -> str:
    if not len(lines):
        return "no line"
    low, high = lines.frequency_ghz.min(), lines.frequency_ghz.max()
    return f"{len(lines)} lines from {low:g} to {high:g} GHz"


def _unmatched(only_in: str, lines: RadexLines, indices: Iterable[int]) -> list[UnmatchedLine]:
    return [
        UnmatchedLine(only_in, lines.upper[i], lines.lower[i], float(lines.frequency_ghz[i])) for i in indices
    ]


def _verification(
    grid: Sequence[Conditions],
    lines: Sequence[LineComparison],
    relative: float,
    unmatched: Sequence[UnmatchedLine],
) -> Verification:
    ratios = np.array([line.flux_ratio for line in lines if line.flux_ratio is not None])
    inverted = [
        (line.excitation_temperature_k <= 0.0, line.excitation_temperature_against_k <= 0.0)
        for line in lines
        if line.kind == "emission"
    ]
    worst_flux, max_flux_ratio = _largest(lines, lambda line: line.flux_ratio)
    worst_tex, max_tex = _largest(lines, lambda line: line.excitation_temperature_difference)
    worst_population = max(lines, key=lambda line: line.population_difference)
    worst_depth = max(lines, key=lambda line: line.optical_depth_difference)
    return Verification(
        conditions=tuple(grid),
        max_population_difference=worst_population.population_difference,
        max_relative_population_difference=relative,
        max_flux_ratio=max_flux_ratio,
        median_flux_ratio=float(np.median(ratios)) if len(ratios) else None,
        p95_flux_ratio=float(np.percentile(ratios, 95)) if len(ratios) else None,
        max_flux_difference=max(line.flux_difference for line in lines),
        lines_compared=len(ratios),
        lines_in_absorption=sum(line.kind == "absorption" for line in lines),
        lines_below_floor=sum(line.kind == "below_floor" for line in lines),
        lines=tuple(lines),
        unmatched=tuple(unmatched),
        worst_flux=worst_flux,
        worst_population=worst_population,
        max_excitation_temperature_difference=max_tex,
        worst_excitation_temperature=worst_tex,
        lines_inverted=sum(ours or theirs for ours, theirs in inverted),
        lines_inverted_in_one_file=sum(ours != theirs for ours, theirs in inverted),
        max_optical_depth_difference=worst_depth.optical_depth_difference,
        worst_optical_depth=worst_depth,
    )


def _largest(
    lines: Sequence[LineComparison], value: Callable[[LineComparison], float | None]
) -> tuple[LineComparison | None, float | None]:
    """Return the line whose value is the largest, and the value; None for both where no line has one."""
    found = [(number, line) for line in lines if (number := value(line)) is not None]
    if not found:
        return None, None
    number, line = max(found, key=lambda pair: pair[0])
    return line, number
