"""What `fill` uses: stored as plain data, calibrated, at any temperature within the model's."""

from __future__ import annotations

import io
import json
import pickle
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rotor import TEMPERATURE_K, all_of, rotor_levels, rotor_rates, training_data

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels, Transitions, vj
from ratedb.models import basis, dense
from ratedb.models.calibration import Calibration
from ratedb.models.engine import Curves, Fitted, Specification, TrainingData
from ratedb.models.predictor import Predictor, average
from ratedb.models.reference import ReferenceRates, reference_rates
from ratedb.models.storage import from_stored, to_stored

RATES = rotor_rates((3, 6, 9), scatter=0.004)
WANTED = all_of(rotor_rates((4, 7, 12)))
CALIBRATION = Calibration(1.3, np.linspace(0.01, 0.03, 6))
TWO_BASIS = (
    Specification("basis", "M32", "physics", "linear"),
    Specification("basis", "RBF", "paper", "ios"),
)

GPFLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("sparse", "dense")]


def predictor(
    *specifications: Specification,
    weights: tuple[float, ...] = (1.0,),
    reference: ReferenceRates | None = None,
) -> Predictor:
    own = training_data(RATES)
    data = TrainingData(own.transitions, own.temperature_k, own.log10_k, reference)
    members: list[Fitted] = [
        (dense.fit if one.engine == "dense" else basis.fit)(data, one) for one in specifications
    ]
    return Predictor(
        RATES.levels, "He", (3, 6, 9), 9, TEMPERATURE_K, tuple(members), weights, CALIBRATION, reference
    )


@pytest.fixture(scope="module")
def two() -> Predictor:
    return predictor(*TWO_BASIS, weights=(0.3, 0.7))


@cache
def of_kind(kind: str) -> Predictor:
    if kind == "reference":
        reference, _ = reference_rates(rotor_rates(seed=9), TEMPERATURE_K)
        return predictor(Specification("basis", "M32", "physics", "prior+linear"), reference=reference)
    if kind == "two":
        return predictor(*TWO_BASIS, weights=(0.3, 0.7))
    return predictor(Specification(kind, "M32", "physics", "constant"))


@pytest.mark.parametrize("kind", ["two", *GPFLOW, "reference"])
def test_a_predictor_read_back_predicts_the_same_numbers(kind: str) -> None:
    before = of_kind(kind)
    state, content = to_stored(before)
    after = from_stored(json.loads(json.dumps(state)), content)
    one, two = before.predict(WANTED), after.predict(WANTED)
    for name in ("log10_rate", "log10_half_width_68", "extrapolated", "temperature_k"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert np.array_equal(before.covariance(WANTED), after.covariance(WANTED))
    for name in ("train_j", "max_abs_dj", "weights", "collider"):
        assert getattr(before, name) == getattr(after, name)
    for name in ("kernel", "features", "mean", "engine"):
        assert before.names(name) == after.names(name)
    for mine, its in zip(before.members, after.members, strict=True):
        data = replace(training_data(RATES), reference=before.reference)
        assert np.array_equal(mine.leave_out(data).mean, its.leave_out(data).mean)
        assert mine.log_likelihood == pytest.approx(its.log_likelihood)
        assert mine.parameters == its.parameters
    if kind == "reference":
        assert after.reference is not None
        assert after.reference.sha256 == before.reference.sha256  # type: ignore[union-attr]


def test_a_stored_model_is_data_never_code(two: Predictor) -> None:
    """Every array is read with pickles forbidden, and an archive with a pickle in it is refused."""
    state, content = to_stored(two)
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fi" for name in archive.files)
        arrays = {name: archive[name] for name in archive.files}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, member0_extra=np.array([{"code": 1}], dtype=object))
    for bad in (buffer.getvalue(), pickle.dumps({"a": 1})):
        with pytest.raises(RatedbError, match="cannot be read"):
            from_stored(state, bad)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_content_that_was_cut_off_is_refused(two: Predictor, share: float) -> None:
    state, content = to_stored(two)
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored(state, content[: int(share * len(content))])


def test_a_damaged_byte_is_refused_or_harmless_never_a_bare_error(two: Predictor) -> None:
    state, content = to_stored(two)
    random = np.random.default_rng(17)
    for position in [*random.integers(0, len(content), 150), 0, len(content) - 1]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(random.integers(8))
        with suppress(RatedbError):
            from_stored(state, bytes(damaged))
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored(state, b"")


@pytest.mark.parametrize(
    "change", [{"format": 1}, {"members": []}, {"weights": [1.0]}, {"labels": ["0"]}, {"train_j": None}]
)
def test_a_state_that_does_not_fit_the_content_is_refused(two: Predictor, change: dict[str, object]) -> None:
    state, content = to_stored(two)
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored({**state, **change}, content)


@pytest.mark.parametrize("name", ["format", "members", "molecule", "calibration_scale", "reference"])
def test_a_state_that_lacks_something_is_refused(two: Predictor, name: str) -> None:
    state, content = to_stored(two)
    del state[name]
    with pytest.raises(RatedbError, match="cannot be read"):
        from_stored(state, content)


def test_the_average_is_the_mixture_of_its_members() -> None:
    """Against two million draws from a mixture of three normal distributions."""
    random = np.random.default_rng(71)
    weights = (0.2, 0.5, 0.3)
    means, variances = np.array([-11.0, -10.0, -10.7]), np.array([0.04, 0.25, 0.09])
    which = random.choice(3, 2_000_000, p=weights)
    draws = random.normal(means[which], np.sqrt(variances[which]))
    curves = [Curves(np.full((1, 1), m), np.full((1, 1), v)) for m, v in zip(means, variances, strict=True)]
    found = average(curves, weights)
    assert found.mean[0, 0] == pytest.approx(draws.mean(), abs=3e-3)
    assert found.variance[0, 0] == pytest.approx(draws.var(), rel=5e-3)


def test_the_prediction_is_the_weighted_average_of_its_members(two: Predictor) -> None:
    one, other = (member.curves(WANTED) for member in two.members)
    mean = 0.3 * one.mean + 0.7 * other.mean
    second_moment = 0.3 * (one.variance + one.mean**2) + 0.7 * (other.variance + other.mean**2)
    found = two.predict(WANTED)
    assert found.log10_rate == pytest.approx(mean, abs=1e-10)
    expected = 1.3**2 * (second_moment - mean**2) + CALIBRATION.floor**2
    assert found.log10_half_width_68**2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["two", *GPFLOW])
def test_the_covariance_has_the_squared_half_width_on_its_diagonal(kind: str) -> None:
    model = of_kind(kind)
    covariance = model.covariance(WANTED)
    assert np.einsum("ntt->nt", covariance) == pytest.approx(
        model.predict(WANTED).log10_half_width_68 ** 2, rel=1e-6
    )
    assert covariance == pytest.approx(covariance.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_at_the_models_temperatures_the_prediction_is_the_same_bit_for_bit(two: Predictor) -> None:
    plain, asked = two.predict(WANTED), two.predict(WANTED, TEMPERATURE_K[[1, 4]])
    assert asked.temperature_k.tolist() == TEMPERATURE_K[[1, 4]].tolist()
    assert asked.log10_rate == pytest.approx(plain.log10_rate[:, [1, 4]], abs=1e-12)
    assert asked.log10_half_width_68 == pytest.approx(plain.log10_half_width_68[:, [1, 4]], rel=1e-12)


def test_between_two_temperatures_the_prediction_lies_near_its_neighbours(two: Predictor) -> None:
    plain = two.predict(WANTED)
    middle = np.sqrt(TEMPERATURE_K[2] * TEMPERATURE_K[3])
    asked = two.predict(WANTED, np.array([middle]))

    def near(values: FloatArray, both: FloatArray, slack: float) -> bool:
        return bool(((values > both.min(axis=1) - slack) & (values < both.max(axis=1) + slack)).all())

    assert near(asked.log10_rate[:, 0], plain.log10_rate[:, 2:4], 0.02)
    assert near(np.log(asked.log10_half_width_68[:, 0]), np.log(plain.log10_half_width_68[:, 2:4]), 0.3)
    # The made-up law is a straight line in ln T, and so is the prediction nearly.
    assert asked.log10_rate[:, 0] == pytest.approx(plain.log10_rate[:, 2:4].mean(axis=1), abs=0.05)


@pytest.mark.parametrize("kelvin", [19.0, 301.0])
def test_a_temperature_outside_is_refused(two: Predictor, kelvin: float) -> None:
    with pytest.raises(RatedbError, match="do not reach"):
        two.predict(WANTED, np.sort([100.0, kelvin]))


def test_transitions_outside_the_training_are_marked_as_extrapolated(two: Predictor) -> None:
    """Trained on j = 3, 6, 9: lower or higher j, or a |dj| above 9, is outside."""
    upper, lower = np.array([(7, 6), (9, 0), (2, 1), (10, 9), (13, 2)]).T
    found = two.predict(Transitions(rotor_levels(), upper, lower))
    assert found.extrapolated.all(axis=1).tolist() == [False, False, True, True, True]
    assert found.extrapolated.any(axis=1).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("kind", ["basis", *GPFLOW])
def test_the_half_width_grows_far_beyond_the_training_j(kind: str) -> None:
    """With a constant mean the process has something left to be unsure about."""
    model = of_kind(kind)
    upper, lower = np.array([(7, 4), (8, 5), (13, 0), (13, 1)]).T
    width = model.predict(Transitions(rotor_levels(), upper, lower)).log10_half_width_68.mean(axis=1)
    assert width[2:].min() > 1.2 * width[:2].max()


def test_intervals_are_wider_below_and_above_the_computed_j_by_what_the_ends_need(two: Predictor) -> None:
    ends = replace(two, calibration=replace(two.calibration, below=2.0, above=3.0))
    assert from_stored(*to_stored(ends)).calibration.above == 3.0
    wanted = two.levels.downward_pairs()
    ratio = ends.predict(wanted).log10_half_width_68 / two.predict(wanted).log10_half_width_68
    j = wanted.initial_j()
    expected = np.where(j < min(two.train_j), 2.0, np.where(j > max(two.train_j), 3.0, 1.0))
    assert ratio == pytest.approx(np.repeat(expected[:, None], ratio.shape[1], axis=1))
    assert {1.0} < set(expected)


def test_the_names_begin_with_the_heaviest_member(two: Predictor) -> None:
    assert tuple(map(two.names, ("kernel", "features", "mean", "engine"))) == (
        "RBF, M32",
        "paper, physics",
        "ios, linear",
        "basis",
    )


def test_only_kinds_of_transitions_that_were_trained_are_supported(two: Predictor) -> None:
    levels = Levels("AB", ("a", "b", "c"), [0.0, 3.0, 900.0], [1.0, 3.0, 1.0], vj([0, 0, 1], [0, 1, 0]))
    pairs = levels.downward_pairs()
    supported = dict(zip(pairs.names(), two.supports(pairs), strict=True))
    assert supported == {("b", "a"): True, ("c", "a"): False, ("c", "b"): False}


def test_for_a_homonuclear_molecule_each_nuclear_spin_is_a_kind_of_its_own() -> None:
    rates = rotor_rates((4, 6, 8), molecule="H2")
    member = basis.fit(training_data(rates), Specification("basis", "M32", "physics", "linear"))
    found = Predictor(rates.levels, "He", (4, 6, 8), 8, TEMPERATURE_K, (member,), (1.0,), CALIBRATION)
    assert not found.supports(all_of(rotor_rates((5,), molecule="H2"))).any()
    assert found.supports(all_of(rotor_rates((6,), molecule="H2"))).all()


def test_a_copy_for_keeping_has_no_factorised_covariance_and_predicts_the_same(two: Predictor) -> None:
    member = two.members[0]
    before = member.curves(WANTED)
    light = member.without_caches()
    assert not any(name.startswith("_") for process in light.processes for name in vars(process))  # type: ignore[attr-defined]
    assert np.array_equal(light.curves(WANTED).mean, before.mean)
