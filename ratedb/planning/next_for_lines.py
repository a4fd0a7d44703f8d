"""Which j is next for the lines of an `impact`: how much more certain each makes them, and when to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ratedb.documents import strict_json
from ratedb.errors import RatedbError
from ratedb.numbers import format_integers
from ratedb.options import NextOptions
from ratedb.planning.deciding import NextJ
from ratedb.planning.limits import check_limits
from ratedb.planning.next_j import NextResult
from ratedb.planning.state import State


@dataclass(frozen=True)
class LineUncertainty:
    """What a file of `impact` says of the j to compute.

    `uncertainty` is the 95th percentile over lines and conditions of the half width of the 95 % interval of a
    flux over its median; `after` the same once a j, or a state of a top, is computed, by (system, j).
    """

    path: str
    systems: tuple[str, ...]
    uncertainty: float
    after: dict[tuple[str, int | str], float]
    model_ids: frozenset[int]


def parse_impact(content: bytes, path: str) -> LineUncertainty:
    """Return what `impact -o` wrote; raises RatedbError where the file is something else."""
    try:
        data = strict_json(content)
        after = {
            (str(one["system"]), _state(one["j"])): _finite(one["uncertainty_after"])
            for one in data["next_j"]
        }
        systems = tuple(map(str, data["systems"]))
        return LineUncertainty(
            path, systems, _finite(data["uncertainty_p95"]), after, frozenset(map(int, data["model_ids"]))
        )
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise not_an_impact(path, error) from error


def not_an_impact(path: str, error: Exception) -> RatedbError:
    """Return the error for a file that `impact -o` did not write, by what went wrong when it was read."""
    return RatedbError(
        "not a file of line uncertainties",
        where=path,
        expected="JSON as `ratedb impact SYSTEM -o FILE` writes it",
        got=f"{type(error).__name__}: {str(error)[:80]}",
    )


def _state(value: Any) -> int | str:
    """Return an initial j, or the label of an initial state."""
    return value if isinstance(value, str) else int(_finite(value))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return float(value)


def next_for_lines(
    state: State,
    options: NextOptions,
    impact: LineUncertainty,
    predicted_j: frozenset[int],
    model_ids: frozenset[int],
) -> NextResult:
    """Choose which j would make the lines of an impact more certain, or to stop.

    `predicted_j` are predicted in the store now, by the models `model_ids`. Raises RatedbError where the
    impact is of another system, older than these predictions, or of none of the j of the target.
    """
    system, target = state.request.system, state.request.target
    check_limits(state.request, options)
    after = {
        j: 100.0 * error for (name, j), error in impact.after.items() if name == system and isinstance(j, int)
    }
    outdated = bool(model_ids - impact.model_ids or set(after) - predicted_j)
    if outdated or not set(after) & set(target):
        what = "the impact contains none of the j of interest"
        expected, got = f"j = {format_integers(target)}", f"j = {format_integers(sorted(after))}"
        todo = "run `ratedb impact` with another --j-max"
        if not after:
            what, got = f"the impact does not contain {system}", f"an impact of {' '.join(impact.systems)}"
            expected, todo = f"predicted rates of {system}", f"run `ratedb impact {system} -o FILE`"
        elif outdated:
            what, todo = "the impact is older than the store", "run `ratedb impact` again"
            expected = f"predictions of model {format_integers(sorted(impact.model_ids))}, {got}"
            got = f"of model {format_integers(sorted(model_ids))}, j = {format_integers(sorted(predicted_j))}"
        raise RatedbError(what, where=impact.path, expected=expected, got=got, todo=todo)
    now = 100.0 * impact.uncertainty
    candidates = [
        NextJ.of(state, j, after[j], now - after[j])
        for j in sorted(after, key=after.__getitem__)
        if j in target
    ]
    return NextResult.of(
        state, options, candidates, now, expected_error=now, expected_dex=None, measured=True, target="lines"
    )
