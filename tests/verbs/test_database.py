"""Python's way out of a store: the same values and columns as an export, and nothing stays open."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_co import GAP, KELVIN, MISSING_J, PREDICTED_J, SECOND_J, WRONG, at, of_j, put, truth

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError, UsageError
from ratedb.io.columns import rates_of_frame
from ratedb.io.provenance import METHOD
from ratedb.models.metrics import metrics
from ratedb.options import ExportOptions
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.verbs.export import export


@pytest.fixture(scope="module")
def db(small_co: Path) -> Database:
    return ratedb.open(small_co)


@pytest.fixture(scope="module")
def rates(db: Database) -> Rates:
    return db.rates("CO+p-H2")


def test_importing_ratedb_loads_no_heavy_library() -> None:
    code = "import sys, ratedb; ratedb.open, ratedb.RatedbError; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "duckdb", "pandas", "sqlalchemy", "scipy", "pyarrow", "xarray", "tensorflow"}
    assert {name for name in heavy if f"'{name}'" in done.stdout} == set()


# -- arrays -------------------------------------------------------------------------------------


def test_the_arrays_hold_what_was_stored_and_what_it_is(rates: Rates) -> None:
    whole = truth()
    assert rates.temperature_k.tolist() == list(KELVIN)
    assert rates.rate_cm3_s.shape == rates.kind.shape == (len(rates), 5) == (78 - MISSING_J, 5)
    expected = {1: ("computed", 2), 4: ("computed", 1), 7: ("predicted", 4), 10: ("scaled", 3)}
    for row, (upper, lower) in enumerate(zip(rates.upper_label, rates.lower_label, strict=True)):
        kind, source = expected.get(rates.j[row], ("", 0))
        for column, kelvin in enumerate(KELVIN):
            place = (str(upper), str(lower), kelvin)
            if kind and place != GAP:
                assert (rates.kind[row, column], rates.source_id[row, column]) == (kind, source)
            if rates.j[row] not in PREDICTED_J and place not in (WRONG, GAP):
                factor = 1.2 if rates.j[row] in SECOND_J else 1.0
                true = whole.rate_cm3_s[at(whole, place)]
                assert rates.rate_cm3_s[row, column] == pytest.approx(factor * true, rel=1e-15)


def test_nothing_stands_where_nothing_is_known_and_what_is_marked_says_so(rates: Rates) -> None:
    [row], [column] = np.nonzero(rates.kind == "")
    assert (rates.upper_label[row], rates.lower_label[row], rates.temperature_k[column]) == GAP
    assert np.isnan(rates.rate_cm3_s[row, column])
    assert rates.source_id[row, column] == -1
    [row], [column] = np.nonzero(rates.marked)
    assert (rates.upper_label[row], rates.lower_label[row], rates.temperature_k[column]) == WRONG


def test_the_levels_of_each_transition_stand_beside_it(rates: Rates) -> None:
    assert rates.upper_label.tolist() == [str(j) for j in rates.j]
    np.testing.assert_allclose(rates.upper_energy_cm1, 2.0 * rates.j * (rates.j + 1))
    np.testing.assert_allclose(rates.lower_energy_cm1, 2.0 * rates.j_final * (rates.j_final + 1))
    assert (rates.upper_weight == 2 * rates.j + 1).all()
    assert (rates.lower_weight == 2 * rates.j_final + 1).all()
    assert set(rates.v) == set(rates.v_final) == {0}


def test_the_arrays_cannot_be_changed(rates: Rates) -> None:
    for array in (
        rates.temperature_k,
        rates.rate_cm3_s,
        rates.log10_half_width_68,
        rates.source_id,
        rates.marked,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array.reshape(-1)[0] = 0


def test_upward_rates_leave_a_gas_in_equilibrium_as_it_is(rates: Rates) -> None:
    def thermal(weight: np.ndarray, energy_cm1: np.ndarray) -> np.ndarray:
        boltzmann = np.exp(-HC_OVER_KB_CM_K * energy_cm1[:, None] / rates.temperature_k)
        return np.asarray(weight[:, None] * boltzmann)

    down = thermal(rates.upper_weight, rates.upper_energy_cm1) * rates.rate_cm3_s
    up = thermal(rates.lower_weight, rates.lower_energy_cm1) * rates.upward_rate_cm3_s
    np.testing.assert_allclose(up, down, rtol=1e-12)


@pytest.mark.parametrize("share", [0.68, 0.95])
def test_a_truth_at_the_end_of_an_interval_counts_as_inside_it_and_beyond_as_outside(
    rates: Rates, share: float
) -> None:
    low, high = rates.interval_cm3_s(share)
    predicted = rates.kind == "predicted"
    assert (np.isnan(low) == ~predicted).all()
    k, std = rates.rate_cm3_s[predicted], rates.log10_half_width_68[predicted]
    field = f"coverage_{100 * share:.0f}"
    for end in (low, high):
        for part, expected in ((0.999, 1.0), (1.001, 0.0)):
            at_end = k * (end[predicted] / k) ** part
            found = metrics(at_end[:, None], np.log10(k)[:, None], std[:, None])
            assert getattr(found, field) == expected


# -- choice -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_sql(db: Database) -> list[dict[str, Any]]:
    """Every best value as the view `rates` has it."""
    result = db.sql("SELECT * FROM rates WHERE system = 'CO+p-H2'")
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@pytest.mark.parametrize(
    ("choice", "condition"),
    [
        ({"kinds": ("computed", "scaled")}, lambda row: row["kind"] in ("computed", "scaled")),
        ({"kinds": "predicted"}, lambda row: row["kind"] == "predicted"),
        ({"min_quality": "unmarked"}, lambda row: not row["marked"]),
        (
            {"min_quality": "unsuspected", "j_max": 10},
            lambda row: not row["marked"] and row["j"] <= 10 and (row["j"], row["j_final"]) != (10, 8),
        ),
    ],
)
def test_a_choice_takes_what_its_words_say(
    db: Database,
    in_sql: list[dict[str, Any]],
    choice: dict[str, Any],
    condition: Callable[[dict[str, Any]], bool],
) -> None:
    names = ["upper_label", "lower_label", "temperature_k", "rate_cm3_s"]
    found = db.rates("CO+p-H2", **choice).to_pandas()[names].itertuples(index=False, name=None)
    assert sorted(found) == sorted(tuple(row[name] for name in names) for row in in_sql if condition(row))


def test_temperatures_between_are_interpolated_as_an_export_does(db: Database, rates: Rates) -> None:
    at_others = db.rates("CO+p-H2", temperature_k=[20, 35, 150])
    whole = ~np.isnan(rates.rate_cm3_s).any(axis=1)
    assert whole.sum() == len(rates) - 1
    expected = interpolated(rates.temperature_k, rates.rate_cm3_s[whole], [20.0, 35.0, 150.0])
    np.testing.assert_array_equal(at_others.rate_cm3_s[whole], expected)
    # One curve has a gap at 20 K, so that there something is interpolated too.
    assert at_others.interpolated_k == (20.0, 35.0, 150.0)
    # 35 K is nearer to 50 K in ln T, and 150 K to 200 K.
    np.testing.assert_array_equal(at_others.source_id[whole], rates.source_id[whole][:, [1, 2, 4]])
    assert "3 of them interpolated" in repr(at_others)
    assert at_others.provenance["interpolated_temperatures_k"] == [20.0, 35.0, 150.0]
    assert db.rates("CO+p-H2", temperature_k=[10, 100]).interpolated_k == ()


def test_a_curve_with_a_gap_is_interpolated_between_the_values_that_it_has(rates: Rates) -> None:
    upper, lower, _ = GAP
    curve = rates.curve(upper, lower)
    assert curve.temperature_k.tolist() == [10.0, 50.0, 100.0, 200.0]
    expected = interpolated(curve.temperature_k, curve.rate_cm3_s, [20.0, 35.0])[0]
    np.testing.assert_allclose(curve.at([20.0, 35.0]).rate_cm3_s[0], expected, rtol=1e-12)
    found = rates.at([20.0, 35.0])
    row = (found.upper_label == upper) & (found.lower_label == lower)
    np.testing.assert_allclose(found.rate_cm3_s[row][0], expected, rtol=1e-12)
    assert found.kind[row].tolist() == [["scaled", "scaled"]]


def test_where_a_curve_does_not_reach_nothing_stands(tmp_path: Path) -> None:
    whole = of_j(truth(), (1, 2))
    values = whole.rate_cm3_s.copy()
    values[0, 0] = np.nan
    with Store(tmp_path / "own.duckdb", write=True, create=True) as store:
        put(store, replace(whole, rate_cm3_s=values), "computed", "somebody")
    rates = ratedb.open(tmp_path / "own.duckdb").rates("CO+p-H2").at([15.0, 60.0])
    assert np.isnan(rates.rate_cm3_s).tolist() == [[True, False], [False, False], [False, False]]
    assert rates.kind.tolist() == [["", "computed"], ["computed"] * 2, ["computed"] * 2]
    assert rates.source_id[0].tolist() == [-1, 1]
    assert len(rates.to_pandas()) == 5


def test_one_transition_is_found_by_its_labels_and_by_its_quantum_numbers(rates: Rates) -> None:
    curve = rates.curve("7", "5")
    row = np.flatnonzero((rates.j == 7) & (rates.j_final == 5))[0]
    np.testing.assert_array_equal(curve.rate_cm3_s, rates.rate_cm3_s[[row]])
    np.testing.assert_array_equal(rates.curve_of(j=7, j_final=5).rate_cm3_s, curve.rate_cm3_s)
    low, high = curve.interval_cm3_s()
    assert (low < curve.rate_cm3_s).all()
    np.testing.assert_allclose(low * high, curve.rate_cm3_s**2)
    for missing in (("5", "7"), ("11", "0"), ("x", "y")):
        with pytest.raises(RatedbError, match="have no transition") as caught:
            rates.curve(*missing)
        assert "name the upper level first" in str(caught.value)


# -- tables and data sets -----------------------------------------------------------------------


def exported(small_co: Path, folder: Path, file_format: str) -> Path:
    target = folder / f"rates.{file_format}"
    export(small_co, ["CO+p-H2"], target, ExportOptions(format=file_format))
    return target


def test_a_data_frame_is_what_an_export_as_csv_holds(small_co: Path, rates: Rates, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas (the notebook extra) is not installed")
    target = exported(small_co, tmp_path, "csv")
    labels = {"upper_label": str, "lower_label": str}
    file = pandas.read_csv(target, dtype=labels, float_precision="round_trip")
    pandas.testing.assert_frame_equal(rates.to_pandas(), file, check_dtype=False, check_exact=True)
    assert rates.to_pandas()["j"].dtype == np.int32


def test_an_arrow_table_is_what_an_export_as_parquet_holds(
    small_co: Path, rates: Rates, tmp_path: Path
) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", exc_type=ImportError, reason="pyarrow does not work here"
    )
    assert rates.to_arrow().equals(parquet.read_table(exported(small_co, tmp_path, "parquet")))


def test_what_goes_out_as_a_table_comes_in_again(db: Database) -> None:
    known = db.rates("CO+p-H2", kinds=("computed",))
    for frame in (known.to_pandas(), known.to_arrow()):
        back = rates_of_frame(frame).partners[0].rates
        label = np.array(back.levels.label)
        values = dict(
            zip(zip(label[back.upper], label[back.lower], strict=True), back.rate_cm3_s, strict=True)
        )
        for row, name in enumerate(zip(known.upper_label, known.lower_label, strict=True)):
            np.testing.assert_array_equal(values[name], known.rate_cm3_s[row])


def test_a_data_set_has_units_provenance_and_every_value_also_after_netcdf(
    rates: Rates, tmp_path: Path
) -> None:
    xarray = pytest.importorskip("xarray", reason="xarray (the notebook extra) is not installed")
    rates.to_xarray().to_netcdf(tmp_path / "rates.nc", engine="scipy")
    with xarray.open_dataset(tmp_path / "rates.nc", engine="scipy") as found:
        assert dict(found.sizes) == {"transition": len(rates), "temperature_k": 5}
        np.testing.assert_array_equal(found.rate_cm3_s, rates.rate_cm3_s)
        np.testing.assert_array_equal(found.marked, rates.marked)
        one = found.sel(transition="7 -> 5", temperature_k=50.0)
        assert float(one.rate_cm3_s) == rates.curve("7", "5").rate_cm3_s[0, 2]
        assert (str(one.kind.values), int(one.j), int(one.j_final)) == ("predicted", 7, 5)
        assert found.rate_cm3_s.units == "cm3 s-1"
        assert found.temperature_k.units == "K"
        assert found.attrs["references"].startswith("First et al. 2010; Second et al. 2020; Third")
        provenance = json.loads(found.attrs["provenance"])
    assert provenance["kinds"] == {
        "computed": 210,
        "scaled": 49,
        "extrapolated": 0,
        "derived": 0,
        "predicted": 75,
    }
    assert [source["source_id"] for source in provenance["sources"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("package", ["pandas", "pyarrow", "xarray"])
def test_without_the_package_one_message_says_what_to_install(
    db: Database, rates: Rates, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems = db.systems()
    monkeypatch.setitem(sys.modules, package, None)
    ways: dict[str, list[Callable[[], object]]] = {
        "pandas": [rates.to_pandas, systems.to_pandas],
        "pyarrow": [rates.to_arrow, systems.to_arrow],
        "xarray": [rates.to_xarray],
    }
    for way in ways[package]:
        with pytest.raises(RatedbError, match=f"{package} cannot be imported") as caught:
            way()
        assert "pip install 'ratedb[notebook]'" in str(caught.value)


# -- questions ----------------------------------------------------------------------------------


def test_what_is_there_is_told_in_tables(db: Database) -> None:
    assert db.systems().column("system") == ["CO+o-H2", "CO+p-H2"]
    assert db.levels("CO").column("j") == list(range(13))
    lines = db.lines("CO")
    assert lines.column("upper_label") == [str(j) for j in range(1, 13)]
    assert lines.column("frequency_ghz") == sorted(lines.column("frequency_ghz"))
    assert db.sources("CO+p-H2").column("kind") == ["computed", "computed", "scaled", "predicted"]
    assert len(db.sources()) == 5
    assert db.findings("CO+p-H2").column("rule") == ["off-curve", "off-neighbours"]
    assert len(db.findings("CO+o-H2")) == 0
    with pytest.raises(RatedbError, match="no column 'name'"):
        db.systems().column("name")


def test_what_to_cite_are_the_sources_and_the_method_where_something_is_predicted(db: Database) -> None:
    assert db.rates("CO+p-H2").references[-1] == METHOD
    assert db.rates("CO+o-H2").references == ("First et al. 2010",)


def test_the_result_of_a_query_keeps_its_types_in_tables(db: Database) -> None:
    result = db.sql(
        "SELECT j, count(*) AS n, list_sort(list(DISTINCT kind)) AS kinds, max(log10_std) AS std FROM rates"
        " GROUP BY j ORDER BY j"
    )
    assert result.columns == ("j", "n", "kinds", "std")
    assert [row[:3] for row in result.rows[5:8]] == [
        (6, 60, ["computed"]),
        (7, 70, ["computed", "predicted"]),
        (8, 80, ["computed", "predicted"]),
    ]
    frame, table = result.to_pandas(), result.to_arrow()
    assert [str(kind) for kind in frame.dtypes[["j", "n", "std"]]] == ["int32", "int64", "float64"]
    assert table.column("j").to_pylist() == frame["j"].tolist() == result.column("j")
    assert table.column("kinds").to_pylist() == result.column("kinds")
    empty = db.sql("SELECT j, kind FROM rates WHERE j > 99")
    assert list(empty.to_pandas().columns) == ["j", "kind"]
    assert str(empty.to_arrow().schema.field("j").type) == "int32"


def test_lists_name_their_rows_in_json(db: Database, tmp_path: Path) -> None:
    assert set(db.systems().to_json()) == {"systems"}
    of_one = db.sources("CO+p-H2").to_json()
    assert (of_one["system"], len(of_one["sources"])) == ("CO+p-H2", 4)
    every = db.sources().to_json()
    assert set(every) == {"sources"}
    assert {row["system"] for row in every["sources"]} == {"CO+o-H2", "CO+p-H2"}
    assert db.sql("SELECT 1 AS one").to_json() == {"columns": ["one"], "rows": [{"one": 1}]}
    written = db.sql("SELECT unnest(range(3)) AS n", output=tmp_path / "n.csv")
    assert written.to_json() == {"path": str(tmp_path / "n.csv"), "row_count": 3}
    assert repr(written) == "<QueryResult: 3 rows in n.csv>"
    assert "67 transitions" in repr(db.show("CO+p-H2"))
    assert db.doctor().problems == []


def test_an_order_of_sources_is_checked_and_then_applied(small_co: Path, tmp_path: Path) -> None:
    db = ratedb.open(shutil.copy(small_co, tmp_path / "own.duckdb"))
    for prefer, words in (
        ((), "duplicate or missing"),
        ((1, 1), "duplicate or missing"),
        ((4, 1), "no source 4"),
    ):
        with pytest.raises(RatedbError, match=words):
            db.sources("CO+p-H2", prefer=prefer)
    with pytest.raises(UsageError, match="a system"):
        db.sources(prefer="1")
    assert db.sources("CO+p-H2", prefer="1,3", because="newer").column("source_id") == [1, 3, 2, 4]
    assert db.sources("CO+p-H2").column("place")[:2] == [1, 2]


def test_a_query_only_reads_and_only_the_store(db: Database, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("secret\n42\n")
    for query in ("DELETE FROM rate", f"SELECT * FROM '{tmp_path}/secret.csv'"):
        with pytest.raises(RatedbError, match="refused"):
            db.sql(query)
    with pytest.raises(UsageError):
        db.sql("SELECT 1; SELECT 2")


@pytest.mark.slow
def test_nothing_stays_open_between_questions(small_co: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(small_co, tmp_path / "own.duckdb"))
    with ratedb.open(own) as db:
        rates = db.rates("CO+p-H2")
        db.sql("SELECT 1")
        db.sources("CO+p-H2")
        with Store(own, write=True) as store:  # refused while this process has it open to read
            store.put_source_order("CO+p-H2", [1], "the first is better")
            with pytest.raises(RatedbError, match="already has the database open"):
                db.systems()
        later = db.rates("CO+p-H2")
    assert (rates.source_id == 2).any()
    assert not (later.source_id == 2).any()


def test_each_says_what_it_is(db: Database, rates: Rates) -> None:
    assert repr(db) == "<ratedb.Database ratedb.duckdb>"
    assert repr(rates) == (
        "<Rates of CO+p-H2: 67 transitions at 5 temperatures, 10 to 200 K;"
        " values: 210 computed, 49 scaled, 75 predicted>"
    )
    assert repr(rates.curve("7", "5")) == (
        "<Rates of CO+p-H2, 7 -> 5: 5 temperatures, 10 to 200 K; values: 5 predicted>"
    )
    assert repr(db.sql("SELECT 1 AS one")) == "<QueryResult: 1 rows of one>"


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda db: db.rates("CO+He"), RatedbError, "no system 'CO+He'"),
        (lambda db: db.sources("CO+He"), RatedbError, "no system 'CO+He'"),
        (lambda db: db.findings("x' OR '1'='1"), RatedbError, "no system"),
        (lambda db: db.levels("HCl"), RatedbError, "no levels of HCl"),
        (lambda db: db.lines("HCl"), RatedbError, "no levels of HCl"),
        (lambda db: db.rates("CO+o-H2", kinds="predicted"), RatedbError, "no such rates"),
        (lambda db: db.rates("CO+p-H2", j_max=0), RatedbError, "no such rates"),
        (lambda db: db.rates("CO+p-H2", kinds="guessed"), UsageError, "unknown kind 'guessed'"),
        (lambda db: db.rates("CO+p-H2", min_quality="best"), UsageError, "unknown quality 'best'"),
        (lambda db: db.rates("CO+p-H2", temperature_k=5), RatedbError, "do not reach all temperatures"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(
    db: Database, ask: Callable[[Database], object], error: type[RatedbError], says: str
) -> None:
    with pytest.raises(error) as caught:
        ask(db)
    assert type(caught.value) is error
    assert says in str(caught.value)


@pytest.mark.parametrize("wrong", [[50, 20], [20, 20], [], "warm", [-1, 5], [float("nan")], [[20, 50]]])
def test_what_is_no_list_of_temperatures_is_a_usage_error(rates: Rates, wrong: Any) -> None:
    for ask in (rates.at, rates.curve("7", "5").at):
        with pytest.raises(UsageError, match="not a list of temperatures"):
            ask(wrong)


def test_a_curve_is_not_extrapolated_and_has_two_intervals(rates: Rates) -> None:
    curve = rates.curve("7", "5")
    for beyond in (9.9, [10, 201]):
        with pytest.raises(RatedbError, match="do not reach all temperatures"):
            curve.at(beyond)
    with pytest.raises(UsageError, match="no such interval"):
        curve.interval_cm3_s(0.5)


def test_a_file_that_is_not_there_or_is_no_store_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="there is no database"):
        ratedb.open(tmp_path / "none.duckdb")
    (tmp_path / "text").write_text("not a database" * 100)
    with pytest.raises(RatedbError, match="not a DuckDB database"):
        ratedb.open(tmp_path / "text")


def test_a_plan_of_a_dry_run_is_not_trained_on(small_co: Path) -> None:
    db = ratedb.open(small_co)
    plan = db.plan("CO+p-H2", j="5:12", sizes=3, given_j="", dry_run=True)
    for follow in (db.train, db.next):
        with pytest.raises(UsageError, match="not stored"):
            follow("CO+p-H2", plan=plan)


def test_files_to_import_are_not_a_list(small_co: Path) -> None:
    db = ratedb.open(small_co)
    for files in ((["a.dat", "b.dat"],), ()):
        with pytest.raises(UsageError, match="one by one"):
            db.import_(*files, dry_run=True)


def test_options_take_numbers_of_numpy_and_none(small_co: Path, tmp_path: Path) -> None:
    db = ratedb.open(small_co)
    plan = db.plan("CO+p-H2", j=np.arange(5, 13), sizes=[np.int64(3)], v_max=np.int64(0), dry_run=True)
    json.dumps(plan.to_json())
    assert db.export("CO+p-H2", tmp_path / "co.dat", kind=None, dry_run=True).systems == ["CO+p-H2"]


@pytest.mark.parametrize("band", [(300, 300), (116, 84), (84, 116, 200)])
def test_a_band_has_two_ends_that_increase(db: Database, band: Any) -> None:
    with pytest.raises(UsageError, match="not a frequency or band"):
        db.impact("CO+p-H2", ghz=band)
