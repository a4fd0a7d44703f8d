"""Means of log10 k of tops: group means by differences, and a plane in the features.

With the sudden law (`sudden`) these are what a process starts from, and candidates of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.models.tops.features import FeatureMap
from ratedb.models.tops.structure import Jumps
from ratedb.models.tops.sudden import SuddenMean

GROUPS, PLANE, SUDDEN = "group means", "linear gap", "sudden law"
"""Names of the means."""

_RIDGE = 1.0
_SHRINK_ROWS = 1.0


class TopMean(Protocol):
    """A fitted mean of log10 k of tops."""

    def __call__(self, jumps: Jumps) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""


@dataclass(frozen=True, eq=False)
class PlaneMean:
    """A plane in the features: `coefficients` has shape (1 + d, m), the constant first."""

    features: FeatureMap
    coefficients: FloatArray

    @staticmethod
    def fit(jumps: Jumps, log10_k: FloatArray) -> PlaneMean:
        """Fit by least squares, with a ridge of one row's weight."""
        features = FeatureMap.of(jumps)
        table, centre = features(jumps), log10_k.mean(axis=0)
        normal = table.T @ table + _RIDGE * np.eye(table.shape[1])
        return PlaneMean(features, np.vstack([centre, np.linalg.solve(normal, table.T @ (log10_k - centre))]))

    def __call__(self, jumps: Jumps) -> FloatArray:
        """Return the mean of log10 k, shape (n, m)."""
        return np.asarray(self.coefficients[0] + self.features(jumps) @ self.coefficients[1:])


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Means of groups, from all jumps to finer and finer groups, each shrunk to the coarser one.

    Groups: the partner's jump, where it is `resolved`; besides |dj|; besides all absolute differences.
    `groupings` has for each step the place of its keys and the means, shape (g, m).
    """

    resolved: bool
    centre: FloatArray
    groupings: tuple[tuple[dict[tuple[int, ...], int], FloatArray], ...]

    @staticmethod
    def fit(jumps: Jumps, log10_k: FloatArray) -> GroupMeans:
        """Return the means; one that is coarser counts for one row of each group."""
        resolved = not jumps.partner_unresolved
        centre = log10_k.mean(axis=0)
        parent = np.tile(centre, (len(log10_k), 1))
        groupings = []
        for keys in _keys(jumps, resolved):
            distinct, place = np.unique(keys, axis=0, return_inverse=True)
            place = np.ravel(place)
            count = np.bincount(place).astype(np.float64)
            total = np.zeros((len(distinct), log10_k.shape[1]))
            above = np.zeros_like(total)
            np.add.at(total, place, log10_k)
            above[place] = parent
            means = (total + _SHRINK_ROWS * above) / (count + _SHRINK_ROWS)[:, None]
            groupings.append(({tuple(key): row for row, key in enumerate(distinct.tolist())}, means))
            parent = means[place]
        return GroupMeans(resolved, centre, tuple(groupings))

    def __call__(self, jumps: Jumps) -> FloatArray:
        """Return the mean of the finest group that was trained, shape (n, m)."""
        result = np.tile(self.centre, (len(jumps), 1))
        for keys, (places, means) in zip(_keys(jumps, self.resolved), self.groupings, strict=True):
            found = np.array([places.get(tuple(key), -1) for key in keys.tolist()], dtype=np.int64)
            result = np.where((found >= 0)[:, None], means[found], result)
        return result


def _keys(jumps: Jumps, resolved: bool) -> list[IntArray]:
    """Return the keys of each level of groups, coarse to fine, shape (n, q) each."""
    partner = np.stack([jumps.partner_initial, jumps.partner_final], axis=1) * int(resolved)
    differences = jumps.differences()
    return [partner, np.hstack([partner, differences[:, :1]]), np.hstack([partner, differences])]


def fit_mean(name: str, jumps: Jumps, log10_k: FloatArray, start: TopMean | None = None) -> TopMean:
    """Return the named mean, fitted to log10 k, shape (n, m); a fit to more rows saves steps."""
    if name == SUDDEN:
        return SuddenMean.fit(jumps, log10_k, start if isinstance(start, SuddenMean) else None)
    if name == PLANE:
        return PlaneMean.fit(jumps, log10_k)
    return GroupMeans.fit(jumps, log10_k)


def mean_names(jumps: Jumps) -> tuple[str, ...]:
    """Return the names of the means that can be fitted to such jumps."""
    return (GROUPS, PLANE, SUDDEN) if jumps.structure.target.states is not None else (GROUPS, PLANE)
