"""Kernels as NumPy: covariance matrices and the gradient of a weighted sum of their entries.

GPflow has the same kernels, but spends seconds on tracing graphs for some hundred transitions. Here one
likelihood with its gradient costs milliseconds. Tests compare the two to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.models.kernels import kernel_terms

_TINY_R2 = 1e-36  # keeps the square root of a distance and its derivative finite
_SQRT3, _SQRT5 = np.sqrt(3.0), np.sqrt(5.0)


class _Factor(NamedTuple):
    """A base kernel in a product and the range of its parameters."""

    name: str
    first: int
    last: int


class _Term(NamedTuple):
    """A product of base kernels with one variance."""

    variance: int
    factors: tuple[_Factor, ...]


class _Values(NamedTuple):
    """A base kernel's values, their derivative by the squared distance, and by its extra parameter."""

    value: FloatArray
    by_r2: FloatArray | None = None
    by_extra: FloatArray | None = None


class Covariance:
    """A sum of products of base kernels over `dimensions` features, with `size` parameters.

    Parameters are logarithms: for each product a variance; for each base kernel in it a length scale for
    every feature (RQ: then its alpha; LIN: instead a slope variance for every feature, then a constant).
    """

    def __init__(self, kernel: str, dimensions: int) -> None:
        self.kernel = kernel
        self.dimensions = dimensions
        terms, size = [], 0
        for product in kernel_terms(kernel):
            variance, size = size, size + 1
            factors = []
            for name in product:
                count = dimensions + (name in ("RQ", "LIN"))
                factors.append(_Factor(name, size, size + count))
                size += count
            terms.append(_Term(variance, tuple(factors)))
        self.terms = tuple(terms)
        self.size = size

    def start(self, length_scale: float) -> FloatArray:
        """Return starting parameters, shape (size,), with a total variance of 1."""
        parameters = np.zeros(self.size)
        for term in self.terms:
            parameters[term.variance] = -np.log(len(self.terms))
            for factor in term.factors:
                value = -np.log(self.dimensions) if factor.name == "LIN" else np.log(length_scale)
                parameters[factor.first : factor.first + self.dimensions] = value
        return parameters

    def matrix(self, parameters: FloatArray, left: FloatArray, right: FloatArray | None = None) -> FloatArray:
        """Return the covariances of rows of `left` (n, d) with rows of `right` (m, d), shape (n, m)."""
        result = np.zeros((len(left), len(left if right is None else right)))
        for term in self.terms:
            product = np.exp(parameters[term.variance])
            for factor in term.factors:
                product = product * self._values(factor, parameters, left, right).value
            result += product
        return result

    def diagonal(self, parameters: FloatArray, inputs: FloatArray) -> FloatArray:
        """Return the variances of the rows of `inputs` (n, d), shape (n,)."""
        result = np.zeros(len(inputs))
        for term in self.terms:
            product = np.full(len(inputs), np.exp(parameters[term.variance]))
            for factor in term.factors:
                if factor.name == "LIN":
                    own = np.exp(parameters[factor.first : factor.last])
                    product *= (inputs**2) @ own[:-1] + own[-1]
            result += product
        return result

    def matrix_and_gradient(
        self, parameters: FloatArray, inputs: FloatArray
    ) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        """Return the covariances of the rows of `inputs`, and a function of weights W (n, n), symmetric.

        The function returns the derivative of sum(W * matrix) by every parameter, shape (size,).
        """
        parts = []
        total = np.zeros((len(inputs), len(inputs)))
        for term in self.terms:
            values = [self._values(factor, parameters, inputs, None) for factor in term.factors]
            product = np.exp(parameters[term.variance]) * values[0].value
            for value in values[1:]:
                product = product * value.value
            parts.append((term, values, product))
            total += product

        def gradient(weights: FloatArray) -> FloatArray:
            result = np.zeros(self.size)
            for term, values, product in parts:
                result[term.variance] = np.vdot(weights, product)
                for index, factor in enumerate(term.factors):
                    rest = weights * np.exp(parameters[term.variance])
                    for other, value in enumerate(values):
                        if other != index:
                            rest = rest * value.value
                    own = slice(factor.first, factor.last)
                    result[own] = self._by_own(factor, values[index], rest, parameters[own], inputs)
            return result

        return total, gradient

    def _values(
        self, factor: _Factor, parameters: FloatArray, left: FloatArray, right: FloatArray | None
    ) -> _Values:
        own = parameters[factor.first : factor.last]
        if factor.name == "LIN":
            slopes = np.exp(own[:-1])
            other = left if right is None else right
            return _Values((left * slopes) @ other.T + np.exp(own[-1]))
        r2 = _squared_distances(left, right, np.exp(-own[: self.dimensions]))
        if factor.name == "RBF":
            value = np.exp(-0.5 * r2)
            return _Values(value, -0.5 * value)
        if factor.name in ("EXP", "M12"):
            r = np.sqrt(r2)
            value = np.exp(-r)
            return _Values(value, -0.5 * value / np.maximum(r, 1e-9))
        if factor.name == "M32":
            r = _SQRT3 * np.sqrt(r2)
            decay = np.exp(-r)
            return _Values((1.0 + r) * decay, -1.5 * decay)
        if factor.name == "M52":
            r = _SQRT5 * np.sqrt(r2)
            decay = np.exp(-r)
            return _Values((1.0 + r + r * r / 3.0) * decay, -5.0 / 6.0 * (1.0 + r) * decay)
        alpha = np.exp(own[-1])
        base = 1.0 + 0.5 * r2 / alpha
        logarithm = np.log(base)
        value = np.exp(-alpha * logarithm)
        return _Values(value, -0.5 * value / base, alpha * value * ((base - 1.0) / base - logarithm))

    def _by_own(
        self, factor: _Factor, values: _Values, weights: FloatArray, own: FloatArray, inputs: FloatArray
    ) -> FloatArray:
        """Return the derivative of sum(weights * factor) by the factor's own parameters."""
        if values.by_r2 is None:
            slopes = np.exp(own[:-1]) * ((weights @ inputs) * inputs).sum(axis=0)
            return np.append(slopes, np.exp(own[-1]) * weights.sum())
        by_r2 = weights * values.by_r2
        np.fill_diagonal(by_r2, 0.0)
        # sum_ij G_ij (x_i - x_j)^2 = 2 (sum_i x_i^2 sum_j G_ij - x G x): no array of (n, n, d) is needed.
        squares = 2.0 * ((inputs**2).T @ by_r2.sum(axis=1) - ((by_r2 @ inputs) * inputs).sum(axis=0))
        by_scale = -2.0 * squares * np.exp(-2.0 * own[: self.dimensions])
        if values.by_extra is None:
            return np.asarray(by_scale)
        return np.append(by_scale, np.vdot(weights, values.by_extra))


def _squared_distances(left: FloatArray, right: FloatArray | None, inverse_scales: FloatArray) -> FloatArray:
    a = left * inverse_scales
    b = a if right is None else right * inverse_scales
    r2: FloatArray = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    np.maximum(r2, _TINY_R2, out=r2)
    if right is None:
        np.fill_diagonal(r2, _TINY_R2)
    return r2
