"""What counts without reading values, or reads a part of a system, says the same as reading all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stores import by_transition, model_record, put
from synthetic import prediction_of, rotor_levels, rotor_rates, with_missing

from ratedb.findings import Finding
from ratedb.layers import KINDS
from ratedb.store import seals
from ratedb.store.rates import Part
from ratedb.store.store import SourceEvent, Store

pytestmark = pytest.mark.slow  # many, of a second each

GRIDS = ((10.0, 20.0, 50.0), (30.0, 50.0, 80.0, 100.0), (5.0, 20.0))
LEVELS = 4
SEEDS = range(12)


def fill_system(store: Store, molecule: str, seed: int) -> None:
    """Store up to five sources of a system with gaps, flags, an order and withdrawals, as the seed says."""
    chance = np.random.default_rng(seed)
    levels = rotor_levels(LEVELS - 1, molecule=molecule)
    name = f"{molecule}+He"
    numbers: list[int] = []
    for number in range(chance.integers(1, 6)):
        rates = rotor_rates(levels, temperature_k=GRIDS[chance.integers(len(GRIDS))], seed=number)
        rates = with_missing(rates, chance.random(rates.rate_cm3_s.shape) < chance.choice([0.0, 0.5]))
        if not np.isfinite(rates.rate_cm3_s).any():
            continue
        flags = tuple(
            Finding("kink", "error", name, "made up", upper, lower, kelvin)
            for upper, lower, kelvin in (("2", "1", 20.0), ("3", "0", None), (None, None, None))
            if chance.random() < 0.3
        )
        if numbers and chance.random() < 0.4:
            model = store.model(store.put_model(model_record(store.system(name).system_id)))
            kelvin = store.rates(name).temperature_k.tolist() or GRIDS[0]
            prediction = prediction_of(rotor_rates(store.levels(molecule).levels, temperature_k=kelvin))
            keep = chance.random(prediction.rate_cm3_s.shape) < 0.7
            if keep.any():
                store.put_prediction(name, prediction, keep, model)
            continue
        kind = ("computed", "scaled", "extrapolated", "derived")[chance.integers(4)]
        found = put(store, rates, f"source {number}", kind=kind, findings=flags)
        numbers.append(found.source_id or 0)
    if len(numbers) > 1 and chance.random() < 0.6:
        joined = {numbers[0]: Finding("joined-sources", "warning", name, "made up")}
        store.put_source_order(
            name, chance.permutation(numbers).tolist(), "why not", joined=joined if seed % 2 else None
        )
    if len(numbers) > 1 and chance.random() < 0.3:
        store.put_source_events(numbers[-1], [SourceEvent("withdraw")], "wrong")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a system for each seed, and one without rates."""
    path = tmp_path_factory.mktemp("scale") / "s.duckdb"
    with Store(path, write=True, create=True) as store:
        for seed in SEEDS:
            fill_system(store, f"M{seed}", seed)
        with store.transaction():
            store.put_system("M0", "Ar")
    return path


def test_the_made_up_systems_have_all_there_is_to_choose(many: Path) -> None:
    with Store(many) as store:
        kinds = {row["kind"] for row in store.query("SELECT kind FROM rates")}
        flagged = store.query("SELECT * FROM rates WHERE marked")
        parts = store.query("SELECT * FROM best_row WHERE given_k IS NOT NULL AND kind <> 'predicted'")
    assert kinds >= {"computed", "predicted"}
    assert flagged
    assert parts


def test_systems_are_counted_as_their_best_values_are(many: Path) -> None:
    with Store(many) as store:
        listed = {row["system"]: row for row in store.list_systems().dicts()}
        values = store.query("SELECT * FROM rates")
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in values:
        of[row["system"]].append(row)
    for name, row in listed.items():
        kelvins = {one["temperature_k"] for one in of[name]}
        assert row["transitions"] == len({(one["upper_label"], one["lower_label"]) for one in of[name]})
        assert row["rates"] == len(of[name])
        assert row["predicted"] == sum(one["kind"] == "predicted" for one in of[name])
        assert row["temperatures"] == len(kelvins)
        assert row["temperature_min_k"] == min(kelvins, default=None)
        assert row["temperature_max_k"] == max(kelvins, default=None)
    assert listed["M0+Ar"]["rates"] == 0


def test_sources_are_counted_as_their_values_are(many: Path) -> None:
    with Store(many) as store:
        listed = store.list_sources().dicts()
        best, every = store.query("SELECT * FROM rates"), store.query("SELECT * FROM rates_all")
        apart = [row for name in store.system_names() for row in store.list_sources(name).dicts()]
    assert [{"system": row["system"]} | one for row, one in zip(listed, apart, strict=True)] == listed
    for row in listed:
        mine, given = (
            [one for one in rows if one["source_id"] == row["source_id"]] for rows in (every, best)
        )
        assert row["rates"] == len(mine)
        assert row["marked"] == sum(one["marked"] for one in mine)
        assert row["best"] == len(given)
        assert row["best_transitions"] == len({(one["upper_label"], one["lower_label"]) for one in given})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_kind_of_each_transition_is_that_of_its_values(many: Path, seed: int) -> None:
    with Store(many) as store:
        rates, best = store.rates(f"M{seed}+He"), store.best_kinds(f"M{seed}+He")
    codes = np.where(rates.kind_code < 0, len(KINDS), rates.kind_code).min(axis=1, initial=len(KINDS))
    slow = dict(zip(rates.transitions.names(), codes.tolist(), strict=True))
    assert dict(zip(best.transitions.names(), best.kind_code.tolist(), strict=True)) == slow
    assert best.temperature_k.tolist() == rates.temperature_k.tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("view", ["rates", "known_rates"])
def test_a_part_of_a_system_is_that_part_of_all_of_it(many: Path, seed: int, view: str) -> None:
    name = f"M{seed}+He"
    with Store(many) as store:
        whole = getattr(store, view)(name)
        assert by_transition(getattr(store, view)(name, Part("3", "1"))) == {
            key: value for key, value in by_transition(whole).items() if key[:2] == ("3", "1")
        }
        low = whole.select((whole.j <= 2) & (whole.j_final <= 2))
        assert by_transition(getattr(store, view)(name, Part(j_max=2))) == by_transition(low)
        some = getattr(store, view)(name, Part(kinds=("computed", "predicted")))
        assert by_transition(some) == by_transition(whole.of_kinds(["computed", "predicted"]))
        rows = store.query(
            "SELECT * FROM rates WHERE system = ? AND upper_label = '3' AND lower_label = '1'", [name]
        )
        all_rows = store.query("SELECT * FROM rates")
    key = ("system", "upper_label", "lower_label")
    slow = [row for row in all_rows if tuple(row[one] for one in key) == (name, "3", "1")]
    assert sorted(map(str, rows)) == sorted(map(str, slow))


_FILL = """
INSERT INTO collision_system VALUES (999, 'AB+He', 'AB', 'He');
INSERT INTO molecule VALUES ('AB', 'linear');
INSERT INTO level (level_id, molecule, label, v, j, quantum_numbers)
SELECT 100000 + i, 'AB', i::VARCHAR, 0, i, MAP {'v': 0.0, 'j': i::DOUBLE} FROM range($levels) AS t(i);
INSERT INTO level_set VALUES (999, 'AB', 28.0, 'x', 'ab.dat', 'x', now()::TIMESTAMP);
INSERT INTO level_value SELECT 999, j, level_id, 2.0 * j * (j + 1), 2.0 * j + 1 FROM level
    WHERE molecule = 'AB';
INSERT INTO temperature_grid SELECT 999, list(10.0 + 5 * i ORDER BY i) FROM range(100) AS t(i);
INSERT INTO source SELECT 998 + i, 999, 'computed', 'CC', 'somebody (2020)', 'ab.dat', 'x', 999, NULL, '[]',
    now()::TIMESTAMP, '1', '{{}}', NULL, NULL FROM range(1, $sources + 1) AS t(i);
INSERT INTO rate BY NAME SELECT 998 + s AS source_id, u.level_id AS upper_id, l.level_id AS lower_id,
    999 AS grid_id, list_transform(range(100), lambda i: 1e-11 * (1 + i + u.j * random())) AS rate_cm3_s,
    NULL AS log10_half_width_68, false AS extrapolated
FROM range(1, $sources + 1) AS t(s), level AS u, level AS l
WHERE u.molecule = 'AB' AND l.molecule = 'AB' AND l.j < u.j ORDER BY s, u.j, l.j;
"""


def store_of(path: Path, levels: int, sources: int) -> Path:
    """Make a store with 100 values for each pair of levels and source."""
    with Store(path, write=True, create=True) as store:
        put(store, rotor_rates(rotor_levels(5)))
        for statement in _FILL.replace("{{}}", "{}").split(";\n")[:-1]:
            for name, number in (("$levels", levels), ("$sources", sources)):
                statement = statement.replace(name, str(number))
            store.rows(statement)
        seals.seal_rates(store.connection)
        seals.seal_new(store.connection)
    return path


def peak_mb(*words: object) -> float:
    """Return the largest resident memory of a command in MB; it must succeed."""
    with subprocess.Popen(
        [sys.executable, "-m", "ratedb_cli", *map(str, words)], stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss / 1024


ONE = "SELECT * FROM rates WHERE system = '{}' AND upper_label = '5' AND lower_label = '1'"
COMMANDS = (
    ("sql", ONE.format("AB+He")),
    ("sql", ONE.format("XY+He")),
    ("show", "AB+He"),
    ("show", "XY+He"),
    ("systems",),
    ("sources",),
)


@pytest.mark.slow
@pytest.mark.parametrize("sources", [1, 2])
def test_commands_need_memory_for_what_is_asked_and_not_for_what_is_stored(
    tmp_path: Path, sources: int
) -> None:
    """2e6 values of 8 bytes and their columns are more than 100 MB where a command reads them all."""
    small = store_of(tmp_path / "small.duckdb", 20, sources)
    large = store_of(tmp_path / "large.duckdb", 202, sources)
    more = {words: peak_mb("--db", large, *words) - peak_mb("--db", small, *words) for words in COMMANDS}
    assert {words: size for words, size in more.items() if size > 60} == {}


@pytest.mark.slow
def test_an_export_of_a_small_system_reads_that_system_only(tmp_path: Path) -> None:
    small = store_of(tmp_path / "small.duckdb", 20, 1)
    large = store_of(tmp_path / "large.duckdb", 202, 1)
    for file_format in ("lamda", "csv", "parquet"):
        words = ("export", "XY+He", "--format", file_format, "-o", tmp_path / f"o.{file_format}")
        assert peak_mb("--db", large, *words) - peak_mb("--db", small, *words) < 30


def test_a_large_store_is_asked_by_more_threads_than_duckdb_can_lock_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two or three, a query of one system among 1e8 values never ended (`make bench-store` asks it)."""
    Store(tmp_path / "x.duckdb", write=True, create=True).close()
    monkeypatch.setattr("ratedb.store.connection._LARGE_STORE_BYTES", 1000)
    for write in (True, False):
        with Store(tmp_path / "x.duckdb", write=write) as store:
            assert store.rows("SELECT current_setting('threads') >= 4") == [(True,)]
