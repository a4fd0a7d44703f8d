"""Made-up rates that no plane in the features follows, for planners; every seed is in plain sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratedb.levels import Levels
from ratedb.rates import Rates


def rough_rates(
    levels: Levels,
    collider: str = "He",
    temperature_k: Sequence[float] = (10.0, 100.0),
    *,
    seed: int = 0,
    scatter: float = 0.02,
) -> Rates:
    """Return rates of all downward pairs: waves in j and |dj| of some 0.3 dex, and a scatter in dex.

    `seed` sets the phases of the waves and the scatter.
    """
    v, j = levels.need_vj()
    upper, lower = np.nonzero(levels.energy_cm1[:, None] > levels.energy_cm1[None, :])
    random = np.random.default_rng(seed)
    phase = random.uniform(0.0, 2.0 * np.pi, 2)
    dj = np.abs(j[upper] - j[lower])
    log10_k = -10.5 - 0.15 * dj - 0.2 * (dj % 2) - 1.0 * (v[upper] - v[lower])
    log10_k += 0.3 * np.sin(0.7 * j[upper] + phase[0]) + 0.3 * np.sin(0.9 * dj + phase[1])
    curves = log10_k[:, None] + 0.3 * np.log10(np.array(temperature_k) / 100.0)
    curves = curves + random.normal(0.0, scatter, curves.shape)
    return Rates(levels, collider, upper, lower, np.array(temperature_k), 10.0**curves)
