"""Sources in the store: where values come from, what they bring, and which take precedence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ratedb import __version__
from ratedb.arrays import BoolArray
from ratedb.findings import Finding
from ratedb.levels import Lines
from ratedb.models.record import Model
from ratedb.origin import now, user_name
from ratedb.rates import Rates
from ratedb.references import OF_REFERENCE, Reference, parse_reference
from ratedb.store import staging
from ratedb.store.base import need_id
from ratedb.store.level_identity import KnownLevels
from ratedb.store.method_classes import classify_methods
from ratedb.store.quality import FindingStore
from ratedb.store.query import QueryResult
from ratedb.store.seals import changing
from ratedb.store.staging import SourceInfo

if TYPE_CHECKING:
    from sqlmodel import Session

_LISTED = """
WITH held AS (
    SELECT source_id, count(DISTINCT (upper_id, lower_id)) AS transitions,
           min(temperature_k[1]) AS temperature_min_k, max(temperature_k[-1]) AS temperature_max_k,
           sum(len(temperature_k))::BIGINT AS rates,
           sum(CASE WHEN marked_at_all THEN len(temperature_k) WHEN marked_k IS NOT NULL THEN len(
               list_filter(temperature_k, lambda kelvin: list_contains(marked_k, kelvin))
           ) ELSE 0 END)::BIGINT AS marked
    FROM rate_row WHERE {which} GROUP BY source_id
), chosen AS (
    SELECT source_id, sum(size * len(coalesce(given_k, temperature_k)))::BIGINT AS best,
           sum(size)::BIGINT AS best_transitions
    FROM (
        SELECT source_id, grid_id, given_k, count(*) AS size FROM best_row WHERE {which} GROUP BY ALL
    ) JOIN temperature_grid USING (grid_id)
    GROUP BY source_id
)
SELECT {columns} source_id, now.kind, now.method, now.reference, now.file_name, turn.place, transitions,
       temperature_min_k, temperature_max_k, coalesce(rates, 0) AS rates, coalesce(marked, 0) AS marked,
       coalesce(best, 0) AS best, now.method_class, now.grade, now.year, now.doi, now.withdrawn,
       coalesce(turn.joined, false) AS joined, coalesce(best_transitions, 0) AS best_transitions
FROM source_now AS now JOIN collision_system USING (system_id) LEFT JOIN held USING (source_id)
LEFT JOIN chosen USING (source_id) LEFT JOIN source_turn AS turn USING (source_id)
WHERE {of_system}
ORDER BY name, turn.turn NULLS LAST, source_id
"""


@dataclass(frozen=True)
class PutResult:
    """What an import did: values new and unchanged, and the source (None where nothing was new)."""

    source_id: int | None
    new: int
    unchanged: int
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class _Known:
    """What one transaction remembers of the store: hashes of files, ids of systems, levels of molecules."""

    files: set[str]
    systems: dict[str, int] = field(default_factory=dict)
    levels: dict[str, KnownLevels] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Incoming:
    """What one file brings: its lines, and its rates by source."""

    lines: Lines
    sources: tuple[tuple[Rates, SourceInfo], ...]


class SourceStore(FindingStore):
    """The part of a store with the tables source, source_file and source_order; it writes the table rate."""

    # -- what is in the store -------------------------------------------------------------------

    def sources(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of the view `sources` for a system, by id, with what derived ones were made of."""
        return self.query(
            "SELECT sources.*, input_system AS derived_from_system,"
            " input_source_ids AS derived_from_source_ids"
            " FROM sources LEFT JOIN derivation USING (source_id) WHERE system = ? ORDER BY source_id",
            [name],
        )

    def list_sources(self, name: str | None = None) -> QueryResult:
        """List the sources of a system, or of all, in order of precedence.

        Each with its kind, reference, transitions, temperatures, how many of its values are the best known,
        and how many are flagged. Raises RatedbError for an unknown system.
        """
        if name is None:
            columns, which, of_system, asked = "name AS system,", "true", "true", {}
        else:
            columns, which, of_system = "", "system = $system", "name = $system"
            asked = {"system": self.system(name).name}
        return self.table(
            _LISTED.format(columns=columns, which=which, of_system=of_system),
            asked,
            name="sources",
            about=asked,
        )

    def source_ids(self, name: str, *, predicted: bool = False) -> list[int]:
        """Return the ids of the sources of a system that count; those of predictions only where asked for."""
        return [
            row["source_id"]
            for row in self.sources(name)
            if (predicted or row["kind"] != "predicted") and not row["withdrawn"]
        ]

    def other_sources(self, name: str, file_sha256: str) -> list[int]:
        """Return the sources of a system that are neither predictions nor of the file with this hash."""
        of_file = {row["source_id"] for row in self.sources(name) if row["file_sha256"] == file_sha256}
        return [number for number in self.source_ids(name) if number not in of_file]

    def references(self, name: str) -> list[str]:
        """Return the references of a system's sources from files that count, sorted."""
        used = self.source_ids(name)
        return sorted({row["reference"] for row in self.sources(name) if row["source_id"] in used})

    def doubted_sources(self, name: str) -> dict[int, str]:
        """Return the sources of a system with an open finding about their unit, each with the rule."""
        rows = self.rows(
            "SELECT source_id, min(rule) FROM unit_doubt JOIN source_now USING (source_id)"
            " JOIN finding USING (source_id) JOIN collision_system USING (system_id)"
            " WHERE name = ? AND NOT withdrawn AND starts_with(rule, 'unit-of-s')"
            " AND accepted_because IS NULL GROUP BY source_id ORDER BY source_id",
            [name],
        )
        return dict(rows)

    # -- into the store -------------------------------------------------------------------------

    def put_source_order(
        self,
        name: str,
        source_ids: Sequence[int],
        reason: str,
        *,
        joined: Mapping[int, Finding] | None = None,
    ) -> None:
        """Store an order of precedence of the sources of a system, the best first.

        With `joined`, findings by source id, their curves are joined in temperature.
        """
        system = self.system(name)
        with self.transaction():
            self.rows(
                "INSERT INTO source_order (order_id, system_id, source_ids, reason, ordered_at,"
                " ratedb_version, joined, user_name)"
                " VALUES (nextval('source_order_ids'), ?, ?::INTEGER[], ?, ?, ?, ?, ?)",
                [
                    *(system.system_id, list(source_ids), reason),
                    *(now(), __version__, bool(joined), user_name()),
                ],
            )
            of_system = self.column(
                "SELECT source_id FROM source_now WHERE system_id = ?", [system.system_id]
            )
            with changing(self.connection, "finding", of_system):
                self.rows(
                    "DELETE FROM finding WHERE rule = 'joined-sources'"
                    " AND source_id IN (SELECT unnest(?::INTEGER[]))",
                    [of_system],
                )
                for source_id, finding in (joined or {}).items():
                    levels = self.levels(system.molecule).levels
                    self.put_findings(source_id, levels, self.level_ids(levels), [finding])

    def put_reference(self, source_id: int, reference: Reference) -> None:
        """Store the parts of the reference of a source, in place of those that it had."""
        values = [getattr(reference, name) or None for name in OF_REFERENCE]
        given = ", ".join(f"? AS {name}" for name in OF_REFERENCE)
        with changing(self.connection, "source_reference", [source_id]):
            self.rows(
                f"MERGE INTO source_reference USING (SELECT ? AS source_id, {given}) USING (source_id)"
                " WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT",
                [source_id, *values],
            )

    def put_rates(self, files: Sequence[Incoming], *, dry_run: bool = False) -> list[PutResult]:
        """Store what files bring, with levels and lines, all or nothing; a dry run keeps nothing.

        Values that the same source (file, kind, method, reference) already brought are left as they are.
        Raises RatedbError where the levels contradict those in the store.
        """
        results: list[PutResult] = []
        known = _Known(set(self.column("SELECT DISTINCT file_sha256 FROM source")))
        with self.transaction(keep=not dry_run) as session:
            for file in files:
                results += [
                    self._put_source(session, rates, file.lines, info, known) for rates, info in file.sources
                ]
            classify_methods(self.connection)
        return results

    def _put_source(
        self, session: Session, rates: Rates, lines: Lines, info: SourceInfo, known: _Known
    ) -> PutResult:
        """Store one source."""
        if rates.system not in known.systems:
            stored = self.put_system(rates.levels.molecule, rates.collider)
            known.systems[rates.system] = stored.system_id
        system_id = known.systems[rates.system]
        level_set_id, level_id, warnings = self.put_levels(
            session, rates.levels, lines, (info.file_name, info.file_sha256), known.levels
        )
        all_warnings = (*info.warnings, *warnings)
        staging.stage(self.connection, replace(rates, layers={}), level_id)
        offered = new = int(np.isfinite(rates.rate_cm3_s).sum())
        if info.exported or info.file_sha256 in known.files:
            staging.drop_unchanged(self.connection, system_id, info)
            new = staging.staged_values(self.connection)
        known.files.add(info.file_sha256)
        if new == 0:
            return PutResult(None, 0, offered, all_warnings)
        source_id = self._commit_staged(
            session,
            system_id=system_id,
            kind=info.kind,
            method=info.method,
            reference=info.reference,
            file_name=info.file_name,
            file_sha256=info.file_sha256,
            level_set_id=level_set_id,
            warnings=list(all_warnings),
            comment=info.comment,
        )
        parts = info.parts or parse_reference(info.reference)
        if parts != Reference():
            self.put_reference(source_id, parts)
        self.put_findings(source_id, rates.levels, level_id, info.findings)
        for file in info.files:
            self.rows("INSERT INTO source_file VALUES (?, ?, ?)", [source_id, *file])
        return PutResult(source_id, new, offered - new, all_warnings)

    def put_prediction(self, name: str, prediction: Rates, keep: BoolArray, model: Model) -> int:
        """Store predicted values where `keep`, shape (n, m), is true, as a new source; return its id."""
        system = self.system(name)
        with self.transaction() as session:
            level_id = self.level_ids(prediction.levels)
            staging.stage(self.connection, prediction.blanked(~keep), level_id)
            source_id = self._commit_staged(
                session,
                system_id=system.system_id,
                kind="predicted",
                method=f"Gaussian process ({model.engine}), kernel {model.kernel}; features {model.features}",
                reference=f"ratedb model {model.model_id}",
                model_id=model.model_id,
                warnings=[],
            )
            classify_methods(self.connection)
            return source_id

    def _commit_staged(self, session: Session, **values: Any) -> int:
        """Store what is staged as a new source with these values of its row; return its id."""
        from ratedb.store.records import SourceRow

        source = SourceRow(**values)
        session.add(source)
        session.flush()
        source_id = need_id(source.source_id)
        staging.commit_staged(self.connection, source_id)
        return source_id
