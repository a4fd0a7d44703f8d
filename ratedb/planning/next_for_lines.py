"""Which j is next for the lines of an `impact`: how much more certain each makes them, and when to stop."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass

from ratedb.errors import RatedbError
from ratedb.numbers import format_integers
from ratedb.options import NextOptions
from ratedb.planning.limits import check_limits
from ratedb.planning.next_j import NextJ, NextResult
from ratedb.planning.state import State


@dataclass(frozen=True)
class Predicted:
    """Which initial j of a system have predictions in the store now, and the models that made them."""

    j: frozenset[int]
    model_ids: frozenset[int]


@dataclass(frozen=True)
class LineUncertainty:
    """What a file of `impact` says of the j to compute.

    `uncertainty` is the 95th percentile over lines and conditions of the half width of the 95 % interval of a
    flux over its median; `after` the same once a j of a system is computed, by (system, j).
    """

    path: str
    systems: tuple[str, ...]
    uncertainty: float
    after: dict[tuple[str, int], float]
    model_ids: frozenset[int]

    def of_system(self, system: str) -> dict[int, float]:
        """Return the uncertainty after each j of a system; raises RatedbError where it has none."""
        found = {j: after for (name, j), after in self.after.items() if name == system}
        if not found:
            raise RatedbError(
                f"the impact does not contain {system}",
                where=self.path,
                expected=f"predicted rates of {system}",
                got=f"an impact of {' '.join(self.systems)}",
                todo=f"run `ratedb impact {system} -o FILE`",
            )
        return found


def parse_impact(content: bytes, path: str) -> LineUncertainty:
    """Return what `impact -o` wrote; raises RatedbError where the file is something else."""
    try:
        data = json.loads(content)
        after = {
            (str(one["system"]), int(_finite(one["j"]))): _finite(one["uncertainty_after"])
            for one in data["next_j"]
        }
        systems = tuple(map(str, data["systems"]))
        return LineUncertainty(
            path, systems, _finite(data["uncertainty_p95"]), after, frozenset(map(int, data["model_ids"]))
        )
    except (ValueError, LookupError, TypeError) as error:
        raise RatedbError(
            "not a file of line uncertainties",
            where=path,
            expected="JSON as `ratedb impact SYSTEM -o FILE` writes it",
            got=f"{type(error).__name__}: {str(error)[:80]}",
        ) from error


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return float(value)


def next_for_lines(
    state: State, options: NextOptions, impact: LineUncertainty, predicted: Predicted
) -> NextResult:
    """Choose which j would make the lines of an impact more certain, or to stop.

    Raises RatedbError where the impact is of another system, older than the predictions in the store, or of
    none of the j of the target.
    """
    check_limits(state.request, options)
    after = impact.of_system(state.request.system)
    _check_age(impact, sorted(after), predicted)
    if not set(after) & set(state.request.target):
        raise RatedbError(
            "the impact contains none of the j of interest",
            where=impact.path,
            expected=f"j = {format_integers(state.request.target)}",
            got=f"j = {format_integers(sorted(after))}",
            todo="run `ratedb impact` with another --j-max",
        )
    now = 100.0 * impact.uncertainty
    errors = {j: 100.0 * after[j] for j in state.request.target if j in after}
    candidates = [
        NextJ.of(state, j, errors[j], now - errors[j]) for j in sorted(errors, key=errors.__getitem__)
    ]
    return NextResult.of(
        state, options, candidates, now, expected_error=now, expected_dex=None, measured=True, target="lines"
    )


def _check_age(impact: LineUncertainty, j_values: Collection[int], predicted: Predicted) -> None:
    newer = sorted(predicted.model_ids - impact.model_ids)
    since = sorted(set(j_values) - predicted.j)
    if newer or since:
        known = format_integers(sorted(impact.model_ids))
        raise RatedbError(
            "the impact is older than the store",
            where=impact.path,
            expected=f"predictions of model {known}"
            if newer
            else f"predictions of j = {format_integers(since)}",
            got=f"predictions of model {format_integers(newer)} too" if newer else "none of them any more",
            todo="run `ratedb impact` again" if newer else "train, fill and run `ratedb impact` again",
        )
