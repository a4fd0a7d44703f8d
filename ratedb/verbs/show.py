"""Say what is in a store: its systems, and the coverage of one by initial j and kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ratedb.layers import KINDS
from ratedb.rates import Rates
from ratedb.store.store import Store

SYSTEMS_SQL = """
SELECT s.name AS system, s.molecule, s.collider,
       count(DISTINCT (b.upper_id, b.lower_id)) AS transitions,
       min(b.temperature_k) AS temperature_min_k, max(b.temperature_k) AS temperature_max_k,
       count(DISTINCT b.temperature_k) AS temperatures,
       count(b.rate_cm3_s) AS rates,
       count(*) FILTER (b.kind = 'predicted') AS predicted,
       (SELECT count(*) FROM source WHERE source.system_id = s.system_id) AS sources
FROM collision_system AS s LEFT JOIN best_value AS b USING (system_id)
GROUP BY s.name, s.molecule, s.collider, s.system_id ORDER BY s.name
"""


def list_systems(db: Path) -> list[dict[str, Any]]:
    """Return one entry for each system: transitions, temperatures and values by kind."""
    with Store(db) as store:
        return store.query(SYSTEMS_SQL)


def show_system(db: Path, system: str) -> dict[str, Any]:
    """Return a system's levels, temperatures, sources, models, and coverage by initial j.

    Coverage counts transitions: `computed` (any kind but predicted, which `kinds` splits), `predicted`,
    and `missing` of all pairs of levels that go down in energy. Where levels have no j the list is
    empty. Raises RatedbError for an unknown system.
    """
    with Store(db) as store:
        stored = store.rates(system)
        sources = store.query(
            "SELECT source_id, kind, method, reference, file_name, model_id, imported_at FROM sources"
            " WHERE system = ? ORDER BY source_id",
            [system],
        )
        models = store.query(
            "SELECT model_id, kernel, features, mean, prior, engine, train_j, validate_j, trained_at"
            " FROM models WHERE system = ? ORDER BY model_id",
            [system],
        )
    levels = stored.levels
    return {
        "system": system,
        "levels": len(levels),
        "transitions": len(stored),
        "temperatures_k": stored.temperature_k.tolist(),
        "kinds": {kind: int((_row_kind(stored) == n).sum()) for n, kind in enumerate(KINDS)},
        "coverage": coverage(stored) if levels.has_vj else [],
        "sources": sources,
        "models": models,
    }


def coverage(stored: Rates) -> list[dict[str, int]]:
    """Return for each initial j how many transitions are computed, predicted and missing."""
    levels = stored.levels
    _, j = levels.need_vj()
    kind = _row_kind(stored)
    initial_j = stored.initial_j()
    upper = levels.downward_pairs().upper
    result = []
    for value in sorted(set(j[upper].tolist())):
        here = kind[initial_j == value]
        predicted = int((here == KINDS.index("predicted")).sum())
        computed = len(here) - predicted
        possible = int((j[upper] == value).sum())
        result.append(
            {
                "j": value,
                "computed": computed,
                "predicted": predicted,
                "missing": max(possible - computed - predicted, 0),
            }
        )
    return result


def _row_kind(stored: Rates) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the best kind of each transition, shape (n,)."""
    if not len(stored):
        return np.zeros(0, dtype=np.int64)
    worst = len(KINDS)
    best: np.ndarray[Any, np.dtype[np.int64]] = np.where(stored.kind_code < 0, worst, stored.kind_code).min(
        axis=1
    )
    return best
