"""The infinite-order sudden law of a top: few numbers for k(00 -> LM), a factor of the gap, and a floor.

k = [sum_L sum_MM' a_LM a_LM' r^(|M-M'|/2) sqrt(q_LM q_LM') + (2j'+1) f] 10^(-d sqrt(dE)). log10 q_LM is
linear in L - 1, log10 L, whether M = 1, whether M >= 2, M above 2, whether L is odd, and whether a sine term
causes it; r says how amplitudes of one L and different M interfere (Green 1976, J. Chem. Phys. 64, 3463, for
the sum; it is Green's without interference). The symmetric top and the linear molecule are its limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.models.tops.structure import HIGHEST_ORDER, Jumps

NUMBERS = 14
"""Numbers of the law: seven for log10 q, two for sine terms, floor, d, and three interferences."""

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
_APART = np.abs(np.arange(_SIZE)[:, None] - np.arange(_SIZE)[None, :])
_STEPS_APART, _INTERFERE = _APART // 2, _APART % 2 == 0
# Which interference two M of one L have: even M of even L, even M of odd L, odd M.
_KIND = np.where(_PROJECTION % 2 == 1, 2, _ORDER % 2)

# What published sets of tops with H2 and He have in common, and how far they lie apart: the level of q (of
# the set itself), then log10 q by its terms, sine terms of even and of odd M (which a plane of symmetry a-b
# forbids, another plane through a allows), the floor below q, d in dex cm^1/2, and artanh r.
_EXPECTED = np.array([0.0, -0.15, -0.1, -0.1, -0.2, -0.4, 0.0, -0.5, -0.2, -4.0, 0.01, 0.0, -0.5, -0.2])
_SPREAD = np.array([3.0, 0.12, 0.6, 0.4, 0.4, 0.3, 0.2, 0.5, 0.8, 1.0, 0.02, 0.6, 0.5, 0.5])
_ERROR_DEX = 0.25
_INDEPENDENT = 0.2  # rows of a unit hang together: as many independent ones does each count for
_STEPS, _CONVERGED, _SHRINK, _SHORTEST = 12, 1e-4, 0.4, 0.05
_NODES = 6
_LOG10_RANGE = (-60.0, 20.0)


class SuddenLaw:
    """The law on given jumps, whose target has wavefunctions."""

    def __init__(self, jumps: Jumps) -> None:
        found = jumps.amplitudes
        if found is None:
            raise FitError("the sudden law needs wavefunctions", expected="a known rotor", got="labels only")
        self._amplitude = np.ascontiguousarray(found[0].transpose(1, 0, 2))  # (L+1, n, M+1)
        self._amplitude[0] = 0.0
        sine = np.ascontiguousarray(1.0 - found[1].transpose(1, 0, 2))
        self._sine = tuple(sine * np.equal(_PROJECTION % 2, parity)[:, None, :] for parity in (0, 1))
        self._weight = 2.0 * jumps.structure.target.numbers["j"][jumps.final] + 1.0
        self._root_gap = np.sqrt(np.maximum(jumps.gap_cm1, 0.0))

    def value(self, numbers: FloatArray) -> FloatArray:
        """Return log10 k, shape (n,)."""
        return self._parts(numbers)[-1]

    def _parts(self, numbers: FloatArray) -> tuple[FloatArray, ...]:
        """Return waves, interference, what each (L, M) adds, the floor, the sum of all, and log10 k."""
        of_terms = np.clip(_TERMS @ numbers[:7], *_LOG10_RANGE)[:, None, :]
        waves = self._amplitude * 10.0 ** (
            0.5 * (of_terms + numbers[7] * self._sine[0] + numbers[8] * self._sine[1])
        )
        correlation = np.tanh(numbers[11:])[_KIND][:, :, None]
        parts = waves * (waves @ np.where(_INTERFERE, correlation**_STEPS_APART, 0.0))
        floor = self._weight * 10.0 ** (numbers[0] + numbers[9])
        total = np.maximum(parts.sum(axis=(0, 2)), 0.0) + floor
        return waves, correlation, parts, floor, total, np.log10(total) - numbers[10] * self._root_gap

    def value_and_slopes(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log10 k, shape (n,), and its derivatives by the numbers, shape (n, 14)."""
        waves, correlation, parts, floor, total, value = self._parts(numbers)
        slopes = np.empty((len(total), NUMBERS))
        slopes[:, :7] = (parts.transpose(1, 0, 2).reshape(len(total), -1) @ _TERMS.reshape(-1, 7)) / total[
            :, None
        ]
        slopes[:, 0] += floor / total
        for parity, sine in enumerate(self._sine):
            slopes[:, 7 + parity] = (parts * sine).sum(axis=(0, 2)) / total
        slopes[:, 9] = floor / total
        slopes[:, 10] = -self._root_gap
        by_correlation = (
            _STEPS_APART * correlation ** np.maximum(_STEPS_APART - 1, 0) * (1.0 - correlation**2)
        )
        changed = waves * (waves @ np.where(_INTERFERE, by_correlation, 0.0)) / np.log(10.0)
        for kind in range(3):
            slopes[:, 11 + kind] = (changed * np.equal(_KIND, kind)[:, None, :]).sum(axis=(0, 2)) / total
        return value, slopes


def shape_of_law(jumps: Jumps) -> FloatArray:
    """Return by how much log10 k of the expected law changes with its shape, shape (n, 12).

    Derivatives by all numbers but the level and the gap's: mean L, M and parity of what causes a jump, the
    share of sine terms and of the floor, and interference. Neighbours in these respond alike to what the law
    has wrong.
    """
    slopes = SuddenLaw(jumps).value_and_slopes(_EXPECTED)[1]
    return slopes[:, [*range(1, 10), *range(11, NUMBERS)]]


@dataclass(frozen=True, eq=False)
class SuddenMean:
    """The law's numbers at some temperatures: `numbers` (t, 14) at the columns `nodes` (t,) of `count`."""

    numbers: FloatArray
    nodes: FloatArray
    count: int

    @staticmethod
    def fit(jumps: Jumps, log10_k: FloatArray, start: SuddenMean | None = None) -> SuddenMean:
        """Fit by least squares with a prior, from the highest temperature down; `start` saves steps.

        Between the at most six temperatures at which it is fitted the numbers are interpolated.
        """
        law, count = SuddenLaw(jumps), log10_k.shape[1]
        nodes = np.unique(np.round(np.linspace(0, count - 1, _NODES))).astype(np.int64)
        numbers = np.empty((len(nodes), NUMBERS))
        at = expected = _EXPECTED.copy()
        at[0] = float(log10_k.mean() - law.value(at).mean())
        for place in range(len(nodes) - 1, -1, -1):
            begin = at if start is None else start.numbers[place]
            numbers[place] = at = _descend(law, log10_k[:, nodes[place]], begin, expected)
        return SuddenMean(numbers, nodes.astype(np.float64), count)

    def __call__(self, jumps: Jumps) -> FloatArray:
        """Return log10 k, shape (n, m)."""
        law, columns = SuddenLaw(jumps), np.arange(self.count)
        each = np.column_stack([np.interp(columns, self.nodes, one) for one in self.numbers.T])
        return np.column_stack([law.value(one) for one in each])


def _descend(law: SuddenLaw, log10_k: FloatArray, at: FloatArray, expected: FloatArray) -> FloatArray:
    """Return the most probable numbers by Gauss-Newton steps, shortened where they do not improve."""
    precision = _ERROR_DEX**2 / (_INDEPENDENT * _SPREAD**2)

    def misfit(numbers: FloatArray) -> float:
        off = law.value(numbers) - log10_k
        return float(off @ off + precision @ (numbers - expected) ** 2)

    here = misfit(at)
    for _ in range(_STEPS):
        value, slopes = law.value_and_slopes(at)
        gradient = slopes.T @ (log10_k - value) - precision * (at - expected)
        step = np.linalg.solve(slopes.T @ slopes + np.diag(precision), gradient)
        length, before = 1.0, here
        while length > _SHORTEST and misfit(at + length * step) > before:
            length *= _SHRINK
        if length <= _SHORTEST:
            break
        at = at + length * step
        here = misfit(at)
        if before - here < _CONVERGED * before:
            break
    return at
