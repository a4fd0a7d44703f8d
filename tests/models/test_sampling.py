"""Joint samples: as wide as the intervals say, centred on the prediction, together as the model says."""

from __future__ import annotations

from dataclasses import replace
from types import MethodType, SimpleNamespace

import numpy as np
import pytest
from rotor import TEMPERATURE_K, all_of, rotor_rates, training_data

from ratedb.errors import RatedbError
from ratedb.layers import RATIO_95_68
from ratedb.models import basis
from ratedb.models.calibration import Calibration
from ratedb.models.dense import DenseModel
from ratedb.models.engine import Specification
from ratedb.models.predictor import Predictor
from ratedb.models.process import Process
from ratedb.models.sampling import sampled_deviations

RATES = rotor_rates((3, 6, 9), scatter=0.004)
WANTED = all_of(rotor_rates((4, 7)))
SEED = 11


def predictor(scale: float, floor: float) -> Predictor:
    members = tuple(
        basis.fit(training_data(RATES), Specification("basis", *names))
        for names in (("M32", "physics", "linear"), ("RBF", "paper", "ios"))
    )
    calibration = Calibration(scale, np.full(len(TEMPERATURE_K), floor))
    return Predictor(RATES.levels, "He", (3, 6, 9), 9, TEMPERATURE_K, members, (0.4, 0.6), calibration)


@pytest.mark.parametrize(("scale", "floor"), [(1.3, 0.0), (1e-6, 0.02), (1.0, 0.005)])
def test_samples_are_as_wide_as_the_stated_intervals(scale: float, floor: float) -> None:
    model = predictor(scale, floor)
    drawn = sampled_deviations(model, WANTED, 4000, np.random.default_rng(SEED))
    half_width = model.predict(WANTED).log10_half_width_68
    inside_68 = (np.abs(drawn) <= half_width).mean(axis=0)
    inside_95 = (np.abs(drawn) <= RATIO_95_68 * half_width).mean(axis=0)
    assert abs(np.median(inside_68) - 0.683) < 0.04
    assert abs(np.median(inside_95) - 0.95) < 0.02
    assert np.abs(np.median(drawn, axis=0)).max() < 0.35 * half_width.max()


def test_transitions_out_of_one_j_share_the_floor_and_others_do_not() -> None:
    drawn = sampled_deviations(predictor(1e-9, 0.02), WANTED, 500, np.random.default_rng(SEED))[:, :, 0]
    _, j = WANTED.levels.need_vj()
    initial = j[WANTED.upper]
    together = np.corrcoef(drawn.T)
    same = initial[:, None] == initial[None, :]
    assert together[same].min() > 0.999
    assert np.abs(together[~same]).max() < 0.35


def test_the_joint_posterior_has_the_marginals_of_the_posterior() -> None:
    member = predictor(1.0, 0.0).members[0]
    assert isinstance(member, basis.BasisModel)
    process = member.processes[0]
    assert isinstance(process, Process)
    wanted = process.inputs[::2] + 0.1
    mean, variance = process.posterior(wanted)
    joint_mean, covariance = process.joint(wanted)
    np.testing.assert_allclose(joint_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(np.diag(covariance), variance, rtol=1e-6, atol=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_the_same_seed_gives_the_same_samples_and_a_dense_model_none() -> None:
    first, second = (
        sampled_deviations(predictor(1.0, 0.01), WANTED, 30, np.random.default_rng(SEED)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    # A dense model takes seconds to fit.
    no_basis = SimpleNamespace(specification=Specification("dense", "M32", "paper", "constant"))
    no_basis.sample = MethodType(DenseModel.sample, no_basis)
    model = replace(predictor(1.0, 0.01), members=(no_basis,), weights=(1.0,))
    with pytest.raises(RatedbError, match="no joint samples"):
        sampled_deviations(model, WANTED, 30, np.random.default_rng(SEED))
