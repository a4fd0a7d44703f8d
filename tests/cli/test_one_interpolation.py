"""Between two temperatures predict, evaluate, export, impact and `Rates.at` give one number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

import ratedb
from ratedb.arrays import FloatArray
from ratedb.database import Database
from ratedb.layers import Kind
from ratedb.models.storage import from_stored
from ratedb.radiative.sampled_lines import draw_deviations
from ratedb.rates import Rates

KELVIN = 33.0


@pytest.fixture
def db(filled: Path) -> Database:
    return ratedb.open(filled)


@pytest.fixture
def stored(db: Database) -> Rates:
    """The predicted transitions, as an export takes them."""
    rates = db.rates("AB+He")
    return rates.select((rates.kind_code == Kind.PREDICTED).all(axis=1))


def number_of(rates: Rates, wanted: Rates) -> FloatArray:
    """Return the rates at KELVIN of the transitions of another table, by their labels, shape (n,)."""
    column = rates.temperature_k.tolist().index(KELVIN)
    row_of = {names: row for row, names in enumerate(rates.transitions.names())}
    return rates.rate_cm3_s[[row_of[names] for names in wanted.transitions.names()], column]


def test_a_prediction_is_the_rate_that_at_gives(stored: Rates) -> None:
    (record,) = stored.models.values()
    model = from_stored(record.state, record.arrays)
    assert KELVIN not in stored.temperature_k
    expected = stored.at([KELVIN])
    found = model.predict(stored.transitions, np.array([KELVIN]))
    np.testing.assert_allclose(found.rate_cm3_s, expected.rate_cm3_s, rtol=1e-12)
    np.testing.assert_allclose(found.log10_half_width_68, expected.log10_half_width_68, rtol=1e-9)


def test_an_evaluation_tests_the_rate_that_at_gives(db: Database, stored: Rates, tmp_path: Path) -> None:
    truth = tmp_path / "truth.dat"
    truth.write_text(lamda_text([rotor_rates(rotor_levels(14, molecule="AB"), "He", (KELVIN,), seed=1)]))
    prediction = db.evaluate(1, truth=truth).prediction
    names = set(prediction.transitions.names())
    tested = stored.select([one in names for one in stored.transitions.names()])
    assert len(tested) > 50
    np.testing.assert_allclose(
        number_of(prediction, tested), number_of(tested.at([KELVIN]), tested), rtol=1e-12
    )


def test_an_export_writes_the_rate_that_at_gives(db: Database, stored: Rates, tmp_path: Path) -> None:
    db.export("AB+He", tmp_path / "ab.dat", temperatures=(20.0, KELVIN))
    (partner,) = ratedb.read(tmp_path / "ab.dat").partners
    expected = number_of(stored.at([KELVIN]), stored)
    np.testing.assert_allclose(number_of(partner.rates, stored), expected, rtol=1e-3)
    between = db.rates("AB+He", temperature_k=[KELVIN])
    np.testing.assert_allclose(number_of(between, stored), expected, rtol=1e-12)


def test_a_sample_of_an_impact_is_what_at_gives_for_the_sampled_curve(stored: Rates) -> None:
    on_grid = draw_deviations(stored, 5, np.random.default_rng(7))
    between = draw_deviations(stored.at([KELVIN]), 5, np.random.default_rng(7))
    for sample, expected in zip(on_grid, between, strict=True):
        curve = Rates(
            stored.levels,
            stored.collider,
            stored.upper,
            stored.lower,
            stored.temperature_k,
            stored.rate_cm3_s * 10.0**sample,
        )
        nominal = stored.at([KELVIN]).rate_cm3_s
        np.testing.assert_allclose(curve.at([KELVIN]).rate_cm3_s, nominal * 10.0**expected, rtol=1e-10)
