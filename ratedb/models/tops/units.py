"""Choices of units, which are initial states, to compute: random, spread in energy, or by least variance."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.models.tops.features import FeatureMap, categories
from ratedb.models.tops.kernel import Points, TopKernel
from ratedb.models.tops.structure import Jumps, Structure

_ROWS_OF_UNIT = 12
_MOST_POINTS = 1200
_LEAST_UNITS = 3


def strata(structure: Structure, units: IntArray) -> IntArray:
    """Return the partner's state of each unit, shape (u,); all zero for a partner of many states.

    A jump of the partner that no computed unit has cannot be predicted: each state needs units of its own.
    """
    partner = structure.partner_of[units]
    _, count = np.unique(partner, return_counts=True)
    return partner if count.min() >= _LEAST_UNITS else np.zeros_like(units)


def random_units(structure: Structure, units: IntArray, share: float, seed: int) -> IntArray:
    """Return a random share of units, at least three of each state of the partner, by this seed."""
    draw = np.random.default_rng(seed)
    chosen = []
    for members in _members(structure, units):
        count = max(_LEAST_UNITS, round(share * len(members)))
        chosen.append(draw.permutation(members)[:count])
    return np.sort(np.concatenate(chosen))


def spread_units(
    structure: Structure, units: IntArray, energy_cm1: FloatArray, share: float, seed: int
) -> IntArray:
    """Return a share of units spread evenly in the order of energy, one drawn from each equal part.

    `energy_cm1` are the energies of all levels. The highest unit is always one, so that little lies outside;
    seed 0 takes the evenly spaced ones, from the lowest on.
    """
    draw = np.random.default_rng(seed)
    chosen = []
    for members in _members(structure, units):
        ranked = members[np.argsort(energy_cm1[members], kind="stable")]
        count = max(_LEAST_UNITS, round(share * len(ranked)))
        edges = np.linspace(0, len(ranked) - 1, count)
        if seed:
            width = (len(ranked) - 1) / (count - 1)
            edges[:-1] += draw.uniform(0.0, 0.9 * width, count - 1)
        chosen.append(ranked[np.unique(np.floor(edges + 1e-9).astype(np.int64))])
    return np.sort(np.concatenate(chosen))


def _members(structure: Structure, units: IntArray) -> list[IntArray]:
    of = strata(structure, units)
    return [units[of == each] for each in np.unique(of)]


def least_variance_units(transitions: Transitions, share: float, seed: int) -> IntArray:
    """Return a share of units chosen one by one, each with the least variance of all transitions after it.

    The variance is that of the kernel with its expected numbers, of the transitions that are wanted; a few
    random ones stand for each unit.
    """
    structure = Structure.of(transitions.levels)
    draw = np.random.default_rng(seed)
    units = np.unique(transitions.upper)
    most = max(2, min(_ROWS_OF_UNIT, _MOST_POINTS // len(units)))
    rows = [draw.permutation(np.flatnonzero(transitions.upper == unit))[:most] for unit in units]
    picked = np.sort(np.concatenate(rows))
    jumps = Jumps.of(structure, transitions.select(picked))
    points = Points(FeatureMap.of(jumps)(jumps), categories(jumps))
    kernel = TopKernel(tuple(points.categories), points.features.shape[1])
    expected, _ = kernel.expected()
    covariance = kernel.matrix(expected, points, points)
    own = [np.flatnonzero(jumps.unit == unit) for unit in units]
    chosen: list[int] = []
    for _ in range(max(_LEAST_UNITS, round(share * len(units)))):
        gains = [
            -np.inf if place in chosen else _gain(covariance, rows_of, kernel.noise(expected))
            for place, rows_of in enumerate(own)
        ]
        best = int(np.argmax(gains))
        chosen.append(best)
        covariance = covariance - _explained(covariance, own[best], kernel.noise(expected))
    return np.sort(units[chosen])


def _factor(covariance: FloatArray, rows: IntArray, noise: float) -> FloatArray:
    block = covariance[np.ix_(rows, rows)] + noise * np.eye(len(rows))
    return np.asarray(np.linalg.solve(np.linalg.cholesky(block), covariance[rows]))


def _gain(covariance: FloatArray, rows: IntArray, noise: float) -> float:
    """Return by how much the variances of all fall in sum where some rows become known."""
    return float((_factor(covariance, rows, noise) ** 2).sum())


def _explained(covariance: FloatArray, rows: IntArray, noise: float) -> FloatArray:
    """Return what the covariance falls by where some rows become known."""
    half = _factor(covariance, rows, noise)
    return np.asarray(half.T @ half)
