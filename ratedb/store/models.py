"""Models in the store."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from ratedb.errors import RatedbError
from ratedb.models.record import Model
from ratedb.store.base import need_id
from ratedb.store.seals import need_intact_row
from ratedb.store.systems import SystemStore

_JSON = ("validation", "tried", "state", "library_versions")
_OF_THE_RUN = {"model_id", "seconds", "trained_at", "ratedb_version", "library_versions"}
_RECENT = """
SELECT model_id FROM (
    SELECT *, row_number() OVER (ORDER BY trained_at DESC, model_id DESC) AS age
    FROM model WHERE system_id = ?
)
WHERE age = 1 OR NOT list_has_any(
    training_source_ids, (SELECT coalesce(list(source_id), []) FROM source_now WHERE withdrawn)
)
ORDER BY age LIMIT 20
"""


class ModelStore(SystemStore):
    """The part of a store with the table model."""

    def put_model(self, model: Model) -> int:
        """Store a model and return its id."""
        from ratedb.store.records import ModelRow

        with self.transaction() as session:
            row = ModelRow(**vars(model))
            session.add(row)
            session.flush()
            return need_id(row.model_id)

    def put_model_once(self, model: Model) -> tuple[int, list[str]]:
        """Store a model and return its id, or that of the same one in the store, and what to tell of it.

        The same is one with the same data, options and result, to the last bit.
        """
        of_data = self.column(
            "SELECT model_id FROM model WHERE system_id = ? AND training_sha256 = ? ORDER BY model_id",
            [model.system_id, model.training_sha256],
        )
        for number in of_data:
            if _compared(self.model(number)) == _compared(model):
                return number, [f"model {number} is the same, to the last bit: nothing new is stored"]
        return self.put_model(model), []

    def model(self, model_id: int) -> Model:
        """Return a model; raises RatedbError where the store does not have it.

        Raises IntegrityError where another program changed it.
        """
        names = [one.name for one in fields(Model)]
        found = self.rows(f"SELECT {', '.join(names)} FROM model WHERE model_id = ?", [model_id])
        if not found:
            known = self.column("SELECT model_id FROM model ORDER BY model_id")
            raise RatedbError(
                f"the store has no model {model_id}",
                where=str(self.path),
                expected="one of " + ", ".join(map(str, known)) if known else "a trained model",
                todo="`ratedb train SYSTEM` makes one",
            )
        need_intact_row(self.connection, "model", model_id)
        values: dict[str, Any] = dict(zip(names, found[0], strict=True))
        return Model(**(values | {name: json.loads(values[name]) for name in _JSON}))

    def model_names(self) -> list[tuple[int, str]]:
        """Return the id of each model and the name of its system, by id."""
        return self.rows("SELECT model_id, system FROM models ORDER BY model_id")

    def recent_models(self, name: str) -> list[Model]:
        """Return the newest models of a system, at most 20, the newest first.

        Of the older ones those trained on a source that is withdrawn are left out. Raises RatedbError for an
        unknown system.
        """
        found = self.column(_RECENT, [self.system(name).system_id])
        return [self.model(number) for number in found]

    def models_of(self, name: str, model_id: int | None) -> list[Model]:
        """Return one model of a system, or its recent ones where no id is given, the newest first.

        Raises RatedbError where there is none, or the model is of another system.
        """
        if model_id is None:
            if found := self.recent_models(name):
                return found
            raise RatedbError(f"{name} has no model", todo=f"`ratedb train {name}` makes one")
        model = self.model(model_id)
        of = self.system_name(model.system_id)
        if of != name:
            raise RatedbError(
                f"model {model.model_id} is of another system",
                expected=name,
                got=of,
                todo=f"`ratedb show {name}` lists its models",
            )
        return [model]

    def list_models(self, name: str) -> list[dict[str, Any]]:
        """Return kernel, features, mean, prior, engine and sets of each model of a system, by id."""
        return self.query(
            "SELECT model_id, kernel, features, mean, prior, engine, train_j, validate_j, train_units,"
            " validate_units, trained_at"
            " FROM models WHERE system = ? ORDER BY model_id",
            [name],
        )


def _compared(model: Model) -> str:
    """Return what makes two models the same, as text: all but when, how fast and by which version."""
    values = {name: value for name, value in vars(model).items() if name not in _OF_THE_RUN}
    tried = [{name: value for name, value in one.items() if name != "seconds"} for one in model.tried]
    return json.dumps(values | {"tried": tried, "arrays": model.arrays.hex()}, sort_keys=True)
