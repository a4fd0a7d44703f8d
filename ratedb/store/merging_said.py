"""The last part of a merge: what curators said in the other store, and where they said otherwise here.

The newest of what is said counts, by its time, wherever it was said; all of it is kept with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ratedb.references import parse_reference
from ratedb.store.seals import changing
from ratedb.store.sources import SourceStore


@dataclass(frozen=True)
class Conflict:
    """Where the two stores say different things: what each says and why, and whose counts now.

    `about` is what is said otherwise: withdrawn, order, accepted, or the field of a correction. `counts` is
    here, other, or neither where it could not be merged.
    """

    system: str
    about: str
    source_id: int | None
    here: str
    here_because: str
    other: str
    other_because: str
    counts: str


# Each thing said in the other store with the id of its source here, and whether this store has it.
_EVENTS = """
CREATE OR REPLACE TEMP TABLE their_event AS
SELECT e.*, o.ours, o.is_new, o.whole, coalesce(field, 'presence') AS about,
    bool_or(EXISTS (
        SELECT 1 FROM source_event AS mine
        WHERE mine.source_id = o.ours AND mine.action = e.action AND mine.field IS NOT DISTINCT FROM e.field
            AND mine.new_value IS NOT DISTINCT FROM e.new_value AND mine.reason = e.reason
            AND mine.happened_at = e.happened_at
    )) OVER (PARTITION BY e.event_id) AS known
FROM other.source_event AS e JOIN of_source AS o ON o.theirs = e.source_id
"""
_DIFFER = """
WITH theirs AS (
    SELECT ours, about, max_by(coalesce(new_value, action), (happened_at, event_id)) AS said,
           max_by(reason, (happened_at, event_id)) AS because, max(happened_at) AS latest,
           bool_or(whole) AS whole
    FROM their_event WHERE NOT known AND NOT is_new GROUP BY ALL
), mine AS (
    SELECT source_id AS ours, coalesce(field, 'presence') AS about,
           max_by(coalesce(new_value, action), (happened_at, event_id)) AS said,
           max_by(reason, (happened_at, event_id)) AS because, max(happened_at) AS latest
    FROM source_event GROUP BY ALL
)
SELECT system, about, ours, mine.said, mine.because, theirs.said, theirs.because,
       CASE WHEN NOT whole THEN 'neither' WHEN mine.latest > theirs.latest THEN 'here' ELSE 'other' END
FROM theirs LEFT JOIN mine USING (ours, about) JOIN sources ON source_id = ours
WHERE (mine.said <> theirs.said OR NOT whole)
ORDER BY ALL
"""
_NEW_REFERENCES = """
SELECT ours, max_by(new_value, (happened_at, event_id)) FROM their_event
WHERE NOT known AND whole AND NOT is_new AND field = 'reference'
    AND happened_at >= coalesce((
        SELECT max(happened_at) FROM source_event AS mine
        WHERE mine.source_id = ours AND mine.field = 'reference'
    ), happened_at)
GROUP BY ours
"""
_ADD_EVENTS = """
INSERT INTO source_event BY NAME
SELECT * EXCLUDE (ours, is_new, whole, about, known)
    REPLACE (nextval('source_event_ids') AS event_id, ours AS source_id)
FROM (FROM their_event WHERE NOT known AND whole ORDER BY event_id)
"""
_ORDERS = """
CREATE OR REPLACE TEMP TABLE their_order AS
SELECT their.* REPLACE (s.ours AS system_id, list.ours AS source_ids), EXISTS (
    SELECT 1 FROM source_order AS mine WHERE mine.system_id = s.ours AND mine.reason = their.reason
        AND mine.ordered_at = their.ordered_at
) AS known
FROM other.source_order AS their JOIN of_system AS s ON s.theirs = their.system_id
JOIN of_list AS list ON list.kind = 'order' AND list.number = their.order_id
"""
_ORDERS_DIFFER = """
SELECT name, 'order', NULL, mine.source_ids, mine.reason, their.source_ids, their.reason,
       CASE WHEN mine.ordered_at > their.ordered_at THEN 'here' ELSE 'other' END
FROM (
    FROM their_order
    QUALIFY row_number() OVER (PARTITION BY system_id ORDER BY ordered_at DESC, order_id DESC) = 1
) AS their
JOIN newest_order USING (system_id)
JOIN source_order AS mine ON mine.order_id = newest_order.order_id
JOIN collision_system AS s ON s.system_id = their.system_id
WHERE NOT known AND mine.source_ids <> their.source_ids
ORDER BY name
"""
_ADD_ORDERS = """
DELETE FROM finding WHERE rule = 'joined-sources' AND source_id IN (
    SELECT source_id FROM source_now JOIN (
        SELECT system_id, max(ordered_at) AS latest FROM their_order WHERE NOT known GROUP BY ALL
    ) AS their USING (system_id)
    WHERE latest >= coalesce((
        SELECT max(ordered_at) FROM source_order AS mine WHERE mine.system_id = their.system_id
    ), latest)
);
INSERT INTO source_order BY NAME
SELECT * EXCLUDE (known) REPLACE (nextval('source_order_ids') AS order_id)
FROM (FROM their_order WHERE NOT known ORDER BY order_id)
"""
# Findings about other sources are made anew where the sources are compared; those about joined ones belong to
# the order that counts.
_FINDINGS = """
CREATE OR REPLACE TEMP TABLE their_finding AS
SELECT f.* REPLACE (o.ours AS source_id, u.ours AS upper_id, l.ours AS lower_id,
                    coalesce(text.ours, f.detail) AS detail),
    o.is_new, text.ours IS NOT NULL AS of_others,
    EXISTS (FROM of_source AS part WHERE part.theirs = f.source_id AND NOT part.whole) AS in_part
FROM other.finding AS f JOIN of_source AS o ON o.theirs = f.source_id AND o.whole
LEFT JOIN of_level AS u ON u.theirs = f.upper_id
LEFT JOIN of_level AS l ON l.theirs = f.lower_id
LEFT JOIN of_text AS text ON text.theirs = f.detail
WHERE f.rule <> 'joined-sources' OR EXISTS (
    SELECT 1 FROM their_order JOIN newest_order USING (system_id) JOIN source_order AS now
        ON now.order_id = newest_order.order_id
    JOIN source_now ON source_now.system_id = their_order.system_id
    WHERE source_now.source_id = o.ours AND now.ordered_at = their_order.ordered_at
)
"""
_WITH_FINDINGS = "SELECT DISTINCT source_id FROM finding UNION SELECT ours FROM of_source"
_SAME_FINDING = """
mine.source_id = their.source_id AND mine.rule = their.rule
AND mine.upper_id IS NOT DISTINCT FROM their.upper_id
AND mine.lower_id IS NOT DISTINCT FROM their.lower_id
AND mine.temperature_k IS NOT DISTINCT FROM their.temperature_k
"""
_ACCEPTED_OTHERWISE = f"""
SELECT DISTINCT system, 'accepted', their.source_id, mine.rule, mine.accepted_because, their.rule,
       their.accepted_because, 'here'
FROM their_finding AS their JOIN finding AS mine ON {_SAME_FINDING}
JOIN sources ON sources.source_id = their.source_id
WHERE NOT is_new AND mine.accepted_because <> their.accepted_because
ORDER BY ALL
"""
_ADD_FINDINGS = f"""
UPDATE finding AS mine SET accepted_because = their.accepted_because
FROM their_finding AS their
WHERE NOT is_new AND {_SAME_FINDING} AND mine.accepted_because IS NULL AND their.accepted_because IS NOT NULL;
INSERT INTO finding BY NAME
SELECT * EXCLUDE (is_new, of_others, in_part) FROM their_finding AS their
WHERE CASE WHEN is_new THEN NOT in_part OR upper_id IS NULL OR lower_id IS NULL OR EXISTS (
        FROM rate WHERE rate.source_id = their.source_id AND rate.upper_id = their.upper_id
            AND rate.lower_id = their.lower_id
    ) ELSE NOT of_others AND NOT EXISTS (FROM finding AS mine WHERE {_SAME_FINDING}) END
"""


def merge_said(store: SourceStore) -> list[Conflict]:
    """Store the events, orders, findings and acceptances of the other store; return where the stores differ.

    Two acceptances of one finding with different reasons are no reason to change the one here.
    """
    connection = store.connection
    connection.execute(_EVENTS)
    connection.execute(_ORDERS)
    conflicts = _conflicts(store, _DIFFER) + _conflicts(store, _ORDERS_DIFFER)
    references = store.rows(_NEW_REFERENCES)
    connection.execute(_ADD_EVENTS)
    for source_id, text in references:
        store.put_reference(source_id, parse_reference(text or ""))
    with changing(connection, "finding", store.column(_WITH_FINDINGS)):
        connection.execute(_ADD_ORDERS)
        connection.execute(_FINDINGS)
        conflicts += _conflicts(store, _ACCEPTED_OTHERWISE)
        connection.execute(_ADD_FINDINGS)
    return conflicts


def _conflicts(store: SourceStore, sql: str) -> list[Conflict]:
    return [Conflict(*(_words(value, place) for place, value in enumerate(row))) for row in store.rows(sql)]


def _words(value: Any, place: int) -> Any:
    """Return a value of a conflict as text; the id of a source stays a number."""
    if place == 2:
        return value
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else {"presence": "withdrawn"}.get(value, str(value))
