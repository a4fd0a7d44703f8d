"""The sparse process against the exact one, GPflow's SGPR, and conditioning written out."""

from __future__ import annotations

import numpy as np
import pytest
from rotor import random_problem

from ratedb.arrays import FloatArray
from ratedb.models import sparse
from ratedb.models.covariance import Covariance
from ratedb.models.gpflow.kernels import assign, build_kernel
from ratedb.models.gpflow.quiet import import_gpflow
from ratedb.models.process import NOISE_FLOOR, Process, fit_process
from ratedb.models.sparse import SparseProcess, fit_sparse_process

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to start


def some_sparse(kernel: str = "M32", inducing: int = 12, seed: int = 41) -> SparseProcess:
    inputs, outputs = random_problem(seed, rows=40)
    size = Covariance(kernel, 3).size
    parameters = np.append(np.random.default_rng(seed).normal(0.3, 0.3, size), -3.0)
    return SparseProcess(kernel, inputs, outputs, parameters, 0.0, inputs[:inducing])


@pytest.mark.parametrize("kernel", ["M32", "M52*EXP+M32", "LIN+RBF", "RQ*LIN"])
def test_the_posterior_equals_gpflows_sgpr(kernel: str) -> None:
    import_gpflow()
    import gpflow

    process = some_sparse(kernel)
    model = gpflow.models.SGPR(
        (process.inputs, process.outputs[:, None]),
        build_kernel(kernel, 3, 1.0),
        process.inducing,
        noise_variance=process.noise,
    )
    assign(model.kernel, Covariance(kernel, 3), process.parameters[:-1])
    wanted = np.random.default_rng(42).normal(size=(11, 3))
    mean, variance = process.posterior(wanted)
    slow_mean, slow_variance = model.predict_y(wanted)
    assert mean == pytest.approx(slow_mean.numpy()[:, 0], rel=1e-5, abs=1e-5)
    assert variance == pytest.approx(slow_variance.numpy()[:, 0], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kernel", ["M32", "RBF", "LIN+M52"])
def test_with_every_row_as_inducing_point_it_is_the_exact_process(kernel: str) -> None:
    process = some_sparse(kernel, inducing=40)
    exact = Process(kernel, process.inputs, process.outputs, process.parameters, 0.0, 40)
    wanted = np.random.default_rng(43).normal(size=(11, 3))
    for found, expected in zip(process.posterior(wanted), exact.posterior(wanted), strict=True):
        assert found == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("kernel", ["M32", "LIN+RBF"])
def test_leaving_out_equals_conditioning_on_the_others(kernel: str) -> None:
    process = some_sparse(kernel)
    groups = np.random.default_rng(44).integers(0, 5, 40)
    for group in range(5):
        own = groups == group
        outputs = process.outputs[~own] + 0.5  # other than those it was fitted to
        others = SparseProcess(
            kernel, process.inputs[~own], outputs, process.parameters, 0.0, process.inducing
        )
        slow_mean, slow_variance = others.posterior(process.inputs[own])
        mean, variance = process.without(own, outputs)
        assert mean == pytest.approx(slow_mean, rel=1e-7, abs=1e-7)
        assert variance == pytest.approx(slow_variance, rel=1e-7)


def test_a_fit_with_few_inducing_points_is_near_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "INDUCING", 30)
    inputs, outputs = random_problem(45, rows=60)
    found = fit_sparse_process("M52", inputs, outputs, learn_from=30)
    exact = fit_process("M52", inputs, outputs)
    assert found.inducing.shape == (30, 3)
    assert found.log_marginal_likelihood <= exact.log_marginal_likelihood + 0.05
    wanted = np.random.default_rng(46).normal(size=(20, 3))
    assert found.posterior(wanted)[0] == pytest.approx(exact.posterior(wanted)[0], abs=0.25)
    assert found.noise > NOISE_FLOOR


def test_the_bound_is_improved_from_its_start_and_the_same_for_the_same_seed() -> None:
    """The start is an optimum on 12 of 30 rows; its own bound is GPflow's."""
    import_gpflow()
    import gpflow

    inputs, outputs = random_problem(47, rows=30)
    one, two = (fit_sparse_process("M32", inputs, outputs, seed=3, learn_from=12) for _ in range(2))
    assert np.array_equal(one.parameters, two.parameters)

    def bound(parameters: FloatArray) -> float:
        model = gpflow.models.SGPR(
            (inputs, outputs[:, None]),
            build_kernel("M32", 3, 1.0),
            one.inducing,
            noise_variance=float(np.exp(parameters[-1])) + NOISE_FLOOR,
        )
        assign(model.kernel, Covariance("M32", 3), parameters[:-1])
        return float(model.elbo())

    start = fit_process("M32", inputs, outputs, seed=3, learn_from=12)
    assert one.log_marginal_likelihood == pytest.approx(bound(one.parameters), rel=1e-6)
    assert one.log_marginal_likelihood > bound(start.parameters) + 0.1
