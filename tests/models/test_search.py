"""The search: what it tries, how it weighs, and that it is the same every time."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from real import co_rates
from rotor import (
    J_MAX,
    TEMPERATURE_K,
    all_of,
    drawn_rates,
    pairs_from,
    rotor_rates,
    table,
    training_data,
    with_values,
)

from ratedb.errors import RatedbError
from ratedb.layers import RATIO_95_68
from ratedb.models import candidates
from ratedb.models import search as module
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.basis import fit as fit_basis
from ratedb.models.candidates import Tried
from ratedb.models.evaluation import given_to
from ratedb.models.kernels import canonical
from ratedb.models.metrics import metrics
from ratedb.models.reference import reference_rates
from ratedb.models.search import SearchRequest, SearchResult, search
from ratedb.models.sparse import SparseProcess
from ratedb.models.training_set import rates_of_j
from ratedb.rates import Rates

TRAIN, VALIDATE = rotor_rates((3, 6, 9), scatter=0.01), rotor_rates((4, 8), scatter=0.01, seed=4)
SMALL = SearchRequest(kernels=("M32", "RBF"), features=("physics",), means=("constant", "linear"))
ONE = SearchRequest(kernels=("M32",), features=("physics",), means=("linear",))


@pytest.fixture(scope="module")
def small() -> SearchResult:
    return search(TRAIN, VALIDATE, SMALL)


def same(one: SearchResult, two: SearchResult) -> bool:
    wanted = all_of(rotor_rates((5, 12)))
    a, b = one.predictor.predict(wanted), two.predictor.predict(wanted)
    tried = [tuple(replace(t, seconds=0.0) for t in result.tried) for result in (one, two)]
    return tried[0] == tried[1] and bool(
        np.array_equal(a.log10_rate, b.log10_rate)
        and np.array_equal(a.log10_half_width_68, b.log10_half_width_68)
    )


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result_in_one_or_two_processes(small: SearchResult) -> None:
    assert same(small, search(TRAIN, VALIDATE, SMALL))
    assert same(small, search(TRAIN, VALIDATE, replace(SMALL, jobs=2)))


@pytest.mark.slow
def test_a_cluster_gives_the_same_result_as_one_process(small: SearchResult, cluster: str) -> None:
    assert same(small, search(TRAIN, VALIDATE, replace(SMALL, scheduler=cluster)))


def test_every_kernel_is_tried_with_every_map_and_mean(small: SearchResult) -> None:
    assert [(t.kernel, t.features, t.mean) for t in small.tried] == [
        (kernel, "physics", mean) for mean in ("constant", "linear") for kernel in ("M32", "RBF")
    ]


def test_weights_sum_to_one_and_are_those_of_the_predictor(small: SearchResult) -> None:
    of = {(t.kernel, t.features, t.mean): t.weight for t in small.tried}
    assert sum(of.values()) == pytest.approx(1.0)
    assert sum(small.predictor.weights) == pytest.approx(1.0)
    for member, weight in zip(small.predictor.members, small.predictor.weights, strict=True):
        own = member.specification
        assert of[(own.kernel, own.features, own.mean)] == pytest.approx(weight)
    assert sum(weight > 0 for weight in of.values()) == len(small.predictor.members)


def test_errors_of_a_candidate_are_those_of_its_own_predictions() -> None:
    found = search(TRAIN, VALIDATE, ONE)
    (given_all,), (tried,) = found.predictor.members, found.tried
    member = fit_basis(training_data(TRAIN), given_all.specification, learn_from=module.COMPARE_LEARN_FROM)
    off = member.curves(all_of(VALIDATE)).mean - np.log10(VALIDATE.rate_cm3_s)
    assert tried.validation_dex_rms == pytest.approx(float(np.sqrt((off**2).mean())))
    assert found.validation.dex_rms == pytest.approx(tried.validation_dex_rms)
    off = member.leave_out(training_data(TRAIN)).mean - np.log10(TRAIN.rate_cm3_s)
    assert tried.leave_out_dex_rms == pytest.approx(float(np.sqrt((off**2).mean())))
    assert tried.bic == pytest.approx(
        -2 * member.log_likelihood + member.parameters * np.log(TRAIN.rate_cm3_s.size)
    )


def test_the_chosen_are_fitted_to_the_validation_j_too() -> None:
    found = search(TRAIN, VALIDATE, ONE)
    (member,) = found.predictor.members
    again = fit_basis(training_data(TRAIN).joined(VALIDATE), member.specification)
    wanted = all_of(rotor_rates((5, 7)))
    assert np.allclose(member.curves(wanted).mean, again.curves(wanted).mean, atol=1e-9)
    assert found.predictor.train_j == (3, 4, 6, 8, 9)
    seen = member.curves(all_of(VALIDATE)).mean - np.log10(VALIDATE.rate_cm3_s)
    assert np.sqrt((seen**2).mean()) < 0.2 * found.validation.dex_rms


def test_baselines_are_given_what_the_model_was_given_and_keep_its_temperatures() -> None:
    values = VALIDATE.rate_cm3_s.copy()
    values[0, 2] = np.nan  # as the model, they do without a curve with a gap
    gap = with_values(VALIDATE, values)
    found = search(TRAIN, gap, ONE).predictor
    given = given_to(found, TRAIN, Rates.join([TRAIN, gap]))
    assert np.array_equal(given.temperature_k, found.temperature_k)
    assert len(given) == len(TRAIN) + len(VALIDATE) - 1 == len(found.members[0].training)


def test_a_single_candidate_is_the_only_member() -> None:
    found = search(TRAIN, VALIDATE, ONE)
    assert found.predictor.weights == (1.0,)
    assert [t.weight for t in found.tried] == [1.0]


def test_the_information_criterion_takes_the_one_with_the_lowest() -> None:
    found = search(TRAIN, VALIDATE, replace(SMALL, criterion="bic"))
    assert len(found.predictor.members) == 1
    chosen = [t for t in found.tried if t.weight == 1.0]
    assert [t.bic for t in chosen] == [min(t.bic for t in found.tried if t.bic is not None)]


def test_the_composite_search_tries_sums_and_products_of_the_best_kernel() -> None:
    request = replace(SMALL, means=("constant",), composite=True)
    found = search(TRAIN, VALIDATE, request)
    first, more = found.tried[:2], found.tried[2:]
    best = min(first, key=lambda t: t.validation_dex_rms or np.inf).kernel
    assert {t.kernel for t in more[:4]} == {
        f"{best}{sign}{kernel}" for sign in "+*" for kernel in ("M32", "RBF")
    }
    assert sum(t.weight for t in found.tried) == pytest.approx(1.0)


def test_a_composite_search_stops_when_a_round_brings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every extension scores as the kernel it extends, so one round is enough."""
    monkeypatch.setattr(Tried, "score", lambda tried, criterion: 1.0)
    found = search(TRAIN, VALIDATE, replace(ONE, composite=True))
    assert [t.kernel for t in found.tried] == ["M32", "M32+M32", "M32*M32"]


@pytest.mark.parametrize("initial_j", [(6,), (1, 2)])
def test_one_training_j_or_too_few_transitions_is_refused(initial_j: tuple[int, ...]) -> None:
    with pytest.raises(RatedbError, match="training set is too small"):
        search(rotor_rates(initial_j), VALIDATE, ONE)


def test_a_kernel_that_cannot_fit_is_listed_with_its_failure_and_the_search_goes_on() -> None:
    """A rate that goes up and down with j: no plane explains half of it."""

    def wavy(initial_j: tuple[int, ...]) -> Rates:
        upper, lower = pairs_from(initial_j)
        log10_k = -11.0 + np.sin(1.1 * lower)[:, None] + 0.1 * np.log(TEMPERATURE_K)
        return table(upper, lower, log10_k)

    request = SearchRequest(kernels=("LIN", "M52"), features=("physics",), means=("constant",))
    found = search(wavy((4, 8, 12)), wavy((6,)), request)
    plane, matern = found.tried
    assert plane.failure is not None
    assert "does not explain" in plane.failure
    assert (plane.weight, plane.bic, plane.validation_dex_rms) == (0.0, None, None)
    assert (matern.failure, matern.weight) == (None, 1.0)
    with pytest.raises(RatedbError, match="no candidate could be fitted"):
        search(wavy((4, 8, 12)), wavy((6,)), replace(request, kernels=("LIN",)))


def test_validation_rates_that_are_unknown_are_left_out(small: SearchResult) -> None:
    values = VALIDATE.rate_cm3_s.copy()
    values[::3, 2] = np.nan
    found = search(TRAIN, with_values(VALIDATE, values), ONE)
    assert found.validation.values == np.isfinite(values).sum()
    assert np.isfinite(found.predictor.predict(all_of(VALIDATE)).log10_half_width_68).all()


def test_a_homonuclear_molecule_gets_its_nuclear_spin() -> None:
    for engine in ("basis", "dense"):
        spins = {s.features for s in SearchRequest().specifications("H2", engine, False)}
        assert spins
        assert all(name.endswith("+spin") for name in spins)
        assert not any("spin" in s.features for s in SearchRequest().specifications("CO", engine, False))
    rates = (rotor_rates(j, molecule="H2", seed=s) for j, s in (((3, 4, 8), 3), ((6,), 4)))
    found = search(*rates, SearchRequest(kernels=("M32",), means=("constant",)))
    assert [t.features for t in found.tried] == ["physics+spin", "paper+spin"]


def test_a_reference_adds_candidates_that_start_from_it() -> None:
    plain = {s.mean for s in SearchRequest().specifications("CO", "basis", False)}
    more = {s.mean for s in SearchRequest().specifications("CO", "basis", True)}
    assert plain == {"constant", "linear", "ios"}
    assert more - plain == {"prior+constant", "prior+linear"}


def test_a_reference_helps_when_the_truth_is_a_smooth_ratio_to_it() -> None:
    """The reference is rough in j, which four j cannot tell; the ratio to it is a slope."""

    def rough(initial_j: tuple[int, ...], ratio: float) -> Rates:
        upper, lower = pairs_from(initial_j)
        noise = np.random.default_rng(81).normal(0.0, 0.3, (J_MAX + 1, J_MAX + 1))[upper, lower]
        of_j = -11.0 - 0.1 * (upper - lower) + noise + ratio * 0.02 * upper
        return table(upper, lower, of_j[:, None] + 0.3 * np.log10(TEMPERATURE_K / 100.0))

    reference, _ = reference_rates(rough(tuple(range(J_MAX + 1)), 0.0), TEMPERATURE_K)
    training, validation = rough((3, 6, 9, 12), 1.0), rough((4, 8), 1.0)
    request = SearchRequest(kernels=("M32",), features=("physics",))
    without, found = search(training, validation, request), search(training, validation, request, reference)
    test = rough((5, 7, 10, 11), 1.0)
    errors = [
        metrics(test.rate_cm3_s, result.predictor.predict(all_of(test)).log10_rate).dex_rms
        for result in (without, found)
    ]
    assert errors[1] < 0.1 * errors[0]
    assert found.predictor.reference is reference
    assert without.predictor.reference is None


@pytest.mark.slow
def test_the_sparse_engine_can_be_asked_for() -> None:
    found = search(TRAIN, VALIDATE, replace(ONE, engine="sparse"))
    assert found.predictor.names("engine") == "sparse"
    assert all(isinstance(p, SparseProcess) for m in found.predictor.members for p in m.processes)  # type: ignore[attr-defined]
    assert found.validation.dex_rms < 0.15
    assert sum(t.weight for t in found.tried) == pytest.approx(1.0)


@pytest.mark.slow
def test_the_dense_engine_takes_one_candidate_with_the_papers_features() -> None:
    found = search(
        rotor_rates((3, 5)), rotor_rates((4,), seed=4), SearchRequest(kernels=("M32", "RBF"), engine="dense")
    )
    assert (found.predictor.names("engine"), found.predictor.names("features")) == ("dense", "paper")
    assert sorted(t.weight for t in found.tried) == [0.0, 1.0]


def test_a_set_with_more_transitions_than_are_compared_is_fitted_to_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "COMPARE_ON", 12)
    monkeypatch.setattr(module, "COMPARE_LEARN_FROM", 10)
    found = search(TRAIN, VALIDATE, ONE)
    (member,) = found.predictor.members
    assert len(member.training) == len(TRAIN) + len(VALIDATE)  # type: ignore[attr-defined]


def test_intervals_cover_held_out_rates_of_drawn_processes() -> None:
    """Curves drawn from a known process over all j; three seeds together, j inside the training's range."""
    inside, size = [], []
    for seed in (1, 2, 3):
        rates = drawn_rates(seed)
        part = [rates_of_j(rates, j, "any") for j in ((3, 6, 9, 12), (4, 8), (5, 7, 10, 11))]
        request = SearchRequest(kernels=("M32", "M52"), features=("physics",), means=("constant",))
        prediction = search(part[0], part[1], request).predictor.predict(all_of(part[2]))
        error = np.abs(prediction.log10_rate - np.log10(part[2].rate_cm3_s))
        inside.append(error <= RATIO_95_68 * prediction.log10_half_width_68)
        size.append(prediction.log10_half_width_68 / error.mean())
    assert np.mean(inside) > 0.85
    assert 0.4 < np.mean(size) < 4.0  # and not by being far too wide


def test_on_co_at_n_4_it_beats_naive_interpolation_by_far() -> None:
    rates = co_rates()
    training = rates_of_j(rates, (5, 9, 14, 19), "training")
    validation = rates_of_j(rates, (6, 10), "validation")
    found = search(training, validation, SearchRequest(kernels=("M32", "M52"), features=("physics",)))
    test = rates.select((rates.initial_j() >= 5) & ~np.isin(rates.initial_j(), (5, 9, 14, 19)))
    prediction = found.predictor.predict(all_of(test))
    model = metrics(test.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68)
    naive = metrics(test.rate_cm3_s, interpolate_in_j(training, all_of(test)))
    assert model.dex_rms < 0.4 * naive.dex_rms
    assert model.factor_p95 - 1 < 0.25 * (naive.factor_p95 - 1)


def test_a_validation_set_without_any_rate_is_refused_before_fitting() -> None:
    nothing = with_values(VALIDATE, np.full_like(VALIDATE.rate_cm3_s, np.nan))
    with pytest.raises(RatedbError, match="validation set has no usable rate"):
        search(TRAIN, nothing, ONE)


def test_features_that_never_differ_are_refused_in_words() -> None:
    even = rotor_rates((4, 6, 8))
    even = even.select(even.lower % 2 == 0)
    with pytest.raises(RatedbError, match="every feature is the same"):
        search(even, VALIDATE, SearchRequest(kernels=("M32",), features=("spin",), means=("constant",)))


def test_one_temperature_is_enough() -> None:
    def at_one(rates: Rates) -> Rates:
        return Rates(
            rates.levels,
            rates.collider,
            rates.upper,
            rates.lower,
            rates.temperature_k[:1],
            rates.rate_cm3_s[:, :1],
        )

    found = search(at_one(TRAIN), at_one(VALIDATE), ONE)
    assert found.validation.dex_rms < 0.1


def test_a_kernel_named_twice_is_tried_once() -> None:
    found = search(TRAIN, VALIDATE, replace(ONE, kernels=("m32", "M32")))
    assert [(t.kernel, t.weight) for t in found.tried] == [("M32", 1.0)]


def kill_itself(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_search_with_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "try_candidate", kill_itself)
    with pytest.raises(RatedbError, match="a process ended"):
        search(TRAIN, VALIDATE, replace(SMALL, jobs=2))


def test_a_composite_search_fits_no_sum_or_product_twice() -> None:
    request = SearchRequest(("M32", "RBF"), ("physics",), ("constant",), composite=True)
    tried = [canonical(entry.kernel) for entry in search(TRAIN, VALIDATE, request).tried]
    assert len(tried) == len(set(tried))
