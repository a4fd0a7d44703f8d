"""Choices of units, which are initial states, to compute: random, spread in energy, or by least variance.

Units that are computed already, `given`, count towards the share, and new ones are chosen beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.levels import Transitions
from ratedb.models.tops.features import FeatureMap, categories
from ratedb.models.tops.kernel import Points, TopKernel
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.structure import Jumps, Structure

_ROWS_OF_UNIT = 12
_MOST_POINTS = 1200
_LEAST_UNITS = 3
_FEW_STATES = 4
_NEAR = 0.3  # of the distance to the next: so far a unit may lie from its even place, for the sake of its ka
NONE_GIVEN: IntArray = np.zeros(0, dtype=np.int64)


def strata(structure: Structure, units: IntArray) -> IntArray:
    """Return the partner's state of each unit, shape (u,); all zero where some state has too few units.

    A jump of the partner that no computed unit has cannot be predicted: each state needs units of its own.
    """
    partner = structure.partner_of[structure.level_of_unit[units]]
    _, count = np.unique(partner, return_counts=True)
    return partner if count.min() >= _LEAST_UNITS else np.zeros_like(units)


def _quotas(structure: Structure, units: IntArray, share: float) -> list[tuple[IntArray, int]]:
    """Return the units of each stratum and how many of them to choose.

    At least three of each, or, where the share allows fewer, as many as it does, and three of all: the
    fractions of a unit that are due to each state add up from one state to the next.
    """
    of = strata(structure, units)
    members = [units[of == each] for each in np.unique(of)]
    total = max(_LEAST_UNITS, round(share * len(units)))
    least = int(np.clip(total // len(members), -(-_LEAST_UNITS // len(members)), _LEAST_UNITS))
    due = np.floor(share * np.cumsum([0, *map(len, members)]) + 0.5).astype(np.int64)
    return [
        (own, min(len(own), max(least, count)))
        for own, count in zip(members, np.diff(due).tolist(), strict=True)
    ]


def random_units(
    structure: Structure, units: IntArray, share: float, seed: int, given: IntArray = NONE_GIVEN
) -> IntArray:
    """Return a random share of units, at least three of each state of the partner, by this seed."""
    draw = np.random.default_rng(seed)
    chosen = []
    for members, count in _quotas(structure, units, share):
        drawn = draw.permutation(members)
        ranked = np.concatenate([members[np.isin(members, given)], drawn[~np.isin(drawn, given)]])
        chosen.append(ranked[: max(count, int(np.isin(members, given).sum()))])
    return np.sort(np.concatenate(chosen))


def spread_units(
    structure: Structure,
    units: IntArray,
    energy_cm1: FloatArray,
    share: float,
    seed: int,
    given: IntArray = NONE_GIVEN,
) -> IntArray:
    """Return a share of units spread evenly in the order of energy and, nearly so, over ka.

    `energy_cm1` are the energies of all units. New units fill the largest gaps between those given. The
    highest is always one, so that little lies outside; seed 0 takes the evenly spaced ones, from the lowest
    on, others shift each upwards at random. Of a partner of many states one runs through the units of one
    state after another, so that different states have different units; a seed shifts them all alike.
    """
    draw = np.random.default_rng(seed)
    quotas = _quotas(structure, units, share)
    ranked = [own[np.argsort(energy_cm1[own], kind="stable")] for own, _ in quotas]
    counts = [count for _, count in quotas]
    numbers = structure.target.numbers
    projection = np.abs(numbers.get("ka", numbers.get("k", np.zeros_like(numbers["j"]))))
    alike = len(quotas) > _FEW_STATES
    if alike:  # steps of one length through all states of the partner meet each unit of the target as often
        ranked, counts, projection = [np.concatenate(ranked)], [sum(counts)], np.zeros_like(projection)
    chosen = []
    for own, count in zip(ranked, counts, strict=True):
        shift = draw.uniform(0.0, 0.9, 1 if alike else count) * (seed != 0)
        of_unit = projection[structure.target_of[structure.level_of_unit[own]]]
        chosen.append(own[_evenly(of_unit, np.resize(shift, count), np.isin(own, given))])
    return np.sort(np.concatenate(chosen))


def _evenly(projection: IntArray, shift: FloatArray, given: BoolArray) -> BoolArray:
    """Return which of some ranked units to take, shape (u,), as many as shifts, given ones included.

    Even in rank, but for shifts in units of the distance to the next; of the units near such a place one
    whose projection, shape (u,), was taken less often than is due.
    """
    taken, count = given.copy(), len(shift)
    taken[-1] |= count > given.sum()
    step = (len(given) - 1) / max(1, count - 1)
    ends = np.concatenate([[-step], np.flatnonzero(taken)])
    inside = np.zeros(len(ends) - 1, dtype=np.int64)
    for _ in range(count - int(taken.sum())):
        inside[np.argmax(np.diff(ends) / (inside + 1))] += 1
    apart = np.repeat(np.diff(ends) / (inside + 1), inside)
    before = np.concatenate([np.arange(1, number + 1) for number in inside])
    places = np.repeat(ends[:-1], inside) + apart * (before + shift[: len(apart)])
    kinds = np.arange(projection.max() + 1)
    due = (projection[:, None] == kinds).cumsum(axis=0) * (count / len(taken))
    for place, width in zip(places, apart, strict=True):
        far = np.where(taken, np.inf, np.abs(np.arange(len(taken)) - place))
        at = int(far.argmin())
        lacking = due[at] - np.bincount(projection[: at + 1][taken[: at + 1]], minlength=len(kinds))
        near = far <= max(_NEAR * width, far.min())
        taken[np.lexsort([far, np.where(near, -lacking[projection], np.inf)])[0]] = True
    return taken


def least_variance_units(
    transitions: Transitions, share: float, seed: int, given: IntArray = NONE_GIVEN
) -> IntArray:
    """Return a share of units, chosen one by one, each with the least variance of all transitions after it.

    The variance is that of the kernel with its expected numbers, of the transitions that are wanted; a few
    random ones stand for each unit. Given units come first; every state of the partner has its share.
    """
    structure = Structure.of(transitions.levels)
    of_row = structure.unit_of[transitions.upper]
    units = np.unique(of_row)
    jumps = _representatives(structure, transitions, of_row, seed)
    points = Points(FeatureMap.of(jumps)(jumps), categories(jumps))
    kernel = TopKernel(tuple(points.categories), points.features.shape[1])
    expected, _ = kernel.expected()
    noise, covariance = kernel.noise(expected), kernel.matrix(expected, points, points)
    rows = {unit: np.flatnonzero(jumps.unit == unit) for unit in units.tolist()}
    chosen = [unit for unit in units.tolist() if unit in set(given.tolist())]
    for unit in chosen:
        covariance = _after(covariance, rows[unit], noise)
    quotas = _quotas(structure, units, share)
    left = [count - int(np.isin(own, chosen).sum()) for own, count in quotas]
    while max(left) > 0:
        open_to = [
            unit for (own, _), more in zip(quotas, left, strict=True) if more > 0 for unit in own.tolist()
        ]
        gains = {unit: _gain(covariance, rows[unit], noise) for unit in open_to if unit not in chosen}
        best = max(gains, key=gains.__getitem__)
        chosen.append(best)
        covariance = _after(covariance, rows[best], noise)
        left = [more - int(best in own) for (own, _), more in zip(quotas, left, strict=True)]
    return np.sort(np.array(chosen, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class UnitEffects:
    """What one more of each unit would do, shape (u,), by the kernel that a model has learnt.

    `variance_left` is what is left then of the variance of all transitions that are not known now, as a
    share; those out of the unit itself count as known.
    """

    units: IntArray
    variance_left: FloatArray


def effects_of_units(model: TopPredictor, wanted: Transitions, seed: int = 0) -> UnitEffects:
    """Return what each unit of the transitions that are not known would do; a few stand for each unit."""
    of_row = model.structure.unit_of[wanted.upper]
    units = np.unique(of_row)
    jumps = _representatives(model.structure, wanted, of_row, seed)
    covariance, noise = _posterior(model, jumps)
    now = float(np.trace(covariance)) + noise * len(jumps)
    left = np.zeros(len(units))
    for place, unit in enumerate(units.tolist()):
        own = jumps.unit == unit
        part = covariance[own]
        solved = np.linalg.solve(part[:, own] + noise * np.eye(int(own.sum())), part)
        variance = np.diag(covariance) - (solved * part).sum(axis=0) + noise
        left[place] = variance[~own].sum()
    return UnitEffects(units, left / now)


def _posterior(model: TopPredictor, jumps: Jumps) -> tuple[FloatArray, float]:
    """Return the covariance of jumps given the training rates, and the variance of noise.

    That of the first temperature coefficient of the heaviest member with processes, in its own unit; of the
    expected kernel where there is none.
    """
    order = np.argsort([-weight for weight in model.weights], kind="stable")
    processes = [(model.members[place], one) for place in order if (one := model.members[place].residual)]
    if not processes:
        features = FeatureMap.of(model.training)
        own, known = (Points(features(one), categories(one)) for one in (jumps, model.training))
        kernel = TopKernel(tuple(own.categories), own.features.shape[1])
        parameters, _ = kernel.expected()
        inverse = np.linalg.inv(kernel.with_noise(parameters, known))
    else:
        member, residual = processes[0]
        own = Points(residual.features(jumps, member.mean(jumps)), categories(jumps))
        kernel, known, parameters = residual.kernel, residual.points, residual.parameters[0]
        inverse = residual.inverses[0]
    cross = kernel.matrix(parameters, own, known)
    return kernel.matrix(parameters, own, own) - cross @ inverse @ cross.T, kernel.noise(parameters)


def _representatives(structure: Structure, transitions: Transitions, of_row: IntArray, seed: int) -> Jumps:
    """Return a few random jumps out of each unit; `of_row` (n,) is that of each transition."""
    draw, units = np.random.default_rng(seed), np.unique(of_row)
    most = max(2, min(_ROWS_OF_UNIT, _MOST_POINTS // len(units)))
    rows = [draw.permutation(np.flatnonzero(of_row == unit))[:most] for unit in units]
    return Jumps.of(structure, transitions.select(np.sort(np.concatenate(rows))))


def _gain(covariance: FloatArray, rows: IntArray, noise: float) -> float:
    """Return by how much the variances of all fall in sum where some rows become known."""
    part = covariance[rows]
    return float(np.trace(np.linalg.solve(part[:, rows] + noise * np.eye(len(rows)), part @ part.T)))


def _after(covariance: FloatArray, rows: IntArray, noise: float) -> FloatArray:
    """Return the covariance where some rows became known."""
    part = covariance[rows]
    return np.asarray(covariance - part.T @ np.linalg.solve(part[:, rows] + noise * np.eye(len(rows)), part))
