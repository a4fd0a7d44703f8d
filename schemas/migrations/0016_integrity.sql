-- Hashes of what is stored, so that a change by another program is noticed where the row is used. store/seals.py
-- computes them; the hashes of an older store are computed as it is brought up to date.

ALTER TABLE rate ADD COLUMN row_hash UBIGINT;

-- One row for each row of a table, or for all rows with one key, as the levels of one level set: how many there are
-- and the sum of their hashes, as text because it takes more than 64 bits.
CREATE TABLE seal (
    table_name VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    content VARCHAR NOT NULL
);

-- The same view as before without the new column of rate.
CREATE OR REPLACE VIEW rate_row AS
SELECT
    rate.source_id, rate.upper_id, rate.lower_id, rate.grid_id, rate.rate_cm3_s, rate.log10_half_width_68,
    rate.extrapolated,
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
