"""Features of transitions: their numbers, their names, and their scaling."""

from __future__ import annotations

import numpy as np
import pytest

from ratedb.errors import UsageError
from ratedb.levels import Levels, Transitions, vj
from ratedb.models.features import (
    Standardiser,
    feature_map,
    gap_features,
    paper_features,
    physics_features,
    spin_features,
)

LEVELS = Levels("SiO", ("0_3", "1_5"), np.array([3.0, 1240.0]), np.array([7.0, 11.0]), vj([0, 1], [3, 5]))
ONE = Transitions(LEVELS, np.array([1]), np.array([0]))


def test_features_of_the_paper_are_its_equation_10_without_temperature() -> None:
    assert paper_features(ONE).tolist() == [[-1, -2, 1, 5, 0, 3, 0, 1]]


def test_physical_features_hold_the_gap_and_the_number_of_final_states() -> None:
    assert physics_features(ONE)[0] == pytest.approx([1, 0, 5, 3, 2, 0, np.sqrt(1237.0), np.log(7.0)])
    assert gap_features(ONE)[0] == pytest.approx([np.sqrt(1237.0), np.log(7.0), 0])
    assert spin_features(ONE).tolist() == [[1, 1]]


def test_maps_joined_by_plus_stand_side_by_side() -> None:
    assert np.array_equal(
        feature_map("gap+spin")(ONE), np.concatenate([gap_features(ONE), spin_features(ONE)], axis=1)
    )


@pytest.mark.parametrize("name", ["", "papers", "paper+", "paper+wrong"])
def test_unknown_features_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="unknown features"):
        feature_map(name)


def test_standardised_features_have_mean_zero_and_unit_spread_and_a_constant_one_is_left_out() -> None:
    features = np.random.default_rng(91).normal(5.0, 3.0, (30, 3))
    features[:, 1] = 7.0
    scaled = Standardiser.of(features)(features)
    assert scaled.shape == (30, 2)
    assert scaled.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert scaled.std(axis=0) == pytest.approx(1.0)
    assert Standardiser.of(np.array([[1.0, 5.0], [3.0, 5.0]]))(np.array([[2.0, 9.0]])).tolist() == [[0.0]]
