"""Strengths of the tensors that cause rotational transitions, in the infinite-order sudden (IOS) limit.

    k(j -> j') = (2j'+1) sum over L > 0 of (j L j'; 0 0 0)^2 Q_L

(Goldflam, Green & Kouri 1977, J. Chem. Phys. 67, 4149), where Q_L is the rate k(0 -> L).
"""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.wigner import squared_3j_000

_SMOOTH = 1.0
"""Weight of the second differences of ln Q_L, in steps of L of one parity, next to residuals of ln k."""
_OUTLYING = 0.1
"""Residuals of ln k above this count by their size, not their square."""


def ios_weights(j: IntArray, j_final: IntArray, highest: int) -> FloatArray:
    """Return (2j'+1) (j L j'; 0 0 0)^2 for L = 1..highest, shape (n, highest)."""
    order = np.arange(1, highest + 1)
    return (2.0 * j_final[:, None] + 1.0) * squared_3j_000(j[:, None], order, j_final[:, None])


def fundamental_strengths(
    j: IntArray, j_final: IntArray, rate: FloatArray, highest: int, excitation: FloatArray | float = 1.0
) -> FloatArray:
    """Return Q_L = (2L+1) k(L -> 0) times a factor, shape (highest, m), zero where k(L -> 0) is unknown.

    The de-excitation rates are Faure & Lique's (2012, MNRAS 425, 740) choice; with `excitation`, shape
    (highest, m), of exp(-E_L / kB T) they are the k(0 -> L) of Neufeld & Green (1994, ApJ 432, 158).
    """
    result = np.zeros((highest, rate.shape[1]))
    for row in np.flatnonzero((j_final == 0) & (j > 0) & (j <= highest)):
        result[j[row] - 1] = (2.0 * j[row] + 1.0) * np.nan_to_num(rate[row])
    return result * excitation


def excitation_factors(energy_cm1: FloatArray, temperature_k: FloatArray) -> FloatArray:
    """Return exp(-E / kB T) of energies (k,) in cm-1, shape (k, m)."""
    factors: FloatArray = np.exp(-HC_OVER_KB_CM_K * energy_cm1[:, None] / temperature_k)
    return factors


def fitted_strengths(j: IntArray, j_final: IntArray, rate: FloatArray) -> FloatArray:
    """Return the Q_L, L = 1..2 j_max, shape (2 j_max, m), that fit all rates (n, m) best at each temperature.

    Least squares of ln k, robust against outlying rates; ln Q_L is smooth in L for each parity, which also
    continues it beyond the L that rates determine. NaN at temperatures with less than two positive rates.
    """
    highest = 2 * int(max(j.max(), j_final.max()))
    weights = ios_weights(j, j_final, highest)
    result = np.full((highest, rate.shape[1]), np.nan)
    for column in range(rate.shape[1]):
        known = np.isfinite(rate[:, column]) & (rate[:, column] > 0)
        if known.sum() > 1:
            start = _start(np.abs(j - j_final)[known], weights[known], rate[known, column])
            result[:, column] = _fit(weights[known], np.log(rate[known, column]), start)
    return result


def _start(jump: IntArray, weights: FloatArray, rate: FloatArray) -> FloatArray:
    """Return a first ln Q_L, shape (highest,): from the rates of dj = L, straight between and beyond."""
    highest = weights.shape[1]
    alone = np.log(rate / weights[np.arange(len(rate)), jump - 1])
    order = np.unique(jump)
    found = np.array([np.median(alone[jump == one]) for one in order])
    slope = np.polyfit(order, found, 1)[0] if len(order) > 1 else 0.0
    every = np.arange(1, highest + 1)
    between = np.interp(every, order, found)
    start: FloatArray = between + min(slope, 0.0) * np.maximum(every - order[-1], 0)
    return start


def _fit(weights: FloatArray, log_k: FloatArray, start: FloatArray) -> FloatArray:
    from scipy.optimize import least_squares  # here, as its import takes long

    count = len(start)
    bend = np.zeros((max(count - 4, 0), count))
    rows = np.arange(len(bend))
    bend[rows, rows], bend[rows, rows + 2], bend[rows, rows + 4] = _SMOOTH, -2.0 * _SMOOTH, _SMOOTH

    def residual(log_q: FloatArray) -> FloatArray:
        return np.concatenate([np.log(weights @ np.exp(log_q)) - log_k, bend @ log_q])

    def slope(log_q: FloatArray) -> FloatArray:
        terms = weights * np.exp(log_q)
        return np.concatenate([terms / terms.sum(axis=1, keepdims=True), bend])

    found = least_squares(residual, start, jac=slope, loss="soft_l1", f_scale=_OUTLYING)
    return np.asarray(np.exp(found.x))
