"""Reading a store is quick: it imports neither SQLModel nor pandas, and DuckDB still finds pandas later."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.store.connection import run

HEAVY = {"sqlmodel", "sqlalchemy", "pandas", "pyarrow", "tensorflow", "scipy", "matplotlib"}


def alone(code: str) -> dict[str, object]:
    """Return the JSON that a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_rates_are_read_without_heavy_libraries(small_co: Path) -> None:
    code = f"""
import json, sys
import ratedb
db = ratedb.open({str(small_co)!r})
rates = db.rates("CO+p-H2", min_quality="unmarked")
assert len(db.show("CO+p-H2").models) == 1 and len(db.sources("CO+p-H2")) == 4
print(json.dumps({{"loaded": sorted(sys.modules)}}))
"""
    loaded = alone(code)["loaded"]
    assert {name for name in HEAVY if name in loaded} == set()  # type: ignore[operator]


def test_a_parameter_does_not_import_pandas_and_a_data_frame_does() -> None:
    pytest.importorskip("pandas")
    code = """
import json, sys, duckdb
from ratedb.store.connection import run
connection = duckdb.connect()
cursor = run(connection, "SELECT ? AS text, unnest(?::DOUBLE[]) AS number", ["it's", [1.5, 2.5]])
before = "pandas" in sys.modules
frame = cursor.df()
again = run(connection, "SELECT ? AS one", [1]).df()
print(json.dumps({"before": before, "rows": frame.values.tolist(), "again": again["one"].tolist(),
                  "finders": [type(one).__name__ for one in sys.meta_path]}))
"""
    found = alone(code)
    assert found["before"] is False
    assert found["rows"] == [["it's", 1.5], ["it's", 2.5]]
    assert found["again"] == [1]
    assert "_NoPandas" not in found["finders"]  # type: ignore[operator]


def test_an_import_does_not_import_pandas(tmp_path: Path) -> None:
    file = tmp_path / "ab.dat"
    file.write_text(lamda_text([rotor_rates(rotor_levels(3, molecule="AB"))]))
    code = f"""
import json, sys, ratedb
db = ratedb.open({str(tmp_path / "s.duckdb")!r}, create=True)
found = db.import_({str(file)!r})
print(json.dumps({{"new": len(db.rates("AB+He")), "pandas": "pandas" in sys.modules}}))
"""
    assert alone(code) == {"new": 6, "pandas": False}


def test_where_pandas_is_imported_its_values_are_parameters() -> None:
    pandas = pytest.importorskip("pandas")
    time = pandas.Timestamp("2025-01-02")
    with duckdb.connect() as connection:
        [row] = run(connection, "SELECT ?, ?, ?", [pandas.NaT, pandas.NA, time]).fetchall()
    assert row == (None, None, time.to_pydatetime())


def test_another_thread_may_import_pandas_meanwhile() -> None:
    pytest.importorskip("pandas")
    code = """
import json, sys, threading
from ratedb.store.connection import without_pandas
found = {}
def other():
    import pandas
    found["other"] = pandas.__name__
with without_pandas():
    try:
        import pandas
    except ModuleNotFoundError:
        found["own"] = "none"
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
import pandas
print(json.dumps(found))
"""
    assert alone(code) == {"own": "none", "other": "pandas"}


@pytest.mark.parametrize("value", ["it's", "'; DROP TABLE t; --", '"', "\0x", "é"])
def test_texts_are_bound_as_they_are(value: str) -> None:
    with duckdb.connect() as connection:
        assert run(connection, "SELECT ?", [value]).fetchall() == [(value,)]
        assert run(connection, "SELECT $a", {"a": value}).fetchall() == [(value,)]
