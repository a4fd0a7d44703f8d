-- What a store keeps. Tables are singular; the plural names are views for people (0002).
-- Rows are only ever added. A newer value supersedes an older one in the views; nothing is overwritten.

CREATE SEQUENCE collision_system_ids;
CREATE SEQUENCE level_set_ids;
CREATE SEQUENCE level_ids;
CREATE SEQUENCE source_ids;
CREATE SEQUENCE temperature_grid_ids;
CREATE SEQUENCE model_ids;
CREATE SEQUENCE plan_ids;

-- A molecule and its collider, named as in CO+p-H2.
CREATE TABLE collision_system (
    system_id INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL UNIQUE,
    molecule VARCHAR NOT NULL,
    collider VARCHAR NOT NULL
);

-- The levels and radiative lines of one molecule as one file gave them.
CREATE TABLE level_set (
    level_set_id INTEGER PRIMARY KEY,
    molecule VARCHAR NOT NULL,
    molecular_weight DOUBLE,
    content_sha256 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    imported_at TIMESTAMP NOT NULL,
    UNIQUE (molecule, content_sha256)
);

-- The identity of a level, shared by all sources: (v, j) where they exist, else the label.
CREATE TABLE level (
    level_id INTEGER PRIMARY KEY,
    molecule VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    v INTEGER,
    j INTEGER,
    UNIQUE (molecule, label)
);

CREATE TABLE level_value (
    level_set_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    level_id INTEGER NOT NULL,
    energy_cm1 DOUBLE NOT NULL,
    weight DOUBLE NOT NULL
);

CREATE TABLE line (
    level_set_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    upper_id INTEGER NOT NULL,
    lower_id INTEGER NOT NULL,
    einstein_a_s1 DOUBLE NOT NULL,
    frequency_ghz DOUBLE NOT NULL
);

-- A fitted predictor: data, never code. `state` is JSON, `arrays` a NumPy .npz without objects.
CREATE TABLE model (
    model_id INTEGER PRIMARY KEY,
    system_id INTEGER NOT NULL REFERENCES collision_system (system_id),
    engine VARCHAR NOT NULL,
    kernel VARCHAR NOT NULL,
    features VARCHAR NOT NULL,
    train_j INTEGER[] NOT NULL,
    validate_j INTEGER[] NOT NULL,
    target_j INTEGER[] NOT NULL,
    training_sha256 VARCHAR NOT NULL,
    training_source_ids INTEGER[] NOT NULL,
    criterion VARCHAR NOT NULL,
    seed INTEGER NOT NULL,
    validation JSON NOT NULL,
    tried JSON NOT NULL,
    seconds DOUBLE NOT NULL,
    state JSON NOT NULL,
    arrays BLOB NOT NULL,
    trained_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL,
    library_versions JSON NOT NULL
);

-- Where values come from: one partner of one file, or one use of a model.
CREATE TABLE source (
    source_id INTEGER PRIMARY KEY,
    system_id INTEGER NOT NULL REFERENCES collision_system (system_id),
    kind VARCHAR NOT NULL CHECK (kind IN ('computed', 'scaled', 'extrapolated', 'predicted')),
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

CREATE TABLE temperature_grid (
    grid_id INTEGER PRIMARY KEY,
    temperature_k DOUBLE[] NOT NULL
);

-- One row per transition and source; the lists run along the temperatures of the grid.
CREATE TABLE rate (
    source_id INTEGER NOT NULL,
    upper_id INTEGER NOT NULL,
    lower_id INTEGER NOT NULL,
    grid_id INTEGER NOT NULL,
    rate_cm3_s DOUBLE[] NOT NULL,
    log10_std DOUBLE[],
    extrapolated BOOLEAN NOT NULL
);

CREATE TABLE plan (
    plan_id INTEGER PRIMARY KEY,
    system_name VARCHAR NOT NULL,
    strategy VARCHAR NOT NULL,
    request JSON NOT NULL,
    candidates JSON NOT NULL,
    chosen JSON,
    planned_at TIMESTAMP NOT NULL,
    ratedb_version VARCHAR NOT NULL
);
