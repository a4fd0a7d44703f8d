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
the strongest line of its condition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.radiative.radex import Conditions, RadexLines, run_radex
from ratedb.radiative.radex_file import file_outline
from ratedb.tables import COLLIDERS, FloatArray

FLUX_FLOOR = 1.0e-6
"""Lines weaker than this part of the strongest line of their condition have no flux ratio."""
POPULATION_FLOOR = 1.0e-4
"""Levels with a smaller population in the reference file have no relative difference."""
FREQUENCY_TOLERANCE = 1.0e-4
"""Two lines are never one where their frequencies differ by more than this, relative to the larger."""

_GRID_TEMPERATURES_K = (10.0, 30.0, 100.0, 300.0)
_GRID_DENSITIES_CM3 = (1.0e3, 1.0e4, 1.0e5, 1.0e6)
# Electrons and protons collide some thousand times faster: at 1e3 cm-3 all would be near LTE, where the
# populations no longer depend on the rates and a comparison proves nothing.
_GRID_CHARGED_DENSITIES_CM3 = (1.0, 1.0e1, 1.0e2, 1.0e3)


@dataclass(frozen=True)
class GridAxes:
    """The axes of a grid of conditions; without densities each gas has its own."""

    temperature_k: tuple[float, ...] = _GRID_TEMPERATURES_K
    density_cm3: tuple[float, ...] | None = None
    column_density_cm2: tuple[float, ...] = (1.0e14,)
    line_width_km_s: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class LineComparison:
    """One line under one set of conditions: `..._against` is the value from the reference file.

    `condition` counts from 0 in `Verification.conditions`; `kind` is `emission`, `absorption` or
    `below_floor`, and `flux_ratio` is None but for `emission`. `flux_difference` is relative to the
    strongest line of the condition; `population_difference` is the larger of the line's two levels.
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
    flux ratios are None where no line could be compared by its ratio. `lines_...` count each line once
    for each condition. `worst_flux` and `worst_population` are where the maxima sit. `colliders_left_out` are
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
    colliders_left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineMatch:
    """Which lines of two files are the same: pairs of indices, and the indices left over in each."""

    pairs: tuple[tuple[int, int], ...]
    only_ours: tuple[int, ...]
    only_against: tuple[int, ...]


def file_limits(path: Path) -> dict[str, tuple[float, float]]:
    """Return the temperature range (K) of the rates for each collider, as RADEX reads the file."""
    return dict(file_outline(path).temperature_range_k)


def common_limits(
    ours: Mapping[str, tuple[float, float]], against: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the colliders that both files have, each with the temperature range (K) that both cover.

    Raises RatedbError where there is none, as then no condition suits both files.
    """
    both = {name: _overlap([ours[name], against[name]]) for name in ours if name in against}
    found = {name: limits for name, limits in both.items() if limits is not None}
    if not found:
        raise RatedbError(
            "the two files have no collider in common at any temperature",
            expected="rates for the same collider at overlapping temperatures",
            got=f"{_show(ours)} and {_show(against)}",
        )
    return found


def default_grid(
    colliders: Iterable[str],
    limits_k: Mapping[str, tuple[float, float]] | None = None,
    axes: GridAxes | None = None,
) -> tuple[Conditions, ...]:
    """Return the conditions that files are compared under: 16 for each gas.

    A gas is H2 where a file has p-H2 and o-H2, split by o/p = min(3, 9 exp(-170.6 / T)), and else each
    collider alone; nothing is mixed, so that the rates for each are put to the test. T is 10, 30, 100 and
    300 K; the density 1e3 to 1e6 cm-3 by decades, for electrons and H+ 1 to 1e3 cm-3. The column is
    1e14 cm-2 over 1 km/s, the background 2.73 K. `axes` names others. With `limits_k`, such as from
    `file_limits`, temperatures outside a gas's range are left out; where none is inside, the ends of the
    range stand in.

    Raises RatedbError where there is no collider, an unknown one, or a pair without a common range.
    """
    axes = axes or GridAxes()
    names = tuple(dict.fromkeys(colliders))
    unknown = [name for name in names if name not in COLLIDERS]
    if unknown or not names:
        raise RatedbError("no grid for these colliders", expected=" ".join(COLLIDERS), got=", ".join(names))
    return tuple(
        Conditions(temperature, _densities(gas, total, temperature), column, width)
        for gas in _gases(names)
        for temperature in _temperatures(gas, limits_k or {}, axes.temperature_k)
        for total in axes.density_cm3
        or (_GRID_CHARGED_DENSITIES_CM3 if gas[0] in ("e", "H+") else _GRID_DENSITIES_CM3)
        for column in axes.column_density_cm2
        for width in axes.line_width_km_s
    )


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
    if grid is None:
        common = common_limits(limits, limits_against)
        grid = default_grid(common, common, axes)
    ours = run_radex(path, grid, timeout_s=timeout_s)
    theirs = run_radex(against, grid, timeout_s=timeout_s)
    tested = {name for conditions in grid for name in conditions.colliders}
    left_out = tuple(name for name in {**limits, **limits_against} if name not in tested)
    return replace(compare_lines(ours, theirs, grid), colliders_left_out=left_out)


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
        for line in _compare_condition(index, a, b, match)
    ]
    relative = max(_relative_population_difference(a, b, match) for a, b in zip(ours, against, strict=True))
    unmatched = [*_unmatched("file", ours[0], match.only_ours)]
    unmatched += _unmatched("against", against[0], match.only_against)
    return _summary(grid, lines, relative, unmatched)


def match_lines(ours: RadexLines, against: RadexLines) -> LineMatch:
    """Pair the lines of two files that are the same transition.

    First come lines whose labels agree, then those with the nearest frequencies; either way frequencies
    agree within `FREQUENCY_TOLERANCE` and upper energies within 0.1 % + 0.1 K, as one file may have
    rewritten the labels or number them from another start. No line is used twice.
    """
    candidates = _candidates(ours, against)
    used_ours: set[int] = set()
    used_against: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for _, _, _, i, j in sorted(candidates):
        if i not in used_ours and j not in used_against:
            pairs.append((i, j))
            used_ours.add(i)
            used_against.add(j)
    return LineMatch(
        tuple(sorted(pairs)),
        tuple(i for i in range(len(ours)) if i not in used_ours),
        tuple(j for j in range(len(against)) if j not in used_against),
    )


def to_json(verification: Verification) -> dict[str, Any]:
    """Return the verification as JSON values; `lines` and `conditions` are lists of objects."""
    conditions = [_conditions_json(conditions) for conditions in verification.conditions]
    return {
        "max_population_difference": verification.max_population_difference,
        "max_relative_population_difference": verification.max_relative_population_difference,
        "max_flux_ratio": verification.max_flux_ratio,
        "median_flux_ratio": verification.median_flux_ratio,
        "p95_flux_ratio": verification.p95_flux_ratio,
        "max_flux_difference": verification.max_flux_difference,
        "lines_compared": verification.lines_compared,
        "lines_in_absorption": verification.lines_in_absorption,
        "lines_below_floor": verification.lines_below_floor,
        "flux_floor": FLUX_FLOOR,
        "population_floor": POPULATION_FLOOR,
        "worst_flux": None
        if verification.worst_flux is None
        else _line_json(verification.worst_flux, conditions),
        "worst_population": _line_json(verification.worst_population, conditions),
        "unmatched": [vars(line).copy() for line in verification.unmatched],
        "colliders_left_out": list(verification.colliders_left_out),
        "conditions": conditions,
        "lines": [_line_json(line, conditions) for line in verification.lines],
    }


def _gases(names: Sequence[str]) -> list[tuple[str, ...]]:
    pair = ("p-H2", "o-H2")
    if not set(pair) <= set(names):
        return [(name,) for name in names]
    return [pair, *((name,) for name in names if name not in pair)]


def _temperatures(
    gas: tuple[str, ...], limits_k: Mapping[str, tuple[float, float]], wanted_k: Sequence[float]
) -> list[float]:
    known = [limits_k[name] for name in gas if name in limits_k]
    if not known:
        return list(wanted_k)
    overlap = _overlap(known)
    if overlap is None:
        raise RatedbError(
            f"the rates for {' and '.join(gas)} have no temperature in common", got=_show(limits_k)
        )
    low, high = overlap
    return [t for t in wanted_k if low <= t <= high] or sorted({low, high})


def _densities(gas: tuple[str, ...], total_cm3: float, temperature_k: float) -> dict[str, float]:
    if len(gas) == 1:
        return {gas[0]: total_cm3}
    ortho_to_para = min(3.0, 9.0 * math.exp(-170.6 / temperature_k))
    para = total_cm3 / (1.0 + ortho_to_para)
    return {"p-H2": para, "o-H2": total_cm3 - para}


def _overlap(ranges: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    return (low, high) if low <= high else None


def _show(limits: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} {low:g}-{high:g} K" for name, (low, high) in limits.items()) or "none"


def _span(lines: RadexLines) -> str:
    if not len(lines):
        return "no line"
    low, high = lines.frequency_ghz.min(), lines.frequency_ghz.max()
    return f"{len(lines)} lines from {low:g} to {high:g} GHz"


def _candidates(ours: RadexLines, against: RadexLines) -> list[tuple[bool, float, int, int, int]]:
    """Return (labels differ, frequency distance, distance in order, i, j) of all lines that may be one."""
    f, g = ours.frequency_ghz[:, None], against.frequency_ghz[None, :]
    e, h = ours.upper_energy_k[:, None], against.upper_energy_k[None, :]
    distance = np.abs(f - g) / np.maximum(f, g)
    near = (distance <= FREQUENCY_TOLERANCE) & (np.abs(e - h) <= 1.0e-3 * np.maximum(e, h) + 0.1)
    return [
        (
            (ours.upper[i], ours.lower[i]) != (against.upper[j], against.lower[j]),
            float(distance[i, j]),
            abs(int(i) - int(j)),
            int(i),
            int(j),
        )
        for i, j in np.argwhere(near)
    ]


def _compare_condition(
    condition: int, ours: RadexLines, against: RadexLines, match: LineMatch
) -> list[LineComparison]:
    strongest = max(np.abs(ours.flux_k_km_s).max(), np.abs(against.flux_k_km_s).max())
    differences = _population_differences(ours, against, match).max(axis=0)
    return [
        _compare_line(condition, ours, against, pair, float(strongest), float(difference))
        for pair, difference in zip(match.pairs, differences, strict=True)
    ]


def _compare_line(
    condition: int,
    ours: RadexLines,
    against: RadexLines,
    pair: tuple[int, int],
    strongest: float,
    population_difference: float,
) -> LineComparison:
    i, j = pair
    a, b = float(ours.flux_k_km_s[i]), float(against.flux_k_km_s[j])
    kind = _kind(a, b, FLUX_FLOOR * strongest)
    return LineComparison(
        condition=condition,
        upper=ours.upper[i],
        lower=ours.lower[i],
        frequency_ghz=float(ours.frequency_ghz[i]),
        excitation_temperature_k=float(ours.excitation_temperature_k[i]),
        excitation_temperature_against_k=float(against.excitation_temperature_k[j]),
        optical_depth=float(ours.optical_depth[i]),
        optical_depth_against=float(against.optical_depth[j]),
        flux_k_km_s=a,
        flux_against_k_km_s=b,
        kind=kind,
        flux_ratio=max(a / b, b / a) if kind == "emission" else None,
        flux_difference=abs(a - b) / strongest if strongest > 0.0 else 0.0,
        population_upper=float(ours.population_upper[i]),
        population_upper_against=float(against.population_upper[j]),
        population_difference=population_difference,
    )


def _kind(a: float, b: float, floor: float) -> str:
    if max(abs(a), abs(b)) < floor or a == b == 0.0:
        return "below_floor"
    return "emission" if a > 0.0 and b > 0.0 else "absorption"


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
    rated = [(line.flux_ratio, line) for line in lines if line.flux_ratio is not None]
    ratios = np.array([ratio for ratio, _ in rated])
    worst_population = max(lines, key=lambda line: line.population_difference)
    return Verification(
        conditions=tuple(grid),
        max_population_difference=worst_population.population_difference,
        max_relative_population_difference=relative_population_difference,
        max_flux_ratio=float(ratios.max()) if rated else None,
        median_flux_ratio=float(np.median(ratios)) if rated else None,
        p95_flux_ratio=float(np.percentile(ratios, 95)) if rated else None,
        max_flux_difference=max(line.flux_difference for line in lines),
        lines_compared=len(rated),
        lines_in_absorption=sum(line.kind == "absorption" for line in lines),
        lines_below_floor=sum(line.kind == "below_floor" for line in lines),
        lines=tuple(lines),
        unmatched=tuple(unmatched),
        worst_flux=max(rated, key=lambda pair: pair[0])[1] if rated else None,
        worst_population=worst_population,
    )


def _conditions_json(conditions: Conditions) -> dict[str, Any]:
    return vars(conditions) | {"density_cm3": dict(conditions.density_cm3)}


def _line_json(line: LineComparison, conditions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    # Each line carries its temperature and densities, so that a script need not join two lists.
    where = conditions[line.condition]
    return vars(line) | {"temperature_k": where["temperature_k"], "density_cm3": where["density_cm3"]}
