-- Queries pay for what they ask: one transition, one system, or counts without the values.

-- A window is computed for a part of the rows only where the filter is on the columns that it is partitioned by. So
-- the names of systems and levels are joined before the windows, and are among these columns. The rows of a system
-- with one source are passed on as they are, since there is nothing to choose.

CREATE OR REPLACE VIEW complete_source AS
SELECT source_id, system_id, system
FROM (
    SELECT system_id, system, source_id, count(*) AS size,
        sum(count(*) FILTER (first)) OVER (PARTITION BY system_id, system) AS known
    FROM (
        SELECT *, row_number() OVER (PARTITION BY system_id, system, upper_id, lower_id) = 1 AS first
        FROM (
            SELECT DISTINCT system_id, system, source_id, rate.upper_id, rate.lower_id
            FROM rate
            JOIN (
                SELECT source_id, system_id, s.name AS system
                FROM source_now JOIN collision_system AS s USING (system_id)
                WHERE kind <> 'predicted' AND NOT withdrawn AND source_id NOT IN (FROM unit_doubt)
                QUALIFY count(*) OVER (PARTITION BY system_id, system) > 1
            ) USING (source_id)
        )
    )
    GROUP BY system_id, system, source_id
)
WHERE size = known;

CREATE OR REPLACE VIEW source_turn AS
SELECT
    source_id, system_id, kind, model_id, rank, place, joined, doubted,
    row_number() OVER (
        PARTITION BY system_id, system, molecule, collider
        ORDER BY doubted, kind = 'predicted', place NULLS LAST, method_rank, coalesce(grade, 'C'), incomplete,
            year DESC NULLS LAST, source_id DESC
    ) AS turn,
    system, molecule, collider,
    count(*) OVER (PARTITION BY system_id, system, molecule, collider) = 1 AS alone
FROM (
    SELECT
        source_now.source_id, source_now.system_id, source_now.kind, source_now.model_id, kind_rank.rank, place,
        coalesce(joined, false) AS joined,
        unit_doubt.source_id IS NOT NULL AS doubted,
        method_rank.rank AS method_rank, grade, year,
        complete_source.source_id IS NULL AS incomplete,
        s.name AS system, s.molecule, s.collider
    FROM source_now
    JOIN collision_system AS s USING (system_id)
    JOIN kind_rank USING (kind)
    JOIN method_rank ON method_rank.class = source_now.method_class
    LEFT JOIN source_place ON source_place.source_id = source_now.source_id
    LEFT JOIN unit_doubt ON unit_doubt.source_id = source_now.source_id
    LEFT JOIN complete_source
        ON complete_source.source_id = source_now.source_id AND complete_source.system_id = s.system_id
        AND complete_source.system = s.name
    WHERE NOT withdrawn
);

-- The levels of each system, so that the name of a system selects its levels too.
CREATE VIEW system_level AS
SELECT s.name AS system, level_id, label, v, j
FROM level_named JOIN collision_system AS s USING (molecule);

CREATE OR REPLACE VIEW rate_row AS
SELECT
    rate.source_id, rate.upper_id, rate.lower_id, rate.grid_id,
    rate.rate_cm3_s, rate.log10_half_width_68, rate.extrapolated,
    source_turn.* EXCLUDE (source_id),
    temperature_grid.temperature_k,
    mark.temperatures_k AS marked_k,
    coalesce(mark.at_all, false) OR whole_mark.source_id IS NOT NULL AS marked_at_all,
    mark.source_id IS NOT NULL OR whole_mark.source_id IS NOT NULL AS flagged,
    u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final
FROM rate
JOIN source_turn USING (source_id)
JOIN temperature_grid USING (grid_id)
JOIN system_level AS u ON u.level_id = rate.upper_id AND u.system = source_turn.system
JOIN system_level AS l ON l.level_id = rate.lower_id AND l.system = source_turn.system
LEFT JOIN mark
    ON mark.source_id = rate.source_id AND mark.upper_id = rate.upper_id AND mark.lower_id = rate.lower_id
LEFT JOIN whole_mark ON whole_mark.source_id = rate.source_id;

CREATE OR REPLACE VIEW rate_value AS
SELECT
    * EXCLUDE (marked_k, marked_at_all),
    marked_at_all OR coalesce(list_contains(marked_k, temperature_k), false) AS marked
FROM (
    SELECT
        system_id, upper_id, lower_id, source_id, kind, model_id, rank, place, turn, doubted, extrapolated,
        system, molecule, collider, upper_label, lower_label, v, j, v_final, j_final,
        alone, marked_k, marked_at_all,
        unnest(temperature_k) AS temperature_k,
        unnest(rate_cm3_s) AS rate_cm3_s,
        unnest(log10_half_width_68) AS log10_half_width_68
    FROM rate_row
);

-- The rows of systems with several sources, with the choice of 0008. A transition is `filled` where a predicted row
-- has competitors, so that the choice is made at each temperature.
CREATE OR REPLACE VIEW chosen_row AS
SELECT
    *,
    row_number() OVER ordered AS choice,
    min(temperature_k[1]) OVER earlier AS earlier_low_k,
    max(temperature_k[-1]) OVER earlier AS earlier_high_k,
    bool_or(kind = 'predicted') OVER pair AND count(*) OVER pair > 1 AS filled
FROM rate_row
WHERE NOT alone
WINDOW
    pair AS (
        PARTITION BY system_id, upper_id, lower_id, system, molecule, collider, upper_label, lower_label,
            v, j, v_final, j_final
    ),
    ordered AS (pair ORDER BY kind = 'predicted', doubted, flagged, turn, grid_id),
    earlier AS (
        pair ORDER BY kind = 'predicted', doubted, flagged, turn, grid_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    );

CREATE OR REPLACE VIEW chosen_value AS
SELECT
    * EXCLUDE (marked_k, marked_at_all, choice, earlier_low_k, earlier_high_k),
    marked_at_all OR coalesce(list_contains(marked_k, temperature_k), false) AS marked
FROM (
    SELECT
        system_id, upper_id, lower_id, source_id, kind, model_id, rank, place, turn, doubted, extrapolated,
        system, molecule, collider, upper_label, lower_label, v, j, v_final, j_final,
        filled, marked_k, marked_at_all, choice, earlier_low_k, earlier_high_k,
        unnest(temperature_k) AS temperature_k,
        unnest(rate_cm3_s) AS rate_cm3_s,
        unnest(log10_half_width_68) AS log10_half_width_68
    FROM chosen_row
    WHERE choice = 1 OR kind = 'predicted' OR (joined AND NOT flagged AND NOT doubted)
)
WHERE rate_cm3_s IS NOT NULL
    AND (choice = 1 OR kind = 'predicted' OR temperature_k NOT BETWEEN earlier_low_k AND earlier_high_k);

CREATE OR REPLACE VIEW known_curve AS
SELECT * EXCLUDE (alone) FROM rate_value WHERE alone AND kind <> 'predicted' AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * EXCLUDE (filled) FROM chosen_value WHERE kind <> 'predicted';

CREATE OR REPLACE VIEW best_curve AS
SELECT * EXCLUDE (alone) FROM rate_value WHERE alone AND rate_cm3_s IS NOT NULL
UNION ALL
SELECT * EXCLUDE (filled) FROM chosen_value WHERE NOT filled
UNION ALL
SELECT * EXCLUDE (filled) FROM chosen_value WHERE filled
QUALIFY row_number() OVER (
    PARTITION BY system_id, upper_id, lower_id, system, molecule, collider, upper_label, lower_label,
        v, j, v_final, j_final, temperature_k
    ORDER BY doubted, marked, kind = 'predicted', source_id DESC
) = 1;

CREATE OR REPLACE VIEW best_value AS SELECT * FROM best_curve;

-- The rows that give the values of best_curve, and at which temperatures: `given_k`, NULL where it is all of the grid.
-- No value is read: a row has one at each temperature of its grid.
CREATE VIEW best_row AS
WITH given AS (
    SELECT
        source_id, upper_id, lower_id, grid_id, system_id, system, kind, model_id, rank, j,
        doubted, marked_k, marked_at_all, filled, choice, earlier_low_k, earlier_high_k, temperature_k
    FROM chosen_row
    WHERE choice = 1 OR kind = 'predicted' OR (joined AND NOT flagged AND NOT doubted)
)
SELECT source_id, upper_id, lower_id, grid_id, system_id, system, kind, model_id, rank, j, NULL::DOUBLE[] AS given_k
FROM rate_row WHERE alone
UNION ALL
SELECT source_id, upper_id, lower_id, grid_id, system_id, system, kind, model_id, rank, j,
    CASE WHEN choice > 1 THEN list_filter(
        temperature_k, lambda kelvin: kelvin NOT BETWEEN earlier_low_k AND earlier_high_k
    ) END
FROM given
WHERE NOT filled AND (choice = 1 OR temperature_k[1] < earlier_low_k OR temperature_k[-1] > earlier_high_k)
UNION ALL
SELECT * EXCLUDE (kelvin), list(kelvin ORDER BY kelvin)
FROM (
    SELECT source_id, upper_id, lower_id, grid_id, system_id, system, kind, model_id, rank, j, kelvin
    FROM (SELECT *, unnest(temperature_k) AS kelvin FROM given WHERE filled)
    WHERE choice = 1 OR kind = 'predicted' OR kelvin NOT BETWEEN earlier_low_k AND earlier_high_k
    QUALIFY row_number() OVER (
        PARTITION BY system_id, system, upper_id, lower_id, kelvin
        ORDER BY doubted, marked_at_all OR coalesce(list_contains(marked_k, kelvin), false), kind = 'predicted',
            source_id DESC
    ) = 1
)
GROUP BY ALL;

CREATE OR REPLACE VIEW rates AS
SELECT
    b.system, b.molecule, b.collider,
    b.v, b.j, b.v_final, b.j_final,
    b.upper_label, b.lower_label,
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
JOIN level_named AS u ON u.level_id = b.upper_id
JOIN level_named AS l ON l.level_id = b.lower_id;

CREATE OR REPLACE VIEW rates_all AS
SELECT
    b.system, b.molecule, b.collider,
    b.v, b.j, b.v_final, b.j_final,
    b.upper_label, b.lower_label,
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
JOIN level_named AS u ON u.level_id = b.upper_id
JOIN level_named AS l ON l.level_id = b.lower_id
WHERE b.rate_cm3_s IS NOT NULL;
