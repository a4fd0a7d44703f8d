"""Claims about plans by initial states: what each strategy chooses, and what a plan counts."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from top_store import PARTNER_CM1, SYSTEM, levels

from ratedb.errors import UsageError
from ratedb.kinds.units import units_of
from ratedb.levels import Levels
from ratedb.models.tops.wanted import possible_transitions
from ratedb.planning.progress import unit_progress
from ratedb.planning.unit_plan import UNIT_STRATEGIES, Landscape, UnitRequest, plan_units, with_known
from ratedb.planning.worklist import unit_jobs
from ratedb.store.plans import Plan

TOP = levels(5)
PAIR = levels(4, PARTNER_CM1)


def landscape(made: Levels = TOP, **asked: object) -> Landscape:
    return Landscape(made, UnitRequest(SYSTEM, **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", UNIT_STRATEGIES)
@pytest.mark.parametrize("made", [TOP, PAIR], ids=["top", "pair"])
def test_a_strategy_chooses_the_same_for_the_same_seed(strategy: str, made: Levels) -> None:
    asked = {"share_percent": 30.0, "strategy": strategy, "seed": 4}
    assert plan_units(landscape(made, **asked)) == plan_units(landscape(made, **asked))


@pytest.mark.parametrize("strategy", ["spread", "random"])
def test_other_seeds_choose_otherwise(strategy: str) -> None:
    chosen = {plan_units(landscape(strategy=strategy, seed=seed)).train_units for seed in range(6)}
    assert len(chosen) > 1


@pytest.mark.parametrize("strategy", UNIT_STRATEGIES)
def test_given_states_are_in_the_plan_and_count_towards_the_share(strategy: str) -> None:
    given = ("2_1_1", "5_3_2")
    alone = plan_units(landscape(share_percent=40.0, strategy=strategy))
    beside = plan_units(landscape(share_percent=40.0, strategy=strategy, given_units=given))
    assert set(given) <= set(beside.train_units)
    assert beside.n == alone.n == round(0.4 * len(landscape().of_interest))


@pytest.mark.parametrize("strategy", UNIT_STRATEGIES)
@pytest.mark.parametrize(("share", "least"), [(1.0, 2), (10.0, 2), (30.0, 3)])
def test_every_state_of_the_partner_has_initial_states_of_its_own(
    strategy: str, share: float, least: int
) -> None:
    chosen = plan_units(landscape(PAIR, share_percent=share, strategy=strategy)).train_units
    for state in ("_0", "_2"):
        assert sum(label.endswith(state) for label in chosen) >= least


@pytest.mark.parametrize("strategy", UNIT_STRATEGIES)
def test_states_to_validate_on_are_not_trained_on(strategy: str) -> None:
    validate = ("3_1_2", "5_1_4")
    found = plan_units(landscape(share_percent=50.0, strategy=strategy, validate_units=validate))
    assert set(found.validate_units) == set(validate)
    assert not set(found.train_units) & set(validate)


def test_a_share_of_all_takes_every_state_with_transitions() -> None:
    found = plan_units(landscape(share_percent=100.0))
    assert set(found.train_units) == set(units_of(TOP).label[1:])  # nothing goes out of the lowest
    assert found.explicit_percent == pytest.approx(100.0)
    assert found.time_saved_percent == pytest.approx(0.0)
    assert found.predicted_transitions == 0


def test_transitions_add_up_to_all_that_are_possible() -> None:
    found = plan_units(landscape(share_percent=30.0, validate_units=("3_1_2",)))
    counts = found.training_transitions, found.validation_transitions, found.predicted_transitions
    assert sum(counts) == len(possible_transitions(TOP))
    upper = [TOP.label[place] for place in possible_transitions(TOP).upper.tolist()]
    assert counts[0] == sum(upper.count(label) for label in found.train_units)
    assert counts[1] == upper.count("3_1_2")


def test_hours_are_shared_by_the_fourth_power_of_j() -> None:
    found = plan_units(
        landscape(train_units=("2_1_1", "4_1_3", "5_1_4"), hours_total=1000.0, model_hours=1.0)
    )
    cost = {label: int(label.split("_")[0]) ** 4 for label in units_of(TOP).label[1:]}
    share = (2**4 + 4**4 + 5**4) / sum(cost.values())
    assert found.explicit_percent == pytest.approx(100.0 * share)
    assert found.explicit_hours == pytest.approx(1000.0 * share)
    assert found.avoided_hours == pytest.approx(1000.0 * (1.0 - share))
    assert found.time_saved_percent == pytest.approx(100.0 * (1.0 - share - 0.001))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"share_percent": 0.0}, "invalid share"),
        ({"share_percent": 101.0}, "invalid share"),
        ({"share_percent": float("nan")}, "invalid share"),
        ({"strategy": "exhaustive"}, "--strategy"),
        ({"train_units": ("1_1_0",), "validate_units": ("1_1_0",)}, "both trains and validates"),
        ({"train_units": ("1_1_0", "2_1_1")}, "too few initial states to train on"),
        ({"train_units": ("1_1_0", "2_1_1", "7_7_7")}, "--train-units names initial states"),
        ({"validate_units": ("7_7_7",)}, "--validate-units names initial states"),
        ({"given_units": ("7_7_7",)}, "--given-units names initial states"),
    ],
)
def test_impossible_requests_are_usage_errors(asked: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan_units(landscape(**asked))


def test_fewer_than_three_initial_states_are_too_few_to_plan() -> None:
    few = Levels("TOP", TOP.label[:3], TOP.energy_cm1[:3], TOP.weight[:3],
                 {name: one[:3] for name, one in TOP.quantum_numbers.items()}, kind=TOP.kind)  # fmt: skip
    with pytest.raises(UsageError, match="too few initial states to plan"):
        plan_units(landscape(few))


def test_where_all_states_are_known_a_plan_takes_none_for_given_and_says_so() -> None:
    request = UnitRequest(SYSTEM)
    every = units_of(TOP).label
    found, warnings = with_known(TOP, request, every)
    assert found.request.given_units == ()
    assert "planned without given ones" in warnings[0]
    found, warnings = with_known(TOP, request, every[:4])
    assert (found.request.given_units, warnings) == (every[:4], ())


def test_jobs_leave_out_given_states_and_rise_in_cost() -> None:
    made = landscape(share_percent=50.0, given_units=("5_1_5",), validate_units=("3_1_2",), hours_total=100.0)
    chosen = plan_units(made)
    uses = dict.fromkeys(chosen.train_units, "train") | dict.fromkeys(chosen.validate_units, "validate")
    jobs = unit_jobs(made, uses)
    assert {job.unit for job in jobs} == {*chosen.train_units, "3_1_2"} - {"5_1_5"}
    assert [job.order for job in jobs] == list(range(1, len(jobs) + 1))
    assert {job.use for job in jobs if job.unit == "3_1_2"} == {"validate"}
    hours = [job.expected_hours for job in jobs if job.expected_hours is not None]
    assert len(hours) == len(jobs)
    assert (np.diff(hours) >= 0).all()
    assert sum(hours) == pytest.approx(chosen.explicit_hours)


def test_a_request_is_the_same_from_its_json() -> None:
    request = UnitRequest(
        SYSTEM, 30.0, "random", 5, ("1_1_0",), (), ("2_1_1",), "channels", 3.0, None, 0.1, (("1_1_0", 2.0),)
    )
    values = {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(request).items()}
    assert UnitRequest.from_json(values) == request


def test_progress_tells_what_is_done_of_a_plan_beside_what_was_given() -> None:
    chosen = {"train_units": ["1_1_0", "2_1_1", "3_1_2"], "validate_units": ["4_1_3"]}
    plan = Plan(SYSTEM, "spread", {"given_units": ["1_1_0"]}, [chosen], chosen, plan_id=3)
    found = unit_progress(plan, ("2_1_1", "5_1_4"))
    assert (found.plan_id, found.done_units, found.left_units) == (3, ("2_1_1",), ("3_1_2", "4_1_3"))
