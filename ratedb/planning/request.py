"""What a plan is for: a system, the initial j of interest, those that are given, and costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ratedb.errors import UsageError
from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.costs import CostModel, HoursByJ


@dataclass(frozen=True)
class PlanRequest:
    """What is planned: the initial j of interest (`target`), those given, sizes of training sets, costs.

    The highest final j is the last of the target. `sizes` are numbers of training j (default: what fits of
    2..6). `model_hours` is the time that training takes, counted against the saving. `hours_by_j` are
    measured hours, in place of a power of j. Plans are stored with it, as JSON.

    Raises UsageError for numbers out of range or j outside the target.
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

    @staticmethod
    def of(system: str, options: PlanOptions | NextOptions, hours: HoursByJ | None = None) -> PlanRequest:
        """Return what options ask for, with measured `hours`; raises UsageError where they name no j."""
        if options.j is None:
            raise UsageError(
                "the initial j of interest are missing",
                expected="--j, such as --j 5:20; for a top or a pair --share, and --levels before any data",
            )
        request = PlanRequest(
            system,
            tuple(sorted({*options.j})),
            options.given_j or (),
            options.v_max,
            validate_j=options.validate_j,
            cost_exponent=options.cost_exponent,
            hours_total=options.hours_total,
            hours_by_j=hours,
        )
        if isinstance(options, NextOptions):
            return request
        return replace(request, sizes=options.sizes, train_j=options.train_j, model_hours=options.model_hours)

    @staticmethod
    def from_json(values: dict[str, Any]) -> PlanRequest:
        """Return the request that was stored as JSON values."""
        hours = values.get("hours_by_j")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        if hours is not None:
            lists["hours_by_j"] = tuple((int(j), float(each)) for j, each in hours)
        return PlanRequest(**(values | lists))

    @property
    def costs(self) -> CostModel:
        """What each j of the target costs; raises UsageError for invalid costs."""
        return CostModel(self.target, self.given, self.cost_exponent, self.hours_total, self.hours_by_j)

    def __post_init__(self) -> None:
        if len(self.target) < 3:
            raise UsageError(
                "the target is too short to plan", expected="three or more j", got=str(self.target)
            )
        if not 0 <= self.v_max <= 1000:
            raise UsageError("invalid v_max", expected="0 to 1000", got=str(self.v_max))
        if not 0 <= self.model_hours < 1e9:
            raise UsageError("invalid model hours", expected="0 to 1e9", got=str(self.model_hours))
        for name, values in (("--train-j", self.train_j), ("--validate-j", self.validate_j)):
            outside = [j for j in values or () if j not in self.target and j not in self.given]
            if outside:
                raise UsageError(
                    f"{name} has j outside the target",
                    expected=f"values of --j {self.target[0]}:{self.target[-1]}",
                    got=", ".join(map(str, outside)),
                )
