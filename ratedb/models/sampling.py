"""Joint samples of predicted rates: correlated as the models say, as wide as their calibrated intervals."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import Transitions
from ratedb.models.calibration import DEGREES_OF_FREEDOM, HALF_WIDTH_68
from ratedb.models.predictor import Predictor, average
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.sampling import sampled_tops


def sampled_deviations(
    predictor: Predictor | TopPredictor, wanted: Transitions, count: int, draw: np.random.Generator
) -> FloatArray:
    """Return how far joint samples of log10 k lie from the prediction, shape (count, n, m), in dex.

    Each is from the posterior of one member, drawn by its weight, stretched as the calibration stretches the
    variance; the calibration's floor, which is of errors that the transitions out of one initial j share, is
    added as one shift for each j. Both have the tails of the calibration, Student's t, drawn for each j.

    Raises RatedbError for a model whose engine has no joint posterior.
    """
    if isinstance(predictor, TopPredictor):
        return sampled_tops(predictor, wanted, count, draw)
    share = np.array(predictor.weights) / sum(predictor.weights)
    counts = draw.multinomial(count, share)
    parts = [
        member.sample(wanted, int(number), draw)
        for member, number in zip(predictor.members, counts, strict=True)
        if number
    ]
    centre = average([member.curves(wanted) for member in predictor.members], predictor.weights).mean
    model = draw.permutation(np.concatenate(parts)) - centre
    each_j, group = np.unique(wanted.initial_j(), return_inverse=True)
    shape = (count, len(each_j))
    shift = draw.standard_normal(shape)[:, group, None] * predictor.floor(wanted)
    tail = np.sqrt(DEGREES_OF_FREEDOM / draw.chisquare(DEGREES_OF_FREEDOM, shape))[:, group, None]
    deviation: FloatArray = (predictor.stretch(wanted) * model + shift) * tail / HALF_WIDTH_68
    return deviation
