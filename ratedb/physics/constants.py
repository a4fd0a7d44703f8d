"""Physical constants (CODATA 2018), each with its unit in its name."""

from __future__ import annotations

HC_OVER_KB_CM_K = 1.438776877
"""The second radiation constant hc/kB in cm K: multiplies an energy in cm-1 to give kelvin."""

GHZ_PER_CM1 = 29.9792458
"""The speed of light in GHz per cm-1: multiplies an energy difference in cm-1 to give GHz."""

BOLTZMANN_J_K = 1.380649e-23
"""The Boltzmann constant kB in J per kelvin."""

ATOMIC_MASS_KG = 1.66053906660e-27
"""The atomic mass unit u in kg."""

CM1_PER_HARTREE = 219474.63136320
"""The hartree in cm-1: multiplies an energy in atomic units to give cm-1."""
