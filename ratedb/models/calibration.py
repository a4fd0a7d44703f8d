"""Calibrated intervals: half widths fitted to the errors of held-out rates.

A few transitions have far larger errors than their neighbours, for example resonances at low temperature, so
that a normal distribution is too narrow. The errors follow Student's t with three degrees of freedom; its
95 % interval is 2.66 times its 68 % interval.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import stdtrit  # as scipy.stats.t.ppf, without the 0.3 s that scipy.stats takes to load

from ratedb.arrays import FloatArray, IntArray
from ratedb.layers import RATIO_95_68

DEGREES_OF_FREEDOM = 3.0
HALF_WIDTH_68 = float(stdtrit(DEGREES_OF_FREEDOM, 0.5 + 0.6827 / 2))
"""Half width of the 68.27 % interval in units of the distribution's scale."""

_LEAST_SCALE = 1e-3
_LEAST_WITH_ENDS = 4  # held-out j, so that the ends are not most of them
_MOST_AT_ENDS = 4.0
_SHAPE_RANGE = 5.0  # by how much the floor at one temperature may differ from the typical one


@dataclass(frozen=True, eq=False)
class Calibration:
    """Half width of the 68 % interval: sqrt(scale^2 variance + floor^2); `floor`, in dex, has shape (m,).

    It is `below` times as wide for j below the computed ones, and `above` times for those above.
    """

    scale: float
    floor: FloatArray
    below: float = 1.0
    above: float = 1.0

    @staticmethod
    def none(temperatures: int) -> Calibration:
        """Return the calibration that keeps the model's variance."""
        return Calibration(1.0, np.zeros(temperatures))

    @staticmethod
    def fit(error: FloatArray, variance: FloatArray, group: IntArray) -> Calibration:
        """Fit both to errors and variances of held-out rates, shape (n, m), by maximum likelihood.

        `group`, shape (n,), is the held-out initial j; each counts the same, since errors of one j are
        correlated. NaN errors are unknown. The floor follows the size of the errors with temperature.
        """
        known = np.isfinite(error)
        of_group = {g: float(known[group == g].sum()) for g in np.unique(group)}
        weights = known / np.array([max(of_group[g], 1.0) for g in group])[:, None]
        squares = np.where(known, error, 0.0) ** 2
        with np.errstate(invalid="ignore"):
            by_temperature = squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        # One large error at a temperature must not lower the floor of the others.
        middle = float(np.median(by_temperature[known.any(axis=0)])) if known.any() else 0.0
        by_temperature = np.clip(by_temperature, middle / _SHAPE_RANGE**2, middle * _SHAPE_RANGE**2)
        typical = float(by_temperature.mean())
        if not typical > 0:
            return Calibration.none(error.shape[1])
        shape = np.where(known.any(axis=0), by_temperature / typical, 1.0)

        def loss(numbers: FloatArray) -> float:
            scale2 = np.exp(2 * numbers[0]) * variance + np.exp(2 * numbers[1]) * shape
            tail = 0.5 * (DEGREES_OF_FREEDOM + 1) * np.log1p(squares / (scale2 * DEGREES_OF_FREEDOM))
            return float((weights * (0.5 * np.log(scale2) + tail)).sum() / weights.sum())

        size = 0.5 * np.log(typical)
        starts = ([0.0, size - 2.0], [-0.5, size - 0.5])
        best = min((minimize(loss, start, method="Nelder-Mead") for start in starts), key=lambda end: end.fun)
        # The likelihood's best scale is too small where it is fitted to few j, by the usual factor.
        groups = sum(count > 0 for count in of_group.values())
        few = float(np.sqrt(groups / max(groups - 1, 1)))
        scale = max(float(np.exp(best.x[0])), _LEAST_SCALE) * HALF_WIDTH_68 * few
        found = Calibration(scale, HALF_WIDTH_68 * few * np.exp(best.x[1]) * np.sqrt(shape))
        return found._with_ends(error, variance, group)

    def _with_ends(self, error: FloatArray, variance: FloatArray, group: IntArray) -> Calibration:
        """Return it with what the lowest and the highest held-out j need: both were extrapolated."""
        ratio = np.abs(error) / (RATIO_95_68 * self.half_width(variance))

        def needed(j: int) -> float:
            own = ratio[group == j]
            own = own[np.isfinite(own)]
            return float(np.clip(np.quantile(own, 0.95), 1.0, _MOST_AT_ENDS)) if len(own) else 1.0

        if len(np.unique(group)) < _LEAST_WITH_ENDS:
            return self
        return replace(self, below=needed(group.min()), above=needed(group.max()))

    def half_width(self, variance: FloatArray) -> FloatArray:
        """Return the half width of the 68 % interval in dex for variances of shape (n, m)."""
        return np.sqrt(self.scale**2 * variance + self.floor**2)
