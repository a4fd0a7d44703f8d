-- Who said what, so that stores of several people can be merged; and the newest of what is said counts by its time.

-- Who imported a source and what they say of it; who said or ordered something later. Older stores do not know.
ALTER TABLE source ADD COLUMN user_name VARCHAR;
ALTER TABLE source ADD COLUMN comment VARCHAR;
-- Made anew, because DuckDB cannot replay the log of a change to a table with nextval as a default: a process killed
-- after it would leave a store that nobody opens.
CREATE TABLE source_event_before AS SELECT * FROM source_event;
DROP TABLE source_event;
CREATE TABLE source_event (
    event_id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL,
    action VARCHAR NOT NULL CHECK (action IN ('withdraw', 'restore', 'correct', 'grade')),
    field VARCHAR,
    old_value VARCHAR,
    new_value VARCHAR,
    reason VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL,
    user_name VARCHAR
);
INSERT INTO source_event BY NAME SELECT * FROM source_event_before;
DROP TABLE source_event_before;
ALTER TABLE source_order ADD COLUMN user_name VARCHAR;

-- By time, not by number: what another store said earlier is added after what was said here.
CREATE OR REPLACE VIEW source_change AS
SELECT
    source_id,
    max_by(action, (happened_at, event_id)) FILTER (action IN ('withdraw', 'restore')) AS presence,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'method') AS method,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'reference') AS reference,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'kind') AS kind,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'collider') AS collider,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'year') AS year,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'doi') AS doi,
    max_by(new_value, (happened_at, event_id)) FILTER (field = 'grade') AS grade
FROM source_event GROUP BY source_id;

CREATE VIEW newest_order AS
SELECT system_id, max_by(order_id, (ordered_at, order_id)) AS order_id FROM source_order GROUP BY system_id;

CREATE OR REPLACE VIEW source_place AS
SELECT source_id, place, joined
FROM (
    SELECT system_id, joined, unnest(source_ids) AS source_id, generate_subscripts(source_ids, 1) AS place
    FROM source_order
    WHERE order_id IN (SELECT order_id FROM newest_order)
)
JOIN source_now USING (system_id, source_id);

CREATE OR REPLACE VIEW source_now AS
SELECT
    said.* EXCLUDE (years, stated_year),
    coalesce(stated_year, CASE WHEN len(years) = 1 THEN years[1]::INTEGER END) AS year,
    CASE WHEN kind = 'computed' THEN coalesce(method_class.class, 'not stated') ELSE kind END AS method_class
FROM (
    SELECT
        source.source_id,
        coalesce(moved.system_id, source.system_id) AS system_id,
        coalesce(change.kind, source.kind) AS kind,
        coalesce(change.method, source.method) AS method,
        coalesce(change.reference, source.reference) AS reference,
        source.file_name, source.file_sha256, source.level_set_id, source.model_id, source.warnings,
        source.imported_at, source.ratedb_version, source.library_versions,
        nullif(change.grade, '') AS grade,
        source_reference.authors, source_reference.title, source_reference.journal,
        coalesce(nullif(change.doi, ''), source_reference.doi) AS doi,
        source_reference.bibtex,
        coalesce(change.presence = 'withdraw', false) AS withdrawn,
        source.user_name, source.comment,
        coalesce(try_cast(change.year AS INTEGER), source_reference.year) AS stated_year,
        list_distinct(regexp_extract_all(
            coalesce(change.reference, source.reference), '\b(19[3-9][0-9]|20[0-4][0-9])\b', 1
        )) AS years
    FROM source
    LEFT JOIN source_change AS change USING (source_id)
    LEFT JOIN source_reference USING (source_id)
    JOIN collision_system AS own ON own.system_id = source.system_id
    LEFT JOIN collision_system AS moved ON moved.molecule = own.molecule AND moved.collider = change.collider
) AS said
LEFT JOIN method_class USING (method);

CREATE OR REPLACE VIEW sources AS
SELECT
    source_now.source_id, s.name AS system, source_now.kind, source_now.method, source_now.reference,
    source_now.file_name, source_now.file_sha256, source_now.model_id, source_now.warnings, source_now.imported_at,
    source_now.ratedb_version, source_now.library_versions, source_now.method_class, source_now.grade,
    source_now.authors, source_now.year, source_now.journal, source_now.doi, source_now.withdrawn,
    source_now.title, source_now.bibtex, source_now.user_name, source_now.comment
FROM source_now JOIN collision_system AS s USING (system_id);

CREATE OR REPLACE VIEW source_events AS
SELECT
    source_event.event_id, now.name AS system, source_event.source_id, source_event.action, source_event.field,
    source_event.old_value, source_event.new_value, source_event.reason, source_event.happened_at,
    source_event.ratedb_version, own.name AS imported_as, source_event.user_name
FROM source_event
JOIN source USING (source_id)
JOIN collision_system AS own USING (system_id)
JOIN source_now ON source_now.source_id = source_event.source_id
JOIN collision_system AS now ON now.system_id = source_now.system_id;

CREATE OR REPLACE VIEW source_orders AS
SELECT source_order.order_id, s.name AS system, source_order.source_ids, source_order.reason,
    source_order.ordered_at, source_order.ratedb_version, source_order.joined, source_order.user_name
FROM source_order JOIN collision_system AS s USING (system_id);
