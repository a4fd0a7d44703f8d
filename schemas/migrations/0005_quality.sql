-- What quality control found, which source wins, and all files that a source was read from.

-- An error about a transition marks its values: they lose to any value that is not marked, and models do not
-- learn from them, unless someone has accepted the finding and said why.
CREATE TABLE finding (
    source_id INTEGER NOT NULL,
    rule VARCHAR NOT NULL,
    severity VARCHAR NOT NULL CHECK (severity IN ('error', 'warning', 'note')),
    upper_id INTEGER,
    lower_id INTEGER,
    temperature_k DOUBLE,
    value DOUBLE,
    expected DOUBLE,
    detail VARCHAR NOT NULL,
    found_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL,
    accepted_because VARCHAR
);

-- The order in which sources of a system win, the best first; the newest row counts. Sources that are not in it
-- follow, by kind and then the newest first.
CREATE SEQUENCE source_order_ids;
CREATE TABLE source_order (
    order_id INTEGER PRIMARY KEY,
    system_id INTEGER NOT NULL REFERENCES collision_system (system_id),
    source_ids INTEGER[] NOT NULL,
    reason VARCHAR NOT NULL,
    ordered_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
);

-- Rates that come from several files, as those averaged from cross sections; one file stands in source itself.
CREATE TABLE source_file (
    source_id INTEGER NOT NULL,
    file_name VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL
);

CREATE VIEW mark AS
SELECT
    source_id, upper_id, lower_id,
    list(temperature_k) FILTER (temperature_k IS NOT NULL) AS temperatures_k,
    bool_or(temperature_k IS NULL) AS at_all
FROM finding
WHERE severity = 'error' AND upper_id IS NOT NULL AND accepted_because IS NULL
GROUP BY source_id, upper_id, lower_id;

-- An error that names no transition marks all values of its source.
CREATE VIEW whole_mark AS
SELECT DISTINCT source_id FROM finding
WHERE severity = 'error' AND upper_id IS NULL AND accepted_because IS NULL;

CREATE VIEW source_place AS
SELECT unnest(source_ids) AS source_id, generate_subscripts(source_ids, 1) AS place
FROM source_order
WHERE order_id IN (SELECT max(order_id) FROM source_order GROUP BY system_id);

CREATE OR REPLACE VIEW rate_row AS
SELECT
    rate.*,
    source.system_id,
    source.kind,
    source.model_id,
    kind_rank.rank,
    source_place.place,
    temperature_grid.temperature_k,
    mark.temperatures_k AS marked_k,
    coalesce(mark.at_all, false) OR whole_mark.source_id IS NOT NULL AS marked_at_all,
    count(*) OVER (PARTITION BY source.system_id, rate.upper_id, rate.lower_id) AS competitors
FROM rate
JOIN source USING (source_id)
JOIN kind_rank USING (kind)
JOIN temperature_grid USING (grid_id)
LEFT JOIN source_place ON source_place.source_id = rate.source_id
LEFT JOIN mark
    ON mark.source_id = rate.source_id AND mark.upper_id = rate.upper_id AND mark.lower_id = rate.lower_id
LEFT JOIN whole_mark ON whole_mark.source_id = rate.source_id;

CREATE OR REPLACE VIEW rate_value AS
SELECT
    * EXCLUDE (marked_k, marked_at_all),
    marked_at_all OR coalesce(list_contains(marked_k, temperature_k), false) AS marked
FROM (
    SELECT
        system_id, upper_id, lower_id, source_id, kind, model_id, rank, place, competitors, extrapolated,
        marked_k, marked_at_all,
        unnest(temperature_k) AS temperature_k,
        unnest(rate_cm3_s) AS rate_cm3_s,
        unnest(log10_std) AS log10_std
    FROM rate_row
);

-- The best value at each temperature by itself: not marked before marked, anything before predicted, then the order
-- that was set, then the best kind, then the newest source. Only contested transitions pay for the choice.
CREATE OR REPLACE VIEW best_value AS
SELECT * FROM rate_value WHERE competitors = 1 AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * FROM rate_value WHERE competitors > 1 AND rate_cm3_s IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k
    ORDER BY marked, kind = 'predicted', place NULLS LAST, rank, source_id DESC
) = 1;

-- Whole curves, for models and exports: between its lowest and its highest temperature a transition has the values of
-- one source, since two calculations are not to be mixed point by point. Only where a value of it is marked may
-- another source take its place. `turn` is the order of the sources.
CREATE VIEW contested_value AS
SELECT *, dense_rank() OVER (
    PARTITION BY system_id, upper_id, lower_id ORDER BY place NULLS LAST, rank, source_id DESC
) AS turn
FROM rate_value
WHERE competitors > 1 AND rate_cm3_s IS NOT NULL AND kind <> 'predicted';

CREATE VIEW contested_range AS
SELECT system_id, upper_id, lower_id, turn,
    min(temperature_k) FILTER (NOT marked) AS lowest_k,
    max(temperature_k) FILTER (NOT marked) AS highest_k,
    coalesce(list(temperature_k) FILTER (marked), []) AS marked_k
FROM contested_value
GROUP BY ALL;

CREATE VIEW known_curve AS
SELECT * FROM rate_value WHERE competitors = 1 AND rate_cm3_s IS NOT NULL AND kind <> 'predicted'
UNION ALL
SELECT * EXCLUDE (turn) FROM contested_value AS a
WHERE NOT EXISTS (
    SELECT 1 FROM contested_range AS b
    WHERE b.system_id = a.system_id AND b.upper_id = a.upper_id AND b.lower_id = a.lower_id AND b.turn < a.turn
        AND a.temperature_k BETWEEN b.lowest_k AND b.highest_k
        AND NOT list_contains(b.marked_k, a.temperature_k)
)
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k ORDER BY marked, turn
) = 1;

-- The same with predictions, the newest first: they lose to all that is known and not marked.
CREATE VIEW best_curve AS
SELECT * FROM rate_value WHERE competitors = 1 AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * FROM (
    SELECT * FROM known_curve WHERE competitors > 1
    UNION ALL
    SELECT * FROM rate_value WHERE competitors > 1 AND rate_cm3_s IS NOT NULL AND kind = 'predicted'
)
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k
    ORDER BY marked, kind = 'predicted', source_id DESC
) = 1;

CREATE OR REPLACE VIEW rates AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_std, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked
FROM best_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id;

CREATE OR REPLACE VIEW rates_all AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_std, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked
FROM rate_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;

CREATE VIEW findings AS
SELECT
    s.name AS system, finding.source_id, finding.rule, finding.severity,
    u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final,
    finding.temperature_k, finding.value, finding.expected, finding.detail, finding.accepted_because,
    finding.found_at, finding.ratedb_version
FROM finding
JOIN source USING (source_id)
JOIN collision_system AS s USING (system_id)
LEFT JOIN level AS u ON u.level_id = finding.upper_id
LEFT JOIN level AS l ON l.level_id = finding.lower_id;

CREATE VIEW source_orders AS
SELECT source_order.order_id, s.name AS system, source_order.source_ids, source_order.reason,
    source_order.ordered_at, source_order.ratedb_version
FROM source_order JOIN collision_system AS s USING (system_id);

-- Where every file stands that a source was read from.
CREATE VIEW source_files AS
SELECT source_id, file_name, file_sha256 FROM source_file
UNION ALL
SELECT source_id, file_name, file_sha256 FROM source
WHERE file_name IS NOT NULL AND source_id NOT IN (SELECT source_id FROM source_file);
