"""From one temperature grid to another: a linear operator on curves of log10 k."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError

_SPLINE_NEEDS = 4


def interpolation(grid_k: FloatArray, wanted_k: FloatArray) -> FloatArray:
    """Return the operator, shape (p, m), from values at the m grid temperatures to the p wanted ones.

    A cubic spline of log10 k in ln T (a straight line below four temperatures). A wanted temperature that
    is on the grid keeps its value. Raises RatedbError for one outside the grid.
    """
    outside = (wanted_k < grid_k[0] * (1 - 1e-9)) | (wanted_k > grid_k[-1] * (1 + 1e-9))
    if outside.any():
        raise RatedbError(
            "a temperature lies outside the model's",
            expected=f"{grid_k[0]:g} to {grid_k[-1]:g} K",
            got=", ".join(f"{t:g}" for t in wanted_k[outside]),
            todo="a model does not extrapolate in temperature: train on rates that reach it",
        )
    x, wanted = np.log(grid_k), np.log(np.clip(wanted_k, grid_k[0], grid_k[-1]))
    unit = np.eye(len(grid_k))
    if len(grid_k) >= _SPLINE_NEEDS:
        result = np.asarray(CubicSpline(x, unit)(wanted))
    else:
        result = np.stack([np.interp(wanted, x, column) for column in unit], axis=1)
    for row, temperature in enumerate(wanted_k):
        same = np.flatnonzero(np.isclose(grid_k, temperature, rtol=1e-9, atol=0.0))
        if len(same):
            result[row] = unit[same[0]]
    return np.asarray(result, dtype=np.float64)
