"""The paper's way, kept as the reference: one GPflow GPR on flattened points (transition, temperature).

Mihalik et al. (2025), section II: output log10 k, inputs T and the features of a transition, one
anisotropic kernel. n transitions at m temperatures are n m points and one likelihood costs (n m)^3. Inputs
and output are standardised, which only sets the units of the length scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError, RatedbError
from ratedb.levels import Levels, Transitions
from ratedb.models.covariance import Covariance
from ratedb.models.engine import Arrays, Curves, Reference, Specification, TrainingData, explained_share, rms
from ratedb.models.features import Standardiser, feature_map
from ratedb.models.kernels import build_kernel
from ratedb.models.means import Mean, fitted_numbers, mean_from_arrays
from ratedb.models.process import optimum, predict_block, random_rows
from ratedb.models.quiet import import_gpflow, unchecked_shapes
from ratedb.models.sparse import assign

MOST_POINTS = 6000
_LENGTH_SCALE = 2.0
# The noise variance cannot fall below these shares of the output's; the next is tried where a Cholesky fails.
_NOISE_FLOORS = (1e-6, 1e-5, 1e-4)
_NOISE_START = 1e-3
# The optimum on a part of the points is near that on all, so few of the dear steps are left.
_START_FROM = 500
_STEPS = {"lbfgs": 50, "rmsprop": 200}
_WORTHLESS_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class DenseModel:
    """A fitted GPR: `inputs` (n m, d + 1) with T last, `outputs` (n m, 1), `values` by GPflow's names."""

    specification: Specification
    mean: Mean
    standardiser: Standardiser
    temperature_k: FloatArray
    centre: float
    scale: float
    inputs: FloatArray
    outputs: FloatArray
    noise_floor: float
    values: dict[str, FloatArray]
    log_likelihood: float
    training: Transitions
    training_dex_rms: float

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

    def leave_out(self, data: TrainingData) -> Curves:
        """Return the curves of the transitions it was trained on, each predicted without its fold.

        The mean is fitted anew without the fold; hyperparameters stay.
        """
        model, m = self._regression(), len(self.temperature_k)
        noise = float(model.likelihood.variance.numpy())
        inverse = np.linalg.inv(model.kernel(self.inputs).numpy() + noise * np.eye(len(self.inputs)))
        folds = data.folds()
        result = Curves(np.empty_like(data.log10_k), np.empty_like(data.log10_k))
        for fold in np.unique(folds):
            rows = folds == fold
            of_mean = data.mean_without(self.specification.mean, int(fold))
            left = (data.log10_k - of_mean)[~rows]
            centre = float(left.mean())
            others = ((left - centre) / self.scale).ravel()
            mean, variance = predict_block(inverse, np.repeat(rows, m), others)
            result.mean[rows] = of_mean[rows] + centre + self.scale * mean.reshape(-1, m)
            result.variance[rows] = self.scale**2 * variance.reshape(-1, m)
        return result

    def stored(self) -> tuple[dict[str, Any], Arrays]:
        """Return the model as JSON values and arrays."""
        names = sorted(self.values)
        state = {
            **vars(self.specification),
            "training_dex_rms": self.training_dex_rms,
            "log_marginal_likelihood": self.log_likelihood,
            "noise_floor": self.noise_floor,
            "centre": self.centre,
            "scale": self.scale,
            "parameters": names,
        }
        arrays: Arrays = {
            "feature_centre": self.standardiser.mean,
            "feature_spread": self.standardiser.spread,
            "feature_keep": self.standardiser.keep,
            "temperature_k": self.temperature_k,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "upper": self.training.upper,
            "lower": self.training.lower,
        }
        arrays |= {f"mean_{name}": array for name, array in self.mean.arrays().items()}
        return state, arrays | {f"value_{i}": self.values[name] for i, name in enumerate(names)}

    def _inputs(self, transitions: Transitions) -> FloatArray:
        return self.standardiser(_points(self.specification.features, transitions, self.temperature_k))

    def _regression(self) -> Any:
        model = _gpr(self.specification.kernel, self.inputs, self.outputs, self.noise_floor)
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
    if n * m > MOST_POINTS:
        raise RatedbError(
            "the dense engine cannot train on so many points",
            expected=f"at most {MOST_POINTS}: a likelihood costs their third power",
            got=f"{n} transitions x {m} temperatures = {n * m}",
            todo="use --engine auto",
        )
    mean, of_mean = data.mean(specification.mean)
    left = data.log10_k - of_mean
    centre, scale = float(left.mean()), float(left.std()) or 1.0
    raw = _points(specification.features, data.transitions, data.temperature_k)
    standardiser = Standardiser.of(raw)
    inputs, outputs = standardiser(raw), ((left - centre) / scale).reshape(-1, 1)
    rows = random_rows(n * m, seed, _START_FROM)
    start = optimum(specification.kernel, inputs[rows], outputs[rows, 0]).parameters
    for floor in _NOISE_FLOORS:
        fitted = _maximise(specification.kernel, inputs, outputs, floor, start, optimiser)
        if fitted is None:
            continue
        values, likelihood, on_training = fitted
        error = of_mean + centre + scale * on_training.reshape(n, m) - data.log10_k
        if explained_share(data.log10_k, data.log10_k + error) > _WORTHLESS_SHARE:
            return DenseModel(
                specification,
                mean,
                standardiser,
                data.temperature_k,
                centre,
                scale,
                inputs,
                outputs,
                floor,
                values,
                likelihood - n * m * float(np.log(scale)),
                data.transitions,
                rms(error),
            )
    raise FitError(
        f"{specification} (dense) does not explain its own training data",
        expected=f"an explained share above {_WORTHLESS_SHARE}",
        got="a worthless optimum, or a covariance without a Cholesky factor, with every noise floor",
        todo="choose another kernel, or check the training rates",
    )


def from_stored(
    state: dict[str, Any],
    arrays: Arrays,
    levels: Levels,
    reference: Reference | None,
) -> DenseModel:
    """Return the model that `stored()` wrote; `levels` are the molecule's."""
    specification = Specification(state["engine"], state["kernel"], state["features"], state["mean"])
    means = {name.removeprefix("mean_"): array for name, array in arrays.items() if name.startswith("mean_")}
    return DenseModel(
        specification,
        mean_from_arrays(specification.mean, means, reference),
        Standardiser(
            arrays["feature_centre"], arrays["feature_spread"], arrays["feature_keep"].astype(np.int64)
        ),
        arrays["temperature_k"],
        state["centre"],
        state["scale"],
        arrays["inputs"],
        arrays["outputs"],
        state["noise_floor"],
        {name: arrays[f"value_{index}"] for index, name in enumerate(state["parameters"])},
        state["log_marginal_likelihood"],
        Transitions(levels, arrays["upper"].astype(np.int64), arrays["lower"].astype(np.int64)),
        state["training_dex_rms"],
    )


def _points(features: str, transitions: Transitions, temperature_k: FloatArray) -> FloatArray:
    """Return the features of every transition at every temperature, T last, shape (n m, d + 1)."""
    table = feature_map(features)(transitions)
    repeated = np.repeat(table, len(temperature_k), axis=0)
    return np.column_stack([repeated, np.tile(temperature_k, len(table))])


def _gpr(kernel: str, inputs: FloatArray, outputs: FloatArray, floor: float) -> Any:
    import_gpflow()
    import gpflow

    return gpflow.models.GPR(
        (inputs, outputs),
        build_kernel(kernel, inputs.shape[1], _LENGTH_SCALE),
        likelihood=gpflow.likelihoods.Gaussian(variance=_NOISE_START, variance_lower_bound=floor),
    )


def _maximise(
    kernel: str,
    inputs: FloatArray,
    outputs: FloatArray,
    floor: float,
    start: FloatArray,
    optimiser: str,
) -> tuple[dict[str, FloatArray], float, FloatArray] | None:
    """Return the optimum's parameters, likelihood and fit; None where a covariance had no Cholesky factor."""
    model = _gpr(kernel, inputs, outputs, floor)
    import gpflow
    import tensorflow as tf

    assign(model.kernel, Covariance(kernel, inputs.shape[1]), start[:-1])
    model.likelihood.variance.assign(max(float(np.exp(start[-1])), 2.0 * floor))

    try:
        with unchecked_shapes():
            if optimiser == "lbfgs":
                gpflow.optimizers.Scipy().minimize(
                    model.training_loss,
                    model.trainable_variables,
                    tf_fun_args={"autograph": False},
                    options={"maxiter": _STEPS[optimiser]},
                )
            else:
                _rmsprop(model, _STEPS[optimiser])
        likelihood = float(model.log_marginal_likelihood())
        fitted = model.predict_f(inputs)[0].numpy()
    except tf.errors.InvalidArgumentError:
        return None
    if not (np.isfinite(likelihood) and np.isfinite(fitted).all()):
        return None
    # The unconstrained values: a constrained one that has reached its bound cannot be assigned again.
    values = {
        name: np.array(parameter.unconstrained_variable.numpy(), dtype=np.float64)
        for name, parameter in gpflow.utilities.parameter_dict(model).items()
    }
    return values, likelihood, fitted


def _rmsprop(model: Any, steps: int) -> None:
    """The paper's optimiser, RMSProp with learning rate 1 that falls as 1/sqrt(step), to come to rest."""
    import tensorflow as tf

    loss = tf.function(model.training_loss, autograph=False)
    squares = [tf.zeros_like(variable) for variable in model.trainable_variables]
    for step in range(1, steps + 1):
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, model.trainable_variables)
        for index, (variable, gradient) in enumerate(zip(model.trainable_variables, gradients, strict=True)):
            kept = 0.9 if step > 1 else 0.0
            squares[index] = kept * squares[index] + (1.0 - kept) * gradient**2
            variable.assign_sub(gradient / (tf.sqrt(squares[index]) + 1e-8) / step**0.5)
