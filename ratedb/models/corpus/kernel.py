"""The covariance between transitions of the residuals of the law, in numbers learnt from many molecules.

The covariance is a sum of five parts: `line` (transitions of one |dj|), `smooth` (in ln j, ln j', ln |dj|),
`rough` (within a few j), `odd` (all transitions out of one j, which can be unlike its neighbours) and
`noise`. The last three may grow with |dj|, and all change with temperature as a power of kT/B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.physics.constants import HC_OVER_KB_CM_K

PARTS = ("line", "smooth", "rough", "odd", "noise")
_USUAL_DJ = 5.0
_USUAL_TEMPERATURE = 1.5  # log10 of kT/B
_TEMPERATURES = (0.3, 3.5)  # beyond these no corpus has data


@dataclass(frozen=True)
class KernelShape:
    """The kernel's numbers that all molecules share.

    Length scales (`..._length`) are in ln(|dj| + 1), ln(j + 1) or ln(j' + 1), those of `rough` and `odd` in j
    and j'; `..._parity` is the correlation between even and odd dj; `..._power` says how a part grows with
    |dj|; `slopes` are powers of kT/B of the variance of each part.
    """

    line_dj_length: float
    line_parity: float
    smooth_j_length: float
    smooth_dj_length: float
    smooth_final_length: float
    smooth_parity: float
    rough_j_length: float
    rough_final_length: float
    rough_parity: float
    rough_power: float
    odd_final_length: float
    odd_power: float
    noise_power: float
    slopes: tuple[float, ...]

    def parts(self, left: Transitions, right: Transitions | None = None) -> FloatArray:
        """Return the five parts between transitions, shape (5, n, m), of unit variance at |dj| = 5.

        Noise is between a transition and itself: zero between two lists.
        """
        a, b = _Numbers(left), _Numbers(left if right is None else right)
        unequal = (a.dj[:, None] - b.dj[None, :]) % 2 != 0
        by_dj = _apart(np.log1p(a.dj), np.log1p(b.dj))
        by_j, by_final = _apart(np.log1p(a.j), np.log1p(b.j)), _apart(np.log1p(a.final), np.log1p(b.final))
        same_j = a.j[:, None] == b.j[None, :]
        j_apart, final_apart = _apart(a.j, b.j), _apart(a.final, b.final)
        line = _matern32(by_dj / self.line_dj_length) * np.where(unequal, self.line_parity, 1.0)
        distance2 = (by_j / self.smooth_j_length) ** 2 + (by_dj / self.smooth_dj_length) ** 2
        distance = np.sqrt(distance2 + (by_final / self.smooth_final_length) ** 2)
        smooth = _matern52(distance) * np.where(unequal, self.smooth_parity, 1.0)
        distance = np.hypot(j_apart / self.rough_j_length, final_apart / self.rough_final_length)
        rough = np.exp(-distance) * np.where(unequal, self.rough_parity, 1.0)
        rough *= np.outer(a.grown(self.rough_power), b.grown(self.rough_power))
        odd = same_j * _matern32(final_apart / self.odd_final_length)
        odd = odd * np.outer(a.grown(self.odd_power), b.grown(self.odd_power))
        noise = np.diag(a.grown(self.noise_power) ** 2) if right is None else np.zeros_like(odd)
        return np.stack([line, smooth, rough, odd, noise])

    def variances(self, transitions: Transitions) -> FloatArray:
        """Return the variance of each part on each transition, shape (5, n)."""
        own = _Numbers(transitions)
        grown = [own.grown(power) ** 2 for power in (self.rough_power, self.odd_power, self.noise_power)]
        return np.stack([np.ones(len(own.j)), np.ones(len(own.j)), *grown])

    def amplitudes(self, log_variance: FloatArray, scaled_temperature: FloatArray) -> FloatArray:
        """Return the variance of each part at each temperature, shape (m, 5).

        `log_variance`, shape (5,), is that of a system; `scaled_temperature`, shape (m,), is log10 of kT/B.
        """
        powers = np.log(10.0) * (scaled_temperature[:, None] - _USUAL_TEMPERATURE) * np.array(self.slopes)
        return np.asarray(np.exp(log_variance + powers))


class _Numbers:
    """j, j' and |dj| of transitions, shape (n,) each."""

    def __init__(self, transitions: Transitions) -> None:
        _, j, _, final = transitions.vj().T
        self.j, self.final = j.astype(np.float64), final.astype(np.float64)
        self.dj = np.abs(self.j - self.final)

    def grown(self, power: float) -> FloatArray:
        return np.asarray((np.maximum(self.dj, 1.0) / _USUAL_DJ) ** power)


def scaled_temperature(temperature_k: FloatArray, rotational_constant_cm1: float) -> FloatArray:
    """Return log10 of kT/B, shape (m,), within the range of the corpus."""
    ratio = np.asarray(temperature_k) / (HC_OVER_KB_CM_K * rotational_constant_cm1)
    return np.asarray(np.clip(np.log10(ratio), *_TEMPERATURES))


def _apart(left: FloatArray | IntArray, right: FloatArray | IntArray) -> FloatArray:
    return np.abs(left[:, None] - right[None, :]).astype(np.float64)


def _matern32(distance: FloatArray) -> FloatArray:
    r = np.sqrt(3.0) * distance
    return np.asarray((1.0 + r) * np.exp(-r))


def _matern52(distance: FloatArray) -> FloatArray:
    r = np.sqrt(5.0) * distance
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
