from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from duckdb_sqlalchemy import Dialect
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel
from stores import all_tables, by_transition, make_store, model_record, put
from synthetic import prediction_of, rotor_levels, rotor_lines, rotor_rates, with_missing

from ratedb.errors import RatedbError
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.store import records
from ratedb.store.plans import Plan
from ratedb.store.store import Store
from ratedb.systems import split_system

TINY = (1e-46, 1e-300, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 0.0)
CLASSES = (
    records.CorpusSystemRow,
    records.LevelSetRow,
    records.ModelRow,
    records.SourceRow,
)
SQL_TYPES = {
    "BYTEA": "BLOB",
    "BLOB": "BLOB",
    "DOUBLE PRECISION": "DOUBLE",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
}


def bits(values: object) -> list[int]:
    return np.asarray(values, dtype=np.float64).view(np.int64).ravel().tolist()


def test_rates_come_back_with_every_bit(tmp_path: Path) -> None:
    levels = rotor_levels(1)
    values = np.array([TINY])
    rates = Rates(levels, "He", np.array([1]), np.array([0]), np.arange(1.0, 7.0), values)
    with Store(make_store(tmp_path / "s.duckdb", rates)) as store:
        assert bits(store.rates("XY+He").rate_cm3_s) == bits(values)
        rows = store.query("SELECT rate_cm3_s FROM rates ORDER BY temperature_k")
    assert bits([row["rate_cm3_s"] for row in rows]) == bits(values)


def test_energies_and_einstein_a_keep_every_bit(store: Store) -> None:
    levels = Levels("XY", ("0", "1"), np.array([0.1 + 0.2, 7.0]), np.array([1.0, 3.0]), vj([0, 0], [0, 1]))
    lines = rotor_lines(levels)
    lines = Lines(lines.upper, lines.lower, np.array([1e-300]), np.array([1e-46]))
    put(store, rotor_rates(levels), lines=lines)
    stored = store.levels("XY")
    assert bits(stored.levels.energy_cm1) == bits(levels.energy_cm1)
    assert bits(stored.lines.einstein_a_s1) == bits([1e-300])
    assert bits(stored.lines.frequency_ghz) == bits([1e-46])


@pytest.mark.parametrize("value", TINY)
def test_the_columns_of_the_classes_are_64_bit_too(store_path: Path, value: float) -> None:
    with Store(store_path, write=True) as store:
        number = store.put_model(model_record(seconds=value, validation={"x": value}, state={"y": [value]}))
    with Store(store_path) as store:
        model = store.model(number)
        assert bits(model.seconds) == bits(value)
        assert bits(model.validation["x"]) == bits(value)
        assert bits(model.state["y"]) == bits([value])
        assert bits(store.query("SELECT seconds FROM models")[0]["seconds"]) == bits(value)


def test_what_a_model_is_made_of_comes_back_as_it_was(store_path: Path) -> None:
    arrays = bytes(range(256)) * 9
    tried = [{"kernel": "Matern12", "bic": -3.5}]
    with Store(store_path, write=True) as store:
        number = store.put_model(model_record(arrays=arrays, tried=tried, train_j=[], target_j=[5, 2]))
    with Store(store_path) as store:
        model = store.recent_models("XY+He")[0]
        assert model.model_id == number
        assert (model.arrays, model.tried, model.train_j, model.target_j) == (arrays, tried, [], [5, 2])
        assert model.library_versions["numpy"] == np.__version__
        assert store.system_name(model.system_id) == "XY+He"


def test_a_plan_comes_back_as_it_was(store: Store) -> None:
    plan = Plan(system_name="XY+He", strategy="spread", request={"j": [1]}, candidates=[{"n": 2}])
    number = store.put_plan(plan)
    found = store.plan(number)
    assert (found.strategy, found.request, found.candidates, found.chosen) == (
        "spread",
        {"j": [1]},
        [{"n": 2}],
        None,
    )
    assert store.query("SELECT system FROM plans") == [{"system": "XY+He"}]


def test_missing_models_plans_and_systems_are_errors_with_advice(store: Store) -> None:
    asks = [lambda: store.model(7), lambda: store.plan(7), lambda: store.system("AB+He")]
    for ask in [*asks, lambda: store.rates("AB+He"), lambda: store.models_of("XY+He", None)]:
        with pytest.raises(RatedbError) as caught:
            ask()
        assert caught.value.todo


def test_missing_temperatures_survive_the_round_trip(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(3))
    missing = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
    missing[0, 0] = missing[1, 1] = missing[2, 1:] = missing[4] = True
    holes = with_missing(rates, missing)
    path = make_store(tmp_path / "s.duckdb", holes)
    with Store(path) as store:
        stored = store.rates("XY+He")
        assert by_transition(stored) == by_transition(holes)
        assert len(stored) == 5
        assert (stored.kind_code == -1).sum() == np.isnan(stored.rate_cm3_s).sum() == 4
        lists = store.query("SELECT rate_cm3_s FROM rate")
    assert all(value is not None for row in lists for value in row["rate_cm3_s"])


def test_rows_that_know_the_same_temperatures_share_a_grid(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(4))
    missing = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
    missing[:5, 0] = True
    path = make_store(tmp_path / "s.duckdb", with_missing(rates, missing), rotor_rates(rotor_levels(4), "e"))
    grids = [row[1] for row in all_tables(path)["temperature_grid"]]
    assert sorted(grids) == [[10.0, 20.0, 50.0], [20.0, 50.0]]


def test_a_source_without_any_value_is_not_stored(store: Store) -> None:
    rates = rotor_rates(rotor_levels(2))
    result = put(store, with_missing(rates, np.ones((3, 3), dtype=np.bool_)))
    assert (result.source_id, result.new) == (None, 0)
    assert store.query("SELECT * FROM sources") == []
    assert put(store, rates.select(np.zeros(3, dtype=np.bool_))).source_id is None


def test_a_prediction_keeps_its_spread_its_flags_and_only_what_was_asked_for(store: Store) -> None:
    rates = rotor_rates(rotor_levels(2))
    put(store, rates.select(np.array([0])))
    model = store.model(store.put_model(model_record()))
    prediction = prediction_of(rates, seed=5)
    keep = np.array([[False] * 3, [True, False, True], [True] * 3])
    source = store.put_prediction("XY+He", prediction, keep, model)
    stored = store.rates("XY+He")
    predicted = stored.source_id == source
    np.testing.assert_array_equal(predicted, keep)
    np.testing.assert_array_equal(stored.rate_cm3_s[predicted], prediction.rate_cm3_s[keep])
    np.testing.assert_array_equal(stored.log10_half_width_68[predicted], prediction.log10_half_width_68[keep])
    np.testing.assert_array_equal(stored.extrapolated.any(axis=1), prediction.extrapolated.any(axis=1))
    assert store.query("SELECT model_id FROM sources ORDER BY source_id DESC LIMIT 1") == [{"model_id": 1}]
    assert np.isnan(stored.log10_half_width_68[~predicted]).all()


def test_a_prediction_finds_its_levels_after_others_came_in(store: Store) -> None:
    """Between reading the levels and storing, another process may import levels that lie between them."""
    put(store, rotor_rates(rotor_levels(4).select([0, 1, 4])))
    model = store.model(store.put_model(model_record()))
    prediction = prediction_of(rotor_rates(store.levels("XY").levels, seed=2))
    put(store, rotor_rates(rotor_levels(4), "p-H2"))
    source = store.put_prediction("XY+He", prediction, prediction.log10_half_width_68 > 0, model)
    rows = store.query(
        "SELECT upper_label, lower_label, temperature_k, rate_cm3_s FROM rates_all WHERE source_id = ?",
        [source],
    )
    assert {tuple(row.values())[:3]: row["rate_cm3_s"] for row in rows} == by_transition(prediction)


def test_a_prediction_of_levels_the_store_lacks_is_refused(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(2)))
    model = store.model(store.put_model(model_record()))
    prediction: Rates = prediction_of(rotor_rates(rotor_levels(4)))
    with pytest.raises(RatedbError, match="no such level"):
        store.put_prediction("XY+He", prediction, prediction.log10_half_width_68 > 0, model)
    assert len(store.query("SELECT * FROM sources")) == 1


@pytest.mark.parametrize("record", CLASSES, ids=lambda record: str(record.__tablename__))
def test_the_classes_agree_with_the_sql_schema(store_path: Path, record: type[SQLModel]) -> None:
    table = SQLModel.metadata.tables[str(record.__tablename__)]
    with duckdb.connect(str(store_path), read_only=True) as connection:
        rows = connection.execute(f"PRAGMA table_info('{table.name}')").fetchall()
    schema = {name: (kind, bool(not_null), bool(key)) for _, name, kind, not_null, _, key in rows}
    classes = {}
    for column in table.columns:
        kind = column.type.compile(Dialect())
        classes[column.name] = (SQL_TYPES.get(kind, kind), not column.nullable, column.primary_key)
    assert classes == schema


def test_every_table_of_the_classes_is_compared() -> None:
    tables = {
        item.__tablename__
        for item in vars(records).values()
        if isinstance(item, type) and issubclass(item, SQLModel) and item is not SQLModel
    }
    assert tables == {record.__tablename__ for record in CLASSES}


@pytest.mark.parametrize(
    ("name", "molecule", "collider"),
    [
        ("CO+p-H2", "CO", "p-H2"),
        ("HCO++p-H2", "HCO+", "p-H2"),
        ("HCO++e", "HCO+", "e"),
        ("X+H", "X", "H"),
        ("X+H+", "X", "H+"),
        ("X++H+", "X+", "H+"),
        ("o-NH3+o-H2", "o-NH3", "o-H2"),
    ],
)
def test_the_name_of_a_system_splits_into_molecule_and_collider(
    name: str, molecule: str, collider: str
) -> None:
    assert split_system(name) == (molecule, collider)


@given(
    st.from_regex(r"[A-Z][a-z0-9]?[A-Z]?[0-9]?\+?", fullmatch=True),
    st.sampled_from(
        ("p-H2", "e", "He", "H+", "H2O", "p-H2O", "CO", "N2", "Ar", "H2(j=2)", "He+", "H-", "13CO")
    ),
)
def test_a_system_of_any_collider_splits_into_what_it_was_joined_of(molecule: str, collider: str) -> None:
    assert split_system(f"{molecule}+{collider}") == (molecule, collider)


@pytest.mark.parametrize("name", ["", "CO", "CO+", "+He", "CO+p_H2", "CO He", "CO+H2(", "CO+12"])
def test_other_names_of_systems_are_refused(name: str) -> None:
    with pytest.raises(RatedbError, match="not the name of a system"):
        split_system(name)
