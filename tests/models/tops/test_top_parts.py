from __future__ import annotations

import numpy as np
import pytest
from made_tops import made_rates, top_levels
from scipy.stats import multivariate_normal

from ratedb.models.tops.kernel import Points, TopKernel, inverse_of, negative_log_posterior
from ratedb.models.tops.means import GroupMeans, PlaneMean, fit_mean
from ratedb.models.tops.regression import LeftOutMean, fit_candidates, fit_residual
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.models.tops.sudden import _EXPECTED, NUMBERS, SuddenLaw, SuddenMean
from ratedb.physics.wigner import squared_3j_000
from ratedb.rates import Rates


def jumps_of(rates: Rates) -> Jumps:
    return Jumps.of(Structure.of(rates.levels), rates.transitions)


@pytest.fixture(scope="module")
def rates() -> Rates:
    return made_rates(top_levels())


def points(count: int = 25, seed: int = 5) -> Points:
    draw = np.random.default_rng(seed)
    categories = {name: draw.integers(0, 4, count) for name in ("group", "unit")}
    return Points(draw.standard_normal((count, 3)), categories)


def test_slopes_of_the_law_are_its_derivatives(rates: Rates) -> None:
    law = SuddenLaw(jumps_of(rates))
    at = _EXPECTED + 0.1 * np.random.default_rng(2).standard_normal(NUMBERS)
    _, slopes = law.value_and_slopes(at)
    for number, step in enumerate(1e-5 * np.eye(NUMBERS)):
        difference = (law.value_and_slopes(at + step)[0] - law.value_and_slopes(at - step)[0]) / 2e-5
        np.testing.assert_allclose(slopes[:, number], difference, atol=1e-6)


def test_the_law_of_a_linear_molecule_is_the_sum_over_l() -> None:
    from ratedb.levels import Levels

    j = np.arange(6.0)
    levels = Levels("ROD", tuple("abcdef"), 2.0 * j * (j + 1), 2 * j + 1, {"j": j})
    pairs = levels.downward_pairs()
    numbers = _EXPECTED.copy()
    numbers[[0, 9]] = -10.0, -30.0
    found, _ = SuddenLaw(Jumps.of(Structure.of(levels), pairs)).value_and_slopes(numbers)
    order = np.arange(1, 11)
    initial, final = j[pairs.upper].astype(int), j[pairs.lower].astype(int)
    rate_of_order = -10.0 + numbers[1] * (order - 1) + numbers[2] * np.log10(order) + numbers[6] * (order % 2)
    squares = squared_3j_000(initial[:, None], order[None, :], final[:, None])
    total = np.log10((2 * final + 1) * (squares * 10.0**rate_of_order).sum(axis=1))
    gap = levels.energy_cm1[pairs.upper] - levels.energy_cm1[pairs.lower]
    np.testing.assert_allclose(found, total - numbers[10] * np.sqrt(gap), atol=1e-9)


def test_the_law_is_found_again_in_what_it_made() -> None:
    rates = made_rates(top_levels(), noise_dex=0.0)
    log10_k = np.log10(rates.rate_cm3_s)
    mean = SuddenMean.fit(jumps_of(rates), log10_k)
    assert np.abs(mean(jumps_of(rates)) - log10_k).max() < 0.02


def test_group_means_shrink_to_coarser_groups(rates: Rates) -> None:
    jumps, log10_k = jumps_of(rates), np.log10(rates.rate_cm3_s)
    found = GroupMeans.fit(jumps, log10_k)(jumps)
    keys = jumps.differences()
    row = 17
    overall = log10_k.mean(axis=0)
    every = (log10_k.sum(axis=0) + overall) / (len(log10_k) + 1)
    same_dj = log10_k[keys[:, 0] == keys[row, 0]]
    coarse = (same_dj.sum(axis=0) + every) / (len(same_dj) + 1)
    same = log10_k[(keys == keys[row]).all(axis=1)]
    np.testing.assert_allclose(found[row], (same.sum(axis=0) + coarse) / (len(same) + 1))


def test_a_group_that_was_not_trained_has_the_mean_of_a_coarser_one(rates: Rates) -> None:
    jumps, log10_k = jumps_of(rates), np.log10(rates.rate_cm3_s)
    keys = jumps.differences()
    one = np.flatnonzero((keys == keys[17]).all(axis=1))
    rest = np.flatnonzero(~(keys == keys[17]).all(axis=1))
    mean = GroupMeans.fit(jumps.select(rest), log10_k[rest])
    known = log10_k[rest][keys[rest, 0] == keys[17, 0]]
    expected = mean(jumps.select(one))[0]
    assert np.abs(expected - known.mean(axis=0)).max() < 0.2


def test_a_plane_is_found_again(rates: Rates) -> None:
    jumps = jumps_of(rates)
    truth = PlaneMean.fit(jumps, np.log10(rates.rate_cm3_s))(jumps)
    again = PlaneMean.fit(jumps, truth)(jumps)
    assert np.abs(again - truth).max() < 0.05


def test_the_covariance_is_its_formula() -> None:
    some, kernel = points(6), TopKernel(("group", "unit"), 3)
    parameters = np.linspace(-1.5, 0.8, 9)
    variance, lengths = np.exp(parameters[:6]), np.exp(parameters[6:])
    found = kernel.with_noise(parameters, some)
    for i in range(6):
        for k in range(6):
            a, b = some.features[i], some.features[k]
            r = np.sqrt(5.0 * (((a - b) / lengths) ** 2).sum())
            smooth = (1 + r + r * r / 3) * np.exp(-r)
            same = [some.categories[name][i] == some.categories[name][k] for name in ("group", "unit")]
            expected = variance[0] * (1 + a @ b / 3) + variance[1] * smooth + variance[2] * same[1] * smooth
            expected += variance[3] * same[0] + variance[4] * same[1] + (i == k) * (variance[5] + 1e-6)
            assert found[i, k] == pytest.approx(expected)
    np.testing.assert_allclose(
        kernel.diagonal(parameters, some) + kernel.noise(parameters), np.diag(found), rtol=1e-12
    )


def test_the_likelihood_is_that_of_a_normal_vector_and_its_gradient_its_derivative() -> None:
    some, kernel = points(), TopKernel(("group", "unit"), 3)
    outputs = np.random.default_rng(8).standard_normal(25)
    expected, spread = kernel.expected()
    same = kernel.same(some, some)
    at, other = expected + 0.3, expected - 0.2
    values = {}
    for key, parameters in (("at", at), ("other", other)):
        density = multivariate_normal(np.zeros(25), kernel.with_noise(parameters, some)).logpdf(outputs)
        prior = -0.5 * (((parameters - expected) / spread) ** 2).sum()
        values[key] = negative_log_posterior(kernel, some, outputs, parameters, same)[0] + density + prior
    assert values["at"] == pytest.approx(values["other"])  # a constant
    _, gradient = negative_log_posterior(kernel, some, outputs, at, same)
    for number, step in enumerate(1e-5 * np.eye(len(at))):
        up, down = (
            negative_log_posterior(kernel, some, outputs, at + sign * step, same)[0] for sign in (1, -1)
        )
        assert gradient[number] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-5)


def test_the_inverse_is_none_without_a_factor() -> None:
    assert inverse_of(-np.eye(3)) is None
    found = inverse_of(4.0 * np.eye(3))
    assert found is not None
    np.testing.assert_allclose(found[0], 0.25 * np.eye(3))
    assert found[1] == pytest.approx(0.5 * np.log(64.0))


def test_left_out_curves_are_those_of_a_process_without_the_rows(rates: Rates) -> None:
    few = rates.select(np.arange(0, len(rates), 3))
    jumps, log10_k = jumps_of(few), np.log10(few.rate_cm3_s)
    mean = fit_mean("linear gap", jumps, log10_k)(jumps)
    left = log10_k - mean
    residual = fit_residual(jumps, mean, left, False, 0)
    fold = jumps.unit == jumps.unit[-1]
    found = residual.without(fold, left[~fold])
    centre = left[~fold].mean(axis=0)
    outputs = (left[~fold] - centre) @ residual.basis.vectors.T / residual.scale
    known, wanted = (
        residual.points.select(np.flatnonzero(~fold)),
        residual.points.select(np.flatnonzero(fold)),
    )
    expected = np.tile(centre, (int(fold.sum()), 1))
    for c, parameters in enumerate(residual.parameters):
        inverse = np.linalg.inv(residual.kernel.with_noise(parameters, known))
        cross = residual.kernel.matrix(parameters, wanted, known)
        one = cross @ inverse @ outputs[:, c]
        expected += residual.scale[c] * np.outer(one, residual.basis.vectors[c])
    np.testing.assert_allclose(found.mean, expected, atol=1e-6)


def test_group_means_are_judged_by_groups_without_the_own_fold(rates: Rates) -> None:
    few = rates.select(np.arange(0, len(rates), 3))
    jumps, log10_k = jumps_of(few), np.log10(few.rate_cm3_s)
    folds = tuple(jumps.unit % 3 == fold for fold in range(3))
    mean = LeftOutMean.fit("group means", jumps, log10_k, folds)
    own = np.flatnonzero(~folds[1])
    expected = GroupMeans.fit(jumps.select(own), log10_k[own])(jumps)
    np.testing.assert_allclose(mean.residual(log10_k)[folds[1]], (log10_k - expected)[folds[1]])
    (alone, curves), _ = fit_candidates(jumps, log10_k, mean, 0)
    assert alone.name == "group means"
    np.testing.assert_allclose(curves.mean[folds[1]], expected[folds[1]])
