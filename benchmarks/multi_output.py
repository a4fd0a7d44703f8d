"""Whether GPflow's multi-output and sparse variational processes bring more than what ratedb uses.

`python benchmarks/multi_output.py` (10 min) writes the section `multi-output` of docs/benchmarks.md: errors
of independent processes of the basis' coefficients, of one process that shares them (linear model of
coregionalisation), of one over two colliders, and of a variational process on many transitions.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import gpflow
import numpy as np
import sets
from planner import BENCHMARKS
from report import replace_section
from unseen import SPLITS, rms, scaled_to
from vibration import xo_like

from ratedb.arrays import FloatArray
from ratedb.models import basis
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.features import feature_map
from ratedb.rates import Rates

SPECIFICATION = Specification("basis", "M32", "physics", "ios")
SYSTEMS = ("CO+p-H2", "SiO+p-H2", "SiO+He", "SiS+He", "HCN+H2", "HCO++H2")
PAIRS = (("CO+p-H2", "CO+o-H2"), ("SiO+p-H2", "SiO+He"), ("SiO+He", "SiO+p-H2"))
RANK, STEPS, INDUCING, BATCH = 2, 200, 300, 256


def computed(rates: Rates, size: int) -> tuple[Rates, Rates]:
    """Return the computed rates of the paper's split of a size, and all others."""
    train_j, validate_j = scaled_to(rates, SPLITS[size])
    known = np.isin(rates.initial_j(), (*train_j, *validate_j))
    return rates.select(known), rates.select(~known)


def shared(model: basis.BasisModel, tasks: list[FloatArray], wanted: FloatArray) -> FloatArray:
    """Return the mean of the first task, (n,), of one process over tasks (rows of inputs, output)."""
    x = np.vstack([np.column_stack([one[:, :-1], np.full(len(one), k)]) for k, one in enumerate(tasks)])
    y = np.concatenate([one[:, -1:] for one in tasks])
    columns = x.shape[1] - 1
    kernel = gpflow.kernels.Matern32(
        lengthscales=np.ones(columns), active_dims=list(range(columns))
    ) * gpflow.kernels.Coregion(output_dim=len(tasks), rank=RANK, active_dims=[columns])
    start = np.random.default_rng(0).normal(size=(len(tasks), RANK))
    kernel.kernels[1].W.assign(1.0 + 0.1 * start)
    process = gpflow.models.GPR((x, y), kernel, noise_variance=1e-3)
    gpflow.optimizers.Scipy().minimize(
        process.training_loss, process.trainable_variables, options={"maxiter": STEPS}
    )
    found, _ = process.predict_f(np.column_stack([wanted, np.zeros(len(wanted))]))
    return np.asarray(found)[:, 0]


def parts(model: basis.BasisModel, rates: Rates) -> tuple[FloatArray, FloatArray]:
    """Return standardised inputs, (n, d), and outputs of the processes, (n, c)."""
    data = TrainingData.of(rates)
    inputs = model.standardiser(feature_map(SPECIFICATION.features)(data.transitions))
    left = data.log10_k - model.mean(data.transitions)
    return inputs, model.basis.coefficients(left) / model.scale


def error_of(model: basis.BasisModel, outputs: FloatArray, test: Rates) -> float:
    """Return the error of the processes' outputs, (n, c), on the test."""
    curves = model.basis.centre + (outputs * model.scale) @ model.basis.vectors
    return rms(model.mean(test.transitions) + curves - np.log10(test.rate_cm3_s))


def coefficients_row(name: str, rates: Rates, size: int) -> str:
    """Return a row: independent processes, and one that shares all coefficients."""
    known, test = computed(rates, size)
    model = basis.fit(TrainingData.of(known), SPECIFICATION)
    inputs, outputs = parts(model, known)
    wanted, _ = parts(model, test)
    start = perf_counter()
    own = [np.column_stack([inputs, one]) for one in outputs.T]
    each = [shared(model, [own[k], *own[:k], *own[k + 1 :]], wanted) for k in range(len(own))]
    seconds = perf_counter() - start
    alone = rms(model.curves(test.transitions).mean - np.log10(test.rate_cm3_s))
    together = error_of(model, np.column_stack(each), test)
    return (
        f"| {name} | {size} | coefficients | {alone:.4f} | {together:.4f} |"
        f" {together / alone:.2f} | {seconds:.0f} |"
    )


def colliders_row(first: tuple[str, Rates], other: tuple[str, Rates], size: int) -> str:
    """Return a row: one collider alone, and with the same j and all others of another collider."""
    known, test = computed(first[1], size)
    model = basis.fit(TrainingData.of(known), SPECIFICATION)
    inputs, outputs = parts(model, known)
    wanted, _ = parts(model, test)
    reference = basis.fit(TrainingData.of(other[1]), SPECIFICATION)
    more_inputs, more = parts(reference, other[1])
    more_inputs = model.standardiser(feature_map(SPECIFICATION.features)(other[1].transitions))
    start = perf_counter()
    each = []
    for k in range(outputs.shape[1]):
        tasks = [np.column_stack([inputs, outputs[:, k]])]
        if k < more.shape[1]:
            tasks.append(np.column_stack([more_inputs, more[:, k]]))
        each.append(shared(model, tasks, wanted))
    seconds = perf_counter() - start
    alone = rms(model.curves(test.transitions).mean - np.log10(test.rate_cm3_s))
    together = error_of(model, np.column_stack(each), test)
    return (
        f"| {first[0]} | {size} | {first[0]} with all of {other[0]} | {alone:.4f} | {together:.4f} |"
        f" {together / alone:.2f} | {seconds:.0f} |"
    )


def variational_rows(rates: Rates) -> list[str]:
    """Return rows: exact, inducing points, and a variational process on the same many transitions."""
    j = rates.initial_j()
    test_j = (7, 10, 13, 16)
    known, test = rates.select(~np.isin(j, test_j)), rates.select(np.isin(j, test_j))
    truth, data = np.log10(test.rate_cm3_s), TrainingData.of(known)
    specification = Specification("basis", "M32", "symmetric", "balanced")
    rows = []
    model: Any = None
    for engine in ("basis", "sparse"):
        start = perf_counter()
        one = basis.fit(data, Specification(engine, *list(vars(specification).values())[1:]))
        error = rms(one.curves(test.transitions).mean - truth)
        rows.append(f"| {len(known)} | {engine} | {error:.4f} | {perf_counter() - start:.0f} |")
        model = model or one
    start = perf_counter()
    features = feature_map(specification.features)
    inputs, wanted = (model.standardiser(features(one.transitions)) for one in (known, test))
    outputs = model.basis.coefficients(data.log10_k - model.mean(data.transitions)) / model.scale
    each = np.column_stack([variational(inputs, one[:, None], wanted) for one in outputs.T])
    error = error_of(model, each, test)
    rows.append(f"| {len(known)} | variational (SVGP) | {error:.4f} | {perf_counter() - start:.0f} |")
    return rows


def variational(inputs: FloatArray, output: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return the posterior mean, (n,), of GPflow's SVGP with natural starts and Adam."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    inducing = inputs[draw.choice(len(inputs), INDUCING, replace=False)]
    kernel = gpflow.kernels.Matern32(lengthscales=np.ones(inputs.shape[1]))
    process = gpflow.models.SVGP(
        kernel, gpflow.likelihoods.Gaussian(0.01), inducing, num_data=len(inputs), whiten=True
    )
    batches = iter(
        tf.data.Dataset.from_tensor_slices((inputs, output)).repeat().shuffle(4096, seed=0).batch(BATCH)
    )
    loss = process.training_loss_closure(batches, compile=True)
    adam = tf.optimizers.Adam(0.02)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            value = loss()
        slopes = tape.gradient(value, process.trainable_variables)
        adam.apply_gradients(zip(slopes, process.trainable_variables, strict=True))

    for _ in range(3000):
        step()
    return np.asarray(process.predict_f(wanted)[0])[:, 0]


def main() -> int:
    """Measure and write the section."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    rows = []
    for size in (2, 4):
        for name in SYSTEMS:
            rows.append(coefficients_row(name, sets.rotational(folder, name), size))
            print(rows[-1], flush=True)
        for first, other in PAIRS:
            pair = [(name, sets.rotational(folder, name)) for name in (first, other)]
            rows.append(colliders_row(pair[0], pair[1], size))
            print(rows[-1], flush=True)
    sparse = variational_rows(xo_like(folder))
    print("\n".join(sparse))
    text = "\n".join(
        [
            "M32, features physics, mean ios, the paper's j; dex on all other j <= 20.",
            "",
            "| system | N | shared | independent | shared by GPflow | ratio | s |",
            "|---" * 7 + "|",
            *rows,
            "",
            "XO-like+He, j = 7, 10, 13, 16 left out:",
            "",
            "| transitions | engine | dex | s |",
            "|---|---|---|---|",
            *sparse,
        ]
    )
    replace_section(Path(BENCHMARKS), "multi-output", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
