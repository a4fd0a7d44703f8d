"""Fit the sudden law and the variances of what it leaves over to curves, given a corpus' prior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ratedb.arrays import FloatArray
from ratedb.models.corpus.law import NUMBERS, SuddenLaw
from ratedb.models.corpus.table import Prior

_STEPS = 10
_SHRINK = 0.4
_CONVERGED = 1e-3
_JITTER = 1e-12
# The temperatures of one curve tell about as much of the variances as so many independent ones.
_INDEPENDENT_TEMPERATURES = 2.5
_VARIANCE_STEPS = 20
_VARIANCE_RANGE = 8.0


@dataclass(frozen=True, eq=False)
class LawFit:
    """Law numbers (m, 10) with covariance (m, 10, 10), what they leave over (n, m), and slopes (m, n, 10).

    `factors` are the Cholesky factors of the m covariances of transitions.
    """

    numbers: FloatArray
    covariance: FloatArray
    residual: FloatArray
    slopes: FloatArray
    factors: tuple[Any, ...]


def covariances(parts: FloatArray, amplitudes: FloatArray) -> FloatArray:
    """Return the covariance of transitions at each temperature, shape (m, n, n)."""
    m, (_, n, k) = len(amplitudes), parts.shape
    return (amplitudes @ parts.reshape(len(parts), -1)).reshape(m, n, k)


def fit_law(
    law: SuddenLaw, log10_k: FloatArray, prior: Prior, covariance: FloatArray, start: FloatArray | None = None
) -> LawFit:
    """Return the most probable law numbers for log10 k, shape (n, m), at every temperature.

    Gauss-Newton steps, shortened where they do not improve; `covariance` (m, n, n) is that of what the law
    leaves over.
    """
    n, m = log10_k.shape
    precision = np.linalg.inv(prior.covariance)
    numbers = np.array(prior.numbers if start is None else start)
    spread, left, slopes = np.empty((m, NUMBERS, NUMBERS)), np.empty((n, m)), np.empty((m, n, NUMBERS))
    factors: list[Any] = [None] * m
    for k in range(m):
        factor = cho_factor(covariance[k] + _JITTER * np.eye(n), lower=True, check_finite=False)
        expected, truth = prior.numbers[k], log10_k[:, k]

        def misfit(
            at: FloatArray, factor: Any = factor, expected: FloatArray = expected, truth: FloatArray = truth
        ) -> float:
            rest, off = truth - law.value(at), at - expected
            return float(rest @ cho_solve(factor, rest, check_finite=False) + off @ precision @ off)

        numbers[k] = _descend(law, misfit, numbers[k], expected, truth, factor, precision)
        value, slopes[k] = law.value_and_slopes(numbers[k])
        solved = cho_solve(factor, slopes[k], check_finite=False)
        spread[k] = np.linalg.inv(slopes[k].T @ solved + precision)
        left[:, k], factors[k] = truth - value, factor
    return LawFit(numbers, spread, left, slopes, tuple(factors))


def _descend(
    law: SuddenLaw,
    misfit: Callable[[FloatArray], float],
    at: FloatArray,
    expected: FloatArray,
    truth: FloatArray,
    factor: Any,
    precision: FloatArray,
) -> FloatArray:
    here = misfit(at)
    for _ in range(_STEPS):
        value, slopes = law.value_and_slopes(at)
        solved = cho_solve(factor, slopes, check_finite=False)
        gradient = solved.T @ (truth - value) - precision @ (at - expected)
        step = np.linalg.solve(slopes.T @ solved + precision, gradient)
        length, before = 1.0, here
        while length > 0.01 and misfit(at + length * step) > before:
            length *= _SHRINK
        if length <= 0.01:
            break
        at = at + length * step
        here = misfit(at)
        if before - here < _CONVERGED:
            break
    return at


def fit_log_variances(
    law: SuddenLaw,
    log10_k: FloatArray,
    prior: Prior,
    parts: FloatArray,
    amplitude: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, LawFit]:
    """Return the most probable log variances of the kernel's parts, shape (5,), and the law fitted with them.

    `parts` (5, n, n) are those of the kernel, `amplitude` returns their variances (m, 5) for log variances.
    The law numbers are integrated out, linearised at their most probable values.
    """
    log_variance, found = prior.log_variance, None
    n, m = log10_k.shape
    share = _INDEPENDENT_TEMPERATURES / m
    for _ in range(2):
        covariance = covariances(parts, amplitude(log_variance))
        found = fit_law(law, log10_k, prior, covariance, None if found is None else found.numbers)
        of_law = np.einsum("kia,ab,kjb->kij", found.slopes, prior.covariance, found.slopes)
        off = found.residual + np.einsum("kia,ka->ik", found.slopes, found.numbers - prior.numbers)

        def loss(
            at: FloatArray, of_law: FloatArray = of_law, off: FloatArray = off
        ) -> tuple[float, FloatArray]:
            amplitudes = amplitude(at)
            total, slope = 0.0, np.zeros(len(at))
            for k, each in enumerate(covariances(parts, amplitudes)):
                value, by_matrix = _half_deviance(each + of_law[k] + _JITTER * np.eye(n), off[:, k])
                total += value
                slope += (parts.reshape(len(parts), -1) @ by_matrix.ravel()) * amplitudes[k]
            far = (at - prior.log_variance) / prior.log_variance_spread
            return share * total + 0.5 * float(far @ far), share * slope + far / prior.log_variance_spread

        bounds = [(one - _VARIANCE_RANGE, one + _VARIANCE_RANGE) for one in prior.log_variance]
        log_variance = minimize(
            loss,
            log_variance,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _VARIANCE_STEPS},
        ).x
    covariance = covariances(parts, amplitude(log_variance))
    return log_variance, fit_law(law, log10_k, prior, covariance, found.numbers if found else None)


def _half_deviance(covariance: FloatArray, off: FloatArray) -> tuple[float, FloatArray]:
    """Return minus the log density of a normal vector, up to a constant, and its slope by the covariance."""
    factor = np.linalg.cholesky(covariance)
    inverse = np.linalg.inv(covariance)
    weights = inverse @ off
    value = float(np.log(np.diag(factor)).sum() + 0.5 * off @ weights)
    return value, 0.5 * (inverse - np.outer(weights, weights))
