"""Training sets chosen before anything is computed, against the best of all sets found afterwards.

`make bench-planner` runs it after planner.py; it writes the sections `variance` and `cluster` of
docs/benchmarks.md. Whatever is chosen is trained as `train` does by default, and tested on every other j.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import planner
import sets
from report import replace_section

from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import rms
from ratedb.models.search import search
from ratedb.models.training_set import complete_curves
from ratedb.models.workers import workers
from ratedb.numbers import format_integers
from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.exhaustive import search_sets
from ratedb.planning.knowledge import KnownRates
from ratedb.planning.next_j import next_j
from ratedb.planning.request import PlanRequest
from ratedb.planning.screening import trial_sets
from ratedb.planning.sets import spread_set, validation_set
from ratedb.planning.state import state_of
from ratedb.planning.variance import plan_by_variance
from ratedb.rates import Rates

ROTORS = ("CO+p-H2", "SiO+He", "SiS+He", "HCN+H2")
SIMILAR = {"CO+p-H2": "CO+o-H2", "SiO+He": "SiO+p-H2"}
"""The same molecule with another collider."""
ROVIBRATIONAL = "H2+H"
GIVEN_TO = 5
COMPARED, CURVE = (3, 4, 5, 6), tuple(range(2, 9))
Set = tuple[int, ...]


class Case(NamedTuple):
    """A system that is known, and what is to be planned as if it were not."""

    rates: Rates
    request: PlanRequest


def load(folder: Path, name: str) -> Case:
    """Return a system; H2 + H with v <= 1, the others with v = 0; j from the given 0..5 to 20 or the last."""
    if name == ROVIBRATIONAL:
        rates = sets.h2_h(folder)
        v, j = rates.levels.need_vj()
        rates = rates.select((v[rates.upper] <= 1) & (j[rates.lower] <= sets.LAST_J))
    else:
        rates = sets.rotational(folder, name)
    rates, _ = complete_curves(rates)
    v, _ = rates.levels.need_vj()
    last = min(int(rates.initial_j().max()), sets.LAST_J)
    target, given = tuple(range(GIVEN_TO, last + 1)), tuple(range(GIVEN_TO + 1))
    return Case(rates, PlanRequest(rates.system, target, given, int(v[rates.upper].max())))


def known(case: Case, j: Sequence[int], reference: Rates | None = None) -> KnownRates:
    """Return these j of a system as all that is known of it, and perhaps a similar system."""
    return KnownRates(case.rates.out_of(j), case.rates.levels, reference)


def real_error(case: Case, train_j: Set) -> float:
    """Return the error, in dex, of what `train` makes of a set, on every j that it does not have."""
    rates, request = case
    validate_j = validation_set(request.target, request.given, train_j)
    left = [j for j in request.target if j not in (*train_j, *validate_j)]
    test = rates.out_of(left)
    parts = rates.out_of(train_j), rates.out_of(validate_j)
    predictor = search(*parts, corpus=shipped_corpus()).predictor
    predicted = predictor.predict(test.transitions)
    return rms(predicted.log10_rate - np.log10(test.rate_cm3_s))


def chosen_by_variance(case: Case, reference: Rates | None = None) -> dict[int, tuple[Set, float]]:
    """Return the sets of the curve with their expected errors; nothing but the given j is known."""
    options = PlanOptions(like=None if reference is None else reference.system)
    plan = plan_by_variance(known(case, case.request.given, reference), case.request, options)
    return {one.n: (one.train_j, one.expected_dex or np.nan) for one in plan.candidates if one.n in CURVE}


def expected_after(case: Case, train_j: Set) -> float:
    """Return the error that `ratedb next` expects once the j of a set are computed."""
    validate_j = validation_set(case.request.target, case.request.given, train_j)
    computed = tuple(sorted({*case.request.given, *train_j, *validate_j}))
    state = state_of(replace(case.request, validate_j=validate_j), None, computed)
    return next_j(state, NextOptions(), known(case, computed)).expected_dex or np.nan


class Optimum(NamedTuple):
    """Of one size: the best set, its error with its best kernel, and the median of all scores."""

    train_j: Set
    dex_rms: float
    median: float


def optima(case: Case) -> dict[int, Optimum]:
    """Return the optimum of each size, as `plan --strategy exhaustive --jobs 2` finds it."""
    request = replace(case.request, given=(GIVEN_TO,), sizes=COMPARED)
    found = search_sets(case.rates, request, PlanOptions(jobs=2))
    scores = planner.screened(found.scores)
    return {
        one.n: Optimum(
            one.train_j,
            one.test_dex_rms or np.nan,
            float(np.median([value for trial, value in scores.items() if len(trial.train_j) == one.n])),
        )
        for one in found.candidates
    }


def _parallel(function: Any, items: Sequence[Any]) -> list[Any]:
    with workers(2) as pool:
        return list(pool.run(function, items))


def _like(folder: Path, case: Case, reference: str) -> dict[int, tuple[Set, float]]:
    return chosen_by_variance(case, load(folder, reference).rates)


class Measured(NamedTuple):
    """All that is measured of one system: sets by size, and real errors of every set that was trained."""

    case: Case
    best: dict[int, Optimum]
    low: dict[int, tuple[Set, float]]
    like: dict[str, dict[int, tuple[Set, float]]]
    after: dict[int, float]
    real: dict[Set, float]

    def spread(self, size: int) -> Set:
        """Return the set of the strategy `spread`."""
        return spread_set(self.case.request.target, self.case.request.given, size)


def measure(folder: Path, name: str) -> Measured:
    """Measure one system."""
    case = load(folder, name)
    start = perf_counter()
    best = optima(case)
    low = chosen_by_variance(case)
    references = [other for other in (*ROTORS, SIMILAR.get(name)) if other and other != name]
    if name == ROVIBRATIONAL:
        references = []  # no other set of these has its v and j
    like = dict(zip(references, _parallel(partial(_like, folder, case), references), strict=True))
    wanted = [found for found, _ in low.values()]
    wanted += [found for plan in like.values() for size, (found, _) in plan.items() if size in COMPARED]
    wanted += [best[size].train_j for size in COMPARED]
    spreads = [spread_set(case.request.target, case.request.given, size) for size in COMPARED]
    unique = list(dict.fromkeys([*wanted, *spreads]))
    real = dict(zip(unique, _parallel(partial(real_error, case), unique), strict=True))
    after = dict(
        zip(low, _parallel(partial(expected_after, case), [one for one, _ in low.values()]), strict=True)
    )
    print(f"{name}: {perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return Measured(case, best, low, like, after, real)


def choice_table(found: Sequence[Measured]) -> list[str]:
    """Return the errors of chosen sets next to the best of all sets."""
    lines = [
        "| system | N | best of all sets | dex | chosen from j <= 5 | dex | ratio |"
        " worst with another molecule, ratio | spread, ratio | median of all sets, ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        for size in COMPARED:
            best = one.best[size]
            # The lower of its error with the kernel that is best on the test, and as `train` makes it.
            least = min(best.dex_rms, one.real[best.train_j])
            others = {
                n: one.real[p[size][0]]
                for n, p in one.like.items()
                if n != SIMILAR.get(one.case.rates.system)
            }
            worst = max(others, key=lambda name: others[name]) if others else None
            own = one.low[size][0]
            lines.append(
                f"| {one.case.rates.system} | {size} | {_j(best.train_j)} | {least:.4f} | {_j(own)} |"
                f" {one.real[own]:.4f} | {one.real[own] / least:.2f} |"
                f" {'-' if worst is None else f'{others[worst] / least:.2f} ({worst})'} |"
                f" {one.real[one.spread(size)] / least:.2f} | {best.median / least:.2f} |"
            )
    return lines


def expected_table(found: Sequence[Measured]) -> list[str]:
    """Return expected over real errors: before anything is computed, and by `ratedb next` afterwards."""
    head = " | ".join(f"N = {size}" for size in CURVE)
    lines = [f"| system | expected from | {head} | geometric mean |", "|---" * (len(CURVE) + 3) + "|"]
    for one in found:
        name = one.case.rates.system
        rows = {"j <= 5, before": {size: expected for size, (_, expected) in one.low.items()}}
        rows |= {"`next`, N computed": one.after}
        similar = SIMILAR.get(name)
        if similar is not None:
            rows[f"{similar}, before"] = {size: expected for size, (_, expected) in one.like[similar].items()}
        for what, expected in rows.items():
            ratios = []
            for size in CURVE:
                train_j = (
                    one.like[similar][size][0] if similar and what.startswith(similar) else one.low[size][0]
                )
                ratios.append(expected[size] / one.real[train_j] if train_j in one.real else np.nan)
            usable = [ratio for ratio in ratios if np.isfinite(ratio)]
            mean = float(np.exp(np.mean(np.log(usable))))
            cells = " | ".join(f"{ratio:.2f}" if np.isfinite(ratio) else "-" for ratio in ratios)
            lines.append(f"| {name} | {what} | {cells} | {mean:.2f} |")
    return lines


def saving_table(found: Sequence[Measured]) -> list[str]:
    """Return the cost, in percent of all j, of `spread` and of the first chosen set that errs no more."""
    lines = [
        "| system | spread: N, dex, % of cost | variance: N, dex, % of cost | of the hours |",
        "|---|---|---|---|",
    ]
    for one in found:
        costs = one.case.request.costs
        for size in COMPARED:
            spread = one.spread(size)
            error, spent = one.real[spread], costs.share(_computed(one.case, spread))
            reaching = [
                (costs.share(_computed(one.case, own)), n, own)
                for n, (own, _) in one.low.items()
                if one.real[own] <= error
            ]
            first = f"| {one.case.rates.system} | {size}, {error:.4f}, {100 * spent:.0f} "
            if not reaching:
                lines.append(first + "| not reached up to N = 8 | - |")
                continue
            share, n, own = min(reaching)
            lines.append(first + f"| {n}, {one.real[own]:.4f}, {100 * share:.0f} | {share / spent:.2f} |")
    return lines


def _computed(case: Case, train_j: Set) -> Set:
    return (*train_j, *validation_set(case.request.target, case.request.given, train_j))


def _j(numbers: Set) -> str:
    return format_integers(numbers)


def in_the_hours_of_spread(folder: Path, what: tuple[str, int]) -> str:
    """Return a row: the set of `spread`, and the best that `variance` expects for the same hours."""
    name, size = what
    case = load(folder, name)
    costed = case._replace(request=replace(case.request, hours_total=100.0))
    spread = spread_set(case.request.target, case.request.given, size)
    hours = costed.request.costs.hours(_computed(case, spread)) or 0.0
    request = replace(costed.request, sizes=CURVE)
    plan = plan_by_variance(known(case, request.given), request, PlanOptions(budget_hours=hours))
    if plan.chosen is None:
        raise ValueError(f"no set of {name} within {hours} %")
    own = plan.chosen.train_j
    errors = real_error(case, spread), real_error(case, own)
    return (
        f"| {name} | {hours:.0f} | {_j(spread)} | {errors[0]:.4f} | {_j(own)} | {errors[1]:.4f} |"
        f" {errors[1] / errors[0]:.2f} |"
    )


def budget_lines(folder: Path) -> list[str]:
    """Return the errors of `spread` and of `variance` for the same hours."""
    wanted = [(name, size) for name in (*ROTORS, ROVIBRATIONAL) for size in COMPARED]
    return [
        "| system | hours, % of all | `spread` | dex | `variance --budget-hours` | dex | ratio |",
        "|---|---|---|---|---|---|---|",
        *_parallel(partial(in_the_hours_of_spread, folder), wanted),
    ]


def cluster_lines(folder: Path) -> list[str]:
    """Return the throughput of two local dask workers, one of which is killed, next to other ways."""
    from distributed import LocalCluster

    case = load(folder, "CO+p-H2")
    data = planner.TrainingData.of(planner.known_system(case.rates, planner.TARGET)[0])
    trials = trial_sets(planner.TARGET, planner.GIVEN, (4, 5))
    trials = [trials[row] for row in planner.random_rows(len(trials), 0, 120)]
    refit = partial(planner._best_refit, data)
    start = perf_counter()
    with workers(1) as pool:
        serial = list(pool.run(refit, trials))
    serial_seconds = perf_counter() - start
    start = perf_counter()
    with workers(2) as pool:
        list(pool.run(refit, trials))
    local_seconds = perf_counter() - start
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        start = perf_counter()
        found = []
        with workers(1, cluster.scheduler_address) as pool:
            for number, score in enumerate(pool.run(refit, trials)):
                found.append(score)
                if number == len(trials) // 4:
                    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        seconds = perf_counter() - start
    equal = [score.dex_rms for score in serial] == [score.dex_rms for score in found]
    return [
        "| what | measured |",
        "|---|---|",
        f"| {len(trials)} sets of CO trained with every kernel, serial | {serial_seconds:.1f} s |",
        f"| two local processes, none killed: what this machine allows | {local_seconds:.1f} s |",
        f"| two local dask workers, one killed after a quarter | {seconds:.1f} s |",
        f"| throughput | {serial_seconds / seconds:.2f} x serial |",
        f"| results | {len(found)} of {len(trials)}, {'the same bits' if equal else 'NOT the same'} |",
        f"| `ratedb plan`, `spread`, a new store | {spread_seconds():.2f} s |",
    ]


def spread_seconds() -> float:
    """Return the median of five whole commands `ratedb plan` without data, each with a new store."""
    seconds = []
    for _ in range(5):
        with TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "ratedb_cli", "--db", f"{folder}/plan.duckdb"]
            start = perf_counter()
            subprocess.run(
                [*command, "plan", "SiO+p-H2", "--j", "5:20", "--given-j", "5", "--v-max", "2"],
                check=True,
                capture_output=True,
            )
            seconds.append(perf_counter() - start)
    return float(np.median(seconds))


def set_lines(folder: Path) -> list[str]:
    """Return the tables of all systems."""
    found = []
    for name in (*ROTORS, ROVIBRATIONAL):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found.append(pool.submit(measure, folder, name).result())
    return [
        "j = 5..20 (H2+H: 5..17, v <= 1), j <= 5 given, trained as `train` does by default.",
        "Best of all sets: by `exhaustive`, with the kernel that tests best or as `train` makes it,",
        "whichever is less.",
        "",
        *choice_table(found),
        "",
        "Expected over real error:",
        "",
        *expected_table(found),
        "",
        "Saving at equal error:",
        "",
        *saving_table(found),
    ]


def main(parts: Sequence[str]) -> int:
    """Measure and write the sections, or only those named."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    for name, measured in (("cluster", cluster_lines), ("budget", budget_lines), ("variance", set_lines)):
        if not parts or name in parts:
            text = "\n".join(measured(folder))
            print(text)
            replace_section(planner.BENCHMARKS, name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
