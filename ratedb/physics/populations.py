"""How much of a molecule's thermal population its listed levels hold."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import LINEAR, Levels
from ratedb.physics.constants import HC_OVER_KB_CM_K

H2_CM1 = (59.322, 0.0471)
"""B and D of H2 in its vibrational ground state (Huber & Herzberg 1979), where a list has one level."""
_HIGHEST_J = 60


def share_listed(levels: Levels, name: str, temperature_k: FloatArray) -> tuple[FloatArray, str]:
    """Return the share of the population that the levels hold at each T (m,), and of what it is a share.

    The levels of a linear molecule in v = 0 continue as B j(j+1) - D j^2 (j+1)^2, in the steps of j that are
    listed. Of other molecules only the listed levels are known, and the share is 1.
    """
    kelvin = np.asarray(temperature_k, dtype=np.float64)
    v, j = (levels.quantum_numbers.get(one) for one in ("v", "j"))
    hydrogen = name.split("(")[0].rpartition("-")[2] == "H2"
    usable = levels.kind == LINEAR and j is not None and (v is None or not np.nansum(v))
    if not usable or j is None or (len(levels) < 2 and not hydrogen):
        return np.ones(len(kelvin)), "of the listed levels"
    order = np.argsort(j)
    steps = np.diff(j[order])
    step = int(steps.min()) if len(steps) else 2
    lowest = float(j[order[0]])
    every = np.arange(lowest, max(_HIGHEST_J, float(j.max())) + 1, step)
    energy = _energies(every, j, levels.energy_cm1, hydrogen)
    weight = (2.0 * every + 1.0)[:, None] * np.exp(-HC_OVER_KB_CM_K * energy[:, None] / kelvin)
    return weight[np.isin(every, j)].sum(axis=0) / weight.sum(axis=0), "of all levels of its species"


def _energies(every: FloatArray, j: FloatArray, energy_cm1: FloatArray, hydrogen: bool) -> FloatArray:
    """Return energies of all j above the lowest, cm-1: as listed, else by fitted or known constants."""
    square = j * (j + 1.0)
    low = int(np.argmin(energy_cm1))
    x = square - square[low]
    if hydrogen and len(j) < 3:
        b, d = H2_CM1
    elif len(j) < 3:
        b, d = float(energy_cm1.max() - energy_cm1.min()) / float(x.max()), 0.0
    else:
        design = np.stack([x, -(square**2 - square[low] ** 2)], axis=1)
        b, d = np.linalg.lstsq(design, energy_cm1 - energy_cm1[low], rcond=None)[0]
    beyond = every * (every + 1.0)
    found = b * (beyond - square[low]) - d * (beyond**2 - square[low] ** 2)
    # D alone would let high levels fall again.
    found = np.maximum.accumulate(found)
    listed = {float(one): float(cm1) for one, cm1 in zip(j, energy_cm1 - energy_cm1[low], strict=True)}
    return np.array([listed.get(float(one), value) for one, value in zip(every, found, strict=True)])
