"""Line fluxes of a homogeneous cloud by escape probability, as RADEX computes them.

The method of van der Tak et al. (2007, A&A 468, 627, sections 2 and 3): statistical equilibrium of the level
populations, where the radiation in a line is that of the background and of the line itself, of which a part
beta(tau) escapes. Constants, limits and definitions are those of the program RADEX, so that both agree to
its own accuracy. Where RADEX is not installed (docs/lines.md), this is what `verify` and `impact` use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex_file import FileOutline, RateTable
from ratedb.radiative.radex_lines import RadexLines, level_columns

# The area of a Gaussian of FWHM one, sqrt(pi / (4 ln 2)), with the digits that RADEX has.
_AREA = 1.0645
_TAU_UNIT = _AREA * 8.0 * np.pi
_LARGEST_EXPONENT = 160.0
_LEAST_POPULATION = 1e-100
_NO_BACKGROUND = 0.02
_NOTABLE = 1e-4
_NOT_CONVERGED = "the calculation did not converge"
_APART = "no lines or collisions lead from some levels to the others"
_MASER = "escape probabilities do not hold for a maser of optical depth"
_STRONGEST_MASER, _LEAST_DEPTH = -2.0, -10.0
_MOST_ELEMENTS = 20_000_000
"""The most elements of the matrices of conditions that are solved together."""
_MOST_STEPS, _LEAST_STEPS, _CHANGE, _SMALL = 2000, 10, 1e-7, 1e-8
_KEPT, _KEPT_LATE, _LATE = 0.7, 0.95, 300
"""The share of the populations before in those of the next step, without which thick lines oscillate."""


@dataclass(frozen=True, eq=False)
class _Problem:
    """Lines and collisions under several conditions c: the arrays of the equations.

    `depth_unit`, shape (n,), is the optical depth for one unit of `column` and of population.
    `collision`, shape (c, l, l), has the rates from level to level in s-1; `photons`, shape (c, n), the
    occupation number of the background; `column`, shape (c,), is column density over line width in s cm-3.
    """

    upper: IntArray
    lower: IntArray
    einstein_a_s1: FloatArray
    wavenumber_cm1: FloatArray
    depth_unit: FloatArray
    ratio: FloatArray
    collision: FloatArray
    photons: FloatArray
    column: FloatArray
    escape: tuple[Callable[[FloatArray], FloatArray], ...]


def solve_lines(outline: FileOutline, grid: Sequence[Conditions]) -> list[RadexLines | str]:
    """Return the lines of a file under each of the conditions; in place of some a word on why there are none.

    `outline` must have the rates (radex_file.outline_of with `with_rates`).
    """
    size = max(1, _MOST_ELEMENTS // len(outline.label) ** 2)
    parts = [grid[start : start + size] for start in range(0, len(grid), size)]
    return [one for part in parts for one in _solved_for(outline, part)]


def _solved_for(outline: FileOutline, grid: Sequence[Conditions]) -> list[RadexLines | str]:
    problem = _problem(outline, grid)
    found: list[RadexLines | str] = [_APART] * len(grid)
    whole = np.flatnonzero([_is_connected(problem, at) for at in range(len(grid))])
    if not len(whole):
        return found
    try:
        population, converged = _populations(problem, whole)
    except np.linalg.LinAlgError:  # rates too small beside the others to connect the levels
        return found if len(grid) == 1 else [_solved_for(outline, [one])[0] for one in grid]
    for at in whole.tolist():
        found[at] = _NOT_CONVERGED
        if converged[at]:
            lines = _lines(outline, problem, population[at], at, grid[at])
            lowest = float(lines.optical_depth.min(initial=0.0))
            found[at] = lines if lowest > _STRONGEST_MASER else f"{_MASER} {lowest:.2g}"
    return found


def _is_connected(problem: _Problem, at: int) -> bool:
    """Return whether one group of levels holds what comes to it: with two their shares would be arbitrary."""
    steps = problem.collision[at] > 0
    shines = problem.einstein_a_s1 > 0
    steps[problem.upper, problem.lower] |= shines
    steps[problem.lower, problem.upper] |= shines & (problem.photons[at] > 0)
    count, group = connected_components(csr_array(steps), connection="strong")
    first, second = np.nonzero(steps)
    left = np.unique(group[first][group[first] != group[second]])
    return bool(count - len(left) == 1)


def distance_from_equilibrium(outline: FileOutline, conditions: Conditions, lines: RadexLines) -> float:
    """Return by how much a population changes, relative to itself, when all are solved for once more.

    With the optical depths of `lines`; 0 for the exact answer. Of the levels of lines; a population below
    1e-4 counts as that. Levels without a line count as empty.
    """
    problem = _problem(outline, [conditions])
    population = np.full(len(outline.label), _LEAST_POPULATION)
    population[problem.upper], population[problem.lower] = lines.population_upper, lines.population_lower
    beta = _beta(problem, 0, _depths(problem, np.array([0]), population[None]))
    again = _equilibrium(problem, np.array([0]), beta)[0]
    return float((np.abs(again - population) / np.maximum(population, _NOTABLE))[_with_lines(problem)].max())


def _with_lines(problem: _Problem) -> IntArray:
    return np.union1d(problem.upper, problem.lower)


def _problem(outline: FileOutline, grid: Sequence[Conditions]) -> _Problem:
    energy, weight = np.array(outline.energy_cm1), np.array(outline.weight)
    upper, lower = np.array(outline.upper, dtype=np.int64), np.array(outline.lower, dtype=np.int64)
    wavenumber = energy[upper] - energy[lower]
    einstein_a = np.array(outline.einstein_a_s1)
    background = np.array([one.background_k for one in grid])
    return _Problem(
        upper,
        lower,
        einstein_a,
        wavenumber,
        einstein_a / (_TAU_UNIT * wavenumber**3),
        weight[upper] / weight[lower],
        np.array([_collisions(outline, energy, weight, one) for one in grid]),
        _occupation(HC_OVER_KB_CM_K * wavenumber / background[:, None]),
        np.array([one.column_density_cm2 / (1e5 * one.line_width_km_s) for one in grid]),
        tuple(ESCAPE[one.geometry] for one in grid),
    )


def _collisions(
    outline: FileOutline, energy: FloatArray, weight: FloatArray, conditions: Conditions
) -> FloatArray:
    """Return the rates from level to level, s-1, shape (l, l), with both directions in detailed balance.

    RADEX loses the rates of rows that go upward, and takes those between levels of one energy one way only.
    """
    rate = np.zeros((len(energy), len(energy)))
    for name in conditions.colliders:
        table = outline.rates[name]
        k = _at_temperature(table, conditions.temperature_k) * conditions.density_cm3[name]
        gap = HC_OVER_KB_CM_K * (energy[table.upper] - energy[table.lower]) / conditions.temperature_k
        back = weight[table.upper] / weight[table.lower] * np.exp(-np.clip(gap, -_LARGEST_EXPONENT, None))
        back[gap >= _LARGEST_EXPONENT] = 0.0
        own = np.zeros_like(rate)
        # Of two rows for one pair that which goes downward counts.
        for rows in (gap < 0, gap >= 0):
            first, second = table.upper[rows], table.lower[rows]
            own[first, second], own[second, first] = k[rows], back[rows] * k[rows]
        rate += own
    return rate


def _at_temperature(table: RateTable, temperature_k: float) -> FloatArray:
    """Return the rates of a table, shape (n,), by linear interpolation between its temperatures, as RADEX."""
    known = table.temperature_k
    if len(known) == 1:
        return table.k_cm3_s[:, 0]
    above = int(np.clip(np.searchsorted(known, temperature_k), 1, len(known) - 1))
    part = (temperature_k - known[above - 1]) / (known[above] - known[above - 1])
    below, beyond = table.k_cm3_s[:, above - 1], table.k_cm3_s[:, above]
    return np.asarray(below + part * (beyond - below))


def _occupation(exponent: FloatArray) -> FloatArray:
    small = np.minimum(exponent, _LARGEST_EXPONENT)
    return np.asarray(np.where(exponent < _LARGEST_EXPONENT, 1.0 / np.expm1(small), 0.0))


def _populations(problem: _Problem, solvable: IntArray) -> tuple[FloatArray, BoolArray]:
    """Return the populations, shape (c, l), and for which conditions they were found, shape (c,).

    Only those of the conditions `solvable` are looked for. The first step is optically thin; each further one
    takes the optical depths of the step before.
    """
    count = len(problem.column)
    population = np.full((count, problem.collision.shape[1]), np.nan)
    population[solvable] = _equilibrium(problem, solvable, np.ones((len(solvable), len(problem.upper))))
    waiting = solvable
    for step in range(_MOST_STEPS):
        before = population[waiting]
        beta = np.array(
            [
                _beta(problem, at, tau)
                for at, tau in zip(waiting, _depths(problem, waiting, before), strict=True)
            ]
        )
        new = _equilibrium(problem, waiting, beta)
        change = np.abs(new - before) / np.maximum(new, _SMALL)
        kept = _KEPT if step < _LATE else _KEPT_LATE
        population[waiting] = (1 - kept) * new + kept * before
        waiting = waiting[(change.max(axis=1) > _CHANGE) | (step < _LEAST_STEPS)]
        if not len(waiting):
            break
    converged = np.ones(count, dtype=np.bool_)
    converged[waiting] = False
    return population, converged & np.isfinite(population).all(axis=1)


def _equilibrium(problem: _Problem, at: IntArray, beta: FloatArray) -> FloatArray:
    """Return the populations in equilibrium for escape probabilities (c, n) under the conditions `at`."""
    matrix = np.swapaxes(problem.collision[at], 1, 2).copy()
    emitted = problem.einstein_a_s1 * beta * (1.0 + problem.photons[at])
    absorbed = problem.einstein_a_s1 * beta * problem.ratio * problem.photons[at]
    row = np.arange(len(at))[:, None]
    np.add.at(matrix, (row, problem.lower, problem.upper), emitted)
    np.add.at(matrix, (row, problem.upper, problem.lower), absorbed)
    levels = np.arange(matrix.shape[1])
    matrix[:, levels, levels] = 0.0
    matrix[:, levels, levels] = -matrix.sum(axis=1)
    # One of the equations follows from the others: the sum of all populations takes its place.
    matrix[:, -1] = 1.0
    right = np.zeros((*matrix.shape[:2], 1))
    right[:, -1] = 1.0
    return np.maximum(np.linalg.solve(matrix, right)[..., 0], _LEAST_POPULATION)


def _beta(problem: _Problem, at: int, tau: FloatArray) -> FloatArray:
    """Return the escape probabilities of lines; on the way to a solution some depths are too low for them."""
    return problem.escape[at](np.maximum(tau, _LEAST_DEPTH))


def _depths(problem: _Problem, at: IntArray, population: FloatArray) -> FloatArray:
    """Return the optical depths, shape (c, n)."""
    difference = population[:, problem.lower] * problem.ratio - population[:, problem.upper]
    depths: FloatArray = problem.column[at, None] * problem.depth_unit * difference
    return depths


def _lines(
    outline: FileOutline, problem: _Problem, population: FloatArray, at: int, conditions: Conditions
) -> RadexLines:
    kelvin = HC_OVER_KB_CM_K * problem.wavenumber_cm1
    n_upper, n_lower = population[problem.upper], population[problem.lower]
    with np.errstate(divide="ignore"):  # two levels with one population have no temperature
        excitation = kelvin / np.log(n_lower * problem.ratio / n_upper)
    [tau] = _depths(problem, np.array([at]), population[None])
    photons = problem.photons[at]
    # Source function times optical depth, which stays finite where one is infinite and the other zero.
    emitted = problem.column[at] * problem.depth_unit * n_upper
    total = photons * np.exp(-tau) + emitted * _mean_transmission(tau)
    # RADEX keeps a background that is negligible.
    seen = np.where(conditions.background_k / kelvin <= _NO_BACKGROUND, total, total - photons)
    return RadexLines(
        **level_columns(outline),
        frequency_ghz=np.array(outline.frequency_ghz),
        excitation_temperature_k=excitation,
        optical_depth=tau,
        population_upper=n_upper,
        population_lower=n_lower,
        flux_k_km_s=_AREA * conditions.line_width_km_s * kelvin * seen,
    )


def _mean_transmission(tau: FloatArray) -> FloatArray:
    """Return (1 - exp(-tau)) / tau, which is 1 where tau is 0."""
    safe = np.where(tau == 0.0, 1.0, tau)
    return np.where(tau == 0.0, 1.0, -np.expm1(-safe) / safe)


def _of_sphere(tau: FloatArray) -> FloatArray:
    """Return the escape probability of a uniform sphere (Osterbrock & Ferland 2006)."""
    half = tau / 2.0
    size = np.abs(half)
    safe = np.where(size < 0.1, 1.0, half)
    exact = (
        0.75
        / safe
        * (1.0 - 0.5 / safe**2 + (1.0 / safe + 0.5 / safe**2) * np.exp(-np.clip(2.0 * safe, -700, 700)))
    )
    series = 1.0 - 0.75 * half + half**2 / 2.5 - half**3 / 6.0 + half**4 / 17.5
    return np.where(size < 0.1, series, np.where(size > 50.0, 0.75 / safe, exact))


def _of_expanding_sphere(tau: FloatArray) -> FloatArray:
    """Return that of an expanding sphere (large velocity gradient; de Jong, Boland & Dalgarno 1980)."""
    half = tau / 2.0
    size = np.abs(half)
    safe = np.where(size < 0.01, 1.0, half)
    middle = 2.0 * (1.0 - np.exp(-2.34 * np.clip(safe, -300, 300))) / (4.68 * safe)
    thick = np.maximum(size, 7.0)
    large = 2.0 / (np.where(half < 0, -1.0, 1.0) * thick * 4.0 * np.sqrt(np.log(thick / np.sqrt(np.pi))))
    return np.where(size < 0.01, 1.0, np.where(size < 7.0, middle, large))


def _of_slab(tau: FloatArray) -> FloatArray:
    """Return that of a slab (de Jong, Dalgarno & Chu 1975)."""
    three = 3.0 * tau
    size = np.abs(three)
    safe = np.where(size < 0.1, 1.0, three)
    exact = (1.0 - np.exp(-np.clip(safe, -700, 700))) / safe
    # RADEX has this sign of tau**2.
    return np.where(size < 0.1, 1.0 - 1.5 * (tau + tau**2), np.where(size > 50.0, 1.0 / safe, exact))


ESCAPE = {1: _of_sphere, 2: _of_expanding_sphere, 3: _of_slab}
"""The escape probability by the number of a geometry, as functions of optical depths."""
