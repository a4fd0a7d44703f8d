"""The fast engine against a slow, obvious Gaussian process, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rotor import all_of, rotor_rates, training_data, with_values

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.models import basis
from ratedb.models.basis import TemperatureBasis
from ratedb.models.engine import Specification, explained_share
from ratedb.models.features import physics_features
from ratedb.models.means import fit_mean
from ratedb.models.process import Process

PLAIN = Specification("basis", "M32", "physics", "constant")


@pytest.fixture(scope="module")
def fitted() -> basis.BasisModel:
    return basis.fit(training_data(rotor_rates()), PLAIN)


def test_the_temperature_basis_is_orthonormal_and_gives_the_curves_back() -> None:
    log10_k = np.log10(rotor_rates(scatter=0.05).rate_cm3_s)
    found = TemperatureBasis.of(log10_k)
    assert found.vectors @ found.vectors.T == pytest.approx(np.eye(len(found.vectors)), abs=1e-12)
    back = found.coefficients(log10_k) @ found.vectors + found.centre
    assert ((back - log10_k) ** 2).mean(axis=0) == pytest.approx(found.rest_variance)


def test_curves_that_are_all_the_same_have_a_basis() -> None:
    found = TemperatureBasis.of(np.tile([-11.0, -10.5, -10.2], (5, 1)))
    assert found.coefficients(found.centre[None]) == pytest.approx(np.zeros((1, 1)))


@pytest.mark.parametrize("mean", ["constant", "linear", "ios"])
def test_the_prediction_equals_a_gaussian_process_written_out(mean: str) -> None:
    """Matern 3/2 with the fitted parameters: k* K^-1 y and k** - k* K^-1 k*, coefficient by coefficient."""
    data = training_data(rotor_rates(scatter=0.2))
    found = basis.fit(data, Specification("basis", "M32", "physics", mean))
    wanted = all_of(rotor_rates((4, 7, 11)))
    of_mean = fit_mean(mean, data.transitions, data.log10_k)
    left = data.log10_k - of_mean(data.transitions)
    raw = physics_features(data.transitions)
    keep = raw.std(axis=0) > 0
    known, asked = (
        ((table - raw.mean(axis=0)) / np.where(keep, raw.std(axis=0), 1.0))[:, keep]
        for table in (raw, physics_features(wanted))
    )
    expected = of_mean(wanted) + left.mean(axis=0)
    spread = np.tile(found.basis.rest_variance, (len(wanted), 1))
    for vector, process in zip(found.basis.vectors, found.processes, strict=True):
        output = (left - left.mean(axis=0)) @ vector
        size2 = float((output**2).mean())
        variance, length = np.exp(process.parameters[0]), np.exp(process.parameters[1:-1])

        def kernel(
            a: FloatArray, b: FloatArray, variance: float = variance, length: FloatArray = length
        ) -> FloatArray:
            r = np.sqrt((((a[:, None] - b[None]) / length) ** 2).sum(axis=2))
            return np.asarray(variance * (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r))

        cross = kernel(asked, known)
        inverse = np.linalg.inv(kernel(known, known) + process.noise * np.eye(len(known)))
        expected += (cross @ inverse @ output)[:, None] * vector
        own = variance - ((cross @ inverse) * cross).sum(axis=1) + process.noise
        spread += own[:, None] * size2 * vector**2
    curves = found.curves(wanted)
    assert curves.mean == pytest.approx(expected, abs=2e-5)
    assert curves.variance == pytest.approx(spread, rel=1e-4)


def test_the_variance_is_the_diagonal_of_the_covariance(fitted: basis.BasisModel) -> None:
    wanted = all_of(rotor_rates((4, 7)))
    covariance = fitted.covariance(wanted)
    assert np.einsum("ntt->nt", covariance) == pytest.approx(fitted.curves(wanted).variance)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_the_likelihood_is_that_of_gaussian_curves_when_the_basis_is_whole() -> None:
    """With all m vectors kept the coefficients are a rotation of the curves, so the density is the same."""
    data = training_data(rotor_rates(scatter=0.2))
    found = basis.fit(data, PLAIN)
    assert len(found.processes) == data.log10_k.shape[1]
    n = len(data.transitions)
    total = 0.0
    for process, size in zip(found.processes, found.scale, strict=True):
        covariance = process._covariance.matrix(process.parameters[:-1], process.inputs)
        covariance = size**2 * (covariance + process.noise * np.eye(n))
        output = size * process.outputs
        total -= 0.5 * output @ np.linalg.solve(covariance, output)
        total -= 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    assert found.log_likelihood == pytest.approx(total, rel=1e-8)


def test_the_same_seed_gives_the_same_model() -> None:
    data = training_data(rotor_rates())
    specification = Specification("basis", "RBF", "paper", "constant")
    one, two, other = (basis.fit(data, specification, seed=seed, learn_from=20) for seed in (5, 5, 6))
    assert one.log_likelihood == two.log_likelihood
    assert np.array_equal(one.curves(data.transitions).mean, two.curves(data.transitions).mean)
    assert one.log_likelihood != other.log_likelihood


@pytest.mark.parametrize("mean", ["constant", "linear", "ios"])
def test_leaving_a_j_out_uses_none_of_its_data(mean: str) -> None:
    """Rates of j = 6 changed beyond recognition: its own prediction from the other j does not move at all."""
    data = training_data(rotor_rates())
    fitted = basis.fit(data, Specification("basis", "M52", "physics", mean))
    own = data.initial_j() == 6
    changed = replace(data, log10_k=np.where(own[:, None], 3.0 * data.log10_k, data.log10_k))
    before, after = fitted.leave_out(data), fitted.leave_out(changed)
    assert np.array_equal(after.mean[own], before.mean[own])
    assert np.abs(after.mean[~own] - before.mean[~own]).max() > 1.0


def test_leaving_a_j_out_fits_the_mean_anew_and_keeps_the_hyperparameters() -> None:
    """The slow way: mean of the other j, their coefficients in the same basis, conditioned on by hand."""
    data = training_data(rotor_rates(scatter=0.2))
    fitted = basis.fit(data, Specification("basis", "M52", "physics", "linear"))
    own = data.initial_j() == 9
    others = data.select(np.flatnonzero(~own))
    mean = fit_mean("linear", others.transitions, others.log10_k)
    left = others.log10_k - mean(others.transitions)
    expected = mean(data.transitions)[own] + left.mean(axis=0)
    spread = np.tile(fitted.basis.rest_variance, (int(own.sum()), 1))
    for vector, size, process in zip(fitted.basis.vectors, fitted.scale, fitted.processes, strict=True):
        output = (left - left.mean(axis=0)) @ vector / size
        alone = Process("M52", process.inputs[~own], output, process.parameters, 0.0, len(output))
        centre, variance = alone.posterior(process.inputs[own])
        expected += size * centre[:, None] * vector
        spread += size**2 * variance[:, None] * vector**2
    found = fitted.leave_out(data)
    assert found.mean[own] == pytest.approx(expected, abs=1e-7)
    assert found.variance[own] == pytest.approx(spread, rel=1e-6)


def test_means_fitted_beforehand_change_nothing() -> None:
    data = training_data(rotor_rates(scatter=0.2))
    specification = Specification("basis", "M32", "physics", "ios")
    folds = range(int(data.folds().max()) + 1)
    known = replace(
        data,
        means={"ios": data.mean("ios")},
        left_out={("ios", fold): data.mean_without("ios", fold) for fold in folds},
    )
    one, two = (basis.fit(each, specification) for each in (data, known))
    assert np.array_equal(one.curves(data.transitions).mean, two.curves(data.transitions).mean)
    assert np.array_equal(one.leave_out(data).mean, two.leave_out(known).mean)


def test_each_initial_j_is_a_fold_and_of_many_every_tenth() -> None:
    few, many = training_data(rotor_rates((3, 6, 9))), training_data(rotor_rates(tuple(range(1, 13))))
    together = [
        [np.unique(data.initial_j()[data.folds() == fold]).tolist() for fold in np.unique(data.folds())]
        for data in (few, many)
    ]
    assert together == [[[3], [6], [9]], [[1, 11], [2, 12], *([j] for j in range(3, 11))]]


def test_a_j_predicted_from_the_others_is_worse_and_less_certain(fitted: basis.BasisModel) -> None:
    rates = rotor_rates()
    truth = np.log10(rates.rate_cm3_s)
    alone, own = fitted.leave_out(training_data(rates)), fitted.curves(all_of(rates))
    assert np.abs(alone.mean - truth).mean() > np.abs(own.mean - truth).mean()
    assert (alone.variance.mean(axis=1) > own.variance.mean(axis=1)).all()


def test_curves_that_are_all_the_same_are_predicted_as_they_are() -> None:
    rates = rotor_rates()
    same = with_values(rates, np.tile(rates.rate_cm3_s[:1], (len(rates), 1)))
    found = basis.fit(training_data(same), PLAIN).curves(all_of(rotor_rates((5,))))
    assert found.mean == pytest.approx(np.tile(np.log10(rates.rate_cm3_s[:1]), (5, 1)), abs=1e-6)
    assert np.isfinite(found.variance).all()


def test_no_fit_ends_in_a_worthless_optimum_silently() -> None:
    rates = rotor_rates()
    values = 10.0 ** np.random.default_rng(1).normal(-11.0, 1.0, rates.rate_cm3_s.shape)
    with pytest.raises(FitError, match="does not explain its own training data"):
        basis.fit(
            training_data(with_values(rates, values)), Specification("basis", "LIN", "paper", "constant")
        )


def test_the_explained_share_is_one_for_a_perfect_fit_and_zero_for_the_mean_curve() -> None:
    curves = np.random.default_rng(92).normal(-11.0, 1.0, (8, 3))
    assert explained_share(curves, curves) == 1.0
    assert explained_share(curves, np.tile(curves.mean(axis=0), (8, 1))) == pytest.approx(0.0)


def test_the_number_of_parameters_counts_kernel_noise_and_mean(fitted: basis.BasisModel) -> None:
    """Matern 3/2: a variance, a length scale for each kept feature, noise; the mean: one a column."""
    kept = len(fitted.standardiser.keep)
    assert fitted.parameters == len(fitted.processes) * (kept + 2) + 6
