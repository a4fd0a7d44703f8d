"""3j symbols: their sum rule, closed values, and the integral of three Legendre polynomials."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.legendre import Legendre, leggauss

from ratedb.physics.wigner import squared_3j_000


def one(a: int, b: int, c: int) -> float:
    return float(squared_3j_000(np.array(a), np.array(b), np.array(c)))


@pytest.mark.parametrize(
    ("a", "b", "c", "expected"),
    [
        (0, 0, 0, Fraction(1)),
        (1, 1, 0, Fraction(1, 3)),
        (1, 1, 2, Fraction(2, 15)),
        (2, 2, 0, Fraction(1, 5)),
        (2, 2, 2, Fraction(2, 35)),
        (1, 2, 3, Fraction(3, 35)),
    ],
)
def test_it_has_the_values_of_the_tables(a: int, b: int, c: int, expected: Fraction) -> None:
    assert one(a, b, c) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("numbers", [(1, 1, 1), (2, 3, 2), (1, 1, 4), (5, 1, 2), (0, 1, 3), (100, 2, 104)])
def test_it_is_zero_for_an_odd_sum_or_no_triangle(numbers: tuple[int, int, int]) -> None:
    assert one(*numbers) == 0.0


@given(a=st.integers(0, 100), c=st.integers(0, 100))
def test_the_squares_of_one_pair_add_up_to_one(a: int, c: int) -> None:
    orders = np.arange(a + c + 3)
    squares = squared_3j_000(np.array(a), orders, np.array(c))
    assert float(((2 * orders + 1) * squares).sum()) == pytest.approx(1.0, rel=1e-10)


@settings(deadline=None)
@given(a=st.integers(0, 12), b=st.integers(0, 12), c=st.integers(0, 12))
def test_it_is_half_the_integral_of_three_legendre_polynomials(a: int, b: int, c: int) -> None:
    x, weight = leggauss(20)
    product = Legendre.basis(a)(x) * Legendre.basis(b)(x) * Legendre.basis(c)(x)
    assert one(a, b, c) == pytest.approx(0.5 * float((weight * product).sum()), abs=1e-13)


def test_it_is_symmetric_and_broadcasts() -> None:
    j = np.arange(8)
    cube = squared_3j_000(j[:, None, None], j[None, :, None], j[None, None, :])
    assert cube.shape == (8, 8, 8)
    for axes in ((1, 0, 2), (0, 2, 1), (2, 1, 0)):
        assert cube == pytest.approx(cube.transpose(axes), rel=1e-12)


def test_a_large_j_gives_a_finite_number() -> None:
    value = one(100, 100, 100)
    assert 0.0 < value < 1e-3
    # (j L j; 000)^2 of L = 0 is 1 / (2j + 1)
    assert one(200, 0, 200) == pytest.approx(1 / 401, rel=1e-10)
