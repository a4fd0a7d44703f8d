"""Store predictions for missing transitions; known values stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.models.choosing import choose
from ratedb.models.filling import beyond_prior, known_values, own_values
from ratedb.models.plausible import need_physical
from ratedb.models.tops.filling import choose_top
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
    """Predict missing values by the model named, or the best one, and store them.

    Known values are kept at every temperature. A warning says where that model is not the newest.
    Raises RatedbError for an unknown system or model, a model of another system, or where a prediction
    cannot be a rate coefficient.
    """
    with Store(db) as store:
        records, stored = store.models_of(system, options.model), store.rates(system)
    progress("predicting")
    chosen = choose_top(records, stored, options.j) or choose(records, stored, options.j)
    record, predictor = chosen.record, chosen.predictor
    supported = predictor.supports(chosen.wanted)
    wanted = chosen.wanted.select(supported)
    prediction = predictor.predict(wanted)
    need_physical(prediction, stored.known())
    known = known_values(stored, wanted, prediction.temperature_k)
    own = own_values(stored, prediction, record.model_id)
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
        unsupported=int((~supported).sum()),
        warnings=(*chosen.warnings, *beyond_prior(predictor, wanted)),
    )
