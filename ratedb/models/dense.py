"""The paper's model, for reference: one GPflow GPR on flattened points (transition, temperature).

Mihalik et al. (2025), section II: output log10 k, inputs T and the features of a transition, one
anisotropic kernel. n transitions at m temperatures are n m points and one likelihood costs (n m)^3. Inputs
and output are standardised, which only sets the units of the length scales.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError, RatedbError
from ratedb.levels import Levels, Transitions
from ratedb.models.engine import (
    WORTHLESS_SHARE,
    Arrays,
    Curves,
    FittedModel,
    Reference,
    Specification,
    TrainingData,
    explained_share,
    no_joint_samples,
    rms,
)
from ratedb.models.features import Standardiser, feature_map
from ratedb.models.gpflow.regression import maximise, regression
from ratedb.models.means import fitted_numbers
from ratedb.models.process import NOISE_FLOOR, optimum, predict_block, random_rows

MOST_POINTS = 6000
# The noise variance cannot fall below these shares of the output's; the next is tried where a Cholesky fails.
_NOISE_FLOORS = (NOISE_FLOOR, 10 * NOISE_FLOOR, 100 * NOISE_FLOOR)
_START_FROM = 500


@dataclass(frozen=True, eq=False)
class DenseModel(FittedModel):
    """A fitted GPR: `inputs` (n m, d + 1) with T last, `outputs` (n m, 1), `values` by GPflow's names."""

    temperature_k: FloatArray
    centre: float
    scale: float
    inputs: FloatArray
    outputs: FloatArray
    noise_floor: float
    values: dict[str, FloatArray]
    log_likelihood: float

    @property
    def parameters(self) -> int:
        """How many numbers were fitted: kernel, noise, and the mean's."""
        return fitted_numbers(self.mean) + sum(value.size for value in self.values.values())

    @property
    def likelihood_values(self) -> int:
        """How many values the likelihood is of."""
        return len(self.outputs)

    def without_caches(self) -> DenseModel:
        """Return the model itself: it keeps nothing that can be computed again."""
        return self

    def curves(self, transitions: Transitions) -> Curves:
        """Return the posterior mean and variance, noise included, of log10 k."""
        mean, variance = self._regression().predict_y(self._inputs(transitions))
        shape = (len(transitions), len(self.temperature_k))
        return Curves(
            self.mean(transitions) + self.centre + self.scale * mean.numpy().reshape(shape),
            self.scale**2 * variance.numpy().reshape(shape),
        )

    def covariance(self, transitions: Transitions) -> FloatArray:
        """Return the posterior covariance of log10 k between temperatures, shape (n, m, m)."""
        model, m = self._regression(), len(self.temperature_k)
        points = self._inputs(transitions).reshape(len(transitions), m, -1)
        noise = float(model.likelihood.variance.numpy()) * np.eye(m)
        each = [model.predict_f(rows, full_cov=True)[1].numpy()[0] + noise for rows in points]
        covariance: FloatArray = self.scale**2 * np.stack(each)
        return covariance

    def sample(self, transitions: Transitions, count: int, draw: np.random.Generator) -> FloatArray:
        """Raise RatedbError: this engine gives no joint samples."""
        raise no_joint_samples(self.specification.engine)

    def leave_out(self, data: TrainingData) -> Curves:
        """Return the curves of the transitions it was trained on, each predicted without its fold.

        The mean is fitted anew without the fold; hyperparameters stay.
        """
        model, m = self._regression(), len(self.temperature_k)
        noise = float(model.likelihood.variance.numpy())
        inverse = np.linalg.inv(model.kernel(self.inputs).numpy() + noise * np.eye(len(self.inputs)))
        result = Curves(np.empty_like(data.log10_k), np.empty_like(data.log10_k))
        for rows, of_mean, rest in data.left_out_folds(self.specification.mean):
            centre = float(rest.mean())
            others = ((rest - centre) / self.scale).ravel()
            mean, variance = predict_block(inverse, np.repeat(rows, m), others)
            result.mean[rows] = of_mean + centre + self.scale * mean.reshape(-1, m)
            result.variance[rows] = self.scale**2 * variance.reshape(-1, m)
        return result

    def conditioned(self, data: TrainingData) -> DenseModel:
        """Return the model with the same kernel, given other curves."""
        mean, of_mean = data.mean(self.specification.mean)
        points = self.standardiser(_points(self.specification.features, data.transitions, self.temperature_k))
        outputs = ((data.log10_k - of_mean - self.centre) / self.scale).reshape(-1, 1)
        return replace(self, mean=mean, training=data.transitions, inputs=points, outputs=outputs)

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""
        names = sorted(self.values)
        state, arrays = self.stored_parts()
        state |= {
            "log_marginal_likelihood": self.log_likelihood,
            "noise_floor": self.noise_floor,
            "centre": self.centre,
            "scale": self.scale,
            "parameters": names,
        }
        arrays |= {"temperature_k": self.temperature_k, "inputs": self.inputs, "outputs": self.outputs}
        return state, arrays | {f"value_{i}": self.values[name] for i, name in enumerate(names)}

    def _inputs(self, transitions: Transitions) -> FloatArray:
        return self.standardiser(_points(self.specification.features, transitions, self.temperature_k))

    def _regression(self) -> Any:
        model = regression(self.specification.kernel, self.inputs, self.outputs, self.noise_floor)
        import gpflow

        for name, parameter in gpflow.utilities.parameter_dict(model).items():
            parameter.unconstrained_variable.assign(self.values[name])
        return model


def fit(
    data: TrainingData,
    specification: Specification,
    *,
    seed: int = 0,
    optimiser: str = "lbfgs",
    learn_from: int = 0,
) -> DenseModel:
    """Fit one GPR to all points, whatever `learn_from`; `seed` draws those the optimiser starts from.

    Raises RatedbError above MOST_POINTS points, FitError where no noise floor gives a usable fit.
    """
    n, m = data.log10_k.shape
    _need_few_points(n, m)
    mean, of_mean = data.mean(specification.mean)
    left = data.log10_k - of_mean
    centre, scale = float(left.mean()), float(left.std()) or 1.0
    raw = _points(specification.features, data.transitions, data.temperature_k)
    standardiser = Standardiser.of(raw)
    inputs, outputs = standardiser(raw), ((left - centre) / scale).reshape(-1, 1)
    rows = random_rows(n * m, seed, _START_FROM)
    start = optimum(specification.kernel, inputs[rows], outputs[rows, 0]).parameters
    for floor in _NOISE_FLOORS:
        fitted = maximise(specification.kernel, inputs, outputs, floor, start, optimiser)
        if fitted is None:
            continue
        values, likelihood, on_training = fitted
        error = of_mean + centre + scale * on_training.reshape(n, m) - data.log10_k
        if explained_share(data.log10_k, data.log10_k + error) > WORTHLESS_SHARE:
            likelihood -= n * m * float(np.log(scale))
            parts = specification, mean, standardiser, data.transitions, rms(error), data.temperature_k
            return DenseModel(*parts, centre, scale, inputs, outputs, floor, values, likelihood)
    raise FitError(
        f"{specification} (dense) does not explain its own training data",
        expected=f"an explained share above {WORTHLESS_SHARE}",
        got="a worthless optimum, or a covariance without a Cholesky factor, with every noise floor",
        todo="choose another kernel, or check the training rates",
    )


def _need_few_points(transitions: int, temperatures: int) -> None:
    points = transitions * temperatures
    if points > MOST_POINTS:
        raise RatedbError(
            "the dense engine cannot train on so many points",
            expected=f"at most {MOST_POINTS}: a likelihood costs their third power",
            got=f"{transitions} transitions x {temperatures} temperatures = {points}",
            todo="use --engine auto",
        )


def from_stored(
    state: dict[str, Any], arrays: Arrays, levels: Levels, reference: Reference | None
) -> DenseModel:
    """Return the model that `stored()` wrote; `levels` are the molecule's."""
    parts = FittedModel.read_parts(state, arrays, levels, reference)
    return DenseModel(
        **vars(parts),
        temperature_k=arrays["temperature_k"],
        centre=state["centre"],
        scale=state["scale"],
        inputs=arrays["inputs"],
        outputs=arrays["outputs"],
        noise_floor=state["noise_floor"],
        values={name: arrays[f"value_{index}"] for index, name in enumerate(state["parameters"])},
        log_likelihood=state["log_marginal_likelihood"],
    )


def _points(features: str, transitions: Transitions, temperature_k: FloatArray) -> FloatArray:
    """Return the features of every transition at every temperature, T last, shape (n m, d + 1)."""
    table = feature_map(features)(transitions)
    repeated = np.repeat(table, len(temperature_k), axis=0)
    return np.column_stack([repeated, np.tile(temperature_k, len(table))])
