"""Write a small store with this version of ratedb, to be kept: later versions must read it.

Run from a checkout as `python tests/stores/write.py`, before the next migration is added. It leaves, here,
schema-NN.duckdb.gz and, beside it, schema-NN.json.gz: what the store holds, as numbers. NN is the newest
migration. The data are made up (tests/synthetic.py). What is kept is never written anew.
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

from ratedb.findings import Finding  # noqa: E402
from ratedb.store import migrations  # noqa: E402
from ratedb.store.plans import Plan  # noqa: E402
from ratedb.store.store import DerivedInfo, SourceEvent, Store, StoredScore  # noqa: E402

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
    "findings": "SELECT source_id, rule, severity, system, upper_label, lower_label, temperature_k, detail"
    " FROM findings ORDER BY ALL",
    "source_orders": "SELECT system, source_ids, reason FROM source_orders ORDER BY ALL",
    "source_events": "SELECT source_id, action, reason FROM source_events ORDER BY ALL",
    "derivations": "SELECT system, target, input_system, input_source_ids FROM derivations ORDER BY ALL",
    "set_scores": "SELECT system, search, kernel, train_j, dex_rms FROM set_scores ORDER BY ALL",
    "plans": "SELECT plan_id, system, strategy, request, chosen FROM plans ORDER BY plan_id",
}


def fill_store(path: Path) -> None:
    """Make the store: all kinds of values, findings, what a curator said, a model, scores and a plan."""
    levels = rotor_levels(4, v_max=1)
    rates = rotor_rates(levels, seed=1)
    others = rotor_rates(levels, seed=5).select(rates.initial_j() != 3)
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
        finding = Finding("rate-positive", "error", "XY+He", "it is negative", "0_2", "0_1", 20.0, -1.0, None)
        store.put_rates([incoming(others, "with a finding", findings=(finding,))])
        store.put_rates([incoming(others, "withdrawn", method="CS")])
        store.put_source_order("XY+He", (1, 2), "said so")
        store.put_source_events(6, [SourceEvent("withdraw")], "an error")
        info = DerivedInfo("effective", "sums", "somebody (2021)", "XY+He", (1,))
        store.put_derived(rotor_rates(levels, "o-H2", seed=7), None, info)
        store.put_set_scores("a search", "XY+He", [StoredScore("M32", "1,2", "3", 0.1, 5.0)])
        plan = Plan(system_name="XY+He", strategy="spread", request={"j": [1, 2]}, candidates=[])
        store.put_plan(plan)


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return what the views of an open store show."""
    return {view: store.query(sql) for view, sql in VIEWS.items()}


def main() -> None:
    """Write the two files of the newest schema."""
    name = f"schema-{migrations.available()[-1].version:02d}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        fill_store(path)
        with Store(path) as store:
            text = json.dumps(contents(store), indent=0)
        packed = gzip.compress(path.read_bytes(), mtime=0)
    (HERE / f"{name}.duckdb.gz").write_bytes(packed)
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress((text + "\n").encode(), mtime=0))


if __name__ == "__main__":
    main()
