"""Wigner 3j symbols with zero projections, and 6j symbols."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from ratedb.arrays import FloatArray, IntArray


def squared_3j_000(a: IntArray, b: IntArray, c: IntArray) -> FloatArray:
    """Return (a b c; 0 0 0)^2 for arrays of angular momenta that broadcast together.

    Zero where a + b + c is odd or the triangle rule fails (Edmonds 1957, eq. 3.7.17, by logarithms of
    factorials).
    """
    total = a + b + c
    allowed = (total % 2 == 0) & (b >= np.abs(a - c)) & (b <= a + c)
    half = total // 2

    logarithm = (
        _log_factorial(total - 2 * a)
        + _log_factorial(total - 2 * b)
        + _log_factorial(total - 2 * c)
        - _log_factorial(total + 1)
        + 2.0
        * (
            _log_factorial(half)
            - _log_factorial(half - a)
            - _log_factorial(half - b)
            - _log_factorial(half - c)
        )
    )
    return np.where(allowed, np.exp(np.where(allowed, logarithm, 0.0)), 0.0)


def squared_6j(a: IntArray, b: IntArray, c: IntArray, d: IntArray, e: IntArray, f: IntArray) -> FloatArray:
    """Return {a b c; d e f}^2 for arrays of **twice** the angular momenta, which broadcast together.

    Zero where a triangle rule fails (Racah's sum, Edmonds 1957, eq. 6.3.7, by logarithms of factorials).
    """
    a, b, c, d, e, f = np.broadcast_arrays(a, b, c, d, e, f)
    triads = [(a, b, c), (a, e, f), (d, b, f), (d, e, c)]
    allowed = np.ones(a.shape, dtype=np.bool_)
    delta = np.zeros(a.shape)
    for x, y, z in triads:
        allowed &= ((x + y + z) % 2 == 0) & (z >= np.abs(x - y)) & (z <= x + y)
        delta += _log_triangle(x, y, z)
    low = np.max(np.stack([(x + y + z) // 2 for x, y, z in triads]), axis=0)
    tops = [(a + b + d + e) // 2, (b + c + e + f) // 2, (c + a + f + d) // 2]
    high = np.min(np.stack(tops), axis=0)
    result = np.zeros(a.shape)
    steps = int(np.max(np.where(allowed, high - low, -1), initial=-1))
    for step in range(steps + 1):
        t = low + step
        logarithm = _log_factorial(t + 1) + delta / 2.0
        for x, y, z in triads:
            logarithm = logarithm - _log_factorial(t - (x + y + z) // 2)
        for top in tops:
            logarithm = logarithm - _log_factorial(top - t)
        inside = allowed & (t <= high)
        result += np.where(
            inside, np.where(t % 2 == 0, 1.0, -1.0) * np.exp(np.where(inside, logarithm, 0.0)), 0.0
        )
    return result**2


def _log_triangle(x: IntArray, y: IntArray, z: IntArray) -> FloatArray:
    """Return the logarithm of the triangle coefficient of three doubled angular momenta."""
    return (
        _log_factorial((x + y - z) // 2)
        + _log_factorial((x - y + z) // 2)
        + _log_factorial((y + z - x) // 2)
        - _log_factorial((x + y + z) // 2 + 1)
    )


def _log_factorial(n: IntArray) -> FloatArray:
    return np.asarray(gammaln(np.maximum(n, 0) + 1.0))
