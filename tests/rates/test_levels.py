"""Levels: named quantum numbers, with v and j as conveniences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.levels import LINEAR, UNKNOWN_KIND, Levels, vj

TOP = Levels(
    "H2CO",
    ("1_1_1", "1_1_0", "2_1_2"),
    np.array([10.5, 10.7, 15.2]),
    np.array([9.0, 9.0, 15.0]),
    {"j": [1, 1, 2], "ka": [1, 1, 1], "kc": [1, 0, 2], "v": [0, 0, 0]},
    kind="asymmetric top",
)


def test_levels_of_a_top_carry_every_quantum_number_by_its_name() -> None:
    assert list(TOP.quantum_numbers) == ["j", "ka", "kc", "v"]
    assert TOP.select([2, 0]).quantum_numbers["kc"].tolist() == [2.0, 1.0]
    assert TOP.kind == "asymmetric top"


def test_half_integers_are_kept_and_are_no_v_and_j() -> None:
    levels = Levels("OH", ("a", "b"), [0.0, 5.0], [4, 6], {"v": [0, 0], "j": [1.5, 2.5], "F": [2, 3]})
    assert levels.quantum_numbers["j"].tolist() == [1.5, 2.5]
    assert levels.v is None
    assert levels.j is None
    assert levels.kind == UNKNOWN_KIND
    with pytest.raises(RatedbError, match="not labelled by v and j"):
        levels.need_vj()


def test_levels_with_v_and_j_are_linear_and_give_them_as_integers() -> None:
    levels = Levels("CO", ("0", "1"), [0.0, 3.8], [1, 3], vj([0, 0], [0, 1]))
    v, j = levels.need_vj()
    assert (v.dtype, j.dtype) == (np.int64, np.int64)
    assert levels.kind == LINEAR


def test_levels_without_quantum_numbers_have_labels_only() -> None:
    levels = Levels("X", ("a", "b"), [0.0, 1.0], [1, 1], vj(None, None))
    assert not levels.has_vj
    assert "labels only" in repr(levels)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": ("1_1_1", "1_1_1", "2_1_2")}, "duplicate labels"),
        ({"weight": [9.0, 0.0, 15.0]}, "invalid statistical weight"),
        ({"energy_cm1": [1.0, np.nan, 2.0]}, "non-finite"),
        ({"quantum_numbers": {"ka": [1, 2]}}, "ka has the wrong shape"),
    ],
)
def test_what_cannot_be_levels_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(RatedbError, match=says):
        replace(TOP, **change)  # type: ignore[arg-type]
