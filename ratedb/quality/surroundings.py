"""Compare whole curves with their neighbours in j, or where there are none with those of their levels."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, robust_scale, row_medians
from ratedb.findings import Finding, Rule
from ratedb.levels import Transitions
from ratedb.quality import rules
from ratedb.quality.curves import Curves, times
from ratedb.quality.neighbours import Neighbourhood, near
from ratedb.rates import Rates

_ROUNDS = 4


class Around:
    """How each row compares with its neighbours in j, once wrong rows are no longer neighbours.

    The row that stands out most is hidden from the others, which are compared again, and so on. Where few
    predictors are left, at the corners of a set, two rows may each make the other stand out: those that stand
    out only next to other suspects are `doubtful`, shape (n,).
    """

    def __init__(self, curves: Curves) -> None:
        self._curves = curves
        self._places = Neighbourhood(curves.rates)
        self._places.weigh(curves.log_rate)
        everything = np.arange(len(curves.rates))
        hidden = np.zeros(len(everything), dtype=np.bool_)
        self.residuals = self._places.residuals(curves.log_rate, everything, hidden)
        self.floor = _floor(self.residuals.predictors, self.residuals.offset)
        for _ in range(_ROUNDS):
            worst = self._worst(hidden)
            if not len(worst):
                break
            hidden[worst] = True
            self._judge_again(worst, hidden)
        self.doubtful = np.zeros(len(everything), dtype=np.bool_)
        if hidden.any():
            self._settle(hidden)
        self._shape_floor = [
            max(robust_scale(column), rules.LEAST_SCALE) for column in self.residuals.shape.T
        ]

    def shape_scale(self, rows: slice) -> FloatArray:
        """Return the local standard deviation of the shapes of k rows, shape (k, m), in ln k."""
        return np.hypot(self.residuals.shape_spread[rows], self._shape_floor)

    @property
    def scale(self) -> FloatArray:
        """The local standard deviation of offsets, shape (n,), in ln k."""
        return np.hypot(self.residuals.offset_spread, self.floor)

    @property
    def judged(self) -> BoolArray:
        """Which rows have enough predictors, shape (n,)."""
        enough = self.residuals.predictors >= rules.PREDICTORS_NEEDED
        return np.asarray(enough & np.isfinite(self.residuals.offset))

    def stands_out(self) -> BoolArray:
        """Return which rows differ too much from their neighbours, shape (n,)."""
        offset = np.where(self.judged, self.residuals.offset, 0.0)
        return is_off(offset, self.scale)

    def _worst(self, hidden: BoolArray) -> IntArray:
        """Return the rows to hide next: those that stand out more than any other suspect near them."""
        rows = np.flatnonzero(self.stands_out() & ~hidden)
        weight = np.abs(self.residuals.offset) * np.sqrt(self.residuals.predictors)
        return np.array(
            [row for row in rows if weight[row] >= weight[rows[near(self._places, row, rows)]].max()],
            dtype=np.int64,
        )

    def _judge_again(self, changed: IntArray, hidden: BoolArray) -> None:
        """Compare the rows again that have one of the changed ones among their neighbours."""
        everything = np.arange(len(hidden))
        reached = np.flatnonzero(np.any([near(self._places, row, everything) for row in changed], axis=0))
        again = self._places.residuals(self._curves.log_rate, reached, hidden)
        self.residuals.put(reached, again)

    def _settle(self, hidden: BoolArray) -> None:
        """Hide only rows that certainly stand out and compare again; the other suspects are doubtful."""
        suspects = np.flatnonzero(hidden)
        sure = hidden & self.stands_out()
        self._judge_again(suspects, sure)
        self.doubtful = hidden & ~sure


def is_off(offset: FloatArray | float, scale: FloatArray | float) -> BoolArray:
    """Return which offsets (ln k) are too large for their scale."""
    size = np.abs(offset)
    large = size > np.log(rules.UNLIKE_NEIGHBOURS.threshold)
    return np.asarray(large & (size > rules.UNLIKE_SIGMAS * scale))


def _floor(predictors: IntArray, offset: FloatArray) -> FloatArray:
    """Return the least scale of an offset, shape (n,): that of all rows with a similar number of predictors.

    The edges of a set, where predictors are few and extrapolate, are less certain than its middle.
    """
    floor, least = np.zeros(len(offset)), rules.LEAST_SCALE
    for low, high in ((16, 99), (8, 15), (0, 7)):
        group = (predictors >= low) & (predictors <= high)
        least = max(least, robust_scale(offset[group]))
        floor[group] = least
    return floor


def level_findings(curves: Curves, around: Around | None) -> tuple[list[Finding], BoolArray]:
    """Return the findings about whole curves against their neighbours in j, and which rows had enough."""
    if around is None:
        return [], np.zeros(len(curves.rates), dtype=np.bool_)
    findings = []
    offset, scale = around.residuals.offset, around.scale
    for row in np.flatnonzero(around.stands_out()):
        rule = _level_rule(float(offset[row]), float(scale[row]))
        if rule is not None and around.doubtful[row]:
            rule = rules.UNLIKE_NEIGHBOURS
        if rule is None:
            continue
        value = _middle_value(curves, row)
        expected = value * float(np.exp(-offset[row]))
        detail = (
            f"the curve is {times(float(offset[row]))} that of its neighbours in j (median over T; "
            f"{abs(offset[row]) / scale[row]:.0f} local standard deviations, "
            f"{around.residuals.predictors[row]} predictors)"
        )
        if rule is rules.UNIT_OF_ROW:
            detail += ": m3 in place of cm3"
        findings.append(curves.finding(rule, row, detail, value=value, expected=expected))
    return findings, around.judged


def _middle_value(curves: Curves, row: int) -> float:
    return float(np.exp(np.median(curves.log_rate[row])))


def _level_rule(offset: float, scale: float) -> Rule | None:
    size, sigmas = abs(offset), abs(offset) / scale
    unit = np.log(rules.UNIT_OF_ROW.threshold)
    if sigmas > rules.OFF_SIGMAS and abs(size - unit) < max(np.log(2.0), 2.0 * scale):
        return rules.UNIT_OF_ROW
    if sigmas > rules.OFF_SIGMAS and size > np.log(rules.OFF_NEIGHBOURS.threshold):
        return rules.OFF_NEIGHBOURS
    return rules.UNLIKE_NEIGHBOURS if is_off(offset, scale) else None


def alone_findings(curves: Curves, judged: BoolArray) -> list[Finding]:
    """Return the transitions without neighbours in j that are far from what their two levels suggest.

    Only transitions of one kind, with the same change of v, are compared.
    """
    level = row_medians(curves.log_rate)
    residual, scale = np.zeros(len(level)), np.ones(len(level))
    for rows in _kinds(curves.rates):
        part = curves.rates.transitions.select(rows)
        residual[rows] = level[rows] - _two_way(level[rows], part)
        scale[rows] = max(robust_scale(residual[rows]), rules.LEAST_SCALE)
    out = (np.abs(residual) > np.log(rules.ALONE_FACTOR)) & (np.abs(residual) > rules.ALONE_SIGMAS * scale)
    findings = []
    for row in np.flatnonzero(out & ~judged):
        value = _middle_value(curves, row)
        detail = (
            f"the curve is {times(float(residual[row]))} what other transitions of its two levels suggest "
            f"(median over T; {abs(residual[row]) / scale[row]:.0f} standard deviations)"
        )
        expected = value * float(np.exp(-residual[row]))
        findings.append(curves.finding(rules.UNLIKE_NEIGHBOURS, row, detail, value=value, expected=expected))
    return findings


def _kinds(rates: Rates) -> list[IntArray]:
    """Return the rows of each change of v; all rows where no v is known."""
    v = rates.levels.quantum_numbers.get("v")
    if v is None:
        return [np.arange(len(rates))]
    change = np.nan_to_num(v[rates.upper] - v[rates.lower], nan=np.inf)
    return [np.flatnonzero(change == one) for one in np.unique(change)]


def _two_way(level: FloatArray, transitions: Transitions) -> FloatArray:
    """Return the sum of one number for the upper and one for the lower level that fits best, by medians."""
    fitted = np.full(len(level), np.median(level))
    for _ in range(5):
        for ends_of in (transitions.upper, transitions.lower):
            order = np.argsort(ends_of, kind="stable")
            for rows in np.split(order, np.flatnonzero(np.diff(ends_of[order])) + 1):
                if len(rows) >= 5:
                    fitted[rows] += np.median(level[rows] - fitted[rows])
    return fitted
