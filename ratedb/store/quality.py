"""Findings of quality control in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ratedb import __version__
from ratedb.arrays import BoolArray, IntArray
from ratedb.findings import Finding
from ratedb.levels import Levels
from ratedb.origin import now
from ratedb.rates import Rates
from ratedb.store.levels import LevelStore
from ratedb.store.query import QueryResult
from ratedb.store.seals import changing
from ratedb.store.systems import SystemStore

_TYPES = {
    "rule": "VARCHAR",
    "severity": "VARCHAR",
    "upper_id": "INTEGER",
    "lower_id": "INTEGER",
    "temperature_k": "DOUBLE",
    "value": "DOUBLE",
    "expected": "DOUBLE",
    "detail": "VARCHAR",
}


class FindingStore(SystemStore, LevelStore):
    """The part of a store with the table finding."""

    def put_findings(
        self, source_id: int, levels: Levels, level_id: IntArray, findings: Sequence[Finding]
    ) -> None:
        """Store findings about a source; `level_id`, shape (n,), are the store's ids of `levels`."""
        if not findings:
            return
        id_of: dict[str | None, int | None] = dict(zip(levels.label, level_id.tolist(), strict=True))
        id_of[None] = None
        of_levels: dict[str, list[Any]] = {
            "upper_id": [id_of[one.upper] for one in findings],
            "lower_id": [id_of[one.lower] for one in findings],
        }
        columns = [of_levels.get(name) or [getattr(one, name) for one in findings] for name in _TYPES]
        unnested = ", ".join(f"unnest(?::{of}[])" for of in _TYPES.values())
        self.rows(
            f"INSERT INTO finding SELECT ?, {unnested}, ?, ?, NULL",
            [source_id, *columns, now(), __version__],
        )

    def put_new_findings(
        self, source_id: int, levels: Levels, level_id: IntArray, findings: Sequence[Finding]
    ) -> None:
        """Store those of the findings about a source that it does not have, in the same words."""
        rows = self.rows(
            "SELECT rule, upper_label, lower_label, temperature_k, detail FROM findings WHERE source_id = ?",
            [source_id],
        )
        known = set(rows)
        new = [
            one
            for one in findings
            if (one.rule, one.upper, one.lower, one.temperature_k, one.detail) not in known
        ]
        self.put_findings(source_id, levels, level_id, new)

    def replace_findings(
        self, found: Sequence[tuple[int, Levels, Sequence[Finding]]], of_file: Sequence[str]
    ) -> None:
        """Replace the findings about sources (id, levels, findings), all or none.

        Findings of the rules `of_file` stay, and so do accepted ones, which are not stored again.
        """
        with self.transaction():
            for source_id, levels, findings in found:
                with changing(self.connection, "finding", [source_id]):
                    self.rows(
                        "DELETE FROM finding WHERE source_id = ? AND accepted_because IS NULL"
                        " AND NOT list_contains(?::VARCHAR[], rule)",
                        [source_id, list(of_file)],
                    )
                    self.put_findings(source_id, levels, self.level_ids(levels), findings)
                    self._delete_accepted_again(source_id)

    def _delete_accepted_again(self, source_id: int) -> None:
        self.rows(
            """
            DELETE FROM finding AS new WHERE source_id = ? AND accepted_because IS NULL AND EXISTS (
                SELECT 1 FROM finding AS old
                WHERE old.source_id = new.source_id AND old.rule = new.rule
                  AND old.accepted_because IS NOT NULL
                  AND old.upper_id IS NOT DISTINCT FROM new.upper_id
                  AND old.lower_id IS NOT DISTINCT FROM new.lower_id
                  AND old.temperature_k IS NOT DISTINCT FROM new.temperature_k
            )
            """,
            [source_id],
        )

    def accept_findings(self, source_ids: Sequence[int], rule: str, reason: str) -> int:
        """Accept the findings of a rule about sources, so that they flag no values; return how many."""
        with self.transaction(), changing(self.connection, "finding", source_ids):
            [(accepted,)] = self.rows(
                "UPDATE finding SET accepted_because = ? WHERE source_id IN (SELECT unnest(?::INTEGER[]))"
                " AND rule = ? AND accepted_because IS NULL",
                [reason, list(source_ids), rule],
            )
        return int(accepted)

    def list_findings(self, name: str | None = None) -> QueryResult:
        """List the findings about all systems or one; raises RatedbError for an unknown system."""
        system = None if name is None else self.system(name).name
        return self.table(
            "SELECT * FROM findings WHERE system = coalesce(?, system) ORDER BY source_id, severity, rule,"
            " v, j, v_final, j_final, upper_label, lower_label, temperature_k",
            [system],
            name="findings",
        )

    def suspected(self, rates: Rates) -> BoolArray:
        """Return which values have an error or warning about their transition or level, shape (n, m)."""
        rows = self.rows(
            "SELECT source_id, upper_label, lower_label, temperature_k FROM findings WHERE system = ?"
            " AND severity IN ('error', 'warning') AND upper_label IS NOT NULL AND accepted_because IS NULL",
            [rates.system],
        )
        place = {name: row for row, name in enumerate(rates.transitions.names())}
        found = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
        for source_id, upper, lower, kelvin in rows:
            at = np.full(len(rates.temperature_k), True) if kelvin is None else rates.temperature_k == kelvin
            row = place.get((upper, lower))
            if lower is None:  # about all transitions out of a level
                out = (rates.upper_label == upper)[:, None]
                found |= out & at & (rates.source_id == source_id)
            elif row is not None:
                found[row] |= at & (rates.source_id[row] == source_id)
        return found
