"""GPflow's regressions: GPR on all points for the dense engine, SGPR's bound for the sparse one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import FitError
from ratedb.models.covariance import Covariance
from ratedb.models.gpflow.kernels import assign, build_kernel, read
from ratedb.models.gpflow.quiet import import_gpflow, unchecked_shapes
from ratedb.models.process import NOISE_FLOOR, NOISE_START, noise_variance, rmsprop

_LENGTH_SCALE = 2.0
# The optimum on a part of the points is near that on all, so few of the expensive steps are left.
_STEPS = {"lbfgs": 50, "rmsprop": 200}
_SPARSE_STEPS = 15


def regression(kernel: str, inputs: FloatArray, outputs: FloatArray, floor: float) -> Any:
    """Return GPflow's GPR with a noise variance above a floor, not yet fitted."""
    import_gpflow()
    import gpflow

    return gpflow.models.GPR(
        (inputs, outputs),
        build_kernel(kernel, inputs.shape[1], _LENGTH_SCALE),
        likelihood=gpflow.likelihoods.Gaussian(variance=NOISE_START, variance_lower_bound=floor),
    )


def maximise(
    kernel: str,
    inputs: FloatArray,
    outputs: FloatArray,
    floor: float,
    start: FloatArray,
    optimiser: str,
) -> tuple[dict[str, FloatArray], float, FloatArray] | None:
    """Return the optimum's parameters, likelihood and fit; None where a covariance had no Cholesky factor."""
    model = regression(kernel, inputs, outputs, floor)
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
                _descend(model, _STEPS[optimiser])
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


def _descend(model: Any, steps: int) -> None:
    """Minimise a model's loss by RMSProp."""
    import gpflow
    import tensorflow as tf

    variables, optimizer = model.trainable_variables, gpflow.optimizers.Scipy
    loss = tf.function(model.training_loss, autograph=False)

    def put(parameters: FloatArray) -> None:
        optimizer.assign_tensors(variables, optimizer.unpack_tensors(variables, parameters))

    def value_and_gradient(parameters: FloatArray) -> tuple[float, FloatArray]:
        put(parameters)
        with tf.GradientTape() as tape:
            value = loss()
        return float(value), optimizer.pack_tensors(tape.gradient(value, variables)).numpy()

    start = optimizer.pack_tensors(variables).numpy()
    put(rmsprop(value_and_gradient, start, steps, (-np.inf, np.inf)).parameters)


def improve_sparse(
    kernel: str, inputs: FloatArray, outputs: FloatArray, inducing: FloatArray, start: FloatArray
) -> tuple[FloatArray, float]:
    """Maximise SGPR's bound from `start`; return log parameters with log noise last, and the bound.

    Raises FitError where the covariance of the inducing points has no Cholesky factor.
    """
    import_gpflow()
    import gpflow
    import tensorflow as tf

    covariance = Covariance(kernel, inputs.shape[1])
    model = gpflow.models.SGPR(
        (inputs, outputs[:, None]),
        build_kernel(kernel, inputs.shape[1], 1.0),
        inducing,
        noise_variance=noise_variance(start) + NOISE_FLOOR,
    )
    gpflow.set_trainable(model.inducing_variable, False)
    assign(model.kernel, covariance, start[:-1])
    try:
        with unchecked_shapes():
            gpflow.optimizers.Scipy().minimize(
                model.training_loss,
                model.trainable_variables,
                tf_fun_args={"autograph": False},
                options={"maxiter": _SPARSE_STEPS},
            )
    except tf.errors.InvalidArgumentError as error:
        raise FitError(
            f"kernel {kernel}: the covariance of the inducing points has no Cholesky factor",
            todo="choose another kernel",
        ) from error
    noise = max(float(model.likelihood.variance.numpy()) - NOISE_FLOOR, 1e-12)
    return np.append(read(model.kernel, covariance), np.log(noise)), float(model.elbo().numpy())
