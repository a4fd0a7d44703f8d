"""What two LAMDA files of one molecule mean for an observer: RADEX on both, populations and lines compared.

How lines are compared, under each condition:

- `emission`: both fluxes are positive and the larger is at least `FLUX_FLOOR` of the strongest line of that
  condition in either file. Only these have a flux ratio, max(a/b, b/a), and enter its maximum, median and
  95th percentile.
- `below_floor`: both fluxes are smaller than that, in magnitude. No telescope sees such a line next to the
  strong ones, and its ratio says how two tails fall off. They are counted.
- `absorption`: the rest; a flux is negative (absorption against the background) or vanishes. Near the
  change of sign a ratio is arbitrary or without meaning, so these are counted apart.

Every line, of whatever kind, enters `max_flux_difference`, the difference of the fluxes over the flux of
the strongest line of its condition, and `max_optical_depth_difference`, |a - b| / max(1, |a|, |b|). That is
absolute for thin lines, whose flux says already what a relative one would, and relative for thick ones.

Excitation temperatures are compared for emission that is inverted (Tex < 0, a maser) in neither file:
|1/a - 1/b| / max(1/a, 1/b, 1/T), with the kinetic temperature T. Up to T that is |a - b| over the larger of
the two. Above, a level pair is on its way to inversion, where Tex runs through infinity to minus infinity
while the populations hardly change: 2000 K against 4000 K means nothing there, and 1/Tex changes as little
as the populations do. Lines that are inverted have no such difference but are counted, `lines_inverted`,
and those that one file inverts and the other does not once more, `lines_inverted_in_one_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.radiative.grid import (
    GridAxes,
    common_limits,
    default_grid,
    file_limits,
    temperatures_left_out,
)
from ratedb.radiative.line_matching import LineMatch, match_lines
from ratedb.radiative.radex import Conditions, RadexLines, run_radex

FLUX_FLOOR = 1.0e-6
"""Lines weaker than this part of the strongest line of their condition have no flux ratio."""
POPULATION_FLOOR = 1.0e-4
"""Levels with a smaller population in the reference file have no relative difference."""


@dataclass(frozen=True)
class LineComparison:
    """One line under one set of conditions: `..._against` is the value from the reference file.

    `condition` counts from 0 in `Verification.conditions`; `kind` is `emission`, `absorption` or
    `below_floor`, and `flux_ratio` is None but for `emission`. `flux_difference` is relative to the
    strongest line of the condition, as is `relative_flux`, the larger flux of the two;
    `population_difference` is the larger of the line's two levels. The differences of excitation temperature
    (None where there is none) and optical depth are those at the top of this module. `upper_energy_k` is
    above the lowest level of the file.
    """

    condition: int
    upper: str
    lower: str
    frequency_ghz: float
    excitation_temperature_k: float
    excitation_temperature_against_k: float
    optical_depth: float
    optical_depth_against: float
    flux_k_km_s: float
    flux_against_k_km_s: float
    kind: str
    flux_ratio: float | None
    flux_difference: float
    population_upper: float
    population_upper_against: float
    population_difference: float
    upper_energy_k: float
    relative_flux: float
    excitation_temperature_difference: float | None
    optical_depth_difference: float


@dataclass(frozen=True)
class UnmatchedLine:
    """A line that only one of the files has: `only_in` is `file` or `against`."""

    only_in: str
    upper: str
    lower: str
    frequency_ghz: float


@dataclass(frozen=True)
class Verification:
    """The comparison of a file with a reference file; how lines are classed stands at the top of this module.

    Populations are fractions of all molecules: `max_population_difference` is absolute,
    `max_relative_population_difference` is relative to the reference, over levels with at least
    `POPULATION_FLOOR` there. Both are over levels of matched lines, as RADEX gives no others. The three
    flux ratios are None where no line could be compared by its ratio, and
    `max_excitation_temperature_difference` where no line could by its excitation temperature. `lines_...`
    count each line once for each condition. `worst_...` are where the maxima sit. `colliders_left_out` are
    in one of the files and were put to no test.
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
    colliders_left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compare(
    path: Path,
    against: Path,
    grid: Sequence[Conditions] | None = None,
    *,
    axes: GridAxes | None = None,
    timeout_s: float = 600.0,
) -> Verification:
    """Run RADEX on a file and on a reference file and compare what comes out, line by line.

    Without a grid it is `default_grid` of the colliders and temperatures that both files have, along
    other axes where they are given. Raises
    RatedbError where a temperature of the grid is outside the rates of either file, a collider is missing
    in one, RADEX fails, or the files have no line in common. `timeout_s` is for each file.
    """
    limits, limits_against = file_limits(path), file_limits(against)
    warnings: list[str] = []
    if grid is None:
        common = common_limits(limits, limits_against)
        grid = default_grid(common, common, axes)
        warnings = temperatures_left_out(grid, axes, common)
    ours = run_radex(path, grid, timeout_s=timeout_s)
    theirs = run_radex(against, grid, timeout_s=timeout_s)
    tested = {name for conditions in grid for name in conditions.colliders}
    left_out = tuple(name for name in {**limits, **limits_against} if name not in tested)
    compared = compare_lines(ours, theirs, grid)
    if compared.unmatched:
        warnings.append(
            f"{len(compared.unmatched)} lines are in one file only: where its levels end higher, lines near"
            " the end of the other differ for that alone; export both to the same --j-max"
        )
    return replace(compared, colliders_left_out=left_out, warnings=tuple(warnings))


def compare_lines(
    ours: Sequence[RadexLines], against: Sequence[RadexLines], grid: Sequence[Conditions]
) -> Verification:
    """Compare RADEX's answers for two files under the same conditions; all three have one length.

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
        for line in _compare_condition(index, grid[index].temperature_k, a, b, match)
    ]
    relative = max(_relative_population_difference(a, b, match) for a, b in zip(ours, against, strict=True))
    unmatched = [*_unmatched("file", ours[0], match.only_ours)]
    unmatched += _unmatched("against", against[0], match.only_against)
    return _summary(grid, lines, relative, unmatched)


def to_json(verification: Verification) -> dict[str, Any]:
    """Return the verification as JSON values; `lines` and `conditions` are lists of objects."""
    conditions = [_conditions_json(conditions) for conditions in verification.conditions]

    def line_json(line: LineComparison | None) -> dict[str, Any] | None:
        return None if line is None else _line_json(line, conditions)

    return {
        "max_population_difference": verification.max_population_difference,
        "max_relative_population_difference": verification.max_relative_population_difference,
        "max_flux_ratio": verification.max_flux_ratio,
        "median_flux_ratio": verification.median_flux_ratio,
        "p95_flux_ratio": verification.p95_flux_ratio,
        "max_flux_difference": verification.max_flux_difference,
        "max_excitation_temperature_difference": verification.max_excitation_temperature_difference,
        "max_optical_depth_difference": verification.max_optical_depth_difference,
        "lines_compared": verification.lines_compared,
        "lines_in_absorption": verification.lines_in_absorption,
        "lines_below_floor": verification.lines_below_floor,
        "lines_inverted": verification.lines_inverted,
        "lines_inverted_in_one_file": verification.lines_inverted_in_one_file,
        "flux_floor": FLUX_FLOOR,
        "population_floor": POPULATION_FLOOR,
        "worst_flux": line_json(verification.worst_flux),
        "worst_population": line_json(verification.worst_population),
        "worst_excitation_temperature": line_json(verification.worst_excitation_temperature),
        "worst_optical_depth": line_json(verification.worst_optical_depth),
        "unmatched": [vars(line).copy() for line in verification.unmatched],
        "colliders_left_out": list(verification.colliders_left_out),
        "warnings": list(verification.warnings),
        "conditions": conditions,
        "lines": [_line_json(line, conditions) for line in verification.lines],
    }


def _span(lines: RadexLines) -> str:
    if not len(lines):
        return "no line"
    low, high = lines.frequency_ghz.min(), lines.frequency_ghz.max()
    return f"{len(lines)} lines from {low:g} to {high:g} GHz"


def _compare_condition(
    condition: int, temperature_k: float, ours: RadexLines, against: RadexLines, match: LineMatch
) -> list[LineComparison]:
    strongest = max(np.abs(ours.flux_k_km_s).max(), np.abs(against.flux_k_km_s).max())
    differences = _population_differences(ours, against, match).max(axis=0)
    return [
        _compare_line(condition, temperature_k, ours, against, pair, float(strongest), float(difference))
        for pair, difference in zip(match.pairs, differences, strict=True)
    ]


def _compare_line(
    condition: int,
    temperature_k: float,
    ours: RadexLines,
    against: RadexLines,
    pair: tuple[int, int],
    strongest: float,
    population_difference: float,
) -> LineComparison:
    i, j = pair
    a, b = float(ours.flux_k_km_s[i]), float(against.flux_k_km_s[j])
    kind = _kind(a, b, FLUX_FLOOR * strongest)
    tex, tex_against = float(ours.excitation_temperature_k[i]), float(against.excitation_temperature_k[j])
    tau, tau_against = float(ours.optical_depth[i]), float(against.optical_depth[j])
    return LineComparison(
        condition=condition,
        upper=ours.upper[i],
        lower=ours.lower[i],
        frequency_ghz=float(ours.frequency_ghz[i]),
        excitation_temperature_k=tex,
        excitation_temperature_against_k=tex_against,
        optical_depth=tau,
        optical_depth_against=tau_against,
        flux_k_km_s=a,
        flux_against_k_km_s=b,
        kind=kind,
        flux_ratio=max(a / b, b / a) if kind == "emission" else None,
        flux_difference=abs(a - b) / strongest if strongest > 0.0 else 0.0,
        population_upper=float(ours.population_upper[i]),
        population_upper_against=float(against.population_upper[j]),
        population_difference=population_difference,
        upper_energy_k=float(ours.upper_energy_k[i]),
        relative_flux=max(abs(a), abs(b)) / strongest if strongest > 0.0 else 0.0,
        excitation_temperature_difference=(
            _tex_difference(tex, tex_against, temperature_k) if kind == "emission" else None
        ),
        optical_depth_difference=abs(tau - tau_against) / max(1.0, abs(tau), abs(tau_against)),
    )


def _kind(a: float, b: float, floor: float) -> str:
    if max(abs(a), abs(b)) < floor or a == b == 0.0:
        return "below_floor"
    return "emission" if a > 0.0 and b > 0.0 else "absorption"


def _tex_difference(a: float, b: float, temperature_k: float) -> float | None:
    """Return how far two excitation temperatures differ, 0 to 1; None where one is of an inverted line."""
    if not (a > 0.0 and b > 0.0):
        return None
    return abs(1.0 / a - 1.0 / b) / max(1.0 / a, 1.0 / b, 1.0 / temperature_k)


def _populations(lines: RadexLines, indices: Iterable[int]) -> FloatArray:
    rows = list(indices)
    return np.array([lines.population_upper[rows], lines.population_lower[rows]], dtype=np.float64)


def _population_differences(ours: RadexLines, against: RadexLines, match: LineMatch) -> FloatArray:
    """Return |a - b| of the upper and lower level of each matched line, shape (2, n)."""
    a = _populations(ours, (i for i, _ in match.pairs))
    b = _populations(against, (j for _, j in match.pairs))
    difference: FloatArray = np.abs(a - b)
    return difference


def _relative_population_difference(ours: RadexLines, against: RadexLines, match: LineMatch) -> float:
    reference = _populations(against, (j for _, j in match.pairs))
    counted = reference >= POPULATION_FLOOR
    relative = _population_differences(ours, against, match)[counted] / reference[counted]
    return float(relative.max(initial=0.0))


def _unmatched(only_in: str, lines: RadexLines, indices: Iterable[int]) -> list[UnmatchedLine]:
    return [
        UnmatchedLine(only_in, lines.upper[i], lines.lower[i], float(lines.frequency_ghz[i])) for i in indices
    ]


def _summary(
    grid: Sequence[Conditions],
    lines: Sequence[LineComparison],
    relative_population_difference: float,
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
        max_relative_population_difference=relative_population_difference,
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


def _conditions_json(conditions: Conditions) -> dict[str, Any]:
    return vars(conditions) | {"density_cm3": dict(conditions.density_cm3)}


def _line_json(line: LineComparison, conditions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    # Each line carries its temperature and densities, so that a script need not join two lists.
    where = conditions[line.condition]
    return vars(line) | {"temperature_k": where["temperature_k"], "density_cm3": where["density_cm3"]}
