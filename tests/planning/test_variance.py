"""Claims about planning a system that is not known: the curve, what is picked, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from asking import VARIANCE, by_variance, learnt, options_of
from rough import rough_rates
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.search import search
from ratedb.options import PlanOptions
from ratedb.planning import variance as variance_module
from ratedb.planning.design import DesignSet
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate
from ratedb.planning.variance import VarianceResult
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.verbs.import_ import import_files
from ratedb.verbs.plan import plan

LEVELS = rotor_levels(12, molecule="AB")
TARGET = tuple(range(2, 11))
REQUEST = PlanRequest("AB+He", TARGET, (2, 3, 4), hours_total=100.0)
StoreOf = Callable[[str], Path]


def put(folder: Path, *tables: Rates) -> Path:
    """Return a new store with these rates."""
    name = f"{len(list(folder.glob('put*.dat')))}"
    file, db = folder / f"put{name}.dat", folder / f"put{name}.duckdb"
    file.write_text(lamda_text(tables))
    import_files(db, [file])
    return db


@pytest.fixture(scope="module")
def low(shared_store: StoreOf) -> Path:
    """A store with AB+He out of j = 1..4 only; for reading."""
    return shared_store("1:4")


@pytest.fixture(scope="module")
def found(low: Path) -> VarianceResult:
    """The plan of REQUEST without any limits."""
    return by_variance(low, REQUEST)


def dex(c: Candidate) -> float:
    return np.nan if c.expected_dex is None else c.expected_dex


def test_the_curve_has_the_sizes_one_to_eight(low: Path) -> None:
    request = replace(REQUEST, target=tuple(range(1, 13)), given=(1, 2, 3, 4))
    found = by_variance(low, request, replace(VARIANCE, optimiser="greedy"))
    assert [c.n for c in found.candidates] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_short_range_has_the_sizes_that_leave_two_j_to_validate_and_one_to_predict(
    low: Path, found: VarianceResult
) -> None:
    assert [c.n for c in found.candidates] == [1, 2, 3, 4, 5, 6]
    own = by_variance(low, replace(REQUEST, sizes=(3, 5, 9)))
    assert own.candidates == [found.candidates[2], found.candidates[4]]


def test_the_expected_error_falls_with_every_training_j(found: VarianceResult) -> None:
    first, *others = found.candidates
    assert first.expected_dex is None  # no model can be trained on one j
    assert first.expected_error is None
    errors = [dex(c) for c in others]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 1.2 * errors[-1] > 0
    for c in others:
        assert c.expected_error == pytest.approx(100 * (10 ** dex(c) - 1))


def test_a_candidate_costs_its_training_and_validation_j_that_are_not_given(found: VarianceResult) -> None:
    total = sum(j**4 for j in range(5, 11))
    for c in found.candidates:
        paid = [j for j in (*c.train_j, *c.validate_j) if j > 4]
        assert c.explicit_hours == pytest.approx(100.0 * sum(j**4 for j in paid) / total)


def test_one_size_is_the_chosen_one_and_a_curve_has_none(low: Path, found: VarianceResult) -> None:
    one = by_variance(low, replace(REQUEST, sizes=(3,)))
    assert one.chosen == one.candidates[0] == found.candidates[2]
    assert found.chosen is None


def test_without_a_similar_system_a_warning_says_what_was_learnt_from(found: VarianceResult) -> None:
    (warning,) = found.warnings
    assert "come from j = 2:4 alone" in warning


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_target_error_picks_the_cheapest_candidate_that_meets_it(
    low: Path, found: VarianceResult, place: int
) -> None:
    wanted = (found.candidates[place].expected_error or np.nan) * 1.001
    picked = by_variance(low, REQUEST, replace(VARIANCE, target_error=wanted))
    meeting = [c for c in found.candidates if c.expected_error is not None and c.expected_error <= wanted]
    assert picked.chosen == min(meeting, key=lambda c: c.explicit_percent)
    assert picked.candidates == found.candidates


@pytest.mark.parametrize(
    ("budget", "optimiser"), [(24.0, "exhaustive"), (60.0, "exhaustive"), (60.0, "greedy")]
)
def test_a_budget_is_never_exceeded_and_gives_the_least_error(
    low: Path, budget: float, optimiser: str
) -> None:
    options = replace(VARIANCE, budget_hours=budget, optimiser=optimiser)
    bought = by_variance(low, REQUEST, options)
    assert bought.chosen is not None
    assert all((c.explicit_hours or np.nan) <= budget for c in bought.candidates)
    trainable = [c for c in bought.candidates if c.expected_dex is not None]
    assert bought.chosen == min(trainable, key=dex)
    if optimiser == "exhaustive":
        assert dex(bought.chosen) == pytest.approx(least_error_for(low, budget), rel=1e-6)


def least_error_for(db: Path, budget: float) -> float:
    """Return the least expected error of all sets with j = 4, of all sizes, that a budget pays for."""
    design = learnt(db, REQUEST).design(REQUEST)
    total = sum(j**4 for j in range(5, 11))
    errors = []
    for size in range(2, 7):
        for train_j in combinations(TARGET, size):
            one = design.judge(train_j) if 4 in train_j else None
            if one is not None:
                paid = sum(j**4 for j in (*one.train_j, *one.validate_j) if j > 4)
                errors += [one.expected_dex] if 100.0 * paid / total <= budget else []
    return min(errors)


def test_a_budget_pays_for_the_validation_j_of_given_j_too(shared_store: StoreOf) -> None:
    request = replace(REQUEST, given=(2, 3, 9))
    with pytest.raises(UsageError, match="budget is too small"):
        by_variance(shared_store("1:4,9"), request, replace(VARIANCE, budget_hours=0.1))


def test_a_target_error_is_met_by_the_cheapest_within_the_budget_or_not_at_all(low: Path) -> None:
    both = by_variance(low, REQUEST, replace(VARIANCE, budget_hours=60.0, target_error=1e3))
    assert both.chosen == min(
        (c for c in both.candidates if c.expected_error is not None), key=lambda c: c.explicit_percent
    )
    least = min(c.expected_error for c in both.candidates if c.expected_error is not None)
    with pytest.raises(RatedbError, match="no set is expected to meet the target"):
        by_variance(low, REQUEST, replace(VARIANCE, budget_hours=60.0, target_error=least * 0.99))


def refused(db: Path, request: PlanRequest, **options: object) -> RatedbError:
    """Return the error that planning raises; checks that the store, plans included, is what it was."""
    before = db.read_bytes() if db.exists() else None
    with pytest.raises(RatedbError) as caught:
        plan(db, request.system, options_of(request, strategy="variance", **options))
    assert (db.read_bytes() if db.exists() else None) == before
    return caught.value


def test_a_target_that_no_set_reaches_is_one_message_with_the_best_there_is(
    low: Path, found: VarianceResult
) -> None:
    error = refused(low, REQUEST, target_error=1e-4)
    assert type(error) is RatedbError
    assert error.what.startswith("no set is expected to meet the target")
    best = min((c for c in found.candidates if c.expected_dex is not None), key=dex)
    assert error.got == f"{best.expected_error:.3g} % with j = {','.join(map(str, best.train_j))}"


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"budget_hours": 1e-3}, "the budget is too small"),
        ({"hours_total": None}, {"budget_hours": 5.0}, "a budget needs hours"),
        ({}, {"budget_hours": -5.0}, "invalid --budget-hours"),
        ({}, {"budget_hours": float("nan")}, "invalid --budget-hours"),
        ({}, {"target_error": 0.0}, "invalid --target-error"),
        ({}, {"target_error": float("inf")}, "invalid --target-error"),
        ({}, {"optimiser": "magic"}, "unknown --optimiser"),
        ({}, {"jobs": 0}, "invalid number of jobs"),
        ({}, {"like": "AB+He"}, "a system cannot be its own reference"),
        ({}, {"kernels": ("M32",)}, "--kernels has no effect with --strategy variance"),
        ({"sizes": (7, 8)}, {}, "no training set of these sizes"),
        ({"sizes": (1,)}, {}, "no training set of these sizes"),
        ({"train_j": (4, 8)}, {}, "--train-j has no effect with --strategy variance"),
        ({"validate_j": (5, 8)}, {}, "--validate-j has no effect"),
    ],
)
def test_an_invalid_request_is_a_usage_error_and_stores_no_plan(
    low: Path, change: dict, options: dict, words: str
) -> None:
    error = refused(low, replace(REQUEST, **change), **options)
    assert isinstance(error, UsageError)
    assert words in error.what


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"like": "AB+o-H2"}, "the store has no system 'AB+o-H2'"),
        ({}, {"like": "nonsense"}, "the store has no system 'nonsense'"),
        ({"system": "AB+o-H2"}, {}, "nothing is known of AB+o-H2"),
        ({"given": ()}, {}, "there are no rates to learn from"),
        ({"given": (8, 9)}, {}, "there are no rates to learn from"),
        ({"given": (2,)}, {}, "too little is known to learn from"),
        ({"given": (1, 2)}, {}, "too little is known to learn from"),
        ({"target": tuple(range(2, 15))}, {}, "the levels of AB do not reach the target"),
        ({"v_max": 1}, {"like": "AB+p-H2"}, "AB+p-H2 does not have the quantum numbers of the target"),
    ],
)
def test_where_too_little_is_known_one_message_says_so_and_no_plan_is_stored(
    low: Path, change: dict, options: dict, words: str
) -> None:
    error = refused(low, replace(REQUEST, **change), **options)
    assert type(error) is RatedbError
    assert error.what == words


def test_a_similar_system_without_some_j_or_v_is_refused_with_these(
    shared_store: StoreOf,
) -> None:
    db = shared_store("1:4,9")
    error = refused(db, replace(REQUEST, system="AB+o-H2"), like="AB+He")
    assert error.what == "AB+He does not have the quantum numbers of the target"
    assert (error.where, error.got) == ("AB+o-H2", "none out of j = 5, 6, 7, 8, 10")
    error = refused(db, replace(REQUEST, system="AB+o-H2", v_max=2), like="AB+p-H2")
    assert error.got == "none out of v = 1, 2"


def test_rates_of_held_out_j_are_never_looked_at(
    shared_store: StoreOf, store_of: StoreOf, tmp_path: Path
) -> None:
    options = options_of(
        REQUEST, strategy="variance", target_error=50.0, given_j=tuple(range(6)), dry_run=True
    )
    of_all = plan(shared_store("1:12"), "AB+He", options)
    of_low = plan(store_of("1:5"), "AB+He", replace(options, given_j=None, dry_run=False))
    assert of_low.request.given == (0, 1, 2, 3, 4, 5)  # nothing leaves j = 0
    assert of_all.candidates == of_low.candidates
    assert of_all.chosen == of_low.chosen is not None
    rates = rough_rates(LEVELS, "He", seed=1)
    wild = np.random.default_rng(8).uniform(1e-6, 1e6, rates.rate_cm3_s.shape)
    wild[rates.initial_j() <= 5] = 1.0
    other = put(tmp_path, replace(rates, rate_cm3_s=rates.rate_cm3_s * wild))
    assert plan(other, "AB+He", options).candidates == of_all.candidates


def test_rates_of_given_j_are_what_is_learnt_from(found: VarianceResult, tmp_path: Path) -> None:
    rates = rough_rates(LEVELS, "He", seed=1, scatter=0.3)
    rougher = by_variance(put(tmp_path, rates), REQUEST)
    for one, other in zip(found.candidates[1:], rougher.candidates[1:], strict=True):
        assert dex(other) > 1.5 * dex(one)


def test_with_every_j_in_the_store_the_given_ones_must_be_named(shared_store: StoreOf) -> None:
    full = shared_store("1:12")
    planned = plan(full, "AB+He", options_of(REQUEST, given_j=None, dry_run=True))
    assert planned.request.given == ()
    assert "without given j" in planned.warnings[0]
    error = refused(full, REQUEST, given_j=None)
    assert "--given-j" in str(error.todo)


def real_error(rates: Rates, train_j: tuple[int, ...], validate_j: tuple[int, ...]) -> float:
    """Train on a set of a known system and return the root mean square error of what it holds out, in dex."""
    j = rates.initial_j()
    training, validation = (rates.select(np.isin(j, some)) for some in (train_j, validate_j))
    held_out = rates.select(np.isin(j, TARGET) & ~np.isin(j, (*REQUEST.given, *train_j, *validate_j)))
    predictor = search(training, validation, corpus=shipped_corpus()).predictor
    predicted = predictor.predict(held_out.transitions)
    return float(np.sqrt(((predicted.log10_rate - np.log10(held_out.rate_cm3_s)) ** 2).mean()))


def test_with_a_similar_system_the_expected_error_is_the_real_one_there(low: Path) -> None:
    """AB+He and AB+p-H2 have the same levels, so the process expects the same of both."""
    there = by_variance(low, replace(REQUEST, sizes=(2, 4)), replace(VARIANCE, like="AB+p-H2"))
    assert there.warnings == ()
    reference = rough_rates(LEVELS, "p-H2", seed=2)
    for c in there.candidates:
        assert dex(c) == pytest.approx(real_error(reference, c.train_j, c.validate_j), rel=1e-3)
        assert c.expected_error == pytest.approx(100 * (10 ** dex(c) - 1))


def test_what_a_similar_system_has_no_model_for_has_no_expected_error(
    low: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variance_module, "error_of_set", lambda *arguments: 0.125)
    options = replace(VARIANCE, like="AB+p-H2", target_error=34.0)
    there = by_variance(low, replace(REQUEST, sizes=(1, 2, 3)), options)
    assert [c.n for c in there.candidates] == [1, 2, 3]
    assert there.candidates[0].expected_dex is None
    assert [c.expected_dex for c in there.candidates[1:]] == pytest.approx([0.125, 0.125])
    assert there.chosen == there.candidates[1]  # 33.4 %, and it is the cheaper one
    # A molecule without levels is a rigid rotor, as AB is.
    bare = by_variance(low, replace(REQUEST, system="CD+He", sizes=(1, 2, 3)), options)
    assert [c.train_j for c in bare.candidates] == [c.train_j for c in there.candidates]
    assert [c.expected_dex for c in bare.candidates[1:]] == pytest.approx([0.125, 0.125])


def test_a_similar_system_that_lacks_a_few_j_is_judged_on_its_others(
    shared_store: StoreOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def real(rates: Rates, target: tuple[int, ...], one: DesignSet, options: PlanOptions) -> float:
        judged.append((target, one))
        return 0.125

    monkeypatch.setattr(variance_module, "error_of_set", real)
    request = replace(REQUEST, system="AB+o-H2", given=(), sizes=(2, 3, 4))
    of_few = by_variance(shared_store("1:6,8:10"), request, replace(VARIANCE, like="AB+He"))
    assert of_few.warnings == ("AB+He has no j = 7: judged on its other j",)
    assert [c.n for c in of_few.candidates] == [2, 3, 4]
    for c, (target, one) in zip(of_few.candidates, judged, strict=True):
        assert target == (2, 3, 4, 5, 6, 8, 9, 10)
        assert set(one.train_j) | set(one.validate_j) <= set(target)
        assert len(one.train_j) == c.n
        assert dex(c) > 0
    assert any(7 in c.train_j for c in of_few.candidates)  # what is planned for has it


def test_a_similar_system_with_even_changes_of_j_only_plans_for_these(tmp_path: Path) -> None:
    rates = rough_rates(LEVELS, "p-H2", seed=2)
    _, j = LEVELS.need_vj()
    db = put(tmp_path, rates.select((j[rates.upper] - j[rates.lower]) % 2 == 0))
    transitions = learnt(db, REQUEST, "AB+p-H2").transitions
    assert set((j[transitions.upper] - j[transitions.lower]).tolist()) == {2, 4, 6, 8, 10}


def test_rates_of_a_higher_v_than_planned_for_are_not_learnt_from(tmp_path: Path) -> None:
    levels = rotor_levels(10, molecule="AB", v_max=1)
    rates = rough_rates(levels, "He", seed=1)
    v, _ = levels.need_vj()
    of_both, of_lowest = put(tmp_path, rates), put(tmp_path, rates.select(v[rates.upper] == 0))
    request = replace(REQUEST, sizes=(2, 3))
    lowest = by_variance(of_lowest, request).candidates
    for one, other in zip(by_variance(of_both, request).candidates, lowest, strict=True):
        assert one.expected_dex == pytest.approx(dex(other), rel=1e-6)


def test_one_j_is_never_chosen_however_smooth_the_rates(tmp_path: Path) -> None:
    db = put(tmp_path, rotor_rates(LEVELS, "He", (10.0, 100.0), seed=1))
    found = by_variance(db, REQUEST, replace(VARIANCE, target_error=100.0))
    assert found.candidates[0].n == 1
    assert found.candidates[0].expected_dex is None
    assert found.chosen is not None
    assert found.chosen.n > 1


def almost_plane(collider: str, seed: int) -> Rates:
    """Return rates that a plane in the features follows to 0.003 dex."""
    rates = rough_rates(LEVELS, collider)
    _, j = LEVELS.need_vj()
    dj, final = j[rates.upper] - j[rates.lower], j[rates.lower]
    scatter = np.random.default_rng(seed).normal(0.0, 0.003, len(rates))
    log10_k = (-10.0 - 0.1 * dj + 0.02 * final + scatter)[:, None] + np.array([0.0, 0.1])
    return replace(rates, rate_cm3_s=10.0**log10_k)


def test_a_size_of_one_is_refused_however_smooth_a_similar_system_is(tmp_path: Path) -> None:
    db = put(tmp_path, almost_plane("He", 3), almost_plane("p-H2", 4))
    with pytest.raises(RatedbError, match=r"no (training )?set"):
        by_variance(db, replace(REQUEST, sizes=(1,)), replace(VARIANCE, like="AB+p-H2"))


def test_a_plan_by_variance_is_kept_with_its_request_and_its_choice(store_of: StoreOf) -> None:
    db = store_of("1:4")
    before = db.read_bytes()
    options = options_of(REQUEST, strategy="variance", budget_hours=50.0)
    dry = plan(db, "AB+He", replace(options, dry_run=True))
    assert (dry.plan_id, db.read_bytes()) == (None, before)
    kept = plan(db, "AB+He", options)
    assert kept.chosen == dry.chosen is not None
    with Store(db) as store:
        assert store.query("SELECT count(*) AS n FROM plans") == [{"n": 1}]
        stored = store.plan(kept.plan_id or 0)
    assert stored.strategy == "variance"
    assert PlanRequest.from_json(stored.request) == REQUEST
    assert stored.chosen is not None
    assert tuple(stored.chosen["train_j"]) == kept.chosen.train_j
    assert stored.chosen["expected_dex"] == kept.chosen.expected_dex
