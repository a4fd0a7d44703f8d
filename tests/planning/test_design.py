"""Claims about choosing training j by posterior variance, against dense algebra and all sets one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from rough import rough_rates
from synthetic import rotor_levels

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import FitError, RatedbError
from ratedb.models.engine import TrainingData
from ratedb.models.features import physics_features, spin_features
from ratedb.planning import best_sets as best_sets_module
from ratedb.planning.best_sets import best_sets
from ratedb.planning.design import Design, DesignSet, Hyperparameters, learn, target_transitions
from ratedb.rates import Rates

TARGET = tuple(range(2, 10))
LEVELS = rotor_levels(9, molecule="AB")
# Of the physics features v and v' are the same for all.
KEEP = np.arange(2, 8)
VARIANCE, LENGTHS, NOISE = 0.7, np.array([1.1, 0.8, 1.5, 2.0, 1.3, 0.9]), 0.01
SPREAD_DEX = 0.3
# Given j, and those of them that belong into every set: the top of the lowest run and what lies above.
ANCHORS = [((), ()), ((2,), (2,)), ((2, 3, 4), (4,)), ((2, 6), (2, 6)), ((0, 1, 5), (5,)), ((0, 1), ())]


def hyperparameters(lengths: FloatArray = LENGTHS) -> Hyperparameters:
    parameters = np.log([VARIANCE, *lengths, NOISE])
    return Hyperparameters("physics", parameters, KEEP, SPREAD_DEX)


def a_design(
    given: tuple[int, ...] = (2,), target: tuple[int, ...] = TARGET, lengths: FloatArray = LENGTHS
) -> Design:
    transitions = target_transitions(LEVELS, target, 0, False, "AB")
    return Design(transitions, hyperparameters(lengths), target, given)


def other_lengths(seed: int) -> FloatArray:
    return np.exp(np.random.default_rng(seed).uniform(-1.0, 1.5, len(LENGTHS)))


def dense_prior(design: Design) -> FloatArray:
    """Return the prior covariance, written out: Matern 3/2, and a plane of coefficients with variance 1e3."""
    table = physics_features(design.transitions)[:, KEEP]
    inputs = (table - table.mean(axis=0)) / table.std(axis=0)
    r = np.sqrt((((inputs[:, None] - inputs[None]) / LENGTHS) ** 2).sum(axis=2))
    kernel = VARIANCE * (1.0 + np.sqrt(3.0) * r) * np.exp(-np.sqrt(3.0) * r)
    return np.asarray(kernel + 1e3 * (1.0 + inputs @ inputs.T))


def dense_posterior(design: Design, train_j: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Return covariance (n, n) and weights (n, m) of what is known (Rasmussen & Williams 2006, 2.24)."""
    prior = dense_prior(design)
    known = np.isin(initial_j(design), train_j)
    own = prior[np.ix_(known, known)] + (NOISE + 1e-6) * np.eye(int(known.sum()))
    weights = prior[:, known] @ np.linalg.inv(own)
    return prior - weights @ prior[known], weights


def initial_j(design: Design) -> IntArray:
    return np.array([int(LEVELS.label[level]) for level in design.transitions.upper])


def brute_force(
    design: Design,
    anchors: tuple[int, ...],
    size: int,
    affordable: Callable[[tuple[int, ...]], bool] = lambda train_j: True,
) -> DesignSet | None:
    """Judge every set of a size that contains the anchors."""
    every = [one for one in combinations(design.target, size) if set(anchors) <= set(one)]
    judged = [one for train_j in every if affordable(train_j) and (one := design.judge(train_j)) is not None]
    return min(judged, key=lambda one: one.expected_dex, default=None)


@pytest.mark.parametrize("train_j", [(5,), (2, 5), (2, 5, 9), (2, 3, 4, 8, 9)])
def test_the_covariance_after_several_j_is_that_of_the_process_conditioned_at_once(
    train_j: tuple[int, ...],
) -> None:
    design = a_design()
    expected, _ = dense_posterior(design, train_j)
    # The vague plane has variances of thousands; what is left of them is good to 1e-6.
    np.testing.assert_allclose(design.given_all(train_j), expected, rtol=1e-6, atol=1e-6)
    *first, last = train_j
    variance = design.variance_given(design.given_all(first), last)
    np.testing.assert_allclose(variance, np.diag(expected), rtol=1e-6, atol=1e-6)


def test_without_any_j_the_covariance_is_the_prior() -> None:
    design = a_design()
    np.testing.assert_allclose(design.given_all(()), dense_prior(design), rtol=1e-10)


def test_the_order_in_which_j_become_known_does_not_matter() -> None:
    design = a_design()
    first = design.given_all((3, 6, 8))
    for order in permutations((3, 6, 8)):
        np.testing.assert_allclose(design.given_all(order), first, rtol=1e-6, atol=1e-7)


def test_one_more_j_never_raises_a_variance() -> None:
    design = a_design()
    covariance = design.prior
    for known in (5, 2, 8):
        for j in TARGET:
            more = design.variance_given(covariance, j)
            assert (more <= np.diag(covariance) * (1 + 1e-9) + 1e-9).all()
            assert more.sum() < np.diag(covariance).sum()
        covariance = design.given_one(covariance, known)


def test_a_set_is_judged_by_the_variance_of_what_it_neither_trains_nor_validates() -> None:
    design = a_design()
    judged = design.judge((2, 5, 9))
    assert judged is not None
    assert (judged.train_j, judged.validate_j) == ((2, 5, 9), (3, 6))
    covariance, _ = dense_posterior(design, (2, 5, 9))
    left = np.diag(covariance)[np.isin(initial_j(design), (4, 7, 8))]
    assert judged.expected_dex == pytest.approx(SPREAD_DEX * np.sqrt(left.mean() + NOISE + 1e-6), rel=1e-6)


def test_given_j_are_known_whether_they_train_or_not() -> None:
    design = a_design((2, 3, 4))
    judged = design.judge((4, 7))
    assert judged is not None
    assert (judged.train_j, judged.validate_j) == ((4, 7), (5, 8))
    covariance, _ = dense_posterior(design, (4, 7))
    left = np.diag(covariance)[np.isin(initial_j(design), (6, 9))]
    assert judged.expected_dex == pytest.approx(SPREAD_DEX * np.sqrt(left.mean() + NOISE + 1e-6), rel=1e-6)
    assert design.judge((4, 6, 9)) is not None  # 7 is left
    assert design.judge((4, 6, 7, 9)) is None  # given ones only


def test_the_expected_error_is_the_mean_error_on_rates_drawn_from_the_process() -> None:
    design = a_design()
    judged = design.judge((2, 5, 9))
    assert judged is not None
    _, weights = dense_posterior(design, (2, 5, 9))
    random = np.random.default_rng(11)
    prior = dense_prior(design)
    root = np.linalg.cholesky(prior + 1e-9 * np.eye(len(prior)))
    drawn = root @ random.normal(size=(len(root), 1000))
    drawn += np.sqrt(NOISE) * random.normal(size=drawn.shape)
    j = initial_j(design)
    error = SPREAD_DEX * (weights @ drawn[np.isin(j, (2, 5, 9))] - drawn)[np.isin(j, (4, 7, 8))]
    assert judged.expected_dex == pytest.approx(float(np.sqrt((error**2).mean())), rel=0.03)


def test_a_set_without_room_for_a_validation_set_is_not_judged() -> None:
    design = a_design(target=(2, 3, 4, 5, 6))
    assert design.judge((2, 3, 4)) is None
    assert design.validation((2, 3, 4)) is None
    assert design.judge((2, 4)) is not None  # (3, 6) validate, 5 is left
    assert a_design(target=(2, 3, 4, 5)).judge((2, 4)) is None  # nothing would be left


@pytest.mark.parametrize(("given", "anchors"), ANCHORS)
def test_the_best_set_of_each_size_is_the_one_with_the_least_expected_error(
    given: tuple[int, ...], anchors: tuple[int, ...]
) -> None:
    design = a_design(given)
    found = best_sets(design, range(1, 9), optimiser="exhaustive")
    expected = {size: brute_force(design, anchors, size) for size in range(1, 9)}
    assert set(found) == {size for size, best in expected.items() if best is not None}
    assert max(found) == 5  # and two to validate, and one to predict
    for size, best in found.items():
        wanted = expected[size]
        assert wanted is not None
        assert (best.train_j, best.validate_j) == (wanted.train_j, wanted.validate_j)
        assert best.expected_dex == pytest.approx(wanted.expected_dex, rel=1e-6)


@pytest.mark.parametrize("optimiser", ["exhaustive", "greedy"])
@pytest.mark.parametrize(("given", "anchors"), ANCHORS)
def test_every_set_has_its_size_the_anchors_and_a_validation_set_of_its_own(
    optimiser: str, given: tuple[int, ...], anchors: tuple[int, ...]
) -> None:
    for size, best in best_sets(a_design(given), range(1, 6), optimiser=optimiser).items():
        assert len(best.train_j) == len(set(best.train_j)) == size
        assert set(anchors) <= set(best.train_j) <= set(TARGET)
        assert best.train_j == tuple(sorted(best.train_j))
        assert len(best.validate_j) == 2
        assert set(best.validate_j) <= set(TARGET) - set(best.train_j)


@pytest.mark.parametrize("seed", range(4))
def test_the_greedy_search_is_never_better_than_all_sets_and_nearly_as_good(seed: int) -> None:
    design = a_design((2,), lengths=other_lengths(seed))
    every = best_sets(design, (2, 3, 4, 5), optimiser="exhaustive")
    greedy = best_sets(design, (2, 3, 4, 5), optimiser="greedy")
    assert set(greedy) == set(every) == {2, 3, 4, 5}
    for size, best in every.items():
        assert best.expected_dex <= greedy[size].expected_dex * (1 + 1e-9)
        assert greedy[size].expected_dex <= 1.05 * best.expected_dex


def test_swaps_mend_what_adding_one_j_after_the_other_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    design = a_design((), lengths=other_lengths(seed=0))
    best = best_sets(design, (4,), optimiser="exhaustive")[4]
    swapped = best_sets(design, (4,), optimiser="greedy")[4]
    monkeypatch.setattr(best_sets_module, "_MOST_SWEEPS", 0)
    added = best_sets(design, (4,), optimiser="greedy")[4]
    assert swapped.train_j == best.train_j
    assert added.expected_dex > 1.02 * swapped.expected_dex


def test_sizes_that_are_not_asked_for_are_not_there() -> None:
    for optimiser in ("exhaustive", "greedy"):
        assert set(best_sets(a_design((2, 6)), (1, 4), optimiser=optimiser)) == {4}


@pytest.mark.parametrize("limit", [9, 14, 17, 25])
def test_no_optimiser_takes_a_set_that_is_not_affordable(limit: int) -> None:
    design = a_design((2,))
    asked = []

    def affordable(train_j: tuple[int, ...]) -> bool:
        asked.append(train_j)
        return sum(train_j) <= limit

    every = best_sets(design, range(1, 6), affordable, "exhaustive")
    assert asked
    expected = {size: brute_force(design, (2,), size, lambda j: sum(j) <= limit) for size in range(1, 6)}
    assert {size: best.train_j for size, best in every.items()} == {
        size: best.train_j for size, best in expected.items() if best is not None
    }
    greedy = best_sets(design, range(1, 6), affordable, "greedy")
    assert set(greedy) <= set(every)
    assert len(greedy) > 1
    for size, best in greedy.items():
        assert sum(best.train_j) <= limit
        assert best.expected_dex >= every[size].expected_dex * (1 - 1e-9)


@pytest.mark.parametrize("optimiser", ["exhaustive", "greedy"])
def test_anchors_alone_must_be_affordable_too(optimiser: str) -> None:
    assert best_sets(a_design((2, 6)), (2, 3), lambda train_j: False, optimiser) == {}


def test_auto_judges_all_sets_where_that_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    design, said = a_design(), []
    quick = best_sets(design, (3,), progress=said.append)
    assert said == ["judging all sets of 3 j"]
    assert quick == best_sets(design, (3,), optimiser="exhaustive")
    monkeypatch.setattr(best_sets_module, "_MOST_WORK", 0.0)
    said.clear()
    assert best_sets(design, (3,), progress=said.append) == best_sets(design, (3,), optimiser="greedy")
    assert said[0] == "adding a j to 1"


def test_the_transitions_are_all_that_leave_the_target_downwards() -> None:
    found = target_transitions(LEVELS, (3, 5), 0, False, "AB")
    pairs = set(zip(found.upper.tolist(), found.lower.tolist(), strict=True))
    assert pairs == {(j, final) for j in (3, 5) for final in range(j)}


def test_vibrational_levels_above_v_max_or_the_last_j_are_left_out() -> None:
    levels = rotor_levels(6, molecule="AB", v_max=2)
    v, j = levels.need_vj()
    found = target_transitions(levels, (2, 4), 1, False, "AB")
    names = {(v[a], j[a], v[b], j[b]) for a, b in zip(found.upper, found.lower, strict=True)}
    within = {(0, initial, 0, final) for initial in (2, 4) for final in range(initial)}
    within |= {(1, initial, 1, final) for initial in (2, 4) for final in range(initial)}
    within |= {(1, initial, 0, final) for initial in (2, 4) for final in range(5)}
    assert names == within
    assert len(found) == len(within)


def test_a_molecule_without_levels_is_a_rigid_rotor_whatever_its_constant() -> None:
    without = target_transitions(None, TARGET, 0, False, "CD")
    assert len(without) == sum(TARGET)
    assert without.levels.molecule == "CD"
    bare = Design(without, hyperparameters(), TARGET, (2,)).judge((2, 5, 9))
    known = a_design().judge((2, 5, 9))
    assert bare is not None
    assert known is not None
    assert bare.expected_dex == pytest.approx(known.expected_dex, rel=1e-6)


def test_a_molecule_without_levels_has_no_vibration() -> None:
    with pytest.raises(RatedbError, match="levels of CD are not in the store") as caught:
        target_transitions(None, TARGET, 1, False, "CD")
    assert "--v-max above 0" in str(caught.value.expected)


def test_levels_that_do_not_reach_the_target_are_refused() -> None:
    with pytest.raises(RatedbError, match="do not reach the target") as caught:
        target_transitions(LEVELS, (8, 9, 10, 11), 0, False, "AB")
    assert caught.value.got == "no transitions out of j = 10, 11"


def test_even_only_leaves_out_odd_changes_of_j_and_their_feature() -> None:
    found = target_transitions(LEVELS, TARGET, 0, True, "AB")
    pairs = set(zip(found.upper.tolist(), found.lower.tolist(), strict=True))
    assert pairs == {(j, final) for j in TARGET for final in range(j) if (j - final) % 2 == 0}
    with pytest.raises(RatedbError, match="other quantum numbers"):
        Design(found, hyperparameters(), TARGET, (2,))
    without_parity = replace(hyperparameters(np.delete(LENGTHS, 3)), keep=np.delete(KEEP, 3))
    assert Design(found, without_parity, TARGET, (2,)).judge((2, 5, 9)) is not None


def test_hyperparameters_of_a_system_with_other_quantum_numbers_are_refused() -> None:
    vibrating = rotor_levels(9, molecule="AB", v_max=1)
    with pytest.raises(RatedbError, match="other quantum numbers") as caught:
        Design(target_transitions(vibrating, TARGET, 1, False, "AB"), hyperparameters(), TARGET, (2,))
    assert caught.value.where == "AB"
    assert caught.value.got == "[2, 3, 4, 5, 6, 7]"
    assert "[0, 1, 2, 3, 4, 5, 6, 7]" in str(caught.value.expected)


def of_j(j_values: tuple[int, ...], temperature_k: tuple[float, ...] = (100.0,)) -> Rates:
    rates = rough_rates(LEVELS, "He", temperature_k, seed=4)
    return rates.select(np.isin(rates.initial_j(), j_values))


def training_data(rates: Rates) -> TrainingData:
    transitions = rates.transitions
    return TrainingData(transitions, rates.temperature_k, np.log10(rates.rate_cm3_s))


def off_plane(data: TrainingData) -> FloatArray:
    """Return what a plane in the physics features leaves over, by ordinary least squares."""
    plane = np.column_stack([np.ones(len(data.transitions)), physics_features(data.transitions)[:, KEEP]])
    return np.asarray(data.log10_k - plane @ np.linalg.lstsq(plane, data.log10_k, rcond=None)[0])


def test_the_spread_is_what_a_plane_leaves_over() -> None:
    data = training_data(of_j((2, 3, 4, 5, 6), (10.0, 50.0, 100.0)))
    found = learn(data, "physics", target_transitions(LEVELS, TARGET, 0, False, "AB"))
    assert found.keep.tolist() == KEEP.tolist()
    assert found.spread_dex == pytest.approx(float(np.sqrt((off_plane(data) ** 2).mean())), rel=0.02)


def test_learnt_hyperparameters_are_the_likeliest_in_units_of_the_targets_features() -> None:
    data = training_data(of_j((2, 3, 4, 5, 6)))
    target = target_transitions(LEVELS, TARGET, 0, False, "AB")
    found = learn(data, "physics", target)
    wide = physics_features(target)[:, KEEP]
    inputs = (physics_features(data.transitions)[:, KEEP] - wide.mean(axis=0)) / wide.std(axis=0)
    outputs = off_plane(data)[:, 0]
    outputs = outputs / np.sqrt((outputs**2).mean())

    def loss(parameters: FloatArray) -> float:
        r = np.sqrt((((inputs[:, None] - inputs[None]) / np.exp(parameters[1:-1])) ** 2).sum(axis=2))
        matrix = np.exp(parameters[0]) * (1.0 + np.sqrt(3.0) * r) * np.exp(-np.sqrt(3.0) * r)
        matrix += (np.exp(parameters[-1]) + 1e-6) * np.eye(len(outputs))
        return float(0.5 * outputs @ np.linalg.solve(matrix, outputs) + 0.5 * np.linalg.slogdet(matrix)[1])

    least = loss(found.parameters)
    for place in range(len(found.parameters)):
        for step in (-0.4, 0.4):
            moved = found.parameters.copy()
            moved[place] += step
            assert loss(moved) > least - 0.05


def test_a_homonuclear_molecule_learns_from_its_nuclear_spin() -> None:
    data = training_data(of_j((2, 3, 4, 5, 6)))
    target = target_transitions(LEVELS, TARGET, 0, False, "AB")
    found = learn(data, "physics+spin", target)
    assert found.keep.tolist() == [*KEEP, *(8 + np.arange(spin_features(target).shape[1]))]
    assert len(found.parameters) == len(found.keep) + 2
    assert Design(target, found, TARGET, (2,)).judge((2, 5, 9)) is not None


@pytest.mark.parametrize(("j_values", "count"), [((6,), 6), ((1, 2), 3), ((1, 3), 4)])
def test_too_little_to_learn_from_is_refused(j_values: tuple[int, ...], count: int) -> None:
    with pytest.raises(RatedbError, match="too little is known") as caught:
        learn(training_data(of_j(j_values)), "physics", target_transitions(LEVELS, TARGET, 0, False, "AB"))
    assert caught.value.got == f"{count} transitions"


def test_two_j_with_six_transitions_are_enough_to_learn_from() -> None:
    target = target_transitions(LEVELS, TARGET, 0, False, "AB")
    assert learn(training_data(of_j((2, 4))), "physics", target).spread_dex > 0


def test_rates_that_are_all_alike_teach_nothing() -> None:
    data = training_data(of_j((2, 3, 4)))
    with pytest.raises(FitError, match="all alike"):
        learn(
            replace(data, log10_k=np.full_like(data.log10_k, -11.0)),
            "physics",
            target_transitions(LEVELS, TARGET, 0, False, "AB"),
        )
