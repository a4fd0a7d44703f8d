-- What is said of sources after their import, their methods and references, and which source gives a transition.

-- A source is never changed: what is said of it later is an event, and the newest event of a field counts.
CREATE SEQUENCE source_event_ids;
CREATE TABLE source_event (
    event_id INTEGER PRIMARY KEY DEFAULT nextval('source_event_ids'),
    source_id INTEGER NOT NULL,
    action VARCHAR NOT NULL CHECK (action IN ('withdraw', 'restore', 'correct', 'grade')),
    field VARCHAR,
    old_value VARCHAR,
    new_value VARCHAR,
    reason VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
);

-- The reference of a source in its parts, where they are known.
CREATE TABLE source_reference (
    source_id INTEGER PRIMARY KEY,
    authors VARCHAR,
    year INTEGER,
    title VARCHAR,
    journal VARCHAR,
    doi VARCHAR,
    bibtex VARCHAR
);

-- The class of each method text that occurs, as ratedb/methods.py tells it, and the order of the classes.
CREATE TABLE method_class (method VARCHAR PRIMARY KEY, class VARCHAR NOT NULL);
CREATE TABLE method_rank (class VARCHAR PRIMARY KEY, rank INTEGER NOT NULL);
INSERT INTO method_rank VALUES
    ('close coupling', 0), ('coupled states', 1), ('other quantum', 2), ('mixed or classical', 3),
    ('infinite order sudden', 4), ('scaled', 5), ('extrapolated', 6), ('not stated', 7), ('predicted', 8);

-- With `joined`, the curves of the sources of an order are joined in temperature.
ALTER TABLE source_order ADD COLUMN joined BOOLEAN DEFAULT false;

CREATE VIEW source_change AS
SELECT
    source_id,
    arg_max(action, event_id) FILTER (action IN ('withdraw', 'restore')) AS presence,
    max_by(new_value, event_id) FILTER (field = 'method') AS method,
    max_by(new_value, event_id) FILTER (field = 'reference') AS reference,
    max_by(new_value, event_id) FILTER (field = 'kind') AS kind,
    max_by(new_value, event_id) FILTER (field = 'collider') AS collider,
    max_by(new_value, event_id) FILTER (field = 'year') AS year,
    max_by(new_value, event_id) FILTER (field = 'doi') AS doi,
    max_by(new_value, event_id) FILTER (field = 'grade') AS grade
FROM source_event GROUP BY source_id;

-- The sources with their corrections. A year that is not given is the only one that the reference names.
-- `grade` is a curator's, A (best) to E; none ranks as C.
CREATE VIEW source_now AS
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

-- A source whose values may be in another unit: it never takes precedence until someone accepts the finding.
CREATE VIEW unit_doubt AS
SELECT DISTINCT source_id FROM finding
WHERE rule IN ('unit-of-set', 'unit-of-sources') AND accepted_because IS NULL;

CREATE OR REPLACE VIEW source_place AS
SELECT source_id, place, joined
FROM (
    SELECT system_id, joined, unnest(source_ids) AS source_id, generate_subscripts(source_ids, 1) AS place
    FROM source_order
    WHERE order_id IN (SELECT max(order_id) FROM source_order GROUP BY system_id)
)
JOIN source_now USING (system_id, source_id);

-- The sources that have every transition of their system. Only systems of several sources pay for the count.
CREATE VIEW complete_source AS
WITH usable AS (
    SELECT source_id, system_id FROM source_now
    WHERE kind <> 'predicted' AND NOT withdrawn AND source_id NOT IN (FROM unit_doubt)
    QUALIFY count(*) OVER (PARTITION BY system_id) > 1
), held AS (
    SELECT DISTINCT system_id, source_id, upper_id, lower_id FROM rate JOIN usable USING (source_id)
), known AS (
    SELECT system_id, count(*) AS size FROM (SELECT DISTINCT system_id, upper_id, lower_id FROM held) GROUP BY ALL
)
SELECT source_id
FROM (SELECT system_id, source_id, count(*) AS size FROM held GROUP BY ALL) JOIN known USING (system_id, size);

-- The order of the sources of a system: `turn` 1 takes precedence. A source in another unit and predictions come
-- last; before that the order that was set, the method, the grade, a source that has the whole system, the year
-- and the import.
CREATE VIEW source_turn AS
SELECT
    source_id, source_now.system_id, source_now.kind, source_now.model_id, kind_rank.rank, place,
    coalesce(joined, false) AS joined,
    unit_doubt.source_id IS NOT NULL AS doubted,
    row_number() OVER (
        PARTITION BY source_now.system_id
        ORDER BY unit_doubt.source_id IS NOT NULL, source_now.kind = 'predicted', place NULLS LAST,
            method_rank.rank, coalesce(grade, 'C'), complete_source.source_id IS NULL,
            year DESC NULLS LAST, source_id DESC
    ) AS turn
FROM source_now
JOIN kind_rank USING (kind)
JOIN method_rank ON method_rank.class = source_now.method_class
LEFT JOIN source_place USING (source_id)
LEFT JOIN unit_doubt USING (source_id)
LEFT JOIN complete_source USING (source_id)
WHERE NOT withdrawn;

DROP VIEW best_curve;
DROP VIEW known_curve;
DROP VIEW contested_range;
DROP VIEW contested_value;

CREATE OR REPLACE VIEW rate_row AS
SELECT
    rate.*,
    source_turn.* EXCLUDE (source_id),
    temperature_grid.temperature_k,
    mark.temperatures_k AS marked_k,
    coalesce(mark.at_all, false) OR whole_mark.source_id IS NOT NULL AS marked_at_all,
    mark.source_id IS NOT NULL OR whole_mark.source_id IS NOT NULL AS flagged
FROM rate
JOIN source_turn USING (source_id)
JOIN temperature_grid USING (grid_id)
LEFT JOIN mark
    ON mark.source_id = rate.source_id AND mark.upper_id = rate.upper_id AND mark.lower_id = rate.lower_id
LEFT JOIN whole_mark ON whole_mark.source_id = rate.source_id;

CREATE OR REPLACE VIEW rate_value AS
SELECT
    * EXCLUDE (marked_k, marked_at_all),
    marked_at_all OR coalesce(list_contains(marked_k, temperature_k), false) AS marked
FROM (
    SELECT
        system_id, upper_id, lower_id, source_id, kind, model_id, rank, place, turn, extrapolated,
        marked_k, marked_at_all,
        unnest(temperature_k) AS temperature_k,
        unnest(rate_cm3_s) AS rate_cm3_s,
        unnest(log10_half_width_68) AS log10_half_width_68
    FROM rate_row
);

-- Each transition with the source that gives its whole curve: what is known before what is predicted, a source with a
-- flagged value last among these, then the order of the sources. `choice` 1 is the one; where the curves of sources
-- are joined, the next ones give what is outside the range of temperatures of those before them.
CREATE VIEW chosen_row AS
SELECT
    *,
    row_number() OVER ordered AS choice,
    min(temperature_k[1]) OVER earlier AS earlier_low_k,
    max(temperature_k[-1]) OVER earlier AS earlier_high_k,
    bool_or(kind = 'predicted') OVER (PARTITION BY system_id, upper_id, lower_id) AS filled
FROM rate_row
WINDOW
    ordered AS (
        PARTITION BY system_id, upper_id, lower_id ORDER BY kind = 'predicted', doubted, flagged, turn, grid_id
    ),
    earlier AS (
        PARTITION BY system_id, upper_id, lower_id ORDER BY kind = 'predicted', doubted, flagged, turn, grid_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    );

CREATE VIEW chosen_value AS
SELECT
    * EXCLUDE (marked_k, marked_at_all, choice, earlier_low_k, earlier_high_k),
    marked_at_all OR coalesce(list_contains(marked_k, temperature_k), false) AS marked
FROM (
    SELECT
        system_id, upper_id, lower_id, source_id, kind, model_id, rank, place, turn, doubted, extrapolated, filled,
        marked_k, marked_at_all, choice, earlier_low_k, earlier_high_k,
        unnest(temperature_k) AS temperature_k,
        unnest(rate_cm3_s) AS rate_cm3_s,
        unnest(log10_half_width_68) AS log10_half_width_68
    FROM chosen_row
    WHERE choice = 1 OR kind = 'predicted' OR (joined AND NOT flagged AND NOT doubted)
)
WHERE rate_cm3_s IS NOT NULL
    AND (choice = 1 OR kind = 'predicted' OR temperature_k NOT BETWEEN earlier_low_k AND earlier_high_k);

-- The curves of files, each of one source.
CREATE VIEW known_curve AS
SELECT * EXCLUDE (filled) FROM chosen_value WHERE kind <> 'predicted';

-- The same with predictions, the newest first, where a curve has no value or a flagged one.
CREATE VIEW best_curve AS
SELECT * EXCLUDE (filled) FROM chosen_value WHERE NOT filled
UNION ALL
SELECT * EXCLUDE (filled) FROM chosen_value WHERE filled
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k
    ORDER BY doubted, marked, kind = 'predicted', source_id DESC
) = 1;

CREATE OR REPLACE VIEW best_value AS SELECT * FROM best_curve;

CREATE OR REPLACE VIEW sources AS
SELECT
    source_now.source_id, s.name AS system, source_now.kind, source_now.method, source_now.reference,
    source_now.file_name, source_now.file_sha256, source_now.model_id, source_now.warnings, source_now.imported_at,
    source_now.ratedb_version, source_now.library_versions, source_now.method_class, source_now.grade,
    source_now.authors, source_now.year, source_now.journal, source_now.doi, source_now.withdrawn
FROM source_now JOIN collision_system AS s USING (system_id);

CREATE OR REPLACE VIEW findings AS
SELECT
    s.name AS system, finding.source_id, finding.rule, finding.severity,
    u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final,
    finding.temperature_k, finding.value, finding.expected, finding.detail, finding.accepted_because,
    finding.found_at, finding.ratedb_version
FROM finding
JOIN source_now USING (source_id)
JOIN collision_system AS s USING (system_id)
LEFT JOIN level AS u ON u.level_id = finding.upper_id
LEFT JOIN level AS l ON l.level_id = finding.lower_id;

CREATE OR REPLACE VIEW source_orders AS
SELECT source_order.order_id, s.name AS system, source_order.source_ids, source_order.reason,
    source_order.ordered_at, source_order.ratedb_version, source_order.joined
FROM source_order JOIN collision_system AS s USING (system_id);

-- The views of best_value keep the names of its columns, so they are made anew.
CREATE OR REPLACE VIEW rates AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_half_width_68, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked,
    b.log10_half_width_68 AS log10_std
FROM best_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id;

CREATE OR REPLACE VIEW rates_all AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_half_width_68, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked,
    b.log10_half_width_68 AS log10_std
FROM rate_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;
