-- The half width of the 68 % interval under the name of what it is, and levels with named quantum numbers.

ALTER TABLE rate RENAME COLUMN log10_std TO log10_half_width_68;

-- Named quantum numbers of a level, such as v, j, ka, kc or F; NULL where a level has no such number.
ALTER TABLE level ADD COLUMN quantum_numbers MAP(VARCHAR, DOUBLE);
UPDATE level SET quantum_numbers = CASE
    WHEN v IS NULL OR j IS NULL THEN MAP {}
    ELSE MAP {'v': v::DOUBLE, 'j': j::DOUBLE}
END;

-- What kind of molecule it is: linear (levels of v and j), unknown (levels with labels only), or another.
CREATE TABLE molecule (molecule VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL);
INSERT INTO molecule
SELECT molecule, CASE WHEN bool_and(v IS NOT NULL AND j IS NOT NULL) THEN 'linear' ELSE 'unknown' END
FROM level GROUP BY molecule;

-- The views with the new name. Those that select * are made anew, since a view keeps the names of its columns.
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
        unnest(log10_half_width_68) AS log10_half_width_68
    FROM rate_row
);

CREATE OR REPLACE VIEW best_value AS
SELECT * FROM rate_value WHERE competitors = 1 AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * FROM rate_value WHERE competitors > 1 AND rate_cm3_s IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k
    ORDER BY marked, kind = 'predicted', place NULLS LAST, rank, source_id DESC
) = 1;

CREATE OR REPLACE VIEW contested_value AS
SELECT *, dense_rank() OVER (
    PARTITION BY system_id, upper_id, lower_id ORDER BY place NULLS LAST, rank, source_id DESC
) AS turn
FROM rate_value
WHERE competitors > 1 AND rate_cm3_s IS NOT NULL AND kind <> 'predicted';

CREATE OR REPLACE VIEW contested_range AS
SELECT system_id, upper_id, lower_id, turn,
    min(temperature_k) FILTER (NOT marked) AS lowest_k,
    max(temperature_k) FILTER (NOT marked) AS highest_k,
    coalesce(list(temperature_k) FILTER (marked), []) AS marked_k
FROM contested_value
GROUP BY ALL;

CREATE OR REPLACE VIEW known_curve AS
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

CREATE OR REPLACE VIEW best_curve AS
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

-- `log10_std` is the old name of `log10_half_width_68`: deprecated, gone after the next release.
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

CREATE OR REPLACE VIEW levels AS
SELECT
    level.molecule, level.label, level.v, level.j, value.energy_cm1, value.weight, level.level_id,
    value.level_set_id, level.quantum_numbers, molecule.kind AS molecule_kind
FROM level_value AS value
JOIN level USING (level_id)
JOIN molecule USING (molecule)
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (PARTITION BY level_id ORDER BY ranked.rank) = 1;
