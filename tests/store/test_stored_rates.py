"""Claims about values taken out of a store and brought to other temperatures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import rotor_levels, rotor_rates


@pytest.mark.parametrize(
    ("kelvin", "marked"),
    [(10.0, False), (30.0, True), (50.0, True), (60.0, True), (100.0, False), (150.0, False)],
)
def test_a_value_between_a_marked_one_and_another_is_marked(kelvin: float, marked: bool) -> None:
    rates = rotor_rates(rotor_levels(3), "He", (10.0, 50.0, 100.0, 200.0))
    shape = rates.rate_cm3_s.shape
    marks = np.zeros(shape, dtype=np.bool_)
    marks[:, 1] = True
    found = replace(rates, layers={"marked": marks, "extrapolated": marks}).at(kelvin)
    assert found.marked.tolist() == found.extrapolated.tolist() == [[marked]] * shape[0]
