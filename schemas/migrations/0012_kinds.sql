-- Every quantum number as a column of the views. The columns that were there stay as they are, first; v, j and
-- all others but f are whole numbers: a half-integer j is in quantum_numbers only.

-- A level with its common quantum numbers, NULL where it has no such number, and all of them in quantum_numbers.
CREATE VIEW level_named AS
SELECT
    level_id, molecule, label, quantum_numbers,
    coalesce(v, CASE WHEN quantum_numbers['v'] % 1 = 0 THEN quantum_numbers['v'] END::INTEGER) AS v,
    coalesce(j, CASE WHEN quantum_numbers['j'] % 1 = 0 THEN quantum_numbers['j'] END::INTEGER) AS j,
    CASE WHEN quantum_numbers['ka'] % 1 = 0 THEN quantum_numbers['ka'] END::INTEGER AS ka,
    CASE WHEN quantum_numbers['kc'] % 1 = 0 THEN quantum_numbers['kc'] END::INTEGER AS kc,
    CASE WHEN quantum_numbers['k'] % 1 = 0 THEN quantum_numbers['k'] END::INTEGER AS k,
    CASE WHEN quantum_numbers['inversion'] % 1 = 0 THEN quantum_numbers['inversion'] END::INTEGER AS inversion,
    CASE WHEN quantum_numbers['parity'] % 1 = 0 THEN quantum_numbers['parity'] END::INTEGER AS parity,
    CASE WHEN quantum_numbers['N'] % 1 = 0 THEN quantum_numbers['N'] END::INTEGER AS n,
    quantum_numbers['F'] AS f,
    CASE WHEN quantum_numbers['j2'] % 1 = 0 THEN quantum_numbers['j2'] END::INTEGER AS j2,
    CASE WHEN quantum_numbers['ka2'] % 1 = 0 THEN quantum_numbers['ka2'] END::INTEGER AS ka2,
    CASE WHEN quantum_numbers['kc2'] % 1 = 0 THEN quantum_numbers['kc2'] END::INTEGER AS kc2
FROM level;

CREATE OR REPLACE VIEW rates AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_half_width_68, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked,
    b.log10_half_width_68 AS log10_std,
    u.ka, u.kc, u.k, u.inversion, u.parity, u.n, u.f, u.j2, u.ka2, u.kc2,
    l.ka AS ka_final, l.kc AS kc_final, l.k AS k_final, l.inversion AS inversion_final, l.parity AS parity_final,
    l.n AS n_final, l.f AS f_final, l.j2 AS j2_final, l.ka2 AS ka2_final, l.kc2 AS kc2_final,
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final
FROM best_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level_named AS u ON u.level_id = b.upper_id
JOIN level_named AS l ON l.level_id = b.lower_id;

CREATE OR REPLACE VIEW rates_all AS
SELECT
    s.name AS system, s.molecule, s.collider,
    u.v, u.j, l.v AS v_final, l.j AS j_final,
    u.label AS upper_label, l.label AS lower_label,
    b.temperature_k, b.rate_cm3_s, b.log10_half_width_68, b.kind, b.source_id, b.model_id, b.extrapolated, b.marked,
    b.log10_half_width_68 AS log10_std,
    u.ka, u.kc, u.k, u.inversion, u.parity, u.n, u.f, u.j2, u.ka2, u.kc2,
    l.ka AS ka_final, l.kc AS kc_final, l.k AS k_final, l.inversion AS inversion_final, l.parity AS parity_final,
    l.n AS n_final, l.f AS f_final, l.j2 AS j2_final, l.ka2 AS ka2_final, l.kc2 AS kc2_final,
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final
FROM rate_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level_named AS u ON u.level_id = b.upper_id
JOIN level_named AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;

CREATE OR REPLACE VIEW levels AS
SELECT
    level.molecule, level.label, level.v, level.j, value.energy_cm1, value.weight, level.level_id,
    value.level_set_id, level.quantum_numbers, molecule.kind AS molecule_kind,
    level.ka, level.kc, level.k, level.inversion, level.parity, level.n, level.f, level.j2, level.ka2, level.kc2
FROM level_value AS value
JOIN level_named AS level USING (level_id)
JOIN molecule USING (molecule)
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (PARTITION BY level_id ORDER BY ranked.rank) = 1;

CREATE OR REPLACE VIEW radiative AS
SELECT
    u.molecule, u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final,
    line.einstein_a_s1, line.frequency_ghz, line.level_set_id, line.upper_id, line.lower_id,
    CASE WHEN isnan(line.upper_energy_k) THEN NULL ELSE line.upper_energy_k END AS upper_energy_k,
    coalesce(line.frequency_computed, false) AS frequency_computed,
    u.ka, u.kc, u.k, u.inversion, u.parity, u.n, u.f,
    l.ka AS ka_final, l.kc AS kc_final, l.k AS k_final, l.inversion AS inversion_final, l.parity AS parity_final,
    l.n AS n_final, l.f AS f_final,
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final
FROM line
JOIN level_named AS u ON u.level_id = line.upper_id
JOIN level_named AS l ON l.level_id = line.lower_id
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (
    PARTITION BY line.upper_id, line.lower_id ORDER BY coalesce(line.frequency_computed, false), ranked.rank
) = 1;
