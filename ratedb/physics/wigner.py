"""Wigner 3j symbols with zero projections."""

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

    def log_factorial(n: IntArray) -> FloatArray:
        return np.asarray(gammaln(np.maximum(n, 0) + 1.0))

    logarithm = (
        log_factorial(total - 2 * a)
        + log_factorial(total - 2 * b)
        + log_factorial(total - 2 * c)
        - log_factorial(total + 1)
        + 2.0
        * (log_factorial(half) - log_factorial(half - a) - log_factorial(half - b) - log_factorial(half - c))
    )
    return np.where(allowed, np.exp(np.where(allowed, logarithm, 0.0)), 0.0)
