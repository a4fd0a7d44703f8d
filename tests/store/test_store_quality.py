"""Findings mark values, marked values lose, and an order that someone sets wins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from stores import by_transition, incoming, model_record, put
from synthetic import prediction_of, rotor_levels, rotor_rates

from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.rates import Rates
from ratedb.store.store import Incoming, Store

KINDS = ("computed", "scaled", "extrapolated")
OF_FILE = ["detailed-balance"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "s.duckdb", write=True, create=True) as opened:
        yield opened


def error(upper: str, lower: str, temperature_k: float | None = None, severity: str = "error") -> Finding:
    return Finding("off-curve", severity, "XY+He", "made up", upper, lower, temperature_k, 2.0, 1.0)


def put_with(store: Store, rates: Rates, *findings: Finding, reference: str = "a", **more: str) -> int:
    [(table, info)] = incoming(rates, reference, **more).sources  # type: ignore[arg-type]
    whole = Incoming(incoming(rates).lines, ((table, replace(info, findings=findings)),))
    return store.put_rates([whole])[0].source_id or 0


def test_an_error_about_one_value_marks_that_value_and_no_other(store: Store) -> None:
    put_with(store, rotor_rates(rotor_levels(3)), error("2", "1", 20.0))
    rows = store.query("SELECT upper_label, lower_label, temperature_k FROM rates WHERE marked")
    assert rows == [{"upper_label": "2", "lower_label": "1", "temperature_k": 20.0}]


def test_an_error_about_a_transition_marks_all_its_temperatures(store: Store) -> None:
    rates = rotor_rates(rotor_levels(3))
    put_with(store, rates, error("2", "1"), error("2", "1", 20.0))
    rows = store.query("SELECT temperature_k FROM rates WHERE marked AND upper_label = '2' ORDER BY 1")
    assert [row["temperature_k"] for row in rows] == rates.temperature_k.tolist()
    assert store.query("SELECT count(*) AS n FROM rates_all WHERE marked")[0]["n"] == len(rates.temperature_k)


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_lesser_findings_mark_nothing_but_are_kept(store: Store, severity: str) -> None:
    put_with(store, rotor_rates(rotor_levels(3)), error("2", "1", severity=severity))
    assert store.query("SELECT count(*) AS n FROM rates WHERE marked")[0]["n"] == 0
    [row] = store.query("SELECT rule, severity, upper_label, lower_label, value, expected FROM findings")
    assert tuple(row.values()) == ("off-curve", severity, "2", "1", 2.0, 1.0)


def test_models_do_not_learn_from_marked_values_unless_asked(store: Store) -> None:
    rates = rotor_rates(rotor_levels(3))
    put_with(store, rates, error("2", "1", 20.0), error("3", "0"))
    everything = by_transition(rates)
    stored = store.rates("XY+He")
    assert by_transition(stored.known(with_marked=True)) == everything
    left = {key: k for key, k in everything.items() if key[:2] != ("3", "0") and key != ("2", "1", 20.0)}
    assert by_transition(stored.known()) == left


def test_a_marked_value_loses_to_any_other_even_to_a_prediction(store: Store) -> None:
    levels = rotor_levels(3)
    rates = rotor_rates(levels)
    put_with(store, rates, error("2", "1", 20.0))
    model = store.model(store.put_model(model_record(store.system("XY+He").system_id or 0)))
    prediction = prediction_of(rates)
    store.put_prediction("XY+He", prediction, np.ones((len(rates), 3), dtype=np.bool_), model)
    rows = store.query("SELECT upper_label, lower_label, temperature_k FROM rates WHERE kind = 'predicted'")
    assert [tuple(row.values()) for row in rows] == [("2", "1", 20.0)]


def test_a_curve_with_a_flagged_value_loses_to_the_whole_curve_of_another_source(store: Store) -> None:
    levels = rotor_levels(3)
    older = put(store, rotor_rates(levels, seed=1), "older", kind="extrapolated").source_id
    newer = put_with(store, rotor_rates(levels, seed=2), error("2", "1", 20.0))
    rows = store.query("SELECT source_id, count(*) AS n FROM rates GROUP BY 1 ORDER BY 1")
    total = len(rotor_rates(levels)) * 3
    assert {row["source_id"]: row["n"] for row in rows} == {older: 3, newer: total - 3}


def test_an_accepted_finding_marks_nothing_and_keeps_its_reason(store: Store) -> None:
    source = put_with(store, rotor_rates(rotor_levels(3)), error("2", "1"), error("1", "0", 10.0))
    assert store.accept_findings([source], "another-rule", "no") == 0
    assert store.accept_findings([source], "off-curve", "a resonance") == 2
    assert store.accept_findings([source], "off-curve", "again") == 0
    assert store.query("SELECT count(*) AS n FROM rates WHERE marked")[0]["n"] == 0
    reasons = {row["accepted_because"] for row in store.query("SELECT accepted_because FROM findings")}
    assert reasons == {"a resonance"}


def test_findings_are_replaced_but_not_those_that_someone_accepted(store: Store) -> None:
    levels = rotor_levels(3)
    source = put_with(store, rotor_rates(levels), error("2", "1"))
    store.accept_findings([source], "off-curve", "real")
    store.replace_findings(
        [(source, levels, [error("2", "1"), replace(error("1", "0"), rule="kink")])],
        of_file=["detailed-balance"],
    )
    store.replace_findings(
        [(source, levels, [replace(error("3", "0"), rule="kink")])], of_file=["detailed-balance"]
    )
    rows = store.query("SELECT rule, upper_label, accepted_because FROM findings ORDER BY upper_label")
    assert [tuple(row.values()) for row in rows] == [("off-curve", "2", "real"), ("kink", "3", None)]


def test_what_only_a_file_showed_stays_when_the_store_is_judged_again(store: Store) -> None:
    levels = rotor_levels(3)
    seen = replace(error("2", "1"), rule="detailed-balance")
    source = put_with(store, rotor_rates(levels), seen, error("1", "0"))
    store.replace_findings([(source, levels, [])], OF_FILE)
    assert [row["rule"] for row in store.query("SELECT rule FROM findings")] == ["detailed-balance"]


def test_findings_about_several_sources_are_kept_all_or_none(store: Store) -> None:
    levels = rotor_levels(3)
    one, two = (put_with(store, rotor_rates(levels), error("2", "1"), reference=name) for name in "ab")
    with pytest.raises(KeyError):
        store.replace_findings(
            [(one, levels, []), (two, levels, [error("9", "8")])], of_file=["detailed-balance"]
        )
    assert store.query("SELECT count(*) AS n FROM findings")[0]["n"] == 2


def test_an_error_that_names_no_transition_marks_all_values_of_its_source(store: Store) -> None:
    rates = rotor_rates(rotor_levels(3))
    put_with(store, rates, Finding("scratch-order", "error", "XY+He", "made up"))
    marked = store.query("SELECT count(*) AS n FROM rates WHERE marked")[0]["n"]
    assert marked == rates.rate_cm3_s.size
    store.accept_findings([1], "scratch-order", "checked by hand")
    assert store.query("SELECT count(*) AS n FROM rates WHERE marked")[0]["n"] == 0


def test_the_curve_of_one_source_is_not_mixed_with_that_of_another(store: Store) -> None:
    levels = rotor_levels(2)
    old = rotor_rates(levels, temperature_k=(5.0, 10.0, 15.0, 20.0, 30.0, 50.0), seed=1)
    new = rotor_rates(levels, temperature_k=(10.0, 20.0, 30.0), seed=2)
    put(store, old, "old")
    source = put_with(store, new, error("1", "0", 20.0), reference="new")
    stored = store.rates("XY+He")
    row = int(np.flatnonzero((stored.upper == 1) & (stored.lower == 0))[0])
    assert source not in stored.source_id[row]
    assert np.isfinite(stored.rate_cm3_s[row]).all()
    of_new = np.isfinite(stored.rate_cm3_s) & (stored.source_id == source)
    for other in np.flatnonzero(of_new.any(axis=1)):
        # nothing of the old source beyond the range of the new one
        assert stored.temperature_k[np.isfinite(stored.rate_cm3_s[other])].tolist() == [10.0, 20.0, 30.0]
    pointwise = store.query("SELECT count(*) AS n FROM rates WHERE upper_label = '1' AND lower_label = '0'")
    assert pointwise[0]["n"] == 6


def test_what_a_prediction_displaced_is_still_known(store: Store) -> None:
    levels = rotor_levels(2)
    rates = rotor_rates(levels, temperature_k=(10.0, 20.0))
    put_with(store, rates, error("1", "0", 20.0))
    model = store.model(store.put_model(model_record(store.system("XY+He").system_id or 0)))
    store.put_prediction(
        "XY+He", prediction_of(rates), np.ones(rates.rate_cm3_s.shape, dtype=np.bool_), model
    )
    assert store.query("SELECT count(*) AS n FROM rates WHERE kind = 'predicted'")[0]["n"] == 1
    assert by_transition(store.known_rates("XY+He").known(with_marked=True)) == by_transition(rates)
    assert int(store.known_rates("XY+He").marked.sum()) == 1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1), (2,), ()])
def test_the_order_that_is_set_wins_and_the_rest_follows_by_kind_and_age(
    store: Store, order: tuple[int, ...]
) -> None:
    levels = rotor_levels(2)
    kinds = ("scaled", "computed", "extrapolated", "computed")
    ids = [
        put(store, rotor_rates(levels, seed=seed), f"number {seed}", kind=kind).source_id or 0
        for seed, kind in enumerate(kinds)
    ]
    assert ids == [1, 2, 3, 4]
    if order:
        store.put_source_order("XY+He", [4, 3, 2, 1], "an older order that no longer counts")
        store.put_source_order("XY+He", list(order), "because")
    places = {source: place for place, source in enumerate(order)}

    def rank(source: int) -> tuple[int, int, int]:
        return places.get(source, len(ids)), KINDS.index(kinds[source - 1]), -source

    [winner] = store.query("SELECT DISTINCT source_id FROM rates")
    assert winner["source_id"] == min(ids, key=rank)


def test_an_order_of_one_system_says_nothing_about_another(store: Store) -> None:
    levels = rotor_levels(2)
    for collider, seed in product(("He", "p-H2"), (0, 1)):
        put(store, rotor_rates(levels, collider, seed=seed), f"{collider} {seed}")
    store.put_source_order("XY+He", [1], "because")
    rows = store.query("SELECT DISTINCT system, source_id FROM rates ORDER BY system")
    assert [tuple(row.values()) for row in rows] == [("XY+He", 1), ("XY+p-H2", 4)]


def test_predictions_lose_to_everything_that_is_known_whatever_the_order(store: Store) -> None:
    rates = rotor_rates(rotor_levels(2))
    put(store, rates)
    model = store.model(store.put_model(model_record(store.system("XY+He").system_id or 0)))
    keep = np.ones((len(rates), 3), dtype=np.bool_)
    predicted = store.put_prediction("XY+He", prediction_of(rates), keep, model)
    store.put_source_order("XY+He", [predicted, 1], "no")
    assert {row["kind"] for row in store.query("SELECT kind FROM rates")} == {"computed"}


def test_the_rates_of_one_source_come_back_as_they_came(store: Store) -> None:
    levels = rotor_levels(3)
    tables = [rotor_rates(levels, seed=seed, temperature_k=(10.0, 30.0 + seed)) for seed in range(3)]
    for number, rates in enumerate(tables):
        put(store, rates, f"number {number}")
    for number, rates in enumerate(tables, start=1):
        assert by_transition(store.source_rates("XY+He", number)) == by_transition(rates)


def test_a_source_of_another_system_is_refused_by_name(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(2)))
    put(store, rotor_rates(rotor_levels(2), "p-H2"))
    with pytest.raises(RatedbError, match="no source 2"):
        store.source_rates("XY+He", 2)


def test_all_files_of_a_source_are_kept_with_their_hashes(store: Store) -> None:
    rates = rotor_rates(rotor_levels(2))
    [(table, info)] = incoming(rates).sources
    files = (("a.out", "1" * 64), ("b.out", "2" * 64))
    store.put_rates([Incoming(incoming(rates).lines, ((table, replace(info, files=files)),))])
    put(store, rotor_rates(rotor_levels(2), "p-H2"), file_name="c.dat")
    rows = store.query("SELECT source_id, file_name, file_sha256 FROM source_files ORDER BY ALL")
    listed = [tuple(row.values()) for row in rows]
    assert listed == [(1, *files[0]), (1, *files[1]), (2, "c.dat", "0" * 64)]
