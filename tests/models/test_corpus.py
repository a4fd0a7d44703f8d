"""The corpus: what other molecules tell of a new one, without the molecule itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rotor import rotor_rates

from ratedb.errors import RatedbError
from ratedb.layers import RATIO_95_68
from ratedb.levels import Levels, vj
from ratedb.models.basis import fit as fit_basis
from ratedb.models.corpus import model as model_module
from ratedb.models.corpus import table as module
from ratedb.models.corpus.fit import covariances, fit_law
from ratedb.models.corpus.intervals import CELLS, UNLIKE_NEIGHBOURS_DEX, IntervalTable, place_of, quantiles
from ratedb.models.corpus.kernel import scaled_temperature
from ratedb.models.corpus.law import NUMBERS, SuddenLaw, rotational_constant
from ratedb.models.corpus.learning import START_SHAPE, _of_numbers, _to_numbers, learn, measured_intervals
from ratedb.models.corpus.model import CORPUS, applies, fit
from ratedb.models.corpus.table import Corpus, elements, shipped_corpus
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.metrics import metrics
from ratedb.models.reference import reference_rates
from ratedb.models.search import SearchRequest, search
from ratedb.models.storage import from_stored, to_stored
from ratedb.physics.wigner import squared_3j_000
from ratedb.rates import Rates

TEMPERATURE_K = np.geomspace(20.0, 300.0, 6)
SEED = 20261126


def rotor(molecule: str, constant_cm1: float, highest_j: int = 20) -> Levels:
    j = np.arange(highest_j + 1)
    labels = tuple(map(str, j))
    return Levels(molecule, labels, constant_cm1 * j * (j + 1.0), 2.0 * j + 1.0, vj(np.zeros_like(j), j))


def drawn(molecule: str, constant_cm1: float, seed: int, *, scatter: float = 0.02) -> Rates:
    """Return rates of a sudden law with its own numbers and a little scatter that is smooth in j."""
    draw = np.random.default_rng(seed)
    levels = rotor(molecule, constant_cm1)
    upper, lower = np.nonzero(np.tri(21, k=-1))
    rates = Rates(levels, "He", upper, lower, TEMPERATURE_K, np.ones((len(upper), len(TEMPERATURE_K))))
    law = SuddenLaw(rates.transitions, constant_cm1)
    base = np.array([-10.4, -10.7, -11.3, -12.6, -10.6, -10.9, -11.4, -12.8, 0.01, -9.0])
    base[:8] += draw.normal(0.0, 0.15, 8)
    slope = draw.normal(0.0, 0.1)
    curves = [law.value(base + slope * np.log10(t / 100.0)) for t in TEMPERATURE_K]
    wave = scatter * np.sin(0.3 * upper + 0.2 * lower + draw.uniform(0.0, 6.0))
    return replace(rates, rate_cm3_s=10.0 ** (np.stack(curves, axis=1) + wave[:, None]))


def of_j(rates: Rates, *initial_j: int) -> Rates:
    return rates.select(np.flatnonzero(np.isin(rates.initial_j(), initial_j)))


@pytest.fixture(scope="module")
def small() -> Corpus:
    """A corpus of four made-up molecules."""
    names = {"XO": 0.7, "XS": 0.3, "YO": 1.4, "YN": 1.9}
    systems = {
        f"{name}+He": (TrainingData.of(drawn(name, constant, SEED + seed)), "made up")
        for seed, (name, constant) in enumerate(names.items())
    }
    corpus = learn(systems, rounds=2, shape_rounds=())
    return replace(corpus, intervals=measured_intervals(corpus, systems))


def test_the_law_is_the_sum_over_orders_at_its_own_numbers() -> None:
    levels = rotor("XO", 0.7)
    rates = Rates(levels, "He", [3, 4], [1, 3], TEMPERATURE_K, np.ones((2, 6)))
    numbers = np.array([-10.0, -10.5, -11.0, -12.0, -10.2, -10.7, -11.2, -12.2, 0.02, -8.0])
    law = SuddenLaw(rates.transitions, 0.7)
    even, odd = (
        np.linalg.solve([[1, x - 1, np.log10(x), np.sqrt(x) - 1] for x in knots], part)
        for knots, part in (((2, 4, 8, 16), numbers[:4]), ((1, 3, 7, 15), numbers[4:8]))
    )

    def slow(j: int, final: int) -> float:
        total = 0.0
        for order in range(abs(j - final), j + final + 1):
            shape = [1, order - 1, np.log10(order), np.sqrt(order) - 1]
            k = 10.0 ** float(np.dot(odd if order % 2 else even, shape))
            square = squared_3j_000(*(np.array([x]) for x in (j, order, final)))[0]
            total += (2 * final + 1) * float(square) * k
        gap = levels.energy_cm1[j] - levels.energy_cm1[final]
        corrected = 1.0 + np.exp(-8.0) * (2 * 0.7 * j) ** 2
        return float(np.log10(total) - 0.02 * np.sqrt(gap) - 2.0 * np.log10(corrected))

    assert law.value(numbers) == pytest.approx([slow(3, 1), slow(4, 3)], abs=1e-10)
    _, slopes = law.value_and_slopes(numbers)
    for k in range(NUMBERS):
        step = np.zeros(NUMBERS)
        step[k] = 1e-5
        difference = (law.value(numbers + step) - law.value(numbers - step)) / 2e-5
        assert slopes[:, k] == pytest.approx(difference, abs=1e-6)


def test_the_prediction_is_that_of_the_joint_normal_distribution(small: Corpus) -> None:
    """With a law that is almost linear in its numbers, the slow way is one large Gaussian regression."""
    data = TrainingData.of(of_j(drawn("ZO", 1.1, SEED + 9), 5, 12))
    model = fit(data, small)
    wanted = of_j(drawn("ZO", 1.1, SEED + 9), 8).transitions
    constant, k = rotational_constant(wanted.levels), 3
    amplitude = model.kernel.amplitudes(model.log_variance, scaled_temperature(TEMPERATURE_K, constant))
    own = covariances(model.kernel.parts(data.transitions), amplitude)
    law = SuddenLaw(data.transitions, constant)
    fitted = fit_law(law, data.log10_k, model.prior, own)
    at, new = fitted.numbers[k], SuddenLaw(wanted, constant)
    (value, slopes), (new_value, new_slopes) = law.value_and_slopes(at), new.value_and_slopes(at)
    cross = covariances(model.kernel.parts(wanted, data.transitions), amplitude)[k]
    prior = model.prior.covariance
    both = own[k] + slopes @ prior @ slopes.T
    weights = np.linalg.solve(both, data.log10_k[:, k] - value + slopes @ (at - model.prior.numbers[k]))
    slow = new_value - new_slopes @ (at - model.prior.numbers[k])
    slow = slow + (cross + new_slopes @ prior @ slopes.T) @ weights
    assert model.curves(wanted).mean[:, k] == pytest.approx(slow, abs=1e-4)
    both_new = cross + new_slopes @ prior @ slopes.T
    variance = amplitude[k] @ model.kernel.variances(wanted) + np.diag(new_slopes @ prior @ new_slopes.T)
    variance = variance - np.diag(both_new @ np.linalg.solve(both, both_new.T))
    assert model.curves(wanted).variance[:, k] == pytest.approx(variance, rel=1e-3)


@pytest.mark.parametrize(
    "asked",
    [
        {"engine": "basis"},
        {"engine": "sparse"},
        {"kernels": ("M32",)},
        {"features": ("paper",)},
        {"means": ("ios",)},
        {"optimiser": "rmsprop"},
        {"composite": True},
        {"criterion": "bic"},
        {"corpus": "off"},
    ],
)
def test_what_is_asked_for_by_name_is_not_replaced_by_the_corpus(asked: dict[str, object]) -> None:
    assert SearchRequest().asks_corpus
    assert not SearchRequest(**asked).asks_corpus  # type: ignore[arg-type]


def test_another_data_set_as_prior_mean_is_not_replaced_by_the_corpus(small: Corpus) -> None:
    rates, other = drawn("ZO", 1.0, SEED + 5), drawn("ZO", 1.0, SEED + 6)
    reference, _ = reference_rates(other, TEMPERATURE_K)
    found = search(of_j(rates, 5, 18), of_j(rates, 6, 9), SearchRequest(), reference, corpus=small)
    assert CORPUS not in [one.specification for one in found.predictor.members]
    assert any(one.mean.startswith("prior+") for one in found.tried)


def test_levels_that_are_no_rotor_s_are_left_to_the_other_candidates(small: Corpus) -> None:
    rates = drawn("ZO", 1.0, SEED)
    falling = replace(rates.levels, energy_cm1=np.zeros(len(rates.levels)))
    assert not applies(replace(rates, levels=falling).transitions)


def test_blocks_of_wanted_transitions_make_no_difference(
    small: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = drawn("ZO", 1.0, SEED)
    model = fit(TrainingData.of(of_j(rates, 5, 12)), small)
    whole = model.curves(rates.transitions)
    monkeypatch.setattr(model_module, "_AT_ONCE", 7)
    parts = model.curves(rates.transitions)
    assert np.allclose(whole.mean, parts.mean, atol=1e-12)
    assert np.allclose(whole.variance, parts.variance, atol=1e-12)


def test_one_computed_j_is_enough_and_its_intervals_hold(small: Corpus) -> None:
    """Curves of the same kind as the corpus'; three seeds together."""
    inside = []
    for seed in (21, 22, 23):
        rates = drawn("ZO", 1.0, SEED + seed)
        found = search(of_j(rates, 12), of_j(rates), SearchRequest(), corpus=small)
        test = rates.select(np.flatnonzero(rates.initial_j() != 12))
        prediction = found.predictor.predict(test.transitions)
        error = np.abs(prediction.log10_rate - np.log10(test.rate_cm3_s))
        assert np.sqrt((error**2).mean()) < 0.3
        inside.append(error <= RATIO_95_68 * prediction.log10_half_width_68)
    assert np.mean(inside) > 0.9


def test_no_validation_j_is_needed(small: Corpus) -> None:
    rates = drawn("ZO", 1.0, SEED + 4)
    found = search(of_j(rates, 5, 12, 18), of_j(rates), SearchRequest(), corpus=small)
    assert found.predictor.train_j == (5, 12, 18)
    assert found.validation.transitions == 35  # the training j, each predicted from the others


def test_without_a_corpus_one_j_is_refused() -> None:
    rates = drawn("ZO", 1.0, SEED)
    with pytest.raises(RatedbError, match="too small"):
        search(of_j(rates, 12), of_j(rates, 6), SearchRequest())


def test_with_a_corpus_it_beats_the_same_search_without(small: Corpus) -> None:
    rates = drawn("ZO", 1.0, SEED + 5)
    test = rates.select(np.flatnonzero(~np.isin(rates.initial_j(), (5, 18, 6, 9))))
    errors = []
    for corpus in (small, None):
        found = search(of_j(rates, 5, 18), of_j(rates, 6, 9), SearchRequest(), corpus=corpus)
        prediction = found.predictor.predict(test.transitions)
        errors.append(metrics(test.rate_cm3_s, prediction.log10_rate).dex_rms)
    assert errors[0] < 0.7 * errors[1]


def test_the_molecule_itself_is_never_in_its_own_corpus(small: Corpus) -> None:
    """A twin with another name has the same rotational constant; an isotopologue the same elements."""
    twin, out = small.without("AB", 0.7001)
    assert out == ("XO+He",)
    assert "XO+He" not in [one.system for one in twin.systems]
    assert shipped_corpus().without("13C18O", 1.75)[1] == shipped_corpus().without("CO", 1.9225)[1]
    rates = drawn("AB", 0.7001, SEED)
    found = search(of_j(rates, 5, 18), of_j(rates, 6, 9), SearchRequest(), corpus=small)
    assert any("XO+He" in note for note in found.notes)
    (member,) = found.predictor.members
    prior = twin.prior(TEMPERATURE_K, rotational_constant(rates.levels))
    assert np.array_equal(member.prior.numbers, prior.numbers)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("13CO", "CO"),
        ("C18O", "CO"),
        ("28SiO", "SiO"),
        ("DCO+", "HCO+"),
        ("N2H+", "15NNH+"),
        ("HCN(hfs)", "HCN"),
        ("p-H2", "H2"),
    ],
)
def test_isotopologues_have_the_same_elements(name: str, same: str) -> None:
    assert elements(name) == elements(same)
    assert elements("HCN") != elements("HNC")


def test_a_molecule_outside_the_corpus_is_trusted_less_and_said_so(small: Corpus) -> None:
    near, far = (small.prior(TEMPERATURE_K, constant).covariance for constant in (1.0, 20.0))
    assert (np.diag(far) > 1.5 * np.diag(near)).all()
    rates = drawn("HF", 20.0, SEED)
    found = search(of_j(rates, 5, 18), of_j(rates, 6, 9), SearchRequest(), corpus=small)
    assert any("outside what the corpus knows" in note for note in found.notes)


def test_a_damaged_corpus_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORMAT", 99)
    shipped_corpus.cache_clear()
    with pytest.raises(RatedbError, match=r"corpus .* cannot be read"):
        shipped_corpus()
    monkeypatch.undo()
    assert len(shipped_corpus().systems) >= 10


def test_a_corpus_of_one_molecule_is_refused(small: Corpus) -> None:
    alone = replace(small, systems=small.systems[:1])
    with pytest.raises(RatedbError, match="too small"):
        alone.prior(TEMPERATURE_K, 1.0)


def test_a_corpus_and_its_models_survive_storage(small: Corpus) -> None:
    again = Corpus.of_json(json.loads(json.dumps(small.to_json())))
    one, other = (corpus.prior(TEMPERATURE_K, 1.0) for corpus in (small, again))
    assert np.allclose(one.numbers, other.numbers, atol=1e-3)
    assert np.allclose(one.covariance, other.covariance, rtol=0.01, atol=1e-6)
    rates = drawn("ZO", 1.0, SEED)
    found = search(of_j(rates, 5, 18), of_j(rates, 6, 9), SearchRequest(), corpus=small).predictor
    assert [one.specification for one in found.members] == [CORPUS]
    read = from_stored(*to_stored(found))
    first, second = found.predict(rates.transitions), read.predict(rates.transitions)
    assert np.array_equal(first.rate_cm3_s, second.rate_cm3_s)
    assert np.array_equal(first.log10_half_width_68, second.log10_half_width_68)


def test_the_kernel_shape_and_its_free_numbers_are_one_to_one() -> None:
    numbers = _to_numbers(START_SHAPE)
    assert _to_numbers(_of_numbers(numbers)) == pytest.approx(numbers)


def test_samples_have_the_mean_and_spread_of_the_prediction(small: Corpus) -> None:
    rates = drawn("ZO", 1.0, SEED + 3)
    model = fit(TrainingData.of(of_j(rates, 5, 12, 18)), small)
    wanted = of_j(rates, 8, 14).transitions
    samples = model.sample(wanted, 4000, np.random.default_rng(SEED))
    curves = model.curves(wanted)
    deviation = np.sqrt(curves.variance)
    assert np.abs(samples.mean(axis=0) - curves.mean).max() < 0.1 * deviation.max()
    assert samples.std(axis=0) == pytest.approx(deviation, rel=0.1)
    covariance = model.covariance(wanted)
    assert np.diagonal(covariance, axis1=1, axis2=2) == pytest.approx(curves.variance)


def test_leaving_a_fold_out_is_conditioning_on_the_others(small: Corpus) -> None:
    data = TrainingData.of(of_j(drawn("ZO", 1.0, SEED), 5, 12, 18))
    model = fit(data, small)
    rows = data.initial_j() == 12
    others = model.conditioned(data.select(np.flatnonzero(~rows)))
    assert np.array_equal(
        model.leave_out(data).mean[rows], others.curves(data.transitions.select(np.flatnonzero(rows))).mean
    )


def test_intervals_are_quantiles_over_the_systems_left_out() -> None:
    draw = np.random.default_rng(SEED)
    place, cell = np.repeat([0, 1, 2], 400), np.zeros((1200, 3), dtype=np.int64)
    wide = {
        f"S{k}": np.stack([quantiles(draw.normal(size=(1200, 3)), np.ones((1200, 3)), place, cell)] * 5)
        for k in range(6)
    }
    factors = IntervalTable(wide).factors(4)
    assert factors.shape == (3, CELLS)
    # about as wide as the quantile says, and wider above the computed j
    assert ((factors[:, 0] * RATIO_95_68 > 0.85 * 1.96) & (factors[:, 0] * RATIO_95_68 < 2.3 * 1.96)).all()
    assert factors[2, 0] > factors[1, 0]
    assert IntervalTable({}).factors(4) == pytest.approx(1.96 / RATIO_95_68)
    assert place_of(np.array([1, 5, 7, 19, 20]), (5, 19)).tolist() == [0, 1, 1, 1, 2]


def test_no_interval_is_narrower_than_what_sets_one_j_apart(small: Corpus) -> None:
    rates = drawn("CS", 0.8, 61, scatter=0.0)
    found = search(of_j(rates, 5, 8, 11, 14, 17, 19), of_j(rates, 6, 9), SearchRequest(), corpus=small)
    assert found.predictor.names("kernel") == "corpus"
    wanted = of_j(rates, 7, 12).transitions
    half_width = RATIO_95_68 * found.predictor.predict(wanted).log10_half_width_68
    assert (half_width >= UNLIKE_NEIGHBOURS_DEX).all()
    diagonal = np.einsum("imm->im", found.predictor.covariance(wanted))
    assert RATIO_95_68 * np.sqrt(diagonal) == pytest.approx(half_width)


def test_vibration_is_not_the_corpus_business() -> None:
    rates = rotor_rates((3, 6))
    assert applies(rates.transitions)
    levels = Levels(
        "XO", ("a", "b"), np.array([0.0, 9.0]), np.ones(2), vj(np.array([0, 1]), np.zeros(2, int))
    )
    assert not applies(Rates(levels, "He", [1], [0], TEMPERATURE_K, np.ones((1, 6))).transitions)


def test_more_computed_j_never_change_the_hyperparameters_of_a_process() -> None:
    data, more = rotor_rates((3, 6, 9)), rotor_rates((4, 8))
    model = fit_basis(TrainingData.of(data), Specification("basis", "M32", "physics", "ios"))
    both = model.conditioned(TrainingData.of(data).joined(more))
    for before, after in zip(model.processes, both.processes, strict=True):
        assert np.array_equal(before.parameters, after.parameters)
        assert len(after.inputs) == len(data) + len(more)
