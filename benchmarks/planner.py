"""The planner measured: the search over all sets of a known system, and how far its scores can be trusted.

`make bench-planner` writes the section `planner` of docs/benchmarks.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sets
from report import replace_section
from scipy.stats import spearmanr
from times import alone

from ratedb.io.lamda import read_lamda
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.kernels import DISTINCT_KERNELS
from ratedb.models.process import random_rows
from ratedb.models.workers import workers
from ratedb.options import PlanOptions
from ratedb.planning.exhaustive import ExhaustiveResult, known_system, search_sets
from ratedb.planning.request import PlanRequest
from ratedb.planning.screening import SetScore, TrialSet, refit, trial_sets

TARGET, GIVEN, SIZES = tuple(range(5, 21)), (5,), (2, 3, 4, 5, 6)
RANDOM_SETS = 200
PAPER_TRAININGS = 34_601  # seven kernels on every set
BENCHMARKS = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class Search(NamedTuple):
    """The search of CO, and the numbers of what it scored."""

    result: ExhaustiveResult
    data: TrainingData


def search_co(lamda: Path) -> Search:
    """Search all sets of CO, as `plan --strategy exhaustive --jobs 2` does."""
    rates = next(p.rates for p in read_lamda(lamda).partners if p.rates.collider == "p-H2")
    request = PlanRequest(rates.system, TARGET, GIVEN, sizes=SIZES)
    return Search(
        search_sets(rates, request, PlanOptions(jobs=2)), TrainingData.of(known_system(rates, TARGET)[0])
    )


def refit_all(data: TrainingData, trials: Sequence[TrialSet]) -> list[SetScore]:
    """Return every set trained by itself, with its best kernel by test error."""
    with workers(2) as pool:
        return list(pool.run(partial(_best_refit, data), trials))


def _best_refit(data: TrainingData, trial: TrialSet) -> SetScore:
    found = [refit(data, Specification("basis", k, "physics", "linear"), trial) for k in DISTINCT_KERNELS]
    return min(found, key=lambda score: np.inf if np.isnan(score.dex_rms) else score.dex_rms)


def screened(scores: Sequence[SetScore]) -> dict[TrialSet, float]:
    """Return the best score of each set over the kernels."""
    best: dict[TrialSet, float] = {}
    for score in scores:
        best[score.trial] = min(score.dex_rms, best.get(score.trial, np.inf))
    return best


def dense_seconds() -> float:
    """Return what one dense training of CO, N = 6, took when `make bench-models` measured it last."""
    row = re.search(r"one `dense` training, \d+ points \| ([\d.]+)", BENCHMARKS.read_text(encoding="utf-8"))
    if row is None:
        raise ValueError(f"{BENCHMARKS} has no dense training: run `make bench-models` first")
    return float(row[1])


def main() -> int:
    """Measure and write the section."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    of_dense = dense_seconds()
    search, seconds, memory_mb = alone(search_co, folder / "co-h2-rot-yang2010" / "co.dat")
    trials = trial_sets(TARGET, GIVEN, SIZES)
    chosen = [trials[row] for row in random_rows(len(trials), 0, RANDOM_SETS)]
    again, refit_seconds, _ = alone(refit_all, search.data, chosen)
    screen = screened(search.result.scores)
    own = np.array([screen[score.trial] for score in again])
    anew = np.array([score.dex_rms for score in again])
    best = again[int(np.argmin(anew))]
    above = sum(value < screen[best.trial] for value in screen.values()) / len(screen)
    place = 1 + int((own < screen[best.trial]).sum())
    lines = [
        "CO+p-H2, j = 5..20, j = 5 given, N = 2..6, two cores. Written by `make bench-planner`.",
        "",
        "| what | measured |",
        "|---|---|",
        f"| sets, scores | {len(trials)}, {len(search.result.scores)} (M12 and EXP are one kernel) |",
        f"| search, with the best trained anew | {seconds:.0f} s, {memory_mb:.0f} MB |",
        f"| the paper's {PAPER_TRAININGS} trainings at {of_dense:.0f} s each |"
        f" {PAPER_TRAININGS * of_dense / 86400:.0f} days |",
        f"| {len(again)} random sets trained by themselves, best of the kernels | {refit_seconds:.0f} s |",
        f"| Spearman of their scores with these errors | {spearmanr(own, anew)[0]:.3f} |",
        f"| the best of these trained ones, by its score | number {place} of {len(again)} |",
        f"| of all sets, those that score better than it | {100 * above:.1f} % |",
        "",
        "| N | best set trained anew | kernel | test dex_rms |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one.n} | {','.join(map(str, one.train_j))} | {one.kernel} | {one.test_dex_rms:.4f} |"
        for one in search.result.candidates
    ]
    print("\n".join(lines))
    replace_section(BENCHMARKS, "planner", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
