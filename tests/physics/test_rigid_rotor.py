from __future__ import annotations

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.physics.rigid_rotor import (
    RotationalConstants,
    amplitudes,
    asymmetric_energies,
    asymmetric_states,
    asymmetric_wavefunctions,
    fit_rotational_constants,
    symmetric_wavefunctions,
    wigner_3j,
)
from ratedb.physics.wigner import squared_3j_000

WATER = RotationalConstants(27.88, 14.51, 9.28)


def all_levels(last_j: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = [(j, (place + 1) // 2, j - place // 2) for j in range(last_j + 1) for place in range(2 * j + 1)]
    j, ka, kc = np.array(rows).T
    return j, ka, kc


def test_3j_symbols_of_zero_projections_square_to_the_closed_form() -> None:
    n = np.arange(7)
    a, b, c = n[:, None, None], n[None, :, None], n[None, None, :]
    np.testing.assert_allclose(wigner_3j(a, b, c, 0, 0, 0) ** 2, squared_3j_000(a, b, c), atol=1e-14)


def test_3j_symbols_are_orthogonal_in_the_projections() -> None:
    m = np.arange(-5, 6)
    for c, other in ((3, 3), (3, 4), (6, 6)):
        first = wigner_3j(5, 4, c, m[:, None], m[None, :], -1)
        second = wigner_3j(5, 4, other, m[:, None], m[None, :], -1)
        assert (first * second).sum() == pytest.approx(float(c == other) / (2 * c + 1), abs=1e-13)


def test_levels_of_j_1_and_2_have_their_closed_forms() -> None:
    a, b, c = WATER.a_cm1, WATER.b_cm1, WATER.c_cm1
    np.testing.assert_allclose(asymmetric_states(WATER, 1)[0], [b + c, a + c, a + b])
    root = 2.0 * np.sqrt((b - c) ** 2 + (a - c) * (a - b))
    total = 2.0 * (a + b + c)
    expected = [total - root, a + b + 4 * c, a + 4 * b + c, 4 * a + b + c, total + root]
    np.testing.assert_allclose(asymmetric_states(WATER, 2)[0], expected)


def test_states_are_those_of_the_whole_hamiltonian() -> None:
    j, k = 6, np.arange(-6, 7)
    a, b, c = WATER.a_cm1, WATER.b_cm1, WATER.c_cm1
    whole = np.diag(0.5 * (b + c) * (j * (j + 1) - k**2) + a * k**2)
    for place in range(len(k) - 2):
        low = k[place]
        step = np.sqrt((j * (j + 1) - low * (low + 1)) * (j * (j + 1) - (low + 1) * (low + 2)))
        whole[place, place + 2] = whole[place + 2, place] = 0.25 * (b - c) * step
    energies, states = asymmetric_states(WATER, j)
    np.testing.assert_allclose(energies, np.linalg.eigvalsh(whole), rtol=1e-12)
    np.testing.assert_allclose(states @ whole @ states.T, np.diag(energies), atol=1e-9)
    np.testing.assert_allclose(np.abs(states), np.abs(states[:, ::-1]), atol=1e-12)


def test_a_symmetric_top_is_the_limit() -> None:
    j, ka, kc = all_levels(5)
    energies = asymmetric_energies(RotationalConstants(9.0, 2.0, 2.0), j, ka, kc)
    np.testing.assert_allclose(energies, 2.0 * j * (j + 1) + 7.0 * ka**2, rtol=1e-12)
    oblate = asymmetric_energies(RotationalConstants(9.0, 9.0, 4.0), j, ka, kc)
    np.testing.assert_allclose(oblate, 9.0 * j * (j + 1) - 5.0 * kc**2, rtol=1e-12)


@pytest.mark.parametrize("constants", [(27.88, 14.51, 9.28), (9.4, 1.295, 1.134), (1.75, 0.44, 0.35)])
def test_constants_are_fitted_to_energies(constants: tuple[float, float, float]) -> None:
    j, ka, kc = all_levels(6)
    one_species = (ka + kc) % 2 == 1
    j, ka, kc = j[one_species], ka[one_species], kc[one_species]
    found = fit_rotational_constants(
        j, ka, kc, asymmetric_energies(RotationalConstants(*constants, 5.0), j, ka, kc)
    )
    np.testing.assert_allclose((found.a_cm1, found.b_cm1, found.c_cm1), constants, rtol=1e-4)
    assert found.origin_cm1 == pytest.approx(5.0, abs=0.01)
    assert found.residual_cm1 < 1e-3


def test_impossible_quantum_numbers_are_refused() -> None:
    j = np.array([1, 1, 2, 2])
    with pytest.raises(RatedbError, match="no asymmetric top"):
        fit_rotational_constants(j, j, j + 1, np.arange(4.0))


def test_strengths_of_linear_molecules_are_squared_3j_symbols() -> None:
    j = np.arange(6)
    states = symmetric_wavefunctions(j, np.zeros(6, dtype=int), np.zeros(6, dtype=int))
    initial, final = (one.ravel() for one in np.meshgrid(j, j, indexing="ij"))
    found, _ = amplitudes(j, states, initial, final, 4)
    order = np.arange(5)
    expected = (2 * final + 1)[:, None] * squared_3j_000(initial[:, None], order[None, :], final[:, None])
    np.testing.assert_allclose(found[:, :, 0] ** 2, expected, atol=1e-14)
    assert np.abs(found[:, :, 1:]).max() < 1e-14


def test_amplitudes_are_the_sum_over_k() -> None:
    j, ka, kc = all_levels(3)
    states = asymmetric_wavefunctions(WATER, j, ka, kc)
    initial, final = np.array([9, 12, 15, 7]), np.array([3, 5, 2, 7])
    found, cosine = amplitudes(j, states, initial, final, 4)
    for row, (i, f) in enumerate(zip(initial, final, strict=True)):
        for order in range(5):
            for m in range(order + 1):
                each = {
                    sign: sum(
                        (-1.0) ** k
                        * states[i][k + j[i]]
                        * states[f][k - sign * m + j[f]]
                        * float(wigner_3j(j[i], order, j[f], -k, sign * m, k - sign * m))
                        for k in range(-j[i], j[i] + 1)
                        if abs(k - sign * m) <= j[f]
                    )
                    for sign in (1, -1)
                }
                both = (2 * j[f] + 1) * (each[1] ** 2 + (each[-1] ** 2 if m else 0.0))
                assert found[row, order, m] ** 2 == pytest.approx(both, abs=1e-12)
                if abs(each[1]) > 1e-9 and m:
                    even = each[1] * (-1.0) ** m * each[-1] > 0
                    assert bool(cosine[row, order, m]) == even


def test_strengths_of_one_l_and_m_add_up_over_final_states() -> None:
    j, ka, kc = all_levels(6)
    states = asymmetric_wavefunctions(WATER, j, ka, kc)
    start = np.flatnonzero((j == 3) & (ka == 2))[0]
    found, _ = amplitudes(j, states, np.full(len(j), start), np.arange(len(j)), 3)
    np.testing.assert_allclose((found**2).sum(axis=0)[1:, 0], 1.0, rtol=1e-10)
    np.testing.assert_allclose((found**2).sum(axis=0)[3, 1:], 2.0, rtol=1e-10)
