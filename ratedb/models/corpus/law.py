"""The energy-corrected sudden law of a linear molecule in ten numbers that molecules have in common.

k(j -> j') = (2j'+1) sum_L (j L j'; 0 0 0)^2 k(L -> 0) 10^(-d sqrt(dE)) / (1 + c (2 B j)^2)^2, where
log10 k(L -> 0) is a + b (L-1) + c log10 L + e sqrt(L) for even and for odd L (Goldflam, Green & Kouri 1977,
J. Chem. Phys. 67, 4149, for the sum; DePristo et al. 1979, J. Chem. Phys. 71, 850, for the correction, which
here depends on the initial j alone).
"""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import Levels, Transitions
from ratedb.models.features import energy_gap_cm1
from ratedb.physics.wigner import squared_3j_000

EVEN_L, ODD_L = (2.0, 4.0, 8.0, 16.0), (1.0, 3.0, 7.0, 15.0)
"""The L at which log10 k(L -> 0) is a number of the law; values are far less correlated than a, b, c, e."""

NUMBERS = len(EVEN_L) + len(ODD_L) + 2
"""log10 k(L -> 0) at the even and the odd L, d, and ln c."""


class SuddenLaw:
    """The law on given transitions of a molecule with this rotational constant in cm-1."""

    def __init__(self, transitions: Transitions, rotational_constant_cm1: float) -> None:
        _, initial, _, final = transitions.vj().T
        orders = np.arange(int((initial + final).max(initial=0)) + 1)
        squares = squared_3j_000(initial[:, None], orders[None, :], final[:, None])
        self._weights = (2 * final + 1)[:, None] * squares
        self._terms = _terms(orders.astype(np.float64))
        self._root_gap = np.sqrt(energy_gap_cm1(transitions))
        self._spacing2 = (2.0 * rotational_constant_cm1 * initial) ** 2

    def value(self, numbers: FloatArray) -> FloatArray:
        """Return log10 k, shape (n,), for the numbers of one temperature, shape (10,)."""
        return self._sum(numbers)[1]

    def value_and_slopes(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log10 k, shape (n,), and its derivatives by the numbers, shape (n, 10)."""
        parts, value = self._sum(numbers)
        of_orders = (parts @ self._terms) / (parts.sum(axis=1) + 1e-300)[:, None]
        x = np.exp(numbers[-1]) * self._spacing2
        return value, np.column_stack([of_orders, -self._root_gap, -2.0 * x / (1.0 + x) / np.log(10.0)])

    def _sum(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        parts = self._weights * 10.0 ** np.clip(self._terms @ numbers[:-2], -60.0, 20.0)
        corrected = 2.0 * np.log10(1.0 + np.exp(numbers[-1]) * self._spacing2)
        return parts, np.log10(parts.sum(axis=1) + 1e-300) - numbers[-2] * self._root_gap - corrected


def _terms(orders: FloatArray) -> FloatArray:
    """Return the share of each number of k(L -> 0) in its value at each L, shape (len(orders), 8)."""
    terms = np.zeros((len(orders), NUMBERS - 2))
    for side, knots in enumerate((EVEN_L, ODD_L)):
        rows, first = orders % 2 == side, side * len(knots)
        terms[rows, first : first + len(knots)] = _shapes(orders[rows]) @ np.linalg.inv(
            _shapes(np.array(knots))
        )
    return terms


def _shapes(order: FloatArray) -> FloatArray:
    return np.column_stack(
        [np.ones(len(order)), order - 1.0, np.log10(np.maximum(order, 0.5)), np.sqrt(order) - 1.0]
    )


def rotational_constant(levels: Levels) -> float:
    """Return B in cm-1 of the lowest vibrational state, from four levels; NaN for fewer than two."""
    v, j = levels.need_vj()
    rows = np.flatnonzero(v == v.min())
    rows = rows[np.argsort(j[rows], kind="stable")][:4]
    if len(np.unique(j[rows])) < 2:
        return float("nan")
    return float(np.polyfit(j[rows] * (j[rows] + 1.0), levels.energy_cm1[rows], 1)[0])
