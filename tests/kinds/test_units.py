"""Claims about initial states: what one explicit calculation covers, how it is named, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from real_tops import shipped_levels
from top_store import PARTNER_CM1, levels

from ratedb.errors import RatedbError, UsageError
from ratedb.kinds.units import units_of
from ratedb.levels import Levels


def shuffled(made: Levels, seed: int = 3) -> Levels:
    order = np.random.default_rng(seed).permutation(len(made))
    numbers = {name: values[order] for name, values in made.quantum_numbers.items()}
    label = tuple(made.label[place] for place in order)
    return Levels(made.molecule, label, made.energy_cm1[order], made.weight[order], numbers, kind=made.kind)


def test_each_level_of_a_top_is_an_initial_state_named_by_its_label() -> None:
    made = levels(4)
    units = units_of(made)
    assert units.names == ("j", "ka", "kc")
    assert units.label == made.label
    np.testing.assert_array_equal(units.of_level, np.arange(len(made)))
    np.testing.assert_array_equal(units.energy_cm1, made.energy_cm1)


def test_each_level_of_a_pair_is_an_initial_state_of_both_molecules() -> None:
    units = units_of(levels(3, PARTNER_CM1))
    assert units.names == ("j", "ka", "kc", "j2")
    assert len(units) == len(levels(3, PARTNER_CM1))
    assert units.label[0] == "1_1_1_0"


def test_initial_states_rise_in_energy_whatever_the_order_of_levels() -> None:
    made = shuffled(levels(4))
    units = units_of(made)
    assert (np.diff(units.energy_cm1) > 0).all()
    assert units.label == levels(4).label
    assert [units.label[unit] for unit in units.of_level.tolist()] == list(made.label)


@pytest.mark.parametrize(
    ("file", "names", "first", "count"),
    [
        ("hcl@hfs.dat", ("j",), ("0", "1", "2"), 8),
        ("hcn@hfs.dat", ("j",), ("0", "1", "2"), 9),
        ("oh+.dat", ("N", "j"), ("0_1", "1_0", "1_2"), 25),
        ("oh@hfs.dat", ("j", "omega", "parity"), ("1.5_1.5_-1", "1.5_1.5_1", "2.5_1.5_1"), 12),
    ],
)
def test_hyperfine_levels_share_the_initial_state_of_one_calculation(
    file: str, names: tuple[str, ...], first: tuple[str, ...], count: int
) -> None:
    made = shipped_levels(file)
    units = units_of(made)
    assert (units.names, units.label[:3], len(units)) == (names, first, count)
    for unit in range(len(units)):
        own = units.of_level == unit
        assert own.any()
        assert units.energy_cm1[unit] == made.energy_cm1[own].min()
        numbers = [made.quantum_numbers[name] for name in names]
        for values in numbers:
            assert len(np.unique(values[own])) == 1
        words = "_".join(f"{values[own][0]:g}" for values in numbers)
        assert units.label[unit] == words


def test_an_unknown_kind_is_one_clear_error() -> None:
    made = levels(3)
    with pytest.raises(RatedbError, match="the kind of TOP is not known") as caught:
        units_of(replace(made, kind="unknown", kind_reason="labels fit no kind"))
    assert not isinstance(caught.value, UsageError)
    assert "labels fit no kind" in (caught.value.got or "")
    assert "--kind-of-molecule" in (caught.value.todo or "")


def test_labels_name_initial_states_once_each_in_the_order_of_energy() -> None:
    units = units_of(levels(3))
    places = units.places(("2_1_1", "1_1_1", "2_1_1"), "--train-units")
    assert units.named(places) == ("1_1_1", "2_1_1")
    assert units.named_once(np.array([3, 0, 3])) == ("1_1_1", "2_1_1")
    assert units.places((), "--train-units").tolist() == []


def test_an_unknown_label_is_a_usage_error_that_names_it_and_some_others() -> None:
    with pytest.raises(UsageError, match="--train-units names initial states that TOP does not") as caught:
        units_of(levels(3)).places(("1_1_1", "9_9_9"), "--train-units")
    assert caught.value.got == "9_9_9"
    assert "1_1_1" in (caught.value.expected or "")
