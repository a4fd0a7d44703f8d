"""Deriving in a store: a new source that says what it was made of, all of it or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from derived_sets import KELVIN, TARGET_CM1, pair_levels, pair_rates, split_levels
from synthetic import lamda_text, prediction_of, rotor_levels, rotor_lines, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Levels, Lines
from ratedb.physics.hyperfine import hyperfine_rates
from ratedb.physics.pairs import split_pair
from ratedb.physics.partner_sums import effective_rates
from ratedb.rates import Rates
from ratedb.store.sources import Incoming
from ratedb.store.staging import SourceInfo
from ratedb.store.store import DerivedInfo, Store

J_MAX = 4
COUNTS = "SELECT (SELECT count(*) FROM source) AS sources, (SELECT count(*) FROM rate) AS rates,"
COUNTS += " (SELECT count(*) FROM level) AS levels, (SELECT count(*) FROM collision_system) AS systems"


def put(db: Path, rates: Rates, *, lines: Lines | None = None, method: str = "CC") -> None:
    info = SourceInfo("computed", method, "Somebody 2020", f"{rates.system}.dat", f"{rates.system}{method}")
    with Store(db, write=True, create=True) as store:
        store.put_rates([Incoming(Lines.empty() if lines is None else lines, ((rates, info),))])


def rotor() -> Rates:
    return rotor_rates(rotor_levels(J_MAX, molecule="XYZ"), "p-H2", KELVIN)


def split() -> Levels:
    return split_levels(J_MAX, (1.0,), b_cm1=2.0, molecule="XYZ(hfs)")


@pytest.fixture
def pairs(tmp_path: Path) -> Database:
    """A store with rates of a pair."""
    put(tmp_path / "pairs.duckdb", replace(pair_rates(), layers={}))
    return ratedb.open(tmp_path / "pairs.duckdb")


@pytest.fixture
def linear(tmp_path: Path) -> Database:
    """A store with rotational rates, and hyperfine ones that recoupling of them gives, half as large."""
    db = tmp_path / "linear.duckdb"
    put(db, rotor(), lines=rotor_lines(rotor().levels))
    own = hyperfine_rates(rotor(), split()).rates
    put(db, replace(own, rate_cm3_s=own.rate_cm3_s / 2.0, layers={}))
    return ratedb.open(db)


def counts(db: Database) -> Any:
    return db.sql(COUNTS).dicts()[0]


def test_effective_rates_are_a_new_source_of_the_molecule_with_rotational_levels(pairs: Database) -> None:
    found = pairs.derive("AB(o-H2)+o-H2", to="effective")
    assert (found.system, found.derived_from, found.source_ids) == ("AB+o-H2", "AB(o-H2)+o-H2", (1,))
    assert (found.transitions, found.new, found.unchanged) == (3, 9, 0)
    assert found.against is None
    rates = pairs.rates("AB+o-H2")
    assert set(np.unique(rates.kind)) == {"derived"}
    [source] = pairs.sources("AB+o-H2").dicts()
    assert (source["kind"], source["reference"]) == ("derived", "Somebody 2020")
    assert source["method"] == "sum over final states of o-H2 out of its state 1"
    [made] = pairs.sql("SELECT * FROM derivations").dicts()
    assert (made["target"], made["input_system"]) == ("effective", "AB(o-H2)+o-H2")
    assert list(made["input_source_ids"]) == [1]


def test_another_state_of_the_partner_is_another_collider(pairs: Database) -> None:
    found = pairs.derive("AB(o-H2)+o-H2", to="effective", partner_state="j=3")
    assert found.system == "AB+o-H2(j=3)"


def test_thermal_rates_say_what_they_cover(pairs: Database) -> None:
    found = pairs.derive("AB(o-H2)+o-H2", to="thermal", dry_run=True)
    assert [one["temperature_k"] for one in found.details["coverage"]] == list(KELVIN)
    assert found.details["partner_states"] == ["1", "3"]


def test_the_same_derivation_twice_changes_nothing(pairs: Database) -> None:
    first = pairs.derive("AB(o-H2)+o-H2", to="thermal")
    before = counts(pairs)
    second = pairs.derive("AB(o-H2)+o-H2", to="thermal")
    assert (second.source_id, second.new, second.unchanged) == (first.source_id, 0, first.new)
    assert counts(pairs) == before


def test_new_values_of_the_input_give_a_new_source_that_takes_precedence(pairs: Database) -> None:
    pairs.derive("AB(o-H2)+o-H2", to="effective")
    put(pairs.path, replace(pair_rates(seed=1), layers={}), method="CC-2")
    second = pairs.derive("AB(o-H2)+o-H2", to="effective")
    assert second.new == 9
    assert set(np.unique(pairs.rates("AB+o-H2").source_id)) == {second.source_id}


def test_a_dry_run_stores_nothing(pairs: Database) -> None:
    before = counts(pairs)
    found = pairs.derive("AB(o-H2)+o-H2", to="effective", dry_run=True)
    assert (found.new, found.source_id, found.dry_run) == (9, None, True)
    assert counts(pairs) == before


def test_levels_that_contradict_the_store_leave_it_as_it_was(pairs: Database) -> None:
    other = rotor_rates(rotor_levels(4, molecule="AB"), "He", KELVIN)
    put(pairs.path, other)
    before = counts(pairs)
    with pytest.raises(RatedbError, match="contradict"):
        pairs.derive("AB(o-H2)+o-H2", to="effective")
    assert counts(pairs) == before


def test_hyperfine_rates_like_those_of_a_stored_molecule_are_compared_with_them(linear: Database) -> None:
    found = linear.derive("XYZ+p-H2", to="hyperfine", like="XYZ(hfs)")
    assert found.system == "XYZ(hfs)+p-H2"
    assert found.against is not None
    of = {one.of: one for one in found.against.groups}
    assert set(of) == {"all", "change of j", "within one j"}
    assert of["all"].factor_median == pytest.approx(2.0, rel=1e-6)
    assert of["change of j"].factor_p95 == pytest.approx(2.0, rel=1e-6)
    assert [one.of for one in found.against.by_temperature] == ["10 K", "50 K", "200 K"]
    assert found.against.source_ids == (2,)
    assert found.within_j == 3 * J_MAX


def test_computed_rates_take_precedence_over_derived_ones_even_without_a_method(linear: Database) -> None:
    linear.sources("XYZ(hfs)+p-H2", correct=(2, "method=unheard of"), because="test")
    linear.derive("XYZ+p-H2", to="hyperfine", like="XYZ(hfs)")
    assert set(np.unique(linear.rates("XYZ(hfs)+p-H2").kind)) == {"computed"}
    order = [row["kind"] for row in linear.sources("XYZ(hfs)+p-H2").dicts()]
    assert order == ["computed", "derived"]


def test_derived_rates_take_precedence_over_predictions(linear: Database) -> None:
    found = linear.derive("XYZ(hfs)+p-H2", to="rotational")
    assert found.system == "XYZ+p-H2"
    with Store(linear.path) as store:
        ranks = dict(store.rows("SELECT kind, rank FROM kind_rank"))
    assert ranks["extrapolated"] < ranks["derived"] < ranks["predicted"]


def test_the_way_back_is_compared_with_the_rotational_rates(linear: Database) -> None:
    found = linear.derive("XYZ(hfs)+p-H2", to="rotational", dry_run=True)
    assert found.against is not None
    assert found.against.groups[0].factor_median == pytest.approx(2.0, rel=1e-6)


def test_hyperfine_levels_may_come_from_a_file_with_their_lines(linear: Database, tmp_path: Path) -> None:
    levels = replace(split(), molecular_weight=30.0)
    file = tmp_path / "split.dat"
    table = rotor_rates(levels, "He", KELVIN).select([0])
    lines = Lines(
        np.array([1]), np.array([0]), np.array([1e-5]), np.array([levels.energy_cm1[1] * 29.9792458])
    )
    file.write_text(lamda_text([table], lines).replace("WEIGHT + v_J", "WEIGHT + J_F"))
    found = linear.derive("XYZ+p-H2", to="hyperfine", levels=file, molecule="XYZ-split")
    assert found.system == "XYZ-split+p-H2"
    assert len(linear.lines("XYZ-split").rows) == 1


def test_lines_can_be_added_to_what_was_derived_before(linear: Database, tmp_path: Path) -> None:
    linear.derive("XYZ(hfs)+p-H2", to="rotational", molecule="XYZ-new")
    assert not linear.lines("XYZ-new").rows
    file = tmp_path / "xyz.dat"
    file.write_text(lamda_text([rotor()]))
    found = linear.derive("XYZ(hfs)+p-H2", to="rotational", molecule="XYZ-new", levels=file)
    assert (found.new, found.unchanged) == (0, 30)
    assert len(linear.lines("XYZ-new").rows) == J_MAX


def test_half_widths_of_predictions_are_stored_with_what_is_derived_from_them(
    pairs: Database, tmp_path: Path
) -> None:
    with Store(pairs.path) as store:
        stored = store.rates("AB(o-H2)+o-H2")
    guess = prediction_of(stored)
    found = effective_rates(guess, split_pair(guess.levels, "AB", "o-H2"), 0, "o-H2").rates
    info = DerivedInfo("effective", "sum", "somebody", "AB(o-H2)+o-H2", (1,))
    with Store(pairs.path, write=True) as store:
        store.put_derived(found, Lines.empty(), info)
    back = pairs.rates("AB+o-H2")
    np.testing.assert_allclose(back.log10_half_width_68, 0.1, rtol=1e-9)
    target = tmp_path / "own.csv"
    said = pairs.export("AB+o-H2", target, format="csv").warnings
    assert [one["rule"] for one in said] == ["derived from predictions"]
    with pytest.raises(RatedbError, match=r"all rates of AB.o-H2 are derived from predictions"):
        pairs.export("AB+o-H2", target, format="csv", computed_only=True)


def test_an_export_says_what_its_derived_rates_were_made_of(pairs: Database, tmp_path: Path) -> None:
    pairs.derive("AB(o-H2)+o-H2", to="effective")
    target = tmp_path / "own.dat"
    pairs.export("AB+o-H2", target)
    document = json.loads((tmp_path / "own.dat.provenance.json").read_text())
    jsonschema.validate(
        document, json.loads((resources.files("ratedb_schemas") / "provenance.schema.json").read_text())
    )
    [source] = document["partners"][0]["sources"]
    assert source["kind"] == "derived"
    assert source["derived_from"] == {"system": "AB(o-H2)+o-H2", "source_ids": [1]}
    assert document["partners"][0]["kinds"]["derived"] == 9


def test_an_export_that_is_read_again_stays_derived(pairs: Database, tmp_path: Path) -> None:
    pairs.derive("AB(o-H2)+o-H2", to="effective")
    target = tmp_path / "own.dat"
    pairs.export("AB+o-H2", target)
    other = ratedb.open(tmp_path / "other.duckdb", create=True)
    other.import_(target)
    assert set(np.unique(other.rates("AB+o-H2").kind)) == {"derived"}
    again = pairs.import_(target)
    assert [(one.new, one.unchanged) for one in again.systems] == [(0, 9)]


def test_what_is_derived_from_derived_rates_says_so(pairs: Database) -> None:
    pairs.derive("AB(o-H2)+o-H2", to="effective")
    found = pairs.derive("AB+o-H2", to="hyperfine", levels=_list(pairs.path.with_name("ab.csv")))
    assert "9 of the values used are derived themselves" in found.warnings[0]
    assert found.system == "AB(hfs)+o-H2"


def _list(path: Path) -> Path:
    """Write hyperfine levels of the target of the made-up pair."""
    rows = ["j,F,energy_cm1,weight"]
    for j, energy in enumerate(TARGET_CM1):
        for total in range(abs(j - 1), j + 2):
            rows.append(f"{j},{total},{energy + 1e-4 * total},{2 * total + 1}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_derived_rates_are_no_truth_to_compare_with(pairs: Database) -> None:
    pairs.derive("AB(o-H2)+o-H2", to="effective")
    assert pairs.derive("AB(o-H2)+o-H2", to="thermal").against is None


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "unknown target of a derivation"),
        ({"to": "rates"}, "unknown target of a derivation"),
        ({"to": "hyperfine"}, "hyperfine levels are not known"),
        ({"to": "hyperfine", "like": "XYZ(hfs)", "levels": "x.dat"}, "two lists"),
        ({"to": "hyperfine", "like": "XYZ(hfs)", "method": "exact"}, "unknown method"),
        ({"to": "rotational", "partner_state": "1"}, "--partner-state has no effect"),
        ({"to": "effective", "method": "statistical"}, "--method has no effect"),
        ({"to": "rotational", "complete_only": True}, "--complete-only has no effect"),
        ({"to": "hyperfine", "like": "XYZ"}, "another name"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(
    linear: Database, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        linear.derive("XYZ+p-H2", **options)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"to": "effective"}, "not those of a pair"),
        ({"to": "thermal"}, "not those of a pair"),
        ({"to": "rotational"}, "no hyperfine structure"),
        ({"to": "hyperfine", "like": "ABC"}, "no levels of ABC"),
        ({"to": "hyperfine", "levels": "nowhere.dat"}, "nowhere.dat"),
    ],
)
def test_what_cannot_be_derived_is_one_message(linear: Database, options: dict[str, Any], what: str) -> None:
    before = counts(linear)
    with pytest.raises(RatedbError, match=what):
        linear.derive("XYZ+p-H2", **options)
    assert counts(linear) == before


def test_a_list_that_lacks_levels_of_the_result_is_refused(linear: Database, tmp_path: Path) -> None:
    file = tmp_path / "short.csv"
    file.write_text("j,energy_cm1,weight\n0,0,1\n1,4,3\n")
    with pytest.raises(RatedbError, match="lacks levels"):
        linear.derive("XYZ(hfs)+p-H2", to="rotational", levels=file)


def test_a_pair_whose_name_does_not_tell_its_molecule_needs_one(tmp_path: Path) -> None:
    rates = pair_rates(pair_levels("AB"))
    put(tmp_path / "x.duckdb", replace(rates, layers={}))
    db = ratedb.open(tmp_path / "x.duckdb")
    with pytest.raises(UsageError, match="does not tell its molecule"):
        db.derive("AB+o-H2", to="effective")
    assert db.derive("AB+o-H2", to="effective", molecule="AB-eff").system == "AB-eff+o-H2"


def test_a_store_that_is_read_only_takes_dry_runs_only(linear: Database) -> None:
    reading = ratedb.open(linear.path, read_only=True)
    with pytest.raises(UsageError, match="read-only"):
        reading.derive("XYZ(hfs)+p-H2", to="rotational")
