"""What a store knows of models besides their records: what they fill, and what their prior is cited as."""

from __future__ import annotations

from ratedb.store.records import Model
from ratedb.store.store import Store


def references_of(store: Store, system: str) -> tuple[str, ...]:
    """Return the references of a system's sources, without predictions."""
    rows = store.query(
        "SELECT DISTINCT reference FROM sources WHERE system = ? AND kind <> 'predicted' ORDER BY reference",
        [system],
    )
    return tuple(row["reference"] for row in rows)


def sources_of_model(store: Store, model_id: int | None) -> list[int]:
    """Return the ids of the sources with a model's predictions."""
    rows = store.query("SELECT source_id FROM source WHERE model_id = ? ORDER BY source_id", [model_id])
    return [row["source_id"] for row in rows]


def best_model(store: Store, record: Model) -> tuple[int, float]:
    """Return the id of the model with the least validation error (dex) of a record's system, and that."""
    rows = store.query(
        "SELECT model_id, (validation ->> 'dex_rms')::DOUBLE AS dex_rms FROM model"
        " WHERE system_id = ? ORDER BY dex_rms, model_id DESC LIMIT 1",
        [record.system_id],
    )
    return rows[0]["model_id"], rows[0]["dex_rms"]
