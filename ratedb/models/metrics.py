"""Errors of predicted rate coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError
from ratedb.layers import RATIO_95_68
from ratedb.results import Result


@dataclass(frozen=True)
class Metrics(Result):
    """Errors over held-out transitions and temperatures; r = max(k_pred/k, k/k_pred).

    `log10_percent_error` is the paper's: mean of |dlog10 k| / |log10 k| in percent. `wmef` is
    sum(k r) / sum(k). The counts are of transitions by their mean percent error. Coverage is the share
    of truths inside the predicted interval (95 %: 2.66 times the 68 %); None without one.
    """

    log10_percent_error: float
    dex_rms: float
    factor_median: float
    factor_p95: float
    factor_max: float
    wmef: float
    transitions_over_10_percent: int
    transitions_below_5_percent: int
    coverage_68: float | None
    coverage_95: float | None
    transitions: int
    values: int


def metrics(
    truth_cm3_s: FloatArray, log10_mean: FloatArray, log10_half_width_68: FloatArray | None = None
) -> Metrics:
    """Compare predictions with true rate coefficients, all of shape (n, m).

    A truth that is missing (NaN) or zero has no logarithm and is left out. Raises RatedbError where
    nothing is left or a prediction is not finite.
    """
    usable = np.isfinite(truth_cm3_s) & (truth_cm3_s > 0)
    rows = usable.any(axis=1)
    if not rows.any():
        raise RatedbError(
            "no rates to compare with",
            expected="positive rate coefficients that were held out",
            got=f"{truth_cm3_s.shape[0]} transitions, none with a positive value",
        )
    if not np.isfinite(log10_mean[usable]).all():
        raise RatedbError("a prediction is not a finite number", got="nan or inf")
    truth = np.log10(np.where(usable, truth_cm3_s, 1.0))
    error = np.where(usable, np.abs(log10_mean - truth), np.nan)
    percent = 100.0 * error / np.where(np.abs(truth) > 0, np.abs(truth), 1.0)
    by_transition = np.nanmean(percent[rows], axis=1)
    factor = 10.0 ** error[usable]
    k = truth_cm3_s[usable]
    return Metrics(
        log10_percent_error=float(np.nanmean(percent)),
        dex_rms=float(np.sqrt(np.nanmean(error**2))),
        factor_median=float(np.median(factor)),
        factor_p95=float(np.quantile(factor, 0.95)),
        factor_max=float(factor.max()),
        wmef=float((k * factor).sum() / k.sum()),
        transitions_over_10_percent=int((by_transition > 10.0).sum()),
        transitions_below_5_percent=int((by_transition < 5.0).sum()),
        coverage_68=_coverage(error, log10_half_width_68, usable, 1.0),
        coverage_95=_coverage(error, log10_half_width_68, usable, RATIO_95_68),
        transitions=int(rows.sum()),
        values=int(usable.sum()),
    )


def _coverage(
    error: FloatArray, log10_half_width_68: FloatArray | None, usable: BoolArray, z: float
) -> float | None:
    if log10_half_width_68 is None:
        return None
    return float((error[usable] <= z * log10_half_width_68[usable]).mean())
