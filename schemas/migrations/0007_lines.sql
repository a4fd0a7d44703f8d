-- The energy of the upper level in K as the source of a line prints it (NaN where it prints none), and whether the
-- frequency was computed from the level energies because the source has none; older stores do not know.

ALTER TABLE line ADD COLUMN upper_energy_k DOUBLE;
ALTER TABLE line ADD COLUMN frequency_computed BOOLEAN DEFAULT false;

-- A line is that of the most complete list, but one with a printed frequency comes before a computed one.
CREATE OR REPLACE VIEW radiative AS
SELECT
    u.molecule, u.label AS upper_label, l.label AS lower_label, u.v, u.j, l.v AS v_final, l.j AS j_final,
    line.einstein_a_s1, line.frequency_ghz, line.level_set_id, line.upper_id, line.lower_id,
    CASE WHEN isnan(line.upper_energy_k) THEN NULL ELSE line.upper_energy_k END AS upper_energy_k,
    coalesce(line.frequency_computed, false) AS frequency_computed
FROM line
JOIN level AS u ON u.level_id = line.upper_id
JOIN level AS l ON l.level_id = line.lower_id
JOIN level_set_rank AS ranked USING (level_set_id)
QUALIFY row_number() OVER (
    PARTITION BY line.upper_id, line.lower_id ORDER BY coalesce(line.frequency_computed, false), ranked.rank
) = 1;
