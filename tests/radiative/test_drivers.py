"""Claims about what drives lines: shares of variance against samples whose causes are known."""

from __future__ import annotations

import numpy as np
import pytest

from ratedb.radiative.drivers import Responses, tamed

SAMPLES = 4000
RNG = np.random.default_rng(7)
CAUSES = RNG.standard_normal((SAMPLES, 4))


def fluxes(*weights: tuple[float, float, float, float]) -> np.ndarray:
    """Return fluxes whose logarithms are sums of the causes with these weights, a line for each."""
    return np.exp(0.01 * CAUSES @ np.array(weights).T)


def test_the_share_of_a_cause_is_the_part_of_the_variance_it_makes() -> None:
    shares = Responses.of(fluxes((3.0, 4.0, 0.0, 0.0))).share_of_each(CAUSES)
    assert shares == pytest.approx([9 / 25, 16 / 25, 0.0, 0.0], abs=0.03)


def test_lines_that_vary_more_count_for_more() -> None:
    both = Responses.of(fluxes((3.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)))
    assert both.share_of_each(CAUSES) == pytest.approx([0.9, 0.1, 0.0, 0.0], abs=0.03)
    explained = both.explained_together(CAUSES[:, :1])
    assert explained == pytest.approx([1.0, 0.0], abs=0.01)
    assert both.mean_share(explained) == pytest.approx(0.9, abs=0.03)


def test_causes_that_go_together_each_explain_what_both_do() -> None:
    twins = np.stack([CAUSES[:, 0], CAUSES[:, 0] + 1e-3 * CAUSES[:, 1]], axis=1)
    responses = Responses.of(fluxes((1.0, 0.0, 1.0, 0.0)))
    assert responses.share_of_each(twins) == pytest.approx([0.5, 0.5], abs=0.03)
    assert responses.explained_together(twins) == pytest.approx([0.5], abs=0.03)


def test_many_causes_that_have_nothing_to_do_with_a_line_explain_nothing_of_it() -> None:
    few = 200
    noise = RNG.standard_normal((few, 60))
    responses = Responses.of(fluxes((1.0, 1.0, 1.0, 1.0))[:few])
    assert responses.explained_together(noise)[0] < 0.1
    assert responses.share_of_each(noise).max() < 0.1


def test_a_few_far_tails_do_not_rule() -> None:
    wild = CAUSES.copy()
    wild[:5] *= 1000.0
    assert np.abs(tamed(wild)).max() < 4.0
    shares = Responses.of(np.exp(1e-3 * np.clip(wild, -300, 300)[:, :1])).share_of_each(tamed(wild))
    assert shares == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=0.01)


def test_a_line_that_never_changes_has_no_share() -> None:
    still = Responses.of(np.ones((SAMPLES, 1)))
    assert still.share_of_each(CAUSES).tolist() == [0.0] * 4
    assert still.mean_share(still.explained_together(CAUSES)) == 0.0
