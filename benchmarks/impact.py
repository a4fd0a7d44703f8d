"""Whether the intervals of `impact` hold: fluxes by the true rates, held out, against sampled ones.

`RATEDB_TEST_DATA=FOLDER python benchmarks/impact.py` writes its tables into docs/benchmarks.md (a quarter of
an hour).
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from report import replace_section
from sets import data_folder

from ratedb.options import (
    ExportOptions,
    FillOptions,
    ImpactOptions,
    ImportOptions,
    TrainOptions,
    VerifyOptions,
)
from ratedb.radiative.impact import TEMPERATURES_K
from ratedb.radiative.radex import run_radex
from ratedb.radiative.verify import compare
from ratedb.store.store import Store
from ratedb.verbs.export import export
from ratedb.verbs.fill import fill
from ratedb.verbs.impact import impact
from ratedb.verbs.import_ import import_files
from ratedb.verbs.train import train

TRAIN = {4: ((5, 9, 14, 19), (6, 10)), 6: ((5, 8, 11, 14, 17, 19), (6, 9))}
J_MAX = 20
ROUGH_J = (8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)


@dataclass(frozen=True)
class DataSet:
    """A set of known rates: its file, the collider, and whose levels and lines it takes where it has none."""

    system: str
    source: str
    path: str
    levels: str | None = None

    def options(self, folder: Path, j: tuple[int, ...] | None = None) -> ImportOptions:
        """Return how to import it, all or only some initial j."""
        molecule, collider = self.system.split("+", 1)
        options = ImportOptions(collider=collider, quality="off", j=j)
        if self.levels is None:
            return options
        return replace(options, molecule=molecule, levels=(folder / self.levels,))


_CO, _SIO = "co-h2-rot-yang2010/co.dat", "sio-h2-rot-lamda/sio.dat"
SETS = (
    DataSet("CO+p-H2", "Yang 2010", _CO),
    DataSet("CO+o-H2", "Yang 2010", _CO),
    DataSet("CO+p-H2", "Flower 2001", "co-h2-rot-flower2001/CO_34.kij", _CO),
    DataSet("SiO+p-H2", "Dayou 2006", "sio-rot-dayou2006/SiO_100.kij", _SIO),
    DataSet("SiO+He", "Dayou 2006", "sio-rot-dayou2006/SiO_95.kij", _SIO),
    DataSet("HCN+H2", "Dumouchel 2010", "hcn-h2-rot-dumouchel2010/hcn.dat"),
)


@dataclass(frozen=True)
class Row:
    """One data set and size: whether the true fluxes are inside, and how far off the filled file is."""

    cells: tuple[str, ...]
    lines: int
    inside_68: int
    inside_95: int

    def __str__(self) -> str:
        return f"| {' | '.join(self.cells)} |"


def measure(data_set: DataSet, data: Path, size: int, folder: Path) -> Row:
    """Hide all j but those of a size, predict them, and compare what RADEX makes of both."""
    train_j, validate_j = TRAIN[size]
    filled, true = folder / "filled.duckdb", folder / "true.duckdb"
    known = tuple(sorted({*range(1, 6), *train_j, *validate_j}))
    path = data / data_set.path
    import_files(filled, [path], data_set.options(data, known))
    import_files(true, [path], data_set.options(data))
    system = data_set.system
    last = min(J_MAX, highest_j(true, system))
    target = tuple(range(5, last + 1))
    train(filled, system, TrainOptions(train_j=train_j, validate_j=validate_j, j=target))
    fill(filled, system, FillOptions())
    start = perf_counter()
    found = impact(filled, [system], ImpactOptions(j_max=last))
    seconds = perf_counter() - start
    export(true, [system], folder / "true.dat", ExportOptions(j_max=last))
    truth = run_radex(folder / "true.dat", found.conditions)
    inside_68, inside_95, factors = [], [], []
    for line in found.lines:
        lines = truth[line.condition]
        at = list(zip(lines.upper, lines.lower, strict=True)).index((line.upper, line.lower))
        flux = float(lines.flux_k_km_s[at])
        inside_68.append(line.flux_68[0] <= flux <= line.flux_68[1])
        inside_95.append(line.flux_95[0] <= flux <= line.flux_95[1])
        factors.append(max(line.flux / flux, flux / line.flux) if flux > 0 else np.inf)
    factor = np.array(factors)
    worst = found.lines[int(factor.argmax())]
    where = found.conditions[worst.condition]
    driver, j = found.drivers[0], found.next_j[0]
    return Row(
        (
            f"{system}, {data_set.source}",
            str(size),
            str(len(found.lines)),
            f"{np.mean(inside_68):.0%} / {np.mean(inside_95):.1%}",
            f"{found.uncertainty_median:.2%} / {found.uncertainty_p95:.1%}",
            f"{np.median(factor) - 1:.2%} / {np.quantile(factor, 0.95) - 1:.2%}",
            f"{factor.max():.3f} in {worst.upper}-{worst.lower} at {where.temperature_k:g} K, "
            f"{sum(where.density_cm3.values()):.0e} cm-3",
            f"{driver.name} ({driver.share:.0%})",
            f"{j.j} ({j.share:.0%})",
            f"{seconds:.0f}",
        ),
        len(found.lines),
        sum(inside_68),
        sum(inside_95),
    )


def roughness(data_set: DataSet, data: Path, folder: Path) -> str:
    """Return a row: how far ln k out of each j lies from the mean of its two neighbours, in percent.

    The median over dj = 1..5 at 100, 200 and 300 K, at equal dj: large where one j is unlike its neighbours.
    """
    db = folder / f"{data_set.system}-{data_set.source}.duckdb"
    import_files(db, [data / data_set.path], data_set.options(data))
    with Store(db) as store:
        rates = store.known_rates(data_set.system)
    _, j = rates.levels.need_vj()
    at_k = [int(np.argmin(np.abs(rates.temperature_k - t))) for t in (100.0, 200.0, 300.0)]
    curves = np.log(rates.rate_cm3_s[:, at_k])
    curve = dict(zip(zip(j[rates.upper], j[rates.lower], strict=True), curves, strict=True))
    cells = []
    for one in ROUGH_J:
        off = [
            curve[one, one - d] - 0.5 * (curve[one - 1, one - 1 - d] + curve[one + 1, one + 1 - d])
            for d in range(1, 6)
        ]
        cells.append(f"{100 * np.median(np.abs(off)):.1f}")
    return f"| {data_set.system}, {data_set.source} | {' | '.join(cells)} |"


def filled_file(data: Path, size: int, folder: Path) -> str:
    """Return a row: a whole CO file, p-H2 and o-H2 predicted, against the true one, by `verify`."""
    train_j, validate_j = TRAIN[size]
    known = tuple(sorted({*range(1, 6), *train_j, *validate_j}))
    systems = ["CO+p-H2", "CO+o-H2"]
    for name, j in (("filled", known), ("true", None)):
        db = folder / f"{name}.duckdb"
        import_files(db, [data / _CO], ImportOptions(quality="off", j=j))
        if j is not None:
            for system in systems:
                target = tuple(range(5, J_MAX + 1))
                options = TrainOptions(train_j=train_j, validate_j=validate_j, j=target)
                train(db, system, options)
                fill(db, system, FillOptions())
        export(db, systems, folder / f"{name}.dat", ExportOptions(j_max=J_MAX))
    grid = VerifyOptions(temperatures=TEMPERATURES_K, densities=ImpactOptions().densities)
    found = compare(folder / "filled.dat", folder / "true.dat", options=grid)
    worst = found.worst_flux
    where = found.conditions[worst.condition]
    return (
        f"| {size} | {len(found.conditions)} | {found.lines_compared} | {found.median_flux_ratio - 1:.2%} |"
        f" {found.p95_flux_ratio - 1:.2%} | {found.max_flux_ratio:.3f} in {worst.upper}-{worst.lower} at"
        f" {where.temperature_k:g} K, {sum(where.density_cm3.values()):.0e} cm-3 |"
        f" {found.max_population_difference:.1e} |"
    )


def highest_j(db: Path, system: str) -> int:
    """Return the highest initial j of a system."""
    with Store(db) as store:
        return int(store.known_rates(system).initial_j().max())


def main() -> None:
    """Write the tables."""
    data = data_folder()
    if data is None:
        sys.exit("no folder of real data; name it in RATEDB_TEST_DATA")
    lines = [
        "j <= 20 as far as there are rates, T = 10-300 K, n = 1e2-1e7 cm-3 (42 conditions, those within the"
        " rates' temperatures), 200 samples; lines above 1e-6 of the strongest. By `make bench-impact`.",
        "",
        "| system | N | lines | truth in 68 / 95 % | half 95 % width, median / p95 | off, median / p95 |"
        " largest factor | first driver | j next | s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = []
    for data_set in SETS:
        for size in TRAIN:
            with tempfile.TemporaryDirectory() as name:
                rows.append(measure(data_set, data, size, Path(name)))
            print(rows[-1], flush=True)
    count = sum(row.lines for row in rows)
    lines += [str(row) for row in rows]
    lines += [
        "",
        f"All {count} lines and conditions together: {sum(row.inside_68 for row in rows) / count:.1%} inside"
        f" the 68 % interval, {sum(row.inside_95 for row in rows) / count:.1%} inside the 95 % interval.",
    ]
    lines += [
        "",
        "A CO file with p-H2 and o-H2, both filled from N j, against the true one by `verify`, same grid:",
        "",
        "| N | conditions | lines | off, median | p95 | largest factor | largest population difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for size in TRAIN:
        with tempfile.TemporaryDirectory() as name:
            lines.append(filled_file(data, size, Path(name)))
        print(lines[-1], flush=True)
    lines += [
        "",
        "Is one initial j unlike its neighbours in the truth itself? How far ln k out of j is from the mean"
        " of j - 1 and j + 1, in percent, median over dj = 1-5 at 100, 200 and 300 K:",
        "",
        f"| system | {' | '.join(f'j = {j}' for j in ROUGH_J)} |",
        "|---" * (len(ROUGH_J) + 1) + "|",
    ]
    with tempfile.TemporaryDirectory() as name:
        lines += [roughness(data_set, data, Path(name)) for data_set in SETS[:3]]
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "impact", "\n".join(lines))


if __name__ == "__main__":
    main()
