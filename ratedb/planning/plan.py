"""Put a plan together: what each training set costs, saves and predicts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ratedb.errors import UsageError
from ratedb.paper.printed import PrintedColumn, printed_column
from ratedb.physics.transitions import transitions_from
from ratedb.planning.costs import CostModel, HoursByJ
from ratedb.planning.sets import spread_set, validation_set

DEFAULT_SIZES = (2, 3, 4, 5, 6)
"""The sizes of training set that the paper studies."""


@dataclass(frozen=True)
class PlanRequest:
    """What is asked of a plan: the initial j of interest, what is given, sizes of training sets, costs.

    `sizes` are those of the training sets (default: what fits of 2..6). The highest final j is the last
    of the target. `model_hours` is the time that training takes, counted against the saving. `hours_by_j`
    are measured hours, in place of a power of j.
    """

    system: str
    target: tuple[int, ...]
    given: tuple[int, ...] = ()
    v_max: int = 0
    sizes: tuple[int, ...] | None = None
    train_j: tuple[int, ...] | None = None
    validate_j: tuple[int, ...] | None = None
    cost_exponent: float = 4.0
    hours_total: float | None = None
    model_hours: float = 0.0
    hours_by_j: HoursByJ | None = None

    @property
    def costs(self) -> CostModel:
        """What each j of the target costs; raises UsageError where that makes no sense."""
        return CostModel(self.target, self.given, self.cost_exponent, self.hours_total, self.hours_by_j)

    @staticmethod
    def from_json(values: dict[str, Any]) -> PlanRequest:
        """Return the request that was stored as JSON values."""
        hours = values.get("hours_by_j")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        if hours is not None:
            lists["hours_by_j"] = tuple((int(j), float(each)) for j, each in hours)
        return PlanRequest(**(values | lists))

    def __post_init__(self) -> None:
        if len(self.target) < 3:
            raise UsageError(
                "the target is too short to plan", expected="three or more j", got=str(self.target)
            )
        if self.v_max < 0 or self.v_max > 1000:
            raise UsageError("v_max makes no sense", expected="0..1000", got=str(self.v_max))
        if not 0 <= self.model_hours < 1e9:
            raise UsageError("the model hours make no sense", expected="0 to 1e9", got=str(self.model_hours))
        for name, values in (("--train-j", self.train_j), ("--validate-j", self.validate_j)):
            outside = [j for j in values or () if j not in self.target and j not in self.given]
            if outside:
                raise UsageError(
                    f"{name} has j outside the target",
                    expected=f"values of --j {self.target[0]}:{self.target[-1]}",
                    got=", ".join(map(str, outside)),
                )


@dataclass(frozen=True)
class Candidate:
    """A training set with what it takes and what it brings.

    `time_saved_percent` counts the explicit calculations and the model hours against the total; shares
    are percent of the cost of all j that are not given, and hours are None where the total is unknown.
    `expected_dex` is the expected root mean square error of log10 k, `expected_error` the same in percent of
    a rate. Of a known system, `test_dex_rms` and the paper's `test_log10_percent_error` were measured with
    `kernel`.
    """

    n: int
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
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
    kernel: str | None = None
    test_dex_rms: float | None = None
    test_log10_percent_error: float | None = None
    paper: PrintedColumn | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as plain JSON values."""
        return asdict(self)


def percent(dex: float) -> float:
    """Return by how many percent a rate is off whose logarithm is off by so many dex."""
    return 100.0 * float(10.0**dex - 1.0)


def dex_of_percent(error_percent: float) -> float:
    """Return the error in dex of a rate that is off by so many percent: the inverse of `percent`."""
    return math.log10(1.0 + error_percent / 100.0)


def plan_candidates(request: PlanRequest) -> list[Candidate]:
    """Return a candidate for each size (strategy `spread`), or the one for `train_j`.

    Raises UsageError where a set cannot be placed.
    """
    if request.train_j is not None:
        return [candidate(request, request.train_j)]
    if request.sizes is not None:
        return [candidate(request, spread_set(request.target, request.given, size)) for size in request.sizes]
    return _all_that_fit(request)


def _all_that_fit(request: PlanRequest) -> list[Candidate]:
    fitting: list[Candidate] = []
    for size in DEFAULT_SIZES:
        try:
            fitting.append(candidate(request, spread_set(request.target, request.given, size)))
        except UsageError:
            if not fitting:
                raise
            break
    return fitting


def candidate(request: PlanRequest, train_j: tuple[int, ...]) -> Candidate:
    """Return what one training set costs, saves and predicts (METHOD of Mihalik et al. 2025, section III)."""
    validate_j = request.validate_j or validation_set(request.target, request.given, train_j)
    both = sorted(set(train_j) & set(validate_j))
    if both:
        raise UsageError(
            "a j cannot both train and validate", expected="disjoint sets", got=", ".join(map(str, both))
        )
    costs = request.costs
    printed = printed_column(
        request.system,
        request.target,
        request.given,
        request.v_max,
        request.cost_exponent,
        request.hours_total,
        train_j,
        validate_j,
    )
    explicit = (*train_j, *validate_j)
    share = costs.share(explicit)
    hours = costs.hours(explicit)
    model_hours = request.model_hours
    if printed is not None and not model_hours:
        model_hours = printed.model_hours_optimal
    total = costs.total_hours
    model_share = model_hours / total if total else 0.0
    predicted = [j for j in request.target if j not in explicit and j not in request.given]
    return Candidate(
        n=len(train_j),
        train_j=train_j,
        validate_j=validate_j,
        training_transitions=_count(request, train_j),
        validation_transitions=_count(request, validate_j),
        predicted_transitions=_count(request, predicted),
        explicit_hours=hours,
        avoided_hours=None if hours is None or total is None else total - hours,
        explicit_percent=100.0 * share,
        model_hours=model_hours,
        time_saved_percent=100.0 * (1.0 - share - model_share),
        paper=printed,
    )


def _count(request: PlanRequest, j_values: tuple[int, ...] | list[int]) -> int:
    j_max = request.target[-1]
    return sum(transitions_from(j, v_max=request.v_max, j_max=j_max) for j in j_values)
