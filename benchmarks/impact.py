"""Whether the intervals of `impact` hold: fluxes by the true rates, held out, against sampled ones.

`RATEDB_TEST_DATA=FOLDER python benchmarks/impact.py` writes its table into docs/benchmarks.md (some minutes).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from report import replace_section
from sets import data_folder

from ratedb.radiative.radex import run_radex
from ratedb.workflows.exporting import ExportOptions, export_systems
from ratedb.workflows.filling import fill_system
from ratedb.workflows.impact import ImpactOptions, impact_of
from ratedb.workflows.importing import import_files
from ratedb.workflows.incoming import ImportOptions
from ratedb.workflows.training import TrainOptions, train_model

FILES = {"CO+p-H2": "co-h2-rot-yang2010/co.dat", "HCN+H2": "hcn-h2-rot-dumouchel2010/hcn.dat"}
TRAIN = {4: ((5, 9, 14, 19), (6, 10)), 6: ((5, 8, 11, 14, 17, 19), (6, 9))}
J_MAX = 20


def measure(system: str, path: Path, size: int, folder: Path) -> str:
    """Return a row of the table: how often intervals hold, and how wide they are."""
    train_j, validate_j = TRAIN[size]
    filled, true = folder / f"{system}-{size}.duckdb", folder / f"{system}-{size}-true.duckdb"
    known = tuple(sorted({*range(1, 6), *train_j, *validate_j}))
    collider = system.split("+", 1)[1]
    import_files(filled, [path], ImportOptions(j=known, collider=collider, quality="off"))
    import_files(true, [path], ImportOptions(collider=collider, quality="off"))
    train_model(
        filled,
        system,
        TrainOptions(train_j=train_j, validate_j=validate_j, target_j=tuple(range(5, J_MAX + 1))),
    )
    fill_system(filled, system)
    start = perf_counter()
    found = impact_of(filled, [system], ImpactOptions(j_max=J_MAX))
    seconds = perf_counter() - start
    target = folder / f"{system}-{size}-true.dat"
    export_systems(true, [system], target, ExportOptions(j_max=J_MAX))
    truth = run_radex(target, found.conditions)
    inside_68, inside_95, off = [], [], []
    for line in found.lines:
        lines = truth[line.condition]
        at = list(zip(lines.upper, lines.lower, strict=True)).index((line.upper, line.lower))
        flux = float(lines.flux_k_km_s[at])
        inside_68.append(line.flux_68[0] <= flux <= line.flux_68[1])
        inside_95.append(line.flux_95[0] <= flux <= line.flux_95[1])
        off.append(abs(np.log(max(line.flux / flux, 1e-300))) if flux > 0 else np.inf)
    factor = np.exp(np.array(off))
    width = np.array([line.uncertainty for line in found.lines])
    driver, j = found.drivers[0], found.next_j[0]
    return (
        f"| {system} | {size} | {len(found.conditions)} | {len(found.lines)} | {np.mean(inside_68):.0%} / "
        f"{np.mean(inside_95):.1%} | {np.median(width):.2%} | {np.median(factor) - 1:.2%} | "
        f"{np.quantile(factor, 0.95) - 1:.2%} | {factor.max():.2f} | {driver.name} ({driver.share:.0%}) | "
        f"{j.name} ({j.share:.0%}) | {found.samples} | {seconds:.0f} |"
    )


def main() -> None:
    """Write the table."""
    data = data_folder()
    if data is None:
        sys.exit("no folder of real data; name it in RATEDB_TEST_DATA")
    lines = [
        "j <= 20, T = 10-300 K, n = 1e2-1e7 cm-3; lines above 1e-6 of the strongest. Written by"
        " `make bench-impact`.",
        "",
        "| system | N | conditions | lines | truth in 68 / 95 % | half 95 % width, median | off, median |"
        " p95 | largest factor | first driver | j next | samples | s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        for system, path in FILES.items():
            for size in TRAIN:
                lines.append(measure(system, data / path, size, Path(name)))
                print(lines[-1], flush=True)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "impact", "\n".join(lines))


if __name__ == "__main__":
    main()
