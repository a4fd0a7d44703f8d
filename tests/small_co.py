"""A small store of a made-up rotor that is called CO, with something of everything that a store can hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synthetic import prediction_of, rotor_levels, rotor_lines, rotor_rates

from ratedb.findings import Finding
from ratedb.models.record import Model
from ratedb.rates import Rates
from ratedb.store.store import Incoming, SourceInfo, Store

LEVELS = rotor_levels(12, molecule="CO")
KELVIN = (10.0, 20.0, 50.0, 100.0, 200.0)
FIRST_J, SECOND_J, SCALED_J, PREDICTED_J = (1, 2, 3, 4, 5, 6, 9, 12), (1, 2, 3), (10,), (7, 8)
MISSING_J = 11
WRONG = ("10", "9", 100.0)
"""A value of the scaled source that quality control marked, and that nothing takes the place of."""

GAP = ("10", "0", 20.0)
"""Where the scaled source has no value."""


def truth() -> Rates:
    """Return rates of all transitions, shape (78, 5)."""
    return rotor_rates(LEVELS, "p-H2", KELVIN)


def of_j(rates: Rates, j: tuple[int, ...], factor: float = 1.0) -> Rates:
    """Return the rates out of these j, times a factor."""
    kept = rates.select(np.isin(rates.initial_j(), j))
    return Rates(
        kept.levels, kept.collider, kept.upper, kept.lower, kept.temperature_k, factor * kept.rate_cm3_s
    )


def at(rates: Rates, place: tuple[str, str, float]) -> tuple[int, int]:
    """Return row and column of a value by its labels and temperature."""
    names = [(LEVELS.label[u], LEVELS.label[w]) for u, w in zip(rates.upper, rates.lower, strict=True)]
    return names.index(place[:2]), KELVIN.index(place[2])


def make_small_store(path: Path) -> Path:
    """Make the store: CO+p-H2 of four sources, one of them a model, and CO+o-H2 of one."""
    scaled = of_j(truth(), SCALED_J)
    values = scaled.rate_cm3_s.copy()
    values[at(scaled, WRONG)] *= 100.0
    values[at(scaled, GAP)] = np.nan
    scaled = Rates(LEVELS, "p-H2", scaled.upper, scaled.lower, scaled.temperature_k, values)
    upper, lower, kelvin = WRONG
    findings = (
        Finding(
            "off-curve", "error", "CO+p-H2", "100 times its neighbours", upper, lower, kelvin, 100.0, 1.0
        ),
        Finding("off-neighbours", "warning", "CO+p-H2", "a little high", "10", "8", None, 1.2, 1.0),
    )
    with Store(path, write=True, create=True) as store:
        put(store, of_j(truth(), FIRST_J), "computed", "First et al. 2010")
        put(store, of_j(truth(), SECOND_J, 1.2), "computed", "Second et al. 2020")
        put(store, scaled, "scaled", "Third et al. 2000", findings)
        model = Model(
            system_id=1,
            engine="basis",
            kernel="RBF",
            features="physics",
            train_j=[5, 9],
            validate_j=[6],
            target_j=[5, 6, 7, 8, 9],
            training_sha256="0" * 64,
            training_source_ids=[1],
            criterion="validation",
            seed=0,
            validation={"dex_rms": 0.1},
            tried=[],
            seconds=1.0,
            state={},
            arrays=b"",
        )
        model = store.model(store.put_model(model))
        predicted = of_j(truth(), PREDICTED_J)
        keep = np.ones(predicted.rate_cm3_s.shape, dtype=np.bool_)
        store.put_prediction("CO+p-H2", prediction_of(predicted), keep, model)
        put(store, rotor_rates(LEVELS, "o-H2", KELVIN, seed=1), "computed", "First et al. 2010")
    return path


def put(store: Store, rates: Rates, kind: str, reference: str, findings: tuple[Finding, ...] = ()) -> None:
    """Store one source."""
    sha256 = f"{len(reference):02d}" * 32
    info = SourceInfo(kind, "CC", reference, f"{reference[:5]}.dat", sha256, findings=findings)
    store.put_rates([Incoming(rotor_lines(rates.levels), ((rates, info),))])
