"""Models in the store."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from ratedb.errors import RatedbError
from ratedb.models.record import Model
from ratedb.store.base import need_id
from ratedb.store.systems import SystemStore

_JSON = ("validation", "tried", "state", "library_versions")


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

    def model(self, model_id: int) -> Model:
        """Return a model; raises RatedbError where the store does not have it."""
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
        values: dict[str, Any] = dict(zip(names, found[0], strict=True))
        return Model(**(values | {name: json.loads(values[name]) for name in _JSON}))

    def newest_model(self, name: str) -> Model:
        """Return the newest model of a system; raises RatedbError where there is none."""
        system = self.system(name)
        [newest] = self.column("SELECT max(model_id) FROM model WHERE system_id = ?", [system.system_id])
        if newest is None:
            raise RatedbError(f"{name} has no model", todo=f"`ratedb train {name}` makes one")
        return self.model(int(newest))

    def model_of(self, name: str, model_id: int | None) -> Model:
        """Return a model of a system, the newest where no id is given.

        Raises RatedbError where there is none, or the model is of another system.
        """
        model = self.newest_model(name) if model_id is None else self.model(model_id)
        of = self.system_name(model.system_id)
        if of != name:
            raise RatedbError(
                f"model {model.model_id} is of another system",
                expected=name,
                got=of,
                todo=f"`ratedb show {name}` lists its models",
            )
        return model

    def best_model(self, system_id: int) -> tuple[int, float]:
        """Return the model of a system with the least validation error, and that error in dex."""
        [best] = self.rows(
            "SELECT model_id, (validation ->> 'dex_rms')::DOUBLE AS dex_rms FROM model"
            " WHERE system_id = ? ORDER BY dex_rms, model_id DESC LIMIT 1",
            [system_id],
        )
        return best[0], best[1]

    def list_models(self, name: str) -> list[dict[str, Any]]:
        """Return kernel, features, mean, prior, engine and sets of each model of a system, by id."""
        return self.query(
            "SELECT model_id, kernel, features, mean, prior, engine, train_j, validate_j, trained_at"
            " FROM models WHERE system = ? ORDER BY model_id",
            [name],
        )
