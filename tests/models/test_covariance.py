"""Covariances in NumPy against GPflow's kernels, and their gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rotor import KERNELS

from ratedb.arrays import FloatArray
from ratedb.models.covariance import Covariance
from ratedb.models.gpflow.kernels import assign, build_kernel, read
from ratedb.models.gpflow.quiet import import_gpflow
from ratedb.models.kernels import BASE_KERNELS

DIMENSIONS = 3


def some(kernel: str, seed: int = 11, rows: int = 12) -> tuple[Covariance, FloatArray, FloatArray]:
    """Return a covariance, parameters that all differ, and inputs."""
    random = np.random.default_rng(seed)
    covariance = Covariance(kernel, DIMENSIONS)
    return covariance, random.normal(0.0, 0.5, covariance.size), random.normal(size=(rows, DIMENSIONS))


def in_gpflow(kernel: str, covariance: Covariance, parameters: FloatArray) -> object:
    import_gpflow()
    built = build_kernel(kernel, DIMENSIONS, 1.0)
    assign(built, covariance, parameters)
    return built


def without_redundancy(covariance: Covariance, parameters: FloatArray) -> FloatArray:
    """Return the same kernel with the variance of a product that begins with LIN moved into that LIN."""
    result = parameters.copy()
    for term in covariance.terms:
        first = term.factors[0]
        if first.name == "LIN":
            result[first.first : first.last] += result[term.variance]
            result[term.variance] = 0.0
    return result


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_matrix_equals_gpflows(kernel: str) -> None:
    covariance, parameters, inputs = some(kernel)
    other = np.random.default_rng(12).normal(size=(7, DIMENSIONS))
    built = in_gpflow(kernel, covariance, parameters)
    found = covariance.matrix(parameters, inputs, other)
    assert found == pytest.approx(built(inputs, other).numpy(), abs=1e-10, rel=1e-10)
    # On the diagonal GPflow's distance is a rounding error of 1e-8, whose exponential shows it.
    off = ~np.eye(len(inputs), dtype=bool)
    square = built(inputs).numpy()
    assert covariance.matrix(parameters, inputs)[off] == pytest.approx(square[off], abs=1e-10, rel=1e-10)
    assert covariance.matrix(parameters, inputs) == pytest.approx(square, abs=1e-6)
    assert covariance.diagonal(parameters, inputs) == pytest.approx(built(inputs, full_cov=False).numpy())


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_diagonal_is_that_of_the_matrix(kernel: str) -> None:
    covariance, parameters, inputs = some(kernel)
    assert covariance.diagonal(parameters, inputs) == pytest.approx(
        np.diag(covariance.matrix(parameters, inputs)), rel=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_parameters_come_back_from_gpflow(kernel: str) -> None:
    covariance, parameters, inputs = some(kernel)
    back = read(in_gpflow(kernel, covariance, parameters), covariance)
    assert back == pytest.approx(without_redundancy(covariance, parameters), abs=1e-9)
    assert covariance.matrix(back, inputs) == pytest.approx(covariance.matrix(parameters, inputs), rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_gradient_of_a_weighted_sum_equals_finite_differences(kernel: str) -> None:
    covariance, parameters, inputs = some(kernel)
    weights = np.random.default_rng(13).normal(size=(len(inputs), len(inputs)))
    weights = weights + weights.T
    matrix, gradient = covariance.matrix_and_gradient(parameters, inputs)
    assert matrix == pytest.approx(covariance.matrix(parameters, inputs), rel=1e-12)
    step = 1e-5
    slow = [
        float(
            (
                weights
                * (covariance.matrix(parameters + e, inputs) - covariance.matrix(parameters - e, inputs))
            ).sum()
        )
        / (2 * step)
        for e in step * np.eye(covariance.size)
    ]
    assert gradient(weights) == pytest.approx(np.array(slow), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_start_has_a_total_variance_of_one(kernel: str) -> None:
    """On standardised features: LIN is one on average, plus its constant of one."""
    covariance, _, inputs = some(kernel, rows=40)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    terms = [2.0 if "LIN" in term else 1.0 for term in kernel.split("+")]
    mean = covariance.diagonal(covariance.start(2.0), inputs).mean()
    assert mean == pytest.approx(sum(terms) / len(terms))


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.lists(st.sampled_from(BASE_KERNELS), min_size=1, max_size=3),
    joint=st.sampled_from("+*"),
    seed=st.integers(0, 10_000),
)
def test_any_covariance_is_symmetric_and_positive_semidefinite(
    kernel: list[str], joint: str, seed: int
) -> None:
    covariance, parameters, inputs = some(joint.join(kernel), seed, 10)
    inputs[3] = inputs[7]  # a duplicate transition
    matrix = covariance.matrix(parameters, inputs)
    assert matrix == pytest.approx(matrix.T, rel=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > -1e-7 * np.trace(matrix)
