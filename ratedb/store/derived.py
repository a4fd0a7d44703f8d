"""Derived rates into the store: a new source, and what it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.files import sha256
from ratedb.layers import Kind
from ratedb.levels import Lines
from ratedb.rates import Rates
from ratedb.store import staging
from ratedb.store.method_classes import classify_methods
from ratedb.store.rates import RateStore
from ratedb.store.sources import PutResult


@dataclass(frozen=True)
class DerivedInfo:
    """What is said of derived rates: `target` is what they are, `levels_file` a list's name and SHA-256."""

    target: str
    method: str
    reference: str
    input_system: str
    input_source_ids: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    levels_file: tuple[str, str] | None = None


class DerivedStore(RateStore):
    """The part of a store with the table derivation."""

    def derivations(self, system: str) -> list[dict[str, Any]]:
        """Return the rows of the view `derivations` that give a system and are not withdrawn, by source."""
        return self.query(
            "SELECT * FROM derivations WHERE system = ? AND NOT withdrawn ORDER BY source_id", [system]
        )

    def put_derived(
        self, rates: Rates, lines: Lines | None, info: DerivedInfo, *, dry_run: bool = False
    ) -> PutResult:
        """Store derived rates with their levels and lines, all or nothing; a dry run keeps nothing.

        No `lines` are given for levels that came out of this store. The same derivation with the same values
        (to seven digits) is left as it is: the result then names the source that has it. Levels and lines are
        stored once. Raises RatedbError where the levels contradict those in the store.
        """
        digest = _values_sha256(rates)
        count = int(np.isfinite(rates.rate_cm3_s).sum())
        with self.transaction(keep=not dry_run) as session:
            system = self.put_system(rates.levels.molecule, rates.collider)
            level_set_id, warnings = None, list(info.warnings)
            if lines is None:
                level_id = self.level_ids(rates.levels)
            else:
                file = info.levels_file or (f"derived from {info.input_system}", digest)
                level_set_id, level_id, more = self.put_levels(session, rates.levels, lines, file, {})
                warnings += more
            same = self.column(
                "SELECT source_id FROM derivation JOIN source USING (source_id) WHERE system_id = ?"
                " AND target = ? AND input_system = ? AND method = ? AND rates_sha256 = ? ORDER BY source_id",
                [system.system_id, info.target, info.input_system, info.method, digest],
            )
            if same:
                return PutResult(same[-1], 0, count, tuple(warnings))
            staging.stage(self.connection, rates, level_id)
            source_id = self._commit_staged(
                session,
                system_id=system.system_id,
                kind=Kind.DERIVED.text,
                method=info.method,
                reference=info.reference,
                level_set_id=level_set_id,
                warnings=warnings,
            )
            self.rows(
                "INSERT INTO derivation VALUES (?, ?, ?, ?::INTEGER[], ?)",
                [source_id, info.target, info.input_system, _integers(info.input_source_ids), digest],
            )
            classify_methods(self.connection)
        return PutResult(None if dry_run else source_id, count, 0, tuple(warnings))


def _integers(numbers: Sequence[int]) -> list[int]:
    return [int(number) for number in numbers]


def _values_sha256(rates: Rates) -> str:
    """Return a hash of transitions, temperatures and values to seven digits, whatever their order."""
    names = [f"{upper}>{lower}" for upper, lower in rates.transitions.names()]
    kelvin = " ".join(f"{t:.7g}" for t in rates.temperature_k)
    lines = sorted(
        f"{name} {' '.join(f'{k:.6e}' for k in row)}"
        for name, row in zip(names, rates.rate_cm3_s, strict=True)
    )
    return sha256("\n".join([rates.system, kelvin, *lines]).encode())
