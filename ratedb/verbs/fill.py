"""Write predictions for the transitions that are missing; never touch what is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.predictor import Predictor
from ratedb.models.training_set import at_temperatures
from ratedb.options import FillOptions, Progress, silent
from ratedb.rates import Rates
from ratedb.results import Result
from ratedb.store.records import Model
from ratedb.store.store import Store
from ratedb.verbs.train import load_model


@dataclass(frozen=True, repr=False)
class FillResult(Result):
    """What a fill did, in transitions (`filled_rates` in values).

    `kept_computed` were known completely; `unchanged` this model had already filled; `extrapolated` of
    the filled lie outside what the model was trained on; `unsupported` are of a kind (v, v', parity of
    dj) that the training set does not have at all, and stay missing.
    """

    system: str
    model_id: int
    source_id: int | None
    filled_transitions: int
    filled_rates: int
    kept_computed: int
    unchanged: int
    extrapolated: int
    unsupported: int
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return in a few words what was done."""
        return f"{self.system}, model {self.model_id}, {self.filled_transitions} transitions filled"


def fill(db: Path, system: str, options: FillOptions, progress: Progress = silent) -> FillResult:
    """Predict what is missing and store it; values that are known are kept at every temperature.

    Raises RatedbError for an unknown system or model, or a model of another system.
    """
    with Store(db) as store:
        record = store.newest_model(system) if options.model is None else store.model(options.model)
        if store.system_name(record.system_id) != system:
            raise RatedbError(
                f"model {record.model_id} is of another system",
                expected=system,
                got=store.system_name(record.system_id),
                todo=f"`ratedb show {system}` lists its models",
            )
        stored = store.rates(system)
        warnings = () if options.model is not None else _better_models(store, record)
        mine = {
            row["source_id"]
            for row in store.query("SELECT source_id FROM source WHERE model_id = ?", [record.model_id])
        }
    progress("predicting")
    predictor = load_model(record)
    wanted = _wanted_pairs(stored.levels, record, options.j)
    supported = predictor.supports(wanted)
    unsupported = int((~supported).sum())
    prediction = predictor.predict(wanted.select(supported))
    known, own = _known_values(stored, prediction, mine)
    keep = ~known & ~own
    rows = keep.any(axis=1)
    source_id = None
    if rows.any() and not options.dry_run:
        progress("storing")
        with Store(db, write=True) as store:
            source_id = store.put_prediction(system, prediction.select(rows), keep[rows], record)
    return FillResult(
        system=system,
        model_id=record.model_id or 0,
        source_id=source_id,
        filled_transitions=int(rows.sum()),
        filled_rates=int(keep.sum()),
        kept_computed=int(known.all(axis=1).sum()),
        unchanged=int((~rows & own.any(axis=1)).sum()),
        extrapolated=int((rows & prediction.extrapolated.any(axis=1)).sum()),
        unsupported=unsupported,
        warnings=(*warnings, *_beyond_prior(predictor, wanted.select(supported))),
    )


def _beyond_prior(predictor: Predictor, wanted: Transitions) -> tuple[str, ...]:
    """Warn where the prior data set lacks transitions that are predicted from it."""
    if predictor.reference is None:
        return ()
    missing = len(wanted) - predictor.reference.has(wanted)
    if not missing:
        return ()
    system = predictor.reference.system
    return (
        f"{system} lacks {missing} of the {len(wanted)} transitions it is the prior of: interpolated in j",
    )


def _better_models(store: Store, record: Model) -> tuple[str, ...]:
    """Warn where an older model did better on its validation j than the newest, which is used."""
    rows = store.query(
        "SELECT model_id, (validation ->> 'dex_rms')::DOUBLE AS dex_rms FROM model"
        " WHERE system_id = ? ORDER BY dex_rms, model_id DESC",
        [record.system_id],
    )
    best = rows[0]
    if best["model_id"] == record.model_id:
        return ()
    return (
        f"model {record.model_id}, the newest, is used; model {best['model_id']} did better on its validation"
        f" j ({best['dex_rms']:.3f} dex): choose it with --model {best['model_id']}",
    )


def _wanted_pairs(levels: Levels, record: Model, j_values: tuple[int, ...] | None) -> Transitions:
    """Return all downward pairs to have out of these j."""
    _, j = levels.need_vj()
    wanted_j = record.target_j if j_values is None else j_values
    outside = sorted(set(wanted_j) - set(j.tolist()))
    if outside:
        raise RatedbError(
            "some j are not among the levels",
            where=levels.molecule,
            expected=f"j in {min(j)}..{max(j)}",
            got=", ".join(map(str, outside)),
        )
    pairs = levels.downward_pairs()
    return pairs.select(np.isin(pairs.initial_j(), wanted_j))


def _known_values(stored: Rates, prediction: Rates, mine: set[int]) -> tuple[BoolArray, BoolArray]:
    """Return what is known (neither predicted nor marked) and what this model predicted, shape (n, m)."""
    place = {key: row for row, key in enumerate(stored.transitions.keys().tolist())}
    rows = np.array([place.get(key, -1) for key in prediction.transitions.keys().tolist()], dtype=np.int64)
    predicted = stored.kind_code == Kind.PREDICTED

    def aligned(mask: BoolArray) -> BoolArray:
        table = replace(stored, rate_cm3_s=np.where(mask, 1.0, np.nan), layers={})
        there = np.isfinite(at_temperatures(table, prediction.temperature_k).rate_cm3_s)
        there = np.vstack([there, np.zeros((1, there.shape[1]), dtype=np.bool_)])
        result: BoolArray = there[rows]
        return result

    known = aligned((stored.kind_code >= 0) & ~predicted & ~stored.marked)
    own = aligned(predicted & np.isin(stored.source_id, sorted(mine)))
    return known, own
