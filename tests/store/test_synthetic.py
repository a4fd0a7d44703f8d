from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import lamda_text, prediction_of, rotor_levels, rotor_lines, rotor_rates, with_missing

from ratedb.io.lamda import read_lamda


@pytest.mark.parametrize("v_max", [0, 1])
def test_the_synthetic_lamda_text_reads_back_bit_for_bit(tmp_path: Path, v_max: int) -> None:
    levels = rotor_levels(4, v_max=v_max)
    tables = [rotor_rates(levels, "He"), rotor_rates(levels, "p-H2", (5.0, 7.5), seed=1)]
    path = tmp_path / "xy.dat"
    path.write_text(lamda_text(tables))
    file = read_lamda(path)
    assert file.warnings == ()
    assert file.levels.label == levels.label
    np.testing.assert_array_equal(file.levels.energy_cm1, levels.energy_cm1)
    np.testing.assert_array_equal(file.lines.frequency_ghz, rotor_lines(levels).frequency_ghz)
    assert [p.rates.sha256() for p in file.partners] == [t.sha256() for t in tables]


def test_tables_of_different_seeds_differ_in_every_value() -> None:
    levels = rotor_levels()
    one, two = rotor_rates(levels, seed=1), rotor_rates(levels, seed=2)
    assert (one.rate_cm3_s != two.rate_cm3_s).all()
    assert rotor_rates(levels, seed=1).sha256() == one.sha256()


def test_missing_values_are_nan_and_the_others_stay() -> None:
    rates = rotor_rates(rotor_levels(1))
    holes = with_missing(rates, [[True, False, False]]).rate_cm3_s
    assert np.isnan(holes[0, 0])
    np.testing.assert_array_equal(holes[0, 1:], rates.rate_cm3_s[0, 1:])


def test_a_prediction_lies_near_its_rates_and_marks_one_extrapolated() -> None:
    rates = rotor_rates(rotor_levels())
    prediction = prediction_of(rates)
    assert np.abs(prediction.log10_rate - np.log10(rates.rate_cm3_s)).max() < 0.6
    assert prediction.extrapolated.all(axis=1).sum() == 1
