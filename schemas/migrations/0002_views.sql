-- The names that people and scripts query. A column once published keeps its name and meaning.

-- The order in which kinds win where several sources have the same value.
CREATE TABLE kind_rank (kind VARCHAR PRIMARY KEY, rank INTEGER NOT NULL);
INSERT INTO kind_rank VALUES ('computed', 0), ('scaled', 1), ('extrapolated', 2), ('predicted', 3);

-- Every row with its provenance, how many rows compete for its transition, and its grid.
CREATE VIEW rate_row AS
SELECT
    rate.*,
    source.system_id,
    source.kind,
    source.model_id,
    kind_rank.rank,
    temperature_grid.temperature_k,
    count(*) OVER (PARTITION BY source.system_id, rate.upper_id, rate.lower_id) AS competitors
FROM rate
JOIN source USING (source_id)
JOIN kind_rank USING (kind)
JOIN temperature_grid USING (grid_id);

CREATE VIEW rate_value AS
SELECT
    system_id, upper_id, lower_id, source_id, kind, model_id, rank, competitors, extrapolated,
    unnest(temperature_k) AS temperature_k,
    unnest(rate_cm3_s) AS rate_cm3_s,
    unnest(log10_std) AS log10_std
FROM rate_row;

-- The best value known: the best kind, then the newest source. Only contested transitions pay for the choice.
CREATE VIEW best_value AS
SELECT * FROM rate_value WHERE competitors = 1 AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * FROM rate_value WHERE competitors > 1 AND rate_cm3_s IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, temperature_k ORDER BY rank, source_id DESC
) = 1;

CREATE VIEW rates AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_std, b.kind, b.source_id, b.model_id, b.extrapolated
FROM best_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id;

CREATE VIEW rates_all AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_std, b.kind, b.source_id, b.model_id, b.extrapolated
FROM rate_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level AS u ON u.level_id = b.upper_id
JOIN level AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;

-- Where several files describe a molecule, the most complete spectroscopy gives each level its energy:
-- most lines, then most levels, then the newest.
CREATE VIEW level_set_rank AS
SELECT
    level_set_id, molecule,
    row_number() OVER (PARTITION BY molecule ORDER BY line_count DESC, level_count DESC, level_set_id DESC) AS rank
FROM level_set
JOIN (SELECT level_set_id, count(*) AS level_count FROM level_value GROUP BY ALL) USING (level_set_id)
JOIN (
    SELECT level_set_id, count(line.upper_id) AS line_count
    FROM level_set LEFT JOIN line USING (level_set_id) GROUP BY ALL
) USING (level_set_id);

CREATE VIEW levels AS
SELECT level.molecule, level.label, level.v, level.j, value.energy_cm1, value.weight, level.level_id, value.level_set_id
FROM level_value AS value
JOIN level USING (level_id)
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (PARTITION BY level_id ORDER BY ranked.rank) = 1;

CREATE VIEW radiative AS
SELECT
    u.molecule, u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final,
    line.einstein_a_s1, line.frequency_ghz, line.level_set_id, line.upper_id, line.lower_id
FROM line
JOIN level AS u ON u.level_id = line.upper_id
JOIN level AS l ON l.level_id = line.lower_id
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (PARTITION BY line.upper_id, line.lower_id ORDER BY ranked.rank) = 1;

CREATE VIEW sources AS
SELECT
    source.source_id, s.name AS system, source.kind, source.method, source.reference, source.file_name,
    source.file_sha256, source.model_id, source.warnings, source.imported_at, source.ratedb_version,
    source.library_versions
FROM source JOIN collision_system AS s USING (system_id);

CREATE VIEW models AS
SELECT
    model.model_id, s.name AS system, model.engine, model.kernel, model.features, model.train_j,
    model.validate_j, model.target_j, model.training_sha256, model.training_source_ids, model.criterion,
    model.seed, model.validation, model.tried, model.seconds, model.trained_at, model.ratedb_version,
    model.library_versions
FROM model JOIN collision_system AS s USING (system_id);

CREATE VIEW plans AS
SELECT plan_id, system_name AS system, strategy, request, candidates, chosen, planned_at, ratedb_version
FROM plan;
