"""The infinite-order sudden law of a top: few numbers for k(00 -> LM), a factor of the gap, and a floor.

k = [sum_LM S_LM q_LM + (2j'+1) f] 10^(-d sqrt(dE)), log10 q_LM linear in L - 1, log10 L, |M|, M^2, and whether
L is odd and whether a sine term causes it (Green 1976, J. Chem. Phys. 64, 3463, for the sum). The symmetric top
and the linear molecule are its limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.models.tops.structure import HIGHEST_ORDER, Jumps

_SIZE = HIGHEST_ORDER + 1
_ORDER, _PROJECTION = np.meshgrid(np.arange(_SIZE), np.arange(_SIZE), indexing="ij")
_TERMS = np.stack(
    [
        np.ones((_SIZE, _SIZE)),
        _ORDER - 1.0,
        np.log10(np.maximum(_ORDER, 1.0)),
        _PROJECTION == 1,
        _PROJECTION >= 2,
        np.maximum(_PROJECTION - 2, 0),
        _ORDER % 2 == 1,
    ],
    axis=2,
).astype(np.float64)
_STEPS_APART = np.abs(np.arange(_SIZE)[:, None] - np.arange(_SIZE)[None, :])
# Which interference number a pair of M of one L has: even M of even L, even M of odd L, odd M.
_KIND = np.where(_PROJECTION % 2 == 1, 2, _ORDER % 2)

# Expected numbers relative to the level of q, and how far they may lie off: log10 q by L - 1, log10 L, |M|,
# M^2, odd L, sine terms; then the floor's level below q, d in dex cm^1/2, and the interferences.
_EXPECTED = np.array([0.0, -0.15, -0.2, -0.2, -0.2, -0.4, 0.1, -0.3, -4.0, 0.01, -0.2, -0.5, -0.2])
_SPREAD = np.array([3.0, 0.12, 0.6, 0.4, 0.4, 0.3, 0.2, 0.5, 1.0, 0.02, 0.6, 0.5, 0.5])
_ERROR_DEX = 0.25
_INDEPENDENT = 0.2  # rows of a unit hang together: so many count
_STEPS = 12


class SuddenLaw:
    """The law on given jumps, whose target has wavefunctions."""

    def __init__(self, jumps: Jumps) -> None:
        found = jumps.amplitudes
        assert found is not None  # noqa: S101
        self._amplitude = found[0].copy()
        self._amplitude[:, 0, :] = 0.0
        self._sine = 1.0 - found[1]
        self._weight = 2.0 * jumps.structure.target.numbers["j"][jumps.final] + 1.0
        self._root_gap = np.sqrt(np.maximum(jumps.gap_cm1, 0.0))

    def value_and_slopes(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log10 k, shape (n,), and its derivatives by the thirteen numbers, shape (n, 13)."""
        of_terms = np.clip(_TERMS @ numbers[:7], -60.0, 20.0)
        waves = self._amplitude * 10.0 ** (0.5 * (of_terms + numbers[7] * self._sine))
        correlation = np.tanh(numbers[10:])[_KIND][:, :, None]
        steps = _STEPS_APART // 2
        together = np.where(_STEPS_APART % 2 == 0, correlation**steps, 0.0)  # (L, M, M')
        parts = waves * np.einsum("nlm,lmk->nlk", waves, together)
        floor = self._weight * 10.0 ** (numbers[0] + numbers[8])
        total = np.maximum(parts.sum(axis=(1, 2)), 0.0) + floor
        slopes = np.empty((len(total), len(numbers)))
        slopes[:, :7] = np.einsum("nlm,lmt->nt", parts, _TERMS) / total[:, None]
        slopes[:, 0] += floor / total
        slopes[:, 7] = (parts * self._sine).sum(axis=(1, 2)) / total
        slopes[:, 8] = floor / total
        slopes[:, 9] = -self._root_gap
        by_correlation = np.where(
            (_STEPS_APART % 2 == 0) & (steps > 0), steps * correlation ** np.maximum(steps - 1, 0), 0.0
        ) * (1.0 - correlation**2)
        changed = waves * np.einsum("nlm,lmk->nlk", waves, by_correlation) / np.log(10.0)
        for kind in range(3):
            slopes[:, 10 + kind] = (changed * (_KIND == kind)).sum(axis=(1, 2)) / total
        return np.log10(total) - numbers[9] * self._root_gap, slopes


@dataclass(frozen=True, eq=False)
class SuddenMean:
    """The law's thirteen numbers at each temperature, shape (m, 13)."""

    numbers: FloatArray

    @staticmethod
    def fit(jumps: Jumps, log10_k: FloatArray) -> SuddenMean:
        """Fit by least squares with a prior at each temperature, from the highest temperature down."""
        law = SuddenLaw(jumps)
        numbers = np.empty((log10_k.shape[1], len(_EXPECTED)))
        at = _EXPECTED.copy()
        at[0] = float(log10_k.mean() - law.value_and_slopes(at)[0].mean())
        for column in range(log10_k.shape[1] - 1, -1, -1):
            numbers[column] = at = _descend(law, log10_k[:, column], at)
        return SuddenMean(numbers)

    def __call__(self, jumps: Jumps) -> FloatArray:
        """Return log10 k, shape (n, m)."""
        law = SuddenLaw(jumps)
        return np.column_stack([law.value_and_slopes(one)[0] for one in self.numbers])


def _descend(law: SuddenLaw, log10_k: FloatArray, at: FloatArray) -> FloatArray:
    """Return the most probable numbers by Gauss-Newton steps, shortened where they do not improve."""
    expected = _EXPECTED.copy()
    expected[0] = at[0]
    precision = _ERROR_DEX**2 / (_INDEPENDENT * _SPREAD**2)

    def misfit(numbers: FloatArray) -> float:
        off = law.value_and_slopes(numbers)[0] - log10_k
        return float(off @ off + precision @ (numbers - expected) ** 2)

    here = misfit(at)
    for _ in range(_STEPS):
        value, slopes = law.value_and_slopes(at)
        gradient = slopes.T @ (log10_k - value) - precision * (at - expected)
        step = np.linalg.solve(slopes.T @ slopes + np.diag(precision), gradient)
        length, before = 1.0, here
        while length > 0.05 and misfit(at + length * step) > before:
            length *= 0.4
        if length <= 0.05:
            break
        at = at + length * step
        here = misfit(at)
        if before - here < 1e-4 * before:
            break
    return at
