"""Training sets with what each costs, saves and predicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ratedb.errors import UsageError
from ratedb.physics.transitions import transitions_from
from ratedb.planning.request import PlanRequest
from ratedb.planning.sets import check_disjoint, spread_set, validation_set
from ratedb.results import Result

DEFAULT_SIZES = (2, 3, 4, 5, 6)
"""The sizes of training set that the paper studies."""


@dataclass(frozen=True)
class Candidate:
    """A training set with its costs and what it predicts.

    `time_saved_percent` counts the explicit calculations and the model hours against the total; shares
    are percent of the cost of all j that are not given, and hours are None where the total is unknown.
    `expected_dex` is the expected root mean square error of log10 k, `expected_error` the same in percent of
    a rate. For a known system, `test_dex_rms` and the paper's `test_log10_percent_error` were measured with
    `kernel`. `paper` is what Mihalik et al. (2025) print for this set, where it is theirs.
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
    paper: Mapping[str, Any] | None = None


@dataclass(frozen=True, repr=False)
class PlanResult(Result):
    """A plan: every candidate set with its costs, and the chosen one where there is one.

    `request` is what was planned for, with the given j of the store; `scored_sets` is the number of sets that
    the exhaustive search compared, each with every kernel.
    """

    plan_id: int | None
    system: str
    strategy: str
    request: PlanRequest
    candidates: list[Candidate]
    chosen: Candidate | None
    scored_sets: int = 0
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return in a few words what was chosen."""
        if self.chosen is None:
            return f"{self.system}, {self.strategy}, {len(self.candidates)} candidate sets"
        train_j, validate_j = (",".join(map(str, j)) for j in (self.chosen.train_j, self.chosen.validate_j))
        return f"{self.system}, {self.strategy}, train on j = {train_j}, validate on j = {validate_j}"


def percent(dex: float) -> float:
    """Return the error of a rate in percent whose logarithm is off by this many dex."""
    return 100.0 * float(10.0**dex - 1.0)


def dex_of_percent(error_percent: float) -> float:
    """Return the error in dex of a rate that is off by this many percent: the inverse of `percent`."""
    return math.log10(1.0 + error_percent / 100.0)


def plan_candidates(request: PlanRequest) -> list[Candidate]:
    """Return a candidate for each size (strategy `spread`), or the one for `train_j`.

    Raises UsageError where a set does not fit into the target.
    """
    if request.train_j is not None:
        return [candidate(request, request.train_j)]
    fitting: list[Candidate] = []
    for size in request.sizes or DEFAULT_SIZES:
        try:
            fitting.append(candidate(request, spread_set(request.target, request.given, size)))
        except UsageError:
            if request.sizes is not None or not fitting:
                raise
            break
    return fitting


def candidate(
    request: PlanRequest, train_j: tuple[int, ...], validate_j: tuple[int, ...] | None = None
) -> Candidate:
    """Return what one training set costs, saves and predicts (Mihalik et al. 2025, section III).

    `validate_j` are by default those of the request, or the paper's rule. Raises UsageError where a j is in
    both sets, or none is left to validate.
    """
    validate_j = validate_j or request.validate_j or validation_set(request.target, request.given, train_j)
    check_disjoint(train_j, validate_j)
    costs, explicit = request.costs, (*train_j, *validate_j)
    saved = savings(costs.share(explicit), costs.hours(explicit), costs.total_hours, request.model_hours)
    predicted = set(request.target) - {*explicit, *request.given}
    return Candidate(
        n=len(train_j),
        train_j=train_j,
        validate_j=validate_j,
        training_transitions=_count(request, train_j),
        validation_transitions=_count(request, validate_j),
        predicted_transitions=_count(request, predicted),
        **saved,
    )


def savings(share: float, hours: float | None, total: float | None, model_hours: float) -> dict[str, Any]:
    """Return what explicit calculations with this share (0..1) of the total cost save, as Candidate has it.

    `hours` are theirs and `total` those of all, None where unknown (Mihalik et al. 2025, section III).
    """
    model_share = model_hours / total if total else 0.0
    return {
        "explicit_hours": hours,
        "avoided_hours": None if hours is None or total is None else total - hours,
        "explicit_percent": 100.0 * share,
        "model_hours": model_hours,
        "time_saved_percent": 100.0 * (1.0 - share - model_share),
    }


def only(candidates: list[Candidate]) -> Candidate | None:
    """Return the chosen set where there is no choice, else None."""
    return candidates[0] if len(candidates) == 1 else None


def _count(request: PlanRequest, j_values: Iterable[int]) -> int:
    j_max = request.target[-1]
    return sum(transitions_from(j, v_max=request.v_max, j_max=j_max) for j in j_values)
