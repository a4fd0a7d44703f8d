"""Fit tops and pairs by initial states: candidates, the choice by left-out units, calibrated intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import FitError, RatedbError
from ratedb.layers import RATIO_95_68, Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.engine import Curves
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.predictor import average
from ratedb.models.tops.means import GROUPS, mean_names
from ratedb.models.tops.regression import Candidate, LeftOutMean, fit_candidates
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.physics.orientation import target_rises, turned, turned_rates, with_target_falling
from ratedb.rates import Rates

MOST_ROWS = 3000
"""Of more training transitions only so many are used."""

_MOST_FOLDS = 10
_LEAST_UNITS = 3
# Weights fall with this power of the mean square error on left-out units; candidates whose rms is larger than
# so many times the least have none.
_POWER, _WORST = 4.0, 1.3
_LEAST_WEIGHT = 0.01
_SHARE_68 = 0.85
_LARGEST_DEX = 300.0  # a plane through a few alike units can be off by more, which no float holds
# Few units, left out one by one, say little of how a model does elsewhere: group means weigh this over the
# square of their number.
_CAUTION = 2.0


@dataclass(frozen=True)
class LeftOutScore:
    """How well a candidate predicts left-out units: rms in dex, and the factor that 5 % exceed."""

    name: str
    dex_rms: float
    factor_p95: float


@dataclass(frozen=True, eq=False)
class TopPredictor:
    """A weighted average of candidates for one system of tops or pairs, with intervals calibrated by unit.

    `train_units` (u,) are the units it was trained on, `scores` those of all candidates and, last,
    of what is kept; `stretch` is what the standard deviation is multiplied by for half the 68 % interval.
    """

    structure: Structure
    levels: Levels
    collider: str
    temperature_k: FloatArray
    train_units: IntArray
    training: Jumps
    members: tuple[Candidate, ...]
    weights: tuple[float, ...]
    scores: tuple[LeftOutScore, ...]
    stretch: float
    training_transitions: Transitions

    @property
    def kept(self) -> str:
        """What is kept, such as `sudden law + process, linear gap + process`, the heaviest first."""
        order = np.argsort([-weight for weight in self.weights], kind="stable")
        return ", ".join(self.members[place].name for place in order)

    @property
    def is_group_means(self) -> bool:
        """Whether no model beat the group means on left-out units, so that these are kept."""
        return [member.name for member in self.members] == [GROUPS]

    def predict(self, wanted: Transitions, temperature_k: FloatArray | None = None) -> Rates:
        """Return predicted rates with half widths of their 68 % intervals.

        At other temperatures than the model's they are what `Rates.at` gives; raises RatedbError outside.
        """
        self.need_levels(wanted.levels)
        rises = target_rises(wanted)
        falling = turned(wanted, rises)
        jumps = Jumps.of(self.structure, falling)
        curves = average([member.curves(jumps) for member in self.members], self.weights)
        half_width = self.stretch * np.sqrt(curves.variance)
        log10_k = curves.mean + jumps.threshold_dex(self.temperature_k)
        if not (np.isfinite(log10_k) & np.isfinite(half_width)).all():
            system = f"{wanted.levels.molecule}+{self.collider}"
            raise RatedbError(f"a prediction for {system} is not finite", expected="numbers", got="NaN")
        shape = log10_k.shape
        layers = {
            "kind_code": np.full(shape, Kind.PREDICTED),
            "log10_half_width_68": half_width,
            "extrapolated": np.repeat(self.extrapolated(wanted)[:, None], shape[1], axis=1),
        }
        ends = falling.upper, falling.lower
        rates = Rates(wanted.levels, self.collider, *ends, self.temperature_k, 10.0**log10_k, layers)
        rates = turned_rates(rates, rises)
        return rates if temperature_k is None else rates.at(temperature_k)

    def supports(self, wanted: Transitions) -> BoolArray:
        """Return which transitions change the target's state by a jump of the partner that was trained, (n,).

        Where the partner's final state is not resolved, no transition has another.
        """
        jumps, states = self._jumps(wanted), int(self.structure.partner_of.max()) + 1
        changes = jumps.gap_cm1 > 0
        if self.training.partner_unresolved:
            return np.asarray(changes & (jumps.partner_initial == jumps.partner_final))
        known, asked = (one.partner_initial * states + one.partner_final for one in (self.training, jumps))
        return np.asarray(changes & np.isin(asked, known))

    def extrapolated(self, wanted: Transitions) -> BoolArray:
        """Return which transitions lie outside what was trained, shape (n,).

        Outside: initial energies beyond those of the trained units, larger differences of a quantum number,
        and jumps of the partner that were not trained.
        """
        jumps, energy = self._jumps(wanted), self.structure.target.energy_cm1
        own = energy[self.training.initial]
        outside = (energy[jumps.initial] > own.max()) | (energy[jumps.initial] < own.min())
        outside |= (jumps.differences() > self.training.differences().max(axis=0)).any(axis=1)
        return np.asarray(outside | ~self.supports(wanted))

    def need_levels(self, levels: Levels) -> None:
        """Raise RatedbError where levels are not those that the model was trained with."""
        if levels.label != self.levels.label:
            raise RatedbError(
                f"the levels of {self.levels.molecule} are not those that the model was trained with",
                expected=f"{len(self.levels)} levels, from {self.levels.label[0]} to {self.levels.label[-1]}",
                got=f"{len(levels)} levels, from {levels.label[0]} to {levels.label[-1]}",
                todo="train again",
            )

    def _jumps(self, wanted: Transitions) -> Jumps:
        return Jumps.of(self.structure, turned(wanted, target_rises(wanted)))


def usable_training(rates: Rates, structure: Structure) -> Rates:
    """Return positive rates by which the target loses energy, at most 3,000 transitions.

    Of more rows, which cost time with the third power, each unit gives an equal share of its own.
    """
    rates, energy = with_target_falling(rates), structure.target.energy_cm1[structure.target_of]
    down = energy[rates.upper] > energy[rates.lower]
    k = rates.rate_cm3_s
    usable = np.flatnonzero(down & (np.isfinite(k) & (k > 0)).all(axis=1))
    if len(usable) > MOST_ROWS:
        drawn = np.random.default_rng(0).permutation(usable)
        by_unit = drawn[np.argsort(structure.unit_of[rates.upper[drawn]], kind="stable")]
        usable = np.sort(by_unit[np.linspace(0, len(usable) - 1, MOST_ROWS).astype(np.int64)])
    return rates.select(usable)


def unit_folds(units: IntArray, energy_cm1: FloatArray) -> tuple[BoolArray, ...]:
    """Return masks of rows, shape (n,) each, that leave out whole units: every tenth in energy, at most ten.

    `units` (n,) are those of rows, `energy_cm1` (u,) the energies of all units.
    """
    distinct = np.unique(units)
    ranked = distinct[np.argsort(energy_cm1[distinct], kind="stable")]
    place = np.empty(int(distinct.max()) + 1, dtype=np.int64)
    place[ranked] = np.arange(len(ranked)) % _MOST_FOLDS
    fold = place[units]
    return tuple(fold == each for each in range(min(_MOST_FOLDS, len(ranked))))


def fit(rates: Rates, *, seed: int = 0) -> TopPredictor:
    """Return the predictor trained on all rates out of their initial states; raises as `fit_and_test`."""
    return fit_and_test(rates, seed=seed)[0]


def fit_and_test(rates: Rates, *, seed: int = 0) -> tuple[TopPredictor, Metrics]:
    """Return the predictor trained on rates, and its errors on training units that were left out whole.

    Raises FitError for fewer than three units, RatedbError where energies or quantum numbers are impossible.
    """
    structure = Structure.of(rates.levels)
    training = usable_training(rates, structure)
    jumps = Jumps.of(structure, training.transitions)
    units = np.unique(jumps.unit)
    if len(units) < _LEAST_UNITS:
        raise FitError(
            "too few initial states to train on",
            expected=f"complete de-excitation rates out of at least {_LEAST_UNITS} initial states",
            got=f"{len(units)} ({len(training)} of {len(rates)} transitions are complete and go down)",
            todo="compute rates out of more initial states",
        )
    threshold = jumps.threshold_dex(training.temperature_k)
    log10_k = np.log10(training.rate_cm3_s) - threshold
    folds = unit_folds(jumps.unit, structure.unit_energy_cm1(training.levels))
    found: list[tuple[Candidate, Curves]] = []
    for name in mean_names(jumps):
        found += fit_candidates(jumps, log10_k, LeftOutMean.fit(name, jumps, log10_k, folds), seed)
    members, weights, left_out = choose(found, log10_k, min(1.0, _CAUTION / len(units) ** 2))
    scores = [score(candidate.name, curves, log10_k) for candidate, curves in found]
    predictor = TopPredictor(
        structure,
        rates.levels,
        rates.collider,
        training.temperature_k,
        units,
        jumps,
        members,
        weights,
        (*scores, score("kept", left_out, log10_k)),
        calibrate(left_out, log10_k),
        training.transitions,
    )
    half_width = predictor.stretch * np.sqrt(left_out.variance)
    return predictor, metrics(training.rate_cm3_s, left_out.mean + threshold, half_width)


def score(name: str, left_out: Curves, log10_k: FloatArray) -> LeftOutScore:
    """Return the score of training curves that were predicted without their units, shape (n, m)."""
    error = np.abs(left_out.mean - log10_k)
    p95 = min(float(np.quantile(error, 0.95)), _LARGEST_DEX)
    return LeftOutScore(name, float(np.sqrt((error**2).mean())), 10.0**p95)


def choose(
    found: list[tuple[Candidate, Curves]], log10_k: FloatArray, of_groups: float = 0.0
) -> tuple[tuple[Candidate, ...], tuple[float, ...], Curves]:
    """Return members, weights and left-out curves; the group means alone where nothing beats them.

    Weights go with the mean square error on left-out units, beside a share `of_groups` that the group means
    have anyway. What is kept has a smaller rms error on these than the group means, and no larger 95 % error.
    """
    scores = [score(candidate.name, curves, log10_k) for candidate, curves in found]
    errors = np.array([one.dex_rms for one in scores])
    weights = np.where(errors <= _WORST * errors.min(), (errors / errors.min()) ** (-2.0 * _POWER), 0.0)
    groups = next(place for place, one in enumerate(scores) if one.name == GROUPS)
    weights *= (1.0 - of_groups) / weights.sum()
    weights[groups] += of_groups
    kept = np.flatnonzero(weights > _LEAST_WEIGHT)
    shares = weights[kept] / weights[kept].sum()
    together = average([found[place][1] for place in kept], shares.tolist())
    whole = score("kept", together, log10_k)
    if whole.dex_rms >= scores[groups].dex_rms or whole.factor_p95 > scores[groups].factor_p95:
        return (found[groups][0],), (1.0,), found[groups][1]
    return tuple(found[place][0] for place in kept), tuple(shares.tolist()), together


def calibrate(left_out: Curves, log10_k: FloatArray) -> float:
    """Return what standard deviations are multiplied by for half widths of 68 % intervals.

    Errors of one unit hang together, so that it comes from units that were left out whole: the square root of
    what would place 95 % of their values within the 95 % interval, and 68 % or nearly so within the 68 % one.
    The root, halfway to what the processes say themselves, because few units tell little of others: on
    published sets it was nearest to 95 % of values of unseen units, and least often below 90 %.
    """
    ratio = np.abs(left_out.mean - log10_k) / np.sqrt(left_out.variance)
    inside_68, inside_95 = np.quantile(ratio, [0.68, 0.95])
    return float(np.sqrt(max(inside_95 / RATIO_95_68, _SHARE_68 * inside_68)))
