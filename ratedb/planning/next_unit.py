"""After each computed initial state of a top or a pair: which is next, what it would bring, when to stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import FitError, RatedbError
from ratedb.models.calibration import DEGREES_OF_FREEDOM, HALF_WIDTH_68
from ratedb.models.tops.predictor import TopPredictor, fit_and_test
from ratedb.models.tops.training import UnitSets, training_rates
from ratedb.models.tops.units import effects_of_units
from ratedb.numbers import format_integers
from ratedb.options import NextOptions
from ratedb.planning.next_for_lines import LineUncertainty
from ratedb.planning.savings import percent
from ratedb.planning.unit_plan import Landscape, plan_units
from ratedb.rates import Rates
from ratedb.results import Result

# Of the states with at least this share of the greatest reduction, the one with most for its cost is next.
_NEARLY_BEST = 0.5
# It does not stop while left-out states were off by more than this many times the target.
_TESTS_OF_TARGET = 1.5
# Without a target, one more state that lowers the error by less than this share is not worth its hours.
_WORTHWHILE = 0.02
_LEAST_UNITS = 3
# Intervals are those of Student's t.
_RMS_OF_HALF_WIDTH = float(np.sqrt(DEGREES_OF_FREEDOM / (DEGREES_OF_FREEDOM - 2.0))) / HALF_WIDTH_68


@dataclass(frozen=True)
class NextUnit:
    """What one more initial state is expected to do: the error in percent of a rate after it, and its cost.

    The error is that of all rates that are unknown now, those out of the state itself then known. `gain` is
    by how many percentage points it falls.
    """

    unit: str
    hours: float | None
    cost_percent: float
    expected_error: float
    gain: float
    planned: bool


@dataclass(frozen=True, repr=False)
class NextUnitResult(Result):
    """What to do next: `next_unit` is the initial state to compute, None where `stop`; `reason` says why.

    `expected_error` is the error of a rate in percent expected now of all that is not computed, None where no
    model can be trained yet. `tested_error` is that of computed states, each predicted from the others.
    `target` is `rates`, or `lines` where errors are the 95th percentile over lines, in percent of a flux.
    """

    system: str
    plan_id: int | None
    train_units: tuple[str, ...]
    unknown_units: tuple[str, ...]
    expected_error: float | None
    expected_dex: float | None
    tested_error: float | None
    candidates: list[NextUnit]
    next_unit: str | None
    stop: bool
    reason: str
    warnings: tuple[str, ...] = ()
    target: str = "rates"

    def summary(self) -> str:
        """Return in a few words what to do."""
        return f"{self.system}, {'stop' if self.stop else self.next_unit}: {self.reason}"


@dataclass(frozen=True, eq=False)
class UnitState:
    """How far a plan by initial states has come: the units with rates, and those that the plan wants."""

    landscape: Landscape
    plan_id: int | None
    known: IntArray
    planned: IntArray

    @property
    def unknown(self) -> IntArray:
        """The units of interest without rates."""
        return np.setdiff1d(self.landscape.of_interest, self.known)

    def hours(self, unit: int) -> float | None:
        """Return the hours of one unit, None where they are unknown."""
        return self.landscape.costs.hours((unit,))


@dataclass(frozen=True)
class _Measured:
    """Errors in dex: expected of what is not computed, and of computed states predicted from the others."""

    expected_dex: float
    tested_dex: float


def next_unit(state: UnitState, options: NextOptions, rates: Rates | None) -> NextUnitResult:
    """Choose which initial state to compute next, or to stop.

    The expected error is what a model of the computed states says of the others, by intervals that are
    calibrated on states left out whole.
    """
    if not len(state.unknown):
        return _result(state, None, [], None, "every initial state is computed", ())
    model, tested_dex, warnings = _model(state, rates)
    if model is None:
        best, why = _first(state, options)
        return _result(state, None, [], best, why, warnings)
    candidates, measured = _candidates(state, model, tested_dex)
    now, tested = percent(measured.expected_dex), percent(measured.tested_dex)
    best, why = _decide(state, candidates, now, options, tested)
    return _result(state, measured, candidates, best, why, warnings)


def _model(state: UnitState, rates: Rates | None) -> tuple[TopPredictor | None, float, tuple[str, ...]]:
    """Return a model of the computed states and its error on left-out ones, or None and why."""
    if rates is None or len(state.known) < _LEAST_UNITS:
        return None, 0.0, ()
    none = np.zeros(0, dtype=np.int64)
    training, _ = training_rates(rates, UnitSets(state.landscape.units, state.known, none))
    try:
        model, tested = fit_and_test(training)
    except FitError as error:
        return None, 0.0, (f"no model of the known rates: {error.what}",)
    return model, tested.dex_rms, ()


def _first(state: UnitState, options: NextOptions) -> tuple[int | None, str]:
    """Return the cheapest state of the plan, or of a spread set, before a model can be trained."""
    wanted = np.setdiff1d(state.planned, state.known)
    whose = "the cheapest of the plan"
    if not len(wanted):
        places = state.landscape.units.places(plan_units(state.landscape).train_units, "the plan")
        wanted, whose = np.setdiff1d(places, state.known), "the cheapest of a spread set"
    if not len(wanted):
        wanted, whose = state.unknown, "the cheapest"
    within = _within(state, wanted.tolist(), options)
    if not within:
        return None, f"no initial state that is left costs {options.budget_hours:g} h or less"
    best = min(within, key=lambda unit: float(state.landscape.costs.weight[unit]))
    return best, f"{whose}; a model needs {_LEAST_UNITS} initial states"


def _within(state: UnitState, units: list[int], options: NextOptions) -> list[int]:
    budget = options.budget_hours
    return [unit for unit in units if budget is None or (state.hours(unit) or 0.0) <= budget]


def _candidates(state: UnitState, model: TopPredictor, tested_dex: float) -> tuple[list[NextUnit], _Measured]:
    """Return what each unknown state is expected to do, the best first, and the errors now."""
    landscape = state.landscape
    of_row = landscape.structure.unit_of[landscape.wanted.upper]
    wanted = landscape.wanted.select(np.isin(of_row, state.unknown))
    supported = model.supports(wanted)
    wanted = wanted.select(supported) if supported.any() else wanted
    half_width = model.predict(wanted).log10_half_width_68
    now = _RMS_OF_HALF_WIDTH * float(np.sqrt((half_width**2).mean()))
    effects = effects_of_units(model, wanted)
    found = []
    for place, unit in enumerate(effects.units.tolist()):
        error = percent(now * float(np.sqrt(effects.variance_left[place])))
        costs = landscape.costs
        found.append(
            NextUnit(
                landscape.units.label[unit],
                state.hours(unit),
                100.0 * costs.share((unit,)),
                error,
                percent(now) - error,
                unit in state.planned,
            )
        )
    return sorted(found, key=lambda one: -one.gain), _Measured(now, tested_dex)


def _decide(
    state: UnitState, candidates: list[NextUnit], now: float, options: NextOptions, tested: float | None
) -> tuple[int | None, str]:
    """Return the next of candidates, the best first, or None to stop, and why.

    `now` is the error in percent of a rate and `tested` that of left-out states, None for the flux of lines.
    """
    units, target = state.landscape.units, options.target_error
    place = {label: number for number, label in enumerate(units.label)}
    within = [one for one in candidates if place[one.unit] in _within(state, [place[one.unit]], options)]
    if not within:
        return None, f"no initial state that is left costs {options.budget_hours:g} h or less"
    highest = int(state.landscape.of_interest[-1])
    if target is not None and now <= target:
        if tested is not None and highest in state.unknown and _within(state, [highest], options):
            label = units.label[highest]
            return highest, f"the expected error is met, but {label}, the highest, is extrapolated"
        if tested is None or tested <= _TESTS_OF_TARGET * target:
            return None, f"the expected error is {now:.3g} %, the target {target:g} %"
    good = [one for one in within if one.gain >= _NEARLY_BEST * within[0].gain]
    if target is None and within[0].gain < _WORTHWHILE * now:
        return None, f"no initial state is expected to reduce the error by more than {100 * _WORTHWHILE:g} %"
    planned = [one for one in good if one.planned]
    best = max(planned or good, key=lambda one: one.gain / max(one.cost_percent, 1e-12))
    whose = "of the plan's states the one with " if planned else ""
    why = f"{whose}the greatest error reduction for its cost, among those with at least half the largest"
    if target is not None and now <= target:
        why = f"the expected error is met, but left-out states were off by {tested:.3g} %; {why}"
    return place[best.unit], why


def next_unit_for_lines(
    state: UnitState, options: NextOptions, impact: LineUncertainty, model_ids: frozenset[int]
) -> NextUnitResult:
    """Choose which initial state would make the lines of an impact more certain, or to stop.

    `model_ids` are the models of the predictions in the store. Raises RatedbError where the impact is of
    another system, older than these, or of none of the states that are not computed.
    """
    system, units = state.landscape.request.system, state.landscape.units
    places = {label: place for place, label in enumerate(units.label)}
    unknown = set(units.named(state.unknown))
    after = {j: 100.0 * one for (name, j), one in impact.after.items() if name == system and j in unknown}
    if model_ids - impact.model_ids or not after:
        raise RatedbError(
            "the impact is older than the store, or of other initial states",
            where=impact.path,
            expected=f"predictions of {system} by model {format_integers(sorted(model_ids)) or 'none'}",
            got=f"{' '.join(impact.systems)}, model {format_integers(sorted(impact.model_ids)) or 'none'}",
            todo=f"run `ratedb impact {system} -o FILE` again",
        )
    now, costs = 100.0 * impact.uncertainty, state.landscape.costs
    candidates = [
        NextUnit(
            str(label),
            state.hours(places[str(label)]),
            100.0 * costs.share((places[str(label)],)),
            error,
            now - error,
            places[str(label)] in state.planned,
        )
        for label, error in sorted(after.items(), key=lambda one: one[1])
    ]
    best, why = _decide(state, candidates, now, options, None)
    result = _result(state, None, candidates, best, why, ())
    return replace(result, expected_error=now, target="lines")


def _result(
    state: UnitState,
    measured: _Measured | None,
    candidates: list[NextUnit],
    best: int | None,
    reason: str,
    warnings: tuple[str, ...],
) -> NextUnitResult:
    units, dex = state.landscape.units, None if measured is None else measured.expected_dex
    return NextUnitResult(
        system=state.landscape.request.system,
        plan_id=state.plan_id,
        train_units=units.named(state.known),
        unknown_units=units.named(state.unknown),
        expected_error=None if dex is None else percent(dex),
        expected_dex=dex,
        tested_error=None if measured is None else percent(measured.tested_dex),
        candidates=candidates,
        next_unit=None if best is None else units.label[best],
        stop=best is None,
        reason=reason,
        warnings=warnings,
    )
