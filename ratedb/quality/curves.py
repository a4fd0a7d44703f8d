"""Rules that look at whole curves: against the temperatures beside, and against the neighbours in j."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.quality import rules
from ratedb.quality.columns import Columns, fit_columns
from ratedb.quality.neighbours import Neighbourhood, Residuals, near, robust_scale
from ratedb.quality.rules import Rule
from ratedb.quality.values import ends, half_digit, usable
from ratedb.tables import BoolArray, Finding, FloatArray, IntArray, RateTable

_ROUNDS = 4
_LEAST_SCALE = 1e-3
_CAP = 10.0
_LEFT_CAP = 1e3


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves that can be judged: ln k (k, m) of some transitions of a table, gaps filled; and where known."""

    rates: RateTable
    log_rate: FloatArray
    known: BoolArray

    @property
    def system(self) -> str:
        """The name of the system."""
        return self.rates.system

    def finding(
        self,
        rule: Rule,
        row: int,
        detail: str,
        temperature_k: float | None = None,
        value: float | None = None,
        expected: float | None = None,
    ) -> Finding:
        """Return a finding about a transition."""
        upper, lower = ends(self.rates, row)
        return rule.finding(
            self.system,
            detail,
            upper=upper,
            lower=lower,
            temperature_k=temperature_k,
            value=value,
            expected=expected,
        )


@dataclass(frozen=True)
class _Slip:
    row: int
    column: int
    residual: float
    sigmas: float


def check_curves(rates: RateTable) -> list[Finding]:
    """Return the findings about curves; transitions with values at under half the temperatures are left."""
    curves = _curves(rates)
    if not len(curves.rates):
        return []
    around = _Around(curves) if curves.rates.levels.has_vj else None
    findings = _few_shapes(curves)
    wrong_rows, in_temperature = _temperature_findings(curves, around)
    levels, judged = _level_findings(curves, around)
    findings += in_temperature + levels + _alone_findings(curves, judged)
    if around is not None:
        findings += _shape_findings(curves, around, wrong_rows)
    return findings


def _curves(rates: RateTable) -> Curves:
    good = usable(rates.rate_cm3_s)
    enough = good.sum(axis=1) * 2 > good.shape[1] if good.size else np.zeros(len(rates), dtype=np.bool_)
    kept, known = rates.select(enough), good[enough]
    with np.errstate(divide="ignore"):
        log_rate = np.log(kept.rate_cm3_s)
    log_t = np.log(rates.temperature_k)
    for row in np.flatnonzero(~known.all(axis=1)):
        there = known[row]
        log_rate[row] = np.interp(log_t, log_t[there], log_rate[row, there])
    return Curves(kept, log_rate, known)


class _Around:
    """What the neighbours in j say of each row, wrong rows no longer among the neighbours.

    The row that stands out most in its surroundings is hidden from the others, which are judged again, and
    so on. Where few predictors are left, at the corners of a set, two rows may each put the other in the
    wrong: those that only stand out beside other suspects are `doubtful`, shape (n,).
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

    @property
    def scale(self) -> FloatArray:
        """The local standard deviation of offsets, shape (n,), in ln k."""
        return np.hypot(self.residuals.offset_spread, self.floor)

    @property
    def judged(self) -> BoolArray:
        """Which rows have predictors enough, shape (n,)."""
        return (self.residuals.predictors >= rules.PREDICTORS_NEEDED) & np.isfinite(self.residuals.offset)

    def stands_out(self) -> BoolArray:
        """Return which rows are off their neighbours, shape (n,)."""
        offset = np.where(self.judged, self.residuals.offset, 0.0)
        return is_off(offset, self.scale)

    def _worst(self, hidden: BoolArray) -> IntArray:
        """Return the rows to hide next: off more, by more predictors, than any other suspect around them."""
        rows = np.flatnonzero(self.stands_out() & ~hidden)
        weight = np.abs(self.residuals.offset) * np.sqrt(self.residuals.predictors)
        return np.array(
            [row for row in rows if weight[row] >= weight[rows[near(self._places, row, rows)]].max()],
            dtype=np.int64,
        )

    def _judge_again(self, changed: IntArray, hidden: BoolArray) -> None:
        """Judge the rows again that have one of the changed ones among their neighbours."""
        everything = np.arange(len(hidden))
        reached = np.flatnonzero(np.any([near(self._places, row, everything) for row in changed], axis=0))
        again = self._places.residuals(self._curves.log_rate, reached, hidden)
        self.residuals = _replace(self.residuals, again, reached)

    def _settle(self, hidden: BoolArray) -> None:
        """Judge every row beside those alone that stand out for certain; the other suspects are doubtful."""
        suspects = np.flatnonzero(hidden)
        sure = hidden & self.stands_out()
        self._judge_again(suspects, sure)
        self.doubtful = hidden & ~sure


def is_off(offset: FloatArray | float, scale: FloatArray | float) -> BoolArray:
    """Return which offsets (ln k) are too large for their scale to be let pass."""
    size = np.abs(offset)
    large = size > np.log(rules.UNLIKE_NEIGHBOURS.threshold)
    return np.asarray(large & (size > rules.UNLIKE_SIGMAS * scale))


def _replace(old: Residuals, new: Residuals, rows: IntArray) -> Residuals:
    parts = []
    for name in ("offset", "offset_spread", "shape", "shape_spread", "predictors"):
        array = getattr(old, name).copy()
        array[rows] = getattr(new, name)
        parts.append(array)
    return Residuals(*parts)


def _floor(predictors: IntArray, offset: FloatArray) -> FloatArray:
    """Return the least scale of an offset, shape (n,): that of all rows with about as many predictors.

    The edges of a set, where predictors are few and extrapolate, are less certain than its middle.
    """
    floor, least = np.zeros(len(offset)), _LEAST_SCALE
    for low, high in ((16, 99), (8, 15), (0, 7)):
        group = (predictors >= low) & (predictors <= high)
        least = max(least, robust_scale(offset[group]))
        floor[group] = least
    return floor


def _temperature_findings(curves: Curves, around: _Around | None) -> tuple[BoolArray, list[Finding]]:
    """Return which rows have wrong values, and the findings about single temperatures."""
    wrong = np.zeros(len(curves.rates), dtype=np.bool_)
    columns = fit_columns(curves.log_rate, curves.rates.temperature_k)
    if columns is None:
        return wrong, []
    findings: list[Finding] = []
    residual = columns.residuals(curves.log_rate)
    sigmas = np.abs(residual) / columns.scale
    large = (np.abs(residual) > np.log(rules.KINK.threshold)) & (sigmas > rules.KINK_SIGMAS)
    for row in np.flatnonzero(large.any(axis=1)):
        slips = _slips(curves, columns, row, around)
        grave = [slip for slip in slips if _grave(slip)]
        wrong[row] = bool(slips)
        if len(grave) >= rules.SCRAMBLED_VALUES:
            findings.append(_scrambled(curves, row, grave))
        else:
            findings += [_off_curve(curves, slip) for slip in slips]
    return wrong, findings + _repeated(curves, columns, wrong)


def _slips(curves: Curves, columns: Columns, row: int, around: _Around | None) -> list[_Slip]:
    """Return the values of a row that are off its curve, each mended before the next is sought.

    A wrong value also puts its neighbours off their curve, at an end by even more; the wrong one is that
    without which the rest of the row is smoothest.
    """
    mended = curves.log_rate[row].copy()
    slips: list[_Slip] = []
    untouched = curves.known[row].copy()
    for _ in range(len(mended) // 2):
        residual = columns.residuals(mended[None])[0]
        sigmas = np.abs(residual) / columns.scale
        out = (np.abs(residual) > np.log(rules.KINK.threshold)) & (sigmas > rules.KINK_SIGMAS)
        found = [
            slip
            for column in np.flatnonzero(out & untouched)
            if _confirmed(slip := _Slip(row, int(column), float(residual[column]), float(sigmas[column])), around)
        ]
        if not found:
            break
        trials = np.tile(mended, (len(found), 1))
        for number, slip in enumerate(found):
            trials[number, slip.column] -= slip.residual
        left = np.abs(columns.residuals(trials)) / columns.scale
        best = int(np.minimum(left, _LEFT_CAP).sum(axis=1).argmin())
        mended = trials[best]
        untouched[found[best].column] = False
        slips.append(found[best])
    return slips


def _confirmed(slip: _Slip, around: _Around | None) -> bool:
    """Return whether the neighbours in j, where there are any, do not show the same feature."""
    if around is None or not around.judged[slip.row]:
        return True
    shape = around.residuals.shape[slip.row, slip.column]
    return bool(abs(shape) > rules.CONFIRMED * abs(slip.residual) and shape * slip.residual > 0)


def _grave(slip: _Slip) -> bool:
    return abs(slip.residual) > np.log(rules.OFF_CURVE.threshold) and slip.sigmas > rules.ERROR_SIGMAS


def _off_curve(curves: Curves, slip: _Slip) -> Finding:
    rule = rules.OFF_CURVE if _grave(slip) else rules.KINK
    kelvin = float(curves.rates.temperature_k[slip.column])
    value = float(curves.rates.rate_cm3_s[slip.row, slip.column])
    expected = value * float(np.exp(-slip.residual))
    detail = (
        f"{value:.4g} cm3 s-1 at {kelvin:g} K is {_times(slip.residual)} the {expected:.4g} that the "
        f"temperatures beside it suggest ({slip.sigmas:.0f} standard deviations)"
    )
    return curves.finding(rule, slip.row, detail, kelvin, value, expected)


def _scrambled(curves: Curves, row: int, slips: list[_Slip]) -> Finding:
    kelvin = sorted(float(curves.rates.temperature_k[slip.column]) for slip in slips)
    worst = max(slips, key=lambda slip: abs(slip.residual))
    value = float(curves.rates.rate_cm3_s[row, worst.column])
    detail = (
        f"the values at {', '.join(f'{t:g}' for t in kelvin)} K are off the curve of the others, at "
        f"{curves.rates.temperature_k[worst.column]:g} K by {_times(worst.residual)}: columns look mixed"
    )
    return curves.finding(
        rules.SCRAMBLED, row, detail, value=value, expected=value * float(np.exp(-worst.residual))
    )


def _times(log_ratio: float) -> str:
    """Return a ratio for people: `4.1 times`, or `1/4.1 of` below one."""
    return f"{np.exp(log_ratio):.3g} times" if log_ratio >= 0 else f"1/{np.exp(-log_ratio):.3g} of"


def _repeated(curves: Curves, columns: Columns, wrong: BoolArray) -> list[Finding]:
    """Return the values that equal the one beside them where the set expects a difference."""
    residual = columns.residuals(curves.log_rate)
    sigmas = np.abs(residual) / columns.scale
    rate = curves.rates.rate_cm3_s
    same = (np.diff(rate, axis=1) == 0) & curves.known[:, 1:] & curves.known[:, :-1]
    beside = np.zeros(rate.shape, dtype=np.bool_)
    beside[:, 1:] |= same
    beside[:, :-1] |= same
    # within its last digit a value may well repeat
    coarse = rules.ROUNDING_UNITS * 2.0 * half_digit(rate)
    out = beside & (sigmas > rules.REPEATED.threshold) & (np.abs(residual) > coarse) & ~wrong[:, None]
    findings = []
    for row in np.flatnonzero(out.any(axis=1)):
        column = int(np.argmax(np.where(out[row], sigmas[row], 0.0)))
        kelvin, value = float(curves.rates.temperature_k[column]), float(rate[row, column])
        expected = value * float(np.exp(-residual[row, column]))
        detail = (
            f"{value:.4g} cm3 s-1 at {kelvin:g} K also stands beside it, where {expected:.4g} is expected "
            f"({sigmas[row, column]:.0f} standard deviations)"
        )
        findings.append(curves.finding(rules.REPEATED, row, detail, kelvin, value, expected))
    return findings


def _level_findings(curves: Curves, around: _Around | None) -> tuple[list[Finding], BoolArray]:
    """Return the findings about whole curves off their neighbours in j, and which rows could be judged."""
    if around is None:
        return [], np.zeros(len(curves.rates), dtype=np.bool_)
    findings = []
    offset, scale = around.residuals.offset, around.scale
    for row in np.flatnonzero(around.judged):
        rule = _level_rule(float(offset[row]), float(scale[row]))
        if rule is not None and around.doubtful[row]:
            rule = rules.UNLIKE_NEIGHBOURS
        if rule is None:
            continue
        value = _middle_value(curves, row)
        expected = value * float(np.exp(-offset[row]))
        detail = (
            f"the curve is {_times(float(offset[row]))} that of its neighbours in j (median over T; "
            f"{abs(offset[row]) / scale[row]:.0f} local standard deviations, "
            f"{around.residuals.predictors[row]} predictors)"
        )
        if rule is rules.UNIT_OF_ROW:
            detail += ": m3 for cm3"
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


def _alone_findings(curves: Curves, judged: BoolArray) -> list[Finding]:
    """Return the transitions, among those without neighbours in j, far off what their two levels suggest."""
    level = np.median(curves.log_rate, axis=1)
    residual = level - _two_way(level, curves.rates)
    scale = max(robust_scale(residual), _LEAST_SCALE)
    out = (np.abs(residual) > np.log(rules.ALONE_FACTOR)) & (np.abs(residual) > rules.ALONE_SIGMAS * scale)
    findings = []
    for row in np.flatnonzero(out & ~judged):
        value = _middle_value(curves, row)
        detail = (
            f"the curve is {_times(float(residual[row]))} what its two levels have elsewhere (median over T; "
            f"{abs(residual[row]) / scale:.0f} standard deviations)"
        )
        expected = value * float(np.exp(-residual[row]))
        findings.append(
            curves.finding(rules.UNLIKE_NEIGHBOURS, row, detail, value=value, expected=expected)
        )
    return findings


def _two_way(level: FloatArray, rates: RateTable) -> FloatArray:
    """Return the sum of one number for the upper and one for the lower level that fits best, by medians."""
    fitted = np.full(len(level), np.median(level))
    for _ in range(5):
        for ends_of in (rates.upper, rates.lower):
            order = np.argsort(ends_of, kind="stable")
            for rows in np.split(order, np.flatnonzero(np.diff(ends_of[order])) + 1):
                if len(rows) >= 5:
                    fitted[rows] += np.median(level[rows] - fitted[rows])
    return fitted


def _shape_findings(curves: Curves, around: _Around, wrong: BoolArray) -> list[Finding]:
    """Return the rows whose temperature curve is moved by one temperature, or unlike its neighbours'."""
    m = curves.log_rate.shape[1]
    if m < 6:
        return []
    shape = around.residuals.shape
    floor = [max(robust_scale(column), _LEAST_SCALE) for column in shape.T]
    scale = np.hypot(around.residuals.shape_spread, floor)
    expected = curves.log_rate - shape - around.residuals.offset[:, None]
    misfit = [
        _misfit(curves.log_rate[:, 1 : m - 1] - expected[:, 1 + by : m - 1 + by], scale[:, 1 : m - 1])
        for by in (0, -1, 1)
    ]
    findings = []
    for row in np.flatnonzero(around.judged & ~wrong):
        here, down, up = (float(array[row]) for array in misfit)
        best = min(down, up)
        part = float(np.abs(shape[row]).mean())
        if here > rules.SHIFTED_ROW.threshold * max(best, 0.15):
            way = "before" if down < up else "behind"
            detail = (
                f"the values agree with the neighbours in j {here / best:.1f} times better when each is taken "
                f"for the temperature {way} it"
            )
            findings.append(curves.finding(rules.SHIFTED_ROW, row, detail, value=here, expected=best))
        elif here > rules.ODD_SHAPE.threshold and part > rules.ODD_PART:
            column = int(np.abs(shape[row] / scale[row]).argmax())
            detail = (
                f"the temperature curve differs from that of its neighbours in j by {here:.1f} local standard "
                f"deviations ({100 * part:.0f} % on average), most at {curves.rates.temperature_k[column]:g} K"
            )
            findings.append(
                curves.finding(
                    rules.ODD_SHAPE, row, detail, value=here, expected=rules.ODD_SHAPE.threshold
                )
            )
    return findings


def _misfit(difference: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the mean of |difference| in units of scale, offset removed and each capped, shape (n,)."""
    centred = difference - np.median(difference, axis=1)[:, None]
    return np.asarray(np.minimum(np.abs(centred) / scale, _CAP).mean(axis=1))


def _few_shapes(curves: Curves) -> list[Finding]:
    """Return a finding where a set has hardly more than one or two temperature curves."""
    n, m = curves.log_rate.shape
    rounding = half_digit(np.exp(curves.log_rate)).max(axis=0)
    if n < 30 or m < 4 or rounding.max() > rules.FEWEST_DIGITS:
        return []
    # the mean over T carries the rounding of all temperatures
    tolerance = 2.0 * (rounding + rounding.mean())
    shape = curves.log_rate - curves.log_rate.mean(axis=1)[:, None]
    left = np.ones(n, dtype=np.bool_)
    sizes = []
    while len(sizes) < rules.FEW_SHAPES.threshold and left.any():
        first = shape[np.flatnonzero(left)[left.sum() // 2]]
        same = left & (np.abs(shape - first) <= tolerance).all(axis=1)
        sizes.append(int(same.sum()))
        left &= ~same
    if left.sum() > 0.01 * n:
        return []
    detail = (
        f"{n - left.sum()} of {n} temperature curves are {len(sizes)} shape(s), to the digits printed (of "
        f"{', '.join(map(str, sizes))} transitions): a formula f(levels) g(T), no scattering calculation"
    )
    return [rules.FEW_SHAPES.finding(curves.system, detail, value=float(len(sizes)), expected=float(n))]
