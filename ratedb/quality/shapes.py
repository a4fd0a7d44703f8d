"""Check the shapes of curves: shifted by one temperature, unlike the neighbours', or all the same."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, blocks
from ratedb.findings import Finding
from ratedb.quality import rules
from ratedb.quality.columns import Columns
from ratedb.quality.curves import Curves
from ratedb.quality.surroundings import Around
from ratedb.quality.values import half_digit, last_digits

_CAP = 10.0
_LEAST_MISFIT = 0.15


class _Misfits:
    """How badly curves fit as they are and shifted by one temperature, shape (3, n) each: as is, up, down.

    `near` is by the regressions on adjacent temperatures, `around` by the neighbours in j, in standard
    deviations, averaged over ln T so that dense high temperatures do not outweigh the low ones. Up moves
    values to the next higher temperature.
    """

    def __init__(self, curves: Curves, columns: Columns, around: Around | None) -> None:
        self._weight = np.gradient(np.log(curves.rates.temperature_k))
        n = len(curves.log_rate)
        self.near, self.around, self.part = np.empty((3, n)), np.full((3, n), np.nan), np.zeros(n)
        for rows in blocks(curves.log_rate.shape):
            self._compare(rows, curves.log_rate[rows], columns, around)

    def _compare(self, rows: slice, y: FloatArray, columns: Columns, around: Around | None) -> None:
        up = np.concatenate([y[:, :1], y[:, :-1]], axis=1)
        down = np.concatenate([y[:, 1:], y[:, -1:]], axis=1)
        self.near[:, rows] = np.stack([self._near(columns, curve) for curve in (y, up, down)])
        if around is None:
            return
        shape, scale = around.residuals.shape[rows], around.shape_scale(rows)
        expected = y - shape - around.residuals.offset[rows, None]
        self.around[:, rows] = np.stack([self._around(curve - expected, scale) for curve in (y, up, down)])
        inner = self._weight[1:-1]
        self.part[rows] = np.abs(shape[:, 1:-1]) @ inner / inner.sum()

    def _near(self, columns: Columns, curve: FloatArray) -> FloatArray:
        """Leave out the columns where a shifted curve has no value for the regression, on both sides."""
        misfit = np.minimum(np.abs(columns.residuals(curve)) / columns.scale, _CAP)
        return np.asarray(misfit[:, 3:-3] @ self._weight[3:-3] / self._weight[3:-3].sum())

    def _around(self, difference: FloatArray, scale: FloatArray) -> FloatArray:
        centred = difference - np.median(difference[:, 1:-1], axis=1)[:, None]
        misfit = np.minimum(np.abs(centred / scale), _CAP)[:, 1:-1]
        return np.asarray(misfit @ self._weight[1:-1] / self._weight[1:-1].sum())

    def gain(self, judged: BoolArray) -> FloatArray:
        """Return by how much curves fit better when shifted up and down, shape (2, n)."""
        near = self.near[0] / np.maximum(self.near[1:], _LEAST_MISFIT)
        around = self.around[0] / np.maximum(self.around[1:], _LEAST_MISFIT)
        both = around * np.sqrt(near)
        alone = np.where(self.near[0] > rules.ALONE_MISFIT, near, 0.0)
        return np.asarray(np.where(judged, both, alone))


def shape_findings(
    curves: Curves, columns: Columns, around: Around | None
) -> tuple[BoolArray, list[Finding]]:
    """Return which rows are shifted by one temperature, and the findings about these and odd shapes."""
    flagged = np.zeros(len(curves.rates), dtype=np.bool_)
    if curves.log_rate.shape[1] < rules.SHAPE_TEMPERATURES:
        return flagged, []
    misfits = _Misfits(curves, columns, around)
    judged = flagged if around is None else around.judged
    gain = misfits.gain(judged)
    moved = gain.max(axis=0) > rules.SHIFTED_ROW.threshold
    odd = judged & (misfits.around[0] > rules.ODD_SHAPE.threshold) & (misfits.part > rules.ODD_PART)
    findings = [_moved(curves, row, gain[:, row]) for row in np.flatnonzero(moved)]
    for row in np.flatnonzero(odd & ~moved):
        here = float(misfits.around[0, row])
        detail = (
            f"the temperature curve differs from that of its neighbours in j by {here:.1f} local standard "
            f"deviations, {100 * misfits.part[row]:.0f} % on average"
        )
        findings.append(curves.finding(rules.ODD_SHAPE, row, detail, value=here, expected=1.0))
    return moved, findings


def _moved(curves: Curves, row: int, gain: FloatArray) -> Finding:
    way = "higher" if gain[0] > gain[1] else "lower"
    detail = (
        f"the values agree {gain.max():.1f} times better with those around them when each is moved to the "
        f"next {way} temperature"
    )
    return curves.finding(rules.SHIFTED_ROW, row, detail, value=float(gain.max()), expected=1.0)


def _largest_rounding(log_rate: FloatArray) -> FloatArray:
    """Return the largest rounding of the rates in each column, relative to them, shape (m,)."""
    unit = last_digits(np.exp(log_rate[:: -(-len(log_rate) // rules.ENOUGH_ROWS)]))
    parts = [half_digit(np.exp(log_rate[rows]), unit).max(axis=0) for rows in blocks(log_rate.shape)]
    return np.asarray(np.max(parts, axis=0))


def _shapes(log_rate: FloatArray) -> FloatArray:
    return np.asarray(log_rate - log_rate.mean(axis=1)[:, None])


def _near_to(first: FloatArray, log_rate: FloatArray, tolerance: FloatArray) -> BoolArray:
    """Return which rows have the shape `first`, shape (n,)."""
    return np.concatenate(
        [
            (np.abs(_shapes(log_rate[rows]) - first) <= tolerance).all(axis=1)
            for rows in blocks(log_rate.shape)
        ]
    )


def few_shapes(curves: Curves) -> list[Finding]:
    """Return a finding where a set has only one or two shapes of temperature curves."""
    n, m = curves.log_rate.shape
    if n < 30 or m < 4:
        return []
    rounding = _largest_rounding(curves.log_rate)
    if rounding.max() > rules.FEWEST_DIGITS:
        return []
    # the mean over T includes the rounding of all temperatures
    tolerance = 2.0 * (rounding + rounding.mean())
    left = np.ones(n, dtype=np.bool_)
    sizes: list[int] = []
    while len(sizes) < rules.FEW_SHAPES.threshold and left.any():
        row = int(np.flatnonzero(left)[left.sum() // 2])
        [first] = _shapes(curves.log_rate[row : row + 1])
        same = left & _near_to(first, curves.log_rate, tolerance)
        sizes.append(int(same.sum()))
        left &= ~same
    if left.sum() > 0.01 * n:
        return []
    detail = (
        f"{n - left.sum()} of {n} temperature curves are {len(sizes)} shape(s), to the digits printed (of "
        f"{', '.join(map(str, sizes))} transitions): a formula f(levels) g(T), not a scattering calculation"
    )
    return [rules.FEW_SHAPES.finding(curves.system, detail, value=float(len(sizes)), expected=float(n))]
