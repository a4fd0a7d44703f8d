"""The model beside naive interpolation on the linear molecules whose rates spectralradex ships.

For each system and N: train on the spread set of j = 5..20, choose on two validation
j, test on all other j. Run by `make bench-models`; writes the table of docs/benchmarks.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from report import replace_section

from ratedb.formats.lamda import read_lamda
from ratedb.models import basis
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.features import FEATURE_MAPS, Transitions
from ratedb.models.kernels import DISTINCT_KERNELS
from ratedb.models.metrics import metrics
from ratedb.models.quiet import import_gpflow
from ratedb.models.search import search
from ratedb.models.training_set import at_temperatures, complete_block, rates_of_j
from ratedb.planning.sets import spread_set, validation_set
from ratedb.radiative.radex import lamda_folder
from ratedb.tables import RateTable

FILES = ("co.dat", "cs@lique.dat", "hcn.dat", "hco+.dat", "sio.dat")
SIZES = (3, 4, 5, 6)
LAST_J = 20
HEAD = (
    "| system | train j | naive dex | naive p95 | dex | p95 | max | in 68 % | in 95 % | kernel | s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def measure(rates: RateTable, size: int) -> str:
    """Return a row of the table for one system and one size of training set."""
    initial_j = rates.initial_j()
    target = tuple(range(5, LAST_J + 1))
    train_j = spread_set(target, (5,), size)
    validate_j = validation_set(target, (5,), train_j)
    training, _ = complete_block(rates_of_j(rates, train_j, "training"))
    validation = at_temperatures(rates_of_j(rates, validate_j, "validation"), training.temperature_k)
    start = perf_counter()
    found = search(training, validation, DISTINCT_KERNELS, tuple(FEATURE_MAPS))
    seconds = perf_counter() - start
    held_out = np.isin(initial_j, target) & ~np.isin(initial_j, train_j + validate_j)
    test = at_temperatures(rates.select(held_out), training.temperature_k)
    wanted = Transitions(test.levels, test.upper, test.lower)
    prediction = basis.predict(found.model, wanted)
    model = metrics(test.rate_cm3_s, prediction.log10_mean, prediction.log10_std)
    naive = metrics(test.rate_cm3_s, interpolate_in_j(training, wanted))
    return (
        f"| {rates.system} | {','.join(map(str, train_j))} | {naive.dex_rms:.3f} | {naive.factor_p95:.2f}"
        f" | **{model.dex_rms:.3f}** | {model.factor_p95:.2f} | {model.factor_max:.1f}"
        f" | {model.coverage_68:.0%} | {model.coverage_95:.0%}"
        f" | {found.model.kernel}, {found.model.features} | {seconds:.1f} |"
    )


def main() -> int:
    """Measure every system and write the table."""
    folder = lamda_folder()
    if folder is None:
        print("spectralradex, which ships the rates, is not installed", file=sys.stderr)
        return 1
    import_gpflow()
    rows = [HEAD]
    for name in FILES:
        for partner in read_lamda(folder / name).partners:
            if partner.rates.initial_j().max() < LAST_J:
                continue  # electrons with HCN: too few j to leave any out
            for size in SIZES:
                rows.append(measure(partner.rates, size))
                print(rows[-1], flush=True)
    text = (
        "Held-out rates of j = 5..20 for training sets of the planner's `spread`; validation j are neither"
        " trained on nor tested. `naive` is interpolation in j. `make bench-models`.\n\n" + "\n".join(rows)
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "models", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
