"""Tops and pairs from few initial states: errors next to naive and group means, intervals, choices, seconds.

`make bench-tops` writes the section `tops` of docs/benchmarks.md; with names of sets only prints these.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import numpy as np
import sets
from partner_averages import partner_averages
from report import replace_section
from top_sets import read_top

from ratedb.arrays import FloatArray, IntArray
from ratedb.layers import RATIO_95_68
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.tops.baselines import group_means, nearest_unit
from ratedb.models.tops.predictor import fit, usable_training
from ratedb.models.tops.structure import Structure
from ratedb.models.tops.units import least_variance_units, random_units, spread_units
from ratedb.rates import Rates

BENCHMARKS = Path(__file__).parents[1] / "docs" / "benchmarks.md"
# so2xpol is nearly all zeros, H3O+ has one temperature, two thirds of p-NH2D's rows are o-NH2D's.
LEFT_OUT = ("so2xpol-h2", "oh3op-ph2", "ph3op-ph2", "pnh2d-ph2-thermal")
MANY_ROWS = 10_000
SEEDS = 5
_MOST_TESTED = 4000


def shares(name: str) -> tuple[float, ...]:
    """Return the shares of units: those of the bar and their neighbours; many rows are measured at one."""
    if "mqct" in name:
        return (0.1,)
    return (0.1, 0.25, 0.3) if "h2co" in name or "-eff-" in name else (0.1, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Measured:
    """What one choice of units gives."""

    name: str
    share: float
    choice: str
    rows: int
    model: Metrics
    groups: Metrics
    naive: Metrics
    inside: FloatArray
    kept_groups: bool
    seconds: float
    averages: str


def choose(rates: Rates, share: float, choice: str, seed: int) -> IntArray:
    """Return the units of one choice."""
    structure, units = Structure.of(rates.levels), np.unique(rates.upper)
    if choice == "random":
        return random_units(structure, units, share, seed)
    if choice == "spread":
        return spread_units(structure, units, rates.levels.energy_cm1, share, seed)
    return least_variance_units(rates.transitions, share, seed)


def measure(name: str, rates: Rates, share: float, choice: str, seed: int) -> Measured:
    """Train on one choice of units and test on all rows out of the others."""
    chosen = np.isin(rates.upper, choose(rates, share, choice, seed))
    training, test = rates.select(chosen), rates.select(~chosen)
    if len(test) > _MOST_TESTED:
        drawn = np.random.default_rng(0).permutation(len(test))[:_MOST_TESTED]
        test = test.select(np.sort(drawn))
    start = perf_counter()
    model = fit(training)
    predicted = model.predict(test.transitions)
    seconds = perf_counter() - start
    used = usable_training(training, model.structure)
    truth = test.rate_cm3_s
    positive = truth > 0
    off = np.abs(predicted.log10_rate - np.log10(np.where(positive, truth, 1.0)))
    inside = (off <= RATIO_95_68 * predicted.log10_half_width_68)[positive]
    return Measured(
        name,
        share,
        choice,
        len(used),
        metrics(truth, predicted.log10_rate, predicted.log10_half_width_68),
        metrics(truth, group_means(used, test.transitions)),
        metrics(truth, nearest_unit(used, test.transitions)),
        inside.astype(np.float64),
        model.is_group_means,
        seconds,
        partner_averages(rates, model, chosen) if "mqct" in name else "",
    )


def row(found: list[Measured]) -> str:
    """Return a row of the table: geometric means over the seeds of one choice."""
    first = found[0]

    def mean(of: str, field: str) -> float:
        return float(np.exp(np.mean([np.log(getattr(getattr(one, of), field)) for one in found])))

    inside_68 = np.mean([one.model.coverage_68 for one in found])
    inside_95 = np.mean([one.model.coverage_95 for one in found])
    spread = [one.model.dex_rms for one in found]
    return (
        f"| {first.name} | {first.share:.0%} | {first.choice} | {first.rows} |"
        f" **{mean('model', 'dex_rms'):.3f}** ({min(spread):.3f}-{max(spread):.3f}) |"
        f" {mean('model', 'factor_median'):.2f} | {mean('model', 'factor_p95'):.2f} |"
        f" {mean('model', 'wmef'):.2f} |"
        f" {mean('groups', 'dex_rms'):.3f} / {mean('groups', 'factor_p95'):.1f} |"
        f" {mean('naive', 'dex_rms'):.3f} / {mean('naive', 'factor_p95'):.1f} |"
        f" {inside_68:.0%} / {inside_95:.1%} | {sum(one.kept_groups for one in found)}/{len(found)} |"
        f" {np.mean([one.seconds for one in found]):.0f} |"
    )


def summary(found: list[Measured]) -> list[str]:
    """Return what the bar asks of all: coverage, group means, choices of units."""
    worse = [
        f"{one.name} {one.share:.0%} {one.choice}"
        for one in found
        if one.model.dex_rms > 1.0001 * one.groups.dex_rms
        or one.model.factor_p95 > 1.0001 * one.groups.factor_p95
    ]
    ratio: dict[str, list[float]] = {"spread": [], "variance": []}
    for name, share in sorted({(one.name, one.share) for one in found}):
        by = {
            choice: np.mean(
                [np.log(one.model.dex_rms) for one in found if (one.name, one.share, one.choice) == key]
            )
            for choice in ("random", "spread", "variance")
            if (key := (name, share, choice)) in {(one.name, one.share, one.choice) for one in found}
        }
        for choice, ratios in ratio.items():
            if {"random", choice} <= set(by):
                ratios.append(float(by[choice] - by["random"]))
    pooled = np.concatenate([one.inside for one in found]).mean()
    outside = [one for one in found if not 0.9 <= one.inside.mean() <= 0.98]
    return [
        f"- inside 95 %, all left-out units pooled: {pooled:.1%}; outside 90-98 %: {len(outside)} of"
        f" {len(found)} choices of units",
        f"- worse than group means in dex_rms or p95: {len(worse)} of {len(found)}"
        + (f" ({', '.join(worse)})" if worse else ""),
        *(
            f"- {choice} against random units, dex_rms in geometric mean: {np.exp(np.mean(ratios)):.2f}"
            for choice, ratios in ratio.items()
            if ratios
        ),
    ]


def averages(found: list[Measured]) -> list[str]:
    """Return the lines about averages over the partner, with the choice of units."""
    return [f"{one.averages}, {one.choice} {one.share:.0%}" for one in found if one.averages]


def bar_share(name: str) -> float:
    """Return the share of the bar."""
    return shares(name)[len(shares(name)) // 2]


def measure_share(rates: Rates, share: float) -> tuple[list[Measured], list[str]]:
    """Measure one set at one share: all seeds at that of the bar, one of each choice at others."""
    name = rates.levels.molecule
    seeds = (SEEDS if len(rates) < MANY_ROWS else 2) if share == bar_share(name) else 1
    found: list[Measured] = []
    rows: list[str] = []
    for choice, count in (("spread", seeds), ("random", seeds), ("variance", 1)):
        if choice == "variance" and len(rates) >= MANY_ROWS:
            continue
        part = [measure(name, rates, share, choice, seed) for seed in range(count)]
        found += part
        rows.append(row(part))
        print(rows[-1], flush=True)
    return found, rows


def section(found: list[Measured], table: list[str], large: list[str]) -> str:
    """Return the section of the document."""
    return "\n".join(
        [
            "A unit is an initial state, of both molecules for pairs; rows are training transitions. Spread:",
            "one unit from each equal part of the order in energy; variance: greedy, by the kernel before",
            "any rate is known. dex_rms with its range, and other figures, are geometric means over the",
            "seeds: five at 20 or 25 %, two for many rows, one else.",
            "",
            "| set | units | choice | rows | **dex** | median | p95 | wmef | group means dex / p95 |"
            " naive dex / p95 | inside 68 / 95 % | group means kept | s |",
            "|---" * 13 + "|",
            *table,
            "",
            *summary(found),
            *averages(found),
            *large,
        ]
    )


def large_training(rates: Rates, count: int = 2000, temperatures: int = 20) -> str:
    """Return seconds and memory of a fit to so many rows, interpolated to so many temperatures."""
    units = np.random.default_rng(0).permutation(np.unique(rates.upper))
    rows = np.cumsum([(rates.upper == unit).sum() for unit in units])
    training = rates.select(np.isin(rates.upper, units[: int(np.searchsorted(rows, count)) + 1]))
    grid = np.geomspace(rates.temperature_k[0], rates.temperature_k[-1], temperatures)
    at = np.log(rates.temperature_k)
    log10_k = [np.interp(np.log(grid), at, one) for one in np.log10(np.maximum(training.rate_cm3_s, 1e-30))]
    ends = training.upper, training.lower
    training = Rates(rates.levels, rates.collider, *ends, grid, 10.0 ** np.array(log10_k))
    start = perf_counter()
    used = len(fit(training).training)
    seconds, memory = perf_counter() - start, getrusage(RUSAGE_SELF).ru_maxrss / 1e6
    return f"- fit to {used} rows x {temperatures} temperatures: {seconds:.0f} s, {memory:.2f} GB in all"


def _first_the_bar(case: tuple[Rates, float]) -> tuple[bool, int]:
    rates, share = case
    return share != bar_share(rates.levels.molecule), len(rates)


def main(names: list[str]) -> int:
    """Measure all, or the sets of these names, and write the tables."""
    folder = sets.data_folder()
    if folder is None or not (folder / "tops").is_dir():
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    every = sorted(one for one in (folder / "tops").iterdir() if one.is_dir() and one.name not in LEFT_OUT)
    read = [read_top(one) for one in every if not names or one.name in names]
    large = [large_training(max(read, key=len))] if any(len(one) >= MANY_ROWS for one in read) else []
    found: list[Measured] = []
    table: dict[tuple[str, float], list[str]] = {}
    cases = [(rates, share) for rates in read for share in shares(rates.levels.molecule)]
    for rates, share in sorted(cases, key=_first_the_bar):
        more, table[rates.levels.molecule, share] = measure_share(rates, share)
        found += more
        if not names:  # so that an interrupted run leaves what it has
            rows = [one for key in sorted(table) for one in table[key]]
            replace_section(BENCHMARKS, "tops", section(found, rows, large))
    print("\n".join([*summary(found), *averages(found), *large]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
