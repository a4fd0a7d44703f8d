-- Rates that are derived from stored ones by physics: a kind of their own, and from which sources they are.

-- A CHECK cannot be changed, so the table of sources is made anew; nothing references it.
CREATE TABLE source_before AS SELECT * FROM source;
DROP TABLE source;
CREATE TABLE source (
    source_id INTEGER PRIMARY KEY,
    system_id INTEGER NOT NULL REFERENCES collision_system (system_id),
    kind VARCHAR NOT NULL CHECK (kind IN ('computed', 'scaled', 'extrapolated', 'derived', 'predicted')),
    method VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    file_name VARCHAR,
    file_sha256 VARCHAR,
    level_set_id INTEGER REFERENCES level_set (level_set_id),
    model_id INTEGER REFERENCES model (model_id),
    warnings JSON NOT NULL,
    imported_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL,
    library_versions JSON NOT NULL,
    CHECK ((kind = 'predicted') = (model_id IS NOT NULL))
);
INSERT INTO source BY NAME SELECT * FROM source_before;
DROP TABLE source_before;

-- Derived values come after all others from files, and before predictions.
UPDATE kind_rank SET rank = 4 WHERE kind = 'predicted';
INSERT INTO kind_rank VALUES ('derived', 3);
UPDATE method_rank SET rank = 9 WHERE class = 'predicted';
INSERT INTO method_rank VALUES ('derived', 8);

-- What a derived source was made of: `target` is what it was derived to, such as hyperfine, and `rates_sha256` the
-- hash of its values, so that the same derivation is known again.
CREATE TABLE derivation (
    source_id INTEGER PRIMARY KEY,
    target VARCHAR NOT NULL,
    input_system VARCHAR NOT NULL,
    input_source_ids INTEGER[] NOT NULL,
    rates_sha256 VARCHAR NOT NULL
);

CREATE VIEW derivations AS
SELECT
    source_now.source_id, s.name AS system, derivation.target, derivation.input_system, derivation.input_source_ids,
    source_now.method, source_now.reference, source_now.imported_at AS derived_at, source_now.ratedb_version,
    source_now.withdrawn, derivation.rates_sha256
FROM derivation
JOIN source_now USING (source_id)
JOIN collision_system AS s USING (system_id);
