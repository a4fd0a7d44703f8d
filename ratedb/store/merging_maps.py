"""The second part of a merge: which system, model and source of the other store is which here.

Nothing is identified by its number: a source is the same where system, kind, method, reference and file are
the same and its values are, each at its own transition and temperatures.
"""

from __future__ import annotations

import duckdb

from ratedb.errors import RatedbError

_SYSTEMS = """
INSERT INTO collision_system
SELECT nextval('collision_system_ids'), name, molecule, collider FROM (
    SELECT o.ours || '+' || collider AS name, o.ours AS molecule, collider
    FROM other.collision_system AS s JOIN taken_system USING (system_id)
    JOIN of_molecule AS o ON o.theirs = s.molecule
    WHERE o.ours || '+' || collider NOT IN (SELECT name FROM collision_system) ORDER BY system_id
);
CREATE OR REPLACE TEMP TABLE of_system AS
SELECT s.system_id AS theirs, c.system_id AS ours, s.name AS their_name, c.name
FROM other.collision_system AS s JOIN taken_system USING (system_id)
JOIN of_molecule AS o ON o.theirs = s.molecule
JOIN collision_system AS c ON c.molecule = o.ours AND c.collider = s.collider;
"""
_GRIDS = """
INSERT INTO temperature_grid
SELECT nextval('temperature_grid_ids'), temperature_k FROM (
    SELECT temperature_k FROM other.temperature_grid
    WHERE temperature_k NOT IN (SELECT temperature_k FROM temperature_grid) ORDER BY grid_id
);
CREATE OR REPLACE TEMP TABLE of_grid AS
SELECT t.grid_id AS theirs, min(g.grid_id) AS ours
FROM other.temperature_grid AS t JOIN temperature_grid AS g USING (temperature_k) GROUP BY t.grid_id;
"""
_MODELS = """
CREATE OR REPLACE TEMP TABLE of_model AS
WITH known AS (SELECT *, md5(state::VARCHAR) AS said, md5(arrays) AS fitted FROM model),
their AS (
    SELECT model.* EXCLUDE (system_id), ours AS system_id, md5(state::VARCHAR) AS said, md5(arrays) AS fitted
    FROM other.model JOIN of_system ON of_system.theirs = model.system_id
)
SELECT their.model_id AS theirs, max(known.model_id) AS ours, max(known.model_id) IS NULL AS is_new
FROM their LEFT JOIN known
    USING (system_id, engine, kernel, features, training_sha256, seed, trained_at, said, fitted)
GROUP BY their.model_id;
"""
# The rows of rates of the other store with the ids of this one.
_ROWS = """
CREATE OR REPLACE TEMP TABLE their_rate AS
SELECT rate.source_id AS theirs, u.ours AS upper_id, l.ours AS lower_id, g.ours AS grid_id, rate_cm3_s,
       log10_half_width_68, extrapolated
FROM other.rate JOIN taken_source USING (source_id)
JOIN of_level AS u ON u.theirs = rate.upper_id
JOIN of_level AS l ON l.theirs = rate.lower_id
JOIN of_grid AS g ON g.theirs = rate.grid_id;
"""
# Nothing of the other store is left out: these are the rows that name what it does not have.
_LOST = """
SELECT (SELECT count(*) FROM other.rate JOIN taken_source USING (source_id))
           - (SELECT count(*) FROM their_rate),
       (SELECT count(*) FROM taken_source JOIN other.source USING (source_id)
        WHERE system_id NOT IN (SELECT theirs FROM of_system))
"""
# Sources of one description, and how many rows of rates they have in common.
_PAIRS = """
CREATE OR REPLACE TEMP TABLE alike AS
SELECT t.source_id AS theirs, o.source_id AS ours
FROM other.source AS t JOIN taken_source USING (source_id)
JOIN of_system AS s ON s.theirs = t.system_id
LEFT JOIN of_model AS m ON m.theirs = t.model_id
JOIN source AS o ON o.system_id = s.ours AND o.kind = t.kind AND o.method = t.method
    AND o.file_sha256 IS NOT DISTINCT FROM t.file_sha256 AND o.model_id IS NOT DISTINCT FROM m.ours
    AND (o.reference = t.reference OR o.model_id IS NOT NULL);
CREATE OR REPLACE TEMP TABLE same_row AS
SELECT a.theirs, a.ours, upper_id, lower_id, grid_id
FROM their_rate AS t JOIN alike AS a USING (theirs)
JOIN rate AS r USING (upper_id, lower_id, grid_id)
WHERE r.source_id = a.ours AND r.rate_cm3_s = t.rate_cm3_s AND r.extrapolated = t.extrapolated
    AND r.log10_half_width_68 IS NOT DISTINCT FROM t.log10_half_width_68;
CREATE OR REPLACE TEMP TABLE alike_rows AS
SELECT a.theirs, a.ours, coalesce(common.size, 0) AS common, coalesce(t.size, 0) AS in_theirs,
       coalesce(o.size, 0) AS in_ours
FROM alike AS a
LEFT JOIN (SELECT theirs, ours, count(*) AS size FROM same_row GROUP BY ALL) AS common USING (theirs, ours)
LEFT JOIN (SELECT theirs, count(*) AS size FROM their_rate GROUP BY ALL) AS t USING (theirs)
LEFT JOIN (SELECT source_id, count(*) AS size FROM rate GROUP BY ALL) AS o ON o.source_id = a.ours;
"""
# `whole`: the source here is that of the other store. Else it has a part of its values, or is new.
_SOURCES = """
CREATE OR REPLACE TEMP TABLE of_source AS
SELECT theirs, max(ours) AS ours, false AS is_new, true AS whole
FROM alike_rows WHERE common = in_theirs AND common = in_ours GROUP BY theirs;
INSERT INTO of_source
SELECT theirs, ours, false, false FROM alike_rows JOIN other.source ON source_id = theirs
WHERE common > 0 AND file_sha256 IS NOT NULL AND theirs NOT IN (SELECT theirs FROM of_source);
DELETE FROM their_rate WHERE theirs IN (SELECT theirs FROM of_source WHERE whole);
DELETE FROM their_rate WHERE (theirs, upper_id, lower_id, grid_id) IN (
    SELECT theirs, upper_id, lower_id, grid_id FROM same_row JOIN of_source USING (theirs, ours)
);
INSERT INTO of_source
SELECT source_id, nextval('source_ids'), true, true FROM (
    SELECT source_id FROM taken_source
    WHERE source_id NOT IN (SELECT theirs FROM of_source) OR source_id IN (SELECT theirs FROM their_rate)
    ORDER BY source_id
);
"""


def map_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables of_system, of_grid, of_model, of_source and their_rate of the new rates.

    Systems and grids that are not there are stored; models and sources get their new ids. Raises RatedbError
    where the other store lacks levels or systems that its rates name.
    """
    for step in (_SYSTEMS, _GRIDS, _MODELS, _ROWS):
        connection.execute(step)
    [(rates, sources)] = connection.execute(_LOST).fetchall()
    if rates or sources:
        raise RatedbError(
            "the other store is damaged",
            expected="rates of levels and temperatures, and sources of systems, that it has",
            got=f"{rates} rows of rates and {sources} sources without them",
        )
    for step in (_PAIRS, _SOURCES):
        connection.execute(step)
    connection.execute(
        "UPDATE of_model SET ours = new.ours FROM ("
        "SELECT theirs, nextval('model_ids') AS ours FROM (SELECT theirs FROM of_model WHERE is_new"
        " ORDER BY theirs)) AS new WHERE of_model.theirs = new.theirs"
    )
