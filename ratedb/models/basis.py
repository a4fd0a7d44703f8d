"""The fast engine: a temperature basis, and one Gaussian process over transitions for its coefficients.

Every transition has the same temperatures, so log10 k(x, T) = m(T) + sum_c z_c(x) u_c(T) + small rest, with
the u_c from a singular value decomposition of the training curves. The coefficients z_c are independent
Gaussian processes over transitions only (the orthogonal linear mixing model, Bruinsma et al. 2020): for n
transitions and m temperatures one likelihood costs n^3 instead of (n m)^3. Each coefficient is scaled to unit
spread and all share one kernel, which is what GPflow's GPR does with several outputs; learning the length
scales from all coefficients at once is far more robust than from each alone.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.errors import FitError, RatedbError
from ratedb.models.features import Standardiser, Transitions, feature_map
from ratedb.models.kernels import build_kernel
from ratedb.models.quiet import import_gpflow, unchecked_shapes
from ratedb.tables import BoolArray, FloatArray, IntArray, Prediction, RateTable

# A basis vector whose singular value is below this share of the first carries, on real rates, less than
# the scatter between neighbouring transitions; its coefficient only roughens the shared length scales.
_BASIS_CUTOFF = 0.01
_NOISE_START = 1e-3
_MAX_ITERATIONS = 200
# Starting length scales in units of the features' spread. The second and later are only used where the fit
# from the one before does not explain its own training data.
_LENGTH_SCALES = (2.0, 0.7, 5.0)
_WORTHLESS_R2 = 0.5


@dataclass(frozen=True, eq=False)
class TemperatureBasis:
    """Orthonormal temperature curves: `mean` (m,), `vectors` (c, m), and the variance (m,) of the rest."""

    mean: FloatArray
    vectors: FloatArray
    rest_variance: FloatArray

    @staticmethod
    def of(log10_k: FloatArray) -> TemperatureBasis:
        """Return the basis of training curves, shape (n, m)."""
        mean = log10_k.mean(axis=0)
        _, singular, vectors = np.linalg.svd(log10_k - mean, full_matrices=False)
        count = max(1, int((singular > _BASIS_CUTOFF * singular[0]).sum()))
        kept = vectors[:count]
        rest = (log10_k - mean) - (log10_k - mean) @ kept.T @ kept
        return TemperatureBasis(mean, kept, (rest**2).mean(axis=0))

    def coefficients(self, log10_k: FloatArray) -> FloatArray:
        """Return the coefficients of curves, shape (n, c)."""
        return (log10_k - self.mean) @ self.vectors.T


@dataclass(frozen=True, eq=False)
class BasisModel:
    """A trained model of one system: everything that is needed to predict, as plain arrays.

    `inputs` (n, d) are standardised features and `outputs` (n, c) scaled coefficients of the training
    transitions; `parameters` are the kernel's and likelihood's unconstrained values by GPflow's names;
    `calibration` multiplies the standard deviations.
    """

    molecule: str
    collider: str
    kernel: str
    features: str
    train_j: tuple[int, ...]
    max_abs_dj: int
    temperature_k: FloatArray
    standardiser: Standardiser
    basis: TemperatureBasis
    scale: FloatArray
    inputs: FloatArray
    outputs: FloatArray
    parameters: dict[str, FloatArray]
    log_marginal_likelihood: float
    training_dex_rms: float
    calibration: float = 1.0

    engine = "basis"


def fit(training: RateTable, kernel: str, features: str, seed: int = 0) -> BasisModel:
    """Fit the engine to complete, positive training rates; the same seed gives the same model.

    Raises RatedbError where the training set has fewer than two initial j or too few transitions, or
    where no start of the optimiser leads to a fit that explains its own training data.
    """
    train_j = tuple(sorted(set(training.initial_j().tolist())))
    if len(train_j) < 2 or len(training) < 4:
        raise RatedbError(
            "the training set is too small",
            where=training.system,
            expected="two or more initial j with four or more transitions",
            got=f"j = {list(train_j)}, {len(training)} transitions",
        )
    import_gpflow()
    log10_k = np.log10(training.rate_cm3_s)
    basis = TemperatureBasis.of(log10_k)
    coefficients = basis.coefficients(log10_k)
    scale = coefficients.std(axis=0)
    scale[scale < 1e-12] = 1.0
    transitions = Transitions(training.levels, training.upper, training.lower)
    raw = feature_map(features)(transitions)
    standardiser = Standardiser.of(raw)
    inputs, outputs = standardiser(raw), coefficients / scale
    parameters, likelihood, fitted = _optimise(inputs, outputs, kernel, seed, training.system)
    residual = fitted * scale @ basis.vectors + basis.mean - log10_k
    _, j = training.levels.need_vj()
    return BasisModel(
        molecule=training.levels.molecule,
        collider=training.collider,
        kernel=kernel,
        features=features,
        train_j=train_j,
        max_abs_dj=int(np.abs(j[training.lower] - j[training.upper]).max()),
        temperature_k=training.temperature_k,
        standardiser=standardiser,
        basis=basis,
        scale=scale,
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
        log_marginal_likelihood=likelihood,
        training_dex_rms=float(np.sqrt((residual**2).mean())),
    )


def predict(model: BasisModel, wanted: Transitions) -> Prediction:
    """Return mean and standard deviation of log10 k for transitions, at the model's temperatures.

    The variance is sum_c u_c(T)^2 var_c(x) plus the noise and what the basis leaves out, times the
    square of the calibration.
    """
    inputs = model.standardiser(feature_map(model.features)(wanted))
    log10_mean, log10_std = _posterior(model, model.inputs, model.outputs, inputs)
    return Prediction(
        levels=wanted.levels,
        collider=model.collider,
        upper=wanted.upper,
        lower=wanted.lower,
        temperature_k=model.temperature_k,
        log10_mean=log10_mean,
        log10_std=log10_std,
        extrapolated=_extrapolated(model, wanted),
    )


def predict_each_j_from_others(model: BasisModel, initial_j: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of log10 k of the training transitions, each j from the others.

    `initial_j`, shape (n,), belongs to the rows of the model's inputs. The kernel is kept as it is; only
    the data of one j at a time are left out, so this costs one small solve for each.
    """
    mean = np.empty((len(initial_j), len(model.temperature_k)))
    std = np.empty_like(mean)
    for j in np.unique(initial_j):
        rest, held_out = initial_j != j, initial_j == j
        mean[held_out], std[held_out] = _posterior(
            model, model.inputs[rest], model.outputs[rest], model.inputs[held_out]
        )
    return mean, std


def to_stored(model: BasisModel) -> tuple[dict[str, Any], bytes]:
    """Return the model as JSON values and the bytes of a NumPy archive without objects."""
    names = sorted(model.parameters)
    state: dict[str, Any] = {
        "format": 1,
        "molecule": model.molecule,
        "collider": model.collider,
        "kernel": model.kernel,
        "features": model.features,
        "train_j": list(model.train_j),
        "max_abs_dj": model.max_abs_dj,
        "log_marginal_likelihood": model.log_marginal_likelihood,
        "training_dex_rms": model.training_dex_rms,
        "calibration": model.calibration,
        "parameters": names,
    }
    arrays: dict[str, Any] = {
        "temperature_k": model.temperature_k,
        "feature_mean": model.standardiser.mean,
        "feature_spread": model.standardiser.spread,
        "feature_keep": model.standardiser.keep,
        "basis_mean": model.basis.mean,
        "basis_vectors": model.basis.vectors,
        "basis_rest_variance": model.basis.rest_variance,
        "scale": model.scale,
        "inputs": model.inputs,
        "outputs": model.outputs,
    }
    for number, name in enumerate(names):
        arrays[f"parameter_{number}"] = model.parameters[name]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return state, buffer.getvalue()


def from_stored(state: dict[str, Any], content: bytes) -> BasisModel:
    """Return the model that `to_stored` wrote; raises RatedbError where the content is damaged."""
    try:
        if state["format"] != 1:
            raise ValueError(f"format {state['format']}")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return BasisModel(
                molecule=state["molecule"],
                collider=state["collider"],
                kernel=state["kernel"],
                features=state["features"],
                train_j=tuple(state["train_j"]),
                max_abs_dj=state["max_abs_dj"],
                temperature_k=arrays["temperature_k"],
                standardiser=Standardiser(
                    arrays["feature_mean"], arrays["feature_spread"], arrays["feature_keep"]
                ),
                basis=TemperatureBasis(
                    arrays["basis_mean"], arrays["basis_vectors"], arrays["basis_rest_variance"]
                ),
                scale=arrays["scale"],
                inputs=arrays["inputs"],
                outputs=arrays["outputs"],
                parameters={
                    name: arrays[f"parameter_{number}"] for number, name in enumerate(state["parameters"])
                },
                log_marginal_likelihood=state["log_marginal_likelihood"],
                training_dex_rms=state["training_dex_rms"],
                calibration=state["calibration"],
            )
    except (KeyError, ValueError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise RatedbError(
            "the stored model cannot be read",
            expected="a model of format 1",
            got=repr(error),
            todo="train it again",
        ) from error


def _posterior(
    model: BasisModel, inputs: FloatArray, outputs: FloatArray, wanted: FloatArray
) -> tuple[FloatArray, FloatArray]:
    import_gpflow()
    regression = _regression(inputs, outputs, model.kernel, _LENGTH_SCALES[0])
    _assign(regression, model.parameters)
    mean, variance = regression.predict_y(wanted)
    z, z_variance = mean.numpy() * model.scale, variance.numpy() * model.scale**2
    log10_variance = z_variance @ model.basis.vectors**2 + model.basis.rest_variance
    return (
        z @ model.basis.vectors + model.basis.mean,
        model.calibration * np.sqrt(np.maximum(log10_variance, 0.0)),
    )


def _regression(inputs: FloatArray, outputs: FloatArray, kernel: str, length_scale: float) -> Any:
    import gpflow

    return gpflow.models.GPR(
        (inputs, outputs), build_kernel(kernel, inputs.shape[1], length_scale), noise_variance=_NOISE_START
    )


def _optimise(
    inputs: FloatArray, outputs: FloatArray, kernel: str, seed: int, system: str
) -> tuple[dict[str, FloatArray], float, FloatArray]:
    """Maximise the marginal likelihood; start again where the optimum does not explain the training data."""
    import gpflow

    random = np.random.default_rng(seed)
    for attempt, length_scale in enumerate(_LENGTH_SCALES):
        start = length_scale if attempt == 0 else length_scale * float(np.exp(random.normal(0.0, 0.2)))
        regression = _regression(inputs, outputs, kernel, start)
        try:
            # Most of a small training is tracing the graph; GPflow needs no AutoGraph for it.
            with unchecked_shapes():
                gpflow.optimizers.Scipy().minimize(
                    regression.training_loss,
                    regression.trainable_variables,
                    tf_fun_args={"autograph": False},
                    options={"maxiter": _MAX_ITERATIONS},
                )
            fitted = regression.predict_f(inputs)[0].numpy()
        except Exception as error:  # a Cholesky that fails is TensorFlow's own error class
            if "Cholesky" not in str(error) and "invertible" not in str(error):
                raise
            continue
        likelihood = float(regression.log_marginal_likelihood())
        explained = 1.0 - float(((fitted - outputs) ** 2).sum() / ((outputs - outputs.mean(0)) ** 2).sum())
        if np.isfinite(likelihood) and explained > _WORTHLESS_R2:
            return _parameters(regression), likelihood, fitted
        if kernel == "LIN":
            break  # it has no length scale, so another start would be the same
    raise FitError(
        f"kernel {kernel} does not explain its own training data",
        where=system,
        expected=f"an explained share above {_WORTHLESS_R2}",
        got="no start of the optimiser that ended above it",
        todo="choose another kernel, or check the training rates",
    )


def _parameters(regression: Any) -> dict[str, FloatArray]:
    # The unconstrained values: a constrained one that has reached its bound cannot be assigned again.
    import gpflow

    named = gpflow.utilities.parameter_dict(regression)
    return {
        name: np.array(parameter.unconstrained_variable.numpy(), dtype=np.float64)
        for name, parameter in named.items()
    }


def _assign(regression: Any, parameters: dict[str, FloatArray]) -> None:
    import gpflow

    for name, parameter in gpflow.utilities.parameter_dict(regression).items():
        parameter.unconstrained_variable.assign(parameters[name])


def _extrapolated(model: BasisModel, wanted: Transitions) -> BoolArray:
    _, j = wanted.levels.need_vj()
    initial: IntArray = j[wanted.upper]
    dj = np.abs(j[wanted.lower] - initial)
    outside: BoolArray = (
        (dj > model.max_abs_dj) | (initial > max(model.train_j)) | (initial < min(model.train_j))
    )
    return outside
