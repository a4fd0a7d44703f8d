"""Models of systems whose molecule the corpus does not have: errors, intervals by place, and seconds.

`make bench-corpus` predicts every j <= 20 that is not computed, on each system of the corpus with its own
molecule left out, as ratedb does by itself, next to the search without a corpus, and writes the tables of
docs/benchmarks.md. With `--best` also the least error of all single candidates, which takes an hour more.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import sets
from corpus import systems
from report import replace_section

from ratedb.arrays import FloatArray
from ratedb.layers import RATIO_95_68
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.candidates import Task
from ratedb.models.corpus.intervals import PLACES, place_of
from ratedb.models.corpus.model import CORPUS
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import TrainingData
from ratedb.models.process import LEARN_FROM
from ratedb.models.search import SearchRequest, fitted_to, search
from ratedb.models.with_corpus import corpus_for
from ratedb.models.workers import workers
from ratedb.options import silent
from ratedb.rates import Rates

SPLITS = {
    1: ((14,), ()),
    2: ((5, 18), (6, 9)),
    3: ((5, 16, 19), (6, 9)),
    4: ((5, 9, 14, 19), (6, 10)),
    6: ((5, 8, 11, 14, 17, 19), (6, 9)),
}
"""Training and validation j, the paper's from N = 2 on."""


Split = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Case:
    """Errors in dex (n, m), which are inside the 95 % interval, the place of each row, and the rest."""

    name: str
    size: int
    error: FloatArray
    inside: FloatArray
    place: FloatArray
    initial_j: FloatArray
    width: float
    without: float
    naive: float
    best: float
    median_factor: float
    naive_median_factor: float
    seconds: float

    @property
    def dex_rms(self) -> float:
        """The root mean square error."""
        return rms(self.error)

    def __str__(self) -> str:
        best = "-" if np.isnan(self.best) else f"{self.dex_rms / self.best:.2f}"
        high = rms(self.error[self.initial_j >= 5])
        without = "-" if np.isnan(self.without) else f"{self.without:.4f}"
        return (
            f"| {self.name} | {self.size} | **{self.dex_rms:.4f}** ({high:.4f}) | {without}"
            f" | {best} | {self.naive:.3f} | {self.median_factor:.3f},"
            f" {self.naive_median_factor:.3f} | {self.inside.mean():.1%} | {self.width / self.dex_rms:.2f}"
            f" | {self.seconds:.1f} |"
        )


def rms(error: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt((error**2).mean()))


def rates_of(data: TrainingData) -> Rates:
    """Return curves as the rates of a system."""
    one, k = data.transitions, 10.0**data.log10_k
    return Rates(one.levels, "X", one.upper, one.lower, data.temperature_k, k)


def scaled_to(rates: Rates, split: Split) -> Split:
    """Return the split with the same shares of its j for a set that ends earlier than j = 19."""
    scale = min(1.0, int(rates.initial_j().max()) / 19.0)
    train_j, validate_j = (tuple(sorted({max(1, round(one * scale)) for one in part})) for part in split)
    return train_j, tuple(j for j in validate_j if j not in train_j)


def measure(name: str, rates: Rates, size: int, split: Split, *, alone: bool) -> Case:
    """Return what `auto` does on one split; unless `alone`, also without the corpus and the best one."""
    j = rates.initial_j()
    training, validation = (rates.select(np.isin(j, part)) for part in split)
    computed = sorted({*split[0], *split[1]})
    test = rates.select(~np.isin(j, computed))
    truth = np.log10(test.rate_cm3_s)
    start = perf_counter()
    found = search(training, validation, SearchRequest(), corpus=shipped_corpus())
    seconds = perf_counter() - start
    prediction = found.predictor.predict(test.transitions)
    error, half = prediction.log10_rate - truth, RATIO_95_68 * prediction.log10_half_width_68
    without = best = float("nan")
    if size > 1 and not alone:
        plain = search(training, validation, SearchRequest(corpus="off")).predictor.predict(test.transitions)
        without = rms(plain.log10_rate - truth)
        if "--best" in sys.argv:
            best = min(rms(error), best_single(training, validation, test))
    naive = interpolate_in_j(rates.select(np.isin(j, computed)), test.transitions) - truth
    initial_j = test.initial_j()
    return Case(
        name,
        size,
        error,
        np.abs(error) <= half,
        place_of(initial_j, computed),
        initial_j,
        float(np.median(half)),
        without,
        rms(naive),
        best,
        float(10.0 ** np.median(np.abs(error))),
        float(10.0 ** np.median(np.abs(naive))),
        seconds,
    )


def best_single(training: Rates, validation: Rates, test: Rates) -> float:
    """Return the least error of a single candidate, given all that was computed: known only afterwards."""
    request = SearchRequest()
    corpus, _ = corpus_for(training, validation, shipped_corpus())
    wanted = request.specifications(training.levels.molecule, "basis", False)
    data = TrainingData.of(training)
    with workers(1) as pool:
        task = Task(data, validation, request.seed, request.optimiser, LEARN_FROM, corpus).with_means(
            wanted, pool
        )
        outcomes = task.try_each([CORPUS, *wanted], pool, silent)
    everything = task.data.joined(validation)
    fitted = [one.candidate.fitted for one in outcomes if one.candidate is not None]
    given = [fitted_to(one, everything, corpus, request) for one in fitted]
    return min(rms(one.curves(test.transitions).mean - np.log10(test.rate_cm3_s)) for one in given)


def random_splits(last_j: int, size: int, seed: int) -> list[Split]:
    """Return five splits with other training j: the highest from 15 on, the validation j below 11."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(5):
        high = int(draw.integers(15, min(last_j, 20) + 1)) if last_j > 15 else last_j
        validate = draw.choice(np.arange(6, 11), 2, replace=False)
        left = [one for one in range(5, high) if one not in validate]
        train_j = sorted({high, *draw.choice(left, size - 1, replace=False).tolist()})
        found.append((tuple(train_j), tuple(sorted(validate.tolist()))))
    return found


def summary(cases: list[Case]) -> str:
    """Return the figures of the bar, for each N."""
    lines = [
        "| N | dex_rms | / without corpus, largest | / best candidate | inside 95 % | " + " | ".join(PLACES)
    ]
    lines[0] += " | least of a system | half width / rms (median) |"
    lines.append("|---" * 10 + "|")
    for size in dict.fromkeys(one.size for one in cases):
        own = [one for one in cases if one.size == size]
        ratios = np.array([one.dex_rms / one.without for one in own])
        ratio = "-"
        if np.isfinite(ratios).all():
            ratio = f"{np.exp(np.log(ratios).mean()):.3f}, {ratios.max():.2f}"
        gaps = np.array([one.dex_rms / one.best for one in own])
        gap = f"{np.exp(np.log(gaps).mean()):.2f}" if np.isfinite(gaps).all() else "-"
        places = []
        for number in range(len(PLACES)):
            together = np.concatenate([one.inside[one.place == number].ravel() for one in own])
            places.append(f"{together.mean():.1%}" if len(together) else "-")
        dex = np.exp(np.mean([np.log(one.dex_rms) for one in own]))
        pooled = np.concatenate([one.inside.ravel() for one in own]).mean()
        inside = {
            name: float(np.mean([one.inside.mean() for one in own if one.name == name]))
            for name in dict.fromkeys(one.name for one in own)
        }
        least = min(inside, key=inside.__getitem__)
        width = np.median([one.width / one.dex_rms for one in own])
        lines.append(
            f"| {size} | {dex:.4f} | {ratio} | {gap} | {pooled:.1%} | {' | '.join(places)}"
            f" | {inside[least]:.1%} ({least}) | {width:.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure all systems and write the tables."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    head = "| system | N | **auto** (j >= 5) | without corpus | / best candidate | naive"
    head += " | median factor, naive | inside 95 % | half width / rms | s |"
    print(head)
    cases, others = [], []
    for number, (name, (data, _)) in enumerate(systems(folder).items()):
        rates = rates_of(data)
        last_j = int(rates.initial_j().max())
        for size, split in SPLITS.items():
            cases.append(measure(name, rates, size, scaled_to(rates, split), alone=False))
            print(cases[-1], flush=True)
            if size > 1:
                others += [
                    measure(name, rates, size, scaled_to(rates, one), alone=True)
                    for one in random_splits(last_j, size, number)
                ]
    text = "\n".join(
        [
            "dex_rms over every j <= 20 that is not computed (geometric mean over systems in the first",
            "table), each with a corpus without its own molecule. N = 1 computes j = 14 alone; otherwise the",
            "paper's training and validation j. Naive interpolation has the validation j too. Best",
            "candidate: of 37, the one with the least error on the very rates that are predicted, given",
            "all computed j; only with `--best`.",
            "Written by `make bench-corpus`.",
            "",
            summary(cases),
            "",
            "The same on five random splits of each system (coverage of a system: mean of its five):",
            "",
            summary(others),
            "",
            head,
            "|---" * 10 + "|",
            *map(str, cases),
        ]
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "corpus", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
