"""What a training costs: against the paper's dense way, and by the number of transitions and temperatures.

`make bench-models` runs it after the accuracy; `python benchmarks/times.py` alone. Each figure comes from a
process of its own, one at a time, on two cores.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import models
import numpy as np
import sets
from report import replace_section

from ratedb.arrays import FloatArray
from ratedb.levels import Levels, vj
from ratedb.models.gpflow.kernels import build_kernel
from ratedb.models.gpflow.quiet import import_gpflow
from ratedb.models.process import random_rows
from ratedb.models.search import SearchRequest
from ratedb.paper.printed import COLUMNS
from ratedb.rates import Rates

COMPOSITE = SearchRequest(composite=True, jobs=2)
SINGLE = SearchRequest(jobs=2)
PAPER_POINTS = 600 * 19
GROWTH = (100, 300, 1000, 3000, 10_000, 30_000)
TEMPERATURES = (5, 25, 100)


def alone(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """Return a function's result, its seconds and memory (MB) in a fresh process and its children."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        result = pool.submit(_timed, function, *arguments).result()
    return result  # type: ignore[no-any-return]


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    start = perf_counter()
    result = function(*arguments)
    seconds = perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # A search with two jobs has two children of about the same size.
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return result, seconds, (own + 2 * children) / 1024.0


def auto_error(one: models.Split, request: SearchRequest) -> tuple[float, int]:
    """Return the test error of a search and how many candidates it tried."""
    measured, found = models.with_auto(one, request)
    return measured.metrics.dex_rms, len(found.tried)


def dense_error(one: models.Split) -> float:
    """Return the test error of one dense training."""
    measured = models.with_dense(one)
    return float("nan") if measured is None else measured.metrics.dex_rms


def dense_evaluation(points: int) -> None:
    """Evaluate the dense likelihood of so many points and its gradient once."""
    import_gpflow()
    import gpflow
    import tensorflow as tf

    random = np.random.default_rng(0)
    inputs, outputs = random.normal(size=(points, 9)), random.normal(size=(points, 1))
    model = gpflow.models.GPR((inputs, outputs), build_kernel("M52", 9, 2.0), noise_variance=0.1)
    with tf.GradientTape() as tape:
        loss = model.training_loss()
    tape.gradient(loss, model.trainable_variables)


def paper_size(folder: Path) -> models.Split:
    """Return 600 transitions at 19 temperatures: SiO, v <= 2, the paper's N = 6 set."""
    column = next(column for column in COLUMNS if len(column.train_j) == 6)
    rates = sets.sio_vibrational(folder, np.geomspace(10.0, 3000.0, 19), 2)
    one = models.split(rates, column.train_j, column.validate_j, 5)
    rows = random_rows(len(one.training), 0, 600)
    return models.Split(one.name, one.training.select(rows), one.validation, one.test, one.train_j)


def synthetic(transitions: int, temperatures: int, seed: int = 0) -> models.Split:
    """Return made-up smooth ro-vibrational rates: v <= 4, j <= 100, half of the j trained."""
    v, j = np.divmod(np.arange(5 * 101), 101)
    energy_cm1 = 1200.0 * v + 0.72 * j * (j + 1.0)
    labels = tuple(f"{one}_{other}" for one, other in zip(v, j, strict=True))
    levels = Levels("SiO", labels, energy_cm1, 2.0 * j + 1.0, vj(v, j))
    upper, lower = np.nonzero(energy_cm1[:, None] > energy_cm1[None, :])
    random = np.random.default_rng(seed)
    of_training = np.flatnonzero(j[upper] % 2 == 0)
    held_out = np.flatnonzero(j[upper] % 2 == 1)
    chosen = random.choice(of_training, transitions, replace=False)
    unseen = random.choice(held_out, min(transitions, 3000) + 200, replace=False)
    temperature_k = np.geomspace(10.0, 3000.0, temperatures)

    def rates(rows: Any) -> Rates:
        up, low = upper[rows], lower[rows]
        dj = np.abs(j[up] - j[low]).astype(np.float64)
        gap = energy_cm1[up] - energy_cm1[low]
        warm: FloatArray = np.log10(temperature_k / 300.0)
        spread = 1.0 + 0.5 * np.tanh((j[up] - 20.0) / 15.0)
        size = -10.0 - 0.8 * np.abs(v[up] - v[low]) ** 1.3 - 0.3 * dj**0.7 / spread - 0.15 * (dj % 2) * spread
        bend = 0.002 * np.sqrt(gap) + 0.3 * np.exp(-dj / 10.0) * spread
        curve = size[:, None] + np.outer(bend, warm) + np.outer(0.02 * np.sqrt(dj), warm**2)
        return Rates(levels, "H2", up, low, temperature_k, 10.0**curve)

    return models.Split("synthetic", rates(chosen), rates(unseen[:200]), rates(unseen[200:]), ())


def train_and_predict(transitions: int, temperatures: int) -> float:
    """Return the test error of a default search on made-up rates of this size."""
    return auto_error(synthetic(transitions, temperatures), SINGLE)[0]


def _slope(sizes: list[int], seconds: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> int:
    """Measure and write the section `times` of docs/benchmarks.md."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    lines = ["| what | s | MB | test dex_rms |", "|---|---|---|---|"]

    def add(what: str, seconds: float, memory_mb: float, error: float | None) -> None:
        lines.append(
            f"| {what} | {seconds:.1f} | {memory_mb:.0f} | {'-' if error is None else f'{error:.4f}'} |"
        )
        print(lines[-1], flush=True)

    co = models.paper_splits(sets.rotational(folder, "CO+p-H2"))[3]
    (error, tried), seconds, memory_mb = alone(auto_error, co, COMPOSITE)
    add(f"CO+p-H2, N = 6: `auto`, composite search of {tried} candidates", seconds, memory_mb, error)
    error, seconds, memory_mb = alone(dense_error, co)
    add(f"CO+p-H2, N = 6: one `dense` training, {co.points} points", seconds, memory_mb, error)
    one = paper_size(folder)
    (error, tried), paper_seconds, memory_mb = alone(auto_error, one, COMPOSITE)
    size = f"{len(one.training)} x {len(one.training.temperature_k)}"
    add(
        f"the paper's size, {size}: `auto`, composite, {tried} candidates",
        paper_seconds,
        memory_mb,
        error,
    )
    _, seconds, memory_mb = alone(dense_evaluation, PAPER_POINTS)
    add(f"the same as `dense`, {PAPER_POINTS} points: ONE likelihood and gradient", seconds, memory_mb, None)
    ratio = 100 * seconds * tried / paper_seconds
    by_size: list[float] = []
    for transitions in GROWTH:
        error, seconds, memory_mb = alone(train_and_predict, transitions, 25)
        add(f"{transitions} transitions x 25 temperatures", seconds, memory_mb, error)
        by_size.append(seconds)
    by_temperature: list[float] = []
    for count in TEMPERATURES:
        error, seconds, memory_mb = alone(train_and_predict, 300, count)
        add(f"300 transitions x {count} temperatures", seconds, memory_mb, error)
        by_temperature.append(seconds)
    text = "\n".join(
        [
            "Two cores, two jobs, one measurement at a time; seconds of search and prediction, memory of all",
            "processes. Growth is on made-up smooth rates, default search.",
            "",
            *lines,
            "",
            f"At the paper's size `dense` would need {ratio:.0f} times the time of the whole search, counting"
            " 100 evaluations for each of its candidates.",
            "",
            f"Fitted exponents: time ~ transitions^{_slope(list(GROWTH), by_size):.2f}, time ~"
            f" temperatures^{_slope(list(TEMPERATURES), by_temperature):.2f}.",
        ]
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "times", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
