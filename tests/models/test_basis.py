"""The engine against a slow, obvious Gaussian process, against its own copy, and against CO."""

from __future__ import annotations

import json

import numpy as np
import pytest
from real import co_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.models import basis
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.basis import TemperatureBasis, from_stored, to_stored
from ratedb.models.features import Standardiser, Transitions, paper_features, physics_features
from ratedb.models.kernels import BASE_KERNELS, DISTINCT_KERNELS, check_kernel
from ratedb.models.metrics import metrics
from ratedb.models.search import search
from ratedb.models.training_set import at_temperatures, complete_block, rates_of_j
from ratedb.tables import LevelTable, RateTable

TRAIN_J, VALIDATE_J = (5, 9, 14, 19), (6, 10)


def rotor_rates(train_j: tuple[int, ...] = (3, 6, 9, 12), scatter: float = 0.01, seed: int = 3) -> RateTable:
    """Return made-up rates of a rotor: a smooth law in j, dj and T with a little scatter."""
    j = np.arange(14)
    levels = LevelTable("AB", tuple(map(str, j)), 1.5 * j * (j + 1), 2.0 * j + 1, np.zeros(14), j)
    upper, lower = np.tril_indices(14, -1)
    keep = np.isin(upper, train_j)
    upper, lower = upper[keep], lower[keep]
    temperature = np.linspace(20.0, 300.0, 6)
    dj = (upper - lower)[:, None]
    log10_k = -10.5 - 0.25 * dj + 0.4 * np.log10(temperature / 100.0) * (1 + 0.1 * dj) + 0.02 * lower[:, None]
    log10_k += np.random.default_rng(seed).normal(0.0, scatter, log10_k.shape)
    return RateTable(levels, "He", upper, lower, temperature, 10.0**log10_k)


def all_of(rates: RateTable) -> Transitions:
    return Transitions(rates.levels, rates.upper, rates.lower)


@pytest.fixture(scope="module")
def fitted() -> basis.BasisModel:
    return basis.fit(rotor_rates(), "M32", "physics")


def test_features_of_the_paper_are_its_equation_10_without_temperature() -> None:
    levels = LevelTable("SiO", ("0_3", "1_5"), np.array([3.0, 1240.0]), np.array([7.0, 11.0]), [0, 1], [3, 5])
    features = paper_features(Transitions(levels, np.array([1]), np.array([0])))
    assert features.tolist() == [[-1, -2, 1, 5, 0, 3, 0, 1]]
    physical = physics_features(Transitions(levels, np.array([1]), np.array([0])))
    assert physical[0] == pytest.approx([1, 0, 5, 3, 2, 0, np.sqrt(1237.0), np.log(7.0)])


def test_a_feature_that_is_constant_in_training_is_left_out() -> None:
    features = np.array([[1.0, 5.0], [3.0, 5.0]])
    standardiser = Standardiser.of(features)
    assert standardiser(features).tolist() == [[-1.0], [1.0]]


def test_the_temperature_basis_is_orthonormal_and_gives_the_curves_back() -> None:
    log10_k = np.log10(rotor_rates().rate_cm3_s)
    found = TemperatureBasis.of(log10_k)
    assert found.vectors @ found.vectors.T == pytest.approx(np.eye(len(found.vectors)), abs=1e-12)
    back = found.coefficients(log10_k) @ found.vectors + found.mean
    assert ((back - log10_k) ** 2).mean(axis=0) == pytest.approx(found.rest_variance)


def test_prediction_equals_a_gaussian_process_written_out_in_numpy() -> None:
    """Matern 3/2 with the fitted parameters: k* K^-1 y and k** - k* K^-1 k*, all coefficients alike."""
    fitted = basis.fit(rotor_rates(scatter=0.2), "M32", "physics")
    positive = {name: np.logaddexp(0.0, value) for name, value in fitted.parameters.items()}
    length, variance = positive[".kernel.lengthscales"], positive[".kernel.variance"]
    noise = positive[".likelihood.variance"] + 1e-6  # GPflow's lower bound of the noise

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        r = np.sqrt((((a[:, None] - b[None]) / length) ** 2).sum(axis=2))
        return np.asarray(variance * (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r))

    wanted = all_of(rotor_rates((4, 7, 11)))
    inputs = fitted.standardiser(physics_features(wanted))
    cross = kernel(inputs, fitted.inputs)
    inverse = np.linalg.inv(kernel(fitted.inputs, fitted.inputs) + noise * np.eye(len(fitted.inputs)))
    mean = (cross @ inverse @ fitted.outputs * fitted.scale) @ fitted.basis.vectors + fitted.basis.mean
    one = variance - ((cross @ inverse) * cross).sum(axis=1) + noise
    spread = (one[:, None] * fitted.scale**2) @ fitted.basis.vectors**2 + fitted.basis.rest_variance
    found = basis.predict(fitted, wanted)
    assert found.log10_mean == pytest.approx(mean, abs=1e-6)
    assert found.log10_std**2 == pytest.approx(spread, rel=1e-4)


def test_a_model_read_back_from_arrays_and_json_predicts_the_same_numbers(fitted: basis.BasisModel) -> None:
    state, arrays = to_stored(fitted)
    again = from_stored(json.loads(json.dumps(state)), arrays)
    wanted = all_of(rotor_rates((4, 7, 11)))
    first, second = basis.predict(fitted, wanted), basis.predict(again, wanted)
    assert np.array_equal(first.log10_mean, second.log10_mean)
    assert np.array_equal(first.log10_std, second.log10_std)


def test_a_stored_model_is_data_never_code(fitted: basis.BasisModel) -> None:
    state, arrays = to_stored(fitted)
    assert b"pickle" not in arrays
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored(state, arrays[: len(arrays) // 2])
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored({**state, "format": 99}, arrays)


def test_the_same_seed_gives_the_same_model() -> None:
    one, two = (basis.fit(rotor_rates(), "RBF", "paper", seed=5) for _ in range(2))
    assert one.log_marginal_likelihood == two.log_marginal_likelihood
    assert all(np.array_equal(one.parameters[name], two.parameters[name]) for name in one.parameters)


def test_uncertainty_grows_away_from_the_training_j(fitted: basis.BasisModel) -> None:
    levels = fitted_levels()
    pairs = [(6, 5), (13, 0)]
    upper, lower = np.array(pairs).T
    std = basis.predict(fitted, Transitions(levels, upper, lower)).log10_std.mean(axis=1)
    assert std[1] > 1.2 * std[0]


def test_transitions_outside_the_training_are_marked_as_extrapolated(fitted: basis.BasisModel) -> None:
    upper, lower = np.array([(7, 6), (2, 1), (13, 12), (13, 0)]).T
    found = basis.predict(fitted, Transitions(fitted_levels(), upper, lower)).extrapolated
    assert found.tolist() == [False, True, True, True]


def fitted_levels() -> LevelTable:
    return rotor_rates().levels


def test_one_training_j_or_too_few_transitions_is_refused() -> None:
    with pytest.raises(RatedbError, match="training set is too small"):
        basis.fit(rotor_rates((6,)), "M32", "paper")


def test_no_run_ends_in_a_worthless_optimum_silently() -> None:
    noise = rotor_rates()
    values = 10.0 ** np.random.default_rng(1).normal(-11.0, 1.0, noise.rate_cm3_s.shape)
    random = RateTable(noise.levels, "He", noise.upper, noise.lower, noise.temperature_k, values)
    with pytest.raises(RatedbError, match="does not explain its own training data"):
        basis.fit(random, "LIN", "paper")


def test_exp_and_matern_12_are_one_function_so_one_is_trained() -> None:
    assert set(BASE_KERNELS) - set(DISTINCT_KERNELS) == {"M12"}
    exp, matern = (basis.fit(rotor_rates(), name, "physics") for name in ("EXP", "M12"))
    wanted = all_of(rotor_rates((4, 7)))
    assert np.array_equal(basis.predict(exp, wanted).log10_mean, basis.predict(matern, wanted).log10_mean)


def test_kernels_are_read_from_text_with_sums_and_products() -> None:
    assert check_kernel(" m52 * exp + M32 ") == "M52*EXP+M32"
    model = basis.fit(rotor_rates(), "M52*EXP+M32", "physics")
    assert len([name for name in model.parameters if "lengthscales" in name]) == 3
    for wrong in ("", "M99", "M32+", "M32**RBF", "(M32)"):
        with pytest.raises(UsageError, match="not a kernel"):
            check_kernel(wrong)


def test_a_zero_or_missing_rate_leaves_its_transition_out_and_says_so() -> None:
    rates = rotor_rates()
    values = rates.rate_cm3_s.copy()
    values[3, 2], values[5, 0] = 0.0, np.nan
    block, warnings = complete_block(
        RateTable(rates.levels, "He", rates.upper, rates.lower, rates.temperature_k, values)
    )
    assert len(block) == len(rates) - 2
    assert warnings == ["2 transitions with a zero or missing rate are left out of training"]


def test_a_temperature_that_few_transitions_have_is_left_out_and_said() -> None:
    rates = rotor_rates()
    values = rates.rate_cm3_s.copy()
    values[5:, 0] = np.nan
    block, warnings = complete_block(
        RateTable(rates.levels, "He", rates.upper, rates.lower, rates.temperature_k, values)
    )
    assert len(block.temperature_k) == len(rates.temperature_k) - 1
    assert len(block) == len(rates)
    assert "1 temperatures" in warnings[0]


def test_an_empty_training_set_is_refused() -> None:
    rates = rotor_rates()
    with pytest.raises(RatedbError, match="training set is empty"):
        complete_block(rates.select(np.zeros(len(rates), dtype=bool)))
    with pytest.raises(RatedbError, match="no rates out of some j"):
        rates_of_j(rates, (3, 13), "training")


def test_temperatures_are_matched_by_value_and_missing_ones_stay_missing() -> None:
    rates = rotor_rates()
    matched = at_temperatures(rates, np.array([20.0, 300.0, 999.0]))
    assert np.array_equal(matched.rate_cm3_s[:, :2], rates.rate_cm3_s[:, [0, -1]])
    assert np.isnan(matched.rate_cm3_s[:, 2]).all()


def test_on_co_at_n_4_the_model_beats_naive_interpolation_by_far() -> None:
    rates = co_rates()
    training = rates_of_j(rates, TRAIN_J, "training")
    validation = rates_of_j(rates, VALIDATE_J, "validation")
    found = search(training, validation, ("M32", "M52", "RBF"), ("paper", "physics"))
    test = rates.select((rates.initial_j() >= 5) & ~np.isin(rates.initial_j(), TRAIN_J))
    prediction = basis.predict(found.model, all_of(test))
    model = metrics(test.rate_cm3_s, prediction.log10_mean, prediction.log10_std)
    naive = metrics(test.rate_cm3_s, interpolate_in_j(training, all_of(test)))
    assert model.dex_rms < 0.4 * naive.dex_rms
    assert model.factor_p95 - 1 < 0.25 * (naive.factor_p95 - 1)
    assert found.model.features == "physics"
    assert len(found.tried) == 6
    assert found.validation.dex_rms == min(t.validation_dex_rms for t in found.tried if t.validation_dex_rms)


def test_each_j_from_the_others_uses_none_of_its_own_data(fitted: basis.BasisModel) -> None:
    rates = rotor_rates()
    initial_j = rates.initial_j()
    mean, std = basis.predict_each_j_from_others(fitted, initial_j)
    own = basis.predict(fitted, all_of(rates))
    truth = np.log10(rates.rate_cm3_s)
    assert np.abs(mean - truth).mean() > np.abs(own.log10_mean - truth).mean()
    assert (std.mean(axis=1) > own.log10_std.mean(axis=1)).all()
