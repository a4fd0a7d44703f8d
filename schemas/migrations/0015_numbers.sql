-- A column for each quantum number of each kind. The columns that were there stay as they are, first; j_value is j
-- where it is half an integer too. The new ones are DOUBLE.

-- Lists count Omega of a Pi state as twice Omega (2PI3/2) or as Omega - 1/2; it is kept as it is now. A half-integer j
-- has a half-integer Omega, so whole numbers are one of the two: 3 is in the first only, 0 in the second only. Where
-- neither is there, the words of the labels decide, and else nothing changes.
UPDATE level
SET quantum_numbers = map(
    map_keys(quantum_numbers),
    list_transform(map_entries(quantum_numbers), lambda one:
        CASE WHEN one.key = 'omega' THEN one.value / counted.times + counted.added ELSE one.value END)
)
FROM (
    SELECT molecule, CASE WHEN twice THEN 2.0 ELSE 1.0 END AS times, CASE WHEN twice THEN 0.0 ELSE 0.5 END AS added
    FROM (
        SELECT
            molecule,
            bool_and(omega IN (1, 3)) AND (bool_or(omega = 3) OR bool_and(regexp_matches(label, '2PI[13]/2'))) AS twice,
            bool_and(omega IN (0, 1)) AND bool_or(omega = 0) AS less_half,
            bool_and(j % 1 = 0.5) AS half
        FROM (SELECT molecule, label, quantum_numbers['omega'] AS omega, quantum_numbers['j'] AS j FROM level)
        JOIN molecule USING (molecule)
        WHERE starts_with(kind, 'linear in a Pi state')
        GROUP BY molecule
    )
    WHERE half AND (twice OR less_half)
) AS counted
WHERE counted.molecule = level.molecule;

-- A level with all quantum numbers, NULL where it has no such number.
CREATE OR REPLACE VIEW level_named AS
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
    CASE WHEN quantum_numbers['kc2'] % 1 = 0 THEN quantum_numbers['kc2'] END::INTEGER AS kc2,
    coalesce(quantum_numbers['j'], j) AS j_value,
    quantum_numbers['omega'] AS omega,
    quantum_numbers['F1'] AS f1,
    quantum_numbers['multiplicity'] AS multiplicity,
    coalesce(quantum_numbers['L'], quantum_numbers['l']) AS l,
    quantum_numbers['tau'] AS tau,
    quantum_numbers['ortho'] AS ortho,
    quantum_numbers['v2'] AS v2,
    quantum_numbers['k2'] AS k2,
    quantum_numbers['inversion2'] AS inversion2,
    quantum_numbers['parity2'] AS parity2,
    quantum_numbers['tau2'] AS tau2,
    quantum_numbers['ortho2'] AS ortho2,
    quantum_numbers['v1'] AS v1,
    quantum_numbers['v3'] AS v3
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
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final,
    u.j_value, u.omega, u.f1, u.multiplicity, u.l, u.tau, u.ortho, u.v2, u.k2, u.inversion2, u.parity2, u.tau2,
    u.ortho2, u.v1, u.v3,
    l.j_value AS j_value_final, l.omega AS omega_final, l.f1 AS f1_final, l.multiplicity AS multiplicity_final,
    l.l AS l_final, l.tau AS tau_final, l.ortho AS ortho_final, l.v2 AS v2_final, l.k2 AS k2_final,
    l.inversion2 AS inversion2_final, l.parity2 AS parity2_final, l.tau2 AS tau2_final, l.ortho2 AS ortho2_final,
    l.v1 AS v1_final, l.v3 AS v3_final
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
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final,
    u.j_value, u.omega, u.f1, u.multiplicity, u.l, u.tau, u.ortho, u.v2, u.k2, u.inversion2, u.parity2, u.tau2,
    u.ortho2, u.v1, u.v3,
    l.j_value AS j_value_final, l.omega AS omega_final, l.f1 AS f1_final, l.multiplicity AS multiplicity_final,
    l.l AS l_final, l.tau AS tau_final, l.ortho AS ortho_final, l.v2 AS v2_final, l.k2 AS k2_final,
    l.inversion2 AS inversion2_final, l.parity2 AS parity2_final, l.tau2 AS tau2_final, l.ortho2 AS ortho2_final,
    l.v1 AS v1_final, l.v3 AS v3_final
FROM rate_value AS b
JOIN collision_system AS s USING (system_id)
JOIN level_named AS u ON u.level_id = b.upper_id
JOIN level_named AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;

CREATE OR REPLACE VIEW levels AS
SELECT
    level.molecule, level.label, level.v, level.j, value.energy_cm1, value.weight, level.level_id,
    value.level_set_id, level.quantum_numbers, molecule.kind AS molecule_kind,
    level.ka, level.kc, level.k, level.inversion, level.parity, level.n, level.f, level.j2, level.ka2, level.kc2,
    level.j_value, level.omega, level.f1, level.multiplicity, level.l, level.tau, level.ortho, level.v2, level.k2,
    level.inversion2, level.parity2, level.tau2, level.ortho2, level.v1, level.v3
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
    u.quantum_numbers, l.quantum_numbers AS quantum_numbers_final,
    u.j2, u.ka2, u.kc2, u.j_value, u.omega, u.f1, u.multiplicity, u.l, u.tau, u.ortho, u.v2, u.k2, u.inversion2,
    u.parity2, u.tau2, u.ortho2, u.v1, u.v3,
    l.j2 AS j2_final, l.ka2 AS ka2_final, l.kc2 AS kc2_final, l.j_value AS j_value_final, l.omega AS omega_final,
    l.f1 AS f1_final, l.multiplicity AS multiplicity_final, l.l AS l_final, l.tau AS tau_final,
    l.ortho AS ortho_final, l.v2 AS v2_final, l.k2 AS k2_final, l.inversion2 AS inversion2_final,
    l.parity2 AS parity2_final, l.tau2 AS tau2_final, l.ortho2 AS ortho2_final, l.v1 AS v1_final, l.v3 AS v3_final
FROM line
JOIN level_named AS u ON u.level_id = line.upper_id
JOIN level_named AS l ON l.level_id = line.lower_id
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (
    PARTITION BY line.upper_id, line.lower_id ORDER BY coalesce(line.frequency_computed, false), ranked.rank
) = 1;
