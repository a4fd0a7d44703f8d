-- The store's own corpus: what other systems tell of a new one.

-- A row is never changed: the newest of a system counts. `state` has what was learnt, and is empty where the system
-- was removed.
CREATE SEQUENCE corpus_system_ids;
CREATE TABLE corpus_system (
    corpus_system_id INTEGER PRIMARY KEY,
    system_id INTEGER NOT NULL REFERENCES collision_system (system_id),
    action VARCHAR NOT NULL CHECK (action IN ('add', 'remove')),
    rates_sha256 VARCHAR NOT NULL,
    source_ids INTEGER[] NOT NULL,
    state JSON NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL,
    library_versions JSON NOT NULL
);
