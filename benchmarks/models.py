"""Models on real data next to their baselines: accuracy, intervals, seconds and memory, in one run.

`make bench-models` measures the sets of sets.py and writes docs/benchmarks.md; `python benchmarks/models.py
FILE.dat` prints the same table for every collider of your own LAMDA file. `--no-dense` leaves out the
dense trainings, which take nearly all of the time.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import sets
from report import replace_section
from scatter import scatters

from ratedb.io.lamda import read_lamda
from ratedb.levels import Transitions
from ratedb.models import dense
from ratedb.models.baselines import interpolate_in_j, physical_law
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import TrainingData
from ratedb.models.evaluation import DENSE
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.reference import reference_rates
from ratedb.models.search import SearchRequest, SearchResult, search
from ratedb.models.training_set import at_temperatures, complete_curves
from ratedb.paper.printed import COLUMNS
from ratedb.planning.sets import spread_set, validation_set
from ratedb.rates import Rates

DENSE_POINTS = 3000
PRINTED = {len(column.train_j): column for column in COLUMNS}
AT_A_TIME = 2


@dataclass(frozen=True)
class Split:
    """A data set with what is trained on, what validates and what is predicted."""

    name: str
    training: Rates
    validation: Rates
    test: Rates
    train_j: tuple[int, ...]
    prior: Rates | None = None

    @property
    def wanted(self) -> Transitions:
        """What is predicted."""
        return self.test.transitions

    @property
    def points(self) -> int:
        """How many values are trained on."""
        return self.training.rate_cm3_s.size


@dataclass(frozen=True)
class Measured:
    """A method on a split: its metrics, seconds, the process's largest memory, and what was chosen.

    `p95_all` is factor_p95 with the validation j counted as predicted too: every j that was not trained.
    """

    metrics: Metrics
    seconds: float
    memory_mb: float
    chosen: str = ""
    p95_all: float = float("nan")


def split(
    rates: Rates,
    train_j: Sequence[int],
    validate_j: Sequence[int],
    first_j: int,
    prior: Rates | None = None,
) -> Split:
    """Return a split that tests on every other j from `first_j` on."""
    j = rates.initial_j()
    training, _ = complete_curves(rates.select(np.isin(j, train_j)))
    grid = training.temperature_k
    held_out = (j >= first_j) & ~np.isin(j, (*train_j, *validate_j))
    return Split(
        rates.system,
        training,
        at_temperatures(rates.select(np.isin(j, validate_j)), grid),
        at_temperatures(rates.select(held_out), grid),
        tuple(train_j),
        prior,
    )


def paper_splits(rates: Rates) -> list[Split]:
    """Return the paper's training and validation sets for N = 3..6; its j = 19 and 20 may not exist."""
    last = int(rates.initial_j().max())
    found = []
    for size in (3, 4, 5, 6):
        train_j = tuple(min(j, last) for j in PRINTED[size].train_j)
        found.append(split(rates, train_j, PRINTED[size].validate_j, 5))
    return found


def spread_splits(rates: Rates) -> list[Split]:
    """Return the planner's sets for N = 3..6 on the j that a file has."""
    j = rates.initial_j()
    first = 5 if j.max() >= 12 else int(j.min())
    target = tuple(number for number in sorted(set(j.tolist())) if number >= first)
    found = []
    for size in (3, 4, 5, 6):
        if size <= len(target) - 4:
            train_j = spread_set(target, (first,), size)
            found.append(split(rates, train_j, validation_set(target, (first,), train_j), first))
    return found


def with_auto(one: Split, request: SearchRequest | None = None) -> tuple[Measured, SearchResult]:
    """Measure what ratedb chooses by default."""
    start = perf_counter()
    reference = None
    if one.prior is not None:
        reference, _ = reference_rates(one.prior, one.training.temperature_k)
    found = search(
        one.training, one.validation, request or SearchRequest(), reference, corpus=shipped_corpus()
    )
    prediction = found.predictor.predict(one.wanted)
    seconds = perf_counter() - start
    measured = metrics(one.test.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68)
    chosen = "; ".join(found.predictor.names(name) for name in ("kernel", "mean"))
    both = np.concatenate([one.test.rate_cm3_s, one.validation.rate_cm3_s])
    validation = one.validation
    seen = found.predictor.predict(validation.transitions)
    p95_all = metrics(both, np.concatenate([prediction.log10_rate, seen.log10_rate])).factor_p95
    return Measured(measured, seconds, _memory_mb(), chosen, p95_all), found


def with_dense(one: Split) -> Measured | None:
    """Measure the paper's way, one kernel; None where there are too many points."""
    if one.points >= DENSE_POINTS:
        return None
    start = perf_counter()
    curves = dense.fit(TrainingData.of(one.training), DENSE).curves(one.wanted)
    return Measured(
        metrics(one.test.rate_cm3_s, curves.mean), perf_counter() - start, _memory_mb(), DENSE.kernel
    )


def without_model(one: Split) -> tuple[Metrics, Metrics]:
    """Return the metrics of naive interpolation and of the IOS law alone."""
    return tuple(  # type: ignore[return-value]
        metrics(one.test.rate_cm3_s, method(one.training, one.wanted))
        for method in (interpolate_in_j, physical_law)
    )


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _auto_alone(one: Split, request: SearchRequest | None = None) -> Measured:
    return with_auto(one, request)[0]


HEAD = (
    "| system | train j | naive dex / p95 | IOS law | dense | **auto** | p95 of all untrained j | ratio"
    " | in 68 / 95 % | s dense, auto | MB | chosen |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """A line of the accuracy table."""

    one: Split
    naive: Metrics
    law: Metrics
    dense: Measured | None
    auto: Measured

    @property
    def ratio(self) -> float | None:
        """The error of auto in units of dense's."""
        return None if self.dense is None else self.auto.metrics.dex_rms / self.dense.metrics.dex_rms

    def __str__(self) -> str:
        auto, ratio = self.auto, self.ratio
        coverage = (
            f"{100 * (auto.metrics.coverage_68 or 0):.0f} / {100 * (auto.metrics.coverage_95 or 0):.0f}"
        )
        of_dense = "-" if self.dense is None else _pair(self.dense.metrics)
        seconds = "-" if self.dense is None else f"{self.dense.seconds:.0f}"
        memory = "-" if self.dense is None else f"{self.dense.memory_mb:.0f}"
        train_j = (
            ",".join(map(str, self.one.train_j)) if len(self.one.train_j) < 8 else "all but 6,9,12,15 and 5,8"
        )
        return (
            f"| {self.one.name} | {train_j} | {_pair(self.naive)} | {_pair(self.law)} | {of_dense}"
            f" | **{auto.metrics.dex_rms:.4f}** / {auto.metrics.factor_p95:.3f} | {auto.p95_all:.3f}"
            f" | {'-' if ratio is None else f'{ratio:.2f}'} | {coverage} | {seconds}, {auto.seconds:.0f}"
            f" | {memory}, {auto.memory_mb:.0f} | {auto.chosen} |"
        )


def _pair(found: Metrics) -> str:
    return f"{found.dex_rms:.3f} / {found.factor_p95:.2f}"


def measure(splits: Sequence[Split], *, dense_too: bool) -> list[Row]:
    """Measure all methods on all splits, each in a process of its own, two at a time, one core each."""
    # A process for each measurement, so that its memory is its own.
    with ProcessPoolExecutor(
        AT_A_TIME, mp_context=get_context("spawn"), max_tasks_per_child=1, initializer=_one_core
    ) as pool:
        auto_runs = [pool.submit(_auto_alone, one) for one in splits]
        dense_runs = [pool.submit(with_dense, one) if dense_too else None for one in splits]
        rows = []
        for one, run, auto in zip(splits, dense_runs, auto_runs, strict=True):
            naive, law = without_model(one)
            rows.append(Row(one, naive, law, None if run is None else run.result(), auto.result()))
            print(rows[-1], flush=True)
    return rows


def _one_core() -> None:
    import os

    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"


def h2_split(rates: Rates) -> Split:
    """Return H2 + H with j = 6, 9, 12, 15 held out; 5 and 8 validate, all other j train."""
    held_out, validate_j = (6, 9, 12, 15), (5, 8)
    train_j = tuple(j for j in sorted(set(rates.initial_j().tolist())) if j not in (*held_out, *validate_j))
    j = rates.initial_j()
    grid = rates.temperature_k
    return Split(
        "H2+H",
        rates.select(np.isin(j, train_j)),
        at_temperatures(rates.select(np.isin(j, validate_j)), grid),
        at_temperatures(rates.select(np.isin(j, held_out)), grid),
        train_j,
    )


def summary(rows: Sequence[Row]) -> str:
    """Return the bar's figures over all rows."""
    ratios = np.array([row.ratio for row in rows if row.ratio is not None])
    worse = [
        f"{row.one.name} {row.one.train_j}"
        for row in rows
        if row.auto.metrics.dex_rms >= row.naive.dex_rms
        or row.auto.metrics.factor_p95 >= row.naive.factor_p95
    ]
    weights = np.array([row.auto.metrics.values for row in rows], dtype=np.float64)
    by_value = [
        float((weights * [getattr(row.auto.metrics, name) for row in rows]).sum() / weights.sum())
        for name in ("coverage_68", "coverage_95")
    ]
    by_split = [
        float(np.mean([getattr(row.auto.metrics, name) for row in rows]))
        for name in ("coverage_68", "coverage_95")
    ]
    ratio = "- `dense` was not run"
    if len(ratios):
        mean = np.exp(np.log(ratios).mean())
        ratio = (
            f"- `auto` / `dense` in dex_rms: geometric mean {mean:.3f} over {len(ratios)} splits,"
            f" largest {ratios.max():.2f}"
        )
    lines = [
        ratio,
        f"- not better than naive in dex_rms and factor_p95: {', '.join(worse) or 'none'} of {len(rows)}",
        f"- coverage of 68 / 95 % intervals: all values pooled {by_value[0]:.1%} / {by_value[1]:.1%},"
        f" mean of the splits {by_split[0]:.1%} / {by_split[1]:.1%}",
    ]
    return "\n".join(lines)


def priors(folder: Path) -> str:
    """Return the table of another data set as prior mean."""
    para, ortho = sets.rotational(folder, "CO+p-H2"), sets.rotational(folder, "CO+o-H2")
    close, states = sets.molscat(folder, "CC"), sets.molscat(folder, "CS")
    target = tuple(range(1, 13))
    own = spread_set(target, (), 3)
    cases = [
        ("CO+p-H2 from o-H2", split(para, PRINTED[2].train_j, PRINTED[2].validate_j, 5), ortho),
        ("CC from CS, j = 1..12", split(close, own, validation_set(target, (), own), 1), states),
        ("CC from CS, j = 5..12", split(close, (5, 8, 11), (6, 9), 5), states),
    ]
    lines = [
        "| what | train j | prior taken as it is | without prior | with prior | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for name, one, prior in cases:
        reference, _ = reference_rates(prior, one.training.temperature_k)
        itself = metrics(one.test.rate_cm3_s, reference(one.wanted)).dex_rms
        without = _auto_alone(one).metrics.dex_rms
        with_it = _auto_alone(replace(one, prior=prior)).metrics.dex_rms
        lines.append(
            f"| {name} | {','.join(map(str, one.train_j))} | {itself:.4f} | {without:.4f} | {with_it:.4f}"
            f" | {with_it / without:.2f} |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> int:
    """Measure the sets, or a LAMDA file, and write or print the tables."""
    words = [word for word in sys.argv[1:] if word != "--no-dense"]
    dense_too = len(words) == len(sys.argv) - 1
    if words:
        return own_file(Path(words[0]), dense_too)
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    splits = [one for name in sets.ROTATIONAL for one in paper_splits(sets.rotational(folder, name))]
    print(HEAD)
    rows = measure([*splits, h2_split(sets.h2_h(folder))], dense_too=dense_too)
    command = "make bench-models" if dense_too else "python benchmarks/models.py --no-dense"
    text = "\n".join(
        [
            "Training and validation j of the paper's table I, j <= 20; every other j >= 5 is tested. Errors",
            "are dex_rms / factor_p95; `p95 of all untrained j` counts the validation j as predicted too;",
            "`ratio` is `auto` / `dense` in dex_rms. CO at 10-1000 K. Two measurements at a time, one core",
            f"each; MB is the largest memory of the process. Written by `{command}`.",
            "",
            HEAD,
            *map(str, rows),
            "",
            summary(rows),
            "",
            "Another data set as prior mean (dex_rms):",
            "",
            priors(folder),
            "",
            "How far a j lies off its neighbours: each j >= 5 but the last, predicted from all other j. No",
            "training set can be expected to do better.",
            "",
            scatters(folder),
        ]
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "models", text)
    return 0


def own_file(path: Path, dense_too: bool) -> int:
    """Print the table for every collider of a LAMDA file."""
    print(HEAD)
    for partner in read_lamda(path).partners:
        if not partner.rates.levels.has_vj:
            print(f"{partner.rates.system}: its levels have no v and j", file=sys.stderr)
            continue
        splits = spread_splits(partner.rates)
        if not splits:
            print(f"{partner.rates.system}: too few j to leave any out", file=sys.stderr)
            continue
        print(summary(measure(splits, dense_too=dense_too)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
