"""Joint samples of rates that a model of tops predicts: errors of one initial state hang together."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.models.calibration import DEGREES_OF_FREEDOM, HALF_WIDTH_68
from ratedb.models.predictor import average
from ratedb.models.tops.features import categories
from ratedb.models.tops.kernel import Points
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.regression import Candidate, Residual
from ratedb.models.tops.structure import Jumps
from ratedb.physics.orientation import target_rises, turned

# Of more transitions those out of different units are drawn apart, since covariances are quadratic in them.
_MOST_TOGETHER = 2000
# Where a mean is all that is kept, so much of the variance is shared by the transitions out of one unit.
_SHARED = 0.5


def sampled_tops(
    predictor: TopPredictor, wanted: Transitions, count: int, draw: np.random.Generator
) -> FloatArray:
    """Return how far joint samples of log10 k lie from the prediction, shape (count, n, m), in dex.

    Each is from the posterior of one member, drawn by its weight, as wide as the calibrated intervals, with
    the tails of Student's t drawn for each unit.
    """
    predictor.need_levels(wanted.levels)
    jumps = Jumps.of(predictor.structure, turned(wanted, target_rises(wanted)))
    share = np.array(predictor.weights) / sum(predictor.weights)
    centre = average([member.curves(jumps) for member in predictor.members], predictor.weights).mean
    parts = []
    for member, number in zip(predictor.members, draw.multinomial(count, share), strict=True):
        if number:
            off = member.curves(jumps).mean - centre
            parts.append(off + _deviations(member, jumps, int(number), draw))
    units, group = np.unique(jumps.unit, return_inverse=True)
    tail = np.sqrt(DEGREES_OF_FREEDOM / draw.chisquare(DEGREES_OF_FREEDOM, (count, len(units))))
    each = draw.permutation(np.concatenate(parts))
    return np.asarray(predictor.stretch * each * tail[:, np.ravel(group), None] / HALF_WIDTH_68)


def _deviations(member: Candidate, jumps: Jumps, count: int, draw: np.random.Generator) -> FloatArray:
    """Return how far samples of one member lie from its mean, shape (count, n, m)."""
    if member.residual is not None:
        return _of_processes(member, member.residual, jumps, count, draw)
    _, group = np.unique(jumps.unit, return_inverse=True)
    group = np.ravel(group)
    shared = draw.standard_normal((count, int(group.max()) + 1))[:, group]
    own = draw.standard_normal((count, len(jumps)))
    both = np.sqrt(_SHARED) * shared + np.sqrt(1.0 - _SHARED) * own
    return np.asarray(both[:, :, None] * member.spread)


def _of_processes(
    member: Candidate, residual: Residual, jumps: Jumps, count: int, draw: np.random.Generator
) -> FloatArray:
    result = np.empty((count, len(jumps), residual.basis.vectors.shape[1]))
    for rows in _blocks(jumps):
        part = jumps.select(rows)
        points = Points(residual.features(part, member.mean(part)), categories(part))
        drawn = np.stack(
            [_drawn(residual, place, points, count, draw) for place in range(len(residual.scale))], axis=2
        )
        rest = draw.standard_normal((count, len(rows), result.shape[2]))
        rest *= np.sqrt(residual.rest_variance)
        result[:, rows] = (drawn * residual.scale) @ residual.basis.vectors + rest
    return result


def _drawn(
    residual: Residual, place: int, points: Points, count: int, draw: np.random.Generator
) -> FloatArray:
    """Return samples of one coefficient less its mean, noise included, shape (count, n)."""
    kernel, parameters = residual.kernel, residual.parameters[place]
    cross = kernel.matrix(parameters, points, residual.points)
    covariance = kernel.matrix(parameters, points, points) - cross @ residual.inverses[place] @ cross.T
    covariance[np.diag_indices_from(covariance)] += kernel.noise(parameters)
    factor = np.linalg.cholesky(covariance)
    return np.asarray(draw.standard_normal((count, len(points))) @ factor.T)


def _blocks(jumps: Jumps) -> list[IntArray]:
    """Return the rows that are drawn together: all, or those out of each unit."""
    if len(jumps) <= _MOST_TOGETHER:
        return [np.arange(len(jumps))]
    return [np.flatnonzero(jumps.unit == unit) for unit in np.unique(jumps.unit)]
