"""Metrics against numbers worked out by hand and against a slow loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.layers import RATIO_95_68
from ratedb.models.metrics import metrics


def test_a_perfect_prediction_has_no_error() -> None:
    k = np.array([[1e-12, 1e-11], [3e-10, 2e-10]])
    found = metrics(k, np.log10(k), np.full((2, 2), 0.1))
    assert (found.dex_rms, found.log10_percent_error) == (0.0, 0.0)
    assert (found.factor_median, found.factor_p95, found.factor_max, found.wmef) == (1.0, 1.0, 1.0, 1.0)
    assert (found.coverage_68, found.coverage_95) == (1.0, 1.0)
    assert (found.transitions, found.values) == (2, 4)
    assert (found.transitions_over_10_percent, found.transitions_below_5_percent) == (0, 2)


def test_the_papers_five_percent_at_1e_12_hides_a_factor_of_four() -> None:
    k = np.array([[1e-12]])
    found = metrics(k, np.array([[-12.0 * 0.95]]))
    assert found.log10_percent_error == pytest.approx(5.0)
    assert found.factor_max == pytest.approx(10**0.6)
    assert found.dex_rms == pytest.approx(0.6)


def test_every_metric_equals_a_slow_loop() -> None:
    random = np.random.default_rng(20241002)
    k = 10.0 ** random.uniform(-15, -10, (7, 5))
    mean = np.log10(k) + random.normal(0, 0.6, (7, 5))
    std = np.full((7, 5), 0.5)
    found = metrics(k, mean, std)
    percent, dex, factor, by_row = [], [], [], []
    for i in range(7):
        row = []
        for t in range(5):
            truth = math.log10(k[i, t])
            row.append(abs(mean[i, t] - truth) / abs(truth) * 100)
            dex.append(mean[i, t] - truth)
            ratio = 10.0 ** mean[i, t] / k[i, t]
            factor.append(max(ratio, 1 / ratio))
        percent += row
        by_row.append(sum(row) / 5)
    weighted = sum(f * value for f, value in zip(factor, k.ravel(), strict=True)) / k.sum()
    assert found.log10_percent_error == pytest.approx(sum(percent) / 35)
    assert found.dex_rms == pytest.approx(math.sqrt(sum(d * d for d in dex) / 35))
    assert found.factor_median == pytest.approx(sorted(factor)[17])
    assert found.factor_max == pytest.approx(max(factor))
    assert found.wmef == pytest.approx(weighted)
    assert found.transitions_over_10_percent == sum(p > 10 for p in by_row)
    assert found.transitions_below_5_percent == sum(p < 5 for p in by_row)
    assert found.coverage_68 == pytest.approx(sum(abs(d) <= 0.5 for d in dex) / 35)


def test_missing_and_zero_truths_are_left_out_not_counted_as_right() -> None:
    k = np.array([[1e-12, np.nan], [0.0, 1e-12]])
    found = metrics(k, np.full((2, 2), -11.0))
    assert found.values == 2
    assert found.dex_rms == pytest.approx(1.0)


def test_nothing_to_compare_with_is_an_error() -> None:
    with pytest.raises(RatedbError, match="to compare with"):
        metrics(np.array([[0.0, np.nan]]), np.zeros((1, 2)))


def test_a_prediction_that_is_no_number_is_an_error() -> None:
    with pytest.raises(RatedbError, match="not a finite number"):
        metrics(np.array([[1e-12]]), np.array([[np.nan]]))


def test_coverage_of_95_percent_uses_students_ratio_of_the_half_widths() -> None:
    """Errors of 0.5, 1.5 and 3 half widths: one is within 68 %, two within 95 %."""
    k = np.full((3, 1), 1e-11)
    found = metrics(k, -11.0 + np.array([[0.05], [-0.15], [0.3]]), np.full((3, 1), 0.1))
    assert (found.coverage_68, found.coverage_95) == pytest.approx((1 / 3, 2 / 3))
    edge = np.full((3, 1), 0.1) * np.array([[0.999], [1.001], [1.0]]) * RATIO_95_68
    assert metrics(k, -11.0 + edge[:2].repeat(2)[:3, None], np.full((3, 1), 0.1)).coverage_95 == 2 / 3
