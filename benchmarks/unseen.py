"""Models of systems whose molecule the corpus does not have: errors, intervals by place, and seconds.

`make bench-corpus` predicts every j <= 20 that is not computed, on each system of the corpus with its own
molecule left out, as ratedb does by itself, next to the search without a corpus, and writes the tables of
docs/benchmarks.md.
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
from ratedb.models.corpus.intervals import PLACES, place_of
from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import TrainingData
from ratedb.models.search import SearchRequest, search
from ratedb.rates import Rates

SPLITS = {
    1: ((14,), ()),
    2: ((5, 18), (6, 9)),
    3: ((5, 16, 19), (6, 9)),
    4: ((5, 9, 14, 19), (6, 10)),
    6: ((5, 8, 11, 14, 17, 19), (6, 9)),
}
"""Training and validation j, the paper's from N = 2 on."""


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
    seconds: float

    @property
    def dex_rms(self) -> float:
        """The root mean square error."""
        return rms(self.error)

    def __str__(self) -> str:
        high = rms(self.error[self.initial_j >= 5])
        without = "-" if np.isnan(self.without) else f"{self.without:.4f}"
        return (
            f"| {self.name} | {self.size} | **{self.dex_rms:.4f}** ({high:.4f}) | {without}"
            f" | {self.naive:.3f} | {self.inside.mean():.1%} | {self.width / self.dex_rms:.2f}"
            f" | {self.seconds:.1f} |"
        )


def rms(error: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt((error**2).mean()))


def measure(name: str, data: TrainingData, size: int) -> Case:
    """Return what `auto` does on one split, with and without the corpus."""
    levels, j = data.transitions.levels, data.initial_j()
    rates = Rates(
        levels,
        "X",
        data.transitions.upper,
        data.transitions.lower,
        data.temperature_k,
        10.0**data.log10_k,
    )
    scale = min(1.0, int(j.max()) / 19.0)
    training, validation = (sorted({max(1, round(one * scale)) for one in part}) for part in SPLITS[size])
    computed = sorted({*training, *validation})
    parts = [rates.select(np.flatnonzero(np.isin(j, part))) for part in (training, validation)]
    test = rates.select(np.flatnonzero(~np.isin(j, computed)))
    truth = np.log10(test.rate_cm3_s)
    start = perf_counter()
    found = search(*parts, SearchRequest(), corpus=shipped_corpus())
    seconds = perf_counter() - start
    prediction = found.predictor.predict(test.transitions)
    error, half = prediction.log10_rate - truth, RATIO_95_68 * prediction.log10_half_width_68
    without = float("nan")
    if size > 1:
        plain = search(*parts, SearchRequest(corpus="off")).predictor.predict(test.transitions)
        without = rms(plain.log10_rate - truth)
    both = rates.select(np.flatnonzero(np.isin(j, computed)))
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
        rms(interpolate_in_j(both, test.transitions) - truth),
        seconds,
    )


def summary(cases: list[Case]) -> str:
    """Return the figures of the bar, for each N."""
    lines = ["| N | dex_rms | / without corpus, largest | inside 95 % | " + " | ".join(PLACES)]
    lines[0] += " | least of a system | half width / rms (median) |"
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for size in SPLITS:
        own = [one for one in cases if one.size == size]
        ratios = np.array([one.dex_rms / one.without for one in own])
        ratio = "-"
        if np.isfinite(ratios).all():
            ratio = f"{np.exp(np.log(ratios).mean()):.3f}, {ratios.max():.2f}"
        places = []
        for number in range(len(PLACES)):
            inside = [one.inside[one.place == number].ravel() for one in own]
            together = np.concatenate(inside)
            places.append(f"{together.mean():.1%}" if len(together) else "-")
        dex = np.exp(np.mean([np.log(one.dex_rms) for one in own]))
        pooled = np.concatenate([one.inside.ravel() for one in own]).mean()
        least = min(own, key=lambda one: one.inside.mean())
        width = np.median([one.width / one.dex_rms for one in own])
        lines.append(
            f"| {size} | {dex:.4f} | {ratio} | {pooled:.1%} | {' | '.join(places)}"
            f" | {least.inside.mean():.1%} ({least.name}) | {width:.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure all systems and write the tables."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    head = "| system | N | **auto** (j >= 5) | without corpus | naive | inside 95 % | half width / rms | s |"
    print(head)
    cases = []
    for name, (data, _) in systems(folder).items():
        for size in SPLITS:
            cases.append(measure(name, data, size))
            print(cases[-1], flush=True)
    text = "\n".join(
        [
            "dex_rms over every j <= 20 that is not computed (geometric mean over systems in the first",
            "table), each with a corpus without its own molecule. N = 1 computes j = 14 alone; otherwise the",
            "paper's training and validation j. Naive interpolation has the validation j too.",
            "Written by `make bench-corpus`.",
            "",
            summary(cases),
            "",
            head,
            "|---|---|---|---|---|---|---|---|",
            *map(str, cases),
        ]
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "corpus", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
