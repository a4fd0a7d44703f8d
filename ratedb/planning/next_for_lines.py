"""Which j next for the lines of an `impact`: what each would make more certain, and when to stop."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError
from ratedb.files import read_bytes, refuse_database
from ratedb.numbers import format_integers
from ratedb.planning.next_j import NextJ, NextResult, State, decide, state_of, write_next_job
from ratedb.planning.plan import PlanRequest
from ratedb.planning.variance import VarianceOptions
from ratedb.store.store import Store
from ratedb.verbs.impact import JImpact


@dataclass(frozen=True)
class StoredImpact:
    """What a file that `impact` wrote says of the j to compute."""

    path: str
    systems: tuple[str, ...]
    uncertainty_p95: float
    next_j: tuple[JImpact, ...]
    model_ids: frozenset[int]

    def of_system(self, system: str) -> dict[int, JImpact]:
        """Return what it says of the j of a system; raises RatedbError where it says nothing."""
        found = {one.j: one for one in self.next_j if one.system == system}
        if not found:
            raise RatedbError(
                f"the impact says nothing of {system}",
                where=self.path,
                expected=f"predicted rates of {system}",
                got=f"an impact of {' '.join(self.systems)}",
                todo=f"run `ratedb impact {system} -o FILE`",
            )
        return found


def plan_next_for_lines(
    db: Path,
    system: str,
    request: PlanRequest | None,
    plan_id: int | None,
    options: VarianceOptions,
    impact: Path,
    worklist: Path | None = None,
) -> NextResult:
    """Say which j to compute next for the lines of a file that `impact` wrote, or to stop.

    Errors are what 95 of 100 lines and conditions stay below, in percent of a flux. Raises UsageError where
    there is neither plan nor request, RatedbError where the file is no impact, of another system, or older
    than a j computed or a model that predicts since.
    """
    if worklist is not None:
        refuse_database(worklist)
    found = read_impact(impact)
    state = state_of(db, system, request, plan_id)
    with Store(db) as store:
        rows = store.query(
            "SELECT DISTINCT j, model_id FROM rates WHERE system = ? AND kind = 'predicted'", [system]
        )
    _check_models(found, {row["model_id"] for row in rows})
    result = next_for_lines(state, options, found, {row["j"] for row in rows})
    if worklist is not None:
        write_next_job(worklist, state, result)
    return result


def read_impact(path: Path) -> StoredImpact:
    """Return what `impact -o` wrote; raises RatedbError where the file is something else."""
    try:
        data: dict[str, Any] = json.loads(read_bytes(path))
        return StoredImpact(
            str(path),
            tuple(map(str, data["systems"])),
            _finite(data["uncertainty_p95"]),
            tuple(
                JImpact(
                    str(one["system"]),
                    int(_finite(one["j"])),
                    _finite(one["share"]),
                    _finite(one["uncertainty_after"]),
                )
                for one in data["next_j"]
            ),
            frozenset(map(int, data["model_ids"])),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise RatedbError(
            "not a file of line uncertainties",
            where=str(path),
            expected="JSON as `ratedb impact SYSTEM -o FILE` writes it",
            got=f"{type(error).__name__}: {str(error)[:80]}",
        ) from error


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return float(value)


def next_for_lines(
    state: State, options: VarianceOptions, impact: StoredImpact, predicted: Collection[int]
) -> NextResult:
    """Say which j would make the lines of an impact more certain, or that it is time to stop.

    `predicted` are the j out of which the store has predictions now. Raises RatedbError where the impact is
    of another system, older than the store, or of none of the j of the target.
    """
    options.check(state.request)
    of_j = impact.of_system(state.request.system)
    _check_age(impact, sorted(of_j), predicted, state)
    now = 100.0 * impact.uncertainty_p95
    candidates = sorted(
        (_candidate(of_j[j], now, state) for j in state.request.target if j in of_j),
        key=lambda one: one.expected_error or 0.0,
    )
    next_j, stop, reason = decide(candidates, now, state, options, ())
    return NextResult(
        system=state.request.system,
        plan_id=state.plan_id,
        train_j=state.train_j,
        validate_j=state.validate_j,
        unknown_j=state.unknown_j,
        expected_error=now,
        expected_dex=None,
        measured=True,
        candidates=candidates,
        next_j=next_j,
        stop=stop,
        reason=reason,
        target="lines",
    )


def _check_models(impact: StoredImpact, model_ids: set[int]) -> None:
    newer = sorted(model_ids - impact.model_ids)
    if newer:
        raise RatedbError(
            "the impact is older than the store",
            where=impact.path,
            expected=f"predictions of model {', '.join(map(str, sorted(impact.model_ids)))}",
            got=f"predictions of model {', '.join(map(str, newer))} too",
            todo="run `ratedb impact` again",
        )


def _check_age(impact: StoredImpact, looked_at: list[int], predicted: Collection[int], state: State) -> None:
    since = sorted(set(looked_at) - set(predicted))
    if since:
        raise RatedbError(
            "the impact is older than the store",
            where=impact.path,
            expected=f"j = {format_integers(since)} predicted, as the file has it",
            got="nothing predicted out of them any more",
            todo="train, fill and run `ratedb impact` again",
        )
    if not set(looked_at) & set(state.request.target):
        raise RatedbError(
            "the impact looked at none of the j of interest",
            where=impact.path,
            expected=f"j = {format_integers(state.request.target)}",
            got=f"j = {format_integers(looked_at)}",
            todo="run `ratedb impact` with another --j-max",
        )


def _candidate(one: JImpact, now: float, state: State) -> NextJ:
    after = 100.0 * one.uncertainty_after
    costs = state.request.costs
    return NextJ(
        j=one.j,
        hours=costs.hours((one.j,)),
        cost_percent=100.0 * costs.share((one.j,)),
        expected_error=after,
        gain=now - after,
        planned=one.j in state.planned,
    )
