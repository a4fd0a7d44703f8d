"""p-H2 and o-H2 as one gas: the thermal ratio from measured levels, and sums by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from synthetic import rotor_levels, rotor_rates

from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.options import VerifyOptions
from ratedb.physics.hydrogen import mixed, thermal_ortho_to_para
from ratedb.radiative.grid import grid_of
from ratedb.rates import Rates

KELVIN = (10.0, 50.0, 200.0)
# Measured rotational levels of v = 0, j = 0 to 7, in cm-1, the highest rounded.
H2_CM1 = (0.0, 118.49, 354.37, 705.52, 1168.80, 1740.19, 2415.0, 3187.0)


def para() -> Rates:
    return rotor_rates(rotor_levels(4, molecule="XY"), "p-H2", KELVIN)


def ortho() -> Rates:
    return rotor_rates(rotor_levels(4, molecule="XY"), "o-H2", KELVIN, seed=3)


@pytest.mark.parametrize("kelvin", [10.0, 30.0, 77.0, 150.0, 300.0, 500.0])
def test_the_thermal_ratio_is_that_of_the_measured_levels(kelvin: float) -> None:
    weight = [(2 * j + 1) * math.exp(-1.438776877 * cm1 / kelvin) for j, cm1 in enumerate(H2_CM1)]
    expected = 3.0 * sum(weight[1::2]) / sum(weight[0::2])
    assert thermal_ortho_to_para(kelvin) == pytest.approx(expected, rel=5e-3)


def test_the_thermal_ratio_ends_at_three_and_is_near_that_of_verify() -> None:
    np.testing.assert_allclose(thermal_ortho_to_para([500.0, 1000.0, 3000.0]), 3.0, rtol=1e-3)
    options = VerifyOptions(temperatures=(10.0, 30.0, 100.0, 200.0, 300.0), densities=(1e4,))
    for one in grid_of(options, ["p-H2", "o-H2"]):
        own = one.density_cm3["o-H2"] / one.density_cm3["p-H2"]
        assert thermal_ortho_to_para(one.temperature_k) == pytest.approx(own, rel=0.06)


def test_a_mixture_is_the_mean_by_density_at_a_ratio_or_the_thermal_one() -> None:
    a, b = para().rate_cm3_s, ortho().rate_cm3_s
    three = mixed(para(), ortho(), 3.0).rates
    assert three.system == "XY+H2"
    np.testing.assert_allclose(three.rate_cm3_s, 0.25 * a + 0.75 * b, rtol=1e-12)
    assert (three.kind_code == Kind.DERIVED).all()
    assert np.isnan(three.log10_half_width_68).all()
    np.testing.assert_allclose(mixed(para(), ortho(), 0.0).rates.rate_cm3_s, a, rtol=1e-12)
    thermal = mixed(para(), ortho(), None)
    r = thermal_ortho_to_para(KELVIN)
    np.testing.assert_allclose(thermal.rates.rate_cm3_s, (a + r * b) / (1 + r), rtol=1e-12)
    assert [one["ortho_to_para"] for one in thermal.details["mixture"]] == r.tolist()


def test_errors_of_predicted_terms_add_linearly() -> None:
    wide = np.full(para().rate_cm3_s.shape, 0.1)
    narrow = np.full(wide.shape, 0.02)
    first = replace(para(), layers={"log10_half_width_68": wide})
    second = replace(ortho(), layers={"log10_half_width_68": narrow})
    found = mixed(first, second, 1.0).rates
    a, b = first.rate_cm3_s / 2, second.rate_cm3_s / 2
    expected = np.log10((a * 10**0.1 + b * 10**0.02) / (a + b))
    np.testing.assert_allclose(found.log10_half_width_68, expected, rtol=1e-12)
    assert ((found.log10_half_width_68 > 0.02) & (found.log10_half_width_68 < 0.1)).all()
    same = mixed(first, replace(ortho(), layers={"log10_half_width_68": wide}), 1.0).rates
    np.testing.assert_allclose(same.log10_half_width_68, 0.1)
    one = mixed(first, ortho(), 1.0).rates
    np.testing.assert_allclose(one.log10_half_width_68, np.log10((a * 10**0.1 + b) / (a + b)))


def test_what_one_of_the_two_lacks_is_missing_and_said() -> None:
    lacking = np.zeros(ortho().rate_cm3_s.shape, dtype=bool)
    lacking[2, 1] = True
    found = mixed(para(), ortho().blanked(lacking).select_temperatures([0, 1]), 3.0)
    assert found.rates.temperature_k.tolist() == [10.0, 50.0]
    assert np.isnan(found.rates.rate_cm3_s[2, 1])
    assert np.isfinite(found.rates.rate_cm3_s).sum() == 2 * len(para()) - 1
    assert "1 temperatures of XY+p-H2 are left out" in found.warnings[0]
    fewer = mixed(para().select(np.arange(3)), ortho(), 3.0)
    assert len(fewer.rates) == 3
    assert "transitions and 0 temperatures of XY+o-H2 are left out" in fewer.warnings[0]
    with pytest.raises(RatedbError, match="nothing in common"):
        mixed(para().select_temperatures([0]), ortho().select_temperatures([1]), 3.0)
