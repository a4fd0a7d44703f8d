"""Plans by initial states: which to compute of a top or a pair, with what each choice costs and saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import UsageError, one_of
from ratedb.kinds.units import Units, units_of
from ratedb.levels import Levels, Transitions
from ratedb.models.tops.structure import Structure
from ratedb.models.tops.units import least_variance_units, random_units, spread_units
from ratedb.models.tops.wanted import possible_transitions, units_with_transitions
from ratedb.planning.savings import savings
from ratedb.planning.unit_costs import HoursByUnit, UnitCosts, unit_costs, unit_weights

UNIT_STRATEGIES = ("spread", "variance", "random")
DEFAULT_SHARE_PERCENT = 25.0
"""The share of the initial states that is planned where none is named."""

_LEAST_UNITS = 3


@dataclass(frozen=True)
class UnitRequest:
    """What is planned by initial states, named by label; kept with the plan as JSON.

    `share_percent` of all initial states with transitions, `given_units` included, are computed, or
    `train_units`. `validate_units` are computed too, to test on. Costs are as in planning/unit_costs.py.
    """

    system: str
    share_percent: float = DEFAULT_SHARE_PERCENT
    strategy: str = "spread"
    seed: int = 0
    given_units: tuple[str, ...] = ()
    train_units: tuple[str, ...] = ()
    validate_units: tuple[str, ...] = ()
    cost_by: str = "j"
    cost_exponent: float = 4.0
    hours_total: float | None = None
    model_hours: float = 0.0
    hours_by_unit: HoursByUnit | None = None

    def __post_init__(self) -> None:
        one_of("--strategy", self.strategy, UNIT_STRATEGIES)
        if not 0 < self.share_percent <= 100:
            raise UsageError(
                "invalid share", expected="a number of percent up to 100", got=f"{self.share_percent:g}"
            )
        if both := sorted(set(self.train_units) & set(self.validate_units)):
            raise UsageError("an initial state both trains and validates", got=", ".join(both))

    @staticmethod
    def from_json(values: dict[str, Any]) -> UnitRequest:
        """Return the request that was stored as JSON values."""
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        if (hours := values.get("hours_by_unit")) is not None:
            lists["hours_by_unit"] = tuple((str(label), float(each)) for label, each in hours)
        return UnitRequest(**(values | lists))


@dataclass(frozen=True)
class UnitCandidate:
    """A set of initial states with its costs and what it predicts; fields as in planning/savings.py.

    `n` counts the training units, those given included.
    """

    n: int
    train_units: tuple[str, ...]
    validate_units: tuple[str, ...]
    training_transitions: int
    validation_transitions: int
    predicted_transitions: int
    explicit_hours: float | None
    avoided_hours: float | None
    explicit_percent: float
    model_hours: float
    time_saved_percent: float
    expected_error: float | None = None
    expected_dex: float | None = None


@dataclass(frozen=True, eq=False)
class Landscape:
    """The initial states of a level list, and the transitions out of each, for one request."""

    levels: Levels
    request: UnitRequest

    @cached_property
    def units(self) -> Units:
        """All initial states."""
        return units_of(self.levels)

    @cached_property
    def structure(self) -> Structure:
        """The target and the partner."""
        return Structure.of(self.levels)

    @cached_property
    def wanted(self) -> Transitions:
        """All transitions by which the target loses energy."""
        return possible_transitions(self.levels, self.structure)

    @cached_property
    def of_interest(self) -> IntArray:
        """The units with transitions, sorted; raises UsageError for fewer than three."""
        found = units_with_transitions(self.wanted, self.structure)
        if len(found) < _LEAST_UNITS:
            raise UsageError(
                f"{self.levels.molecule} has too few initial states to plan",
                expected=f"at least {_LEAST_UNITS} with transitions to lower levels",
                got=str(len(found)),
            )
        return found

    @cached_property
    def given(self) -> IntArray:
        """The units that are computed already, sorted."""
        return self.units.places(self.request.given_units, "--given-units")

    @cached_property
    def costs(self) -> UnitCosts:
        """What each unit costs."""
        request = self.request
        hours = request.hours_by_unit
        weight = unit_weights(self.levels, self.units, request.cost_by, request.cost_exponent, hours)
        payable = frozenset(np.setdiff1d(self.of_interest, self.given).tolist())
        return unit_costs(weight, self.units, payable, request.hours_total, measured=hours is not None)

    def chosen(self) -> IntArray:
        """Return the training units of the request, or those of its strategy, given ones included."""
        request, share = self.request, self.request.share_percent / 100.0
        validate = self.validating()
        if request.train_units:
            return self.units.places(request.train_units, "--train-units")
        given = np.intersect1d(self.given, self.of_interest)
        free = np.setdiff1d(self.of_interest, np.setdiff1d(validate, given))
        if request.strategy == "random":
            return random_units(self.structure, free, share, request.seed, given)
        if request.strategy == "variance":
            rows = np.isin(self.structure.unit_of[self.wanted.upper], free)
            return least_variance_units(self.wanted.select(rows), share, request.seed, given)
        energy = self.structure.unit_energy_cm1(self.levels)
        return spread_units(self.structure, free, energy, share, request.seed, given)

    def validating(self) -> IntArray:
        """Return the validation units of the request."""
        return self.units.places(self.request.validate_units, "--validate-units")

    def transitions_out_of(self, units: IntArray) -> int:
        """Return how many transitions go out of these units."""
        return int(np.isin(self.structure.unit_of[self.wanted.upper], units).sum())


def plan_units(landscape: Landscape) -> UnitCandidate:
    """Return the set of initial states that a request asks for, with its costs.

    Raises UsageError for unknown labels, or fewer than three units to train on.
    """
    train, validate = landscape.chosen(), landscape.validating()
    if len(train) < _LEAST_UNITS:
        raise UsageError(
            "too few initial states to train on", expected=f"at least {_LEAST_UNITS}", got=str(len(train))
        )
    costs, explicit = landscape.costs, np.union1d(train, validate)
    share, hours = costs.share(explicit.tolist()), costs.hours(explicit.tolist())
    rest = np.setdiff1d(landscape.of_interest, np.union1d(explicit, landscape.given))
    return UnitCandidate(
        n=len(train),
        train_units=landscape.units.named(train),
        validate_units=landscape.units.named(validate),
        training_transitions=landscape.transitions_out_of(train),
        validation_transitions=landscape.transitions_out_of(validate),
        predicted_transitions=landscape.transitions_out_of(rest),
        **savings(share, hours, costs.total_hours, landscape.request.model_hours),
    )


def with_known(
    levels: Levels, request: UnitRequest, known_units: Sequence[str]
) -> tuple[Landscape, tuple[str, ...]]:
    """Return the landscape with units of a store as given; with none and a warning where all are known."""
    landscape = Landscape(levels, replace(request, given_units=tuple(known_units)))
    if set(landscape.of_interest.tolist()) <= set(landscape.given.tolist()):
        said = "every initial state is in the store: planned without given ones; --given-units names some"
        return Landscape(levels, replace(request, given_units=())), (said,)
    return landscape, ()
