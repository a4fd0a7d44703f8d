import numpy as np
import pytest

from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.detailed_balance import reverse_rate


def test_downward_to_upward_has_the_weight_ratio_and_the_boltzmann_factor() -> None:
    up = reverse_rate(3.0e-11, 3.0, 1.0, 3.845, 0.0, 10.0)
    assert up == pytest.approx(9.0e-11 * np.exp(-3.845 * 1.438776877 / 10.0), rel=1e-14)


def test_turning_twice_gives_the_rate_back() -> None:
    rng = np.random.default_rng(5)
    rate = 10 ** rng.uniform(-14, -10, (20, 3))
    g_i, g_f = rng.uniform(1, 9, (2, 20, 1))
    e_i, e_f = rng.uniform(0, 50, (2, 20, 1))
    t = np.array([10.0, 100.0, 1000.0])
    there = reverse_rate(rate, g_i, g_f, e_i, e_f, t)
    assert there.shape == (20, 3)
    np.testing.assert_allclose(reverse_rate(there, g_f, g_i, e_f, e_i, t), rate, rtol=1e-12)


def test_equal_energies_leave_only_the_weights() -> None:
    assert reverse_rate(1e-10, 4.0, 2.0, 7.0, 7.0, 3.0) == pytest.approx(2e-10)


def test_a_huge_gap_gives_zero_down_and_inf_up_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    assert reverse_rate(1e-10, 1.0, 1.0, 1e5, 0.0, 1.0) == 0.0
    assert np.isinf(reverse_rate(1e-10, 1.0, 1.0, 0.0, 1e5, 1.0))
    assert not recwarn.list


def test_the_constant_is_hc_over_kb() -> None:
    h, c, k = 6.62607015e-34, 2.99792458e10, 1.380649e-23
    assert pytest.approx(h * c / k, rel=1e-9) == HC_OVER_KB_CM_K
