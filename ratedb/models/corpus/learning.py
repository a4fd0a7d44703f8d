"""Learn a corpus from whole systems: law numbers of each, their spread, variances, and the kernel's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from ratedb.arrays import FloatArray
from ratedb.models.corpus.fit import LawFit, covariances, fit_log_variances
from ratedb.models.corpus.intervals import CELLS, PLACES, SIZES, IntervalTable, cell_of, place_of, quantiles
from ratedb.models.corpus.kernel import KernelShape, scaled_temperature
from ratedb.models.corpus.law import SuddenLaw, rotational_constant
from ratedb.models.corpus.model import fit
from ratedb.models.corpus.table import USUAL_LOG_VARIANCE, Corpus, CorpusSystem, Prior
from ratedb.models.engine import TrainingData

COMPUTED = {
    1: (14,),
    4: (5, 6, 9, 18),
    5: (5, 6, 9, 16, 19),
    6: (5, 6, 9, 10, 14, 19),
    8: (5, 6, 8, 9, 11, 14, 17, 19),
}
"""Computed j for which intervals are measured: the paper's training and validation j of N = 2, 3, 4, 6."""

_LAST_J = 19
_TEMPERATURES = 8
_STEPS = 8

START_SHAPE = KernelShape(
    line_dj_length=1.5,
    line_parity=0.4,
    smooth_j_length=2.5,
    smooth_dj_length=2.5,
    smooth_final_length=6.7,
    smooth_parity=0.48,
    rough_j_length=12.0,
    rough_final_length=20.0,
    rough_parity=0.31,
    rough_power=0.5,
    odd_final_length=11.0,
    odd_power=0.5,
    noise_power=0.5,
    slopes=(0.0, 0.0, -1.0, -1.5, -1.5),
)
_POWERS = ("rough_power", "odd_power", "noise_power")
_SHARES = ("line_parity", "smooth_parity", "rough_parity")
_FIRST_NUMBERS = np.array([-10.5, -10.8, -11.5, -13.0, -10.5, -10.8, -11.4, -13.0, 0.0, -9.0])
_FIRST_SPREAD = np.array([0.5, 0.5, 0.7, 1.0, 0.5, 0.5, 0.7, 1.0, 0.05, 1.5])


def learn(
    systems: Mapping[str, tuple[TrainingData, str]], *, rounds: int = 5, shape_rounds: Sequence[int] = (1, 3)
) -> Corpus:
    """Return the corpus of systems, each with complete curves and the name of its source.

    Each round fits every system with the prior of all in the round before; in some rounds the shape of the
    kernel is improved by the marginal likelihood of all.
    """
    shape = START_SHAPE
    corpus = Corpus((), shape, IntervalTable({}))
    for number in range(rounds):
        fitted = {
            name: learn_system(name, data, source, shape, corpus) for name, (data, source) in systems.items()
        }
        if number in shape_rounds:
            shape = _better_shape(shape, [(systems[name][0], *fitted[name]) for name in systems])
        corpus = Corpus(tuple(one for one, _, _ in fitted.values()), shape, IntervalTable({}))
    return corpus


def learn_system(
    name: str, data: TrainingData, source: str, shape: KernelShape, corpus: Corpus
) -> tuple[CorpusSystem, LawFit, Prior]:
    """Return what one system tells, given what others do."""
    data = _thinned(data)
    transitions = data.transitions
    constant = rotational_constant(transitions.levels)
    prior = _first_prior(len(data.temperature_k))
    if corpus.systems:
        prior = corpus.prior(data.temperature_k, constant)
    scaled = scaled_temperature(data.temperature_k, constant)
    law = SuddenLaw(transitions, constant)
    log_variance, found = fit_log_variances(
        law, data.log10_k, prior, shape.parts(transitions), lambda at: shape.amplitudes(at, scaled)
    )
    one = CorpusSystem(
        name,
        transitions.levels.molecule,
        source,
        len(transitions),
        constant,
        data.temperature_k,
        found.numbers,
        found.covariance,
        log_variance,
    )
    return one, found, prior


def measured_intervals(corpus: Corpus, systems: Mapping[str, tuple[TrainingData, str]]) -> IntervalTable:
    """Return the quantiles of errors on each system, predicted by the corpus without its molecule."""
    return IntervalTable({name: _quantiles(corpus, data) for name, (data, _) in systems.items()})


def _quantiles(corpus: Corpus, data: TrainingData) -> FloatArray:
    levels, j = data.transitions.levels, data.initial_j()
    constant = rotational_constant(levels)
    rest, _ = corpus.without(levels.molecule, constant)
    result = np.full((len(SIZES), len(PLACES), CELLS + 1), np.nan)
    scale = min(1.0, int(j.max()) / _LAST_J)  # a set that ends earlier gets the same shares of its j
    for number, size in enumerate(SIZES):
        computed = sorted({max(1, round(one * scale)) for one in COMPUTED[size]})
        known = np.isin(j, computed)
        model = fit(data.select(np.flatnonzero(known)), rest)
        wanted = data.transitions.select(np.flatnonzero(~known))
        curves = model.curves(wanted)
        _, initial, _, final = wanted.vj().T
        cell = cell_of(np.abs(initial - final), scaled_temperature(data.temperature_k, constant))
        error = curves.mean - data.log10_k[~known]
        result[number] = quantiles(error, np.sqrt(curves.variance), place_of(initial, computed), cell)
    return result


def _thinned(data: TrainingData) -> TrainingData:
    m = len(data.temperature_k)
    columns = np.unique(np.linspace(0, m - 1, _TEMPERATURES).round().astype(int))
    return TrainingData(data.transitions, data.temperature_k[columns], data.log10_k[:, columns])


def _first_prior(temperatures: int) -> Prior:
    return Prior(
        np.tile(_FIRST_NUMBERS, (temperatures, 1)),
        np.diag(_FIRST_SPREAD**2),
        USUAL_LOG_VARIANCE,
        np.full(len(USUAL_LOG_VARIANCE), 2.0),
    )


def _better_shape(
    shape: KernelShape, fitted: Sequence[tuple[TrainingData, CorpusSystem, LawFit, Prior]]
) -> KernelShape:
    """Return the shape with a larger marginal likelihood of all systems, each molecule counting the same."""
    molecules = [one.molecule for _, one, _, _ in fitted]
    start, first = _to_numbers(shape), _to_numbers(START_SHAPE)

    def loss(numbers: FloatArray) -> float:
        trial = _of_numbers(numbers)
        total = sum(
            _deviance(trial, _thinned(data), one, law, prior) / molecules.count(one.molecule)
            for data, one, law, prior in fitted
        )
        return total + 0.5 * float((((numbers - first) / 1.5) ** 2).sum())

    bounds = [(one - 3.0, one + 3.0) for one in first]
    evaluations = int(_STEPS * len(start) * 1.3)
    found = minimize(
        loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS, "maxfun": evaluations}
    )
    return _of_numbers(found.x)


def _deviance(shape: KernelShape, data: TrainingData, one: CorpusSystem, law: LawFit, prior: Prior) -> float:
    """Return minus the mean log marginal likelihood of every other temperature, up to a constant."""
    n = len(data.transitions)
    scaled = scaled_temperature(data.temperature_k, one.rotational_constant_cm1)[::2]
    each = covariances(shape.parts(data.transitions), shape.amplitudes(one.log_variance, scaled))
    total = 0.0
    for covariance, k in zip(each, range(0, len(data.temperature_k), 2), strict=True):
        slopes = law.slopes[k]
        off = law.residual[:, k] + slopes @ (law.numbers[k] - prior.numbers[k])
        matrix = covariance + slopes @ prior.covariance @ slopes.T + 1e-12 * np.eye(n)
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            return 1e9
        scaled_off = np.linalg.solve(factor, off)
        total += float(np.log(np.diag(factor)).sum() + 0.5 * scaled_off @ scaled_off)
    return total / len(each)


def _to_numbers(shape: KernelShape) -> FloatArray:
    """Return lengths as logarithms, correlations as logits, and powers as they are, shape (18,)."""
    numbers = []
    for name, value in vars(shape).items():
        if name == "slopes":
            numbers += list(value)
        elif name in _SHARES:
            numbers.append(float(np.log(value / (1.0 - value))))
        else:
            numbers.append(value if name in _POWERS else float(np.log(value)))
    return np.array(numbers)


def _of_numbers(numbers: FloatArray) -> KernelShape:
    values: dict[str, float] = {}
    names = [name for name in vars(START_SHAPE) if name != "slopes"]
    for name, number in zip(names, numbers, strict=False):
        if name in _SHARES:
            values[name] = float(1.0 / (1.0 + np.exp(-number)))
        else:
            values[name] = float(number if name in _POWERS else np.exp(number))
    return replace(START_SHAPE, **values, slopes=tuple(map(float, numbers[len(names) :])))
