"""GPflow's kernels for kernels named as text, and their parameters as those of the NumPy ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.models.covariance import Covariance
from ratedb.models.kernels import kernel_terms


def build_kernel(text: str, dimensions: int, length_scale: float) -> Any:
    """Return the GPflow kernel that the text names, anisotropic over `dimensions` standardised features.

    `length_scale` is the starting value of every length scale.
    """
    import gpflow

    sums = []
    for product in kernel_terms(text):
        factors = [_base(name, dimensions, length_scale) for name in product]
        sums.append(factors[0] if len(factors) == 1 else gpflow.kernels.Product(factors))
    return sums[0] if len(sums) == 1 else gpflow.kernels.Sum(sums)


def _base(name: str, dimensions: int, length_scale: float) -> Any:
    import gpflow

    if name == "LIN":
        # A plane through the origin of the standardised features, one slope variance for each, and
        # a constant: the mean of the standardised output is near zero but need not be zero.
        return gpflow.kernels.Linear(variance=np.ones(dimensions)) + gpflow.kernels.Constant()
    kernels = {
        "RBF": gpflow.kernels.SquaredExponential,
        # GPflow's Exponential is exp(-r/2l); Matern12 is exp(-r/l), the paper's eq. (5).
        "EXP": gpflow.kernels.Matern12,
        "M12": gpflow.kernels.Matern12,
        "M32": gpflow.kernels.Matern32,
        "M52": gpflow.kernels.Matern52,
        "RQ": gpflow.kernels.RationalQuadratic,
    }
    return kernels[name](lengthscales=np.full(dimensions, length_scale))


def assign(kernel: Any, covariance: Covariance, parameters: FloatArray) -> None:
    """Give a GPflow kernel the parameters of the NumPy one; a product's variance goes to its first factor."""
    for term, factors in zip(covariance.terms, _gpflow_terms(kernel, covariance.kernel), strict=True):
        for index, (factor, part) in enumerate(zip(term.factors, factors, strict=True)):
            values = np.exp(parameters[factor.first : factor.last])
            variance = float(np.exp(parameters[term.variance])) if index == 0 else 1.0
            if factor.name == "LIN":
                part.kernels[0].variance.assign(variance * values[:-1])
                part.kernels[1].variance.assign(variance * values[-1])
                continue
            part.variance.assign(variance)
            part.lengthscales.assign(values[: covariance.dimensions])
            if factor.name == "RQ":
                part.alpha.assign(values[-1])


def read(kernel: Any, covariance: Covariance) -> FloatArray:
    """Return a GPflow kernel's parameters as those of the NumPy one."""
    result = np.zeros(covariance.size)
    for term, factors in zip(covariance.terms, _gpflow_terms(kernel, covariance.kernel), strict=True):
        for factor, part in zip(term.factors, factors, strict=True):
            own = slice(factor.first, factor.last)
            if factor.name == "LIN":
                slopes, constant = part.kernels[0].variance.numpy(), part.kernels[1].variance.numpy()
                result[own] = np.log(np.append(slopes, constant))
                continue
            result[term.variance] += np.log(part.variance.numpy())
            scales = part.lengthscales.numpy()
            result[own] = np.log(np.append(scales, part.alpha.numpy()) if factor.name == "RQ" else scales)
    return result


def _gpflow_terms(kernel: Any, text: str) -> list[list[Any]]:
    """Return the GPflow kernel's base kernels by term and factor, as `build_kernel` nests them."""
    terms = kernel_terms(text)
    # GPflow flattens a sum within a sum, and so the two parts of LIN into the sum they are in.
    parts = list(kernel.kernels) if len(terms) > 1 else [kernel]
    result = []
    for term in terms:
        if len(term) > 1:
            result.append(list(parts.pop(0).kernels))
        elif term[0] == "LIN" and len(terms) > 1:
            result.append([_Pair([parts.pop(0), parts.pop(0)])])
        else:
            result.append([parts.pop(0)])
    return result


@dataclass(frozen=True)
class _Pair:
    kernels: list[Any]
