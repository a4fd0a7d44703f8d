"""Claims about the weights of an average of models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratedb.arrays import FloatArray
from ratedb.models import averaging
from ratedb.models.averaging import UnseenErrors


def slow_greedy(unseen: UnseenErrors) -> FloatArray:
    """Return the weights of the greedy selection, each average computed anew."""
    sides = [unseen.errors[:, rows] for rows in (unseen.by_validation, ~unseen.by_validation)]
    best = [min(float((one**2).mean()) for one in side) for side in sides]

    def loss(counts: FloatArray) -> float:
        weights = counts / counts.sum()
        return sum(
            float((np.tensordot(weights, side, 1) ** 2).mean()) / scale
            for side, scale in zip(sides, best, strict=True)
        )

    counts = np.zeros(len(unseen.errors))
    for _ in range(averaging._ROUNDS):
        losses = [loss(counts + one) for one in np.eye(len(counts))]
        if counts.any() and min(losses) > loss(counts) * (1 + 1e-9):
            break
        counts[int(np.argmin(losses))] += 1
    return counts / counts.sum()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), candidates=st.integers(1, 6))
def test_the_weights_are_those_of_a_slow_greedy_selection_and_never_worse_than_the_best(
    seed: int, candidates: int
) -> None:
    random = np.random.default_rng(seed)
    shared = random.normal(size=(1, 20, 3))
    errors = random.uniform(0.1, 1.0, (candidates, 1, 1)) * (shared + random.normal(size=(candidates, 20, 3)))
    unseen = UnseenErrors(errors, np.arange(20) % 5, np.arange(20) < 8)
    weights = unseen.weights(np.ones(20, dtype=bool))
    assert weights == pytest.approx(slow_greedy(unseen))
    assert weights.sum() == pytest.approx(1.0)

    def size(of: FloatArray) -> float:
        """Return the mean square error on both sides, each in units of the best candidate's there."""
        return sum(
            float((np.tensordot(of, errors[:, side], 1) ** 2).mean())
            / min(float((one[side] ** 2).mean()) for one in errors)
            for side in (unseen.by_validation, ~unseen.by_validation)
        )

    assert size(weights) <= min(size(one) for one in np.eye(candidates)) * (1 + 1e-6)


def test_unknown_errors_have_no_say_in_the_weights() -> None:
    random = np.random.default_rng(82)
    errors = random.normal(size=(3, 20, 2))
    group, side = np.arange(20) % 4, np.arange(20) < 8
    with_holes = np.concatenate([errors, np.full((3, 5, 2), np.nan)], axis=1)
    more = UnseenErrors(with_holes, np.append(group, [9] * 5), np.append(side, [True] * 5))
    one = UnseenErrors(errors, group, side).weights(np.ones(20, dtype=bool))
    assert np.array_equal(more.weights(np.ones(25, dtype=bool)), one)
