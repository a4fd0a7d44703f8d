"""Kernel texts: what is one, and what an extension of a sum means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratedb.errors import UsageError
from ratedb.models.covariance import Covariance
from ratedb.models.kernels import BASE_KERNELS, DISTINCT_KERNELS, check_kernel, extensions, kernel_terms

TEXTS = st.lists(st.lists(st.sampled_from(BASE_KERNELS), min_size=1, max_size=3), min_size=1, max_size=3).map(
    lambda terms: "+".join("*".join(term) for term in terms)
)


def value(text: str, of: dict[str, float]) -> float:
    """Return the text read as arithmetic by Python itself, with a number for each base kernel."""
    return float(eval(text, {"__builtins__": {}}, of))


@pytest.mark.parametrize("wrong", ["", "M99", "M32+", "M32**RBF", "(M32)", "+M32", "M32-RBF", "M32 RBF"])
def test_a_text_that_is_no_kernel_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="not a kernel"):
        check_kernel(wrong)


def test_blanks_and_small_letters_do_not_matter() -> None:
    assert check_kernel(" m52 * exp + M32 ") == "M52*EXP+M32"
    assert kernel_terms("m52*exp + m32") == (("M52", "EXP"), ("M32",))


def test_a_sum_times_a_kernel_multiplies_every_term() -> None:
    assert extensions("M52+EXP", ("RBF",)) == ("M52+EXP+RBF", "M52*RBF+EXP*RBF")


@given(text=TEXTS, base=st.sampled_from(BASE_KERNELS))
def test_extensions_are_the_sum_and_the_product_of_the_whole_text(text: str, base: str) -> None:
    of = {name: 1.0 + math.sqrt(number + 2.0) for number, name in enumerate(BASE_KERNELS)}
    plus, times = extensions(text, (base,))
    assert value(plus, of) == pytest.approx(value(text, of) + of[base])
    assert value(times, of) == pytest.approx(value(text, of) * of[base])


def test_the_product_of_a_sum_is_the_product_of_covariances() -> None:
    """(M52 + RBF) M32 entry by entry; the two copies of M32 have the same length scale here."""
    inputs = np.random.default_rng(5).normal(size=(9, 2))

    def matrix(text: str) -> np.ndarray:
        covariance = Covariance(text, 2)
        parameters = covariance.start(1.3)
        parameters[[term.variance for term in covariance.terms]] = 0.0
        return covariance.matrix(parameters, inputs)

    _, product = extensions("M52+RBF", ("M32",))
    assert matrix(product) == pytest.approx((matrix("M52") + matrix("RBF")) * matrix("M32"), abs=1e-12)


def test_exp_and_matern_12_are_one_function_so_only_one_is_tried() -> None:
    assert set(BASE_KERNELS) - set(DISTINCT_KERNELS) == {"M12"}
    inputs = np.random.default_rng(6).normal(size=(9, 2))
    exp, matern = (Covariance(name, 2).matrix(np.array([0.1, 0.2, 0.3]), inputs) for name in ("EXP", "M12"))
    assert np.array_equal(exp, matern)


def test_a_compound_kernel_keeps_its_brackets_in_an_extension() -> None:
    assert extensions("M32", ("RBF+EXP",)) == ("M32+RBF+EXP", "M32*RBF+M32*EXP")
