"""`ratedb next`, replayed on systems that are known: what it claims where it stops, and the truth.

`make bench-planner` runs it last; it writes the section `next` of docs/benchmarks.md. Each system begins with
j <= 5, and the rates of a j become known when it is asked for. Nothing of its molecule is in the corpus.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import sets
from corpus import systems
from planner import BENCHMARKS
from report import replace_section
from variance import CURVE, GIVEN_TO, Case, chosen_by_variance, known

from ratedb.models.corpus.table import shipped_corpus
from ratedb.models.engine import TrainingData, rms
from ratedb.models.search import SearchRequest, search
from ratedb.options import NextOptions
from ratedb.planning.next_j import NextResult, next_j
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import percent
from ratedb.planning.sets import validation_set
from ratedb.planning.state import state_of
from ratedb.rates import Rates

SYSTEMS = ("CO+p-H2", "CO+He", "SiO+H2", "SiO+p-H2", "SiS+He", "HCN+H2", "HNC+H2", "HCO++H2")
TARGET_PERCENT, ALL_HOURS = 10.0, 1000.0


@dataclass(frozen=True)
class Replay:
    """One system: the j in the order they were asked for, hours, and errors in percent of a rate."""

    name: str
    asked_j: tuple[int, ...]
    hours: float
    claimed: float
    true: float
    plan_hours: float | None
    seconds: float

    def __str__(self) -> str:
        ratio = "-" if self.true == 0.0 else f"{self.claimed / self.true:.2f}"
        plan = "none up to N = 8" if self.plan_hours is None else f"{self.plan_hours:.0f}"
        return (
            f"| {self.name} | {', '.join(map(str, self.asked_j))} | {self.hours:.0f} | {self.claimed:.1f} |"
            f" {self.true:.1f} | {ratio} | {plan} | {self.seconds:.0f} |"
        )


def case_of(name: str, data: TrainingData) -> Case:
    """Return a system of which j <= 5 is given, j up to its last the target, with 1000 hours for all."""
    collider = name.split("+", 1)[1].removeprefix("+")
    transitions = data.transitions
    rates = Rates(
        transitions.levels,
        collider,
        transitions.upper,
        transitions.lower,
        data.temperature_k,
        10.0**data.log10_k,
    )
    last = int(rates.initial_j().max())
    target, given = tuple(range(GIVEN_TO, last + 1)), tuple(range(GIVEN_TO + 1))
    return Case(rates, PlanRequest(rates.system, target, given, hours_total=ALL_HOURS))


def replay(name: str, data: TrainingData) -> Replay:
    """Do what `next` says until it stops."""
    case, options = case_of(name, data), NextOptions(target_error=TARGET_PERCENT)
    computed = case.request.given
    start = perf_counter()
    found = _next(case, computed, options)
    asked: list[int] = []
    while found.next_j is not None:
        asked.append(found.next_j)
        computed = tuple(sorted({*computed, found.next_j}))
        found = _next(case, computed, options)
    seconds = perf_counter() - start
    hours = case.request.costs.hours(tuple(asked)) or 0.0
    true = percent(_real_dex(case, found.train_j, found.validate_j)) if found.unknown_j else 0.0
    plan = _plan_hours(case, true) if found.unknown_j else None
    return Replay(name, tuple(asked), hours, found.expected_error or 0.0, true, plan, seconds)


def _next(case: Case, computed: Sequence[int], options: NextOptions) -> NextResult:
    return next_j(state_of(case.request, None, tuple(computed)), options, known(case, computed))


def _real_dex(case: Case, train_j: Sequence[int], validate_j: Sequence[int]) -> float:
    """Return the error of what `train` makes of these j and the given ones, on all others."""
    train_j = sorted({*case.request.given, *train_j} - {0, *validate_j})
    left = [j for j in case.request.target if j not in (*train_j, *validate_j)]
    test = case.rates.out_of(left)
    parts = case.rates.out_of(train_j), case.rates.out_of(sorted(validate_j))
    found = search(*parts, SearchRequest(), corpus=shipped_corpus())
    return rms(found.predictor.predict(test.transitions).log10_rate - test.log10_rate)


def _plan_hours(case: Case, error: float) -> float | None:
    """Return the least hours of a `variance` plan, made before anything is computed, with no larger error."""
    plain = replace(case.request, hours_total=None)
    hours = []
    for size, (train_j, _) in chosen_by_variance(case._replace(request=plain)).items():
        validate_j = validation_set(plain.target, plain.given, train_j)
        if size in CURVE and percent(_real_dex(case, train_j, validate_j)) <= error:
            hours.append(case.request.costs.hours(tuple({*train_j, *validate_j})) or 0.0)
    return min(hours, default=None)


def main() -> int:
    """Replay all systems and write the table."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    data = systems(folder)
    rows = []
    for name in SYSTEMS:
        rows.append(replay(name, data[name][0]))
        print(rows[-1], flush=True)
    text = "\n".join(
        [
            f"`ratedb next --target-error {TARGET_PERCENT:g}` from j <= {GIVEN_TO} on, until it stops;",
            f"all j cost {ALL_HOURS:.0f} h as j^4. Errors in percent of a rate, root mean square over all j",
            "that are not computed. Plan: the least hours of a `variance` plan with no larger error.",
            "",
            "| system | asked for j | h | claimed % | true % | claimed / true | plan, h | s |",
            "|---|---|---|---|---|---|---|---|",
            *map(str, rows),
        ]
    )
    replace_section(Path(BENCHMARKS), "next", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
