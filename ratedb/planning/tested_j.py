"""How well each computed j is predicted from the others, and what that says of those not computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.layers import RATIO_95_68
from ratedb.levels import Transitions
from ratedb.models.engine import Curves, TrainingData, rms
from ratedb.models.predictor import Predictor, average
from ratedb.planning.savings import dex_of_percent, percent
from ratedb.planning.variance import NO_MODEL_DEX
from ratedb.rates import Rates

# Half widths of 68 % are those of a Student-t distribution: its tails make errors larger in the mean square.
_RMS_OF_HALF_WIDTH = RATIO_95_68 / 1.96


@dataclass(frozen=True)
class HeldOutJ:
    """A computed j, predicted from the other computed j: expected and real error in percent of a rate."""

    j: int
    expected_error: float
    error: float


def expected_errors(predictor: Predictor, wanted: Transitions, curves: Curves) -> FloatArray:
    """Return the root mean square errors to expect, in dex, shape (n, m).

    Half widths from the corpus allow for j unlike their neighbours; here the tests say how unlike they are.
    """
    if predictor.intervals is None:
        half_width = predictor.half_width(wanted, curves.variance)
    else:
        half_width = predictor.stretch(wanted) * np.sqrt(curves.variance)
    return np.asarray(_RMS_OF_HALF_WIDTH * half_width)


def left_out_errors(
    predictor: Predictor, complete: Rates, train_j: tuple[int, ...], validate_j: tuple[int, ...]
) -> tuple[HeldOutJ, ...]:
    """Return how well each computed j is predicted from the others by the model's own members."""
    data = TrainingData.of(complete.out_of(train_j)).joined(complete.out_of(validate_j))
    curves = average([member.leave_out(data) for member in predictor.members], predictor.weights)
    all_expected = expected_errors(predictor, data.transitions, curves)
    initial_j = data.initial_j()
    each = []
    for j in np.unique(initial_j).tolist():
        rows = initial_j == j
        expected = rms(all_expected[rows])
        real = rms(curves.mean[rows] - data.log10_k[rows])
        each.append(HeldOutJ(j, percent(min(expected, NO_MODEL_DEX)), percent(min(real, NO_MODEL_DEX))))
    return tuple(each)


def correction(tested: Sequence[HeldOutJ], unknown_j: Sequence[int]) -> float:
    """Return by how much the errors of tested j are larger than expected, from 1 to 3.

    Each counts as many times as there are unknown j next to it: low j lie close together, are easy to
    predict and say little of how small errors elsewhere are.
    """
    ratio = [dex_of_percent(one.error) / max(dex_of_percent(one.expected_error), 1e-9) for one in tested]
    return float(np.clip(_weighted_rms(ratio, tested, unknown_j), 1.0, 3.0))


def error_where_unknown(tested: Sequence[HeldOutJ], unknown_j: Sequence[int]) -> float:
    """Return the error of tested j in percent, each counted as `correction` counts it."""
    return percent(_weighted_rms([dex_of_percent(one.error) for one in tested], tested, unknown_j))


def _weighted_rms(values: Sequence[float], tested: Sequence[HeldOutJ], unknown_j: Sequence[int]) -> float:
    known_j = np.array([one.j for one in tested])
    nearest = [int(np.abs(known_j - j).argmin()) for j in unknown_j]
    counts = np.bincount(nearest, minlength=len(tested))
    return float(np.sqrt(counts @ np.square(values) / max(counts.sum(), 1)))
