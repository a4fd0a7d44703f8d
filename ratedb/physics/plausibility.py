"""Which rate coefficients a collision can have, and which numbers are placeholders for missing ones."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray

PLACEHOLDER_CM3_S = 1e-40
"""A rate below this is not the result of a calculation but a placeholder such as 1e-60."""

IMPLAUSIBLE_CM3_S = 1e-7
"""A rate above this is a hundred times what neutral colliders reach: another unit, or a wrong digit."""

IMPOSSIBLE_CM3_S = 1e-3
"""No collider reaches this: electrons stay below 1e-5, so the number is cut or has a wrong digit."""

REPEATS = 3
"""This many equal tiny values are placeholders: two may be equal by rounding."""


def repeated_tiny(rate_cm3_s: FloatArray) -> BoolArray:
    """Return which values, shape (n, m), are below 1e-40 cm3 s-1 and occur three times or more."""
    tiny = (rate_cm3_s > 0) & (rate_cm3_s < PLACEHOLDER_CM3_S)
    values, counts = np.unique(rate_cm3_s[tiny], return_counts=True)
    return np.asarray(tiny & np.isin(rate_cm3_s, values[counts >= REPEATS]))
