"""The third part of a merge: what is new of models, sources and rates, under the ids of this store."""

from __future__ import annotations

import json
import re

import duckdb

from ratedb.store import staging
from ratedb.store.connection import run
from ratedb.store.method_classes import classify_methods

_NUMBERED = re.compile(r"\b(sources?|models?) (\d+(?:(?:, | and )\d+)*)")
_TEXTS = """
SELECT DISTINCT text FROM (
    SELECT warnings::VARCHAR AS text FROM other.source JOIN taken_source USING (source_id)
    UNION ALL SELECT detail FROM other.finding JOIN taken_source USING (source_id)
) WHERE regexp_matches(text, '\\b(sources?|models?) \\d')
"""
# Lists of ids of sources in other tables of the other store, with the ids of this one.
_LISTS = """
CREATE OR REPLACE TEMP TABLE of_list AS
SELECT given.*, coalesce(ours, []) AS ours FROM (
    {lists}
) AS given LEFT JOIN (
    SELECT kind, number, list(ours ORDER BY place, ours) AS ours
    FROM (SELECT kind, number, unnest(ids) AS theirs, generate_subscripts(ids, 1) AS place FROM ({lists}))
    JOIN of_source USING (theirs) GROUP BY ALL
) USING (kind, number)
"""
_OF_LISTS = """
SELECT 'model' AS kind, model_id AS number, training_source_ids AS ids FROM other.model
UNION ALL SELECT 'order', order_id, source_ids FROM other.source_order
UNION ALL SELECT 'corpus', corpus_system_id, source_ids FROM other.corpus_system
UNION ALL SELECT 'derivation', source_id, input_source_ids FROM other.derivation
"""
_MODELS = """
INSERT INTO model BY NAME
SELECT their.* REPLACE (of_model.ours AS model_id, s.ours AS system_id, list.ours AS training_source_ids)
FROM other.model AS their JOIN of_model ON of_model.theirs = their.model_id AND is_new
JOIN of_system AS s ON s.theirs = their.system_id
JOIN of_list AS list ON list.kind = 'model' AND list.number = their.model_id
ORDER BY of_model.ours
"""
_WARNINGS = """
SELECT o.theirs, coalesce(text.ours, their.warnings::VARCHAR), coalesce(level_set.warnings, [])
FROM other.source AS their JOIN of_source AS o ON o.theirs = their.source_id AND o.is_new
LEFT JOIN of_level_set AS level_set ON level_set.theirs = their.level_set_id
LEFT JOIN of_text AS text ON text.theirs = their.warnings::VARCHAR
WHERE text.ours IS NOT NULL OR len(level_set.warnings) > 0
"""
_SOURCES = """
INSERT INTO source BY NAME
SELECT their.* REPLACE (
    o.ours AS source_id, s.ours AS system_id, level_set.ours AS level_set_id, m.ours AS model_id,
    CASE WHEN m.ours IS NULL THEN their.reference
         ELSE replace(their.reference, 'ratedb model ' || m.theirs, 'ratedb model ' || m.ours)
    END AS reference,
    coalesce(said.warnings, their.warnings) AS warnings
)
FROM other.source AS their JOIN of_source AS o ON o.theirs = their.source_id AND o.is_new
JOIN of_system AS s ON s.theirs = their.system_id
LEFT JOIN of_model AS m ON m.theirs = their.model_id
LEFT JOIN of_level_set AS level_set ON level_set.theirs = their.level_set_id
LEFT JOIN of_warnings AS said ON said.theirs = their.source_id
ORDER BY o.ours
"""
_RATES = """
INSERT INTO staged BY NAME
SELECT o.ours AS source_id, their_rate.* EXCLUDE (theirs)
FROM their_rate JOIN of_source AS o USING (theirs) WHERE o.is_new
ORDER BY o.ours
"""
_BESIDE = """
INSERT INTO source_file BY NAME
SELECT f.* REPLACE (o.ours AS source_id)
FROM other.source_file AS f JOIN of_source AS o ON o.theirs = f.source_id AND o.is_new;
INSERT INTO source_reference BY NAME
SELECT r.* REPLACE (o.ours AS source_id)
FROM other.source_reference AS r JOIN of_source AS o ON o.theirs = r.source_id AND o.whole
WHERE o.ours NOT IN (SELECT source_id FROM source_reference)
QUALIFY row_number() OVER (PARTITION BY o.ours ORDER BY o.theirs) = 1;
INSERT INTO derivation BY NAME
SELECT d.* REPLACE (o.ours AS source_id, list.ours AS input_source_ids,
                    coalesce(s.name, d.input_system) AS input_system)
FROM other.derivation AS d JOIN of_source AS o ON o.theirs = d.source_id AND o.is_new
JOIN of_list AS list ON list.kind = 'derivation' AND list.number = d.source_id
LEFT JOIN of_system AS s ON s.their_name = d.input_system;
"""
_PLANS = """
INSERT INTO plan BY NAME
SELECT * REPLACE (nextval('plan_ids') AS plan_id) FROM (
    SELECT their.* REPLACE (coalesce(s.name, their.system_name) AS system_name)
    FROM other.plan AS their LEFT JOIN of_system AS s ON s.their_name = their.system_name
    WHERE ({every} OR s.name IS NOT NULL)
) AS new
WHERE NOT EXISTS (
    SELECT 1 FROM plan AS old WHERE old.system_name = new.system_name AND old.strategy = new.strategy
        AND old.planned_at = new.planned_at AND old.request::VARCHAR = new.request::VARCHAR
        AND old.candidates::VARCHAR = new.candidates::VARCHAR
)
ORDER BY new.plan_id;
INSERT INTO set_score BY NAME
SELECT * FROM (
    SELECT their.* REPLACE (coalesce(s.name, their.system_name) AS system_name)
    FROM other.set_score AS their LEFT JOIN of_system AS s ON s.their_name = their.system_name
    WHERE ({every} OR s.name IS NOT NULL)
) EXCEPT SELECT * FROM set_score;
INSERT INTO corpus_system BY NAME
SELECT * REPLACE (nextval('corpus_system_ids') AS corpus_system_id) FROM (
    SELECT their.* REPLACE (s.ours AS system_id, list.ours AS source_ids)
    FROM other.corpus_system AS their JOIN of_system AS s ON s.theirs = their.system_id
    JOIN of_list AS list ON list.kind = 'corpus' AND list.number = their.corpus_system_id
) AS new
WHERE NOT EXISTS (
    SELECT 1 FROM corpus_system AS old WHERE old.system_id = new.system_id AND old.action = new.action
        AND old.changed_at = new.changed_at AND old.rates_sha256 = new.rates_sha256
)
ORDER BY new.corpus_system_id;
"""


def add_sources(connection: duckdb.DuckDBPyConnection, *, every: bool) -> None:
    """Store the new models, sources, rates, files, references, derivations, plans and corpus systems.

    Not `every` plan is taken where only some systems are merged.
    """
    _renumber_texts(connection)
    _map_warnings(connection)
    connection.execute(_LISTS.format(lists=_OF_LISTS))
    connection.execute(_MODELS)
    connection.execute(_SOURCES)
    staging.clear_staged(connection)
    connection.execute(_RATES)
    staging.commit_staged(connection)
    connection.execute(_BESIDE)
    connection.execute(_PLANS.format(every="true" if every else "false"))
    classify_methods(connection)


def _renumber_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table of_text: texts of the other store that name ids, with those of this one."""
    ids = {
        name: dict(connection.execute(f"SELECT theirs, min(ours) FROM {table} GROUP BY theirs").fetchall())
        for name, table in (("source", "of_source"), ("model", "of_model"))
    }

    def renumbered(match: re.Match[str]) -> str:
        mine = ids[match[1].removesuffix("s")]
        numbers = re.sub(r"\d+", lambda one: str(mine.get(int(one[0]), one[0])), match[2])
        return f"{match[1]} {numbers}"

    texts = [text for (text,) in connection.execute(_TEXTS).fetchall()]
    connection.execute("CREATE OR REPLACE TEMP TABLE of_text (theirs VARCHAR, ours VARCHAR)")
    run(
        connection,
        "INSERT INTO of_text SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [texts, [_NUMBERED.sub(renumbered, text) for text in texts]],
    )


def _map_warnings(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table of_warnings, where levels here give other warnings than in the other store."""
    rows = [
        (theirs, json.dumps([*(said := json.loads(text)), *(one for one in levels if one not in said)]))
        for theirs, text, levels in connection.execute(_WARNINGS).fetchall()
    ]
    connection.execute("CREATE OR REPLACE TEMP TABLE of_warnings (theirs INTEGER, warnings JSON)")
    columns = [[row[place] for row in rows] for place in (0, 1)]
    run(
        connection,
        "INSERT INTO of_warnings SELECT unnest(?::INTEGER[]), unnest(?::VARCHAR[])",
        columns,
    )
