-- What a curator says of sources, and references in their parts.

-- The history of the sources. `imported_as` is the system of the source before any correction of its collider.
CREATE VIEW source_events AS
SELECT
    source_event.event_id, now.name AS system, source_event.source_id, source_event.action, source_event.field,
    source_event.old_value, source_event.new_value, source_event.reason, source_event.happened_at,
    source_event.ratedb_version, own.name AS imported_as
FROM source_event
JOIN source USING (source_id)
JOIN collision_system AS own USING (system_id)
JOIN source_now ON source_now.source_id = source_event.source_id
JOIN collision_system AS now ON now.system_id = source_now.system_id;

-- With all parts of a reference.
CREATE OR REPLACE VIEW sources AS
SELECT
    source_now.source_id, s.name AS system, source_now.kind, source_now.method, source_now.reference,
    source_now.file_name, source_now.file_sha256, source_now.model_id, source_now.warnings, source_now.imported_at,
    source_now.ratedb_version, source_now.library_versions, source_now.method_class, source_now.grade,
    source_now.authors, source_now.year, source_now.journal, source_now.doi, source_now.withdrawn,
    source_now.title, source_now.bibtex
FROM source_now JOIN collision_system AS s USING (system_id);
