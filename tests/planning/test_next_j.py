"""Claims about what to compute next: how far a plan is, which j follows, and when to stop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asking import learnt, next_options_of, options_of
from rough import rough_rates
from synthetic import lamda_text, prediction_of, rotor_levels

from ratedb.errors import FitError, RatedbError, UsageError
from ratedb.layers import RATIO_95_68
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import TrainingData
from ratedb.models.predictor import Predictor, average
from ratedb.models.record import Model
from ratedb.models.search import search
from ratedb.planning import next_j as next_j_module
from ratedb.planning.next_j import NextResult
from ratedb.planning.request import PlanRequest
from ratedb.planning.state import State
from ratedb.store.store import Store
from ratedb.verbs.import_ import import_files
from ratedb.verbs.incoming import ImportOptions
from ratedb.verbs.next import _state, next_
from ratedb.verbs.plan import PlanResult, plan

LEVELS = rotor_levels(12, molecule="AB")
TARGET = tuple(range(2, 11))
REQUEST = PlanRequest("AB+He", TARGET, (2, 3, 4), hours_total=100.0)
TRAIN, VALIDATE = (4, 7, 10), (5, 8)
TOTAL = sum(j**4 for j in range(5, 11))
StoreOf = Callable[[str], Path]


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no model be trained on the known rates: the planner's process is used alone, which is quick."""

    def fail(*arguments: object) -> None:
        raise FitError("no kernel explains it")

    monkeypatch.setattr(next_j_module, "quick_model", fail)


def planned(db: Path, **change: object) -> int:
    """Store a plan with the training set 4, 7, 10, or a changed one, and return its number."""
    options = options_of(replace(REQUEST, train_j=TRAIN), **change)
    return plan(db, "AB+He", options).plan_id or 0


def make_plan(db: Path, request: PlanRequest, **options: object) -> PlanResult:
    return plan(db, request.system, options_of(request, **options))


def state_of(db: Path, request: PlanRequest | None = None, plan_id: int | None = None) -> State:
    """Return how far AB+He is, as `next` sees it."""
    return _state(db, "AB+He", next_options_of(request, plan=plan_id))


@pytest.fixture(scope="module")
def at(shared_store: StoreOf, tmp_path_factory: pytest.TempPathFactory) -> StoreOf:
    """Give the store with a plan to train on 4, 7, 10 and AB+He out of these j; it is for reading only."""
    folder, made = tmp_path_factory.mktemp("planned"), {}

    def planned_store(computed: str) -> Path:
        if computed not in made:
            made[computed] = Path(shutil.copy(shared_store(computed), folder / f"{len(made)}.duckdb"))
            planned(made[computed])
        return made[computed]

    return planned_store


def follow(db: Path, request: PlanRequest | None = None, **options: object) -> NextResult:
    return next_(db, "AB+He", next_options_of(request, **options))


def dex(error_percent: float | None) -> float:
    return float(np.log10(1.0 + (np.nan if error_percent is None else error_percent) / 100.0))


def test_a_stored_plan_says_what_each_computed_j_is_for(store_of: StoreOf) -> None:
    db = store_of("1:5,7")
    plan_id = planned(db)
    state = state_of(db)
    assert (state.plan_id, state.known_j) == (plan_id, (1, 2, 3, 4, 5, 7))
    assert (state.train_j, state.validate_j) == ((2, 3, 4, 7), (5,))
    assert state.unknown_j == (6, 8, 9, 10)
    assert sorted(state.planned) == sorted((*TRAIN, *VALIDATE))
    assert state.request.validate_j == VALIDATE


def test_an_imported_j_is_no_longer_unknown(store_of: StoreOf, rough_file: Path) -> None:
    db = store_of("1:4")
    planned(db)
    before = state_of(db)
    assert (before.validate_j, before.unknown_j) == ((), (5, 6, 7, 8, 9, 10))
    import_files(db, [rough_file], ImportOptions(collider="He", j=(6, 8, 12)))
    after = state_of(db)
    assert (after.train_j, after.validate_j) == ((2, 3, 4, 6), (8,))
    assert after.unknown_j == (5, 7, 9, 10)


def test_a_predicted_j_is_not_computed(store_of: StoreOf) -> None:
    db = store_of("1:4")
    rates = rough_rates(LEVELS, "He", seed=1)
    prediction = prediction_of(rates.select(np.isin(rates.initial_j(), (5, 6))))
    with Store(db, write=True) as store:
        model = Model(
            system_id=store.system("AB+He").system_id,
            engine="basis",
            kernel="M32",
            features="physics",
            train_j=[3, 4],
            validate_j=[2],
            target_j=[5, 6],
            training_sha256="0" * 64,
            training_source_ids=[1],
            criterion="validation",
            seed=0,
            validation={},
            tried=[],
            seconds=1.0,
            state={},
            arrays=b"",
        )
        model = store.model(store.put_model(model))
        store.put_prediction("AB+He", prediction, prediction.log10_half_width_68 > 0, model)
    state = state_of(db, REQUEST)
    assert (state.known_j, state.unknown_j) == ((1, 2, 3, 4), (5, 6, 7, 8, 9, 10))
    known = replace(REQUEST, given=(), sizes=(3,))
    assert make_plan(db, known, given_j=None).request.given == (0, 1, 2, 3, 4)


def test_given_j_count_as_computed_also_where_the_store_has_them_not(shared_store: StoreOf) -> None:
    state = state_of(shared_store("1:4"), replace(REQUEST, given=(2, 3, 4, 9)))
    assert state.train_j == (2, 3, 4, 9)
    assert state.unknown_j == (5, 6, 7, 8, 10)


def test_a_stored_request_comes_back_whole(store_of: StoreOf) -> None:
    db = store_of("1:4")
    hours = tuple((j, 0.5 * j) for j in range(5, 11))
    file = db.with_suffix(".csv")
    file.write_text("j,hours\n" + "".join(f"{j},{each}\n" for j, each in hours))
    plan_id = planned(db, hours_file=file, hours_total=None, cost_exponent=6.0)
    with Store(db) as store:
        found = PlanRequest.from_json(store.plan(plan_id).request)
    request = replace(REQUEST, hours_by_j=hours, hours_total=None, cost_exponent=6.0)
    assert found == replace(request, train_j=TRAIN)
    assert state_of(db).request == replace(request, validate_j=VALIDATE)


def test_the_newest_plan_with_a_chosen_set_is_followed_or_the_one_named(store_of: StoreOf) -> None:
    db = store_of("1:4")
    first, second = planned(db), planned(db, train_j=(4, 9))
    curve = make_plan(db, REQUEST)  # five sizes, none chosen
    assert (curve.chosen, curve.plan_id) == (None, second + 1)
    assert state_of(db).plan_id == second
    assert state_of(db, plan_id=first).planned == (*TRAIN, *VALIDATE)
    unchosen = state_of(db, plan_id=curve.plan_id)
    assert (unchosen.planned, unchosen.request.validate_j) == ((), VALIDATE)


def test_a_request_of_ones_own_goes_before_the_newest_plan(at: StoreOf) -> None:
    db = at("1:4")
    state = state_of(db, replace(REQUEST, target=tuple(range(3, 9)), given=()))
    assert (state.plan_id, state.planned) == (None, ())
    assert state.train_j == (3,)  # 4 is the first to validate above 3
    assert (state.validate_j, state.request.validate_j) == ((4,), (4, 7))


@pytest.mark.parametrize(("computed", "expected"), [("1:4", 5), ("1:5,7", 8)])
def test_validation_j_come_first_the_lowest_of_them_before_the_others(
    at: StoreOf, computed: str, expected: int
) -> None:
    db = at(computed)
    found = follow(db)
    assert (found.next_j, found.stop, found.measured) == (expected, False, False)
    assert "validates" in found.reason


@pytest.mark.usefixtures("no_model")
def test_then_a_j_of_the_plan_is_next_though_another_may_bring_more(store_of: StoreOf) -> None:
    db = store_of("1:5,8")
    planned(db, train_j=(4, 9))
    assert follow(db).next_j == 9
    assert follow(db, REQUEST).next_j not in (9, None)


def test_what_one_more_j_brings_is_what_the_process_expects_of_the_set_with_it(at: StoreOf) -> None:
    db = at("1:5,7")
    found = follow(db)
    assert not found.measured  # 8 is missing to validate
    known = replace(REQUEST, given=(1, 2, 3, 4, 5, 7))
    design = learnt(db, known).design(REQUEST)
    j = np.array(design.initial_j)

    def expected(train_j: tuple[int, ...]) -> float:
        variance = np.diag(design.given_all(train_j))[~np.isin(j, (*train_j, 5))]
        return float(design.hyperparameters.spread_dex * np.sqrt(variance.mean() + design.noise))

    now = expected((2, 3, 4, 7))
    assert found.expected_dex == pytest.approx(now, rel=1e-6)
    assert dex(found.expected_error) == pytest.approx(now, rel=1e-6)
    assert {one.j for one in found.candidates} == {6, 8, 9, 10}
    for one in found.candidates:
        after = expected((2, 3, 4, 7, one.j))
        assert dex(one.expected_error) == pytest.approx(after, rel=1e-5)
        assert one.gain == pytest.approx(100 * (10**now - 10**after), rel=1e-4, abs=1e-3)
        assert one.hours == pytest.approx(100.0 * one.j**4 / TOTAL)
        assert one.cost_percent == pytest.approx(100.0 * one.j**4 / TOTAL)
        assert one.planned == (one.j in (8, 10))
    errors = [one.expected_error for one in found.candidates]
    assert errors == sorted(errors, key=lambda error: error or 0.0)


@pytest.fixture(scope="module")
def followed_to_8(at: StoreOf) -> NextResult:
    """What is next where AB+He out of j = 1..8 is there."""
    return follow(at("1:8"))


@pytest.fixture(scope="module")
def trained_to_8() -> Predictor:
    """A model of the known rates out of j = 2..8, of which 5 and 8 validate."""
    rates = rough_rates(LEVELS, "He", seed=1)
    j = rates.initial_j()
    training, validation = (rates.select(np.isin(j, some)) for some in ((2, 3, 4, 6, 7), (5, 8)))
    return search(training, validation, corpus=shipped_corpus()).predictor


def test_the_expected_error_is_that_of_a_model_of_all_known_j_corrected_by_its_tests(
    followed_to_8: NextResult, trained_to_8: Predictor
) -> None:
    found = followed_to_8
    assert found.measured
    rates = rough_rates(LEVELS, "He", seed=1)
    wanted = rates.select(np.isin(rates.initial_j(), (9, 10)))
    half_width = trained_to_8.predict(wanted.transitions).log10_half_width_68
    own = RATIO_95_68 / 1.96 * float(np.sqrt((half_width**2).mean()))
    assert [one.j for one in found.tested] == [2, 3, 4, 5, 6, 7, 8]
    inner = found.tested[1:-1]
    real, expected = (
        np.sqrt(np.mean([dex(getattr(one, name)) ** 2 for one in inner]))
        for name in ("error", "expected_error")
    )
    assert found.expected_dex == pytest.approx(own * np.clip(real / expected, 1.0, 3.0), rel=1e-3)


def test_a_tested_j_is_predicted_without_its_own_rates(
    followed_to_8: NextResult, trained_to_8: Predictor
) -> None:
    found = {one.j: one for one in followed_to_8.tested}
    rates, predictor = rough_rates(LEVELS, "He", seed=1), trained_to_8
    j = rates.initial_j()
    others, six = (rates.select(some) for some in (np.isin(j, (2, 3, 4, 5, 7, 8)), j == 6))
    members = [one.conditioned(TrainingData.of(others)) for one in predictor.members]
    mean = average([one.curves(six.transitions) for one in members], predictor.weights).mean
    error = float(np.sqrt(np.mean((mean - np.log10(six.rate_cm3_s)) ** 2)))
    assert dex(found[6].error) == pytest.approx(error, rel=0.02)


def test_it_does_not_stop_while_the_highest_target_j_is_extrapolated(shared_store: StoreOf) -> None:
    found = follow(shared_store("1:8"), REQUEST, target_error=1e6)
    assert (found.next_j, found.stop) == (max(REQUEST.target), False)
    assert "extrapolated" in found.reason


def test_a_model_that_cannot_be_trained_is_a_warning(at: StoreOf, no_model: None) -> None:
    db = at("1:5,8")
    found = follow(db)
    assert found.warnings == ("no model of the known rates: no kernel explains it",)
    assert not found.measured
    assert found.expected_error is not None


@pytest.mark.usefixtures("no_model")
def test_the_next_j_is_the_cheapest_that_is_expected_to_reach_the_target_error(at: StoreOf) -> None:
    db = at("1:5,8")
    free = follow(db)
    picked = set()
    for one in free.candidates[:-1]:
        assert one.expected_error is not None
        wanted = one.expected_error * 1.0001
        found = follow(db, target_error=wanted)
        enough = [c for c in free.candidates if (c.expected_error or np.inf) <= wanted]
        assert found.next_j == min(enough, key=lambda c: c.cost_percent).j
        assert not found.stop
        picked.add(found.next_j)
    assert len(picked) > 1
    beyond = follow(db, target_error=1e-3)
    assert (beyond.next_j in (7, 10), beyond.stop) == (True, False)


@pytest.mark.usefixtures("no_model")
def test_it_stops_when_the_target_error_is_met_and_every_validation_j_is_there(at: StoreOf) -> None:
    db = at("1:8")
    now = follow(db).expected_error or np.nan
    assert follow(db, target_error=now * 1.01).next_j == 10  # the highest is extrapolated
    db = at("1:8,10")
    now = follow(db).expected_error or np.nan
    met = follow(db, target_error=now * 1.01)
    assert (met.next_j, met.stop) == (None, True)
    assert met.reason == f"the expected error is {now:.3g} %, the target {now * 1.01:g} %"
    assert not follow(db, target_error=now * 0.99).stop


def test_a_target_error_is_not_met_before_a_model_can_be_judged(at: StoreOf) -> None:
    db = at("1:5,7")
    found = follow(db, target_error=1e6)
    assert (found.next_j, found.stop) == (8, False)


def test_it_stops_when_every_j_is_computed(at: StoreOf) -> None:
    found = follow(at("1:12"))
    assert (found.next_j, found.stop, found.candidates, found.unknown_j) == (None, True, [], ())
    assert found.reason == "every j of the target is computed"


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("computed", ["1:4", "1:8"])
def test_it_stops_when_no_j_is_within_the_budget(at: StoreOf, computed: str) -> None:
    db = at(computed)
    found = follow(db, budget_hours=0.5)
    assert (found.next_j, found.stop) == (None, True)
    assert found.reason == "no j that is left costs 0.5 h or less"


@pytest.mark.usefixtures("no_model")
def test_a_j_over_the_budget_is_not_next(at: StoreOf) -> None:
    db = at("1:5,8")
    hours = 100.0 * 7**4 / TOTAL
    assert follow(db, budget_hours=hours * 1.01).next_j == 7
    assert follow(db, budget_hours=hours * 1.01, target_error=1e-3).next_j == 7
    assert follow(db, budget_hours=hours * 0.99).next_j == 6


@pytest.mark.usefixtures("no_model")
def test_without_a_plan_the_j_with_most_gain_for_its_cost_is_next(shared_store: StoreOf) -> None:
    found = follow(shared_store("1:5,8"), REQUEST)
    assert found.plan_id is None
    gains = {one.j: one.gain or 0.0 for one in found.candidates}
    good = [j for j, gain in gains.items() if gain >= 0.5 * max(gains.values())]
    assert len(good) > 1
    assert found.next_j == max(good, key=lambda j: gains[j] / j**4)
    assert not any(one.planned for one in found.candidates)


@pytest.mark.usefixtures("no_model")
def test_it_stops_when_no_j_reduces_the_error_by_a_tenth(tmp_path: Path) -> None:
    """One j more hardly reduces a scatter that no process describes."""
    file, db = tmp_path / "noisy.dat", tmp_path / "noisy.duckdb"
    file.write_text(lamda_text([rough_rates(LEVELS, "He", seed=1, scatter=0.3)]))
    import_files(db, [file], ImportOptions(j=(1, 2, 3, 4, 5, 7, 8, 10, 11)))
    request = replace(REQUEST, target=tuple(range(2, 13)))
    found = follow(db, request)
    assert [one.j for one in found.candidates] != []
    assert max(one.gain or 0.0 for one in found.candidates) < 0.1 * (found.expected_error or 0.0)
    assert (found.next_j, found.stop) == (None, True)
    assert "10 %" in found.reason
    assert not follow(db, request, target_error=1.0).stop  # who has a target goes on until it is met


def test_nothing_known_and_a_similar_system_give_the_validation_j_first(shared_store: StoreOf) -> None:
    request = replace(REQUEST, system="AB+o-H2", given=())
    found = next_(shared_store("1:4"), "AB+o-H2", next_options_of(request, like="AB+p-H2"))
    assert (found.train_j, found.validate_j, found.unknown_j) == ((), (), TARGET)
    assert (found.next_j, found.expected_error, found.expected_dex) == (3, None, None)
    assert all(one.gain is None for one in found.candidates)  # there is no error to reduce yet


def test_given_j_of_a_system_without_rates_leave_the_process_alone(shared_store: StoreOf) -> None:
    """Both j that validate, 3 and 6, are said to be there, and so are two that train."""
    request = replace(REQUEST, system="AB+o-H2", given=(3, 6, 8, 10))
    found = next_(shared_store("1:4"), "AB+o-H2", next_options_of(request, like="AB+p-H2"))
    assert (found.train_j, found.validate_j, found.measured) == ((8, 10), (3, 6), False)


def test_neither_plan_nor_request_is_a_usage_error(store_of: StoreOf) -> None:
    db = store_of("1:4")
    make_plan(db, replace(REQUEST, system="AB+p-H2", sizes=(3,)))
    with pytest.raises(UsageError, match=r"there is no plan for AB\+He"):
        follow(db)
    make_plan(db, REQUEST)  # several candidates, none chosen
    with pytest.raises(UsageError, match="there is no plan"):
        follow(db)


def test_a_plan_of_another_system_is_refused(store_of: StoreOf) -> None:
    db = store_of("1:4")
    plan_id = make_plan(db, replace(REQUEST, system="AB+p-H2", sizes=(3,))).plan_id
    with pytest.raises(UsageError, match=f"plan {plan_id} is for another system") as caught:
        follow(db, plan=plan_id)
    assert (caught.value.expected, caught.value.got) == ("AB+He", "AB+p-H2")


def test_an_unknown_plan_is_refused(shared_store: StoreOf) -> None:
    with pytest.raises(RatedbError, match="the store has no plan 7"):
        follow(shared_store("1:4"), plan=7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget_hours": -1.0}, "invalid --budget-hours"),
        ({"target_error": 0.0}, "invalid --target-error"),
        ({"like": "AB+e"}, "the store has no system 'AB+e'"),
        ({"like": "AB+He"}, "its own reference"),
    ],
)
def test_invalid_limits_are_refused(at: StoreOf, options: dict, words: str) -> None:
    db = at("1:4")
    with pytest.raises(RatedbError) as caught:
        follow(db, **options)
    assert words in caught.value.what


def test_a_budget_needs_a_plan_with_hours(store_of: StoreOf) -> None:
    db = store_of("1:4")
    planned(db, hours_total=None)
    with pytest.raises(UsageError, match="a budget needs hours"):
        follow(db, budget_hours=10.0)


def test_saying_what_is_next_stores_nothing(at: StoreOf) -> None:
    db = at("1:4")
    before = db.read_bytes()
    assert follow(db).plan_id == 1
    assert follow(db, REQUEST).plan_id is None
    assert db.read_bytes() == before


def vibrating(tmp_path: Path, j: tuple[int, ...]) -> Path:
    """Return a store with AB+He of v = 0 and 1 out of these j, and a plan for j = 2..7."""
    levels = rotor_levels(7, molecule="AB", v_max=1)
    file, db = tmp_path / "vibrating.dat", tmp_path / f"vibrating{len(j)}.duckdb"
    file.write_text(lamda_text([rough_rates(levels, "He", seed=1)]))
    import_files(db, [file], ImportOptions(j=j))
    target = tuple(range(2, 8))
    make_plan(db, PlanRequest("AB+He", target, (2,), v_max=1, train_j=(2, 5), hours_total=100.0))
    return db


@pytest.mark.usefixtures("no_model")
def test_the_worklist_has_one_job_for_each_v_of_the_next_j(tmp_path: Path) -> None:
    total = sum(j**4 for j in range(3, 8))
    for j, use in (((0, 1, 2), "validate"), ((0, 1, 2, 3, 6), "train")):
        path = tmp_path / "job.json"
        found = follow(vibrating(tmp_path, j), worklist=path)
        jobs = json.loads(path.read_text())
        assert [(job["order"], job["v"], job["j"]) for job in jobs] == [
            (1, 0, found.next_j),
            (2, 1, found.next_j),
        ]
        assert {(job["system"], job["use"]) for job in jobs} == {("AB+He", use)}
        hours = 100.0 * (found.next_j or 0) ** 4 / total
        assert [job["expected_hours"] for job in jobs] == pytest.approx([hours / 2, hours / 2])


def test_the_worklist_of_a_stop_has_no_job(at: StoreOf, tmp_path: Path) -> None:
    for name, empty in (("job.json", "[]\n"), ("job.csv", "order,system,v,j,use,expected_hours\n")):
        follow(at("1:12"), worklist=tmp_path / name)
        assert (tmp_path / name).read_text() == empty


def test_a_worklist_that_would_overwrite_a_database_is_refused(at: StoreOf) -> None:
    db = at("1:4")
    before = db.read_bytes()
    with pytest.raises(RatedbError, match="overwrite a database"):
        follow(db, worklist=db)
    assert db.read_bytes() == before


def test_a_target_from_zero_on_is_computed_when_every_j_above_is(shared_store: StoreOf) -> None:
    found = follow(shared_store("1:12"), replace(REQUEST, target=tuple(range(0, 11)), given=()))
    assert (found.next_j, found.stop, found.unknown_j) == (None, True, ())


def test_a_j_counts_as_computed_when_it_is_for_every_v(tmp_path: Path) -> None:
    levels = rotor_levels(7, molecule="AB", v_max=1)
    rates = rough_rates(levels, "He", seed=1)
    v, _ = levels.need_vj()
    file, db = tmp_path / "both.dat", tmp_path / "both.duckdb"
    file.write_text(lamda_text([rates.select((rates.initial_j() <= 4) | (v[rates.upper] == 0))]))
    import_files(db, [file])
    request = PlanRequest("AB+He", tuple(range(2, 8)), (), v_max=1)
    assert state_of(db, request).unknown_j == (5, 6, 7)
    assert state_of(db, replace(request, v_max=0)).unknown_j == ()


def test_with_vibration_a_target_from_zero_on_is_computed_when_every_j_is(tmp_path: Path) -> None:
    levels = rotor_levels(5, molecule="AB", v_max=1)
    file, db = tmp_path / "both.dat", tmp_path / "both.duckdb"
    file.write_text(lamda_text([rough_rates(levels, "He", seed=1)]))
    import_files(db, [file])
    request = PlanRequest("AB+He", tuple(range(0, 6)), (), v_max=1)
    assert state_of(db, request).unknown_j == ()
