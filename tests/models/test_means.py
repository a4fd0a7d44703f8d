"""Means: each recovers rates that obey its law, and is plain data."""

from __future__ import annotations

import numpy as np
import pytest
from rotor import J_MAX, TEMPERATURE_K, all_of, pairs_from, rotor_levels, rotor_rates
from synthetic import rotor_levels as vibrating_levels

from ratedb.arrays import FloatArray
from ratedb.errors import UsageError
from ratedb.levels import Transitions
from ratedb.models.features import energy_gap_cm1, gap_features, physics_features
from ratedb.models.means import MEANS, IosMean, Mean, check_mean, fit_mean, mean_from_arrays
from ratedb.physics.wigner import squared_3j_000

LAWS = np.array([[-10.0 + 0.1 * t, -10.5, -0.02, -0.05, -0.8, -0.6 - 0.02 * t, 0.01] for t in range(6)])


def transitions(initial_j: tuple[int, ...]) -> Transitions:
    return Transitions(rotor_levels(), *pairs_from(initial_j))


def ios_by_hand(of: Transitions, laws: FloatArray) -> FloatArray:
    """Return the law of IosMean's docstring, term by term."""
    _, j = of.levels.need_vj()
    gap = energy_gap_cm1(of)
    result = np.zeros((len(of), len(laws)))
    for row, (upper, lower) in enumerate(zip(of.upper, of.lower, strict=True)):
        initial, final = int(j[upper]), int(j[lower])
        for column, (a_even, a_odd, b_even, b_odd, c_even, c_odd, d) in enumerate(laws):
            total = 0.0
            for order in range(abs(initial - final), initial + final + 1):
                a, b, c = (a_odd, b_odd, c_odd) if order % 2 else (a_even, b_even, c_even)
                base = 10.0 ** (a + b * (order - 1) + c * np.log10(order))
                total += float(squared_3j_000(np.array(initial), np.array(order), np.array(final))) * base
            result[row, column] = np.log10((2 * final + 1) * total) - d * np.sqrt(gap[row])
    return result


def test_the_ios_mean_is_its_law_written_out() -> None:
    of = transitions((2, 5, 9))
    assert IosMean(np.array([[0, 0]]), LAWS[None])(of) == pytest.approx(ios_by_hand(of, LAWS), abs=1e-10)


def test_the_ios_mean_recovers_rates_that_obey_the_law() -> None:
    """Trained on four j; all the other j are right to 1 %, the ends of the range included."""
    train = transitions((3, 6, 9, 12))
    found = fit_mean("ios", train, ios_by_hand(train, LAWS))
    everything = transitions(tuple(range(J_MAX + 1)))
    assert found(everything) == pytest.approx(ios_by_hand(everything, LAWS), abs=0.01)


def test_each_vibrational_change_has_its_own_law_and_an_unknown_one_the_average() -> None:
    levels = vibrating_levels(5, v_max=2)
    every = levels.downward_pairs()
    v, _ = levels.need_vj()
    known = v[every.upper] < 2
    offset = 2.0 * (v[every.upper] - v[every.lower])
    log10_k = (-10.0 - 0.1 * (every.upper - every.lower) - offset)[:, None] + np.zeros(3)
    found = fit_mean("ios", every.select(known), log10_k[known])
    values = found(every)
    assert np.isfinite(values).all()
    error = np.abs(values - log10_k)[known]
    assert error.mean() < 0.3  # a shared law would be off by one dex
    of_average = mean_from_arrays(
        "ios", {"channels": np.array([[7.0, 7.0]]), "laws": found.arrays()["laws"].mean(axis=0)[None]}, None
    )
    same_law = Transitions(levels, every.upper[~known], every.lower[~known])
    assert values[~known] == pytest.approx(
        IosMean(
            np.unique(v[np.column_stack([same_law.upper, same_law.lower])], axis=0),
            np.repeat(of_average.arrays()["laws"], 3, axis=0),
        )(same_law)
    )


@pytest.mark.parametrize(("name", "features"), [("linear", physics_features), ("gap", gap_features)])
def test_a_plane_is_recovered_beyond_its_training_j(name: str, features: object) -> None:
    def plane(of: Transitions) -> FloatArray:
        table = features(of)  # type: ignore[operator]
        slopes = np.random.default_rng(51).normal(0.0, 0.05, (table.shape[1], 6))
        return -11.0 + table @ slopes

    train, other = transitions((3, 6, 9, 12)), transitions((5, 8, 13))
    assert fit_mean(name, train, plane(train))(other) == pytest.approx(plane(other), abs=1e-3)


def test_the_constant_mean_is_the_average_curve() -> None:
    rates = rotor_rates()
    log10_k = np.log10(rates.rate_cm3_s)
    found = fit_mean("constant", all_of(rates), log10_k)(transitions((5,)))
    assert found == pytest.approx(np.repeat(log10_k.mean(axis=0)[None], 5, axis=0))


def test_data_that_are_a_constant_times_the_reference_are_predicted_exactly() -> None:
    def reference(of: Transitions) -> FloatArray:
        return -10.0 + np.sin(of.upper + 0.3 * of.lower)[:, None] * np.log(TEMPERATURE_K)

    train, other = transitions((3, 6, 9)), transitions((4, 13))
    found = fit_mean("prior+constant", train, reference(train) + np.log10(1.7), reference)
    assert found(other) == pytest.approx(reference(other) + np.log10(1.7), abs=1e-12)


@pytest.mark.parametrize("name", [*MEANS, "prior+linear"])
def test_a_mean_made_again_from_its_arrays_is_the_same(name: str) -> None:
    def reference(of: Transitions) -> FloatArray:
        return np.full((len(of), 6), -11.0)

    rates = rotor_rates()
    found = fit_mean(name, all_of(rates), np.log10(rates.rate_cm3_s), reference)
    again: Mean = mean_from_arrays(name, found.arrays(), reference)
    assert np.array_equal(found(transitions((4, 11))), again(transitions((4, 11))))


@pytest.mark.parametrize("name", ["", "ISO", "prior+", "prior+prior+linear", "linear+prior"])
def test_an_unknown_mean_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="unknown mean"):
        check_mean(name)


def test_fitting_an_unknown_mean_or_one_without_its_reference_is_refused() -> None:
    rates = rotor_rates()
    with pytest.raises(UsageError, match="unknown mean"):
        fit_mean("cubic", all_of(rates), np.log10(rates.rate_cm3_s))
    with pytest.raises(UsageError, match="needs another data set"):
        fit_mean("prior+linear", all_of(rates), np.log10(rates.rate_cm3_s))


def test_the_law_is_learnt_from_both_parities_however_the_rows_are_ordered() -> None:
    """1200 rows of one channel, more than the law is learnt from, whose parity of dj alternates."""
    levels = vibrating_levels(99, v_max=1)
    v, j = levels.need_vj()
    upper = np.flatnonzero((v == 1) & (j % 2 == 0) & (j >= 20) & (j < 44))
    lower = np.flatnonzero(v == 0)
    lower = lower[np.argsort(j[lower])]
    of = Transitions(levels, np.repeat(upper, len(lower)), np.tile(lower, len(upper)))
    log10_k = IosMean(np.array([[1, 0]]), LAWS[None, :1])(of)
    assert IosMean.fit(of, log10_k)(of) == pytest.approx(log10_k, abs=0.02)
