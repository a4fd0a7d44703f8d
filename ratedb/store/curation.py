"""What a curator says of sources after their import: events, of which the newest of each field counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ratedb import __version__
from ratedb.origin import now, user_name
from ratedb.references import parse_reference
from ratedb.store.method_classes import classify_methods
from ratedb.store.query import QueryResult
from ratedb.store.sources import SourceStore


@dataclass(frozen=True)
class SourceEvent:
    """One thing said of a source: the action, and for a correction the field and its two values."""

    action: str
    field: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class CurationStore(SourceStore):
    """The part of a store with the tables source_event and source_reference."""

    def put_source_events(self, source_id: int, events: Sequence[SourceEvent], reason: str) -> None:
        """Store what is said of a source, with the reason; the source itself stays as it was imported.

        A new collider makes its system where there is none.
        """
        with self.transaction():
            [name] = self.column("SELECT system FROM sources WHERE source_id = ?", [source_id])
            for event in events:
                if event.field == "collider" and event.new_value is not None:
                    self.put_system(self.system(name).molecule, event.new_value)
                self.rows(
                    "INSERT INTO source_event (event_id, source_id, action, field, old_value, new_value,"
                    " reason, happened_at, ratedb_version, user_name)"
                    " VALUES (nextval('source_event_ids'), ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        source_id,
                        *(event.action, event.field, event.old_value, event.new_value, reason),
                        *(now(), __version__, user_name()),
                    ],
                )
            corrected = {event.field: event.new_value or None for event in events}
            if "reference" in corrected:
                self.put_reference(source_id, parse_reference(corrected["reference"] or ""))
            classify_methods(self.connection)

    def source_history(self, name: str | None) -> QueryResult:
        """List what was said of the sources of a system, or of all, the oldest first.

        Sources that a correction moved to another system are in the history of both.
        """
        if name is not None:
            self.system(name)
        return self.table(
            "SELECT * FROM source_events WHERE coalesce(system = $name OR imported_as = $name, true)"
            " ORDER BY event_id",
            {"name": name},
            name="history",
            about={} if name is None else {"system": name},
        )

    def models_of_sources(self, source_ids: Sequence[int]) -> list[int]:
        """Return the ids of the models that were trained on one of these sources."""
        return self.column(
            "SELECT model_id FROM model WHERE list_has_any(training_source_ids, ?::INTEGER[])"
            " ORDER BY model_id",
            [list(source_ids)],
        )
