from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_tops import GRID, made_rates, top_levels

from ratedb.errors import FitError
from ratedb.models.engine import Curves
from ratedb.models.tops.features import FeatureMap, categories
from ratedb.models.tops.kernel import Points, TopKernel
from ratedb.models.tops.means import GroupMeans
from ratedb.models.tops.predictor import TopPredictor, calibrate, choose, fit, unit_folds, usable_training
from ratedb.models.tops.regression import Candidate
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.models.tops.units import least_variance_units, random_units, spread_units
from ratedb.rates import Rates


def parted(rates: Rates, share: float = 0.3) -> tuple[Rates, Rates]:
    structure, units = Structure.of(rates.levels), np.unique(rates.upper)
    chosen = np.isin(rates.upper, spread_units(structure, units, rates.levels.energy_cm1, share, 0))
    return rates.select(chosen), rates.select(~chosen)


@pytest.fixture(scope="module")
def parts() -> tuple[Rates, Rates]:
    return parted(made_rates(top_levels(7)))


@pytest.fixture(scope="module")
def model(parts: tuple[Rates, Rates]) -> TopPredictor:
    return fit(parts[0])


def rms(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).mean()))


def test_rates_by_a_law_are_predicted_better_than_by_group_means(
    parts: tuple[Rates, Rates], model: TopPredictor
) -> None:
    training, test = parts
    truth = np.log10(test.rate_cm3_s)
    groups = GroupMeans.fit(model.training, np.log10(training.rate_cm3_s))
    of_groups = groups(Jumps.of(model.structure, test.transitions))
    found = model.predict(test.transitions)
    assert rms(found.log10_rate - truth) < 0.5 * rms(of_groups - truth)
    assert not model.is_group_means
    assert "sudden law" in model.kept


def test_most_values_of_unseen_units_are_inside_their_intervals(
    parts: tuple[Rates, Rates], model: TopPredictor
) -> None:
    test = parts[1]
    low, high = model.predict(test.transitions).interval_cm3_s(0.95)
    inside = ((low <= test.rate_cm3_s) & (test.rate_cm3_s <= high)).mean()
    assert 0.9 <= inside <= 1.0


def left_out(error_dex: float, seed: int, name: str = "") -> tuple[Candidate, Curves]:
    """Return a candidate of this name and curves that are off zero by so much, shape (200, 4)."""
    mean = error_dex * np.random.default_rng(seed).standard_normal((200, 4))
    unused = GroupMeans(False, np.zeros(4), ())
    return Candidate(name, unused, None, np.ones(4)), Curves(mean, np.full((200, 4), error_dex**2))


def test_what_no_model_beats_stays_the_group_means() -> None:
    truth = np.zeros((200, 4))
    found = [left_out(0.2, 1, "group means"), left_out(0.4, 2, "linear gap"), left_out(0.5, 3, "sudden law")]
    members, weights, curves = choose(found, truth)
    assert [one.name for one in members] == ["group means"]
    assert weights == (1.0,)
    np.testing.assert_array_equal(curves.mean, found[0][1].mean)


def test_a_rare_large_error_keeps_the_group_means() -> None:
    truth = np.zeros((200, 4))
    name, groups = left_out(0.2, 1, "group means")
    other = np.full((200, 4), 0.05)
    other[:14] = 0.6  # less in the mean square, more in the largest 5 %
    members, _, _ = choose(
        [(name, groups), (left_out(0.1, 2, "linear gap")[0], Curves(other, np.ones((200, 4))))], truth
    )
    assert [one.name for one in members] == ["group means"]


def test_better_candidates_weigh_more_and_bad_ones_nothing() -> None:
    truth = np.zeros((200, 4))
    found = [
        left_out(0.5, 1, "group means"),
        left_out(0.20, 2, "linear gap"),
        left_out(0.22, 3, "sudden law"),
    ]
    members, weights, curves = choose(found, truth)
    assert [one.name for one in members] == ["linear gap", "sudden law"]
    assert weights[0] > weights[1] > 0.0
    assert sum(weights) == pytest.approx(1.0)
    assert rms(curves.mean) < 0.2  # independent errors


def test_intervals_are_half_way_between_what_processes_say_and_left_out_units() -> None:
    truth = np.zeros((200, 4))
    _, curves = left_out(0.1, 4)
    too_narrow = Curves(curves.mean, curves.variance / 9.0)
    assert calibrate(too_narrow, truth) == pytest.approx(np.sqrt(3.0) * calibrate(curves, truth))


def test_excitation_rates_change_nothing(parts: tuple[Rates, Rates], model: TopPredictor) -> None:
    training, test = parts
    reverse = replace(training, upper=training.lower, lower=training.upper)
    both = fit(Rates.join([training, replace(reverse, rate_cm3_s=1e-3 * reverse.rate_cm3_s)]))
    np.testing.assert_array_equal(
        both.predict(test.transitions).rate_cm3_s, model.predict(test.transitions).rate_cm3_s
    )


def test_rows_with_gaps_or_zeros_are_no_training_curves(
    parts: tuple[Rates, Rates], model: TopPredictor
) -> None:
    training = parts[0]
    rate = training.rate_cm3_s.copy()
    rate[0, 1], rate[5, 2] = 0.0, np.nan
    assert len(fit(replace(training, rate_cm3_s=rate)).training) == len(training) - 2


def test_two_units_are_too_few(parts: tuple[Rates, Rates]) -> None:
    training = parts[0]
    units = np.unique(training.upper)[-2:]
    with pytest.raises(FitError, match="too few initial states"):
        fit(training.select(np.isin(training.upper, units)))


def test_other_temperatures_are_interpolated(parts: tuple[Rates, Rates], model: TopPredictor) -> None:
    wanted = parts[1].transitions.select(np.arange(3))
    found = model.predict(wanted, np.array([50.0]))
    at_grid = model.predict(wanted)
    assert (found.rate_cm3_s[:, 0] > 0).all()
    np.testing.assert_array_equal(at_grid.temperature_k, GRID)


def test_what_lies_outside_the_training_is_marked(parts: tuple[Rates, Rates], model: TopPredictor) -> None:
    levels = parts[0].levels
    wanted = levels.downward_pairs()
    energy = levels.energy_cm1[wanted.upper]
    known = levels.energy_cm1[model.train_units]
    outside = model.extrapolated(wanted)
    assert outside[(energy > known.max()) | (energy < known.min())].all()
    assert not outside[np.isin(wanted.upper, model.train_units)].any()


def test_pairs_are_predicted_over_their_threshold() -> None:
    rates = made_rates(top_levels(5, partner=(0.0, 354.0)))
    training, test = parted(rates, 0.4)
    model = fit(training)
    error = model.predict(test.transitions).log10_rate - np.log10(test.rate_cm3_s)
    assert rms(error) < 0.15
    assert float(np.log10(test.rate_cm3_s).min()) < -20.0
    assert model.supports(test.transitions).all()
    jumps = Jumps.of(model.structure, test.transitions)
    elastic = test.transitions.select(jumps.partner_initial == jumps.partner_final)
    assert model.supports(elastic).all()
    unknown = fit(training.select(training.rate_cm3_s[:, 0] > 1e-20))
    jumps = Jumps.of(unknown.structure, test.transitions)
    excites = (jumps.partner_final > jumps.partner_initial) & (jumps.partner_gap_cm1 < -300.0)
    assert not unknown.supports(test.transitions)[excites & (jumps.partner_initial == 0)].any()


def test_folds_leave_out_whole_units() -> None:
    units = np.repeat(np.arange(20, 45), 3)
    folds = unit_folds(units, np.arange(50.0)[::-1])
    assert len(folds) == 10
    np.testing.assert_array_equal(np.sum(folds, axis=0), np.ones(75))
    for fold in folds:
        assert not set(units[fold]) & set(units[~fold])


def test_choices_of_units_reach_every_state_of_the_partner() -> None:
    levels = top_levels(6, partner=(0.0, 354.0))
    rates = made_rates(levels)
    structure, units = Structure.of(levels), np.unique(rates.upper)
    for seed in range(5):
        chosen = random_units(structure, units, 0.2, seed)
        spread = spread_units(structure, units, levels.energy_cm1, 0.2, seed)
        for one in (chosen, spread):
            assert set(structure.partner_of[one]) == {0, 1}
            assert set(one) <= set(units)
        for state in (0, 1):
            own = units[structure.partner_of[units] == state]
            assert own[levels.energy_cm1[own].argmax()] in spread
    np.testing.assert_array_equal(
        random_units(structure, units, 0.2, 3), random_units(structure, units, 0.2, 3)
    )


def test_the_first_unit_of_least_variance_is_the_one_that_explains_most() -> None:
    rates = made_rates(top_levels(3))
    rates = rates.select(np.isin(rates.upper, np.unique(rates.upper)[-6:]))
    transitions = rates.transitions
    jumps = Jumps.of(Structure.of(rates.levels), transitions)
    points = Points(FeatureMap.of(jumps)(jumps), categories(jumps))
    kernel = TopKernel(tuple(points.categories), points.features.shape[1])
    expected, _ = kernel.expected()
    covariance = kernel.matrix(expected, points, points)
    left = {}
    for unit in np.unique(jumps.unit).tolist():
        own = np.flatnonzero(jumps.unit == unit)
        known = covariance[np.ix_(own, own)] + kernel.noise(expected) * np.eye(len(own))
        explained = covariance[:, own] @ np.linalg.solve(known, covariance[own])
        left[unit] = float(np.trace(covariance - explained))
    assert len(transitions) <= 12 * len(left)
    assert min(left, key=left.__getitem__) in least_variance_units(transitions, 0.2, 0)


def pair_choices() -> tuple[Structure, Rates]:
    rates = made_rates(top_levels(6, partner=(0.0, 354.0)))
    return Structure.of(rates.levels), rates


def test_given_units_stay_and_count_towards_the_share() -> None:
    structure, rates = pair_choices()
    units, energy = np.unique(rates.upper), rates.levels.energy_cm1
    given = units[[3, 4, 20]]
    for alone, beside in (
        (random_units(structure, units, 0.3, 1), random_units(structure, units, 0.3, 1, given)),
        (
            spread_units(structure, units, energy, 0.3, 0),
            spread_units(structure, units, energy, 0.3, 0, given),
        ),
        (
            least_variance_units(rates.transitions, 0.3, 0),
            least_variance_units(rates.transitions, 0.3, 0, given),
        ),
    ):
        assert set(given) <= set(beside)
        assert len(beside) == len(alone)
        assert set(beside) <= set(units)


def test_spread_units_fill_the_largest_gap_between_those_given() -> None:
    levels = top_levels(7, last_ka=1)
    units = np.argsort(levels.energy_cm1)
    given = np.concatenate([units[:4], units[-2:]])
    share = (len(given) + 1) / len(units)
    found = spread_units(Structure.of(levels), units, levels.energy_cm1, share, 0, given)
    (new,) = set(found) - set(given)
    assert abs(int(np.flatnonzero(units == new)[0]) - (3 + len(units) - 2) / 2) <= 1.0


def test_spread_units_are_even_in_ka() -> None:
    levels = top_levels(12, last_ka=5)
    units, ka = np.arange(1, len(levels)), levels.quantum_numbers["ka"]
    for seed in range(4):
        found = spread_units(Structure.of(levels), units, levels.energy_cm1, 0.3, seed)
        for each in (1, 3, 5):
            assert abs((ka[found] == each).sum() - 0.3 * (ka[units] == each).sum()) <= 2.0


def test_least_variance_covers_every_state_of_the_partner() -> None:
    structure, rates = pair_choices()
    found = least_variance_units(rates.transitions, 0.2, 0)
    assert (np.bincount(structure.partner_of[found]) >= 3).all()


def test_states_of_a_partner_of_many_have_different_units() -> None:
    levels = top_levels(4, partner=tuple(50.0 * place for place in range(20)))
    structure = Structure.of(levels)
    units = np.flatnonzero(structure.target_of > 0)
    found = spread_units(structure, units, levels.energy_cm1, 0.1, 0)
    assert abs(len(found) - 0.1 * len(units)) <= 1.0
    assert len(set(structure.target_of[found])) >= 0.7 * len(set(structure.target_of))
    assert len(set(structure.partner_of[found])) >= 0.8 * 20


def test_group_means_keep_their_share_where_units_are_few() -> None:
    truth = np.zeros((200, 4))
    found = [left_out(0.5, 1, "group means"), left_out(0.2, 2, "linear gap")]
    members, weights, _ = choose(found, truth, 0.25)
    assert [one.name for one in members] == ["group means", "linear gap"]
    assert weights == pytest.approx((0.25, 0.75))


def test_of_too_many_rows_each_unit_gives_an_equal_share(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = made_rates(top_levels(7))
    monkeypatch.setattr("ratedb.models.tops.predictor.MOST_ROWS", len(rates) // 2)
    used = usable_training(rates, Structure.of(rates.levels))
    assert len(used) == len(rates) // 2
    for unit in np.unique(rates.upper):
        assert abs((used.upper == unit).sum() - 0.5 * (rates.upper == unit).sum()) <= 1.0
