"""RADEX and ratedb's own solver on every LAMDA file that spectralradex has, under 54 conditions each.

Run by `make bench-solvers`; writes the table of docs/benchmarks.md. Each file at two temperatures, three
densities, three column densities and the three geometries. How far an answer is from equilibrium is measured
for both: the largest relative change of a population (one below 1e-4 counts as that) when the equations are
solved once more with the optical depths of the answer.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from report import replace_section

from ratedb.errors import RatedbError
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.escape import distance_from_equilibrium, solve_lines
from ratedb.radiative.radex import lamda_folder, run_radex_each
from ratedb.radiative.radex_file import FileOutline, outline_of
from ratedb.radiative.radex_lines import RadexLines

CONVERGED = 5e-5


def main() -> int:
    """Compare, and write the table."""
    warnings.simplefilter("ignore")
    folder = lamda_folder()
    if folder is None:
        raise SystemExit("spectralradex is not installed")
    lines = [
        "Of 54 conditions: under how many each solver has an answer, how far it is from equilibrium (median,"
        " largest), and the largest difference of a flux, over the brightest line, and of a population, where"
        f" RADEX is within {CONVERGED:g} of equilibrium. Where its median is above 1e-2, the file has rates"
        " upward or between levels of one energy, which RADEX reads in another way. `make bench-solvers`.",
        "",
        "| file | RADEX | escape | RADEX: from equilibrium | escape: from equilibrium | compared | flux"
        " | population | seconds RADEX, escape |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for path in sorted(folder.glob("*.dat")):
        try:
            outline = outline_of(path.read_bytes(), path.name, with_rates=True)
        except RatedbError:
            continue
        lines.append(f"| {path.name} | {' | '.join(_row(path, outline))} |")
        print(lines[-1], flush=True)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "solvers", "\n".join(lines))
    return 0


def _row(path: Path, outline: FileOutline) -> Iterator[str]:
    grid = list(_grid(outline))
    start = perf_counter()
    own = solve_lines(outline, grid)
    middle = perf_counter()
    radex = [_alone(path, one) for one in grid]
    start_radex = perf_counter()
    run_radex_each([path], grid)
    seconds = f"{perf_counter() - start_radex:.1f}, {middle - start:.1f}"
    yield str(sum(one is not None for one in radex))
    yield str(sum(not isinstance(one, str) for one in own))
    far = {}
    for name, answers in (("radex", radex), ("own", own)):
        far[name] = np.array(
            [
                distance_from_equilibrium(outline, conditions, one) if isinstance(one, RadexLines) else np.nan
                for one, conditions in zip(answers, grid, strict=True)
            ]
        )
        yield f"{np.nanmedian(far[name]):.0e}, {np.nanmax(far[name]):.0e}"
    fluxes, populations = [], []
    for number, (ours, theirs) in enumerate(zip(own, radex, strict=True)):
        if isinstance(ours, str) or theirs is None or not far["radex"][number] < CONVERGED:
            continue
        brightest = np.abs(theirs.flux_k_km_s).max()
        fluxes.append(np.abs(ours.flux_k_km_s - theirs.flux_k_km_s).max() / brightest)
        populations.append(np.abs(ours.population_upper - theirs.population_upper).max())
    yield str(len(fluxes))
    yield f"{max(fluxes):.0e}" if fluxes else ""
    yield f"{max(populations):.0e}" if populations else ""
    yield seconds


def _grid(outline: FileOutline) -> Iterator[Conditions]:
    known = outline.temperature_range_k
    spins = {"p-H2", "o-H2"} & set(known)
    gas = [name for name in known if name not in ("e", "H+") and not (name == "H2" and spins)] or list(known)
    low, high = max(known[name][0] for name in gas), min(known[name][1] for name in gas)
    cold = max(low, 15.0)
    for kelvin in (cold, min(high, max(100.0, 2 * cold))):
        for density in (1e3, 1e5, 1e7):
            for column in (1e12, 1e14, 1e16):
                for geometry in (1, 2, 3):
                    each = dict.fromkeys(gas, density / len(gas))
                    yield Conditions(kelvin, each, column, geometry=geometry)


def _alone(path: Path, conditions: Conditions) -> RadexLines | None:
    (outcome,) = run_radex_each([path], [conditions])
    return None if isinstance(outcome, RatedbError) else outcome[0]


if __name__ == "__main__":
    sys.exit(main())
