"""Cross sections averaged over the partner's initial states, from few computed ones, and their errors."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.structure import Jumps
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.rates import Rates

TEMPERATURE_K = 300.0
_JUMPS = 60


def partner_averages(rates: Rates, model: TopPredictor, chosen: BoolArray) -> str:
    """Return a line with the errors of some of the target's jumps, those of computed states known.

    `chosen` (n,) are the rows that were computed. The mean deviation is of averages over the partner's
    initial states with Boltzmann weights at 300 K; the relative rms error is of single cross sections.
    """
    jumps = Jumps.of(model.structure, rates.transitions)
    target = jumps.initial * (int(jumps.final.max()) + 1) + jumps.final
    drawn = np.random.default_rng(0).permutation(np.unique(target[jumps.gap_cm1 > 0]))[:_JUMPS]
    rows = np.isin(target, drawn) & (jumps.gap_cm1 > 0)
    part, known, group = rates.select(rows), chosen[rows], target[rows]
    predicted = model.predict(part.transitions).rate_cm3_s
    truth = part.rate_cm3_s
    weight = _weight(jumps.select(np.flatnonzero(rows)))
    off = predicted[~known] - truth[~known]
    relative = float(np.sqrt((off**2).mean() / (truth[~known] ** 2).mean()))
    with_known = np.where(known[:, None], truth, predicted)
    deviation = [
        _deviation(truth, values, weight * used, group)
        for values, used in ((with_known, np.ones(len(known))), (predicted, ~known))
    ]
    return (
        f"- {rates.levels.molecule}: relative rms error {relative:.3f}; averages over the partner at"
        f" {TEMPERATURE_K:g} K off by {deviation[0]:.1%} in the mean, {deviation[1]:.1%} without the computed"
        f" states ({len(drawn)} jumps of the target)"
    )


def _weight(jumps: Jumps) -> FloatArray:
    """Return the population of each jump's initial state of the partner, shape (n,), not normalised."""
    partner = jumps.structure.partner
    assert partner is not None  # noqa: S101
    spins = 1.0 + 2.0 * partner.numbers.get("ortho", np.zeros(len(partner.energy_cm1)))
    each = (2.0 * partner.numbers["j"] + 1.0) * spins
    each = each * np.exp(-HC_OVER_KB_CM_K * partner.energy_cm1 / TEMPERATURE_K)
    return np.asarray(each[jumps.partner_initial])


def _deviation(truth: FloatArray, values: FloatArray, weight: FloatArray, group: FloatArray) -> float:
    """Return the mean of |average / true average - 1| over groups, shape (n,), and columns."""
    found = []
    for one in np.unique(group):
        here = group == one
        if weight[here].sum() > 0:
            found.append(np.abs(weight[here] @ values[here] / (weight[here] @ truth[here]) - 1.0))
    return float(np.mean(found))
