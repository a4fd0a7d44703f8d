"""Detailed balance between the two directions of a collisional transition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray
from ratedb.physics.constants import HC_OVER_KB_CM_K


def reverse_rate(
    rate_cm3_s: npt.ArrayLike,
    weight_initial: npt.ArrayLike,
    weight_final: npt.ArrayLike,
    energy_initial_cm1: npt.ArrayLike,
    energy_final_cm1: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
) -> FloatArray:
    """Return the rate coefficient of the opposite direction, by detailed balance.

    `rate_cm3_s` is the rate of initial -> final; the result is the rate of final -> initial,

        k(f -> i) = k(i -> f) (g_i / g_f) exp(-(E_i - E_f) / kB T),

    in the same unit. Energies are in cm-1, temperatures in K. All arguments broadcast together: for rates of
    shape (n, m) give weights and energies as (n, 1) and temperatures as (m,). A result too large for a float
    is inf, an undefined one (0 times inf) is NaN; no error is raised.
    """
    ratio = np.divide(weight_initial, weight_final, dtype=np.float64)
    gap_cm1 = np.subtract(energy_initial_cm1, energy_final_cm1, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        boltzmann = np.exp(-HC_OVER_KB_CM_K * gap_cm1 / np.asarray(temperature_k, dtype=np.float64))
        return np.asarray(np.multiply(rate_cm3_s, ratio, dtype=np.float64) * boltzmann)
