"""Made-up rates of a rigid rotor for tests of models: smooth laws in j, dj and T; every seed is in sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import Levels, Transitions, vj
from ratedb.models.covariance import Covariance
from ratedb.models.engine import TrainingData
from ratedb.models.features import Standardiser, physics_features
from ratedb.rates import Rates

J_MAX = 13
TEMPERATURE_K = np.linspace(20.0, 300.0, 6)
KERNELS = (
    "LIN",
    "RBF",
    "EXP",
    "M12",
    "M32",
    "M52",
    "RQ",
    "M52*EXP+M32",
    "LIN+RBF",
    "RQ*LIN",
    "LIN*M32+RQ",
    "LIN+LIN*RBF+EXP",
)


def rotor_levels(molecule: str = "AB", j_max: int = J_MAX) -> Levels:
    j = np.arange(j_max + 1)
    return Levels(molecule, tuple(map(str, j)), 1.5 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(j_max + 1), j))


def pairs_from(initial_j: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return upper and lower level of every downward transition out of these j."""
    upper, lower = np.tril_indices(J_MAX + 1, -1)
    keep = np.isin(upper, initial_j)
    return upper[keep], lower[keep]


def rotor_rates(
    initial_j: Sequence[int] = (3, 6, 9, 12), *, scatter: float = 0.01, seed: int = 3, molecule: str = "AB"
) -> Rates:
    """Return rates of a smooth law with a little scatter, in dex."""
    upper, lower = pairs_from(initial_j)
    dj = (upper - lower)[:, None]
    bend = 0.4 * np.log10(TEMPERATURE_K / 100.0) * (1 + 0.1 * dj)
    log10_k = -10.5 - 0.25 * dj + bend + 0.02 * lower[:, None]
    log10_k += np.random.default_rng(seed).normal(0.0, scatter, log10_k.shape)
    return table(upper, lower, log10_k, molecule)


def table(upper: np.ndarray, lower: np.ndarray, log10_k: FloatArray, molecule: str = "AB") -> Rates:
    return Rates(rotor_levels(molecule), "He", upper, lower, TEMPERATURE_K, 10.0**log10_k)


def with_values(rates: Rates, values: FloatArray) -> Rates:
    return Rates(rates.levels, rates.collider, rates.upper, rates.lower, rates.temperature_k, values)


def all_of(rates: Rates) -> Transitions:
    return rates.transitions


def training_data(rates: Rates) -> TrainingData:
    return TrainingData(all_of(rates), rates.temperature_k, np.log10(rates.rate_cm3_s))


def random_problem(seed: int, rows: int = 25, dimensions: int = 3) -> tuple[FloatArray, FloatArray]:
    """Return standardised inputs (n, d) and outputs (n,) of unit spread, a bent surface with some noise."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, dimensions))
    outputs = np.sin(1.5 * inputs[:, 0]) + 0.5 * inputs[:, -1] + random.normal(0.0, 0.1, rows)
    return inputs, (outputs - outputs.mean()) / outputs.std()


def draw(kernel: str, parameters: FloatArray, inputs: FloatArray, noise: float, seed: int) -> FloatArray:
    """Return one draw from the Gaussian process with this noise variance, shape (n,)."""
    matrix = Covariance(kernel, inputs.shape[1]).matrix(parameters, inputs)
    root = np.linalg.cholesky(matrix + (noise + 1e-9) * np.eye(len(inputs)))
    return np.asarray(root @ np.random.default_rng(seed).normal(size=len(inputs)))


def drawn_rates(seed: int, noise: float = 1e-3) -> Rates:
    """Return rates of every downward transition whose curves are draws of a Matern 3/2 process.

    A level and a slope in ln T, in the physics features; noise of each in units of its variance.
    """
    upper, lower = pairs_from(range(J_MAX + 1))
    features = physics_features(Transitions(rotor_levels(), upper, lower))
    inputs = Standardiser.of(features)(features)
    parameters = Covariance("M32", inputs.shape[1]).start(3.0)
    level, slope = (draw("M32", parameters, inputs, noise, 2 * seed + part) for part in (0, 1))
    log_t = np.log(TEMPERATURE_K / 100.0)
    return table(upper, lower, -11.0 + 0.6 * level[:, None] + 0.2 * slope[:, None] * log_t)
