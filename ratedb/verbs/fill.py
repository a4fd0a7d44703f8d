"""Store predictions for missing transitions; known values stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.models.filling import beyond_prior, known_values, wanted_pairs
from ratedb.models.record import Model
from ratedb.models.storage import from_stored
from ratedb.options import FillOptions, Progress, silent
from ratedb.results import Result
from ratedb.store.store import Store


@dataclass(frozen=True, repr=False)
class FillResult(Result):
    """Counts of transitions (`filled_rates`: of values).

    `kept_computed` were completely known; `unchanged` were filled by this model before; `extrapolated` of the
    filled lie outside the training range; `unsupported` are of a kind (v, v', parity of dj) that the training
    set does not contain, and stay missing.
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
    """Predict missing values and store them; known values are kept at every temperature.

    Raises RatedbError for an unknown system or model, or a model of another system.
    """
    with Store(db) as store:
        record = store.model_of(system, options.model)
        stored = store.rates(system)
        warnings = () if options.model is not None else _better_models(store, record)
        mine = store.sources_of_model(record.model_id)
    progress("predicting")
    predictor = from_stored(record.state, record.arrays)
    wanted = wanted_pairs(stored.levels, record.target_j if options.j is None else options.j)
    supported = predictor.supports(wanted)
    unsupported = int((~supported).sum())
    prediction = predictor.predict(wanted.select(supported))
    known, own = known_values(stored, prediction, mine)
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
        warnings=(*warnings, *beyond_prior(predictor, wanted.select(supported))),
    )


def _better_models(store: Store, record: Model) -> tuple[str, ...]:
    """Warn where an older model has a smaller validation error than the newest, which is used."""
    best, dex_rms = store.best_model(record.system_id)
    if best == record.model_id:
        return ()
    return (
        f"model {record.model_id}, the newest, is used; model {best} has a smaller validation error"
        f" ({dex_rms:.3f} dex): choose it with --model {best}",
    )
