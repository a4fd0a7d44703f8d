"""Plans: the paper's numbers, exactly, and the rules behind them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import pairwise

import pytest

from ratedb.errors import UsageError
from ratedb.paper.printed import COLUMNS, HOURS_DIVISOR, HOURS_SHARED, with_printed
from ratedb.planning.costs import CostModel
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate, candidate, plan_candidates
from ratedb.planning.sets import spread_set, validation_set

SIO = PlanRequest(system="SiO+p-H2", target=tuple(range(5, 21)), given=(5,), v_max=2, hours_total=338.0)

# METHOD, section 2: train, validate, transitions, hours, saved % (consistent with 338 h).
CONSISTENT = [
    ((5, 18), (6, 9), 195, 171, 1242, 52.8, 285.2, 84.2),
    ((5, 16, 19), (6, 9), 309, 171, 1128, 95.4, 242.6, 70.8),
    ((5, 9, 14, 19), (6, 10), 393, 174, 1041, 87.4, 250.6, 72.9),
    ((5, 8, 12, 17, 19), (6, 9), 498, 171, 939, 115.5, 222.5, 63.8),
    ((5, 8, 11, 14, 17, 19), (6, 9), 600, 171, 837, 130.6, 207.4, 58.2),
]


def as_planned(request: PlanRequest, train_j: tuple[int, ...]) -> Candidate:
    """Return a candidate as `plan` shows it."""
    return with_printed(request, candidate(request, train_j))


@pytest.mark.parametrize("row", CONSISTENT, ids=lambda row: f"N={len(row[0])}")
def test_the_papers_training_sets_give_its_transitions_hours_and_savings(row: tuple) -> None:
    train_j, validate_j, training, validation, predicted, explicit, avoided, saved = row
    found = as_planned(SIO, train_j)
    assert found.validate_j == validate_j
    counts = (found.training_transitions, found.validation_transitions, found.predicted_transitions)
    assert counts == (training, validation, predicted)
    assert found.explicit_hours is not None
    assert found.avoided_hours is not None
    assert round(found.explicit_hours, 1) == explicit
    assert round(found.avoided_hours, 1) == avoided
    assert round(found.explicit_hours + found.avoided_hours, 9) == 338.0
    assert round(found.time_saved_percent, 1) == saved


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"N={len(column.train_j)}")
def test_the_printed_figures_are_next_to_the_consistent_ones(column) -> None:  # type: ignore[no-untyped-def]
    found = as_planned(SIO, column.train_j)
    assert found.paper == asdict(column)
    assert found.model_hours == column.model_hours_optimal
    printed = 100 * (1 - (column.explicit_hours + column.model_hours_optimal) / HOURS_DIVISOR)
    assert round(printed, 1) == round(column.time_saved_percent, 1)
    assert round(column.explicit_hours + column.avoided_hours, 1) == HOURS_SHARED


def test_only_the_papers_own_request_shows_the_papers_figures() -> None:
    for system in ("SiS+p-H2", "SiO+He", "SiO+o-H2"):
        other = PlanRequest(system=system, target=SIO.target, given=(5,), v_max=2, hours_total=338.0)
        assert as_planned(other, (5, 9, 14, 19)).paper is None
    assert as_planned(SIO, (5, 9, 14, 18)).paper is None


def test_hours_of_training_that_are_asked_for_take_precedence_over_the_papers() -> None:
    request = replace(SIO, model_hours=33.8)
    found = as_planned(request, (5, 9, 14, 19))
    assert found.paper is not None
    assert (found.model_hours, found.time_saved_percent) == (
        33.8,
        candidate(request, (5, 9, 14, 19)).time_saved_percent,
    )


def test_every_transition_of_the_target_is_trained_validated_or_predicted() -> None:
    for found in plan_candidates(SIO):
        together = found.training_transitions + found.validation_transitions + found.predicted_transitions
        assert together == 1608


def test_given_j_cost_nothing_and_the_rest_is_shared_by_a_power_of_j() -> None:
    costs = CostModel(target=(5, 6, 7), given=(5,), exponent=4.0, hours_total=10.0)
    assert costs.share([5]) == 0.0
    assert costs.hours([6]) == pytest.approx(10.0 * 6**4 / (6**4 + 7**4))
    assert costs.share([5, 6, 7]) == pytest.approx(1.0)
    assert CostModel((5, 6, 7), (5,), exponent=6.0).share([6]) == pytest.approx(6**6 / (6**6 + 7**6))


def test_without_total_hours_the_shares_are_still_known() -> None:
    found = candidate(PlanRequest(system="X+He", target=SIO.target, given=(5,)), (5, 9, 14, 19))
    assert found.explicit_hours is None
    assert found.explicit_percent == pytest.approx(100 * 87.4 / 338, abs=0.02)
    assert found.time_saved_percent == pytest.approx(100 - found.explicit_percent)


def test_a_validation_j_that_is_trained_moves_to_the_next_higher_free_one() -> None:
    target = tuple(range(5, 21))
    assert validation_set(target, (5,), (5, 18)) == (6, 9)
    assert validation_set(target, (5,), (5, 9, 14, 19)) == (6, 10)
    assert validation_set(target, (5,), (5, 6, 9, 10)) == (7, 11)
    assert validation_set(target, (5,), (5, 9, 12), size=3) == (6, 10, 13)


def test_validation_j_are_at_least_three_apart() -> None:
    first, second = validation_set(tuple(range(5, 21)), (5,), (5, 6, 7))
    assert second - first >= 3


def test_spread_reproduces_the_papers_optimum_for_four() -> None:
    assert spread_set(tuple(range(5, 21)), (5,), 4) == (5, 9, 14, 19)


@pytest.mark.parametrize("size", range(2, 9))
def test_spread_starts_at_the_given_j_ends_below_the_last_and_has_even_gaps(size: int) -> None:
    chosen = spread_set(tuple(range(5, 41)), (5,), size)
    gaps = {b - a for a, b in pairwise(chosen)}
    assert (len(chosen), chosen[0], chosen[-1]) == (size, 5, 39)
    assert max(gaps) - min(gaps) <= 1


def test_spread_without_given_j_leaves_out_j_zero_which_nothing_lies_below() -> None:
    assert spread_set(tuple(range(0, 21)), (), 3)[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"target": (5, 6)},
        {"sizes": (30,)},
        {"train_j": (5, 50)},
        {"train_j": (5, 9), "validate_j": (9,)},
        {"given": tuple(range(5, 21))},
        {"cost_exponent": 0.0},
        {"hours_total": -3.0},
        {"v_max": -1},
        {"train_j": tuple(range(5, 21))},
    ],
)
def test_impossible_requests_are_usage_errors(change: dict) -> None:
    values = {"system": "X+He", "target": tuple(range(5, 21)), "given": (5,)} | change
    with pytest.raises(UsageError):
        plan_candidates(PlanRequest(**values))


def test_a_short_target_offers_only_the_sizes_that_fit() -> None:
    found = plan_candidates(PlanRequest(system="X+He", target=tuple(range(5, 13)), given=(5,)))
    assert [c.n for c in found] == [2, 3, 4, 5]


def test_a_given_j_in_the_middle_is_an_anchor_and_the_low_j_still_train() -> None:
    target = tuple(range(5, 21))
    assert spread_set(target, (5, 12), 4) == (5, 9, 12, 19)
    assert spread_set(target, (5, 20), 4) == (5, 9, 14, 20)
    assert spread_set(target, (5, 6, 7), 3) == (7, 13, 19)
    for given in ((5, 12), (5, 20), (5, 6, 7, 13)):
        for found in plan_candidates(PlanRequest(system="X+He", target=target, given=given)):
            assert not set(found.train_j) & set(found.validate_j)


def test_a_request_that_an_older_ratedb_stored_is_read() -> None:
    stored = (
        '{"system": "SiO+p-H2", "target": [5, 6, 7, 8, 9], "given": [5], "v_max": 2, "sizes": [2],'
        ' "train_j": null, "validate_j": null, "cost_exponent": 4.0, "hours_total": null,'
        ' "model_hours": 0.0, "hours_by_j": [[6, 1.5], [7, 2], [8, 3], [9, 4]]}'
    )
    found = PlanRequest.from_json(json.loads(stored))
    hours = ((6, 1.5), (7, 2.0), (8, 3.0), (9, 4.0))
    assert found == PlanRequest("SiO+p-H2", (5, 6, 7, 8, 9), (5,), 2, (2,), hours_by_j=hours)
