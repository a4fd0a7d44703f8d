from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda import read_lamda
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.rates import Rates


def both_directions(folder: Path, slip: float) -> MoleculeFile:
    """Read a file that lists both directions of all pairs; `slip` multiplies the upward rate of 3 -> 1."""
    levels = rotor_levels(4)
    down = rotor_rates(levels)
    up = np.empty_like(down.rate_cm3_s)
    for row in range(len(down)):
        u, w = down.upper[row], down.lower[row]
        for column, kelvin in enumerate(down.temperature_k):
            gap = levels.energy_cm1[u] - levels.energy_cm1[w]
            up[row, column] = (
                down.rate_cm3_s[row, column]
                * (levels.weight[u] / levels.weight[w])
                * np.exp(-HC_OVER_KB_CM_K * gap / kelvin)
            )
        if down.transition_name(row) == "3 -> 1":
            up[row] *= slip
    table = Rates(
        levels,
        "He",
        np.concatenate([down.upper, down.lower]),
        np.concatenate([down.lower, down.upper]),
        down.temperature_k,
        np.concatenate([down.rate_cm3_s, up]),
    )
    path = folder / "both.dat"
    path.write_text(lamda_text([table]), encoding="utf-8")
    return read_lamda(path)


@pytest.mark.parametrize("slip", [1.0, 1.5, 0.6])
def test_directions_that_agree_roughly_are_let_pass(tmp_path, slip):
    file = both_directions(tmp_path, slip)
    assert len(file.partners[0].rates) == 10
    assert file.partners[0].findings == ()


@pytest.mark.parametrize("slip", [3.0, 1e-3])
def test_directions_that_contradict_each_other_are_an_error_of_that_transition(tmp_path, slip):
    (finding,) = both_directions(tmp_path, slip).partners[0].findings
    assert (finding.rule, finding.severity, finding.system) == ("detailed-balance", "error", "XY+He")
    assert finding.transition == "3 -> 1"
    assert finding.value == pytest.approx(slip, rel=1e-6)
