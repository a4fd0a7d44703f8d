"""The fast engine against a slow, obvious Gaussian process, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from rotor import all_of, rotor_rates, training_data, with_values

from ratedb.errors import FitError
from ratedb.models import basis
from ratedb.models.basis import TemperatureBasis
from ratedb.models.engine import Specification, explained_share
from ratedb.models.features import physics_features
from ratedb.models.means import fit_mean
from ratedb.tables import FloatArray

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


def test_leaving_a_j_out_uses_none_of_its_data() -> None:
    """Rates of j = 6 changed beyond recognition: its own prediction from the other j hardly moves.

    Mean, basis and hyperparameters still come from all, as the docstring says; so the processes are compared.
    """
    rates = rotor_rates()
    fitted = basis.fit(training_data(rates), PLAIN)
    own = rates.initial_j() == 6
    for process in fitted.processes:
        outputs = np.where(own, 100.0, process.outputs)
        changed = type(process)(
            process.kernel, process.inputs, outputs, process.parameters, 0.0, process.learnt_from
        )
        before, after = (one.leave_out(rates.initial_j()) for one in (process, changed))
        assert after[0][own] == pytest.approx(before[0][own], abs=1e-6)
        assert np.abs(after[0][~own] - before[0][~own]).max() > 1.0


def test_a_j_predicted_from_the_others_is_worse_and_less_certain(fitted: basis.BasisModel) -> None:
    rates = rotor_rates()
    truth = np.log10(rates.rate_cm3_s)
    alone, own = fitted.leave_out(rates.initial_j()), fitted.curves(all_of(rates))
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
