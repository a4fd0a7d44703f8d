"""The exact process against GPflow's GPR, finite differences, and conditioning written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rotor import KERNELS, draw, random_problem

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.models import process as module
from ratedb.models.covariance import Covariance
from ratedb.models.gpflow.kernels import assign, build_kernel
from ratedb.models.gpflow.quiet import import_gpflow
from ratedb.models.kernels import BASE_KERNELS
from ratedb.models.process import (
    NOISE_FLOOR,
    OPTIMISERS,
    Process,
    fit_process,
    negative_log_likelihood,
    optimum,
    random_rows,
)


def parameters_of(kernel: str, dimensions: int, seed: int = 21) -> FloatArray:
    """Return kernel parameters that all differ and a log noise variance near -3."""
    random = np.random.default_rng(seed)
    own = random.normal(0.3, 0.4, Covariance(kernel, dimensions).size)
    return np.append(own, random.normal(-3.0, 0.3))


def gpr(process: Process) -> Any:
    """Return GPflow's GPR with the same data and parameters."""
    import_gpflow()
    import gpflow

    dimensions = process.inputs.shape[1]
    model = gpflow.models.GPR(
        (process.inputs, process.outputs[:, None]),
        build_kernel(process.kernel, dimensions, 1.0),
        noise_variance=process.noise,
    )
    assign(model.kernel, Covariance(process.kernel, dimensions), process.parameters[:-1])
    return model


def some_process(kernel: str, seed: int = 22) -> Process:
    inputs, outputs = random_problem(seed)
    return Process(kernel, inputs, outputs, parameters_of(kernel, inputs.shape[1]), 0.0, len(inputs))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_likelihood_and_the_posterior_equal_gpflows(kernel: str) -> None:
    process = some_process(kernel)
    model = gpr(process)
    covariance = Covariance(kernel, process.inputs.shape[1])
    loss, _ = negative_log_likelihood(covariance, process.inputs, process.outputs, process.parameters)
    assert loss == pytest.approx(-float(model.log_marginal_likelihood()), rel=1e-6)
    wanted = np.random.default_rng(23).normal(size=(9, process.inputs.shape[1]))
    mean, variance = process.posterior(wanted)
    slow_mean, slow_variance = model.predict_y(wanted)
    assert mean == pytest.approx(slow_mean.numpy()[:, 0], rel=1e-6, abs=1e-6)
    assert variance == pytest.approx(slow_variance.numpy()[:, 0], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_gradient_of_the_likelihood_equals_finite_differences(kernel: str) -> None:
    process = some_process(kernel)
    covariance = Covariance(kernel, process.inputs.shape[1])

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        return negative_log_likelihood(covariance, process.inputs, process.outputs, parameters)

    gradient = loss(process.parameters)[1]
    step = 1e-5
    slow = [
        (loss(process.parameters + e)[0] - loss(process.parameters - e)[0]) / (2 * step)
        for e in step * np.eye(len(process.parameters))
    ]
    assert gradient == pytest.approx(np.array(slow), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kernel", ["M32", "M52*EXP+M32", "LIN+RBF", "RQ*LIN"])
def test_leaving_out_equals_conditioning_on_the_others(kernel: str) -> None:
    process = some_process(kernel)
    groups = np.random.default_rng(24).integers(0, 5, len(process.inputs))
    for group in np.unique(groups):
        own = groups == group
        outputs = process.outputs[~own] + 0.5  # other than those it was fitted to
        others = Process(kernel, process.inputs[~own], outputs, process.parameters, 0.0, len(outputs))
        slow_mean, slow_variance = others.posterior(process.inputs[own])
        mean, variance = process.without(own, outputs)
        assert mean == pytest.approx(slow_mean, rel=1e-8, abs=1e-8)
        assert variance == pytest.approx(slow_variance, rel=1e-8)


def test_leaving_out_everything_leaves_the_prior() -> None:
    process = some_process("M32")
    mean, variance = process.without(np.ones(len(process.inputs), dtype=np.bool_), np.empty(0))
    assert mean == pytest.approx(0.0, abs=1e-8)
    assert variance == pytest.approx(np.exp(process.parameters[0]) + process.noise)


@pytest.mark.slow
def test_the_optimum_is_a_stationary_point_of_gpflows_likelihood() -> None:
    """No parameter moved by a tenth either way gives GPflow a better likelihood."""
    inputs, outputs = random_problem(25)
    process = fit_process("M32", inputs, outputs)
    best = float(gpr(process).log_marginal_likelihood())
    assert process.log_marginal_likelihood == pytest.approx(best, rel=1e-6)
    inside = process.parameters < 7.9  # a length scale at its bound stands for a feature without effect
    assert inside.sum() >= 4
    for e in 0.1 * np.eye(len(process.parameters))[inside]:
        for sign in (-1.0, 1.0):
            moved = Process("M32", inputs, outputs, process.parameters + sign * e, 0.0, len(inputs))
            assert float(gpr(moved).log_marginal_likelihood()) < best + 1e-4


def test_the_optimum_finds_length_scale_and_noise_of_a_drawn_process() -> None:
    inputs = np.random.default_rng(26).normal(size=(60, 2))
    truth = np.log([1.0, 0.8, 2.5])  # variance and two length scales
    for seed in (1, 2, 3):
        found = fit_process("M52", inputs, draw("M52", truth, inputs, 0.01, seed))
        assert found.parameters[1:3] == pytest.approx(truth[1:], abs=np.log(2.5))
        assert 0.01 / 4 < found.noise < 0.01 * 4


@pytest.mark.parametrize("kernel", ["LIN", "RBF", "M32", "LIN+RBF"])
@pytest.mark.parametrize("seed", [0, 3, 27])
def test_rmsprop_comes_near_the_optimum_of_lbfgs(kernel: str, seed: int) -> None:
    """Within two nats of 40 rows: what an information criterion calls no difference."""
    inputs, outputs = random_problem(seed, rows=40)
    exact, paper = (optimum(kernel, inputs, outputs, optimiser=name) for name in OPTIMISERS)
    assert paper.loss == pytest.approx(exact.loss, abs=2.0)


def test_the_same_seed_gives_the_same_process_and_another_learns_from_other_rows() -> None:
    inputs, outputs = random_problem(28, rows=40)
    one, two, other = (fit_process("M32", inputs, outputs, seed=s, learn_from=20) for s in (5, 5, 6))
    assert np.array_equal(one.parameters, two.parameters)
    assert not np.array_equal(one.parameters, other.parameters)
    assert (one.learnt_from, len(one.inputs)) == (20, 40)


@given(count=st.integers(1, 300), most=st.integers(1, 300), seed=st.integers(0, 99))
def test_random_rows_are_in_order_and_each_once(count: int, most: int, seed: int) -> None:
    rows = random_rows(count, seed, most)
    assert len(rows) == min(count, most)
    assert (np.diff(rows) > 0).all()
    assert rows.min() >= 0
    assert rows.max() < count


@pytest.mark.parametrize("kernel", BASE_KERNELS)
def test_rows_that_stand_twice_do_not_break_a_fit(kernel: str) -> None:
    inputs, outputs = random_problem(29, rows=20)
    twice = fit_process(kernel, np.repeat(inputs, 2, axis=0), np.repeat(outputs, 2))
    assert np.isfinite(twice.log_marginal_likelihood)
    mean, variance = twice.posterior(inputs)
    own = np.repeat(np.arange(20) % 4 == 0, 2)
    left_mean, left_variance = twice.without(own, twice.outputs[~own])
    assert all(np.isfinite(a).all() for a in (mean, variance, left_mean, left_variance))
    assert min(variance.min(), left_variance.min()) >= NOISE_FLOOR


def test_identical_rows_with_different_outputs_become_noise() -> None:
    inputs = np.repeat(np.random.default_rng(30).normal(size=(15, 2)), 2, axis=0)
    outputs = np.sin(inputs[:, 0]) + np.tile([-0.3, 0.3], 15)
    found = fit_process("M52", inputs, outputs)
    assert found.noise == pytest.approx(0.09, rel=0.5)
    assert np.sqrt(found.posterior(inputs)[1]).mean() == pytest.approx(0.3, rel=0.3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), kernel=st.sampled_from(["RBF", "M32", "LIN", "RQ*LIN"]))
def test_the_posterior_variance_lies_between_noise_and_prior(seed: int, kernel: str) -> None:
    inputs, outputs = random_problem(seed, rows=12)
    process = Process(kernel, inputs, outputs, parameters_of(kernel, 3, seed), 0.0, 12)
    wanted = np.concatenate([inputs, 10.0 * inputs])
    _, variance = process.posterior(wanted)
    prior = Covariance(kernel, 3).diagonal(process.parameters[:-1], wanted) + process.noise
    assert (variance >= process.noise).all()
    assert (variance <= prior * (1 + 1e-9)).all()


def test_a_covariance_without_cholesky_factor_turns_a_line_search_back() -> None:
    inputs, outputs = random_problem(31, rows=8)
    covariance = Covariance("RBF", 3)
    broken = np.full(covariance.size + 1, np.nan)
    loss, gradient = negative_log_likelihood(covariance, inputs, outputs, broken)
    assert loss > 1e20
    assert not gradient.any()


def test_a_fit_without_any_finite_likelihood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> tuple[float, FloatArray]:
        return 1e25, np.zeros(5)

    monkeypatch.setattr(module, "negative_log_likelihood", never)
    with pytest.raises(FitError, match="no finite marginal likelihood"):
        fit_process("RBF", *random_problem(32, rows=8))
