"""Claims about initial j unlike their neighbours: irregular ones, and seams between two calculations."""

from __future__ import annotations

import re

import numpy as np
import pytest
from quality_sets import changed, lamda_rates, smooth_rates, without_vj

from ratedb.quality.check import check_rates
from ratedb.rates import Rates

RATES = smooth_rates(20)
_, J = RATES.levels.need_vj()
INITIAL, DJ = J[RATES.upper], J[RATES.upper] - J[RATES.lower]


def odd_j(rates: Rates) -> dict[int, float]:
    """Return how far off each initial j is that the rule names."""
    found = [f for f in check_rates(rates) if f.rule == "odd-j"]
    assert all(f.severity == "warning" and f.lower is None for f in found)
    assert all(f.transition == f"out of {f.upper}" for f in found)
    return {int((f.upper or "").split("_")[-1]): f.value or 0.0 for f in found}


def with_j(j: int, log_change: np.ndarray | float) -> Rates:
    return changed(RATES, RATES.rate_cm3_s * np.exp(np.where(j == INITIAL, log_change, 0.0))[:, None])


@pytest.mark.parametrize(
    "change", [np.where(DJ % 2, 0.2, -0.2), 0.2, -0.2], ids=["alternating", "up", "down"]
)
def test_one_j_unlike_its_neighbours_is_named_alone(change: np.ndarray | float) -> None:
    assert odd_j(with_j(14, change)) == {14: pytest.approx(0.2, rel=0.1)}


def test_a_factor_is_given_in_percent_and_not_as_its_logarithm() -> None:
    (finding,) = [f for f in check_rates(with_j(14, np.log(2.0))) if f.rule == "odd-j"]
    said = float(re.findall(r"([0-9.]+)%", finding.detail)[0])
    assert said == pytest.approx(100.0, abs=5.0)


@pytest.mark.parametrize("first", [10, 14])
def test_the_two_j_at_a_seam_are_named(first: int) -> None:
    """From `first` on rates are of another calculation, 30 % higher: both j at the seam are half off."""
    seam = changed(RATES, RATES.rate_cm3_s * np.where(first <= INITIAL, 1.3, 1.0)[:, None])
    half = pytest.approx(0.5 * np.log(1.3), rel=0.1)
    assert odd_j(seam) == {first - 1: half, first: half}


def test_small_differences_and_what_is_usual_in_a_rough_set_are_left_alone() -> None:
    assert odd_j(RATES) == {}
    assert odd_j(with_j(14, 0.02)) == {}
    assert odd_j(smooth_rates(20, noise=0.05)) == {}


def test_low_j_and_sets_without_j_are_not_judged() -> None:
    assert odd_j(with_j(3, 0.2)) == {}
    assert odd_j(without_vj(with_j(14, 0.2))) == {}


@pytest.mark.parametrize(
    ("path", "collider", "expected"),
    [
        ("sio-h2-rot-lamda/sio.dat", "H2", {26, 27}),  # extrapolated above j = 26
        ("co-h2-rot-neufeld-extrapolated/co@neufeld.dat", "p-H2", {40, 41}),  # extrapolated above j = 40
        ("hcop-h2-rot-flower1999/hco+@xpol.dat", "H2", {20, 21}),  # extrapolated above j = 20
        ("co-h2-rot-yang2010/co.dat", "p-H2", {18}),
        ("co-h2-rot-yang2010/co.dat", "o-H2", set()),
        ("hcn-h2-rot-dumouchel2010/hcn.dat", "H2", set()),
    ],
)
def test_where_published_sets_begin_to_extrapolate_is_found(
    path: str, collider: str, expected: set[int]
) -> None:
    assert set(odd_j(lamda_rates(path, collider))) == expected
