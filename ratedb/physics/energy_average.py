"""Average one cross section over the energies of a gas: the integral, its error, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.special import roots_legendre

from ratedb.arrays import FloatArray
from ratedb.physics.constants import ATOMIC_MASS_KG, BOLTZMANN_J_K, HC_OVER_KB_CM_K

_SQUARE_ANGSTROM_CM2 = 1e-16
_NODES, _WEIGHTS = (np.asarray(array, dtype=np.float64) for array in roots_legendre(8))
_WIDEST = 3.0
_BELOW_FIRST = 0.5
"""The relative error of the part of an integral below the first energy."""


@dataclass(frozen=True, eq=False)
class Curve:
    """E sigma (cm-1 Angstrom^2) at increasing kinetic energies (cm-1), both of shape (k,)."""

    energy_cm1: FloatArray
    strength: FloatArray

    def __len__(self) -> int:
        return len(self.energy_cm1)

    def halves(self) -> list[Curve]:
        """Return the curve without every second energy, in both ways; the last energy stays."""
        places = [np.unique(np.append(np.arange(start, len(self), 2), len(self) - 1)) for start in (0, 1)]
        return [Curve(self.energy_cm1[keep], self.strength[keep]) for keep in places]


class EnergyAverage:
    """Averages over energies at fixed temperatures (K) of shape (m,), for one reduced mass (u)."""

    def __init__(self, reduced_mass_u: float, temperature_k: FloatArray) -> None:
        self.temperature_k = temperature_k
        self.kt_cm1 = temperature_k / HC_OVER_KB_CM_K
        speed_cm_s = 100 * np.sqrt(
            8 * BOLTZMANN_J_K * temperature_k / (np.pi * reduced_mass_u * ATOMIC_MASS_KG)
        )
        self.factor = speed_cm_s * _SQUARE_ANGSTROM_CM2 / self.kt_cm1**2

    def rate(self, curve: Curve) -> FloatArray:
        """Return the rates (cm3 s-1) up to the last energy of a curve, shape (m,)."""
        return np.asarray(self.factor * _integral(curve, self.kt_cm1))

    def converged(self, curve: Curve) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return rates, tail fractions and grid errors, each of shape (m,)."""
        rate = self.rate(curve)
        last, kt = curve.energy_cm1[-1], self.kt_cm1
        tail = self.factor * curve.strength[-1] * kt * (1 + kt / last) * np.exp(-last / kt)
        change = np.max([np.abs(self.rate(half) - rate) for half in curve.halves()], axis=0)
        change = np.maximum(change, _BELOW_FIRST * self.factor * _below_first(curve, kt))
        return rate, share(tail, rate + tail), share(change, rate)


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole: 0 where both are zero, inf where only the whole is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(part == 0, 0.0, part / whole))


def _integral(curve: Curve, kt_cm1: FloatArray) -> FloatArray:
    """Return the integral of E sigma exp(-E / kT) dE from 0 to the last energy, for kT of shape (m,)."""
    root = np.sqrt(curve.energy_cm1)
    energy, weight = _nodes(root, float(kt_cm1.min()))
    value = CubicHermiteSpline(root, curve.strength, _slopes(root, curve.strength))(np.sqrt(energy))
    return _below_first(curve, kt_cm1) + _summed(energy, weight * value, kt_cm1)


def _below_first(curve: Curve, kt_cm1: FloatArray) -> FloatArray:
    """Return the part of the integral below the first energy, for kT of shape (m,)."""
    first = curve.energy_cm1[0]
    energy, weight = _nodes(np.sqrt([0.0, first]), float(kt_cm1.min()))
    return _summed(energy, weight * curve.strength[0] * np.sqrt(energy / first), kt_cm1)


def _summed(energy_cm1: FloatArray, weight: FloatArray, kt_cm1: FloatArray) -> FloatArray:
    with np.errstate(under="ignore"):
        return np.asarray(np.exp(-energy_cm1[None, :] / kt_cm1[:, None]) @ weight)


def _nodes(root: FloatArray, coldest_cm1: float) -> tuple[FloatArray, FloatArray]:
    """Return energies and weights of Gauss-Legendre quadrature in sqrt(E) on each piece of a grid.

    Wide pieces are divided so that the Boltzmann factor changes by at most exp(-_WIDEST) within one.
    """
    width = np.diff(root**2) / (_WIDEST * coldest_cm1)
    parts = np.clip(np.ceil(width), 1, 200).astype(np.int64)
    start = np.repeat(root[:-1], parts)
    step = np.repeat(np.diff(root) / parts, parts)
    place = np.arange(len(start)) - np.repeat(np.cumsum(parts) - parts, parts)
    middle = start + (place + 0.5) * step
    node = middle[:, None] + 0.5 * step[:, None] * _NODES
    weight = 0.5 * step[:, None] * _WEIGHTS * 2 * node  # dE = 2 sqrt(E) d sqrt(E)
    return (node**2).reshape(-1), weight.reshape(-1)


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return slopes at the points: of the parabola through three neighbours, limited to keep monotony.

    The limit is that of Fritsch and Carlson (1980): at most three times the flatter neighbouring chord, and
    zero at an extremum of the data.
    """
    chord, h = np.diff(y) / np.diff(x), np.diff(x)
    if len(chord) == 1:
        return np.array([chord[0], chord[0]])
    inner = (chord[:-1] * h[1:] + chord[1:] * h[:-1]) / (h[:-1] + h[1:])
    first = chord[0] + (chord[0] - chord[1]) * h[0] / (h[0] + h[1])
    last = chord[-1] + (chord[-1] - chord[-2]) * h[-1] / (h[-1] + h[-2])
    slope = np.concatenate([[first], inner, [last]])
    before, after = np.append(chord[0], chord), np.append(chord, chord[-1])
    flatter = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    sign = np.sign(after)
    return np.asarray(sign * np.clip(sign * slope, 0.0, 3.0 * flatter))
