"""The paper's way on a tiny set: the same model as a fast process on flattened points."""

from __future__ import annotations

import numpy as np
import pytest
from rotor import TEMPERATURE_K, all_of, rotor_rates, training_data

from ratedb.errors import RatedbError
from ratedb.models import dense
from ratedb.models.covariance import Covariance
from ratedb.models.engine import Specification
from ratedb.models.gpflow.kernels import read
from ratedb.models.means import fit_mean
from ratedb.models.process import NOISE_FLOOR, Process, negative_log_likelihood

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to start

PAPER = Specification("dense", "M32", "paper", "constant")
RATES = rotor_rates((3, 5, 6), scatter=0.05)
TINY = training_data(RATES)


@pytest.fixture(scope="module")
def fitted() -> dense.DenseModel:
    return dense.fit(TINY, PAPER)


@pytest.fixture(scope="module")
def flat(fitted: dense.DenseModel) -> Process:
    """Return the fast process on all points, with the parameters of the dense fit."""
    model = fitted._regression()
    parameters = read(model.kernel, Covariance("M32", fitted.inputs.shape[1]))
    noise = float(model.likelihood.variance.numpy()) - NOISE_FLOOR
    assert noise > 0
    parameters = np.append(parameters, np.log(noise))
    return Process("M32", fitted.inputs, fitted.outputs[:, 0], parameters, 0.0, len(fitted.inputs))


def test_the_likelihood_is_that_of_the_fast_process(fitted: dense.DenseModel, flat: Process) -> None:
    covariance = Covariance("M32", flat.inputs.shape[1])
    loss, gradient = negative_log_likelihood(covariance, flat.inputs, flat.outputs, flat.parameters)
    of_log10_k = -loss - len(flat.outputs) * np.log(fitted.scale)
    assert fitted.log_likelihood == pytest.approx(of_log10_k, rel=1e-6)
    assert np.abs(gradient).max() < 0.05 * len(flat.outputs)  # both stand at the same optimum


def test_points_are_transitions_by_temperatures_with_the_temperature_last(fitted: dense.DenseModel) -> None:
    n, m = TINY.log10_k.shape
    assert fitted.inputs.shape[0] == n * m
    kelvin = (TEMPERATURE_K - TEMPERATURE_K.mean()) / TEMPERATURE_K.std()
    assert fitted.inputs[:, -1] == pytest.approx(np.tile(kelvin, n))
    assert fitted.outputs[:m, 0] * fitted.scale + fitted.centre == pytest.approx(
        (TINY.log10_k - fitted.mean(TINY.transitions))[0]
    )


def test_the_prediction_is_that_of_the_fast_process(fitted: dense.DenseModel, flat: Process) -> None:
    wanted = all_of(rotor_rates((4, 7)))
    mean, variance = flat.posterior(fitted._inputs(wanted))
    curves = fitted.curves(wanted)
    expected = fitted.mean(wanted) + fitted.centre + fitted.scale * mean.reshape(-1, 6)
    assert curves.mean == pytest.approx(expected, abs=1e-6)
    assert curves.variance == pytest.approx(fitted.scale**2 * variance.reshape(-1, 6), rel=1e-4)


def test_the_covariance_has_the_variance_on_its_diagonal(fitted: dense.DenseModel) -> None:
    wanted = all_of(rotor_rates((4,)))
    covariance = fitted.covariance(wanted)
    assert np.einsum("ntt->nt", covariance) == pytest.approx(fitted.curves(wanted).variance, rel=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_leaving_a_j_out_is_that_of_the_fast_process(fitted: dense.DenseModel, flat: Process) -> None:
    curves = fitted.leave_out(TINY)
    for j in np.unique(RATES.initial_j()):
        own = RATES.initial_j() == j
        others = TINY.select(np.flatnonzero(~own))
        of_mean = fit_mean("constant", others.transitions, others.log10_k)(TINY.transitions)
        left = (TINY.log10_k - of_mean)[~own]
        outputs = ((left - left.mean()) / fitted.scale).ravel()
        mean, variance = flat.without(np.repeat(own, 6), outputs)
        expected = of_mean[own] + left.mean() + fitted.scale * mean.reshape(-1, 6)
        assert curves.mean[own] == pytest.approx(expected, abs=1e-6)
        assert curves.variance[own] == pytest.approx(fitted.scale**2 * variance.reshape(-1, 6), rel=1e-5)


def test_more_points_than_a_dense_matrix_bears_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "MOST_POINTS", 83)
    with pytest.raises(RatedbError, match="cannot train on so many points") as caught:
        dense.fit(TINY, PAPER)
    assert caught.value.got == "14 transitions x 6 temperatures = 84"
