from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import all_tables, by_transition, put
from synthetic import rotor_levels, rotor_lines, rotor_rates

from ratedb.errors import RatedbError
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.store.store import Store


def contents(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return every table of an open store."""
    names = store.query("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1")
    return {str(n["table_name"]): store.query(f"SELECT * FROM {n['table_name']}") for n in names}


def refused(store: Store, levels: Levels, words: str) -> None:
    before = contents(store)
    with pytest.raises(RatedbError, match=words) as caught:
        put(store, rotor_rates(levels, seed=9), "refused")
    assert caught.value.exit_code == 1
    assert caught.value.todo
    assert contents(store) == before


def unlabelled(levels: Levels, labels: tuple[str, ...]) -> Levels:
    return replace(levels, label=labels, quantum_numbers={})


def test_a_level_is_the_same_by_v_and_j_whatever_its_label(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(4), seed=1), "plain labels")
    put(store, rotor_rates(rotor_levels(4, prefix="0_"), seed=2), "other labels")
    assert len(store.query("SELECT * FROM level")) == 5
    both = store.query("SELECT count(*) AS n FROM rates_all")[0]["n"]
    best = store.query("SELECT count(*) AS n, min(source_id) AS oldest FROM rates")[0]
    assert both == 2 * best["n"]
    assert best["oldest"] == 2


def test_levels_without_quantum_numbers_are_the_same_by_label(store: Store) -> None:
    names = ("a", "b", "c", "d")
    levels = unlabelled(rotor_levels(3), names)
    upper, lower = np.tril_indices(4, -1)
    for seed in (1, 2):
        rates = replace(rotor_rates(rotor_levels(3), seed=seed), levels=levels, upper=upper, lower=lower)
        put(store, rates, f"seed {seed}", lines=Lines.empty())
    assert [row["label"] for row in store.query("SELECT label FROM levels ORDER BY energy_cm1")] == [*names]
    assert not store.levels("XY").levels.has_vj


def test_a_longer_level_list_adds_the_new_levels_only(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(3)), "short")
    put(store, rotor_rates(rotor_levels(6, prefix="x")), "long")
    levels = store.levels("XY").levels
    assert levels.label == ("0", "1", "2", "3", "x4", "x5", "x6")
    assert levels.j is not None
    assert levels.j.tolist() == list(range(7))


def test_contradicting_energies_are_refused_and_the_store_is_as_it_was(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(5)))
    levels = rotor_levels(5)
    refused(store, replace(levels, energy_cm1=levels.energy_cm1 * 1.1), "contradict")


def test_a_small_difference_of_energies_is_kept_and_said(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(5)))
    levels = rotor_levels(5)
    other = replace(levels, energy_cm1=levels.energy_cm1 * 1.01)
    result = put(store, rotor_rates(other, seed=1), "another")
    assert any("differs by 0.600 cm-1" in warning for warning in result.warnings)


def test_energies_counted_from_another_zero_do_not_mix(store: Store) -> None:
    short = rotor_levels(3)
    put(store, rotor_rates(short), "with lines")
    result = put(store, rotor_rates(rotor_levels(6, zero_cm1=620.0)), "shifted", lines=Lines.empty())
    assert any("620.000 cm-1 are taken off" in warning for warning in result.warnings)
    np.testing.assert_allclose(
        store.levels("XY").levels.energy_cm1, rotor_levels(6).energy_cm1, rtol=0, atol=1e-9
    )


def test_levels_named_in_two_ways_are_one_set_by_energy_and_weight(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(3)))
    plain = rotor_levels(3)
    rates = replace(rotor_rates(plain, seed=1), levels=unlabelled(plain, ("J=0", "J=1", "J=2", "J=3")))
    result = put(store, rates, "other names", lines=Lines.empty())
    assert any("4 by energy and weight" in warning for warning in result.warnings)
    assert store.levels("XY").levels.label == plain.label
    assert store.levels("XY").levels.has_vj


def test_new_levels_named_in_another_way_are_refused_not_doubled(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(3)))
    before = contents(store)
    more = rotor_levels(4)
    rates = replace(rotor_rates(more), levels=unlabelled(more, ("a", "b", "c", "d", "e")))
    with pytest.raises(RatedbError, match="named in another way"):
        put(store, rates, "other names", lines=Lines.empty())
    assert contents(store) == before


def test_levels_of_equal_energy_and_weight_are_refused_with_their_pairs(store: Store) -> None:
    def doublet(*label: str) -> Levels:
        return Levels("XY", label, [0.0, 5.0, 5.0], [1.0, 3.0, 3.0])

    def rates(levels: Levels) -> Rates:
        return Rates(levels, "He", [1, 2], [0, 0], [10.0, 20.0], np.full((2, 2), 1e-11))

    put(store, rates(doublet("g", "e", "f")), lines=Lines.empty())
    before = contents(store)
    with pytest.raises(RatedbError, match="not clear which levels") as caught:
        put(store, rates(doublet("g", "e'", "f'")), "other names", lines=Lines.empty())
    assert "\"e'\" (5 cm-1, weight 3) and stored 'e' (5 cm-1, weight 3)" in str(caught.value)
    assert contents(store) == before


def test_a_label_that_names_another_level_is_refused(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(3)))
    levels = rotor_levels(4)
    refused(store, replace(levels, label=("0", "1", "2", "4", "3")), "already names another level")


def test_two_levels_of_one_v_and_j_are_refused(store: Store) -> None:
    levels = rotor_levels(3)
    refused(store, replace(levels, quantum_numbers=vj(levels.v, [0, 1, 1, 2])), "same quantum numbers")


@pytest.mark.parametrize("rich_first", [True, False])
def test_the_most_complete_spectroscopy_gives_energies_and_lines(store: Store, rich_first: bool) -> None:
    rich, poor = rotor_levels(5), rotor_levels(5)
    poor = replace(poor, energy_cm1=poor.energy_cm1 * 1.001, molecular_weight=29.0)
    lines = rotor_lines(rich)
    few = Lines(lines.upper[:2], lines.lower[:2], lines.einstein_a_s1[:2] * 2, lines.frequency_ghz[:2])
    puts = [(rich, lines), (poor, few)]
    for number, (levels, with_lines) in enumerate(puts if rich_first else puts[::-1]):
        put(store, rotor_rates(levels, seed=number), str(number), lines=with_lines)
    stored = store.levels("XY")
    np.testing.assert_array_equal(stored.levels.energy_cm1, rich.energy_cm1)
    np.testing.assert_array_equal(np.sort(stored.lines.einstein_a_s1), np.sort(lines.einstein_a_s1))
    assert stored.levels.molecular_weight == 28.0


def test_of_level_lists_that_are_equally_complete_the_newest_counts(store: Store) -> None:
    old, new = rotor_levels(4), rotor_levels(4)
    new = replace(new, energy_cm1=new.energy_cm1 * 1.001)
    for number, levels in enumerate((old, new)):
        put(store, rotor_rates(levels, seed=number), str(number), lines=Lines.empty())
    np.testing.assert_array_equal(store.levels("XY").levels.energy_cm1, new.energy_cm1)


def test_the_same_levels_are_stored_once_for_all_colliders(store: Store) -> None:
    for collider in ("He", "p-H2"):
        put(store, rotor_rates(rotor_levels(4), collider), collider)
    assert len(store.query("SELECT * FROM level_set")) == 1
    assert len(store.query("SELECT * FROM level_value")) == 5


def test_levels_come_back_bit_equal_in_order_of_energy(store: Store) -> None:
    levels = rotor_levels(3, v_max=1)
    shuffled = levels.select(np.random.default_rng(4).permutation(len(levels)))
    put(store, rotor_rates(shuffled, seed=3))
    stored = store.levels("XY")
    assert stored.levels.label == levels.label
    np.testing.assert_array_equal(stored.levels.energy_cm1, levels.energy_cm1)
    np.testing.assert_array_equal(stored.levels.weight, levels.weight)
    assert stored.levels.v is not None
    assert levels.v is not None
    np.testing.assert_array_equal(stored.levels.v, levels.v)
    assert by_transition(store.rates("XY+He")) == by_transition(rotor_rates(shuffled, seed=3))


def test_unknown_molecules_are_an_error_with_advice(store: Store) -> None:
    with pytest.raises(RatedbError, match="no levels of AB") as caught:
        store.levels("AB")
    assert caught.value.todo


def test_all_tables_sees_what_an_import_adds(store: Store) -> None:
    put(store, rotor_rates(rotor_levels(3)))
    store.close()
    tables = all_tables(store.path)
    assert len(tables["level"]) == 4
    assert len(tables["source"]) == 1


NUMBERS = st.none() | st.integers(-9, 99).map(lambda twice: twice / 2)


@st.composite
def named_levels(draw: st.DrawFn) -> Levels:
    """Levels with any named quantum numbers, some of them missing, and any molecule kind."""
    count = draw(st.integers(2, 5))
    names = draw(st.lists(st.sampled_from(["ka", "kc", "k", "F", "j2", "p"]), unique=True, max_size=4))
    if draw(st.booleans()):
        names = [*names[:1], "v", "j", *names[1:]]
    numbers = {name: draw(st.lists(NUMBERS, min_size=count, max_size=count)) for name in names}
    if set(names) == {"v", "j"}:  # these name the level, so that they are different
        numbers = {"v": [0] * count, "j": list(range(count))}
    return Levels(
        draw(st.sampled_from(["XY", "NH3"])),
        tuple(f"level {number}" for number in range(count)),
        np.arange(1.0, count + 1),
        np.ones(count),
        {name: np.array(values, dtype=np.float64) for name, values in numbers.items()},
        kind=draw(st.sampled_from(["", "linear", "asymmetric top", "pair"])),
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(levels=named_levels())
def test_named_quantum_numbers_and_the_molecule_kind_come_back_bit_equal(
    tmp_path_factory: pytest.TempPathFactory, levels: Levels
) -> None:
    upper, lower = np.tril_indices(len(levels), -1)
    rates = Rates(levels, "He", upper, lower, np.array([10.0]), np.ones((len(upper), 1)))
    with Store(tmp_path_factory.mktemp("named") / "s.duckdb", write=True, create=True) as store:
        put(store, rates, lines=Lines.empty())
        assert put(store, rates, lines=Lines.empty()).new == 0
        assert len(store.query("SELECT * FROM level_set")) == 1
        stored = store.levels(levels.molecule).levels
        rows = store.query("SELECT v, j, molecule_kind FROM levels ORDER BY energy_cm1")
    assert list(stored.quantum_numbers) == list(levels.quantum_numbers)
    for name, values in levels.quantum_numbers.items():
        np.testing.assert_array_equal(stored.quantum_numbers[name], values)
    assert (stored.label, stored.kind) == (levels.label, levels.kind)
    none = np.full(len(levels), np.nan)
    v, j = (
        [int(one) if one % 1 == 0 else None for one in levels.quantum_numbers.get(name, none).tolist()]
        for name in ("v", "j")
    )
    assert [tuple(row.values()) for row in rows] == [(a, b, levels.kind) for a, b in zip(v, j, strict=True)]


def test_levels_with_more_than_v_and_j_are_the_same_by_label(store: Store) -> None:
    fine = Levels(
        "XY",
        ("1 F=1", "1 F=2", "0 F=1"),
        np.array([5.0, 5.1, 0.0]),
        np.array([3.0, 5.0, 3.0]),
        {**vj([0, 0, 0], [1, 1, 0]), "F": np.array([1.0, 2.0, 1.0])},
    )
    rates = Rates(fine, "He", np.array([0, 1]), np.array([2, 2]), np.array([10.0]), np.ones((2, 1)))
    put(store, rates, "first", lines=Lines.empty())
    put(store, rates, "second", lines=Lines.empty())
    assert len(store.query("SELECT * FROM level")) == 3
    assert store.query("SELECT quantum_numbers['F'] AS f FROM levels ORDER BY energy_cm1") == [
        {"f": 1.0}, {"f": 1.0}, {"f": 2.0},
    ]  # fmt: skip


def test_the_kind_of_a_molecule_may_become_known_but_not_another(store: Store) -> None:
    plain = unlabelled(rotor_levels(2), ("a", "b", "c"))
    for number, kind in enumerate(("unknown", "asymmetric top", "unknown")):
        put(store, rotor_rates(replace(plain, kind=kind), seed=number), str(number), lines=Lines.empty())
    assert store.levels("XY").levels.kind == "asymmetric top"
    before = contents(store)
    with pytest.raises(RatedbError, match="another kind of molecule"):
        put(store, rotor_rates(replace(plain, kind="linear"), seed=9), "refused", lines=Lines.empty())
    assert contents(store) == before
