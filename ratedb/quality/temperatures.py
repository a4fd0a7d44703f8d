"""Find wrong single values: they differ from adjacent temperatures and from the neighbours in j."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray, blocks
from ratedb.findings import Finding
from ratedb.quality import rules
from ratedb.quality.columns import Columns, next_to_gap
from ratedb.quality.curves import Curves, times
from ratedb.quality.surroundings import Around
from ratedb.quality.values import half_digit, last_digits

_LEFT_CAP = 1e3


@dataclass(frozen=True)
class _Slip:
    row: int
    column: int
    residual: float
    sigmas: float


def temperature_findings(
    curves: Curves, columns: Columns, around: Around | None, explained: BoolArray
) -> list[Finding]:
    """Return the findings about single temperatures; rows where `explained`, shape (n,), are left out."""
    wrong = explained.copy()
    findings: list[Finding] = []
    repeated: list[Finding] = []
    unit = last_digits(curves.rates.rate_cm3_s)
    for rows in blocks(curves.log_rate.shape):
        residual = columns.residuals(curves.log_rate[rows])
        sigmas = columns.sigmas(curves.log_rate[rows], residual)
        large = (np.abs(residual) > np.log(rules.KINK.threshold)) & (sigmas > rules.TOGETHER_SIGMAS)
        here = np.flatnonzero(large.any(axis=1) & ~explained[rows]) + rows.start
        findings += _single_values(curves, columns, here, around, wrong)
        repeated += _repeated(curves, rows, residual, sigmas, wrong, unit)
    return findings + repeated


def _single_values(
    curves: Curves, columns: Columns, rows: IntArray, around: Around | None, wrong: BoolArray
) -> list[Finding]:
    """Return the findings about single values of some rows, which are marked in `wrong`, shape (n,)."""
    findings: list[Finding] = []
    for row in rows.tolist():
        slips = _slips(curves, columns, row, around)
        grave = [slip for slip in slips if _grave(slip)]
        wrong[row] = bool(slips)
        if len(grave) >= rules.SCRAMBLED_VALUES:
            findings.append(_scrambled(curves, row, grave))
        else:
            findings += [_off_curve(curves, slip) for slip in slips]
    return findings


def _slips(curves: Curves, columns: Columns, row: int, around: Around | None) -> list[_Slip]:
    """Return the values of a row that differ from its curve, each corrected before the next is sought.

    A value next to a gap is judged only where neighbours in j confirm it. A wrong value makes its neighbours
    look wrong too, at an end even more so; the wrong one is that whose correction makes the row smoothest.
    """
    corrected = curves.log_rate[row].copy()
    slips: list[_Slip] = []
    untouched = curves.known[row].copy()
    if around is None or not around.judged[row]:
        untouched &= ~next_to_gap(curves.known[row][None])[0]
    for _ in range(len(corrected) // 2):
        residual = columns.residuals(corrected[None])[0]
        sigmas = columns.sigmas(corrected[None], residual[None])[0]
        out = (np.abs(residual) > np.log(rules.KINK.threshold)) & (sigmas > rules.TOGETHER_SIGMAS)
        found = [
            slip
            for column in np.flatnonzero(out & untouched)
            if _confirmed(
                slip := _Slip(row, int(column), float(residual[column]), float(sigmas[column])), around
            )
        ]
        if not found:
            break
        trials = np.tile(corrected, (len(found), 1))
        for number, slip in enumerate(found):
            trials[number, slip.column] -= slip.residual
        left = columns.sigmas(trials, columns.residuals(trials))
        best = int(np.minimum(left, _LEFT_CAP).sum(axis=1).argmin())
        corrected = trials[best]
        untouched[found[best].column] = False
        slips.append(found[best])
    return slips


def _confirmed(slip: _Slip, around: Around | None) -> bool:
    """Return whether a value is certainly wrong; neighbours in j, if any, must confirm it."""
    if around is None or not around.judged[slip.row]:
        return slip.sigmas > rules.KINK_SIGMAS
    shape = around.residuals.shape[slip.row, slip.column]
    return bool(abs(shape) > rules.CONFIRMED * abs(slip.residual) and shape * slip.residual > 0)


def _grave(slip: _Slip) -> bool:
    return abs(slip.residual) > np.log(rules.OFF_CURVE.threshold) and slip.sigmas > rules.ERROR_SIGMAS


def _off_curve(curves: Curves, slip: _Slip) -> Finding:
    rule = rules.OFF_CURVE if _grave(slip) else rules.KINK
    here = curves.value(slip.row, slip.column)
    expected = here["value"] * float(np.exp(-slip.residual))
    detail = (
        f"{here['value']:.4g} cm3 s-1 at {here['temperature_k']:g} K is {times(slip.residual)} the "
        f"{expected:.4g} that adjacent temperatures suggest ({slip.sigmas:.0f} standard deviations)"
    )
    return curves.finding(rule, slip.row, detail, **here, expected=expected)


def _scrambled(curves: Curves, row: int, slips: list[_Slip]) -> Finding:
    kelvin = sorted(float(curves.rates.temperature_k[slip.column]) for slip in slips)
    worst = max(slips, key=lambda slip: abs(slip.residual))
    here = curves.value(row, worst.column)
    detail = (
        f"the values at {', '.join(f'{t:g}' for t in kelvin)} K differ from the curve of the others, at "
        f"{here['temperature_k']:g} K by {times(worst.residual)}: columns look mixed"
    )
    expected = here["value"] * float(np.exp(-worst.residual))
    return curves.finding(rules.SCRAMBLED, row, detail, value=here["value"], expected=expected)


def _repeated(
    curves: Curves,
    rows: slice,
    residual: FloatArray,
    sigmas: FloatArray,
    wrong: BoolArray,
    unit: FloatArray,
) -> list[Finding]:
    """Return the values of some rows that equal an adjacent one where the set predicts a difference.

    `residual` and `sigmas` are of these rows, `wrong` of all; `unit` is the last digit of each column.
    """
    rate, known = curves.rates.rate_cm3_s[rows], curves.known[rows]
    same = (np.diff(rate, axis=1) == 0) & known[:, 1:] & known[:, :-1]
    repeats = np.zeros(rate.shape, dtype=np.bool_)
    repeats[:, 1:] |= same
    repeats[:, :-1] |= same
    # rounding alone repeats values that differ within their last digit
    coarse = rules.ROUNDING_UNITS * 2.0 * half_digit(rate, unit)
    out = repeats & (sigmas > rules.REPEATED.threshold) & (np.abs(residual) > coarse) & ~wrong[rows, None]
    findings = []
    for row in np.flatnonzero(out.any(axis=1)):
        column = int(np.argmax(np.where(out[row], sigmas[row], 0.0)))
        here = curves.value(row + rows.start, column)
        expected = here["value"] * float(np.exp(-residual[row, column]))
        detail = (
            f"{here['value']:.4g} cm3 s-1 at {here['temperature_k']:g} K repeats at an adjacent temperature, "
            f"where {expected:.4g} is expected ({sigmas[row, column]:.0f} standard deviations)"
        )
        findings.append(curves.finding(rules.REPEATED, row + rows.start, detail, **here, expected=expected))
    return findings
