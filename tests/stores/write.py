"""Write a small store with this version of ratedb, to be kept: later versions must read it.

Run from a checkout as `python tests/stores/write.py`. It leaves, here, VERSION.duckdb.gz and, beside it,
VERSION.json: what the store holds, as numbers. The data are made up (tests/synthetic.py). Stores of
released versions are never written anew.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "store")]

from stores import incoming, model_record  # noqa: E402
from synthetic import prediction_of, rotor_levels, rotor_rates  # noqa: E402

from ratedb import __version__  # noqa: E402
from ratedb.store.plans import Plan  # noqa: E402
from ratedb.store.store import Store  # noqa: E402

VIEWS = {
    "rates": "SELECT * FROM rates ORDER BY system, upper_label, lower_label, temperature_k",
    "rates_all": "SELECT * FROM rates_all ORDER BY source_id, upper_label, lower_label, temperature_k",
    "levels": "SELECT molecule, label, v, j, energy_cm1, weight FROM levels ORDER BY molecule, energy_cm1",
    "radiative": "SELECT molecule, v, j, v_final, j_final, einstein_a_s1, frequency_ghz"
    " FROM radiative ORDER BY ALL",
    "sources": "SELECT source_id, system, kind, method, reference, model_id, warnings, ratedb_version"
    " FROM sources ORDER BY source_id",
    "models": "SELECT model_id, system, engine, kernel, train_j, seconds, validation FROM models"
    " ORDER BY model_id",
    "plans": "SELECT plan_id, system, strategy, request, chosen FROM plans ORDER BY plan_id",
}


def fill_store(path: Path) -> None:
    """Make the store: two systems, all kinds of values, a model and a plan."""
    levels = rotor_levels(4, v_max=1)
    rates = rotor_rates(levels, seed=1)
    with Store(path, write=True, create=True) as store:
        store.put_rates([incoming(rates.select(rates.initial_j() != 3), "computed", warnings=("a warning",))])
        store.put_rates(
            [incoming(rotor_rates(levels, temperature_k=(50.0, 100.0), seed=2), "s", kind="scaled")]
        )
        store.put_rates([incoming(rotor_rates(levels, "p-H2", seed=3), "extrapolated", kind="extrapolated")])
        model = store.model(
            store.put_model(model_record(seconds=1e-300, arrays=b"\0\1", tried=[{"bic": -1.5}]))
        )
        prediction = prediction_of(rates, seed=4)
        store.put_prediction("XY+He", prediction, prediction.log10_half_width_68 > 0, model)
        plan = Plan(system_name="XY+He", strategy="spread", request={"j": [1, 2]}, candidates=[])
        store.put_plan(plan)


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return what the views of an open store show."""
    return {view: store.query(sql) for view, sql in VIEWS.items()}


def main() -> None:
    """Write the two files of this version."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        fill_store(path)
        with Store(path) as store:
            text = json.dumps(contents(store), indent=0)
        packed = gzip.compress(path.read_bytes(), mtime=0)
    (HERE / f"{__version__}.duckdb.gz").write_bytes(packed)
    (HERE / f"{__version__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
