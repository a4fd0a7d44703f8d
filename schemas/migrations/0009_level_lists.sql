-- What was done to levels: which level of a molecule another one was merged into, and by which version.

CREATE SEQUENCE level_merge_ids;
CREATE TABLE level_merge (
    merge_id INTEGER PRIMARY KEY,
    molecule VARCHAR NOT NULL,
    kept_id INTEGER NOT NULL,
    kept_label VARCHAR NOT NULL,
    merged_id INTEGER NOT NULL,
    merged_label VARCHAR NOT NULL,
    merged_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
);
