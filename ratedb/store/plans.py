"""Plans in the store, scores of training sets, and which j it has rates of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.origin import now
from ratedb.store.base import OpenStore, Parameters
from ratedb.store.seals import need_intact_row


@dataclass(frozen=True)
class Plan:
    """A plan: what was asked and what was proposed, as JSON values; `plan_id` is None before it is stored."""

    system_name: str
    strategy: str
    request: dict[str, Any]
    candidates: list[dict[str, Any]]
    chosen: dict[str, Any] | None = None
    plan_id: int | None = None


class StoredScore(NamedTuple):
    """The test error of one training set with one kernel; j are lists such as 5,9,14,19."""

    kernel: str
    train_j: str
    validate_j: str
    dex_rms: float
    log10_percent_error: float


class PlanStore(OpenStore):
    """The part of a store with the tables plan and set_score."""

    def put_plan(self, plan: Plan) -> int:
        """Store a plan and return its id."""
        chosen = None if plan.chosen is None else json.dumps(plan.chosen)
        values = [
            plan.system_name,
            plan.strategy,
            json.dumps(plan.request),
            json.dumps(plan.candidates),
            chosen,
            now(),
            __version__,
        ]
        with self.statements():
            [number] = self.column("SELECT nextval('plan_ids')")
            self.rows(
                "INSERT INTO plan"
                " (plan_id, system_name, strategy, request, candidates, chosen, planned_at, ratedb_version)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [number, *values],
            )
        return int(number)

    def plan(self, plan_id: int) -> Plan:
        """Return a plan; raises RatedbError where the store does not have it."""
        found = self._plans("plan_id = ?", [plan_id])
        if not found:
            raise RatedbError(
                f"the store has no plan {plan_id}", todo="`ratedb plan SYSTEM --j 5:20` makes one"
            )
        return found[0]

    def newest_plan(self, system: str, *, chosen: bool = True) -> Plan | None:
        """Return the newest plan of a system, by default with a chosen set; None where there is none."""
        # Older stores have a JSON null where nothing was chosen.
        found = self._plans(
            "system_name = ? AND (NOT ? OR coalesce(chosen::VARCHAR, 'null') <> 'null')"
            " ORDER BY planned_at DESC, plan_id DESC LIMIT 1",
            [system, chosen],
        )
        return found[0] if found else None

    def _plans(self, condition: str, parameters: Parameters) -> list[Plan]:
        rows = self.rows(
            "SELECT system_name, strategy, request, candidates, coalesce(chosen, 'null'), plan_id FROM plan"
            f" WHERE {condition}",
            parameters,
        )
        for row in rows:
            need_intact_row(self.connection, "plan", row[-1])
        return [
            Plan(system, strategy, json.loads(request), json.loads(candidates), json.loads(chosen), number)
            for system, strategy, request, candidates, chosen, number in rows
        ]

    def molecule_kind(self, molecule: str) -> str:
        """Return the kind of a molecule as the store keeps it, empty for an unknown molecule."""
        found = self.column("SELECT kind FROM molecule WHERE molecule = ?", [molecule])
        return str(found[0]) if found else ""

    def known_j(self, system: str, v_max: int = 0) -> tuple[int, ...]:
        """Return the initial j with rates that are not predicted, out of every v up to v_max.

        Empty for an unknown system.
        """
        found = self.column(
            "SELECT level.j FROM rate"
            " JOIN source_now AS source USING (source_id) JOIN collision_system USING (system_id)"
            " JOIN level ON level.level_id = rate.upper_id"
            " WHERE collision_system.name = $system AND source.kind <> 'predicted'"
            " AND NOT source.withdrawn AND level.j IS NOT NULL AND level.v <= $v_max"
            # The lowest level, v = 0 and j = 0, has no downward transition.
            " GROUP BY level.j HAVING count(DISTINCT level.v) = $v_max + (level.j > 0)::INTEGER"
            " ORDER BY level.j",
            {"system": system, "v_max": v_max},
        )
        return tuple(found)

    def predicted_by(self, system: str) -> tuple[frozenset[int], frozenset[int]]:
        """Return the initial j whose best rates are predicted, and the ids of the models they are from."""
        rows = self.rows(
            "SELECT DISTINCT j, model_id FROM best_row WHERE system = ? AND kind = 'predicted'", [system]
        )
        return frozenset(j for j, _ in rows), frozenset(model_id for _, model_id in rows)

    def models_that_predict(self, system: str) -> list[int]:
        """Return the ids of the models that the best rates of a system are predicted by."""
        return self.column(
            "SELECT DISTINCT model_id FROM best_row WHERE system = ? AND kind = 'predicted'"
            " ORDER BY model_id",
            [system],
        )

    def put_set_scores(self, search: str, system: str, scores: Sequence[StoredScore]) -> None:
        """Store scores of training sets; `search` names what was asked."""
        columns = [[score[place] for score in scores] for place in range(len(StoredScore._fields))]
        self.rows(
            "INSERT INTO set_score SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),"
            " unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[])",
            [search, system, *columns],
        )

    def set_scores(self, search: str) -> list[StoredScore]:
        """Return the scores that are stored for a search."""
        rows = self.rows(
            "SELECT kernel, train_j, validate_j, dex_rms, log10_percent_error FROM set_score"
            " WHERE search = ?",
            [search],
        )
        return [StoredScore(*row) for row in rows]
